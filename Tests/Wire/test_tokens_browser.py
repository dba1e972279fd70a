"""The page Tokens in headless Chromium: it fits a phone and a desktop, in light and in dark; a token is made
and revoked without a script; a reload makes no second token. Screenshots are left in MARTLET_SCREENSHOTS.
"""

import re

import pytest
from selenium.webdriver.common.by import By

from looks import check_looks
from panel import NAME, PASSWORD, Panel
from test_panel_browser import (SIZES, browser, dress, paper_and_ink, path_shown,  # noqa: F401
                                screenshots, show, submit, take_screenshot)
from test_tokens import line, write_tokens


@pytest.fixture(scope="module")
def panel(tmp_path_factory):
    panel = Panel(tmp_path_factory.mktemp("tokens") / "data")
    assert panel.set_up().status == 302
    panel.stop()
    write_tokens(panel, [
        line("prometheus", "a", 1_790_000_000, 0, 1_795_000_000, "metrics"),
        line("home-assistant", "b", 1_790_000_000, 1_791_000_000), line("m" * 32, "c", 0, 0, 1)])
    panel.start()
    yield panel
    panel.stop()


@pytest.fixture
def page(browser, panel):  # noqa: F811
    show(browser, panel, "/tokens")
    if path_shown(browser, panel).startswith("/login"):
        submit(browser, username=NAME, password=PASSWORD)
    assert path_shown(browser, panel) == "/tokens", browser.current_url
    return browser


def fits(browser, size, scheme):  # noqa: F811
    wide, inner = browser.execute_script(
        "return [document.documentElement.scrollWidth, window.innerWidth]")
    assert wide <= inner == SIZES[size][0], f"{wide} wide on a screen of {inner}"
    check_looks(browser, f"tokens-{size}-{scheme}")
    paper, ink = paper_and_ink(browser)
    assert (paper < 100 < ink) if scheme == "dark" else (ink < 100 < paper)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_the_page_fits_the_screen(page, panel, screenshots, size, scheme):  # noqa: F811
    dress(page, size, scheme)
    show(page, panel, "/tokens")
    page.find_element(By.CSS_SELECTOR, "summary").click()
    take_screenshot(page, screenshots / f"tokens-{size}-{scheme}.png")
    fits(page, size, scheme)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_a_token_is_made_and_revoked(page, panel, screenshots, size, scheme):  # noqa: F811
    dress(page, size, scheme)
    name = f"{size}-{scheme}"
    submit(page, name=name)
    text = page.find_element(By.ID, "token").text
    assert re.fullmatch("martlet_[a-z2-7]{32}", text)
    take_screenshot(page, screenshots / f"token-made-{size}-{scheme}.png")
    fits(page, size, scheme)
    assert panel.ask("/metrics", text).status == 200
    page.refresh()
    assert "already" in page.find_element(By.ID, "problem").text
    take_screenshot(page, screenshots / f"token-refused-{size}-{scheme}.png")
    fits(page, size, scheme)
    assert text not in page.page_source
    show(page, panel, "/tokens")
    details = page.find_elements(By.CSS_SELECTOR, "details")[-1]
    details.find_element(By.CSS_SELECTOR, "summary").click()
    submit(page, details.find_element(By.CSS_SELECTOR, "button"))
    assert path_shown(page, panel) == "/tokens" and "Token revoked" in page.page_source
    assert name not in page.page_source and panel.ask("/metrics", text).status == 401
