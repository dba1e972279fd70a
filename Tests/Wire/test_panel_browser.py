"""`martlet-panel` in a real browser, headless Chromium, from the set-up to the logout.

Shown here: the panel works with and without JavaScript, shows this very machine, fits a phone and a
desktop in light and dark without a horizontal scroll bar, every page has contrast and labels (looks.py), and a session that was ended in the
browser is dead when its cookie is replayed. Screenshots are left in MARTLET_SCREENSHOTS.
"""

import base64
import os
import platform
import re
import shutil
from pathlib import Path

import pytest

from looks import check_looks
from panel import NAME, PASSWORD, Panel, is_in

webdriver = pytest.importorskip("selenium.webdriver")
By = pytest.importorskip("selenium.webdriver.common.by").By
Service = pytest.importorskip("selenium.webdriver.chrome.service").Service
WebDriverWait = pytest.importorskip("selenium.webdriver.support.ui").WebDriverWait

DRIVER = "/usr/bin/chromedriver"
BROWSER = "/usr/bin/chromium"
SIZES = {"phone": (390, 844), "desktop": (1280, 800)}
NEW_PASSWORD = "a brand new password"
FIELDS = "input:not([type=hidden]):not([hidden])"


@pytest.fixture(scope="module")
def screenshots(tmp_path_factory):
    folder = os.environ.get("MARTLET_SCREENSHOTS")
    path = Path(folder) if folder else tmp_path_factory.mktemp("screenshots")
    path.mkdir(parents=True, exist_ok=True)
    return path


@pytest.fixture(scope="module")
def panel(tmp_path_factory):
    panel = Panel(tmp_path_factory.mktemp("panel") / "data")
    yield panel
    panel.stop()


def open_browser(scripts=True):
    assert os.path.exists(DRIVER) and (os.path.exists(BROWSER) or shutil.which("chromium")), (
        "the tests need the Debian packages chromium and chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for flag in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu",
                 "--hide-scrollbars", "--no-proxy-server"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    if not scripts:
        options.add_experimental_option(
            "prefs", {"profile.managed_default_content_settings.javascript": 2})
    browser = webdriver.Chrome(options=options, service=Service(DRIVER))
    browser.set_page_load_timeout(20)
    return browser


@pytest.fixture(scope="module")
def browser():
    browser = open_browser()
    yield browser
    browser.quit()


@pytest.fixture(scope="module")
def browser_without_scripts():
    browser = open_browser(scripts=False)
    yield browser
    browser.quit()


def path_shown(browser, panel):
    return browser.current_url.removeprefix(panel.origin)


def shows_set_up(browser, panel):
    return path_shown(browser, panel).partition("?")[0] == "/setup"


def show(browser, panel, target):
    browser.get(panel.origin + target)


def submit(browser, button=None, **values):
    """Fills the fields by name and presses the button of their form; waits for the next page."""
    for name, value in values.items():
        field = browser.find_element(By.NAME, name)
        if field.get_attribute("type") == "checkbox":
            if field.is_selected() != value:
                field.click()
        else:
            field.clear()
            field.send_keys(value)
    if button is None:
        form = browser.find_element(By.NAME, next(iter(values))).find_element(By.XPATH,
                                                                              "ancestor::form")
        button = form.find_element(By.CSS_SELECTOR, "button[type=submit]")
    page = browser.find_element(By.TAG_NAME, "html")
    button.click()
    WebDriverWait(browser, 15).until(lambda _: is_stale(page))


def is_stale(element):
    try:
        element.is_enabled()
        return False
    except Exception:  # Whatever the driver calls an element of a page that is gone.
        return True


def logout_button(browser):
    return browser.find_element(By.CSS_SELECTOR, 'form[action="/logout"] button[type=submit]')


def log_in(browser, panel, password=PASSWORD, remember=False, target="/login"):
    show(browser, panel, target)
    submit(browser, username=NAME, password=password, remember_me=remember)


def cookies(browser):
    return {cookie["name"]: cookie["value"] for cookie in browser.get_cookies()}


def memory_total():
    return re.search(r"MemTotal: +([0-9]+) kB", Path("/proc/meminfo").read_text("ascii"))[1]


def test_from_set_up_to_logout(browser, panel):
    """One life of a panel, in the order of a first visitor."""
    # Set-up: everything leads there, and the code from the terminal opens it.
    show(browser, panel, "/")
    assert shows_set_up(browser, panel)
    submit(browser, code="AAAA-AAAA", username=NAME, password=PASSWORD, password_again=PASSWORD)
    show(browser, panel, "/")
    assert shows_set_up(browser, panel), "a wrong code was taken"
    submit(browser, code=panel.code(), username=NAME, password=PASSWORD, password_again=PASSWORD)
    assert path_shown(browser, panel) in ("/", "/login"), browser.current_url

    # A wrong password, then login with remember me.
    browser.delete_all_cookies()
    log_in(browser, panel, password="wrong")
    assert path_shown(browser, panel).startswith("/login"), "a wrong password was taken"
    assert panel.cookies[0] not in cookies(browser)
    log_in(browser, panel, remember=True)
    assert path_shown(browser, panel) == "/", browser.current_url
    assert set(panel.cookies) <= set(cookies(browser))
    for cookie in browser.get_cookies():
        assert cookie["httpOnly"] and cookie["sameSite"] == "Lax" and cookie["path"] == "/", cookie
    assert browser.execute_script("return document.cookie") == "", "a script can read the login"

    # The overview is about this machine.
    assert browser.find_element(By.ID, "hostname").text == platform.node()
    assert platform.release() in browser.find_element(By.ID, "kernel").text
    assert browser.find_element(By.ID, "memory-total").get_attribute("data-kib") == memory_total()

    # The browser is restarted: remembered, but the change of password wants a fresh login.
    browser.delete_cookie(panel.cookies[0])
    show(browser, panel, "/")
    assert path_shown(browser, panel) == "/" and panel.cookies[0] in cookies(browser)
    show(browser, panel, "/password")
    assert path_shown(browser, panel) == "/login?next=/password", browser.current_url
    submit(browser, username=NAME, password=PASSWORD)
    assert path_shown(browser, panel) == "/password", browser.current_url

    # Change of password: every other session ends, this one goes on.
    other = panel.logged_in()
    before = cookies(browser)
    submit(browser, current=PASSWORD, password=NEW_PASSWORD, password_again=NEW_PASSWORD)
    show(browser, panel, "/")
    assert path_shown(browser, panel) == "/", "the one who changed the password is out"
    assert not is_in(other), "another session survived the change of password"
    assert not is_in(panel.visitor(session=before[panel.cookies[0]])), "the session from before goes on"

    # Logout: the browser is out, and so is whoever kept its cookies.
    before = cookies(browser)
    assert is_in(panel.visitor(session=before[panel.cookies[0]]))
    submit(browser, logout_button(browser))
    assert path_shown(browser, panel).startswith("/login"), browser.current_url
    show(browser, panel, "/")
    assert path_shown(browser, panel) == "/login?next=/", browser.current_url
    for name, own in zip(("session", "_remember"), panel.cookies):
        if own in before:
            replayed = panel.visitor(**{name: before[own]})
            assert not is_in(replayed), f"the old {name} cookie still works"

    # Only the new password opens it again.
    log_in(browser, panel)
    assert path_shown(browser, panel).startswith("/login"), "the old password still works"
    log_in(browser, panel, NEW_PASSWORD)
    assert path_shown(browser, panel) == "/"

    # No script failed and no style was blocked; that a wrong form was refused is no complaint.
    complaints = [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"
                  and not re.search(r"favicon|status of (400|401|403|422)", entry["message"])]
    assert not complaints, complaints


@pytest.fixture(scope="module")
def used_panel(tmp_path_factory):
    panel = Panel(tmp_path_factory.mktemp("used") / "data")
    response = panel.set_up()
    assert response.status == 302, response.told
    yield panel
    panel.stop()


@pytest.fixture(scope="module")
def unused_panel(tmp_path_factory):
    panel = Panel(tmp_path_factory.mktemp("unused") / "data")
    yield panel
    panel.stop()


def take_screenshot(browser, path):
    """Of the whole page, also what is below the screen."""
    taken = browser.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True})
    path.write_bytes(base64.b64decode(taken["data"]))


def dress(browser, size, scheme):
    width, height = SIZES[size]
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
        "width": width, "height": height, "deviceScaleFactor": 1, "mobile": size == "phone"})
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {
        "features": [{"name": "prefers-color-scheme", "value": scheme}]})


def luminance(browser, color):
    """From 0, black, to 255, of a CSS colour in whatever notation; None where it is transparent."""
    red, green, blue, alpha = browser.execute_script("""
        const context = document.createElement('canvas').getContext('2d');
        context.fillStyle = arguments[0];
        context.fillRect(0, 0, 1, 1);
        return Array.from(context.getImageData(0, 0, 1, 1).data);""", color)
    return None if alpha == 0 else 0.2126 * red + 0.7152 * green + 0.0722 * blue


def paper_and_ink(browser):
    """The luminance of what the page stands on, and of its text."""
    def style(element, name):
        return browser.execute_script(
            f"return getComputedStyle(document.{element}).{name}")
    paper = luminance(browser, style("body", "backgroundColor"))
    if paper is None:
        paper = luminance(browser, style("documentElement", "backgroundColor"))
    if paper is None:  # The browser's own colour of the scheme that the page declares.
        paper = 18 if "dark" in style("documentElement", "colorScheme") else 255
    return paper, luminance(browser, style("body", "color"))


# Pages for whoever is logged in, and what a form of each refuses.
INSIDE = {"overview": "/", "password": "/password", "alerts": "/alerts", "tokens": "/tokens", "error": "/nowhere",
          "password-refused": "/password", "alerts-refused": "/alerts"}
PAGES = ["setup", "login", "refused", *INSIDE]


def show_refusal(browser, panel):
    """Shows the answer to a login after too many wrong passwords, under a name of its own."""
    # Who is logged in does not see the form.
    show(browser, panel, "/login")
    browser.delete_all_cookies()
    for _ in range(12):
        show(browser, panel, "/login")
        submit(browser, username="stranger", password="wrong")
        problem = browser.find_element(By.ID, "problem").text
        if problem.startswith("Too many"):
            break
    assert re.fullmatch(r"Too many failed attempts\. Try again in [0-9]+ (second|minute)s?\.", problem)
    assert browser.find_element(By.NAME, "username").get_attribute("value") == "stranger"
    assert browser.find_element(By.NAME, "password").get_attribute("value") == ""


def open_page(browser, page, used_panel, unused_panel):
    """Shows a page; logs in first where it takes that. All panels here share the host's cookies, so
    only the answer tells whether the browser is in."""
    if page == "setup":
        show(browser, unused_panel, "/setup")
        return
    if page == "login":
        show(browser, used_panel, "/login")
        return
    if page == "refused":
        show_refusal(browser, used_panel)
        return
    target = INSIDE[page]
    show(browser, used_panel, "/password")
    if path_shown(browser, used_panel).startswith("/login"):
        submit(browser, username=NAME, password=PASSWORD)
    show(browser, used_panel, target)
    assert path_shown(browser, used_panel) == target, browser.current_url
    if page == "password-refused":
        submit(browser, current="wrong password", password=NEW_PASSWORD, password_again="something else")
    if page == "alerts-refused":
        submit(browser, browser.find_element(By.CSS_SELECTOR, "main form button"), load="much")
    if page.endswith("refused"):
        assert browser.find_element(By.ID, "problem").is_displayed()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("page", PAGES)
def test_page_fits_the_screen(browser, used_panel, unused_panel, screenshots, page, size, scheme):
    dress(browser, size, scheme)
    open_page(browser, page, used_panel, unused_panel)
    take_screenshot(browser, screenshots / f"{page}-{size}-{scheme}.png")
    wide, inner = browser.execute_script(
        "return [document.documentElement.scrollWidth, window.innerWidth]")
    assert wide <= inner, f"{page} is {wide} wide on a screen of {inner}"
    assert inner == SIZES[size][0], f"laid out for {inner} instead of {SIZES[size][0]}"
    paper, ink = paper_and_ink(browser)
    assert (paper < 100 < ink) if scheme == "dark" else (ink < 100 < paper), (
        f"{page} in {scheme}: text {ink:.0f} on {paper:.0f}")
    pairs = check_looks(browser, f"{page}-{size}-{scheme}")
    print(f"least contrast of {page} in {scheme}: {min(pair for pair in pairs if pair[0] == 'text')[1]}")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("page", [page for page in PAGES if page != "refused"])
def test_page_without_scripts_has_contrast_and_labels(browser_without_scripts, used_panel, unused_panel, page, size):
    dress(browser_without_scripts, size, "light")
    open_page(browser_without_scripts, page, used_panel, unused_panel)
    check_looks(browser_without_scripts, f"{page}-{size} without scripts")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("page", PAGES)
def test_everything_to_press_is_in_reach(browser, used_panel, unused_panel, page, size):
    dress(browser, size, "light")
    open_page(browser, page, used_panel, unused_panel)
    for element in browser.find_elements(By.CSS_SELECTOR, f"{FIELDS}, button, a"):
        box = element.rect
        assert element.is_displayed() and box["width"] > 0, element.get_attribute("outerHTML")
        assert box["x"] >= 0 and box["x"] + box["width"] <= SIZES[size][0], (
            f"{element.get_attribute('outerHTML')} at {box}")
    for entry in browser.find_elements(By.CSS_SELECTOR, "nav a"):
        assert browser.execute_script("""
            const range = document.createRange();
            range.selectNodeContents(arguments[0]);
            return new Set(Array.from(range.getClientRects(), (box) => box.top)).size""", entry) == 1, (
            f"more than one line: {entry.text}")
    for field in browser.find_elements(By.CSS_SELECTOR, FIELDS):
        named = field.get_attribute("aria-label") or browser.execute_script(
            "return arguments[0].labels.length", field)
        assert named, f"no label: {field.get_attribute('outerHTML')}"


def test_works_without_scripts(browser_without_scripts, tmp_path, screenshots):
    """The same life once more where no script runs."""
    browser = browser_without_scripts
    panel = Panel(tmp_path / "data")
    try:
        show(browser, panel, "/")
        assert shows_set_up(browser, panel)
        submit(browser, code=panel.code(), username=NAME, password=PASSWORD,
               password_again=PASSWORD)
        assert path_shown(browser, panel) == "/", browser.current_url
        submit(browser, logout_button(browser))
        log_in(browser, panel, remember=True)
        assert path_shown(browser, panel) == "/"
        assert browser.find_element(By.ID, "hostname").text == platform.node()
        take_screenshot(browser, screenshots / "overview-without-scripts.png")
        show(browser, panel, "/password")
        submit(browser, current=PASSWORD, password=NEW_PASSWORD, password_again=NEW_PASSWORD)
        show(browser, panel, "/")
        assert path_shown(browser, panel) == "/"
        before = cookies(browser)[panel.cookies[0]]
        submit(browser, logout_button(browser))
        assert path_shown(browser, panel).startswith("/login"), browser.current_url
        assert not is_in(panel.visitor(session=before)), "the old session cookie still works"
        panel.stop()
    finally:
        panel.kill()
