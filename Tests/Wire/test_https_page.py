"""The page HTTPS: what a form does when another certificate has come into use meanwhile, and what was typed."""

import re

import pytest

from panel import Panel
from tls import Authority

LINE = "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n"


@pytest.fixture(scope="module")
def panel(tmp_path_factory):
    panel = Panel(tmp_path_factory.mktemp("data"))
    panel.set_up()
    yield panel
    panel.stop()


def typed(response):
    return re.search(r"<textarea[^>]*>\n?(.*?)</textarea>", response.text, re.DOTALL)[1]


@pytest.mark.parametrize("octets", ["<" * 4_000, "&" * 3_000, '"' * 2_900, "'" * 2_900, "é" * 2_500, "a" * 6_144],
                         ids=["less", "ampersand", "quote", "apostrophe", "letter", "plain"])
def test_an_answer_of_any_octets_is_refused_with_words(panel, octets):
    """A page whose characters are longer in HTML fits as well."""
    response = panel.logged_in().post("/https", {"answer": octets})
    assert response.status == 422, response.told
    assert "there is no certificate in it" in response.text
    assert typed(response) in ("", octets)


def test_what_was_typed_stays(panel):
    text = LINE.format("<b>&amp;\"'</b>")
    response = panel.logged_in().post("/https", {"answer": text})
    assert response.status == 422, response.told
    assert "<b>" not in typed(response) and "&lt;b&gt;&amp;amp;" in typed(response)


@pytest.mark.parametrize("text", ["-----BEGIN PRIVATE KEY-----\nMC4=\n", "PRIVATE PRIVATE KEY", "x" * 3_000 + "EC PRIVATE KEY"])
def test_a_private_key_is_not_shown_again(panel, text):
    response = panel.logged_in().post("/https", {"answer": text})
    assert response.status == 422, response.told
    assert typed(response) == ""


def test_a_form_that_asks_for_nothing_changes_nothing(panel):
    before = panel.logged_in().get("/https").text
    assert panel.logged_in().post("/https", {"other": "1"}).status == 422
    assert panel.logged_in().get("/https").text == before


def test_a_tab_of_before_does_nothing(panel):
    """Another administrator has changed what is in use, and the page says so. Nothing is logged as done."""
    visitor = panel.logged_in()
    before = panel.program.output()
    response = visitor.post("/https", {"own": "1"})
    assert response.status == 422, response.told
    assert "Nothing was changed: another certificate" in response.text
    assert "event=certificate" not in panel.program.output()[len(before):]


def test_no_form_changes_the_certificate_of_files(tmp_path):
    authority = Authority(tmp_path / "authority")
    panel = Panel(tmp_path / "data", *authority.options)
    try:
        panel.set_up()
        visitor = panel.logged_in()
        shown = visitor.get("/https").text
        for form in ({"renew": "1"}, {"authority": "1"}, {"own": "1"},
                     {"answer": authority.certificate.read_text()}):
            response = visitor.post("/https", form)
            assert response.status == 422, response.told
            assert "Nothing was changed: another certificate" in response.text
        assert visitor.get("/https").text == shown
        assert not re.search(r"event=(certificate|authority)", panel.program.output())
    finally:
        panel.stop()
