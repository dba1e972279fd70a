"""Which hosts, schemes, ports and paths a program is reached by, and what follows from that.

Shown here: a name that nobody has allowed gets 421 before anything is counted or decided; a page of
another origin changes nothing, an absent port being its scheme's own; programs on several ports of one
host keep their logins apart; behind TLS cookies are `Secure` and bound to the host; below a path that a
proxy takes off, links, redirects and cookies lead back below it; `next` leads to what GET answers.
"""

import os
import re
import shutil
import socket
import subprocess
import time

import pytest

from client import Connection, CookieJar, FORM, Visitor, panel_cookies, request
from panel import NAME, PASSWORD, Panel, is_in
from program import STYLE, Program, command_of, running
from tokens import SECRET

FORM_BODY = b"username=admin&password=wrong"
SUSAN = {"username": "susan", "password": "hello"}


@pytest.fixture(scope="module")
def panel(tmp_path_factory):
    panel = Panel(tmp_path_factory.mktemp("hosts") / "data", "--host", "panel.example.org",
                  "--host", "*.wild.example")
    assert panel.set_up().status == 302
    yield panel
    panel.stop()


@pytest.fixture
def new_panel(tmp_path):
    panels = []

    def make(*options):
        panels.append(Panel(tmp_path / str(len(panels)), *options))
        return panels[-1]
    yield make
    for panel in panels:
        panel.kill()


def ask(address, method, target, fields=(), body=None, host="localhost"):
    with Connection(address, 10.0) as connection:
        connection.send(request(method, target, [*fields, ("Connection", "close")], body, host=host))
        return connection.response(method)


def post(address, target, fields=(), body=FORM_BODY, host="localhost"):
    return ask(address, "POST", target, [FORM, *fields], body, host)


# Which hosts are answered -------------------------------------------------------------------------

OWN = socket.gethostname()
LABEL = OWN.partition(".")[0]

ALLOWED = [
    "127.0.0.1", "127.0.0.1:8080", "192.168.1.20", "10.0.0.1:1", "8.8.8.8", "[::1]", "[::1]:8080",
    "[2001:db8::1]", "[0:0:0:0:0:0:0:1]:80", "[::ffff:10.0.0.1]", "localhost", "LocalHost:1",
    "localhost.", "panel.localhost", "a.b.LOCALHOST.:80", OWN, OWN.upper(), OWN + ":8080", OWN + ".",
    LABEL, *(f"{LABEL}.{domain}" for domain in (
        "local", "lan", "home", "home.arpa", "internal", "localdomain", "fritz.box", "LOCAL", "lan.")),
    "panel.example.org", "PANEL.example.ORG:8080", "panel.example.org.", "a.wild.example",
    "a.b.wild.example:1",
]

REFUSED = [
    "rebound.example", "rebound.example:8080", "evil", "example.org", "x.panel.example.org",
    "panel.example.org.evil.example", "panel.example.orgx", "xpanel.example.org", "wild.example",
    "xwild.example", ".wild.example", "2130706433", "0x7f000001", "0x7f.1", "127.1", "127.0.1", "0",
    "0177.0.0.1", "127.0.0.01", "127.0.0.1.example", "127.0.0.1.", "127.0.0.256", "1.2.3.4.5",
    "localhost.example", "xlocalhost", "localhost.localdomain", "%6cocalhost", "localhost%2e",
    f"{LABEL}.example", f"{LABEL}.local.example", f"{LABEL}x", f"x{LABEL}.local", f"{LABEL}.box",
    f"{LABEL}..local", "local", ".local", "fritz.box", "a_b", "xn--bcher-kva.example", "-", "*",
    "*.wild.example.evil", "a.example:99999", "localhost..",
]


@pytest.mark.parametrize("host", ALLOWED)
def test_panel_answers_its_own_hosts(panel, host):
    for method, target, status in (("GET", "/login", 200), ("HEAD", "/", 302), ("GET", "/x", 404)):
        response = ask(panel.address, method, target, host=host)
        assert response.status == status, response.told


@pytest.mark.parametrize("host", REFUSED)
def test_panel_refuses_every_other_host(panel, host):
    for method, target in (("GET", "/login"), ("GET", "/"), ("GET", "/nowhere"), ("GET", STYLE),
                           ("HEAD", "/"), ("OPTIONS", "/"), ("DELETE", "/login"), ("GET", "/metrics")):
        response = ask(panel.address, method, target, host=host)
        assert response.status == 421 and not response.cookies, response.told
        assert response.location is None and response.one("Cache-Control") == "no-store", response.told
    response = post(panel.address, "/login", [("Origin", f"http://{host}")], host=host)
    assert response.status == 421 and not response.cookies, response.told
    assert "--host NAME" in response.text and "IP address" in response.text, response.told


def test_refused_host_in_an_absolute_target_counts(panel):
    response = ask(panel.address, "GET", "http://rebound.example/login", host="localhost")
    assert response.status == 421, response.told
    response = ask(panel.address, "GET", "http://localhost/login", host="rebound.example")
    assert response.status == 200, response.told


def test_what_a_proxy_calls_the_host_allows_nothing(panel):
    for name in ("X-Forwarded-Host", "X-Host", "Forwarded", "X-Original-Host"):
        response = ask(panel.address, "GET", "/login", [(name, "localhost")], host="rebound.example")
        assert response.status == 421, response.told


@pytest.mark.parametrize("version", ["HTTP/1.1", "HTTP/1.0"])
def test_no_host_is_served_and_never_the_same_origin(panel, version):
    def send(fields, host):
        with Connection(panel.address, 10.0) as connection:
            connection.send(request("POST", "/logout", [FORM, *fields], b"", host=host,
                                    version=version))
            return connection.response()
    host = "" if version == "HTTP/1.1" else None
    assert send([], host).status == 302
    for origin in ("http://", "http://localhost", f"http://127.0.0.1:{panel.port}", "null", ""):
        response = send([("Origin", origin)], host)
        assert response.status == 403, response.told


def test_requests_for_another_host_count_for_nothing(new_panel):
    """A page whose name was rebound guesses passwords and codes: nobody waits because of it."""
    panel = new_panel()
    form = b"code=AAAA-AAAA&username=admin&password=abcdefgh12&password_again=abcdefgh12"
    for _ in range(40):
        response = post(panel.address, "/setup", body=form, host="rebound.example")
        assert response.status == 421, response.told
    assert panel.set_up().status == 302
    for _ in range(60):
        response = post(panel.address, "/login", host="rebound.example")
        assert response.status == 421, response.told
    response = post(panel.address, "/login")
    assert response.status == 422, response.told
    panel.logged_in()


def test_a_good_cookie_opens_nothing_under_another_host(panel):
    visitor = panel.logged_in()
    cookie = ("Cookie", visitor.jar.header("/"))
    assert ask(panel.address, "GET", "/", [cookie]).status == 200
    response = ask(panel.address, "GET", "/", [cookie], host="rebound.example")
    assert response.status == 421 and NAME not in response.text, response.told
    response = ask(panel.address, "POST", "/logout", [cookie, FORM], b"", host="rebound.example")
    assert response.status == 421, response.told
    assert is_in(visitor)


def test_login_example_follows_the_same_list_and_its_option():
    for program in running(Program.start("login-example", "--listen", "127.0.0.1:0", "--secret",
                                         SECRET, "--host", "a.example", "--host", "b.example")):
        for host in ("a.example", "B.example:80", "localhost", "127.0.0.1"):
            assert ask(program.address, "GET", "/login", host=host).status == 200
        for host in ("c.example", "x.a.example"):
            assert ask(program.address, "GET", "/login", host=host).status == 421


def test_without_sessions_only_changes_are_refused(hello_example, tmp_path):
    """Reading is for everyone; what changes something is not to be caused by a rebound page."""
    for method in ("GET", "HEAD"):
        response = ask(hello_example.address, method, "/", host="rebound.example")
        assert response.status == 200, response.told
    for program in running(Program.start("pieces-example", "--listen", "127.0.0.1:0", "--host",
                                         "pieces.example", cwd=tmp_path)):
        assert ask(program.address, "GET", "/", host="rebound.example").status == 200
        for target in ("/digest", "/count", "/", "/nowhere"):
            response = ask(program.address, "POST", target, body=b"abc", host="rebound.example")
            assert response.status == 421, response.told
        for host in ("localhost", "127.0.0.1", "pieces.example", OWN):
            response = ask(program.address, "POST", "/count", body=b"abc", host=host)
            assert response.status == 200 and response.text == "3 octets\n", response.told


@pytest.mark.parametrize("value", ["http://a.example", "a.example:80", "a b", "", "[::1]", "*", "*.",
                                   "a.*.b", ".a", "a/b", "*a.example", "x" * 256, "--help"])
@pytest.mark.parametrize("program", ["martlet-panel", "login-example"])
def test_host_option_that_is_no_name_is_one_line(program, value, tmp_path):
    ended = subprocess.run([*command_of(program), "--listen", "127.0.0.1:0", "--host", value],
                           cwd=tmp_path, capture_output=True, text=True, timeout=10)
    assert ended.returncode == 2 and ended.stderr.count("\n") == 1, ended
    assert "--host" in ended.stderr and not ended.stdout, ended


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("unshare"), reason="needs root and unshare")
def test_machine_may_get_another_name_while_the_panel_runs(tmp_path):
    """In a namespace of its own, whose name the test changes."""
    namespace = tmp_path / "uts"
    namespace.touch()
    name_set = ["nsenter", f"--uts={namespace}", "hostname"]
    made = subprocess.run(["unshare", f"--uts={namespace}", "hostname", "first"], capture_output=True)
    if made.returncode != 0:
        pytest.skip(f"no namespaces here: {made.stderr!r}")
    try:
        command = ["nsenter", f"--uts={namespace}", *command_of("login-example")]
        program = Program([*command, "--listen", "127.0.0.1:0", "--secret", SECRET], "login-example")
        for program in running(program):
            assert ask(program.address, "GET", "/login", host="first.local").status == 200
            assert ask(program.address, "GET", "/login", host="second.local").status == 421
            subprocess.run([*name_set, "second.example.org"], check=True)
            for host in ("second", "second.local", "second.example.org", "SECOND.lan:80"):
                assert ask(program.address, "GET", "/login", host=host).status == 200, host
            time.sleep(1.1)
            for host in ("first", "first.local", "second.example", "second.example.org.local"):
                assert ask(program.address, "GET", "/login", host=host).status == 421, host
    finally:
        subprocess.run(["umount", str(namespace)], check=False)


# Which origins may change something ---------------------------------------------------------------

SAME = [
    ("panel.example.org:80", "http://panel.example.org"),
    ("panel.example.org", "http://panel.example.org:80"),
    ("panel.example.org:443", "https://panel.example.org"),
    ("panel.example.org", "https://panel.example.org:443"),
    ("panel.example.org", "https://panel.example.org"),
    ("PANEL.example.org", "http://panel.EXAMPLE.org"),
    ("panel.example.org:8443", "https://panel.example.org:8443"),
    ("[::1]:8080", "http://[0:0:0:0:0:0:0:1]:8080"), ("[FE80::1]", "http://[fe80::1]"),
]

OTHER = [
    ("panel.example.org:8080", "http://panel.example.org"),
    ("panel.example.org", "http://panel.example.org:8080"),
    ("panel.example.org:443", "http://panel.example.org"),
    ("panel.example.org:80", "https://panel.example.org"),
    ("panel.example.org", "http://evil.example"), ("panel.example.org", "null"),
    ("panel.example.org", "http://panel.example.org.evil.example"),
    ("panel.example.org", "http://panel.example.org:80.evil.example"),
    ("panel.example.org", "http://panel.example.org@evil.example"),
    ("panel.example.org", "ftp://panel.example.org"), ("[::1]", "http://[::2]"),
    ("127.0.0.1", "http://2130706433"), ("127.0.0.1", "http://localhost"), ("panel.example.org", ""),
]


@pytest.mark.parametrize("host, origin", SAME)
def test_absent_port_is_the_schemes_own(panel, host, origin):
    response = post(panel.address, "/logout", [("Origin", origin)], b"", host)
    assert response.status == 302, response.told


@pytest.mark.parametrize("host, origin", OTHER)
def test_any_other_origin_is_refused(panel, host, origin):
    response = post(panel.address, "/logout", [("Origin", origin)], b"", host)
    assert response.status == 403 and not response.cookies, response.told
    assert "try again" in response.text, response.told


def test_null_origin_is_told_what_to_do(panel):
    response = post(panel.address, "/login", [("Origin", "null")])
    assert response.status == 403 and "Open the page directly" in response.text, response.told


# Programs that share a host -----------------------------------------------------------------------

def test_programs_on_one_host_do_not_log_each_other_out(new_panel):
    """Two panels and an application with Microdot's names, visited with one jar, as browsers keep it."""
    first, second = new_panel(), new_panel()
    for program in running(Program.start("login-example", "--listen", "127.0.0.1:0", "--secret",
                                         SECRET)):
        jar = CookieJar()

        def visit(address):
            visitor = Visitor(address, 10.0)
            visitor.jar = jar
            return visitor
        for panel in (first, second):
            form = {"code": panel.code(), "username": NAME, "password": PASSWORD,
                    "password_again": PASSWORD}
            assert visit(panel.address).post("/setup", form).status == 302
        response = visit(program.address).post("/login", {**SUSAN, "remember_me": "on"})
        assert [cookie.name for cookie in response.cookies] == ["session", "_remember"], response.told
        for panel in (first, second):
            response = panel.log_in(visit(panel.address), remember=True)
            assert {cookie.name for cookie in response.cookies} == set(panel.cookies), response.told
        everybody = (first.address, second.address, program.address)
        for address in everybody:
            assert visit(address).get("/").status == 200
        assert visit(first.address).post("/logout").status == 302
        assert [visit(address).get("/").status for address in everybody] == [302, 200, 200]
        assert visit(program.address).post("/logout").status == 302
        assert [visit(address).get("/").status for address in everybody] == [302, 200, 302]
        assert jar.value("_remember") is None and jar.value(first.cookies[1]) is None
        assert jar.value(second.cookies[1]) is not None


def test_panel_takes_no_cookie_with_another_programs_name(panel):
    visitor = panel.logged_in(remember=True)
    session, remembered = (visitor.jar.value(name) for name in panel.cookies)
    for name, value in (("session", session), ("_remember", remembered), ("martlet", session),
                        *zip(panel_cookies(panel.port + 1), (session, remembered)),
                        (panel.cookies[0].upper(), session), ("__Host-" + panel.cookies[0], session)):
        response = ask(panel.address, "GET", "/", [("Cookie", f"{name}={value}")])
        assert response.status == 302, f"{name} is taken\n{response.told}"
    response = ask(panel.address, "GET", "/", [("Cookie", f"{panel.cookies[0]}={session}")])
    assert response.status == 200, response.told


# Where a login leads ------------------------------------------------------------------------------

def test_logout_without_a_session_goes_to_the_login_page_plainly(panel):
    for target in ("/logout", "/logout?x=y", "/logout?next=/"):
        response = panel.visitor().post(target)
        assert response.status == 302 and response.location == "/login", response.told
    response = panel.visitor().post("/password", {"current": "x"})
    assert response.location == "/login?next=/password", response.told


def test_login_leads_to_what_get_answers(panel):
    for target, location in (("/login?next=/logout", "/"), ("/login?next=/logout%3Fx", "/"),
                             ("/login?next=/password", "/password"), ("/login?next=/%6Cogout", "/")):
        response = panel.log_in(panel.visitor(), target=target)
        assert response.status == 302 and response.location == location, response.told


def test_login_page_sends_on_who_is_logged_in(panel):
    visitor = panel.logged_in()
    for target, location in (("/login", "/"), ("/login?next=/", "/"),
                             ("/login?next=/password", "/password"),
                             ("/login?next=/metrics%3Fx%3D1", "/metrics?x=1"),
                             ("/login?next=//evil.example", "/"), ("/login?next=/logout", "/"),
                             ("/login?x=y", "/"), ("/login?next=/login", "/login")):
        for method in ("GET", "HEAD"):
            response = visitor.ask(method, target)
            assert response.status == 302 and response.location == location, response.told
            assert response.one("Cache-Control") == "no-store", response.told
    assert panel.visitor().get("/login").status == 200


def test_login_page_stays_where_a_fresh_login_is_wanted(panel):
    remembered = panel.visitor(_remember=panel.logged_in(remember=True).jar.value("_remember"))
    assert is_in(remembered)
    response = remembered.get("/password")
    assert response.status == 302 and response.location == "/login?next=/password", response.told
    response = remembered.get(response.location)
    assert response.status == 200 and "Enter your password again" in response.text, response.told
    assert remembered.get("/login").location == "/"
    assert panel.log_in(remembered, target="/login?next=/password").location == "/password"
    assert remembered.get("/login?next=/password").location == "/password"


def test_login_page_sends_on_who_is_remembered(panel):
    kept = panel.logged_in(remember=True).jar.value("_remember")
    for target, location in (("/login", "/"), ("/login?next=/metrics", "/metrics")):
        response = panel.visitor(_remember=kept).get(target)
        assert response.status == 302 and response.location == location, response.told
    # Where a fresh login is wanted the form is shown, and a wrong password says nothing but that.
    response = panel.visitor(_remember=kept).get("/login?next=/password")
    assert response.status == 200 and "Enter your password again" in response.text, response.told
    visitor = panel.visitor(_remember=kept)
    assert panel.log_in(visitor, password="wrong password").status == 422
    assert is_in(visitor)
    assert panel.log_in(visitor, target="/login?next=/password").location == "/password"
    assert visitor.get("/password").status == 200
    # A cookie that has been tampered with is none.
    assert panel.visitor(_remember=kept[:-2]).get("/login").status == 200


# Behind TLS ---------------------------------------------------------------------------------------

HTTPS = ("X-Forwarded-Proto", "https")


def names_and_flags(response):
    return [(cookie.name, "secure" in cookie.attributes, cookie.attributes["path"])
            for cookie in response.cookies]


def test_https_option_makes_cookies_secure_and_bound_to_the_host(new_panel):
    panel = new_panel("--https")
    response = panel.set_up()
    session, remembered = ("__Host-" + name for name in panel.cookies)
    assert names_and_flags(response) == [(session, True, "/")], response.told
    visitor = Visitor(panel.address, 10.0)
    response = panel.log_in(visitor, remember=True)
    assert names_and_flags(response) == [(session, True, "/"), (remembered, True, "/")], response.told
    assert visitor.get("/").status == 200
    plain = Visitor(panel.address, 10.0, **{panel.cookies[0]: visitor.jar.value(session)})
    assert plain.get("/").status == 302, "a name that any program of the host may set is taken"
    visitor.jar.drop(session)
    assert visitor.get("/").status == 200, "the remember cookie does not restore the login"
    response = visitor.post("/logout")
    assert (remembered, True, "/") in names_and_flags(response), response.told
    assert visitor.jar.value(remembered) is None
    for origin, status in ((f"https://127.0.0.1:{panel.port}", 302),
                           (f"http://127.0.0.1:{panel.port}", 403)):
        response = post(panel.address, "/logout", [("Origin", origin)], b"",
                        f"127.0.0.1:{panel.port}")
        assert response.status == status, response.told


@pytest.mark.parametrize("fields, secure", [
    ([HTTPS], True), ([("x-forwarded-proto", "HTTPS")], True),
    ([("X-Forwarded-Proto", "http, https")], True), ([("X-Forwarded-Proto", "https, http")], False),
    ([("X-Forwarded-Proto", "http"), HTTPS], True), ([HTTPS, ("X-Forwarded-Proto", "http")], False),
    ([("X-Forwarded-Proto", "")], False), ([("X-Forwarded-Proto", "httpsx")], False), ([], False),
    ([("X-Forwarded-Ssl", "on")], False), ([("Forwarded", "proto=https")], False),
    ([("X-Forwarded-Proto", "https,")], False),
])
def test_trusted_proxy_says_the_scheme_last(panel, fields, secure):
    response = post(panel.address, "/login", fields,
                    f"username={NAME}&password={PASSWORD}".replace(" ", "+").encode())
    name = ("__Host-" if secure else "") + panel.cookies[0]
    assert names_and_flags(response) == [(name, secure, "/")], response.told


def test_nobody_but_a_trusted_proxy_says_the_scheme(new_panel):
    panel = new_panel("--trust-proxy", "192.0.2.1")
    panel.set_up()
    response = post(panel.address, "/login", [HTTPS, ("X-Forwarded-Prefix", "/box")],
                    f"username={NAME}&password={PASSWORD}".replace(" ", "+").encode())
    assert names_and_flags(response) == [(panel.cookies[0], False, "/")], response.told
    assert response.location == "/", response.told


@pytest.mark.parametrize("scheme, origin, status", [
    ("https", "https://localhost", 302), ("https", "http://localhost", 403),
    ("http", "http://localhost", 302), ("http", "https://localhost", 403),
    ("https", "https://localhost:443", 302), ("https", "https://localhost:80", 403),
])
def test_origin_has_the_scheme_that_the_proxy_says(panel, scheme, origin, status):
    response = post(panel.address, "/logout", [("X-Forwarded-Proto", scheme), ("Origin", origin)], b"")
    assert response.status == status, response.told


# Below a path -------------------------------------------------------------------------------------

LINK = re.compile(r'(?:href|action|src)="([^"#]*)')


def links(response):
    return [link for link in LINK.findall(response.text) if not link.startswith("data:")]


def prefixed(fields=(), options=()):
    """A visitor as a proxy sees it that takes the path off; the jar is that of the browser."""
    class Proxied(Visitor):
        prefix = "/box"

        def ask(self, method, target, more=(), body=None):
            jar = self.jar
            cookies = jar.header(self.prefix + target)
            sent = [*fields, *more] + ([("Cookie", cookies)] if cookies else [])
            response = ask(self.address, method, target, sent, body, self.host)
            jar.store(response, self.prefix + target)
            return response
    return Proxied


@pytest.mark.parametrize("how", ["option", "field", "option, with a slash", "option and field"])
def test_everything_leads_back_below_the_path(new_panel, how):
    option = {"option": ["--prefix", "/box"], "option, with a slash": ["--prefix", "/box/"],
              "field": [], "option and field": ["--prefix", "/box"]}[how]
    fields = {"field": [("X-Forwarded-Prefix", "/box")],
              "option and field": [("X-Forwarded-Prefix", "/other")]}.get(how, [])
    panel = new_panel(*option)
    visitor = prefixed(fields)(panel.address, 10.0)
    response = visitor.get("/")
    assert response.location == "/box/setup?next=/", response.told
    assert links(visitor.get("/setup"))[0] == f"/box{STYLE}", response.told
    form = {"code": panel.code(), "username": NAME, "password": PASSWORD, "password_again": PASSWORD}
    response = visitor.post("/setup", form)
    assert response.location == "/box/" and names_and_flags(response) == [
        (panel.cookies[0], False, "/box")], response.told
    response = visitor.get("/")
    assert response.status == 200 and len(links(response)) >= 5, response.told
    assert all(link.startswith("/box/") for link in links(response)), links(response)
    assert visitor.get("/login?next=/password").location == "/box/password"
    response = visitor.post("/logout")
    assert response.location == "/box/login", response.told
    response = visitor.get("/password?x=1")
    assert response.location == "/box/login?next=/password%3Fx%3D1", response.told
    target = response.location.removeprefix("/box")
    response = panel.log_in(visitor, target=target, remember=True)
    assert response.location == "/box/password?x=1", response.told
    assert names_and_flags(response) == [(name, False, "/box") for name in panel.cookies]
    response = visitor.post("/logout")
    assert response.cookie(panel.cookies[1]).attributes["path"] == "/box", response.told
    assert not visitor.jar.value(panel.cookies[1])


def test_below_a_path_behind_tls(new_panel):
    panel = new_panel("--prefix", "/a/b-c", "--https")
    response = panel.set_up()
    name = "__Secure-" + panel.cookies[0]
    assert names_and_flags(response) == [(name, True, "/a/b-c")], response.told
    response = ask(panel.address, "GET", "/", [("Cookie", f"{name}={response.cookie(name).value}")])
    assert response.status == 200, response.told


@pytest.mark.parametrize("value", [
    "", "/", "box", "//evil.example", "//box", "/box//x", "/../x", "/box/..", "/.", "/a b", "/a%20b",
    "/a?b", "/a;b", "/a\"b", "/<b>", "/\\evil.example", "/a,/", "http://evil.example", "/" + "x" * 64,
    "/caf\xe9", "/a:b", "/a@b"])
def test_path_that_is_none_is_not_taken_from_a_proxy(panel, value):
    response = ask(panel.address, "GET", "/", [("X-Forwarded-Prefix", value)])
    assert response.location == "/login?next=/", response.told


@pytest.mark.parametrize("fields, location", [
    (["/a, /b"], "/b/login?next=/"), (["/a", "/b"], "/b/login?next=/"), (["/a/b/"], "/a/b/login?next=/"),
    (["/a", "//evil.example"], "/login?next=/"), (["/-._~aZ9"], "/-._~aZ9/login?next=/"),
    (["/" + "x" * 63], "/" + "x" * 63 + "/login?next=/"), (["/..a"], "/..a/login?next=/")])
def test_nearest_proxys_path_counts(panel, fields, location):
    response = ask(panel.address, "GET", "/", [("X-Forwarded-Prefix", value) for value in fields])
    assert response.location == location, response.told


@pytest.mark.parametrize("value", ["box", "//x", "/a b", "/..", "/" + "x" * 65, "http://x/"])
def test_prefix_option_that_is_no_path_is_one_line(value, tmp_path):
    ended = subprocess.run([*command_of("martlet-panel"), "--listen", "127.0.0.1:0", "--prefix", value],
                           cwd=tmp_path, capture_output=True, text=True, timeout=10)
    assert ended.returncode == 2 and ended.stderr.count("\n") == 1, ended
    assert "--prefix" in ended.stderr, ended
