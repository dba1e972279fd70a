"""Others' answers while clients do nothing but TLS handshakes, and what is left of many handshakes."""

import re
import shutil
import subprocess
import time
from contextlib import ExitStack

import pytest

from client import request
from figures import within
from latency import asker, measured
from machine import CROWDED, IS_LONG, MEASURING, Running, board, own_board, settles, start
from priority import WithoutCPU, come_first
from tls import Authority
from visits import SECRET

CLIENTS = 16
SECONDS = 60 if IS_LONG else 6
HANDSHAKES = 10_000 if IS_LONG else 1_000
# Milliseconds for 99 of 100 answers. ARMv6 is emulated, at a small part of a PC's speed.
CASES = [(own_board().name, 20), ("pi0", 1_000)]


def begin(stack, on, authority):
    if not on.program("https-example").is_file():
        pytest.skip(f"https-example is not built for {on.name} (scripts/build --examples)")
    program = stack.enter_context(Running(start(on, "https-example", "--secret", SECRET, *authority.options)))
    come_first(program.pid)
    return program


class Handshakes:
    """Clients that do one full handshake after another for some seconds, on the CPUs of the crowd."""

    def __init__(self, address, count, seconds):
        self.command = ["nice", "-n", "10", "taskset", "-c", ",".join(map(str, CROWDED)), "openssl", "s_time",
                        "-connect", "{}:{}".format(*address), "-new", "-time", str(seconds)]
        self.clients = [subprocess.Popen([*self.command, "-tls1_3" if number % 2 else "-tls1_2"],
                                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
                        for number in range(count)]

    def counts(self):
        """How many handshakes each client has done, at the end."""
        told = [client.communicate(timeout=120)[0] for client in self.clients]
        return [int(re.search(r"(\d+) connections in [\d.]+ real", text)[1]) for text in told]


@pytest.mark.skipif(not shutil.which("openssl"), reason="there is no openssl")
@pytest.mark.parametrize("name, limit", CASES)
def test_handshakes_keep_nobody_waiting(name, limit, tmp_path, figure):
    """While 16 clients do nothing but handshakes, p99 of a client without TLS is below 20 ms."""
    on, authority = board(name), Authority(tmp_path)
    with ExitStack() as stack:
        loaded, idle = (begin(stack, on, authority) for _ in range(2))

        def measure():
            crowd = Handshakes(loaded.address, CLIENTS, SECONDS + 1)
            with WithoutCPU(loaded.pid) as cpu:
                time.sleep(0.5)
                askers = [asker(program.address, request("GET", "/login")) for program in (loaded, idle)]
                answers, control = measured(askers, SECONDS, MEASURING)
            counts = crowd.counts()
            figure(f"beside it: {sum(counts):,} handshakes, {min(counts)} to {max(counts)} a client")
            assert min(counts) > 0, "a client got no handshake"
            return answers, control, cpu.share

        within(limit, 0.99, measure, figure)


@pytest.mark.skipif(not shutil.which("openssl"), reason="there is no openssl")
def test_nothing_is_left_of_handshakes(tmp_path, figure):
    """After some thousand handshakes the program has the memory and the descriptors of before."""
    with ExitStack() as stack:
        program = begin(stack, board(own_board().name), Authority(tmp_path))
        Handshakes(program.address, CLIENTS, 2).counts()
        time.sleep(0.5)
        before, descriptors = program.memory(), program.settled_descriptors()
        done = 0
        while done < HANDSHAKES:
            done += sum(Handshakes(program.address, 4, 2).counts())
        assert settles(program.descriptors, descriptors) == descriptors
        after = program.memory()
        figure(f"{done:,} handshakes: {before[0]} KiB resident before, {after[0]} KiB after")
        assert after[0] <= before[0] + 16, (before, after)
