"""The machine under the tests: its boards, its CPUs, and the programs as they are started here.

MARTLET_LOAD is `long` for the long runs of `scripts/endure`. MARTLET_LOAD_BOARDS names the boards
beside this machine's own whose programs are built and shall be tested.
"""

import os
import re
import shutil
import subprocess
import time

import pytest

import boards
from client import Connection, request
from panel import Panel
from priority import come_first
from program import STYLE, Program
from visits import SECRET

IS_LONG = os.environ.get("MARTLET_LOAD") == "long"

CPUS = sorted(os.sched_getaffinity(0))
LINGERING = 2.5  # seconds after which no connection is left that waits for its client's end only

# Who measures has a CPU of its own, away from the crowd; on two, the servers are where there is room.
MEASURING = CPUS[-1:]
CROWDED = CPUS[:-1] or CPUS


def own_board():
    return boards.own_board()


def board(name):
    """A board that is to be tested, or the end of the test."""
    if name != own_board().name and name not in os.environ.get("MARTLET_LOAD_BOARDS", "").split():
        pytest.skip(f"{name} is not built (scripts/test --boards {name})")
    found = boards.read_board(boards.ROOT / "boards" / name)
    path = found.program("martlet-panel")
    assert path.is_file(), f"{path} is missing; scripts/build {name} builds it"
    if found.emulation() and not shutil.which(found.emulator):
        pytest.skip(f"{found.emulator} is not installed (scripts/setup boards)")
    started = subprocess.run([*found.emulation(), str(path), "--version"], capture_output=True,
                             text=True, check=False)
    if "shared librar" in started.stderr:
        pytest.skip(f"this system lacks libraries of {name}: {started.stderr.strip()}")
    assert started.returncode == 0, f"{path} does not start: {started.stderr}"
    return found


def all_boards():
    """The names of all boards that are to be tested."""
    return [own_board().name, *os.environ.get("MARTLET_LOAD_BOARDS", "").split()]


def limits(on):
    """(heading, name) -> value, as `martlet-panel --limits` prints them on a board."""
    printed = subprocess.run([*on.emulation(), str(on.program("martlet-panel")), "--limits"],
                             capture_output=True, text=True, check=True).stdout
    found, heading = {}, None
    for line in printed.splitlines():
        matched = re.fullmatch(r"  (\S.*?) +([0-9]+)(?: .*)?", line)
        if matched:
            found[heading, matched[1]] = int(matched[2])
        else:
            heading = line
    return found


def room(on):
    """How many connections a board's programs have slots for."""
    return limits(on)["Connections", "at a time"]


def start(on, name, *arguments, before=(), cwd=None):
    """A program of a board, listening on a port that the system chose."""
    return Program([*before, *on.emulation(), str(on.program(name)), "--listen", "127.0.0.1:0",
                    *arguments], name, cwd=cwd)


def start_login_example(on, **options):
    return start(on, "login-example", "--secret", SECRET, **options)


class LoadedPanel(Panel):
    """A panel of a board; set up, so that it has pages."""

    def __init__(self, data, on, before=()):
        self.board, self.before = on, before
        super().__init__(data)
        try:
            response = self.set_up()
            assert response.status == 302, response.told
        except BaseException:
            self.kill()
            raise

    def start(self):
        self.program = start(self.board, "martlet-panel", "--data", str(self.data),
                             before=self.before)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind:
            self.kill()
        else:
            self.stop()


class Running:
    """Ends a program at the end of a context, in good order unless something went wrong."""

    def __init__(self, program):
        self.program = program

    def __enter__(self):
        return self.program

    def __exit__(self, kind, *_):
        if kind:
            self.program.kill()
        else:
            self.program.stop()


def largest_page(address, targets=("/login", STYLE, "/")):
    """(request, its whole body): the page with the most octets; always the same octets."""
    pages = []
    for target in targets:
        octets = request("GET", target)
        with Connection(address) as connection:
            pages.append((octets, connection.send(octets).response().body))
    return max(pages, key=lambda page: len(page[1]))


def cpu_seconds(pid):
    """How long a process has worked so far."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def settles(read, wanted, within=5.0):
    """What `read` returns when it is `wanted`, or in the end."""
    end = time.monotonic() + within
    while (value := read()) != wanted and time.monotonic() < end:
        time.sleep(0.02)
    return value


def resting_descriptors(program):
    """How many descriptors a program has when no connection is left that lingers."""
    time.sleep(LINGERING)
    return program.descriptors()


def loaded_and_idle(stack, folder, on):
    """Two panels that are the same: one for the load, one as its control."""
    panels = [stack.enter_context(LoadedPanel(folder / name, on)) for name in ("loaded", "idle")]
    for panel in panels:
        come_first(panel.program.pid)
    return panels
