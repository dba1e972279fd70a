"""The panel's own files: its style sheet, its script, and the description of its API, which it has in gzip only.

Shown here: a browser gets them compressed and may keep them for a year, because their paths have a hash of their
content; a client without gzip gets the very file; and what a first visit costs, in octets on the wire.
"""

import gzip
import json
import urllib.request

import pytest

from panel import Panel
from program import REPOSITORY, SCRIPT, STYLE
from test_panel_sysroots import SYSROOTS, TREES, TreePanel

FOLDER = REPOSITORY / "Sources" / "Panel" / "PackedAssets"
GZIP = ("Accept-Encoding", "gzip, deflate, br, zstd")  # As Chromium asks.
FILES = {STYLE: ("panel.css", "text/css; charset=utf-8"), SCRIPT: ("panel.js", "text/javascript; charset=utf-8")}
OPENAPI = "/api/v1/openapi.json"
FIRST_VISIT_MAX = 14_000  # Octets: ten segments, which a server may send before the first acknowledgement.


@pytest.fixture(scope="module")
def panel(tmp_path_factory):
    panel = Panel(tmp_path_factory.mktemp("assets") / "data")
    assert panel.set_up().status == 302
    yield panel
    panel.stop()


@pytest.mark.parametrize("path", FILES, ids=["style", "script"])
@pytest.mark.parametrize("coding", ["gzip, deflate, br", "*", "x-gzip;q=0.1", "br, GZIP;q=1.0"])
def test_who_takes_gzip_gets_it_and_keeps_it_for_a_year(panel, path, coding):
    name, media_type = FILES[path]
    response = panel.visitor().get(path, [("Accept-Encoding", coding)])
    assert response.status == 200 and response.one("Content-Encoding") == "gzip", response.told
    assert gzip.decompress(response.body) == (FOLDER / name).read_bytes()
    assert response.one("Content-Type") == media_type and response.one("Vary") == "Accept-Encoding"
    assert response.one("Cache-Control") == "public, max-age=31536000" and not response.cookies, response.told


@pytest.mark.parametrize("path", FILES, ids=["style", "script"])
@pytest.mark.parametrize("coding", [None, "", "identity", "br", "gzip;q=0, *", "*;q=0.000"])
def test_who_does_not_take_gzip_gets_the_file(panel, path, coding):
    name, media_type = FILES[path]
    visitor = panel.visitor()
    fields = [] if coding is None else [("Accept-Encoding", coding)]
    response = visitor.get(path, fields)
    assert response.status == 200 and response.one("Content-Encoding") is None, response.told
    assert response.body == (FOLDER / name).read_bytes()
    assert response.one("Content-Type") == media_type and response.one("Vary") == "Accept-Encoding"
    assert "max-age=31536000" in response.one("Cache-Control"), response.told
    head = visitor.ask("HEAD", path, fields)
    assert head.one("Content-Length") == response.one("Content-Length") and not head.body


def test_the_description_of_the_api_is_kept_nowhere(panel):
    visitor = panel.logged_in()
    token = panel.make_token(visitor)
    plain = panel.ask(OPENAPI, token)
    packed = panel.ask(OPENAPI, token, [GZIP])
    assert plain.body == (FOLDER / "openapi.json").read_bytes() == gzip.decompress(packed.body)
    assert json.loads(plain.text)["openapi"].startswith("3.1")
    for response in (plain, packed):
        assert response.status == 200 and response.one("Content-Type") == "application/json", response.told
        assert response.one("Cache-Control") == "no-store", response.told


def test_a_program_without_a_word_on_codings_can_read_it(panel):
    with urllib.request.urlopen(panel.origin + STYLE, timeout=10) as answer:
        assert answer.read().startswith(b":root{")


def test_another_hash_and_the_plain_name_are_not_there(panel):
    for path in ("/panel.css", "/panel.js", "/assets/panel.css", "/assets/", STYLE[:-5] + "0.css", STYLE + "?x=1"):
        expected = 200 if "?" in path else 404
        assert panel.visitor().get(path, [GZIP]).status == expected, path


@pytest.mark.parametrize("tree", TREES)
def test_a_first_visit_of_the_overview_costs_little(tmp_path, tree):
    """The overview and what it names, as a browser gets them first: heads, and content as it is sent."""
    panel = TreePanel(tmp_path / "data", SYSROOTS / tree)
    visitor = panel.logged_in()
    visitor.get("/")  # What says that the account was created.
    sizes = [visitor.get(path, [GZIP]).size for path in ("/", STYLE, SCRIPT)]
    panel.stop()
    print(f"first visit of {tree}: {sum(sizes):,} octets: page {sizes[0]:,}, style {sizes[1]:,}, script {sizes[2]:,}")
    assert sum(sizes) <= FIRST_VISIT_MAX, sizes
