"""HTTPS in Chromium: with the authority imported as people do that, there is no warning."""

import os
import re

import pytest

from panel import NAME, PASSWORD, Panel
from program import Program, running
from test_tls import ASKED, PAGE, OwnAuthority, client, nss_database, url
from tls import Authority

webdriver = pytest.importorskip("selenium.webdriver")
Service = pytest.importorskip("selenium.webdriver.chrome.service").Service
WebDriverWait = pytest.importorskip("selenium.webdriver.support.ui").WebDriverWait


@pytest.fixture(scope="module", params=["of-a-file", "own"])
def served(request, tmp_path_factory):
    """(a program, the authority of its certificate)"""
    folder = tmp_path_factory.mktemp("authority")
    if request.param == "own":
        program = Program.start("https-example", "--listen", "127.0.0.1:0", "--tls-directory", str(folder / "tls"))
        authority = OwnAuthority(folder / "tls", folder / "own.pem")
    else:
        authority = Authority(folder)
        program = authority.start()
    for program in running(program):
        yield program, authority


def open_browser(home):
    """Chromium with a home directory of its own."""
    if not os.path.exists("/usr/bin/chromedriver"):
        pytest.skip("there is no chromedriver")
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for flag in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--no-proxy-server"):
        options.add_argument(flag)
    # A driver accepts every certificate otherwise.
    options.accept_insecure_certs = False
    environment = {**os.environ, "HOME": str(home), "XDG_CONFIG_HOME": str(home / "config")}
    browser = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver", env=environment))
    browser.set_page_load_timeout(30)
    return browser


def test_the_page_comes_without_a_warning(served, tmp_path):
    server, authority = served
    nss_database(tmp_path / ".pki" / "nssdb", authority)
    browser = open_browser(tmp_path)
    try:
        browser.get(url(server))
        assert PAGE in browser.page_source, browser.page_source[:500]
        assert browser.execute_script("return isSecureContext && location.protocol") == "https:"
        browser.find_element("name", "username").send_keys("susan")
        browser.find_element("name", "password").send_keys("hello")
        browser.find_element("tag name", "button").click()
        WebDriverWait(browser, 10).until(lambda shown: "Hello, susan!" in shown.page_source)
    finally:
        browser.quit()


def test_a_warning_where_the_authority_is_not_known(served, tmp_path):
    """So that the test before does say something."""
    server, _ = served
    browser = open_browser(tmp_path)
    try:
        browser.get(url(server))
        assert "ERR_CERT_AUTHORITY_INVALID" in browser.page_source and PAGE not in browser.page_source
    finally:
        browser.quit()


# The panel ----------------------------------------------------------------------------------------

class Downloaded:
    """The authority's certificate as the panel's page offers it to a browser."""

    name = "authority of the page"

    def __init__(self, panel, target):
        answer = panel.visitor().get("/https/authority.crt")
        assert answer.status == 200 and answer.one("Content-Type") == "application/x-x509-ca-cert", answer.told
        self.authority = target
        self.authority.write_bytes(answer.body)


@pytest.fixture
def panel(tmp_path):
    panel = Panel(tmp_path / "data")
    assert panel.set_up().status == 302
    yield panel
    panel.stop()


def test_the_panel_comes_without_a_warning(panel, tmp_path):
    """From the file that is downloaded to the overview, and to the page that says what certificate is in use."""
    nss_database(tmp_path / ".pki" / "nssdb", Downloaded(panel, tmp_path / "authority.crt"))
    browser = open_browser(tmp_path)
    try:
        for host in ("localhost", "127.0.0.1"):
            browser.delete_all_cookies()
            browser.get(f"https://{host}:{panel.port}/")
            assert browser.execute_script("return isSecureContext && location.protocol") == "https:"
            browser.find_element("name", "username").send_keys(NAME)
            browser.find_element("name", "password").send_keys(PASSWORD)
            browser.find_element("css selector", "form button[type=submit]").click()
            WebDriverWait(browser, 20).until(lambda shown: shown.execute_script("return location.pathname") == "/")
            assert browser.get_cookie(f"__Host-martlet-{panel.port}")["secure"]
            browser.get(f"https://{host}:{panel.port}/https")
            shown = browser.find_element("tag name", "main").text
            assert "of this device’s own authority" in shown and re.search("([0-9A-F]{2}:){31}[0-9A-F]{2}", shown), shown
    finally:
        browser.quit()


def test_the_panel_has_a_warning_for_who_does_not_know_the_authority(panel, tmp_path):
    browser = open_browser(tmp_path)
    try:
        browser.get(f"https://localhost:{panel.port}/login")
        assert "ERR_CERT_AUTHORITY_INVALID" in browser.page_source
    finally:
        browser.quit()


def test_nss_shows_the_panel(panel, tmp_path):
    nss_database(tmp_path / "nss", Downloaded(panel, tmp_path / "authority.crt"))
    (tmp_path / "request").write_text(ASKED, newline="")
    for version in ("1.2", "1.3"):
        told = client("tstclnt", "-4", "-h", "localhost", "-a", "localhost", "-p", panel.port, "-d",
                      f"sql:{tmp_path / 'nss'}", "-V", f"tls{version}:tls{version}", "-A", tmp_path / "request")
        assert 'name="password"' in told, told
