"""HTTPS in Chromium: with the authority imported as people do that, there is no warning."""

import os

import pytest

from program import Program, running
from test_tls import PAGE, OwnAuthority, nss_database, url
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
