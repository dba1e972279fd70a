"""What the pages of `martlet-panel` have in common: notices, forms that are refused, error pages.

Shown here: what a form has done is said once, on the page that follows; a refused form shows again what was
typed, but for passwords, and marks the field that is wrong; whatever is typed, the page has room for it and
no markup comes of it; error pages look as the panel does and have a way back, and programs get JSON.
"""

import html
import json
import re

import pytest

from panel import NAME, PASSWORD, Panel, is_in
from program import STYLE

NEW = "a brand new password"
SAID = r'<p class="done" role="status">([^<]*)</p>'


@pytest.fixture
def new_panel(tmp_path):
    panel = Panel(tmp_path / "data")
    yield panel
    panel.stop()


@pytest.fixture(scope="module")
def panel(tmp_path_factory):
    """A panel that is set up, for tests that leave the accounts as they are."""
    panel = Panel(tmp_path_factory.mktemp("pages") / "data")
    assert panel.set_up().status == 302
    yield panel
    panel.stop()


def said(response):
    assert response.status == 200, response.told
    return re.findall(SAID, response.text)


def form(current=PASSWORD, password=NEW, again=None):
    return {"current": current, "password": password, "password_again": password if again is None else again}


def input_of(response, name):
    found = re.findall(rf'<input[^>]*\bname="{name}"[^>]*>', response.text)
    assert len(found) == 1, response.text
    return found[0]


def value_of(response, name):
    found = re.search(r'\bvalue="([^"]*)"', input_of(response, name))
    return html.unescape(found[1]) if found else ""


def wrong_fields(response):
    assert response.status in (422, 429), response.told
    assert len(re.findall(r'\bid="problem"', response.text)) == 1, response.text
    assert response.text.count("autofocus") <= 1, response.text
    return re.findall(r'<input[^>]*\bname="(\w+)"[^>]*aria-invalid="true"', response.text)


# Notices ------------------------------------------------------------------------------------------

def test_a_change_of_password_is_said_once_on_the_page_that_follows(new_panel):
    new_panel.set_up()
    visitor = new_panel.logged_in()
    response = visitor.post("/password", form())
    assert response.status == 303 and response.location == "/", response.told
    assert said(visitor.get("/")) == ["Password changed; all other sessions have ended."]
    assert said(visitor.get("/")) == [] and said(visitor.get("/password")) == []


def test_whichever_page_follows_says_it(new_panel):
    new_panel.set_up()
    visitor = new_panel.logged_in()
    visitor.post("/password", form())
    for target in (STYLE, "/metrics", "/nowhere"):
        assert "Password changed" not in visitor.get(target).text
    assert len(said(visitor.get("/password"))) == 1
    assert said(visitor.get("/")) == []


def test_the_set_up_is_said_once_and_a_login_is_not(new_panel):
    visitor = new_panel.visitor()
    response = visitor.post("/setup", {"code": new_panel.code(), "username": NAME, "password": PASSWORD,
                                       "password_again": PASSWORD})
    assert response.status == 302, response.told
    assert said(visitor.get("/")) == ["Account created; you are logged in."]
    assert said(visitor.get("/")) == []
    assert said(new_panel.logged_in().get("/")) == []


def test_a_notice_outlives_a_restart_and_ends_with_the_session(new_panel):
    new_panel.set_up()
    visitor, again = new_panel.logged_in(), new_panel.logged_in()
    visitor.post("/password", form())
    new_panel.restart()
    visitor.address = again.address = new_panel.address
    assert len(said(visitor.get("/"))) == 1
    visitor.post("/password", form(NEW, PASSWORD))
    visitor.post("/logout")
    new_panel.log_in(visitor)
    assert said(visitor.get("/")) == []


def test_nobody_makes_another_read_a_notice(panel):
    visitor = panel.logged_in()
    for target in ("/?notice=2", "/login?notice=2", "/password?notice=1"):
        who = panel.visitor() if target.startswith("/login") else visitor
        assert said(who.get(target)) == []
    response = visitor.get("/", [("Cookie", "notice=2")])
    assert said(response) == []


def test_a_refused_change_says_nothing_afterwards(panel):
    visitor = panel.logged_in()
    assert visitor.post("/password", form("wrong password")).status == 422
    assert said(visitor.get("/")) == []


# Forms that are refused ---------------------------------------------------------------------------

@pytest.mark.parametrize("changes, field", [
    ({"code": ""}, "code"), ({"code": "AAAA-AAAA"}, "code"), ({"username": "9 lives"}, "username"),
    ({"username": ""}, "username"), ({"password": "short", "password_again": "short"}, "password"),
    ({"password": "password1", "password_again": "password1"}, "password"),
    ({"password_again": "something else"}, "password_again")], ids=repr)
def test_refused_set_up_keeps_what_was_typed_and_marks_the_field(new_panel, changes, field):
    typed = {"code": new_panel.code(), "username": NAME, **changes}
    response = new_panel.set_up(**changes)
    assert wrong_fields(response) == [field], response.text
    assert value_of(response, "code") == typed["code"] and value_of(response, "username") == typed["username"]
    for name in ("password", "password_again"):
        assert "value=" not in input_of(response, name), response.text
    for secret in (PASSWORD, "something else"):
        assert secret not in response.text


@pytest.mark.parametrize("changes, field", [
    ({"current": "wrong password"}, "current"), ({"password": "brief", "again": "brief"}, "password"),
    ({"again": "something else"}, "password_again"),
    ({"current": "wrong password", "again": "something else"}, "current")], ids=repr)
def test_refused_change_of_password_marks_the_field_and_shows_no_password(panel, changes, field):
    typed = form(**changes)
    response = panel.logged_in().post("/password", typed)
    assert wrong_fields(response) == [field], response.text
    for name, value in typed.items():
        assert "value=" not in input_of(response, name) and value not in response.text, response.text


def test_refused_login_keeps_the_name_and_marks_no_field(panel):
    response = panel.log_in(panel.visitor(), "somebody", "wrong password")
    assert wrong_fields(response) == [] and value_of(response, "username") == "somebody"
    assert "autofocus" in input_of(response, "password")
    assert "value=" not in input_of(response, "password") and "wrong password" not in response.text


@pytest.mark.parametrize("typed", [
    '"><script>alert(1)</script>', "' onfocus='x", "&quot;", "<" * 1500, '"' * 1500, "&" * 1500, "é" * 700,
    "\u202e" * 400, "%22" * 400, "</title><h1>"], ids=lambda text: repr(text)[:20])
def test_whatever_is_typed_is_shown_as_text_and_has_room(new_panel, typed):
    plain = new_panel.visitor().get("/setup").text
    response = new_panel.set_up(code=typed, username=typed)
    assert wrong_fields(response) == ["code"], response.text
    for name in ("code", "username"):
        shown = value_of(response, name)
        assert shown and typed.startswith(shown.rstrip("\ufffd")), (shown, typed)
    assert response.text.count("<") <= plain.count("<") + 2, response.text
    assert len(response.body) < len(plain) + 1000
    new_panel.set_up()
    response = new_panel.log_in(new_panel.visitor(), typed, "wrong password")
    assert response.status == 422 and value_of(response, "username"), response.told
    assert is_in(new_panel.logged_in())


# What password managers know the fields by --------------------------------------------------------

@pytest.mark.parametrize("target, fields", [
    ("/setup", {"code": "one-time-code", "username": "username", "password": "new-password",
                "password_again": "new-password"}),
    ("/login", {"username": "username", "password": "current-password"}),
    ("/password", {"username": "username", "current": "current-password", "password": "new-password",
                   "password_again": "new-password"})])
def test_fields_have_the_names_that_password_managers_know(panel, tmp_path, target, fields):
    if target == "/setup":
        fresh = Panel(tmp_path / "data")
        response = fresh.visitor().get(target)
        fresh.stop()
    else:
        response = (panel.logged_in() if target == "/password" else panel.visitor()).get(target)
    for name, token in fields.items():
        field = input_of(response, name)
        assert f'autocomplete="{token}"' in field, field
        assert ('type="password"' in field) == token.endswith("-password"), field
    described = re.findall(r'aria-describedby="([\w-]+)"', response.text)
    assert all(response.text.count(f'id="{name}"') == 1 for name in described), response.text


# Error pages --------------------------------------------------------------------------------------

def errors(panel):
    visitor = panel.logged_in()
    cross = [("Origin", "http://evil.example")]
    yield 404, lambda fields: visitor.get("/nowhere", fields)
    yield 405, lambda fields: visitor.get("/logout", fields)
    yield 403, lambda fields: visitor.post("/password", form(), [*cross, *fields])
    yield 403, lambda fields: visitor.post("/setup", (), fields)
    yield 404, lambda fields: visitor.get("/system", fields)
    yield 415, lambda fields: visitor.ask("POST", "/login", [("Content-Type", "text/plain"), *fields], b"x")


def test_error_pages_look_as_the_panel_does_and_have_a_way_back(panel):
    for status, ask in errors(panel):
        response = ask([("Accept", "text/html,*/*;q=0.8")])
        assert response.status == status, response.told
        assert response.one("Content-Type") == "text/html; charset=utf-8", response.told
        assert f'href="{STYLE}"' in response.text and "martlet-panel" in response.text, response.text
        assert re.search(r"<h1>[^<]+</h1>\n<p>[^<]+</p>", response.text), response.text
        assert '<a class="button" href="/">To the overview</a>' in response.text, response.text
        assert "no-store" in response.one("Cache-Control"), response.told
        assert response.one("Content-Security-Policy"), response.told
        assert not response.cookies, response.told


def test_programs_get_problem_details(panel):
    for status, ask in errors(panel):
        response = ask([("Accept", "application/json")])
        assert response.status == status, response.told
        assert response.one("Content-Type") == "application/problem+json", response.told
        problem = json.loads(response.text)
        assert problem["status"] == status and problem["title"] and problem["detail"], problem


def test_what_is_asked_for_stands_in_no_error_page(panel):
    for target in ("/%3Cscript%3E", "/nowhere?x=%22%3E%3Cscript%3E", "/" + "x" * 2000):
        response = panel.visitor().get(target)
        assert response.status == 404 and "script" not in response.text and "xxx" not in response.text


def test_accounts_that_are_damaged_are_told_to_people_and_to_programs(new_panel):
    new_panel.set_up()
    new_panel.kill()
    for name in ("accounts", "accounts.old"):
        (new_panel.data / name).write_bytes(b"half")
    new_panel.start()
    visitor = new_panel.visitor()
    response = visitor.get("/login")
    assert response.status == 503 and "accounts.old" in response.text, response.told
    assert '<a class="button" href="/">Try again</a>' in response.text, response.text
    problem = json.loads(visitor.get("/login", [("Accept", "application/json")]).text)
    assert problem["status"] == 503 and '"accounts.old"' in problem["detail"], problem
