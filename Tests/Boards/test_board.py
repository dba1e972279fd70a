"""What can differ from board to board: the CPU, alignment, the width of time, the size of pages."""

import os
import re
import shutil
import subprocess
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

from client import Visitor
from panel import Panel, is_in
from program import Program, run
from tokens import SECRET, claims_of

PLUGIN = Path(__file__).with_name("misaligned.c")
PROGRAMS = ["hello-example", "login-example", "martlet-panel"]
# Accesses that are not aligned cost a trap or the program on these.
STRICT = ["armv6", "riscv64"]


def log_in(address, **form):
    visitor = Visitor(address)
    response = visitor.post("/login", {"username": "susan", "password": "hello", **form})
    assert response.status == 302 and visitor.get("/").status == 200, response.told
    return visitor


# The CPU ------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", PROGRAMS)
def test_program_of_a_newer_cpu_fails_on_an_older_one(board, name):
    """So that the other tests, which run on the board's CPU, do say something about it."""
    if board.architecture != "armv7":
        pytest.skip("only ARMv7 has an older CPU with the same instruction encoding")
    command = ["qemu-arm", "-cpu", "arm1176", *board.run[3:], str(board.programs / name), "--help"]
    assert subprocess.run(command, capture_output=True, check=False, timeout=20).returncode != 0
    assert run(name, "--help").returncode == 0


# Alignment ----------------------------------------------------------------------------------------

@pytest.fixture(scope="session")
def plugin(tmp_path_factory):
    """A plugin for qemu that counts misaligned accesses."""
    path = tmp_path_factory.mktemp("plugin") / "misaligned.so"
    compiler = shutil.which("gcc") or shutil.which("clang")
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o", path, PLUGIN],
                   check=True)
    return path


def misaligned(board, plugin, name, *arguments):
    program = Program([*board.run, "-plugin", str(plugin), str(board.programs / name),
                       "--listen", "127.0.0.1:0", *arguments], name)
    yield program
    program.stop()
    matched = re.search(r"misaligned: (\d+) of (\d+) accesses", program.output())
    assert matched and int(matched[2]) > 100_000, program.output()
    yield int(matched[1]), program.output()


def test_every_access_is_aligned(board, plugin):
    """A login, its pages and refused requests, counted access by access."""
    steps = misaligned(board, plugin, "login-example", "--secret", SECRET)
    address = next(steps).address
    visitor = log_in(address, remember_me="on")
    assert visitor.get("/fresh").status == 200
    for target in ("/", "/login?next=%2Fa%2Fb", "/nothing", "/" + "x" * 9000):
        visitor.get(target)
    assert visitor.post("/logout", {}).status == 302
    count, printed = next(steps)
    if board.architecture in STRICT:
        assert count == 0, printed
    elif board.architecture == "aarch64":
        assert count > 0, "64-bit ARM allows what others do not; the counter does not count"


# Time ---------------------------------------------------------------------------------------------

@pytest.fixture
def in_2040(board, monkeypatch):
    """The emulator's clock, and with it the program's, shows a time that 32 bits do not hold."""
    library = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
    if library is None or not shutil.which(board.run[0]):
        pytest.skip("there is no libfaketime or no dynamic qemu")
    monkeypatch.setattr("program.RUN", board.run)
    return {"LD_PRELOAD": str(library), "FAKETIME": "@2040-02-03 04:05:06", "TZ": "UTC",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


def with_environment(monkeypatch, values):
    for name, value in values.items():
        monkeypatch.setenv(name, value)


def test_logins_after_2038(board, in_2040, monkeypatch):
    with_environment(monkeypatch, in_2040)
    program = Program.start("login-example", "--listen", "127.0.0.1:0", "--secret", SECRET)
    try:
        visitor = log_in(program.address, remember_me="on")
        response = visitor.get("/")
        assert parsedate_to_datetime(response.one("Date")).year == 2040, response.told
        # A new session from the remember cookie, whose expiration lies beyond 32 bits.
        remembered = Visitor(program.address, _remember=visitor.jar.value("_remember"))
        assert remembered.get("/").status == 200
        assert claims_of(visitor.jar.value("_remember"))["exp"] > 2**31
        program.stop()
    finally:
        program.kill()


def test_panel_after_2038(board, in_2040, monkeypatch, tmp_path):
    with_environment(monkeypatch, in_2040)
    panel = Panel(tmp_path / "data")
    try:
        panel.set_up()
        visitor = panel.logged_in()
        panel.restart()
        again = panel.visitor(session=visitor.jar.value("session"))
        assert is_in(again), panel.program.output()
        panel.stop()
    finally:
        panel.kill()


# Pages --------------------------------------------------------------------------------------------

def load_segments(path):
    """(offset, address, alignment) of what is mapped, from the file's program headers."""
    octets = path.read_bytes()
    wide, order = octets[4] == 2, "little"

    def number(at, size):
        return int.from_bytes(octets[at:at + size], order)

    word = 8 if wide else 4
    start = number(32 if wide else 28, word)
    size, count = number(54 if wide else 42, 2), number(56 if wide else 44, 2)
    for at in range(start, start + size * count, size):
        if number(at, 4) == 1:
            yield (number(at + (8 if wide else 4), word), number(at + (16 if wide else 8), word),
                   number(at + (48 if wide else 28), word))


@pytest.mark.parametrize("name", PROGRAMS)
def test_file_can_be_mapped_with_big_pages(board, name):
    """Kernels for ARM and RISC-V may use pages of 16 or 64 KiB, where PCs have 4 KiB."""
    wanted = 4096 if board.architecture in ("x86_64", "riscv64") else 65536
    segments = list(load_segments(board.programs / name))
    assert len(segments) >= 2
    for offset, address, alignment in segments:
        assert alignment >= wanted and offset % alignment == address % alignment, segments
    # No two segments with different rights share a page.
    pages = [address // wanted for _, address, _ in segments]
    assert len(set(pages)) == len(pages), segments
