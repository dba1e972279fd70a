"""`martlet-panel` before its set-up, under guesses at the code: whoever guesses is told to wait, and
whoever has the code sets the device up at any time.
"""

import math
import re
import time

import pytest

from client import Connection, form_request
from panel import NAME, PASSWORD, Panel, is_in

FREE = 10  # wrong codes from an address before it is told to wait


@pytest.fixture
def panel(tmp_path):
    panel = Panel(tmp_path / "data")
    yield panel
    panel.stop()


def address(number):
    return f"198.{18 + number // 65536}.{number // 256 % 256}.{number % 256}"


def form(code, name=NAME):
    return {"code": code, "username": name, "password": PASSWORD, "password_again": PASSWORD}


def send(panel, code, source=None):
    fields = [("X-Forwarded-For", source)] if source else []
    return panel.visitor().post("/setup", form(code), fields)


def guess(panel, count, addresses, first=0):
    """That many wrong codes on one connection, from so many addresses in turn."""
    with Connection(panel.address, patience=30) as connection:
        return guess_on(connection, panel, count, addresses, first)


def guess_on(connection, panel, count, addresses, first=0):
    statuses = []
    for number in range(first, first + count):
        code = "".join("23456789ABCDEFGHJKLMNPQRSTUVWXYZ"[number >> 5 * i & 31] for i in range(8))
        connection.send(form_request(
            "/setup", form(code, "mallory"),
            [("X-Forwarded-For", address(number % addresses))],
            host="{}:{}".format(*panel.address)))
        statuses.append(connection.response().status)
    # 403: somebody has set the device up meanwhile.
    assert set(statuses) <= {422, 429, 403}, set(statuses)
    return statuses


@pytest.mark.parametrize("addresses", [1, 10, 1000])
def test_a_thousand_wrong_codes_do_not_close_the_set_up(panel, addresses):
    start = time.monotonic()
    statuses = guess(panel, 1000, addresses)
    # One more code each time that a wait ends, and each wait is twice as long as the one before.
    most = addresses * (FREE + 2 + math.log2(1 + time.monotonic() - start))
    if addresses <= 10:
        assert statuses.count(422) <= most, "nobody is told to wait"
    assert panel.visitor().get("/setup").status == 200
    response = send(panel, panel.code(), address(0))
    assert response.status == 302, response.told


def test_a_restart_between_guesses_makes_a_new_code_and_changes_nothing_else(panel):
    old = panel.code()
    guess(panel, 500, 100)
    panel.restart()
    assert panel.code() != old
    guess(panel, 500, 100, first=500)
    assert send(panel, old).status in (422, 429)
    assert send(panel, panel.code()).status == 302


def test_the_wait_is_told_and_grows_and_the_right_code_does_not_wait(panel):
    source = address(7)
    for _ in range(FREE):
        response = send(panel, "AAAA-AAAA", source)
        assert response.status == 422 and "That is not the set-up code" in response.text, response.told
    for seconds in (1, 2):
        response = send(panel, "AAAA-AAAA", source)
        assert response.status == 429, response.told
        assert response.one("Retry-After") == str(seconds), response.told
        assert f"Try again in {seconds} second" in response.text, response.text
        time.sleep(seconds)
        assert send(panel, "AAAA-AAAA", source).status == 422
    assert send(panel, "AAAA-AAAA", source).status == 429
    visitor = panel.visitor()
    assert visitor.post("/setup", form(panel.code()), [("X-Forwarded-For", source)]).status == 302
    assert is_in(visitor)


def test_wrong_codes_do_not_end_the_owners_form_that_is_being_hashed(tmp_path):
    # A hash takes a fraction of a second. Where the guesses came late, another device is tried.
    for attempt in range(10):
        panel = Panel(tmp_path / str(attempt))
        owner, guesser = Connection(panel.address, patience=60), Connection(panel.address, patience=30)
        owner.send(form_request("/setup", form(panel.code()), host="{}:{}".format(*panel.address)))
        statuses = guess_on(guesser, panel, 50, 1)
        response = owner.response(within=60)
        assert response.status == 302, response.told
        owner.close()
        guesser.close()
        panel.stop()
        # Without the account the guesses were refused as guesses, and with it as a second set-up.
        if 422 in statuses:
            return
    raise AssertionError("no guess came while a password was being hashed")


def test_what_is_no_code_at_all_is_refused_in_words(panel):
    for code in ("", "A", "AAAA-AAAA-AAAA", "ÄÄÄÄ-ÄÄÄÄ", "\0" * 8, "x" * 500):
        response = send(panel, code)
        assert response.status == 422, response.told
        assert re.search(r"set-up code", response.text), response.text
    assert send(panel, panel.code().lower().replace("-", " ")).status == 302
