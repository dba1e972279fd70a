"""Sessions of `martlet-panel`: what ends them, and what does not.

Shown here: the session unused for longest makes room; what is only used writes nothing, and a login
does not touch the accounts; a lost list of sessions costs logins and nothing else.
"""

import hashlib
import json
import os
import time

import pytest

from panel import NAME, PASSWORD, Panel, is_in
from tokens import from_base64url

COUNT = 8  # sessions of an account
DAY = 86400


def signed(lines):
    """A file of the panel's from its lines."""
    return lines + f"sha256 {hashlib.sha256(lines).hexdigest()}\n".encode()


def unsigned(text):
    """The lines of a file of the panel's without the last."""
    return b"".join(text.splitlines(keepends=True)[:-1])


def hashed(password=PASSWORD, count=5000):
    """A hash that costs some milliseconds."""
    salt = bytes(range(16))
    key = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, count)
    return f"pbkdf2-hmac-sha256:{salt.hex()}:{count}:{key.hex()}".encode()


@pytest.fixture(scope="module")
def quick_accounts():
    return signed(b"martlet-accounts 2\n" + NAME.encode() + b":7:" + hashed() + b"\n")


@pytest.fixture
def panel(tmp_path, quick_accounts):
    """A panel that is set up, whose logins are quick."""
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    write(data / "accounts", quick_accounts)
    panel = Panel(data)
    yield panel
    if panel.program.is_running:
        panel.stop()


def write(path, octets):
    path.write_bytes(octets)
    path.chmod(0o600)


def payload(visitor):
    """The claims of the session cookie."""
    return json.loads(from_base64url(visitor.jar.value("session").split(".")[1]))


def facts_of(panel):
    """What tells whether a file was written: inode, time and content of each."""
    return {path.name: (os.stat(path).st_ino, os.stat(path).st_mtime_ns, path.read_bytes())
            for path in panel.files()}


# Room ---------------------------------------------------------------------------------------------

@pytest.mark.parametrize("unused", [0, 3, 7])
def test_ninth_login_ends_the_session_unused_for_longest(panel, unused):
    visitors = [panel.logged_in() for _ in range(COUNT)]
    time.sleep(1.1)  # The list knows seconds.
    for number, visitor in enumerate(visitors):
        if number != unused:
            assert is_in(visitor)
    time.sleep(1.1)
    ninth = panel.logged_in()
    states = [is_in(visitor) for visitor in visitors]
    assert states == [number != unused for number in range(COUNT)]
    assert is_in(ninth)


def test_script_that_logs_in_at_each_poll_puts_nobody_out(panel):
    person = panel.logged_in()
    for _ in range(3 * COUNT):
        time.sleep(0.4)
        assert is_in(person)
        panel.logged_in()
    assert is_in(person)


def test_login_again_goes_on_with_the_same_session(panel):
    person, script = panel.logged_in(), panel.logged_in()
    for _ in range(2 * COUNT):
        panel.log_in(script)
        assert is_in(script)
    assert is_in(person)


# Files --------------------------------------------------------------------------------------------

def test_session_that_is_only_used_writes_nothing(panel):
    visitor = panel.logged_in()
    before = facts_of(panel)
    for _ in range(20):
        assert is_in(visitor)
        visitor.get("/metrics")
    assert facts_of(panel) == before


def test_login_and_logout_leave_the_accounts_alone(panel):
    # The first login hashes the password for this machine.
    panel.logged_in()
    before = facts_of(panel)["accounts"]
    for _ in range(COUNT + 2):
        visitor = panel.logged_in()
    visitor.post("/logout")
    assert facts_of(panel)["accounts"] == before


def test_session_numbers_have_53_bits_and_are_exact_in_json(panel):
    numbers = [payload(panel.logged_in())["_session"] for _ in range(COUNT)]
    assert len(set(numbers)) == COUNT
    assert all(0 < number < 2**53 for number in numbers), numbers
    assert max(numbers) > 2**45, f"{numbers}: 53 bits, or a chance of 2^-64"


@pytest.mark.parametrize("damage", ["emptied", "zeros", "cut off", "a digit changed", "garbage",
                                    "a folder", "gone"])
def test_lost_sessions_cost_a_login_and_nothing_else(panel, damage):
    visitor = panel.logged_in()
    panel.stop()
    path = panel.data / "sessions"
    good = path.read_bytes()
    bad = {"emptied": b"", "zeros": bytes(len(good)), "cut off": good[:-20],
           "a digit changed": good.replace(b" ", b" 1", 1), "garbage": bytes(range(256)) * 60}
    path.unlink()
    if damage == "a folder":
        path.mkdir()
    elif damage != "gone":
        write(path, bad[damage])
    panel.start()
    visitor.address = panel.address
    assert not is_in(visitor)
    lines = [line for line in panel.program.output().splitlines() if "sessions" in line]
    assert len(lines) == (damage != "gone"), lines
    if lines:
        assert str(path) in lines[0], lines
    if damage != "a folder":
        again = panel.logged_in()
        panel.restart()
        again.address = panel.address
        assert is_in(again)
    else:
        panel.stop()
        path.rmdir()
        panel.start()


def test_sessions_from_before_a_change_of_password_do_not_come_back(panel):
    visitor = panel.logged_in(remember=True)
    old = panel.logged_in(remember=True)
    path = panel.data / "sessions"
    before = path.read_bytes()
    response = visitor.post("/password", {"current": PASSWORD, "password": "a brand new password",
                                          "password_again": "a brand new password"})
    assert response.status in (200, 302, 303), response.told
    assert is_in(visitor) and not is_in(old)
    panel.stop()
    write(path, before)
    panel.start()
    old.address = visitor.address = panel.address
    assert not is_in(old), "a file of sessions from before brought a session back"
    assert not is_in(visitor)
    panel.logged_in(password="a brand new password")


@pytest.mark.parametrize("ago, lasts", [(3 * 3600, True), (2 * DAY, False), (-400 * DAY, True),
                                        (None, True)], ids=["hours", "days", "future", "unknown"])
def test_time_between_two_boots_counts_as_far_as_it_is_known(panel, ago, lasts):
    """The file says when it was written; here it is made to be of another boot of the kernel."""
    visitor = panel.logged_in()
    panel.stop()
    path = panel.data / "sessions"
    first, _, *sessions = unsigned(path.read_bytes()).decode().splitlines()
    written = 0 if ago is None else int(time.time()) - ago
    lines = [first, f"{written} {written} 12345 999 0", *sessions]
    write(path, signed("".join(line + "\n" for line in lines).encode()))
    panel.start()
    assert is_in(visitor) == lasts
    overview = panel.logged_in().get("/").text
    assert ("The clock is not set" in overview) == (ago is not None and ago < 0)


def test_accounts_of_version_1_are_read_and_written_anew(tmp_path):
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    write(data / "accounts",
          signed(b"martlet-accounts 1\nadmin:1,2,4294967295:" + hashed() + b"\n"))
    panel = Panel(data)
    visitor = panel.logged_in()
    assert (data / "accounts").read_bytes().startswith(b"martlet-accounts 2\nadmin:")
    panel.restart()
    visitor.address = panel.address
    assert is_in(visitor)
    panel.stop()


# Several people -----------------------------------------------------------------------------------

def test_logout_of_one_does_not_end_the_other(tmp_path):
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    write(data / "accounts", signed(b"martlet-accounts 2\nadmin:7:" + hashed() + b"\nsusan:8:"
                                    + hashed("another long one") + b"\n"))
    panel = Panel(data)
    first, second = panel.logged_in(), panel.logged_in()
    susan = panel.logged_in("susan", "another long one")
    first.post("/logout")
    assert not is_in(first) and is_in(second) and is_in(susan)
    panel.restart()
    for visitor in (first, second, susan):
        visitor.address = panel.address
    assert not is_in(first) and is_in(second) and is_in(susan)
    response = second.post("/password", {"current": PASSWORD, "password": "a brand new password",
                                         "password_again": "a brand new password"})
    assert response.status in (200, 302, 303), response.told
    assert is_in(susan), "another account's password ended it"
    panel.stop()


def test_post_of_a_stale_tab_after_the_logout_changes_nothing(panel):
    visitor = panel.logged_in(remember=True)
    stale = panel.visitor(session=visitor.jar.value("session"),
                          _remember=visitor.jar.value("_remember"))
    visitor.post("/logout")
    before = facts_of(panel)
    for target, form in (("/password", {"current": PASSWORD, "password": "a brand new password",
                                        "password_again": "a brand new password"}),
                         ("/logout", {})):
        response = stale.post(target, form)
        assert response.status == 302 and response.location.startswith("/login"), response.told
    assert facts_of(panel) == before
    panel.logged_in()
