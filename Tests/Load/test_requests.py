"""Very many requests: nothing grows, nothing is left behind."""

import random
import socket
import time
from contextlib import ExitStack

import pytest

from client import Visitor, converse, request
from machine import (IS_LONG, LoadedPanel, Running, own_board, resting_descriptors, settles,
                     start_login_example)
from wrk import load

COUNT = 1_000_000 if IS_LONG else 20_000
CONNECTIONS = 32
SLICE = 10 if IS_LONG else 1  # seconds of one run of wrk
# The share of requests that come on a connection of their own.
ANEW = 0.2
SEED = 20_000


def login_example(stack, _):
    program = stack.enter_context(Running(start_login_example(own_board())))
    visitor = Visitor(program.address)
    assert visitor.post("/login", {"username": "susan", "password": "hello"}).status == 302
    return program, visitor


def martlet_panel(stack, folder):
    panel = stack.enter_context(LoadedPanel(folder, own_board()))
    return panel.program, panel.logged_in()


def ask(address, target, count, fields, figure):
    """At least `count` requests; every answer must be 200."""
    done = 0
    while done < count:
        run = load(address, target, SLICE, CONNECTIONS, fields)
        assert not run.errors, run.errors
        done += run.requests
    figure(f"{done:,} requests for {target} {'one a connection' if len(fields) > 1 else 'kept alive'}:"
           f" {run.a_second:,.0f} a second, p99 {run.p99:.2f} ms")
    return done


def ask_badly(address, count, chance):
    """Clients that err or go away: refused requests, halves of requests, resets within an answer."""
    page = request("GET", "/login")
    for _ in range(count):
        kind = chance.randrange(4)
        if kind == 0:
            assert converse(address, request("GET", "/nowhere", [("Connection", "close")])).statuses
        elif kind == 1:
            assert converse(address, b"GET /\x00 HTTP/1.1\r\n\r\n").statuses == [400]
        else:
            with socket.create_connection(address) as connection:
                connection.sendall(page * 20 if kind == 2 else page[:chance.randrange(1, len(page))])
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


@pytest.mark.parametrize("start, target", [(login_example, "/"), (martlet_panel, "/")])
def test_memory_and_descriptors_stay(start, target, tmp_path, figure):
    """After 20,000 (long: a million) requests resident memory is what it was; no descriptor leaked."""
    chance = random.Random(SEED)
    # A page of the panel takes much longer: it reads files of the system's.
    count = COUNT if start is login_example else COUNT // 10
    with ExitStack() as stack:
        program, visitor = start(stack, tmp_path / "data")
        fields = [f"Cookie: {visitor.jar.header(target)}"]
        anew = [*fields, "Connection: close"]
        # All that is asked below, once: each buffer and each slot that it takes is touched then.
        ask(program.address, target, 1, fields, lambda _: None)
        ask(program.address, target, 1, anew, lambda _: None)
        ask_badly(program.address, 40, chance)
        # Who comes when decides which block is touched for the first time, so memory may still grow by a
        # page or two. What leaks grows in each round.
        for _ in range(3):
            descriptors, before = resting_descriptors(program), program.memory()
            done = ask(program.address, target, count * (1 - ANEW), fields, figure)
            done += ask(program.address, target, count * ANEW, anew, figure)
            ask_badly(program.address, count // 100, chance)
            open_after = settles(program.descriptors, descriptors)
            time.sleep(0.1)
            after = program.memory()
            figure(f"{done + count // 100:,} requests: resident {before[0]} KiB before and {after[0]} after, "
                   f"anonymous {before[1]} and {after[1]}; {descriptors} descriptors and {open_after}")
            assert open_after == descriptors
            if after[0] <= before[0] and after[1] <= before[1]:
                break
        assert after[0] <= before[0] and after[1] <= before[1]
