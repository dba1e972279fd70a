"""`martlet-panel` over raw HTTP: set-up, accounts, sessions, and what must not be possible.

Shown here: before the set-up nothing else is served, and only the code from the terminal opens it;
accounts and sessions survive a restart, also a hard one; a change of password and a logout end
sessions for good; other sites and simple links change nothing. Damaged files: test_files.py.
"""

import base64
import fcntl
import json
import os
import platform
import re
import signal
import socket
import stat
import struct
import time

import pytest

from client import Connection, FORM, converse, form_request, request
from panel import CODE, NAME, PASSWORD, Panel, is_in
from program import RUN, USUAL_HASH_TIME, Program, password_places, room
from tokens import micropython, pyjwt

EVERY_PAGE = [("GET", "/"), ("GET", "/login"), ("GET", "/password"), ("POST", "/login"),
              ("POST", "/logout"), ("POST", "/password"), ("HEAD", "/")]


@pytest.fixture
def new_panel(tmp_path):
    """A panel that has never been set up."""
    panel = Panel(tmp_path / "data")
    yield panel
    panel.kill()


@pytest.fixture
def own_panel(new_panel):
    """A panel of this test alone, set up."""
    response = new_panel.set_up()
    assert response.status == 302, response.told
    yield new_panel
    if new_panel.program.is_running:
        new_panel.stop()


@pytest.fixture(scope="module")
def panel(tmp_path_factory):
    """A panel that is set up, for tests that leave the accounts as they are."""
    panel = Panel(tmp_path_factory.mktemp("panel") / "data")
    response = panel.set_up()
    assert response.status == 302, response.told
    yield panel
    panel.stop()


# Set-up -------------------------------------------------------------------------------------------

def test_first_start_prints_a_code(new_panel):
    assert re.fullmatch(r"[0-9A-Z]{4}-[0-9A-Z]{4}", new_panel.code()), new_panel.program.output()


def test_every_first_start_has_another_code(tmp_path):
    codes = set()
    for number in range(3):
        panel = Panel(tmp_path / str(number))
        codes.add(panel.code())
        panel.stop()
    assert len(codes) == 3, codes


def leads_to_set_up(response):
    """Whether it is a redirect to the set-up page, with or without a query."""
    return response.status == 302 and response.location.partition("?")[0] == "/setup"


@pytest.mark.parametrize("method, target", [*EVERY_PAGE, ("GET", "/login?next=/")])
def test_before_the_set_up_everything_leads_to_it(new_panel, method, target):
    visitor = new_panel.visitor()
    response = (visitor.post(target, {"username": "a", "password": "b"}) if method == "POST"
                else visitor.ask(method, target))
    assert leads_to_set_up(response), response.told
    assert not response.cookies, response.told


def test_set_up_page_is_a_form_and_does_not_tell_the_code(new_panel):
    response = new_panel.visitor().get("/setup")
    assert response.status == 200, response.told
    for name in ("code", "username", "password", "password_again"):
        assert re.search(rf'<input[^>]*\bname="?{name}"?[\s>/]', response.text), response.text
    assert new_panel.code() not in response.text
    assert "no-store" in (response.one("Cache-Control") or ""), response.told


def test_set_up_makes_the_account_and_closes_itself(new_panel):
    code = new_panel.code()
    response = new_panel.set_up()
    assert response.status == 302 and response.location in ("/", "/login"), response.told
    new_panel.logged_in()
    stranger = new_panel.visitor()
    for answer in (stranger.get("/setup"),
                   stranger.post("/setup", {"code": code, "username": "second",
                                            "password": PASSWORD,
                                            "password_again": PASSWORD})):
        assert answer.status in (302, 403, 404, 405, 410), answer.told
        assert answer.location in (None, "/", "/login"), answer.told
        assert not answer.cookies, answer.told
    new_panel.log_in(stranger, "second")
    assert not is_in(stranger), "the code made a second account"
    new_panel.stop()


def still_closed(panel):
    return leads_to_set_up(panel.visitor().get("/"))


@pytest.mark.parametrize("changes", [
    {"code": ""}, {"code": "AAAA-AAAA"}, {"code": "0"}, {"code": "x" * 500}, {"code": "\0"},
    {"password_again": "something else"}, {"password": ""}, {"password": "", "password_again": ""},
    {"username": ""}, {"username": "x" * 500}, {"username": "a:b"}, {"username": "a\nroot:x"},
    {"username": "a\rb"}, {"username": "a\0b"}, {"username": "a\tb"}, {"username": " "},
    {"password": "x" * 5000, "password_again": "x" * 5000},
], ids=lambda changes: repr(changes)[:60])
def test_wrong_set_up_is_refused(new_panel, changes):
    response = new_panel.set_up(**changes)
    assert response.status in (200, 302, 400, 403, 413, 422), response.told
    if response.status == 302:
        assert response.location.partition("?")[0] == "/setup", response.told
    assert not response.cookies, response.told
    assert still_closed(new_panel), f"{changes} was taken\n{response.told}"
    assert new_panel.set_up().status == 302, "the right form is no longer taken"
    assert not still_closed(new_panel)


@pytest.mark.parametrize("missing", ["code", "username", "password", "password_again"])
def test_set_up_with_a_field_missing_is_refused(new_panel, missing):
    form = {"code": new_panel.code(), "username": NAME, "password": PASSWORD,
            "password_again": PASSWORD}
    del form[missing]
    response = new_panel.visitor().post("/setup", form)
    assert response.status in (200, 302, 400, 403, 422), response.told
    assert still_closed(new_panel), response.told


def test_wrong_codes_open_nothing_and_lock_nobody_out_for_good(new_panel):
    """After many wrong ones the code may be dead; then a restart prints another."""
    right = new_panel.code()
    near = right[:-1] + ("A" if right[-1] != "A" else "B")
    for code in [near, right.lower() + "x", right[:-1], right + "A", "", right[::-1] + "-"] * 5:
        new_panel.set_up(code=code)
        assert still_closed(new_panel), f"{code} opened what {right} opens"
    if new_panel.set_up().status != 302:
        assert still_closed(new_panel)
        new_panel.restart()
        assert new_panel.code() != right, "the dead code is printed again"
        response = new_panel.set_up()
        assert response.status == 302, response.told
    new_panel.logged_in()


def test_three_wrong_codes_are_forgiven(new_panel):
    for _ in range(3):
        new_panel.set_up(code="AAAA-AAAA")
    response = new_panel.set_up()
    assert response.status == 302, response.told
    new_panel.logged_in()


def test_set_up_by_get_is_none(new_panel):
    visitor = new_panel.visitor()
    response = visitor.get(f"/setup?code={new_panel.code()}&username=a&password=bbbbbbbbbbbb"
                           "&password_again=bbbbbbbbbbbb")
    assert response.status in (200, 400), response.told
    assert still_closed(new_panel)


def test_set_up_from_another_site_is_refused(new_panel):
    form = {"code": new_panel.code(), "username": NAME, "password": PASSWORD,
            "password_again": PASSWORD}
    response = new_panel.visitor().post("/setup", form, [("Origin", "http://evil.example")])
    assert response.status == 403, response.told
    assert still_closed(new_panel)


def test_restart_before_the_set_up_prints_a_code_that_works(new_panel):
    new_panel.restart()
    assert new_panel.set_up().status == 302
    new_panel.logged_in()
    new_panel.stop()


def test_restart_after_the_set_up_prints_no_code(own_panel):
    own_panel.restart()
    own_panel.logged_in()
    assert not re.search(CODE, own_panel.program.output()), own_panel.program.output()


@pytest.mark.parametrize("name", ["a", "susan", "Susan.B_1-2", "<b>&\"x'", "Zoë", "日本", "x" * 32])
def test_user_name_is_taken_whole_or_refused(new_panel, name):
    new_panel.set_up(name=name)
    if still_closed(new_panel):
        assert not re.fullmatch(r"[A-Za-z0-9._-]{1,32}", name), f"{name!r} is refused"
        return
    for _ in range(2):
        visitor = new_panel.logged_in(name)
        page = visitor.get("/").text
        assert "<b>&" not in page, f"the name stands unescaped in {page!r}"
        new_panel.restart()


@pytest.mark.parametrize("password", ["pässwörd-日本-😀", "  blanks at both ends  ",
                                      "a+b&c=d%20e;f\"g'",
                                      "x" * 64, "colons:and:more:colons", "\\u0041\\n-backslashes"])
def test_password_is_taken_whole_or_refused(new_panel, password):
    new_panel.set_up(password=password)
    if still_closed(new_panel):
        assert not re.fullmatch(r"[!-~]{8,64}", password), f"{password!r} is refused"
        return
    new_panel.logged_in(password=password)
    for other in (password[:-1], password + "x", password.strip() + " "):
        visitor = new_panel.visitor()
        new_panel.log_in(visitor, password=other)
        assert other == password or not is_in(visitor), f"{other!r} opens what {password!r} opens"


# What lies on disk --------------------------------------------------------------------------------

def test_data_is_for_the_owner_alone(own_panel):
    mode = stat.S_IMODE(os.stat(own_panel.data).st_mode)
    assert mode == 0o700, f"{own_panel.data} has mode {mode:o}"
    assert own_panel.files(), "nothing was written"
    for path in own_panel.files():
        mode = stat.S_IMODE(os.stat(path).st_mode)
        assert mode == 0o600, f"{path.name} has mode {mode:o}"


def test_password_is_not_on_disk(own_panel):
    own_panel.logged_in()
    for path in own_panel.files():
        octets = path.read_bytes()
        assert PASSWORD.encode() not in octets, f"{path.name} has the password"
        assert base64.b64encode(PASSWORD.encode()) not in octets, f"{path.name} has the password"
    text = own_panel.accounts_file().read_text("utf-8")
    hashed = re.search(r"pbkdf2-hmac-sha256:([0-9a-f]{32}):([0-9]+):([0-9a-f]{64})", text)
    assert hashed, f"no hash in the format of Microdot's example: {text!r}"
    assert int(hashed[2]) >= 1000, f"only {hashed[2]} iterations"


def test_two_accounts_with_the_same_password_have_different_hashes(tmp_path):
    hashes = set()
    for number in range(2):
        panel = Panel(tmp_path / str(number))
        panel.set_up()
        hashes.add(panel.accounts_file().read_bytes())
        panel.stop()
    assert len(hashes) == 2


def test_existing_directory_with_a_wider_mode_is_narrowed_or_refused(tmp_path):
    data = tmp_path / "data"
    data.mkdir(mode=0o755)
    try:
        panel = Panel(data)
    except AssertionError:
        return
    try:
        panel.set_up()
        for path in panel.files():
            assert stat.S_IMODE(os.stat(path).st_mode) == 0o600, path
        panel.stop()
    finally:
        panel.kill()


def test_restart_keeps_account_and_sessions(own_panel):
    fresh, remembered = own_panel.logged_in(), own_panel.logged_in(remember=True)
    for _ in range(2):
        own_panel.restart()
        fresh.address = remembered.address = own_panel.address
        assert is_in(fresh), "the session ended with the restart"
        assert is_in(remembered)
        restored = own_panel.visitor(_remember=remembered.jar.value("_remember"))
        assert is_in(restored), "the remember cookie ended with the restart"
        own_panel.logged_in()


def test_hard_end_loses_nothing(own_panel):
    visitor = own_panel.logged_in()
    for _ in range(3):
        own_panel.kill()
        own_panel.start()
        visitor.address = own_panel.address
        assert is_in(visitor)
        own_panel.logged_in()


def test_killed_within_a_change_of_password_it_has_the_old_or_the_new_one(own_panel):
    passwords = [PASSWORD, "another long password"]
    current = 0
    for delay in (0.0, 0.002, 0.005, 0.02, 0.05, 0.1, 0.2, 0.4):
        visitor = own_panel.logged_in(password=passwords[current])
        form = {"current": passwords[current], "password": passwords[1 - current],
                "password_again": passwords[1 - current]}
        cookies = visitor.jar.header("/password")
        with Connection(own_panel.address) as connection:
            connection.send(form_request("/password", form, [("Cookie", cookies)],
                                         host=visitor.host))
            time.sleep(delay)
            own_panel.kill()
        own_panel.start()
        working = []
        for number, password in enumerate(passwords):
            visitor = own_panel.visitor()
            own_panel.log_in(visitor, password=password)
            if is_in(visitor):
                working.append(number)
        assert len(working) == 1, f"killed after {delay} s; of the two passwords, {working} work"
        current = working[0]


# Logins -------------------------------------------------------------------------------------------

def test_stranger_is_sent_to_log_in(panel):
    for target in ("/", "/password"):
        response = panel.visitor().get(target)
        assert response.status == 302, response.told
        assert response.location == f"/login?next={target}", response.told
    response = panel.visitor().post("/logout")
    assert response.status == 302 and response.location.startswith("/login"), response.told


def test_login_page_is_a_form(panel):
    response = panel.visitor().get("/login")
    assert response.status == 200, response.told
    for name in ("username", "password", "remember_me"):
        assert re.search(rf'<input[^>]*\bname="?{name}"?[\s>/]', response.text), response.text
    assert re.search(r'<button[^>]*type="?submit"?', response.text), response.text


def test_right_password_logs_in(panel):
    visitor = panel.visitor()
    response = panel.log_in(visitor)
    assert response.status == 302 and response.location == "/", response.told
    assert [cookie.name for cookie in response.cookies] == [panel.cookies[0]], response.told
    assert is_in(visitor)


def test_login_leads_where_the_visitor_wanted(panel):
    visitor = panel.visitor()
    wanted = visitor.get("/password")
    response = panel.log_in(visitor, target=wanted.location)
    assert response.status == 302 and response.location == "/password", response.told
    assert visitor.get("/password").status == 200
    for bad in ("//evil.example", "/%5Cevil.example", "/%252Fevil.example", "http://evil.example"):
        response = panel.log_in(panel.visitor(), target=f"/login?next={bad}")
        assert response.status == 302 and response.location == "/", response.told


def test_wrong_password_and_unknown_user_get_the_same_answer(own_panel):
    def comparable(name, response):
        """All but the name that was typed, which the form may show again."""
        return (response.status, response.body.replace(name.encode(), b"NAME"),
                [(name, value) for name, value in response.fields
                 if name.lower() not in ("date", "content-length")])

    tries = [(NAME, "wrong password"), ("nobody", "wrong password"), ("nobody", PASSWORD),
             (NAME.upper(), "wrong password"), (NAME, PASSWORD.upper()), (NAME, ""), ("nobody", "")]
    answers = []
    for name, password in tries:
        visitor = own_panel.visitor()
        answers.append(own_panel.log_in(visitor, name, password))
        assert not is_in(visitor), f"{name!r} with {password!r} is in"
        assert not answers[-1].cookies, answers[-1].told
    for (name, password), answer in zip(tries, answers, strict=True):
        assert comparable(name, answer) == comparable(NAME, answers[0]), (
            f"{name!r} with {password!r} gets another answer\n{answers[0].told}\n{answer.told}")


@pytest.mark.skipif(bool(RUN), reason="an emulator says nothing about time")
def test_unknown_user_costs_the_same_time(own_panel):
    """The fastest of several tries, in turn; others that use the machine only make a try slower.

    The panel is this test's own: these tries use up those that are free before a login has to wait."""
    fastest = {NAME: float("inf"), "nobody": float("inf")}
    for attempt in range(8):  # Ten are free.
        for name in fastest:
            visitor = own_panel.visitor()
            start = time.monotonic()
            response = own_panel.log_in(visitor, name, "wrong password")
            fastest[name] = min(fastest[name], time.monotonic() - start)
            assert response.status == 422, response.told
        known, unknown = fastest.values()
        is_same = abs(known - unknown) <= max(0.3 * max(known, unknown), 0.003)
        if attempt >= 3 and is_same:
            break
    assert is_same, f"a wrong password takes {known:.4f} s, an unknown user {unknown:.4f} s"


def test_cookies_have_their_attributes(panel):
    response = panel.log_in(panel.visitor(), remember=True)
    session, remembered = (response.cookie(name) for name in panel.cookies)
    for cookie in (session, remembered):
        assert cookie.attributes.get("path") == "/", response.told
        assert "httponly" in cookie.attributes, response.told
        assert cookie.attributes.get("samesite") in ("Lax", "Strict"), response.told
        assert "domain" not in cookie.attributes, response.told
    assert remembered.attributes["max-age"] == "2592000", response.told
    assert not {"max-age", "expires"} & set(session.attributes), response.told


def test_remembered_visitor_is_in_but_not_fresh(panel):
    remembered = panel.logged_in(remember=True).jar.value("_remember")
    visitor = panel.visitor(_remember=remembered)
    response = visitor.get("/password")
    assert response.status == 302 and response.location == "/login?next=/password", response.told
    assert is_in(visitor)
    response = visitor.get("/password")
    assert response.status == 302 and response.location == "/login?next=/password", response.told
    response = visitor.post("/password", {"current": PASSWORD, "password": "x" * 20,
                                          "password_again": "x" * 20})
    assert response.status == 302 and response.location.startswith("/login"), response.told
    panel.log_in(visitor)
    assert visitor.get("/password").status == 200


def test_session_and_remember_cookie_are_not_interchangeable(panel):
    visitor = panel.logged_in(remember=True)
    session, remembered = visitor.jar.value("session"), visitor.jar.value("_remember")
    assert not is_in(panel.visitor(session=remembered))
    assert not is_in(panel.visitor(_remember=session))


def test_token_with_the_wrong_key_or_without_our_claims_is_refused(panel):
    secrets = ["top-secret!", ""]
    raw = (panel.data / "secret").read_bytes()
    tries = [raw, raw.strip()]
    for decode in (bytes.fromhex, base64.b64decode, base64.urlsafe_b64decode):
        try:
            tries.append(decode(raw.strip().decode("ascii")))
        except ValueError:
            pass
    claims = {"_user_id": NAME, "_fresh": True}
    remember = {"user_id": NAME, "days": 30, "exp": int(time.time()) + 86400}
    for key in [*secrets, *(octets.decode("latin-1") for octets in tries)]:
        for make in (pyjwt, micropython):
            assert not is_in(panel.visitor(session=make(claims, key)))
            assert not is_in(panel.visitor(_remember=make(remember, key)))


def test_changed_token_is_refused(panel):
    text = panel.logged_in().jar.value("session")
    header, payload, mac = text.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    for key in claims:
        other = {**claims, key: 2**31 if isinstance(claims[key], int) else "x"}
        made = base64.urlsafe_b64encode(json.dumps(other).encode()).rstrip(b"=").decode()
        assert not is_in(panel.visitor(session=f"{header}.{made}.{mac}"))
    none = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    assert not is_in(panel.visitor(session=f"{none}.{payload}."))


# Logout and change of password --------------------------------------------------------------------

def test_logout_ends_the_session_for_good(own_panel):
    visitor = own_panel.logged_in(remember=True)
    session, remembered = visitor.jar.value("session"), visitor.jar.value("_remember")
    response = visitor.post("/logout")
    assert response.status == 302, response.told
    assert response.cookie(own_panel.cookies[1]).is_deletion, response.told
    assert not is_in(visitor)
    assert not is_in(own_panel.visitor(session=session)), "the old session cookie still works"
    assert not is_in(own_panel.visitor(_remember=remembered)), "the old remember cookie still works"
    own_panel.restart()
    assert not is_in(own_panel.visitor(session=session)), "the old session cookie works again"
    assert not is_in(own_panel.visitor(_remember=remembered)), "the old remember cookie works again"


def change(visitor, current, new, again=None, fields=()):
    return visitor.post("/password", {"current": current, "password": new,
                                      "password_again": new if again is None else again}, fields)


def test_change_of_password_ends_all_other_sessions(own_panel):
    changer, other = own_panel.logged_in(remember=True), own_panel.logged_in(remember=True)
    old_cookies = [(name, visitor.jar.value(name)) for visitor in (changer, other)
                   for name in ("session", "_remember")]
    response = change(changer, PASSWORD, "a brand new password")
    assert response.status in (200, 302, 303), response.told
    assert is_in(changer), f"the one who changed it is out\n{response.told}"
    assert not is_in(other), "the other session goes on"
    for name, value in old_cookies:
        assert not is_in(own_panel.visitor(**{name: value})), f"an old {name} cookie still works"
    own_panel.restart()
    changer.address = own_panel.address
    assert is_in(changer)
    for name, value in old_cookies:
        assert not is_in(own_panel.visitor(**{name: value})), f"an old {name} cookie works again"
    visitor = own_panel.visitor()
    own_panel.log_in(visitor)
    assert not is_in(visitor), "the old password still works"
    own_panel.logged_in(password="a brand new password")


@pytest.mark.parametrize("current, new, again", [
    ("wrong password", "a brand new password", None), ("", "a brand new password", None),
    (PASSWORD, "a brand new password", "another new password"), (PASSWORD, "", None),
    (PASSWORD, "x" * 5000, None), (PASSWORD.upper(), "a brand new password", None)],
    ids=lambda value: repr(value)[:30])
def test_wrong_change_of_password_changes_nothing(panel, current, new, again):
    visitor, other = panel.logged_in(), panel.logged_in()
    accounts = panel.accounts_file().read_bytes()
    response = change(visitor, current, new, again)
    assert response.status in (200, 302, 400, 403, 413, 422), response.told
    assert panel.accounts_file().read_bytes() == accounts, response.told
    assert is_in(visitor) and is_in(other), response.told


@pytest.mark.parametrize("missing", ["current", "password", "password_again"])
def test_change_of_password_with_a_field_missing_changes_nothing(panel, missing):
    visitor = panel.logged_in()
    accounts = panel.accounts_file().read_bytes()
    form = {"current": PASSWORD, "password": "a brand new password",
            "password_again": "a brand new password"}
    del form[missing]
    response = visitor.post("/password", form)
    assert response.status in (200, 302, 400, 403, 422), response.told
    assert panel.accounts_file().read_bytes() == accounts, response.told


# Other sites and simple links ---------------------------------------------------------------------

CROSS = [[("Origin", "http://evil.example")], [("Origin", "null")],
         [("Origin", "http://127.0.0.1:1")], [("Sec-Fetch-Site", "cross-site")],
         [("Sec-Fetch-Site", "same-site")],
         [("Sec-Fetch-Site", "cross-site"), ("Origin", "http://evil.example")]]


@pytest.mark.parametrize("fields", CROSS, ids=str)
def test_post_from_another_site_is_refused(panel, fields):
    visitor = panel.logged_in()
    accounts = panel.accounts_file().read_bytes()
    for response in (visitor.post("/logout", (), fields),
                     change(visitor, PASSWORD, "a brand new password", fields=fields),
                     visitor.post("/login", {"username": NAME, "password": PASSWORD}, fields)):
        assert response.status == 403, response.told
        assert not response.cookies, response.told
    assert is_in(visitor)
    assert panel.accounts_file().read_bytes() == accounts


def test_post_from_the_panel_itself_is_taken(panel):
    for fields in ([("Origin", panel.origin)], [("Sec-Fetch-Site", "same-origin")],
                   [("Sec-Fetch-Site", "none")],
                   [("Origin", panel.origin), ("Sec-Fetch-Site", "same-origin")]):
        visitor = panel.visitor()
        response = visitor.post("/login", {"username": NAME, "password": PASSWORD}, fields)
        assert response.status == 302 and is_in(visitor), response.told


@pytest.mark.parametrize("target", [
    "/logout", "/logout?x", "/password?current=correct+horse+battery&password=abcabcabcabc"
    "&password_again=abcabcabcabc", "/login?username=admin&password=correct+horse+battery",
    "/setup?code=AAAA-AAAA&username=b&password=abcabcabcabc&password_again=abcabcabcabc"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_nothing_changes_by_get(panel, method, target):
    visitor = panel.logged_in()
    accounts = panel.accounts_file().read_bytes()
    response = visitor.ask(method, target)
    assert response.status in (200, 302, 400, 404, 405), response.told
    if method != "OPTIONS" and target.startswith("/logout"):
        assert response.status == 405 and "POST" in response.allowed, response.told
    assert not response.cookies, response.told
    assert is_in(visitor)
    assert panel.accounts_file().read_bytes() == accounts


# Pages --------------------------------------------------------------------------------------------

def text_of(page, identifier):
    """The text of the element with that id."""
    matched = re.search(rf'<(\w+)[^>]*\bid="?{identifier}"?[\s>][^>]*?>?(.*?)</\1>', page,
                        re.DOTALL)
    assert matched, f"no element with the id {identifier} in {page!r}"
    return re.sub(r"<[^>]*>", "", matched[2]).strip()


SIOCGIFADDR = 0x8915


def addresses_of_this_machine():
    """The network interfaces other than the loopback, with an IPv4 address each."""
    for name in sorted(os.listdir("/sys/class/net")):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            try:
                found = fcntl.ioctl(asking, SIOCGIFADDR, struct.pack("256s", name.encode()))
            except OSError:
                continue
        address = socket.inet_ntoa(found[20:24])
        if not address.startswith("127."):
            yield name, address


def test_overview_shows_this_machine(panel):
    response = panel.logged_in().get("/")
    page = response.text
    assert text_of(page, "hostname") == platform.node(), page
    assert text_of(page, "kernel").endswith(platform.release()), page
    with open("/proc/meminfo", encoding="ascii") as lines:
        total = re.search(r"MemTotal: +([0-9]+) kB", lines.read())[1]
    memory = re.search(r'<[^>]*\bid="?memory-total"?[^>]*>', page)
    assert memory and f'data-kib="{total}"' in memory[0], page
    for interface, address in addresses_of_this_machine():
        assert re.search(rf"\b{interface}\b", page), f"{interface} is not in the overview: {page!r}"
        assert address in page, f"{address} of {interface} is not in the overview: {page!r}"


def test_overview_is_read_anew_at_each_load(panel):
    visitor = panel.logged_in()
    first = visitor.get("/").text
    ballast = b"x" * (256 << 20)
    second = visitor.get("/").text
    assert second != first, f"the overview is the same with {len(ballast) >> 20} MiB more in use"


def test_pages_are_html_without_anything_from_elsewhere(panel):
    visitor = panel.logged_in()
    for who, target in ((visitor, "/"), (visitor, "/password"), (panel.visitor(), "/login")):
        response = who.get(target)
        assert response.status == 200, response.told
        assert response.one("Content-Type").lower().replace(" ", "") == "text/html;charset=utf-8"
        page = response.text
        assert page.lower().startswith("<!doctype html>"), page[:80]
        assert re.search(r'<meta[^>]*name="?viewport"?', page), page[:600]
        assert re.search(r'<html[^>]*\blang="?[a-z]', page), page[:80]
        assert re.search(r"<title>[^<]+</title>", page), page[:600]
        outside = re.findall(r'(?:src|href|action)="?((?:https?:)?//[^" >]*)', page)
        assert not outside, f"{target} refers to {outside}"
        assert "@import" not in page and not re.search(r"url\([\"']?(https?:)?//", page), page


def test_what_depends_on_a_session_is_not_stored(panel):
    visitor = panel.logged_in()
    for response in (visitor.get("/"), visitor.get("/password"), panel.visitor().get("/"),
                     panel.visitor().get("/password")):
        assert "no-store" in (response.one("Cache-Control") or ""), response.told
        assert "cookie" in (response.one("Vary") or "").lower(), response.told


def test_pages_may_not_be_framed_or_sniffed(panel):
    for response in (panel.logged_in().get("/"), panel.visitor().get("/login")):
        assert (response.one("X-Content-Type-Options") or "").lower() == "nosniff", response.told
        policy = response.one("Content-Security-Policy") or ""
        assert "frame-ancestors 'none'" in policy or (
            (response.one("X-Frame-Options") or "").upper() == "DENY"), response.told


def test_unknown_page_and_method(panel):
    visitor = panel.logged_in()
    assert visitor.get("/nowhere").status == 404
    response = visitor.ask("PUT", "/", body=b"")
    assert response.status == 405 and "GET" in response.allowed, response.told


def test_login_with_a_slow_hash_keeps_nobody_waiting(tmp_path):
    """Password hashing runs in slices: others are served while many logins are under way."""
    panel = Panel(tmp_path / "data", *USUAL_HASH_TIME)
    assert panel.set_up().status == 302
    connections = []
    for number in range(min(20, password_places(), room() - 4)):
        connection = Connection(panel.address, patience=20)
        # From many addresses: from one of them so many failures at once are not all looked at.
        connection.send(form_request("/login", {"username": NAME, "password": "wrong password"},
                                     [("X-Forwarded-For", f"198.51.100.{number + 1}")]))
        connections.append(connection)
    slowest = 0.0
    for _ in range(20):
        start = time.monotonic()
        response = panel.visitor().get("/login")
        assert response.status == 200, response.told
        slowest = max(slowest, time.monotonic() - start)
        time.sleep(0.02)
    assert slowest < 0.25, f"a page took {slowest:.2f} s while others logged in"
    for connection in connections:
        response = connection.response(within=20)
        assert response.status == 422, response.told
        connection.close()
    panel.stop()


def test_form_in_every_wrong_shape_is_no_error(panel):
    for target in ("/login", "/password", "/logout", "/setup"):
        for body in (b"", b"\xff\xfe", b"%", b"&&&", b"username", b"=" * 500, b"a=b&" * 500,
                     b"username=%00&password=%00&current=%00", b"x" * 4000):
            talk = converse(panel.address, request("POST", target, [FORM, ("Connection", "close")],
                                                   body))
            assert talk.closed and len(talk.responses) == 1, talk.told
            assert talk.statuses[0] < 500, talk.told


def test_signal_ends_a_panel_with_sessions_in_good_order(own_panel):
    own_panel.logged_in()
    own_panel.program.stop(signal.SIGINT)
    own_panel.start()
    own_panel.logged_in()


def test_two_panels_on_one_directory_do_not_spoil_it(own_panel):
    """The second one is refused, or both work on what the other one left."""
    try:
        second = Program.start("martlet-panel", "--listen", "127.0.0.1:0", "--data",
                               str(own_panel.data))
    except AssertionError:
        return
    try:
        second.stop()
    finally:
        second.kill()
    own_panel.logged_in()
