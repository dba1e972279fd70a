"""The pages Alerts and Webhook in headless Chromium: an address is named, a test is sent, and both fit a phone and a
desktop, in light and in dark. Screenshots are left in MARTLET_SCREENSHOTS.
"""

import pytest
from selenium.webdriver.common.by import By

from panel import NAME, PASSWORD, Panel
from test_panel_browser import (SIZES, browser, dress, path_shown, screenshots, show,  # noqa: F401
                                submit, take_screenshot)
from test_tokens_browser import fits
from test_webhook import Hook


@pytest.fixture(scope="module")
def panel(tmp_path_factory):
    panel = Panel(tmp_path_factory.mktemp("webhook") / "data")
    assert panel.set_up().status == 302
    yield panel
    panel.stop()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_an_address_is_named_and_tried(browser, panel, screenshots, size, scheme):  # noqa: F811
    dress(browser, size, scheme)
    show(browser, panel, "/alerts/webhook")
    if path_shown(browser, panel).startswith("/login"):
        submit(browser, username=NAME, password=PASSWORD)
    assert path_shown(browser, panel) == "/alerts/webhook"
    submit(browser, url="https://hooks.example/secret")
    assert "no TLS" in browser.find_element(By.ID, "problem").text
    take_screenshot(browser, screenshots / f"webhook-refused-{size}-{scheme}.png")
    fits(browser, size, scheme)
    for element in browser.find_elements(By.CSS_SELECTOR, "main input:not([hidden])"):
        assert browser.execute_script("return arguments[0].labels.length", element) == 1
    hook = Hook() if scheme == "light" else Hook(b"HTTP/1.1 503 No\r\n\r\n")
    submit(browser, url=hook.url)
    assert path_shown(browser, panel) == "/alerts" and "Address stored" in browser.page_source
    button, = [element for element in browser.find_elements(By.CSS_SELECTOR, "button") if element.text == "Send a test"]
    submit(browser, button)
    assert path_shown(browser, panel) == "/alerts" and "A test has been sent" in browser.page_source
    assert ("answered 204" if scheme == "light" else "answered 503") in browser.page_source
    take_screenshot(browser, screenshots / f"alerts-{size}-{scheme}.png")
    fits(browser, size, scheme)
    assert len(hook.requests) == 1
    hook.close()
