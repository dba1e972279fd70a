"""Live values and plots in headless Chromium: what moves, what is said when the stream breaks, and without scripts.

Screenshots are left in MARTLET_SCREENSHOTS.
"""

import time

import pytest

from looks import check_looks
from panel import Panel
from test_events_browser import Cable
from test_live import PERIOD
from test_panel_browser import (  # noqa: F401
    SIZES, By, WebDriverWait, browser, browser_without_scripts, log_in, screenshots, show)

pytest.importorskip("selenium.webdriver")


@pytest.fixture(scope="module")
def panel(tmp_path_factory):
    panel = Panel(tmp_path_factory.mktemp("live") / "data")
    assert panel.set_up().status == 302
    yield panel
    panel.stop()


def enter(browser, panel):  # noqa: F811
    browser.delete_all_cookies()
    log_in(browser, panel)
    browser.get_log("browser")


def state(browser):  # noqa: F811
    return browser.find_element(By.ID, "live").text


def complaints(browser):  # noqa: F811
    return [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]


LOAD = 'return document.querySelector("[data-live=load]").textContent'


def test_values_and_plots_move(browser, panel):  # noqa: F811
    enter(browser, panel)
    show(browser, panel, "/history")
    WebDriverWait(browser, 5).until(lambda _: state(browser).startswith("Live"))
    marks = 'document.querySelector("#plot-load").dataset.old = "yes"'
    browser.execute_script(marks)
    WebDriverWait(browser, 3 * PERIOD).until(
        lambda _: not browser.execute_script('return document.querySelector("#plot-load").dataset.old'))
    # A value may stay the same for long; what is written in its place does not.
    browser.execute_script('document.querySelector("[data-live=processors]").textContent = "old"')
    WebDriverWait(browser, 3 * PERIOD).until(lambda _: browser.execute_script(
        'return document.querySelector("[data-live=processors]").textContent') != "old")
    show(browser, panel, "/")
    WebDriverWait(browser, 5).until(lambda _: state(browser).startswith("Live"))
    browser.execute_script('document.querySelector("[data-live=load]").textContent = "old";'
                           'document.querySelector("[data-meter=memory] rect").setAttribute("width", "1")')
    WebDriverWait(browser, 3 * PERIOD).until(lambda _: browser.execute_script(LOAD) != "old")
    width = browser.execute_script('return document.querySelector("[data-meter=memory] rect").getAttribute("width")')
    assert width.endswith("%"), width
    assert complaints(browser) == []


def test_a_broken_stream_is_told_and_tried_again(browser, panel):  # noqa: F811
    cable = Cable(panel.address)
    try:
        enter(browser, panel)
        browser.get(f"http://127.0.0.1:{cable.port}/history")
        # Cookies do not tell ports apart, but the panel's have its port in their name.
        WebDriverWait(browser, 5).until(lambda _: state(browser).startswith("Live"))
        cable.cut()
        WebDriverWait(browser, 10).until(lambda _: state(browser).startswith("Not live"))
        assert "Trying again" in state(browser)
        time.sleep(3)
        assert state(browser).startswith("Not live")
        cable.mend()
        WebDriverWait(browser, 30).until(lambda _: state(browser).startswith("Live"))
        browser.execute_script('document.querySelector("[data-live=load]").textContent = "old"')
        WebDriverWait(browser, 4 * PERIOD).until(lambda _: browser.execute_script(LOAD) != "old")
    finally:
        cable.close()


def test_the_end_of_the_login_is_told(browser, panel):  # noqa: F811
    enter(browser, panel)
    show(browser, panel, "/history")
    WebDriverWait(browser, 5).until(lambda _: state(browser).startswith("Live"))
    browser.execute_script('fetch("/logout", {method: "POST"})')
    WebDriverWait(browser, 20).until(lambda _: state(browser).startswith("Not live"))
    assert "login" in state(browser)


def test_without_scripts_nothing_is_missing(browser_without_scripts, panel):  # noqa: F811
    browser = browser_without_scripts  # noqa: F811
    enter(browser, panel)
    show(browser, panel, "/history")
    assert len(browser.find_elements(By.CSS_SELECTOR, "figure.plot svg")) >= 3
    assert browser.find_element(By.CSS_SELECTOR, "[data-live=load]").text
    assert not browser.find_element(By.ID, "live").is_displayed()
    browser.find_element(By.LINK_TEXT, "The last day").click()
    assert "24 h ago" in browser.find_element(By.CSS_SELECTOR, "#plot-load .time").text


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", list(SIZES))
def test_pages_fit_and_are_seen(browser, panel, screenshots, size, scheme):  # noqa: F811
    enter(browser, panel)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia",
                            {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
    width, height = SIZES[size]
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": size == "phone"})
    for name, target in (("history", "/history"), ("day", "/history?range=day"), ("overview", "/")):
        show(browser, panel, target)
        WebDriverWait(browser, 5).until(lambda _: state(browser).startswith("Live"))
        wide = browser.execute_script("return document.documentElement.scrollWidth")
        assert wide <= width, (name, wide)
        if name != "overview":
            box = browser.execute_script(
                'const box = document.querySelector("#plot-load svg").getBoundingClientRect();'
                'return [box.width, box.height]')
            assert box[0] > 200 and box[1] > 80, box
        check_looks(browser, f"{name}-{size}-{scheme}")
        browser.save_screenshot(str(screenshots / f"live-{name}-{size}-{scheme}.png"))
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
