"""`martlet-panel` while a password is being hashed and something else happens: the password changes, or
the client goes away. What counts is the password at the moment of the answer.
"""

import time

import pytest

from client import Connection, form_request
from panel import NAME, PASSWORD, Panel, is_in
from program import USUAL_HASH_TIME

NEW = "another horse battery"


@pytest.fixture
def panel(tmp_path):
    panel = Panel(tmp_path / "data", *USUAL_HASH_TIME)
    assert panel.set_up().status == 302
    yield panel
    panel.stop()


def start(panel, target, form, jar=None):
    """A form on a connection of its own, whose answer is not waited for."""
    connection = Connection(panel.address, patience=60)
    fields = [("Cookie", jar.header(target))] if jar else []
    connection.send(form_request(target, form, fields, host="{}:{}".format(*panel.address)))
    return connection


def login(panel, password, name=NAME):
    return start(panel, "/login", {"username": name, "password": password})


def change(old, new):
    return {"current": old, "password": new, "password_again": new}


def lives(panel, answer):
    """Whether a login has come to a session that lives."""
    assert answer.status in (302, 422), answer.told
    visitor = panel.visitor()
    visitor.jar.store(answer, "/login")
    return is_in(visitor)


def hashing_time(panel):
    begin = time.monotonic()
    panel.logged_in()
    return time.monotonic() - begin


@pytest.mark.parametrize("delay", [0.0, 0.5, 1.2])
def test_no_login_with_the_old_password_outlives_its_change(panel, delay):
    """Four logins that begin before the change of the password, or at so many hashes after it has begun;
    a change takes two."""
    alone = hashing_time(panel)
    owner = panel.logged_in()
    early = [login(panel, PASSWORD)] if delay == 0.0 else []
    changing = start(panel, "/password", change(PASSWORD, NEW), owner.jar)
    time.sleep(delay * alone)
    logins = early + [login(panel, PASSWORD) for _ in range(4 - len(early))]
    changed = changing.response(within=60)
    assert changed.status == 303 and changed.location == "/", changed.told
    assert [lives(panel, each.response(within=60)) for each in logins] == 4 * [False]
    owner.jar.store(changed, "/password")
    assert "Password changed" in owner.get("/").text
    assert panel.log_in(panel.visitor(), password=NEW).status == 302


def test_a_login_with_the_new_password_that_begins_before_the_change_is_right(panel):
    owner = panel.logged_in()
    changing = start(panel, "/password", change(PASSWORD, NEW), owner.jar)
    early = login(panel, NEW)
    late = login(panel, NEW)
    assert changing.response(within=60).status == 303
    # They may be answered before the change.
    for each in (early, late):
        answer = each.response(within=60)
        assert lives(panel, answer) == (answer.status == 302)
    assert panel.log_in(panel.visitor(), password=NEW).status == 302


def test_of_two_changes_at_once_one_counts(panel):
    owner = panel.logged_in()
    changes = [start(panel, "/password", change(PASSWORD, f"{NEW} {number}"), owner.jar)
               for number in range(2)]
    answers = [each.response(within=60) for each in changes]
    assert sorted(answer.status for answer in answers) in ([302, 303], [303, 422]), answers
    number = [answer.status for answer in answers].index(303)
    assert panel.log_in(panel.visitor(), password=f"{NEW} {number}").status == 302
    assert panel.log_in(panel.visitor(), password=f"{NEW} {1 - number}").status == 422
    assert panel.log_in(panel.visitor()).status == 422


def test_of_two_set_ups_at_once_one_counts(tmp_path):
    panel = Panel(tmp_path / "fresh")
    forms = [{"code": panel.code(), "username": f"owner{number}", "password": f"{NEW} {number}",
              "password_again": f"{NEW} {number}"} for number in range(2)]
    answers = [each.response(within=60) for each in [start(panel, "/setup", form) for form in forms]]
    assert sorted(answer.status for answer in answers) == [302, 403], [a.told for a in answers]
    number = [answer.status for answer in answers].index(302)
    assert panel.log_in(panel.visitor(), f"owner{number}", f"{NEW} {number}").status == 302
    assert panel.log_in(panel.visitor(), f"owner{1 - number}", f"{NEW} {1 - number}").status == 422
    panel.stop()


def test_a_right_password_on_the_password_page_is_no_failure(panel):
    owner = panel.logged_in()
    for _ in range(12):
        # The current password is right, and the new one too short.
        response = owner.post("/password", change(PASSWORD, "short"))
        assert response.status == 422 and "too short" in response.text, response.told
    assert is_in(owner)
    assert panel.log_in(panel.visitor()).status == 302, "right passwords have counted as failures"
