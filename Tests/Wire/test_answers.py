"""What is answered beside the pages themselves: other spellings of a path, errors, who may not enter,
forms of the wrong type, what caches may keep, chunk extensions of uploads.

Shown here: each path of a page has one address, to which its other spellings lead and which is never
another host's; an error page has a way back; a program is told with 401 that it needs a login, where a
browser is sent to the login page.
"""

import shutil
import subprocess

import pytest

from client import FORM, Connection, Visitor, converse, request
from panel import Panel
from program import STYLE, Program, running

PROMETHEUS = ("application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,"
              "*/*;q=0.1")
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


@pytest.fixture(scope="module")
def panel(tmp_path_factory):
    panel = Panel(tmp_path_factory.mktemp("answers") / "data")
    response = panel.set_up()
    assert response.status == 302, response.told
    yield panel
    panel.stop()


@pytest.fixture(scope="module")
def pieces(tmp_path_factory):
    yield from running(Program.start("pieces-example", "--listen", "127.0.0.1:0",
                                     cwd=tmp_path_factory.mktemp("pieces")))


# Other spellings of a path ------------------------------------------------------------------------

SPELLINGS = {
    "/login": ["/login/", "//login", "/login//", "/./login", "/a/../login", "/../login",
               "/%2e/login", "/a/%2E%2e/login", "/login%2f", "/%2Flogin", "/login/.", "/login/a/..",
               "/login/index.html", "///login", "//evil.example/../login", "/%6cogin/",
               "http://localhost//login", "http://localhost/login/"],
    "/": ["//", "/index.html", "/.", "/..", "/login/..", "/%2e%2e/", "//index.html", "/index.html/",
          "//evil.example/.."],
}


@pytest.mark.parametrize("path, spelling", [(path, spelling) for path, spellings in SPELLINGS.items()
                                            for spelling in spellings])
def test_other_spelling_leads_to_the_path_with_the_query(login_example, path, spelling):
    visitor = Visitor(login_example.address)
    for query in ("", "?", "?next=/fresh", "?a=%zz&b=//evil.example/?c"):
        for method in ("GET", "HEAD"):
            response = visitor.ask(method, spelling + query)
            assert response.status == 308 and response.location == path + query, response.told
            assert response.one("Cache-Control") == "no-store" and not response.cookies, response.told


def test_redirect_keeps_method_and_form(login_example):
    visitor = Visitor(login_example.address)
    response = visitor.post("/login/?next=/fresh", {"username": "susan", "password": "hello"})
    assert response.status == 308 and response.location == "/login?next=/fresh", response.told
    assert not response.cookies, response.told


@pytest.mark.parametrize("target", [
    "//evil.example", "//evil.example/", "//evil.example/%2e", "/\\evil.example", "/login\\..",
    "/nowhere/", "/LOGIN/", "/login/x/", "/login/.../", "/logout/", "/login%00/", "/%5C/login",
    "/..;/login", "/login;/", "/%25%32%65/login", "/login/index.htm", "/%252e/login"])
def test_what_is_no_page_in_any_spelling_is_404_with_a_way_back(login_example, target):
    response = Visitor(login_example.address).get(target)
    assert response.status == 404 and response.location is None, response.told
    assert '<a href="/">' in response.text and "evil" not in response.text, response.told
    assert response.one("Cache-Control") == "no-store", response.told


@pytest.mark.parametrize("spelling, path", [
    ("/login/", "/login"), ("//login", "/login"), ("/metrics/", "/metrics"), ("/index.html", "/"),
    ("/password//", "/password"), (STYLE + "/", STYLE), ("/setup/?a=b", "/setup?a=b")])
def test_other_spelling_of_a_page_of_the_panel(panel, spelling, path):
    response = panel.visitor().get(spelling)
    assert response.status == 308 and response.location == path, response.told


def test_page_of_hello_has_a_way_back_from_errors(hello_example):
    for method, target, status in (("GET", "/x", 404), ("POST", "/", 405)):
        response = Visitor(hello_example.address).ask(method, target)
        assert response.status == status and '<a href="/">' in response.text, response.told


def test_very_long_path_is_refused_and_not_remembered(login_example):
    for target in ("/" + "a/" * 3_000, "/" + "../" * 2_600 + "x", "/" + "%2e%2e/" * 1_100):
        assert Visitor(login_example.address).get(target).status in (404, 308), target
    for target in ("/" + "./" * 3_000 + "login", "/" * 7_000 + "login", "/a/.." * 1_500 + "/login"):
        response = Visitor(login_example.address).get(target)
        assert response.status == 308 and response.location == "/login", response.told


# Who may not enter --------------------------------------------------------------------------------

def turned_away(address, target, accept, method="GET"):
    fields = [] if accept is None else [("Accept", accept)]
    response = Visitor(address).ask(method, target, fields)
    assert response.one("Cache-Control") == "no-store", response.told
    if response.status == 401:
        assert response.one("WWW-Authenticate").split()[0] not in ("Basic", "Digest", "Negotiate")
        assert response.one("Content-Type").split(";")[0] in ("text/plain", "application/problem+json")
        assert response.location is None, response.told
    return response


@pytest.mark.parametrize("accept, status", [
    (None, 401), ("*/*", 401), (PROMETHEUS, 401), ("text/plain", 401), ("application/json", 401),
    ("text/html;q=0", 401), (BROWSER, 302), ("text/html", 302), ("application/xhtml+xml", 302)])
def test_scraper_without_a_login_is_told_with_401(panel, accept, status):
    response = turned_away(panel.address, "/metrics", accept)
    assert response.status == status, response.told
    if status == 401:
        assert "a login or a token" in response.text and "<" not in response.text, response.told
    assert turned_away(panel.address, "/metrics", accept, "HEAD").status == status


@pytest.mark.parametrize("accept, status", [
    (None, 302), ("*/*", 302), (BROWSER, 302), (PROMETHEUS, 302), ("text/*", 302),
    ("application/json", 401), ("text/plain", 401), ("image/png, image/*;q=0.5", 401),
    ("text/html;q=0.0, */*", 401)])
def test_other_page_sends_to_the_login_who_may_want_html(panel, login_example, accept, status):
    for address in (panel.address, login_example.address):
        assert turned_away(address, "/", accept).status == status


def test_scraper_with_a_login_gets_the_figures(panel):
    for accept in (PROMETHEUS, "*/*", BROWSER):
        response = panel.logged_in().get("/metrics", [("Accept", accept)])
        assert response.status == 200 and "martlet_info" in response.text, response.told


# Forms of another type ----------------------------------------------------------------------------

def test_form_in_parts_is_told_what_to_do(login_example, panel):
    body = (b'--x\r\nContent-Disposition: form-data; name="username"\r\n\r\nsusan\r\n--x--\r\n')
    for address in (login_example.address, panel.address):
        response = Visitor(address).ask(
            "POST", "/login", [("Content-Type", "multipart/form-data; boundary=x")], body)
        assert response.status == 415, response.told
        for word in ("application/x-www-form-urlencoded", "curl", "-d", "--data-urlencode"):
            assert word in response.text, response.told


@pytest.mark.skipif(not shutil.which("curl"), reason="there is no curl")
def test_curl_is_told_what_to_do_and_does_it(login_example):
    url = "http://{}:{}/login".format(*login_example.address)
    refused = subprocess.run(["curl", "-sS", "-F", "username=susan", "-F", "password=hello", url],
                             check=True, capture_output=True, text=True, timeout=10)
    assert "--data-urlencode" in refused.stdout, refused.stdout
    done = subprocess.run(["curl", "-sS", "-i", "--data-urlencode", "username=susan", "-d",
                           "password=hello", url],
                          check=True, capture_output=True, text=True, timeout=10)
    assert " 302 " in done.stdout and "Location: /" in done.stdout, done.stdout


# What caches may keep -----------------------------------------------------------------------------

def test_style_sheet_may_be_kept_and_nothing_else(panel, pieces):
    for address, target in ((panel.address, STYLE), (pieces.address, "/style.css")):
        response = Visitor(address).get(target)
        assert response.status == 200 and "public" in response.one("Cache-Control"), response.told
        for method, other in (("POST", target), ("GET", target + "x"), ("GET", target + "/")):
            response = Visitor(address).ask(method, other)
            assert response.status in (308, 404, 405), response.told
            assert "public" not in (response.one("Cache-Control") or ""), response.told


# Cross-origin without a host ----------------------------------------------------------------------

@pytest.mark.parametrize("origin", ["http://", "https://", "http://localhost", "null", "http://:80", ""])
def test_empty_host_is_served_and_never_the_same_origin(login_example, origin):
    with Connection(login_example.address) as connection:
        connection.send(request("GET", "/login", host=""))
        assert connection.response().status == 200
        connection.send(request("POST", "/login", [FORM], b"username=susan&password=hello", host=""))
        assert connection.response().status == 302
        connection.send(request("POST", "/login", [FORM, ("Origin", origin)],
                                b"username=susan&password=hello", host=""))
        response = connection.response()
        assert response.status == 403 and not response.cookies, response.told


# Uploads in chunks --------------------------------------------------------------------------------

def upload(body, target="/count"):
    return (b"POST " + target.encode() + b" HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
            + body)


@pytest.mark.parametrize("count, size, is_taken", [
    (1, 250, True), (2, 126, True), (2, 250, False), (3, 100, False), (1_000, 250, False),
    (256, 2, False), (127, 2, True)])
def test_extensions_of_an_upload_count_in_all(pieces, count, size, is_taken):
    extension = b";" + b"e" * (size - 1)
    body = (b"1" + extension + b"\r\nx\r\n") * count + b"0\r\n\r\n"
    talk = converse(pieces.address, upload(body) + request("GET", "/", [("Connection", "close")]))
    assert talk.closed and talk.statuses == ([200, 200] if is_taken else [413]), talk.told
    if is_taken:
        assert talk.responses[0].text == f"{count} octets\n", talk.told


@pytest.mark.parametrize("extension", [b";", b";bad[=x", b";x=", b";x=\"y", b"; ;", b";x ", b";\x00"],
                         ids=repr)
def test_octets_that_are_no_extension_end_an_upload(pieces, extension):
    talk = converse(pieces.address, upload(b"5" + extension + b"\r\nhello\r\n0\r\n\r\n"))
    assert talk.closed and talk.statuses == [400], talk.told


def test_trailers_of_an_upload_are_bounded(pieces):
    for size, statuses in ((200, [200, 200]), (300, [431]), (40_000, [431])):
        body = b"5\r\nhello\r\n0\r\nX: " + b"y" * size + b"\r\n\r\n"
        talk = converse(pieces.address,
                        upload(body) + request("GET", "/", [("Connection", "close")]))
        assert talk.closed and talk.statuses == statuses, talk.told


# What pages may do in a browser -------------------------------------------------------------------

def test_default_policy_forbids_scripts_and_frames(hello_example, login_example, pieces):
    for program in (hello_example, login_example, pieces):
        for target in ("/", "/nowhere"):
            response = Visitor(program.address).get(target)
            policy = response.one("Content-Security-Policy")
            assert policy.startswith("default-src 'self'"), response.told
            for part in ("frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"):
                assert part in policy, response.told
            assert "script-src" not in policy and "unsafe-eval" not in policy, response.told
