"""Sessions of `martlet-panel` and `login-example`: what ends them, what does not, and the clock.

Shown here: the session unused for longest makes room; what is only used writes nothing, and a login
does not touch the accounts; a lost list of sessions costs logins and nothing else; sessions and
remembered days outlast a clock that is set, forwards or backwards, and end when their time is over.

The clock's tests need programs that are linked dynamically, for libfaketime: those of MARTLET_BIN, or
those of the board debian-amd64 (scripts/build debian-amd64).
"""

import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from client import Visitor
from panel import NAME, PASSWORD, Panel, is_in
from program import PROGRAMS, REPOSITORY, RUN, SANITIZED, Program
from tokens import SECRET, claims_of, from_base64url

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


# The clock ----------------------------------------------------------------------------------------

def dynamic_programs():
    """A folder of programs that libfaketime works for, and the library; skips where there are none."""
    if SANITIZED:
        pytest.skip("AddressSanitizer and libfaketime both want to come first")
    library = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
    for folder in (PROGRAMS, REPOSITORY / ".build" / "boards" / "debian-amd64"):
        path = folder / "martlet-panel"
        if library and not RUN and path.is_file() and b"ld-linux" in path.read_bytes()[:4096]:
            return folder, library
    pytest.skip("there is no libfaketime or no program that is linked dynamically")


# Runs a program in a time namespace, whose clocks that count from the start of the system are so many
# seconds ahead (time_namespaces(7)).
AHEAD = """
import ctypes, os, sys
CLONE_NEWTIME = 0x80
if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWTIME) != 0:
    sys.exit(os.strerror(ctypes.get_errno()))
with open("/proc/self/timens_offsets", "w") as offsets:
    offsets.write("monotonic {0} 0\\nboottime {0} 0\\n".format(sys.argv[1]))
os.execvp(sys.argv[2], sys.argv[2:])
"""


def ahead(seconds, *command):
    return [sys.executable, "-c", AHEAD, str(seconds), *command]


def may_be_ahead():
    """Whether this system has time namespaces, and moves who executes a program into the new one."""
    command = ahead(10 * 365 * DAY, "cat", "/proc/uptime")
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    return ended.returncode == 0 and float(ended.stdout.split()[0]) > 10 * 365 * DAY


class Timed:
    """Runs programs under a clock of the test's own.

    `shift` is what the time of day is wrong by, in seconds; it may change while programs run. With
    `everything` the clocks that count from the start of the system are shifted too: the time passes.
    """

    def __init__(self, folder):
        self.programs, self.library = dynamic_programs()
        self.file = folder / "shift"
        self.write(0)

    def write(self, seconds):
        self.seconds = seconds
        self.file.write_text(f"{seconds:+d}\n")

    def set(self, seconds):
        """Sets the clock, and waits until the library has looked at the file again."""
        self.write(seconds)
        time.sleep(2.2)

    def to(self, year):
        self.set(int(time.mktime((year, 1, 2, 0, 0, 0, 0, 0, 0)) - time.time()))

    def command(self, name, *arguments, everything=False):
        variables = [f"LD_PRELOAD={self.library}", f"FAKETIME_TIMESTAMP_FILE={self.file}",
                     "FAKETIME_CACHE_DURATION=1", "DONT_FAKE_MONOTONIC=1",
                     "FAKETIME_DONT_FAKE_MONOTONIC=1"]
        # The library adds a variable to the environment of the first process that it is loaded into,
        # which moves the environment; the program looks for its arguments in front of it.
        command = ["env", *variables, "sh", "-c", 'exec "$0" "$@"', str(self.programs / name), *arguments]
        if not everything:
            return command
        if not may_be_ahead():
            pytest.skip("only root makes time pass, in a time namespace (Linux 6.1)")
        return ahead(self.seconds, *command)


class TimedPanel(Panel):
    def __init__(self, data, timed):
        self.timed = timed
        self.everything = False
        super().__init__(data)

    def start(self):
        self.program = Program(self.timed.command(
            "martlet-panel", "--listen", f"127.0.0.1:{self.port}", "--data", str(self.data),
            everything=self.everything), "martlet-panel", umask=0)
        self.port = self.address[1]


@pytest.fixture
def timed(tmp_path):
    return Timed(tmp_path)


@pytest.fixture
def timed_panel(timed, tmp_path, quick_accounts):
    """Makes a panel whose clock is wrong by so much, or is at the beginning of that year."""
    panels = []

    def make(year=None):
        data = tmp_path / "data"
        data.mkdir(mode=0o700)
        write(data / "accounts", quick_accounts)
        if year:
            timed.to(year)
        panels.append(TimedPanel(data, timed))
        return panels[0]

    yield make
    for panel in panels:
        panel.kill()


def only_remembered(panel, visitor):
    """The same browser after it has been closed."""
    return panel.visitor(_remember=visitor.jar.value("_remember"))


JUMPS = [(1970, None), (None, 1970), (2038, None), (None, 2038), (1970, 2038), (2038, 1970)]


@pytest.mark.parametrize("restarts", [False, True], ids=["running", "restarted"])
@pytest.mark.parametrize("before, after", JUMPS)
def test_clock_that_is_set_ends_no_session_of_the_panel(timed, timed_panel, before, after, restarts):
    panel = timed_panel(before)
    fresh, remembered = panel.logged_in(), panel.logged_in(remember=True)
    for year in (after, before, after):
        timed.to(year) if year else timed.set(0)
        if restarts:
            panel.restart()
            fresh.address = remembered.address = panel.address
        assert is_in(fresh) and is_in(remembered)
        assert fresh.get("/password").status == 200, "the password was entered a moment ago"
        assert is_in(only_remembered(panel, remembered))
        new = panel.logged_in()
        assert is_in(new) and new.get("/password").status == 200
        new.post("/logout")


@pytest.mark.parametrize("before, after", JUMPS)
def test_session_of_the_panel_ends_in_time_whatever_the_clock_was(timed, timed_panel, before, after):
    panel = timed_panel(before)
    fresh, remembered = panel.logged_in(), panel.logged_in(remember=True)
    timed.to(after) if after else timed.set(0)
    assert is_in(fresh) and is_in(remembered)
    panel.stop()
    panel.everything = True

    def later(seconds):
        timed.set(seconds)
        panel.start()
        for visitor in (fresh, remembered):
            visitor.address = panel.address

    later(DAY - 60)
    assert is_in(fresh) and is_in(remembered)
    assert fresh.get("/password").status == 302, "the password was entered a day ago"
    panel.stop()
    later(2 * DAY)
    assert not is_in(fresh)
    panel.stop()
    later(30 * DAY)
    assert is_in(only_remembered(panel, remembered))
    panel.stop()
    later(60 * DAY + 10)
    assert not is_in(only_remembered(panel, remembered)) and not is_in(remembered)
    panel.stop()


def test_sessions_end_however_much_they_are_used(timed, timed_panel):
    panel = timed_panel()
    fresh = panel.logged_in()
    panel.stop()
    panel.everything = True
    for hours in range(20, 7 * 24 + 20, 20):
        timed.set(hours * 3600)
        panel.start()
        fresh.address = panel.address
        assert is_in(fresh) == (hours < 7 * 24), f"after {hours} h"
        panel.stop()


def test_overview_tells_that_the_clock_is_not_set(timed, timed_panel):
    panel = timed_panel(1970)
    visitor = panel.logged_in()
    assert "The clock is not set" in visitor.get("/").text
    timed.set(0)
    assert "The clock is not set" not in visitor.get("/").text
    # What is earlier than the newest moment on the disk is not set either.
    panel.stop()
    timed.set(-3 * DAY)
    panel.start()
    visitor.address = panel.address
    assert "The clock is not set" in visitor.get("/").text
    # Whoever sets a clock while the panel runs may set it back.
    timed.set(-2 * DAY)
    assert "The clock is not set" not in visitor.get("/").text
    panel.restart()
    visitor.address = panel.address
    assert "The clock is not set" not in visitor.get("/").text


@pytest.mark.parametrize("restarts", [False, True], ids=["running", "restarted"])
@pytest.mark.parametrize("before, after", JUMPS)
def test_clock_that_is_set_ends_no_remembered_days_of_a_library_program(timed, before, after,
                                                                        restarts):
    def start(everything=False):
        return Program(timed.command("login-example", "--listen", "127.0.0.1:0", "--secret", SECRET,
                                     everything=everything), "login-example")

    timed.to(before) if before else timed.set(0)
    program = start()
    try:
        visitor = Visitor(program.address)
        visitor.post("/login", {"username": "susan", "password": "hello", "remember_me": "on"})
        remember = visitor.jar.value("_remember")
        timed.to(after) if after else timed.set(0)
        if restarts:
            program.stop()
            program = start()
        visitor.address = program.address
        assert visitor.get("/").status == 200
        assert visitor.get("/fresh").status == 200
        again = Visitor(program.address, _remember=remember)
        assert again.get("/").status == 200, "the remembered days are lost"
        claims = claims_of(again.jar.value("_remember"))
        if after is None:
            assert abs(claims["exp"] - time.time() - 30 * DAY) < 10, claims
        program.stop()
        if after is None:
            timed.set(31 * DAY)
            program = start(everything=True)
            late = Visitor(program.address, _remember=remember)
            assert late.get("/").status == 302, "it lives longer than thirty days"
    finally:
        program.kill()
