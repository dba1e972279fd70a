"""Sessions of `martlet-panel` and `login-example` on a system whose clock is wrong, or is set.

Shown here: sessions and remembered days outlast a clock that is set, forwards or backwards, and end when their time is
over.

The tests need programs that are linked dynamically, for libfaketime: those of MARTLET_BIN, or those of the board
debian-amd64 (scripts/build debian-amd64).
"""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from client import Visitor
from panel import Panel, is_in
from program import PROGRAMS, REPOSITORY, RUN, SANITIZED, Program
from test_sessions import DAY, quick_accounts, write  # noqa: F401
from tokens import SECRET, claims_of

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
