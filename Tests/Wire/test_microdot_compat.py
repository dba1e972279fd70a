"""`login-example` against Microdot's own login example, with the same secret.

Shown here: the same script of requests gets the same status, Location, Set-Cookie names in the same
order, and the same claims from both; a cookie that one of them made logs in at the other; tokens
that neither should take are never an error.

Compared are the claims that Microdot knows; `exp` may differ by five seconds. Every other
difference that the tests let pass stands in this table. A step that uses one says what each side
answers, and both are checked, so that an entry which is no longer true fails.
"""

import json
import time
from dataclasses import dataclass

import pytest

from client import Connection, Visitor, request
from tokens import (MICROPYTHON_HEADER, PYJWT_HEADER, SECRET, base64url, claims_of, micropython,
                    pyjwt, signature, token)

INTENDED = {
    "version":
        "HTTP/1.1 with keep-alive and text/html, where Microdot answers HTTP/1.0 and closes",
    "attributes":
        "`session` and `_remember` have Path=/, HttpOnly and SameSite=Lax: without Path a renewal "
        "makes a copy that logout does not reach; without HttpOnly scripts read a 30 day login",
    "extra claims":
        "claims of our own start with `_`, and are ones that PyJWT and Microdot pass over",
    "chosen days":
        "a renewal keeps the number of days that was chosen at login; Microdot writes `days`, "
        "reads `_days`, and falls back to 30",
    "percent first":
        "`%` is escaped before the other characters of `next`, so that a plus comes back as a plus",
    "next is for GET":
        "`next` names what GET answers; after a login, Microdot's `next=/logout` ends in 405",
    "no open redirect":
        "a `next` that a browser would take for another host, or with control octets, becomes `/`",
    "valid Location":
        "what may not stand in a URI is percent-encoded in Location",
    "once":
        "a cookie is set at most once per response; on logout a remember cookie is not renewed "
        "just to be deleted",
    "no dead renewals":
        "cookies of a user whom the loader does not know are not renewed; they may be cleared",
    "Allow":
        "405 has Allow, as RFC 9110 demands",
    "missing fields":
        "a login form without its fields is a failed login; Microdot answers 500",
    "failure keeps next":
        "a failed login goes back to the login page with its `next`; Microdot drops it",
    "first cookie":
        "of several cookies of a name the first valid one counts; Microdot takes the last",
    "purpose":
        "a session token is not a remember token, whatever members it has",
    "fresh is true":
        "only JSON true is fresh; Microdot takes every truthy value",
    "logout ends all":
        "a logout ends the members that the application has put into the session; Microdot keeps them",
    "deleted is empty":
        "the deleted `_remember` has no value; Microdot sends a signed token without a user",
    "not canonical":
        "one token has one spelling: padding and the other base64 alphabet are refused",
    "no error":
        "nothing that a client sends is answered 500",
}


# What is compared ---------------------------------------------------------------------------------

DELETED = "deleted"
SESSION_OWN = ("_user_id", "_fresh")


def known_claims(name, text):
    """The claims of a cookie's token without Martlet's own, remember days under one name."""
    claims = claims_of(text)
    for forbidden in ("aud", "nbf", "iat"):
        assert forbidden not in claims, f"{forbidden} in {claims}: PyJWT would refuse it"
    if name == "_remember" and "_days" in claims:
        assert claims.get("days",
                          claims["_days"]) == claims["_days"], f"two numbers of days: {claims}"
        claims["days"] = claims["_days"]
    return {key: value for key, value in claims.items()
            if not key.startswith("_") or (name == "session" and key in SESSION_OWN)}


@dataclass
class Seen:
    """What one server answered, as far as the two are compared."""

    status: int
    location: str
    cookies: list
    told: str

    @property
    def plain(self):
        """Without `exp`, for an exact comparison."""
        return (self.status, self.location,
                [(name, claims if claims == DELETED else without_exp(claims), age)
                 for name, claims, age in self.cookies])


def without_exp(claims):
    return {key: value for key, value in claims.items() if key != "exp"}


def seen(response):
    cookies = []
    for cookie in response.cookies:
        age = cookie.attributes.get("max-age")
        if cookie.is_deletion:
            cookies.append((cookie.name, DELETED, "0"))
        else:
            cookies.append((cookie.name, known_claims(cookie.name, cookie.value), age))
    return Seen(response.status, response.location, cookies, response.told)


def assert_same(name, martlet, microdot):
    both = f"step: {name}\nMartlet:\n{martlet.told}\nMicrodot:\n{microdot.told}"
    assert martlet.plain == microdot.plain, (
        f"{martlet.plain}\n is not Microdot's\n{microdot.plain}\n{both}")
    for (_, ours, _), (_, theirs, _) in zip(martlet.cookies, microdot.cookies, strict=True):
        if ours != DELETED and "exp" in theirs:
            assert abs(ours["exp"] - theirs["exp"]) <= 5, f"exp differs by more than 5 s\n{both}"


# The script ---------------------------------------------------------------------------------------

@dataclass
class Step:
    """One request that both servers get. `before` works on a visitor's cookies first.

    A `difference` names an entry of INTENDED; then `martlet` and `microdot` say what each answers:
    (status, Location, names of the cookies set).
    """

    name: str
    method: str
    target: str
    form: dict = None
    before: object = None
    difference: str = None
    martlet: tuple = None
    microdot: tuple = None
    says: str = None


def drop(*names):
    def forget(visitor):
        for name in names:
            visitor.jar.drop(name)
    return forget


def plant(make=pyjwt, **claims_by_name):
    def set_cookies(visitor):
        for name, claims in claims_by_name.items():
            visitor.jar.plant(name, make(claims))
    return set_cookies


def in_days(days):
    return int(time.time()) + days * 86400


SUSAN = {"username": "susan", "password": "hello"}
DAVID = {"username": "david", "password": "bye"}
REMEMBERED = {**SUSAN, "remember_me": "on"}

SCRIPTS = {
    "a login and a logout": [
        Step("a stranger is sent to log in", "GET", "/"),
        Step("with the page wanted in next", "GET", "/?foo=bar"),
        Step("several query fields are escaped", "GET", "/?a=1&b=2&c="),
        Step("the fresh page as well", "GET", "/fresh"),
        Step("the login page is open", "GET", "/login"),
        Step("a wrong password fails", "POST", "/login", {**SUSAN, "password": "bye"}),
        Step("so does an unknown user", "POST", "/login", {"username": "x", "password": "hello"}),
        Step("names are case-sensitive", "POST", "/login", {**SUSAN, "username": "Susan"}),
        Step("the right password logs in", "POST", "/login", SUSAN),
        Step("now the page is shown", "GET", "/", says="susan"),
        Step("the fresh page too", "GET", "/fresh", says="susan"),
        Step("HEAD is GET without a body", "HEAD", "/"),
        Step("logging in again takes the other user", "POST", "/login", DAVID),
        Step("who is greeted", "GET", "/", says="david"),
        Step("logout empties the session", "POST", "/logout"),
        Step("and is done", "GET", "/"),
        Step("twice is as good as once", "POST", "/logout", difference="next is for GET",
             martlet=(302, "/login", []), microdot=(302, "/login?next=/logout", [])),
    ],
    "a remembered login": [
        Step("login with remember me", "POST", "/login?next=/fresh", REMEMBERED),
        Step("a fresh login", "GET", "/fresh", says="susan"),
        Step("the browser is restarted: not fresh", "GET", "/fresh", before=drop("session")),
        Step("but remembered", "GET", "/", says="susan"),
        Step("still not fresh", "GET", "/fresh"),
        Step("nothing is renewed while the session lives", "GET", "/", says="susan"),
        Step("a new login", "POST", "/login?next=/fresh", SUSAN),
        Step("is fresh again", "GET", "/fresh", says="susan"),
        Step("logout deletes both cookies", "POST", "/logout"),
        Step("for good", "GET", "/"),
    ],
    "an empty remember_me is not a tick": [
        Step("login", "POST", "/login", {**SUSAN, "remember_me": ""}),
        Step("shown", "GET", "/", says="susan"),
    ],
    "logout with nothing but a remember cookie": [
        Step("login with remember me", "POST", "/login", REMEMBERED),
        Step("logout after a restart", "POST", "/logout", before=drop("session"),
             difference="once",
             martlet=(302, "/", ["session", "_remember"]),
             microdot=(302, "/", ["_remember", "session", "session", "_remember"])),
        Step("is a logout", "GET", "/"),
    ],
    "methods": [
        Step("HEAD of a protected page", "HEAD", "/"),
        Step("HEAD of the login page", "HEAD", "/login"),
        Step("OPTIONS asks for no login", "OPTIONS", "/"),
        Step("nor on the login page", "OPTIONS", "/login"),
        Step("nor on logout", "OPTIONS", "/logout"),
        Step("POST to a protected route", "POST", "/logout", difference="next is for GET",
             martlet=(302, "/login", []), microdot=(302, "/login?next=/logout", [])),
        Step("an unknown page", "GET", "/nowhere"),
        Step("an unknown page below a known one", "GET", "/login/more"),
        Step("names of pages are case-sensitive", "GET", "/LOGIN"),
        Step("a method that the page has not", "PUT", "/login", difference="Allow",
             martlet=(405, None, []), microdot=(405, None, [])),
        Step("logout by GET", "GET", "/logout", difference="Allow",
             martlet=(405, None, []), microdot=(405, None, [])),
        Step("POST to a page for GET", "POST", "/", difference="Allow",
             martlet=(405, None, []), microdot=(405, None, [])),
    ],
    "where a login leads": [
        Step("to next", "POST", "/login?next=/fresh", SUSAN),
        Step("with its query", "POST", "/login?next=/%3Ffoo%3Dbar%26x%3D1", SUSAN),
        Step("not to another site", "POST", "/login?next=http://evil.example/", SUSAN),
        Step("not to a relative place", "POST", "/login?next=fresh", SUSAN),
        Step("not to nowhere", "POST", "/login?next=", SUSAN),
        Step("the first next counts", "POST", "/login?next=/fresh&next=/", SUSAN),
        Step("among other fields", "POST", "/login?a=b&next=/fresh&c", SUSAN),
        Step("a next in the form does not count", "POST", "/login", {**SUSAN, "next": "/fresh"}),
        Step("a plus stays a plus", "POST", "/login?next=/%3Fq%3Da%2Bb", SUSAN),
        Step("a blank", "POST", "/login?next=/ok+blank", SUSAN, difference="valid Location",
             martlet=(302, "/ok%20blank", ["session"]), microdot=(302, "/ok blank", ["session"])),
        Step("two slashes", "POST", "/login?next=//evil.example", SUSAN,
             difference="no open redirect",
             martlet=(302, "/", ["session"]), microdot=(302, "//evil.example", ["session"])),
        Step("slash and backslash", "POST", "/login?next=/%5Cevil.example", SUSAN,
             difference="no open redirect",
             martlet=(302, "/", ["session"]), microdot=(302, "/\\evil.example", ["session"])),
        Step("a line break", "POST", "/login?next=/%0D%0AX:%20y", SUSAN,
             difference="no open redirect",
             martlet=(302, "/", ["session"]), microdot=(500, None, [])),
        Step("the way there with a plus", "GET", "/?q=a+b", before=drop("session"),
             difference="percent first",
             martlet=(302, "/login?next=/%3Fq%3Da%2Bb", []),
             microdot=(302, "/login?next=/%3Fq%3Da%252Bb", [])),
        Step("a failed login", "POST", "/login?next=/fresh", {**SUSAN, "password": "no"},
             difference="failure keeps next",
             martlet=(302, "/login?next=/fresh", []), microdot=(302, "/login", [])),
        Step("no user name", "POST", "/login", {"password": "hello"}, difference="missing fields",
             martlet=(302, "/login", []), microdot=(500, None, [])),
        Step("no password", "POST", "/login", {"username": "susan"}, difference="missing fields",
             martlet=(302, "/login", []), microdot=(500, None, [])),
        Step("no form", "POST", "/login", {}, difference="missing fields",
             martlet=(302, "/login", []), microdot=(500, None, [])),
    ],
    "members of the session that only the application knows": [
        Step("survive a login", "POST", "/login", SUSAN,
             before=plant(session={"lang": "de", "n": -12, "big": 9007199254740991, "yes": True,
                                   "none": None, "text": "a \"quoted\" \\ / ü € \t end",
                                   "list": [1, {"deep": ["x", {}]}, []], "ratio": 0.25})),
        Step("and are no hindrance", "GET", "/", says="susan"),
        Step("end at a logout", "POST", "/logout", difference="logout ends all",
             martlet=(302, "/", ["session"]), microdot=(302, "/", ["session"])),
        Step("which is one", "GET", "/"),
    ],
    "members in MicroPython's spelling": [
        Step("survive a login", "POST", "/login", DAVID,
             before=plant(micropython, session={"lang": "de", "text": "ü €", "list": [1,
                                                                                      {"a": 2}]})),
        Step("end at a logout", "POST", "/logout", difference="logout ends all",
             martlet=(302, "/", ["session"]), microdot=(302, "/", ["session"])),
    ],
    "sessions made by an application": [
        Step("without _fresh", "GET", "/", before=plant(session={"_user_id": "user001"}),
             says="susan"),
        Step("are not fresh", "GET", "/fresh"),
        Step("fresh, but of nobody", "GET", "/fresh", before=plant(session={"_fresh": True})),
        Step("not fresh", "GET", "/fresh",
             before=plant(session={"_user_id": "user001", "_fresh": False})),
        Step("with an exp to come", "GET", "/fresh",
             before=plant(session={"_user_id": "user001", "_fresh": True, "exp": in_days(1)}),
             says="susan"),
        Step("with an exp gone by", "GET", "/",
             before=plant(session={"_user_id": "user001", "_fresh": True, "exp": in_days(-1)})),
        Step("fresh by a word", "GET", "/fresh",
             before=plant(session={"_user_id": "user001", "_fresh": "no"}),
             difference="fresh is true",
             martlet=(302, "/login?next=/fresh", []), microdot=(200, None, [])),
    ],
    "remember cookies": [
        Step("of thirty days", "GET", "/",
             before=plant(_remember={"user_id": "user001", "days": 30, "exp": in_days(3)}),
             says="susan"),
        Step("that are over", "GET", "/", before=lambda visitor: (
            drop("session")(visitor),
            plant(_remember={"user_id": "user001", "days": 30, "exp": in_days(-1)})(visitor))),
        Step("of nobody, as after Microdot's logout", "GET", "/",
             before=plant(_remember={"user_id": None, "days": 0, "exp": in_days(1)})),
        Step("in the older spelling", "GET", "/",
             before=plant(_remember={"user_id": "user002", "_days": 7, "exp": in_days(2)}),
             says="david"),
        Step("with a fraction in exp", "GET", "/", before=lambda visitor: (
            drop("session")(visitor),
            plant(_remember={"user_id": "user002", "_days": 7,
                             "exp": in_days(2) + 0.91421})(visitor)), says="david"),
        Step("the session comes first", "GET", "/", before=plant(
            session={"_user_id": "user001", "_fresh": True},
            _remember={"user_id": "user002", "days": 30, "exp": in_days(2)}), says="susan"),
        Step("a broken session beside a good one", "GET", "/", before=lambda visitor: (
            visitor.jar.plant("session", "broken"),
            plant(_remember={"user_id": "user002", "_days": 30, "exp": in_days(2)})(visitor)),
            says="david"),
        Step("of seven days", "GET", "/", before=lambda visitor: (
            drop("session")(visitor),
            plant(_remember={"user_id": "user001", "days": 7, "exp": in_days(2)})(visitor)),
            difference="chosen days", says="susan",
            martlet=(200, None, ["_remember", "session"]),
            microdot=(200, None, ["_remember", "session"])),
        Step("a session of an application as one", "GET", "/", before=lambda visitor: (
            drop("session")(visitor),
            plant(_remember={"user_id": "user001"})(visitor)),
            difference="purpose",
            martlet=(302, "/login?next=/", []),
            microdot=(200, None, ["_remember", "session"])),
    ],
    "users who are gone": [
        Step("their session is nobody's", "GET", "/", difference="no dead renewals",
             before=plant(session={"_user_id": "user999", "_fresh": True}),
             martlet=(302, "/login?next=/", []), microdot=(302, "/login?next=/", [])),
        Step("their remember cookie too", "GET", "/", difference="no dead renewals",
             before=lambda visitor: (
                 drop("session")(visitor),
                 plant(_remember={"user_id": "user999", "days": 30, "exp": in_days(2)})(visitor)),
             martlet=(302, "/login?next=/", []),
             microdot=(302, "/login?next=/", ["_remember", "session"])),
        Step("and cannot log out", "POST", "/logout", difference="no dead renewals",
             before=lambda visitor: (
                 drop("session")(visitor),
                 plant(_remember={"user_id": "user999", "days": 30, "exp": in_days(2)})(visitor)),
             martlet=(302, "/login", []),
             microdot=(302, "/login?next=/logout", ["_remember", "session"])),
    ],
}


def perform(visitor, step):
    if step.before:
        step.before(visitor)
    if step.method == "POST":
        return visitor.post(step.target, step.form or {})
    return visitor.ask(step.method, step.target)


def cookies_set(view, step):
    """The names set; cookies that are cleared because their user is gone are left out."""
    clearing_is_fine = step.difference == "no dead renewals"
    return [name for name, claims, _ in view.cookies
            if not (clearing_is_fine and claims in (DELETED, {}))]


@pytest.mark.parametrize("script", SCRIPTS)
def test_both_answer_the_same_script_alike(script, login_example, microdot_example):
    ours, theirs = Visitor(login_example.address), Visitor(microdot_example.address)
    for step in SCRIPTS[script]:
        martlet, microdot = perform(ours, step), perform(theirs, step)
        our_view, their_view = seen(martlet), seen(microdot)
        both = f"step: {step.name}\nMartlet:\n{martlet.told}\nMicrodot:\n{microdot.told}"
        if step.difference:
            reason = INTENDED[step.difference]
            for who, view, expected in (("Martlet", our_view, step.martlet),
                                        ("Microdot", their_view, step.microdot)):
                answered = (view.status, view.location, cookies_set(view, step))
                assert answered == expected, (f"{who} answered {answered}, the table says "
                                              f"{expected} ({step.difference}: {reason})\n{both}")
        else:
            assert_same(step.name, our_view, their_view)
            if step.method == "OPTIONS":
                assert martlet.allowed | {"OPTIONS"} == microdot.allowed, both
        if step.says:
            for response in (martlet, microdot):
                assert response.status == 200 and step.says in response.text, both


# What is different on purpose ---------------------------------------------------------------------

def test_session_cookie_has_its_attributes_and_no_others(visitor):
    cookie = visitor.post("/login", SUSAN).cookie("session")
    assert cookie.attributes == {"path": "/", "httponly": "", "samesite": "Lax"}, cookie


def test_remember_cookie_has_its_attributes_and_thirty_days(visitor):
    before = time.time()
    cookie = visitor.post("/login", REMEMBERED).cookie("_remember")
    assert cookie.attributes == {"max-age": "2592000", "path": "/", "httponly": "",
                                 "samesite": "Lax"}, cookie
    claims = known_claims("_remember", cookie.value)
    assert claims["user_id"] == "user001" and claims["days"] == 30, claims
    assert abs(claims["exp"] - (before + 2592000)) <= 5, claims


def test_renewed_cookies_have_the_same_attributes(visitor):
    visitor.post("/login", REMEMBERED)
    visitor.jar.drop("session")
    response = visitor.get("/")
    assert [cookie.name for cookie in response.cookies] == ["_remember", "session"], response.told
    assert response.cookie("session").attributes == {
        "path": "/", "httponly": "", "samesite": "Lax"}, response.told
    assert response.cookie("_remember").attributes == {
        "max-age": "2592000", "path": "/", "httponly": "", "samesite": "Lax"}, response.told


@pytest.mark.parametrize("session_first", [True, False])
def test_logout_deletes_the_remember_cookie_with_an_empty_value(visitor, session_first):
    visitor.post("/login", REMEMBERED)
    if not session_first:
        visitor.jar.drop("session")
    response = visitor.post("/logout")
    deleted = response.cookie("_remember")
    assert deleted.value == "", response.told
    assert deleted.attributes["max-age"] == "0" and deleted.attributes["path"] == "/", response.told


@pytest.mark.parametrize("days", [1, 7, 30, 365])
@pytest.mark.parametrize("spelling", ["days", "_days"])
def test_renewal_keeps_the_days_that_were_chosen(visitor, days, spelling):
    visitor.jar.plant("_remember", pyjwt({"user_id": "user001", spelling: days,
                                          "exp": in_days(1)}))
    response = visitor.get("/")
    assert response.status == 200, response.told
    cookie = response.cookie("_remember")
    claims = known_claims("_remember", cookie.value)
    assert claims["days"] == days and cookie.attributes["max-age"] == str(days * 86400), (
        f"{claims}\n{response.told}")
    assert abs(claims["exp"] - (time.time() + days * 86400)) <= 5, claims


def test_renewal_of_a_renewal_keeps_them_as_well(visitor):
    visitor.jar.plant("_remember", pyjwt({"user_id": "user001", "days": 7, "exp": in_days(1)}))
    for _ in range(3):
        visitor.jar.drop("session")
        response = visitor.get("/")
        assert response.cookie("_remember").attributes["max-age"] == str(7 * 86400), response.told


def test_of_two_cookies_of_a_name_the_first_valid_one_counts(login_example, microdot_example):
    good, bad = pyjwt({"_user_id": "user001", "_fresh": True}), "broken"
    for first, second, martlet, microdot in ((good, bad, 200, 302), (bad, good, 200, 200)):
        for server, expected in ((login_example, martlet), (microdot_example, microdot)):
            answer = Visitor(server.address).get(
                "/", [("Cookie", f"session={first}; session={second}")])
            assert answer.status == expected, f"{server.label}\n{answer.told}"


def test_405_names_the_methods_that_the_page_has(login_example):
    visitor = Visitor(login_example.address)
    for method, target, allowed in (("PUT", "/login", {"GET", "HEAD", "POST"}),
                                    ("GET", "/logout", {"POST"}), ("POST", "/", {"GET", "HEAD"})):
        response = visitor.ask(method, target)
        assert response.status == 405 and allowed <= response.allowed, (
            f"expected 405 with {allowed} in Allow\n{response.told}")


@pytest.mark.parametrize("form", [
    {}, {"username": "susan"}, {"password": "hello"}, {"user": "susan", "pass": "hello"},
    {"username": "", "password": ""}, {"USERNAME": "susan", "PASSWORD": "hello"}], ids=str)
def test_login_form_without_its_fields_is_a_failed_login(visitor, form):
    response = visitor.post("/login", form)
    assert response.status == 302 and response.location == "/login", response.told
    assert not response.cookies, response.told


def test_answers_that_depend_on_the_session_are_not_stored(susan):
    for target in ("/", "/fresh"):
        response = susan.get(target)
        assert "no-store" in (response.one("Cache-Control") or ""), response.told
        assert "cookie" in (response.one("Vary") or "").lower(), response.told


def test_redirect_to_the_login_page_is_not_stored_either(visitor):
    response = visitor.get("/")
    assert response.status == 302 and "no-store" in (response.one("Cache-Control") or ""), (
        response.told)
    assert "cookie" in (response.one("Vary") or "").lower(), response.told


def test_answers_are_http_1_1_and_html(visitor):
    response = visitor.get("/login")
    assert response.version == "HTTP/1.1", response.told
    assert response.one("Content-Type").lower().replace(" ", "") == "text/html;charset=utf-8", (
        response.told)


def test_every_cookie_is_set_at_most_once_in_every_answer(visitor):
    answers = [visitor.post("/login", REMEMBERED), visitor.get("/"), visitor.post("/login", SUSAN)]
    visitor.jar.drop("session")
    answers += [visitor.post("/login", REMEMBERED), visitor.post("/logout")]
    for response in answers:
        names = [cookie.name for cookie in response.cookies]
        assert len(names) == len(set(names)), response.told


# Cookies of one at the other ----------------------------------------------------------------------

@pytest.mark.parametrize("form, who", [(SUSAN, "susan"), (DAVID, "david")], ids=["susan", "david"])
@pytest.mark.parametrize("direction", ["Microdot to Martlet", "Martlet to Microdot"])
class TestACookieOfOneLogsInAtTheOther:
    @pytest.fixture
    def pair(self, direction, login_example, microdot_example):
        pair = (Visitor(microdot_example.address), Visitor(login_example.address))
        return pair if direction == "Microdot to Martlet" else pair[::-1]

    def test_session(self, pair, form, who):
        maker, taker = pair
        maker.post("/login", form)
        taker.jar = maker.jar
        for target in ("/", "/fresh"):
            response = taker.get(target)
            assert response.status == 200 and who in response.text, response.told
            assert not response.cookies, response.told

    def test_remember_cookie(self, pair, form, who):
        maker, taker = pair
        maker.post("/login", {**form, "remember_me": "on"})
        taker.jar.plant("_remember", maker.jar.value("_remember"))
        response = taker.get("/fresh")
        assert response.status == 302 and not response.cookies, response.told
        response = taker.get("/")
        assert response.status == 200 and who in response.text, response.told
        assert [cookie.name for cookie in response.cookies] == ["_remember", "session"], (
            response.told)

    def test_renewed_cookies_on_the_way_back(self, pair, form, who):
        maker, taker = pair
        maker.post("/login", {**form, "remember_me": "on"})
        taker.jar.plant("_remember", maker.jar.value("_remember"))
        assert taker.get("/").status == 200
        for name in ("_remember", "session"):
            back = Visitor(maker.address, **{name: taker.jar.value(name)})
            response = back.get("/")
            assert response.status == 200 and who in response.text, response.told
        assert Visitor(maker.address,
                       session=taker.jar.value("session")).get("/fresh").status == 302

    def test_session_after_a_logout_is_nobodys(self, pair, form, who):
        maker, taker = pair
        maker.post("/login", {**form, "remember_me": "on"})
        maker.post("/logout")
        taker.jar = maker.jar
        response = taker.get("/")
        assert response.status == 302 and response.location == "/login?next=/", response.told

    def test_members_of_an_application_travel_along(self, pair, form, who, direction):
        maker, taker = pair
        maker.jar.plant("session", pyjwt({"lang": "de", "list": [1, {"a": None}]}))
        maker.post("/login", form)
        taker.jar = maker.jar
        left = known_claims("session", taker.post("/logout").cookie("session").value)
        # Microdot keeps them at a logout; Martlet ends them.
        ends = direction == "Microdot to Martlet"
        assert left == ({} if ends else {"lang": "de", "list": [1, {"a": None}]}), left


# Literal tokens of both libraries, of a user whom the example does not know -----------------------

VECTORS = {
    "PyJWT, fresh": "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
                    "eyJfdXNlcl9pZCI6InUxIiwiX2ZyZXNoIjp0cnVlfQ."
                    "6SqGLTYFuSPZxqI_PJF7IWcTMfUqNxrqCF1Psh3YTL0",
    "PyJWT, not fresh": "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
                        "eyJfdXNlcl9pZCI6InUxIiwiX2ZyZXNoIjpmYWxzZX0."
                        "8ketNkHG5IhLfn_hzWFaylSS2xCqPl3Qifg7-SXvV28",
    "PyJWT, empty": "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30."
                    "3XQlq1q6D_hW1LE2ae7YQUB0wKliNP6QqCNDH3iKwNk",
    "MicroPython, fresh": "eyJ0eXAiOiAiSldUIiwgImFsZyI6ICJIUzI1NiJ9."
                          "eyJfZnJlc2giOiB0cnVlLCAiX3VzZXJfaWQiOiAidTEifQ."
                          "JOErdofGj-Kj8vSWpmxMaZO3xw7uCSpnR6Z6bj8Xsg0",
    "MicroPython, empty": "eyJ0eXAiOiAiSldUIiwgImFsZyI6ICJIUzI1NiJ9.e30."
                          "mzgFbSqJLUtzHkxJXVtq2hJiPj4vYPRFYwuSw9mUe_k",
}


@pytest.mark.parametrize("vector", VECTORS)
@pytest.mark.parametrize("name", ["session", "_remember"])
def test_literal_token_of_an_unknown_user_is_not_logged_in(vector, name, login_example):
    claims_of(VECTORS[vector])  # It is signed with the secret that the example runs with.
    response = Visitor(login_example.address, **{name: VECTORS[vector]}).get("/")
    assert response.status == 302 and response.location == "/login?next=/", response.told


@pytest.mark.parametrize("make", [pyjwt, micropython])
@pytest.mark.parametrize("fresh", [True, False])
def test_the_same_token_of_a_known_user_is_logged_in(make, fresh, login_example):
    visitor = Visitor(login_example.address,
                      session=make({"_user_id": "user001", "_fresh": fresh}))
    response = visitor.get("/")
    assert response.status == 200 and "susan" in response.text, response.told
    assert visitor.get("/fresh").status == (200 if fresh else 302)


# Which tokens are taken ---------------------------------------------------------------------------

IN, OUT = "logged in", "not logged in"
EITHER = "either"  # Not decided by the contract; an answer in good order all the same.

NOW = int(time.time())
USER = b'"_user_id":"user001","_fresh":true'
GOOD = b"{" + USER + b"}"


def with_claims(text):
    return token(b"{" + USER + b"," + text + b"}")


def with_header(header):
    return token(GOOD, header)


def with_user(user):
    return token(b'{"_user_id":' + user + b',"_fresh":true}')


def unsigned(header):
    return f"{base64url(header)}.{base64url(GOOD)}."


def other_last_character(text):
    """The same octets, spelled with other unused bits in the last character."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return text[:-1] + alphabet[alphabet.index(text[-1]) ^ 1]


def signed_as_it_stands(header, payload):
    """A token whose parts are taken as they are, signed over just that spelling."""
    return f"{header}.{payload}.{base64url(signature(f'{header}.{payload}'))}"


def with_the_other_alphabet():
    """A good token whose signature has a `-` or a `_`, written with `+` and `/` instead."""
    for number in range(1000):
        text = with_claims(b'"n":%d' % number)
        head, _, mac = text.rpartition(".")
        if "-" in mac or "_" in mac:
            return head + "." + mac.replace("-", "+").replace("_", "/")
    raise AssertionError("a thousand signatures without - and _")


HEADER_PART, PAYLOAD_PART = base64url(PYJWT_HEADER), base64url(GOOD)
MAC = base64url(signature(f"{HEADER_PART}.{PAYLOAD_PART}"))
ODD_PAYLOAD_PART = base64url(GOOD + b" ")
assert len(GOOD + b" ") % 3 == 1 and len(PYJWT_HEADER) % 3 == 0, "the paddings below need this"

SESSION_TOKENS = {
    # The forms that both libraries write, and what RFC 7515 leaves open.
    "PyJWT's spelling": (with_header(PYJWT_HEADER), IN),
    "MicroPython's spelling": (micropython({"_user_id": "user001", "_fresh": True}), IN),
    "no typ": (with_header(b'{"alg":"HS256"}'), IN),
    "another typ": (with_header(b'{"alg":"HS256","typ":"jose"}'), IN),
    "a kid": (with_header(b'{"kid":"1","alg":"HS256"}'), IN),
    "a nested header member": (with_header(b'{"x":{"alg":"none","y":[1,2]},"alg":"HS256"}'), IN),
    "blanks in the header": (with_header(b' {\t"alg"\n:\r"HS256" } '), IN),
    "blanks in the claims": (token(b' {\t"_user_id"\n:\r"user001" , "_fresh" : true } '), IN),
    "an escaped user id": (with_user(b'"user\\u0030\\u0030\\u0031"'), IN),
    "members of every type": (with_claims(
        b'"a":null,"b":[],"c":{"d":[{}]},"e":-1.5e-3,"f":"\\u00fc\\ud83d\\ude00\\n","g":false'),
        IN),
    "raw UTF-8": (with_claims('"a":"ü€😀"'.encode()), IN),
    "a member named as ours, but deeper": (with_claims(b'"x":{"_user_id":"user002"}'), IN),

    # The algorithm.
    "alg none, no signature": (unsigned(b'{"alg":"none"}'), OUT),
    "alg none, signed": (with_header(b'{"alg":"none","typ":"JWT"}'), OUT),
    "alg None": (with_header(b'{"alg":"None"}'), OUT),
    "alg hs256": (with_header(b'{"alg":"hs256"}'), OUT),
    "alg HS256 and a blank": (with_header(b'{"alg":"HS256 "}'), OUT),
    "alg HS512": (token(GOOD, b'{"alg":"HS512"}', SECRET, "sha512"), OUT),
    "alg HS384": (token(GOOD, b'{"alg":"HS384"}', SECRET, "sha384"), OUT),
    "alg HS512, signed as HS256": (with_header(b'{"alg":"HS512"}'), OUT),
    "HS256, signed as HS512": (token(GOOD, PYJWT_HEADER, SECRET, "sha512"), OUT),
    "alg RS256": (with_header(b'{"alg":"RS256"}'), OUT),
    "alg in a list": (with_header(b'{"alg":["HS256"]}'), OUT),
    "alg null": (with_header(b'{"alg":null}'), OUT),
    "alg true": (with_header(b'{"alg":true}'), OUT),
    "no alg": (with_header(b'{"typ":"JWT"}'), OUT),
    "no alg, not signed": (unsigned(b"{}"), OUT),
    "ALG": (with_header(b'{"ALG":"HS256"}'), OUT),
    "alg twice, the last one none": (with_header(b'{"alg":"HS256","alg":"none"}'), OUT),
    "crit": (with_header(b'{"alg":"HS256","crit":["exp"],"exp":1}'), OUT),
    "an empty crit": (with_header(b'{"alg":"HS256","crit":[]}'), OUT),
    "crit null": (with_header(b'{"alg":"HS256","crit":null}'), OUT),
    "a header that is a list": (with_header(b'["HS256"]'), OUT),
    "a header that is a string": (with_header(b'"HS256"'), OUT),
    "a header that is a number": (with_header(b"1"), OUT),
    "a header that is null": (with_header(b"null"), OUT),
    "an empty header": (with_header(b""), OUT),
    "a header that is no JSON": (with_header(b"{alg:HS256}"), OUT),
    "something after the header": (with_header(PYJWT_HEADER + b"x"), OUT),

    # The signature.
    "wrong key": (token(GOOD, key="top-secret"), OUT),
    "empty key": (token(GOOD, key=""), OUT),
    "no signature": (f"{HEADER_PART}.{PAYLOAD_PART}.", OUT),
    "half a signature": (f"{HEADER_PART}.{PAYLOAD_PART}.{MAC[:22]}", OUT),
    "one octet of a signature": (f"{HEADER_PART}.{PAYLOAD_PART}.{MAC[:2]}", OUT),
    "a signature and more": (f"{HEADER_PART}.{PAYLOAD_PART}.{MAC}AAAA", OUT),
    "a signature of zeros": (f"{HEADER_PART}.{PAYLOAD_PART}.{'A' * 43}", OUT),
    "a signature in hexadecimal": (
        f"{HEADER_PART}.{PAYLOAD_PART}.{signature(f'{HEADER_PART}.{PAYLOAD_PART}').hex()}", OUT),
    "another payload's signature": (f"{HEADER_PART}.{base64url(b'{}')}.{MAC}", OUT),

    # The shape.
    "empty": ("", OUT),
    "one part": (HEADER_PART, OUT),
    "two parts": (f"{HEADER_PART}.{PAYLOAD_PART}", OUT),
    "four parts": (f"{HEADER_PART}.{PAYLOAD_PART}.{MAC}.{MAC}", OUT),
    "a dot at the end": (f"{HEADER_PART}.{PAYLOAD_PART}.{MAC}.", OUT),
    "a dot at the front": (f".{HEADER_PART}.{PAYLOAD_PART}.{MAC}", OUT),
    "five parts": (f"{HEADER_PART}....{MAC}", OUT),
    "only dots": ("..", OUT),
    "letters": ("a.b.c", OUT),
    "a thousand dots": ("." * 900, OUT),
    "a quoted token": (f'"{with_header(PYJWT_HEADER)}"', OUT),

    # The spelling.
    "padding on the signature": (f"{HEADER_PART}.{PAYLOAD_PART}.{MAC}=", OUT),
    "an odd length": (signed_as_it_stands(HEADER_PART, ODD_PAYLOAD_PART), IN),
    "padding on the payload": (signed_as_it_stands(HEADER_PART, ODD_PAYLOAD_PART + "=="), OUT),
    "padding on the header": (signed_as_it_stands(HEADER_PART + "====", PAYLOAD_PART), OUT),
    "the other alphabet": (with_the_other_alphabet(), OUT),
    "unused bits in the signature": (
        f"{HEADER_PART}.{PAYLOAD_PART}.{other_last_character(MAC)}", OUT),
    "unused bits in the payload": (signed_as_it_stands(
        HEADER_PART, other_last_character(ODD_PAYLOAD_PART)), OUT),
    "one character too many": (signed_as_it_stands(HEADER_PART + "A", PAYLOAD_PART), OUT),
    "a blank in the signature": (f"{HEADER_PART}.{PAYLOAD_PART}.{MAC[:9]} {MAC[9:]}", OUT),
    "a tilde in the signature": (f"{HEADER_PART}.{PAYLOAD_PART}.{MAC[:9]}~{MAC[9:]}", OUT),

    # The claims as JSON.
    "claims in a list": (token(b'["_user_id","user001"]'), OUT),
    "claims in a string": (token(b'"user001"'), OUT),
    "claims that are a number": (token(b"1"), OUT),
    "claims that are null": (token(b"null"), OUT),
    "no claims": (token(b""), OUT),
    "only blanks": (token(b"  "), OUT),
    "an empty object": (token(b"{}"), OUT),
    "an open object": (token(GOOD[:-1]), OUT),
    "two objects": (token(GOOD + GOOD), OUT),
    "a comma too many": (token(b"{" + USER + b",}"), OUT),
    "a comma missing": (token(b'{"_user_id":"user001""_fresh":true}'), OUT),
    "single quotes": (token(b"{'_user_id':'user001'}"), OUT),
    "a comment": (token(b'{"_user_id":"user001"/**/}'), OUT),
    "a byte order mark": (token(b"\xef\xbb\xbf" + GOOD), OUT),
    "NaN": (with_claims(b'"x":NaN'), OUT),
    "a leading zero": (with_claims(b'"x":01'), OUT),
    "a plus sign": (with_claims(b'"x":+1'), OUT),
    "a bare point": (with_claims(b'"x":1.'), OUT),
    "True": (with_claims(b'"x":True'), OUT),
    "an open string": (token(b'{"_user_id":"user001","x":"'), OUT),
    "a bad escape": (with_claims(b'"x":"\\x41"'), OUT),
    "half an escape": (with_claims(b'"x":"\\u12"'), OUT),
    "a control octet": (with_claims(b'"x":"a\nb"'), OUT),
    "invalid UTF-8": (with_claims(b'"x":"\xff"'), OUT),
    "overlong UTF-8": (with_claims(b'"x":"\xc0\xaf"'), OUT),
    "half a surrogate pair": (with_claims(b'"x":"\\ud83d"'), EITHER),
    "a mismatched bracket": (with_claims(b'"x":[}'), OUT),
    "nested a hundred deep": (with_claims(b'"x":' + b"[" * 100 + b"]" * 100), EITHER),
    "nested and left open": (token(b"[" * 600), OUT),
    "nested objects left open": (token(b'{"a":' * 110), OUT),

    # Who it is.
    "an unknown user": (with_user(b'"user999"'), OUT),
    "a user in capitals": (with_user(b'"USER001"'), OUT),
    "a user and a blank": (with_user(b'"user001 "'), OUT),
    "a user and NUL": (with_user(b'"user001\\u0000"'), OUT),
    "half a user": (with_user(b'"user00"'), OUT),
    "an empty user": (with_user(b'""'), OUT),
    "an integer": (with_user(b"1"), OUT),
    "zero": (with_user(b"0"), OUT),
    "a huge integer": (with_user(b"9" * 40), OUT),
    "a fraction": (with_user(b"1.5"), OUT),
    "true": (with_user(b"true"), OUT),
    "false": (with_user(b"false"), OUT),
    "null": (with_user(b"null"), OUT),
    "a list": (with_user(b'["user001"]'), OUT),
    "an object": (with_user(b'{"id":"user001"}'), OUT),
    "user_id in place of _user_id": (token(b'{"user_id":"user001","_fresh":true}'), OUT),
    "_USER_ID": (token(b'{"_USER_ID":"user001"}'), OUT),
    "twice, the last one known": (token(b'{"_user_id":"user999","_user_id":"user001"}'), IN),
    "twice, the last one unknown": (token(b'{"_user_id":"user001","_user_id":"user999"}'), OUT),

    # When.
    "exp to come": (with_claims(b'"exp":%d' % (NOW + 600)), IN),
    "exp to come, as a fraction": (with_claims(b'"exp":%d.25' % (NOW + 600)), IN),
    "exp to come, as an exponent": (with_claims(b'"exp":4e9'), IN),
    "exp to come, fraction and exponent": (with_claims(b'"exp":0.4E+10'), IN),
    "exp to come, negative exponent": (with_claims(b'"exp":40000000000000e-4'), IN),
    "exp gone by": (with_claims(b'"exp":%d' % (NOW - 60)), OUT),
    "exp gone by, as a fraction": (with_claims(b'"exp":%d.75' % (NOW - 60)), OUT),
    "exp gone by, as an exponent": (with_claims(b'"exp":1e9'), OUT),
    "exp gone by, negative exponent": (with_claims(b'"exp":40000000000000e-9'), OUT),
    "exp 0": (with_claims(b'"exp":0'), OUT),
    "exp -0": (with_claims(b'"exp":-0'), OUT),
    "exp -1": (with_claims(b'"exp":-1'), OUT),
    "exp far below zero": (with_claims(b'"exp":-1e300'), OUT),
    "exp almost zero": (with_claims(b'"exp":1e-300'), OUT),
    "exp far in the future": (with_claims(b'"exp":99999999999'), IN),
    "exp beyond 64 bits": (with_claims(b'"exp":99999999999999999999'), EITHER),
    "exp 1e300": (with_claims(b'"exp":1e300'), EITHER),
    "exp beyond every number": (with_claims(b'"exp":1e99999'), EITHER),
    "exp as a string": (with_claims(b'"exp":"%d"' % (NOW + 600)), OUT),
    "exp as a word": (with_claims(b'"exp":"never"'), OUT),
    "exp null": (with_claims(b'"exp":null'), OUT),
    "exp true": (with_claims(b'"exp":true'), OUT),
    "exp in a list": (with_claims(b'"exp":[%d]' % (NOW + 600)), OUT),
    "exp in an object": (with_claims(b'"exp":{}'), OUT),
    "exp twice, the last one gone by": (
        with_claims(b'"exp":%d,"exp":%d' % (NOW + 600, NOW - 600)), OUT),
    "exp twice, the last one to come": (
        with_claims(b'"exp":%d,"exp":%d' % (NOW - 600, NOW + 600)), IN),
    "EXP gone by": (with_claims(b'"EXP":1'), IN),
    "nbf gone by": (with_claims(b'"nbf":%d' % (NOW - 60)), IN),
    "nbf gone by, as a fraction": (with_claims(b'"nbf":%d.5' % (NOW - 60)), IN),
    "nbf to come": (with_claims(b'"nbf":%d' % (NOW + 600)), OUT),
    "nbf to come, as an exponent": (with_claims(b'"nbf":4e9'), OUT),
    "nbf to come, beyond 64 bits": (with_claims(b'"nbf":99999999999999999999'), OUT),
    "nbf as a string": (with_claims(b'"nbf":"%d"' % (NOW - 60)), OUT),
    "nbf null": (with_claims(b'"nbf":null'), OUT),
    "iat gone by": (with_claims(b'"iat":%d' % (NOW - 60)), IN),
    "iat to come": (with_claims(b'"iat":%d' % (NOW + 600)), IN),
    "iat as a string": (with_claims(b'"iat":"%d"' % (NOW - 60)), OUT),

    # For whom and for what: Microdot's two runtimes disagree, RFC 7519 §4.1 decides. `iat` only
    # informs; the others have their types, and `aud` names somebody that this is not.
    "aud": (with_claims(b'"aud":"somebody else"'), OUT),
    "aud in a list": (with_claims(b'"aud":["somebody else"]'), OUT),
    "sub": (with_claims(b'"sub":"somebody"'), IN),
    "sub that is a number": (with_claims(b'"sub":1'), OUT),
    "iss": (with_claims(b'"iss":"somebody"'), IN),
    "iss that is a number": (with_claims(b'"iss":1'), OUT),
    "jti": (with_claims(b'"jti":"1"'), IN),
    "jti that is a number": (with_claims(b'"jti":1'), OUT),
    "a remember token": (pyjwt({"user_id": "user001", "days": 30, "exp": NOW + 600}), OUT),

    # How much.
    "four hundred octets more": (with_claims(b'"x":"' + b"a" * 400 + b'"'), EITHER),
    "sixty members": (with_claims(b",".join(b'"m%d":0' % n for n in range(60))), EITHER),
    "two thousand octets more": (with_claims(b'"x":"' + b"a" * 2000 + b'"'), EITHER),
    "a kilobyte of header": (with_header(b'{"alg":"HS256","x":"' + b"a" * 1000 + b'"}'), EITHER),
}

REMEMBER = b'"user_id":"user001","days":30,"exp":%d' % (NOW + 86400)


def remember(user=b'"user001"', days=b"30", exp=b"%d" % (NOW + 86400)):
    return token(b'{"user_id":' + user + b',"days":' + days + b',"exp":' + exp + b"}")


REMEMBER_TOKENS = {
    "PyJWT's spelling": (remember(), IN),
    "MicroPython's spelling": (micropython(
        {"user_id": "user001", "days": 30, "exp": NOW + 86400}), IN),
    "a fraction in exp, as CPython writes it": (remember(exp=b"%d.9142106" % (NOW + 86400)), IN),
    "an exponent in exp": (remember(exp=b"4e9"), IN),
    "other members beside": (token(b"{" + REMEMBER + b',"x":[1,{"y":null}]}'), IN),
    "exp gone by": (remember(exp=b"%d" % (NOW - 60)), OUT),
    "exp as a string": (remember(exp=b'"%d"' % (NOW + 86400)), OUT),
    "exp null": (remember(exp=b"null"), OUT),
    "no exp": (token(b'{"user_id":"user001","days":30}'), OUT),
    "only a user": (token(b'{"user_id":"user001"}'), OUT),
    "wrong key": (token(b"{" + REMEMBER + b"}", key="other"), OUT),
    "alg none": (token(b"{" + REMEMBER + b"}", b'{"alg":"none"}'), OUT),
    "crit": (token(b"{" + REMEMBER + b"}", b'{"alg":"HS256","crit":["x"]}'), OUT),
    "an unknown user": (remember(b'"user999"'), OUT),
    "no user, as after Microdot's logout": (remember(b"null", b"0"), OUT),
    "true": (remember(b"true"), OUT),
    "an integer": (remember(b"1"), OUT),
    "a list": (remember(b'["user001"]'), OUT),
    "a user and NUL": (remember(b'"user001\\u0000"'), OUT),
    "user twice, the last one known": (token(b'{"user_id":"user999",' + REMEMBER + b"}"), IN),
    "a session token": (pyjwt({"_user_id": "user001", "_fresh": True}), OUT),
    "a session token with exp": (pyjwt(
        {"_user_id": "user001", "_fresh": True, "exp": NOW + 600}), OUT),
    "a session with a user_id of the application": (pyjwt(
        {"user_id": "user001", "_fresh": True}), OUT),
    "garbage": ("garbage", OUT),
    "empty": ("", OUT),
    "no days": (token(b'{"user_id":"user001","exp":%d}' % (NOW + 86400)), EITHER),
    "no days left": (remember(days=b"0"), EITHER),
    "days below zero": (remember(days=b"-1"), EITHER),
    "days as a string": (remember(days=b'"30"'), EITHER),
    "days null": (remember(days=b"null"), EITHER),
    "days true": (remember(days=b"true"), EITHER),
    "half a day": (remember(days=b"0.5"), EITHER),
    "days as an exponent": (remember(days=b"1e1"), EITHER),
    "a million days": (remember(days=b"1000000"), EITHER),
    "days beyond 32 bits of seconds": (remember(days=b"50000"), EITHER),
    "days that overflow seconds": (remember(days=b"9223372036854775807"), EITHER),
    "days that overflow downwards": (remember(days=b"-9223372036854775808"), EITHER),
    "days beyond 64 bits": (remember(days=b"9" * 30), EITHER),
    "days beyond every number": (remember(days=b"1e999"), EITHER),
}


def assert_taken(address, name, text, expected):
    """Asks for the page with the cookie, on a connection that goes on; returns whether it is in."""
    if len(text) > 900 and expected == EITHER:
        expected = "either or too large"
    with Connection(address) as connection:
        connection.send(request("GET", "/", [("Cookie", f"{name}={text}")]))
        response = connection.response()
        if response.status == 431 and expected == "either or too large":
            return False
        assert response.status in (200, 302), f"expected {expected}\n{response.told}"
        entered = response.status == 200
        if entered:
            assert "susan" in response.text, response.told
        else:
            assert response.location == "/login?next=/", response.told
        if expected in (IN, OUT):
            assert entered == (expected == IN), f"expected {expected}\n{response.told}"
        return entered


@pytest.mark.parametrize("case", SESSION_TOKENS)
def test_session_token_with(case, login_example):
    text, expected = SESSION_TOKENS[case]
    assert_taken(login_example.address, "session", text, expected)


@pytest.mark.parametrize("case", REMEMBER_TOKENS)
def test_remember_token_with(case, login_example):
    text, expected = REMEMBER_TOKENS[case]
    entered = assert_taken(login_example.address, "_remember", text, expected)
    if entered:
        response = Visitor(login_example.address, _remember=text).get("/")
        for cookie in response.cookies:
            claims_of(cookie.value)  # What is renewed is a good token again.


@pytest.mark.parametrize("case", [name for name, (_, expected) in SESSION_TOKENS.items()
                                  if expected == OUT])
def test_nobody_is_kept_from_logging_in_by_a_session_with(case, login_example):
    visitor = Visitor(login_example.address, session=SESSION_TOKENS[case][0])
    response = visitor.post("/login", SUSAN)
    assert response.status == 302 and response.location == "/", response.told
    assert known_claims("session", response.cookie("session").value)["_user_id"] == "user001"
    response = visitor.get("/fresh")
    assert response.status == 200, response.told


@pytest.mark.parametrize("fresh", [b"1", b'"true"', b'"no"', b"[1]", b"{}", b"null", b"false",
                                   b"0"])
def test_fresh_is_nothing_but_json_true(fresh, login_example):
    visitor = Visitor(login_example.address,
                      session=token(b'{"_user_id":"user001","_fresh":' + fresh + b"}"))
    assert visitor.get("/").status == 200
    response = visitor.get("/fresh")
    assert response.status == 302 and response.location == "/login?next=/fresh", response.told


@pytest.mark.parametrize("more", [b"", b',"_fresh":true', b',"_fresh":true,"_user_id":"user001"'])
def test_remember_token_never_gives_a_fresh_login(more, login_example):
    text = token(b"{" + REMEMBER + more + b"}")
    visitor = Visitor(login_example.address, _remember=text)
    response = visitor.get("/fresh")
    assert response.status == 302 and not response.cookies, response.told
    response = visitor.get("/")
    if response.status == 200:
        claims = known_claims("session", response.cookie("session").value)
        assert claims["_fresh"] is False, claims
    assert visitor.get("/fresh").status == 302


def test_cookies_made_here_are_not_interchangeable(visitor, login_example):
    visitor.post("/login", REMEMBERED)
    session, remembered = visitor.jar.value("session"), visitor.jar.value("_remember")
    for name, text in (("session", remembered), ("_remember", session)):
        for target in ("/", "/fresh"):
            response = Visitor(login_example.address, **{name: text}).get(target)
            assert response.status == 302, f"{name} with the other token\n{response.told}"


def test_tokens_with_any_bit_of_the_signature_changed_are_refused(login_example):
    mac = signature(f"{HEADER_PART}.{PAYLOAD_PART}")
    with Connection(login_example.address) as connection:
        for bit in range(256):
            changed = bytearray(mac)
            changed[bit // 8] ^= 1 << bit % 8
            text = f"{HEADER_PART}.{PAYLOAD_PART}.{base64url(changed)}"
            connection.send(request("GET", "/", [("Cookie", f"session={text}")]))
            response = connection.response()
            assert response.status == 302, f"bit {bit} of the signature\n{response.told}"


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
def test_literal_vectors_verify_under_pyjwt_too():
    """The tokens above are what PyJWT takes, so that they prove something."""
    jwt = pytest.importorskip("jwt")
    for text in (VECTORS["PyJWT, fresh"], VECTORS["MicroPython, fresh"]):
        claims = jwt.decode(text, SECRET, algorithms=["HS256"])
        assert claims == {"_user_id": "u1", "_fresh": True}, claims
    assert json.loads(MICROPYTHON_HEADER) == json.loads(PYJWT_HEADER)
