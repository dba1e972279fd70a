"""Cookies that a browser has from before the panel had TLS: a session and "remember me" go on by https, under the name
of today, and such cookies let nobody change anything."""

import http.client
import re
import ssl
from urllib.parse import urlencode

import pytest

from panel import NAME, PASSWORD, Panel

NEW = re.compile(r"^(__Host-martlet-\d+(?:-remember)?)=([^;]*);.*; Secure")


@pytest.fixture
def panel(tmp_path):
    panel = Panel(tmp_path / "data")
    assert panel.set_up().status == 302
    yield panel
    panel.stop()


def ask(panel, method, path, cookies, form=None):
    """The answer by https, and the cookies that it sets."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    connection = http.client.HTTPSConnection(*panel.address, timeout=20, context=context)
    fields = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
    if form is not None:
        fields["Content-Type"] = "application/x-www-form-urlencoded"
    connection.request(method, path, urlencode(form) if form is not None else None, fields)
    answer = connection.getresponse()
    answer.text = answer.read().decode()
    found = [NEW.match(line) for line in answer.headers.get_all("Set-Cookie") or []]
    connection.close()
    assert all(found), answer.headers.get_all("Set-Cookie")
    return answer, {match[1]: match[2] for match in found}


def is_in(answer):
    return answer.status == 200 and NAME in answer.text


def names(panel):
    return f"__Host-martlet-{panel.port}", f"__Host-martlet-{panel.port}-remember"


def older(panel, remember=False):
    """The cookies of a login by http, as the browser has them."""
    connection = http.client.HTTPConnection(*panel.address, timeout=20)
    form = {"username": NAME, "password": PASSWORD, **({"remember_me": "on"} if remember else {})}
    connection.request("POST", "/login", urlencode(form), {"Content-Type": "application/x-www-form-urlencoded"})
    answer = connection.getresponse()
    answer.read()
    cookies = dict(line.split(";")[0].split("=", 1) for line in answer.headers.get_all("Set-Cookie"))
    connection.close()
    assert set(cookies) == {name.removeprefix("__Host-") for name in names(panel)[:1 + remember]}
    return cookies


def test_a_session_goes_on(panel):
    before = older(panel)
    answer, cookies = ask(panel, "GET", "/", before)
    assert is_in(answer)
    assert cookies == {names(panel)[0]: before[f"martlet-{panel.port}"]}
    # From now on the browser sends both, and nothing is written again.
    answer, written = ask(panel, "GET", "/", {**before, **cookies})
    assert is_in(answer) and not written


def test_it_changes_nothing(panel):
    before = older(panel)
    answer, cookies = ask(panel, "POST", "/alerts", before, {})
    assert answer.status == 302 and answer.headers["Location"].startswith("/login") and not cookies


def test_a_logout_ends_it(panel):
    before = older(panel)
    _, cookies = ask(panel, "GET", "/", before)
    answer, _ = ask(panel, "POST", "/logout", {**before, **cookies}, {})
    assert answer.status == 302
    assert not is_in(ask(panel, "GET", "/", before)[0])
    assert not is_in(ask(panel, "GET", "/", {**before, **cookies})[0])


def test_a_session_that_has_ended_does_not_fall_back(panel):
    ended = ask(panel, "GET", "/", older(panel))[1]
    assert ask(panel, "POST", "/logout", ended, {})[0].status == 302
    assert not is_in(ask(panel, "GET", "/", {**ended, **older(panel)})[0])


def test_a_remembered_login_goes_on(panel):
    remembered = older(panel, remember=True)
    del remembered[f"martlet-{panel.port}"]
    answer, cookies = ask(panel, "GET", "/", remembered)
    assert is_in(answer) and set(cookies) == set(names(panel))
    assert is_in(ask(panel, "GET", "/", cookies)[0])
