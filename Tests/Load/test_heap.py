"""Nothing calls an allocator after the start: counted in programs that use the system's C library."""

import platform
import subprocess
from contextlib import ExitStack

import pytest

import heap
from client import Connection, Visitor, converse, form_request, request
from crowd import Crowd, group
from machine import (IS_LONG, LoadedPanel, Running, board, largest_page, own_board,
                     start_login_example)
from wrk import load

BOARD = {"x86_64": "debian-amd64", "aarch64": "debian-arm64"}.get(platform.machine(), "debian")
SECONDS = 60 if IS_LONG else 2


@pytest.fixture
def counter(tmp_path):
    return heap.Counter(tmp_path)


def command(counter):
    """What makes a program start with the counter in front of its C library."""
    return ["env", *(f"{name}={value}" for name, value in counter.environment.items())]


def test_the_counter_counts(counter, tmp_path, figure):
    """Proof of the counter: a program that allocates is seen doing it, call by call."""
    program = subprocess.Popen([*command(counter), str(heap.compiled("heap_control.c", tmp_path))],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with program:
        assert program.stdout.readline() == "ready\n"
        before, mapped = counter.read(), heap.heap_and_anonymous(program.pid)
        program.stdin.write("go\n")
        program.stdin.flush()
        assert program.stdout.readline() == "done\n"
        after = counter.read()
        seen = {name: after[name] - before[name] for name in heap.FUNCTIONS}
        figure(", ".join(f"{count} {name}" for name, count in seen.items()))
        expected = {name: number + 1 for number, name in enumerate(heap.FUNCTIONS)}
        assert seen == expected
        grown = heap.heap_and_anonymous(program.pid)
        figure(f"its heap grew from {mapped[0]} to {grown[0]} octets, mappings from {mapped[1]} to "
               f"{grown[1]}")
        assert grown[0] > mapped[0] and grown[1] >= mapped[1] + 13 * 4096
        program.stdin.write("go\n")
        program.stdin.flush()
        assert program.stdout.readline() == "done\n"
        inside = counter.read()["malloc"] - after["malloc"]
        figure(f"{inside} call of malloc from within the C library")
        assert inside == 1
        program.stdin.write("go\n")
    assert program.returncode == 0


def everything(program, good, form, target):
    """Logins, pages, errors, clients that are slow or gone: a bit of all that there is."""
    address = program.address
    for _ in range(10):
        visitor = Visitor(address)
        assert visitor.post("/login", form).status == 302
        assert visitor.get(target).status == 200
        assert visitor.post("/login", {**form, "password": "wrong"}).status != 500
    for method, path in (("GET", "/nowhere"), ("PUT", "/login"), ("HEAD", "/login")):
        assert Visitor(address).ask(method, path).status < 500
    for octets in (b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\r\n\r\n",
                   request("GET", "/" + "x" * 9000), request("POST", "/login", [], b"x" * 20_000),
                   request("GET", "/", [("X", "y")] * 150),
                   form_request("/login", {"username": "x" * 5000})):
        converse(address, octets, within=3, finish=True)
    with Connection(address) as connection:
        connection.send(request("GET", "/login")[:20]).reset()
    page, _ = largest_page(address, ("/login", "/"))
    crowd = Crowd(group("deaf", 40, address, page), group("slowloris", 40, address, page))
    cookie = f"Cookie: {good.jar.header(target)}"
    with crowd:
        runs = [load(address, target, SECONDS, 16, [cookie]),
                load(address, "/login", 1, 16, ["Connection: close"])]
    return sum(run.requests for run in runs), crowd.told


@pytest.mark.parametrize("name", ["login-example", "martlet-panel"])
def test_no_heap_after_start(name, counter, tmp_path, figure):
    """Calls of the heap after the start: 0."""
    on = board(BOARD) if BOARD != own_board().name else own_board()
    with ExitStack() as stack:
        if name == "login-example":
            program = stack.enter_context(Running(start_login_example(on, before=command(counter))))
            form = {"username": "susan", "password": "hello"}
        else:
            panel = stack.enter_context(LoadedPanel(tmp_path / "data", on, before=command(counter)))
            program, form = panel.program, {"username": "admin", "password": "correct horse battery"}
        started, mapped = counter.read(), heap.heap_and_anonymous(program.pid)
        good = Visitor(program.address)
        assert good.post("/login", form).status == 302
        count, crowd = everything(program, good, form, "/")
        after, grown = counter.read(), heap.heap_and_anonymous(program.pid)
        calls = {key: after[key] - started[key] for key in heap.FUNCTIONS if after[key] != started[key]}
        figure(f"{count:,} requests, logins and errors; beside it: {crowd}")
        figure(f"{sum(started.values())} calls until the first answer, {sum(calls.values())} afterwards; "
               f"heap {mapped[0]} and {grown[0]} octets, mappings {mapped[1]} and {grown[1]}")
        # Debian's mbedTLS has the heap, for certificates that are renewed. Static programs have none (scripts/check).
        by_library = {"calloc", "free"} if name == "martlet-panel" else set()
        assert not set(calls) - by_library and sum(calls.values()) < 100 and grown == mapped
