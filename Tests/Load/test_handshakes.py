"""TLS under load: others' answers while clients do nothing but handshakes, what is left of many handshakes, and what
TLS connections take of memory."""

import random
import re
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import time
from collections import deque
from contextlib import ExitStack

import pytest

from client import form_request, request
from figures import within
from instructions import Counter
from latency import asker, measured
from machine import CROWDED, IS_LONG, MEASURING, Running, board, own_board, settles
from priority import WithoutCPU, come_first
from program import Program
from tls import PLACES, RECORD_SIZE_MAX, Authority, Encrypted, Wire
from visits import SECRET

CLIENTS = 16
SECONDS = 60 if IS_LONG else 6
HANDSHAKES = 10_000 if IS_LONG else 1_000
# Milliseconds for 99 of 100 answers: of this machine, and of an ARM1176 at 700 MHz by the instructions it executes.
CASES = [(own_board().name, 20), ("pi0", 100)]
PAUSE = 0.02  # seconds between two answers: who asks all the time asks mostly when nobody else has a turn
ROOM = PLACES["normal"]
GROUP = "prime256v1"
KIB_MAX = 16  # what may be left of many handshakes
# Of memory for a connection: what its messages take at most (martlet_memory.h), and pages that it shares.
KIB_MAX_OF_ONE = 40


def begin(stack, on, options, before=()):
    if not on.program("https-example").is_file():
        pytest.skip(f"https-example is not built for {on.name} (scripts/build --examples)")
    command = [*on.emulation(), *before, str(on.program("https-example")), "--listen", "127.0.0.1:0",
               "--secret", SECRET, *options]
    program = stack.enter_context(Running(Program(command, "https-example")))
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


def instructions_of_handshake(program, counter, context):
    """Of a connection that ends after its handshake."""
    before = counter.read().executed
    with Encrypted(program.address, context):
        pass
    program.settled_descriptors()
    return counter.read().executed - before


@pytest.mark.skipif(not shutil.which("openssl"), reason="there is no openssl")
@pytest.mark.parametrize("name, limit", CASES)
def test_handshakes_keep_nobody_waiting(name, limit, tmp_path, figure):
    """While 16 clients do nothing but handshakes, p99 without TLS is 20 ms at most, on an ARM1176 100 ms."""
    on, authority = board(name), Authority(tmp_path)
    folders = [tmp_path / "loaded", tmp_path / "idle"]
    for folder in folders:
        folder.mkdir()
    counters = [Counter(on, folder) if on.emulation() else None for folder in folders]
    with ExitStack() as stack:
        loaded, idle = (begin(stack, on, authority.options, counter.options if counter else ())
                        for counter in counters)

        def measure():
            crowd = Handshakes(loaded.address, CLIENTS, SECONDS + 1)
            with WithoutCPU(loaded.pid) as cpu:
                time.sleep(0.5)
                # A board's processor is slower than the emulator, so that it would have something to do always.
                askers = [asker(program.address, request("GET", "/login"), counter=counter,
                                only_busy=bool(counter) and program is loaded)
                          for program, counter in zip((loaded, idle), counters)]
                answers, control = measured(askers, SECONDS, MEASURING, pause=PAUSE / 2)
            counts = crowd.counts()
            figure(f"beside it: {sum(counts):,} handshakes, {min(counts)} to {max(counts)} a client")
            assert min(counts) > 0, "a client got no handshake"
            return answers, control, cpu.share

        if counters[1]:
            for version in ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3:
                cost = instructions_of_handshake(idle, counters[1], authority.context(version))
                figure(f"a full handshake of {version.name}: {cost / 1e6:.1f} million instructions, "
                       f"{counters[1].milliseconds(cost):.0f} ms")
        within(limit, 0.99, measure, figure)
        if counters[0]:
            told = counters[0].read()
            longest = counters[0].milliseconds(told.longest)
            figure(f"the longest of {told.turns:,} turns: {told.longest / 1e6:.1f} million instructions, "
                   f"{longest:.0f} ms")
            # Who comes waits for the rest of a turn, and for those before him in the next one.
            assert longest <= limit / 2


def test_certificates_of_its_own_keep_nobody_waiting(tmp_path, figure):
    """A certificate is made in one turn of the loop, of at most 100 ms of an ARM1176; a start takes at most 200 ms."""
    on = board("pi0")
    options = ["--tls-directory", str(tmp_path / "own")]

    def counted(what):
        (tmp_path / what).mkdir()
        return Counter(on, tmp_path / what)

    for what in ("first", "later"):
        counter = counted(what)
        with ExitStack() as stack:
            program = begin(stack, on, options, counter.options)
            assert settles(lambda: counter.read().waits, 1)
            cost = counter.read().executed
            figure(f"the {what} start: {cost / 1e6:.1f} million instructions, {counter.milliseconds(cost):.0f} ms")
            assert counter.milliseconds(cost) <= 200
            if what == "later":
                # Without its certificate a program makes another, as it does when that one is old.
                (tmp_path / "own" / "tls.crt").unlink()
                program.send_signal(signal.SIGHUP)
                assert settles((tmp_path / "own" / "tls.crt").exists, True)
                assert settles(lambda: counter.read().waits, 1)
                cost = counter.read().longest
                figure(f"another certificate: {cost / 1e6:.1f} million, {counter.milliseconds(cost):.0f} ms")
                assert 0 < counter.milliseconds(cost) <= 100


class Mixed:
    """Handshakes of every kind, one after the other, with some at a time: in either version, with and without
    HelloRetryRequest, whole and broken off after any number of octets, ended in each way. What ends early stays open
    until others have come. `counts` says how many of each there were."""

    OPEN_MAX = ROOM - 4
    KINDS = {"1.2": (ssl.TLSVersion.TLSv1_2, GROUP), "1.3": (ssl.TLSVersion.TLSv1_3, GROUP),
             "1.3 with a retry": (ssl.TLSVersion.TLSv1_3, None)}
    ENDS = ("whole", "before a request", "broken off", "nothing")

    def __init__(self, address, authority, seed=1):
        self.address, self.dice = address, random.Random(seed)
        self.counts, self.open = {}, deque()
        self.contexts = {kind: authority.context(version) for kind, (version, _) in self.KINDS.items()}
        for kind, (_, group) in self.KINDS.items():
            # OpenSSL sends a share of its first group, X25519, unless there is one group only.
            if group:
                self.contexts[kind].set_ecdh_curve(group)
        self.sizes = {kind: self.whole(kind) for kind in self.KINDS}

    def whole(self, kind):
        """A handshake, a request and its answer. Returns how many octets the client's part of the handshake has."""
        with Wire(self.address, self.contexts[kind]) as wire:
            wire.handshake()
            size = wire.sent_count
            wire.write(request("GET", "/login"))
            assert wire.response().status == 200
            self.leave(wire)
        return size

    def leave(self, wire):
        """Ends a connection by close_notify, by FIN, or by RST."""
        way = self.dice.choice(("close_notify", "FIN", "RST"))
        if way == "close_notify":
            try:
                wire.tls.unwrap()
            except ssl.SSLError:
                pass  # It has sent its own, and waits for the server's.
            wire.flush()
        elif way == "RST":
            wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        wire.close()

    def break_off(self, kind):
        """Sends a part of what a client sends in a handshake."""
        wire = Wire(self.address, self.contexts[kind])
        left = self.dice.randrange(1, self.sizes[kind])
        while left > 0:
            try:
                wire.tls.do_handshake()
            except ssl.SSLWantReadError:
                pass
            if wire.outgoing.pending:
                left -= wire.flush(left)
            elif not wire.receive():
                raise ConnectionResetError("the server has closed")
        self.open.append(wire)

    def step(self):
        kind, end = self.dice.choice(tuple(self.KINDS)), self.dice.choice(self.ENDS)
        self.counts[kind, end] = self.counts.get((kind, end), 0) + 1
        if end == "whole":
            self.whole(kind)
        elif end == "broken off":
            self.break_off(kind)
        else:
            wire = Wire(self.address, self.contexts[kind])
            if end == "before a request":
                wire.handshake()
            self.open.append(wire)
        while len(self.open) > self.OPEN_MAX:
            # In any order, so that each place has every neighbour.
            self.open.rotate(self.dice.randrange(len(self.open)))
            wire = self.open.popleft()
            if wire.tls.version() and wire.tls.cipher():
                self.leave(wire)
            else:
                wire.close()

    def run(self, count):
        """So many connections that get as far as a handshake, and those that send nothing."""
        before = self.handshakes
        while self.handshakes - before < count:
            self.step()
        while self.open:
            self.open.popleft().close()

    @property
    def handshakes(self):
        return sum(count for (_, end), count in self.counts.items() if end != "nothing")

    def told(self):
        by_end = {end: sum(count for (_, other), count in self.counts.items() if other == end) for end in self.ENDS}
        return ", ".join(f"{count:,} {end}" for end, count in by_end.items())


def fill_places(program, authority):
    """As many TLS connections as there are places for, all of which are served at a time."""
    with ExitStack() as stack:
        connections = [stack.enter_context(Encrypted(program.address, authority.context())) for _ in range(ROOM)]
        for _ in range(2):
            for connection in connections:
                assert connection.get().status == 200


@pytest.mark.skipif(not shutil.which("openssl"), reason="there is no openssl")
def test_nothing_is_left_of_handshakes(tmp_path, figure):
    """After thousands of handshakes, whole and broken off, memory, descriptors and places are those of before."""
    with ExitStack() as stack:
        authority = Authority(tmp_path)
        program = begin(stack, board(own_board().name), authority.options)
        mixed = Mixed(program.address, authority)
        mixed.run(200)
        fill_places(program, authority)
        before, descriptors = program.memory(), program.settled_descriptors()
        mixed.counts.clear()
        started = time.monotonic()
        mixed.run(HANDSHAKES)
        seconds = time.monotonic() - started
        assert settles(program.descriptors, descriptors) == descriptors
        fill_places(program, authority)
        assert settles(program.descriptors, descriptors) == descriptors
        after = program.memory()
        figure(f"{mixed.handshakes:,} handshakes in {seconds:.0f} s ({mixed.told()}): {before[0]} KiB resident before, "
               f"{after[0]} after; {before[1]} and {after[1]} anonymous; {descriptors} descriptors")
        assert after[0] <= before[0] + KIB_MAX, (before, after)


def begun(address, context):
    """A connection that has the server's whole answer to its ClientHello, and does not end the handshake."""
    wire = Wire(address, context)
    while True:
        wire.begin()
        # Now OpenSSL has its own last message to send.
        if wire.tls.cipher():
            return wire
        wire.flush()
        assert wire.receive()


def asked(address, context):
    connection = Encrypted(address, context)
    assert connection.get().status == 200
    return connection


def filled(address, context):
    """A connection that has sent a record of full size, with a form in it."""
    octets = form_request("/login", {"username": "nobody", "more": "x" * 16_000})
    assert len(octets) < RECORD_SIZE_MAX
    connection = Encrypted(address, context)
    connection.send(octets)
    connection.response()
    return connection


@pytest.mark.skipif(not shutil.which("openssl"), reason="there is no openssl")
def test_memory_of_tls_connections(tmp_path, figure):
    """TLS connections take at most 40 KiB each, whatever they have done, and give it back."""
    with ExitStack() as stack:
        authority = Authority(tmp_path)
        program = begin(stack, board(own_board().name), authority.options)
        at_start = program.memory()
        with Encrypted(program.address, authority.context()) as connection:
            for _ in range(50):
                assert connection.get().status == 200
        filled(program.address, authority.context()).close()
        program.settled_descriptors()
        warm = program.memory()

        def added(what, count, use):
            with ExitStack() as connections:
                for _ in range(count):
                    connections.enter_context(use(program.address, authority.context()))
                time.sleep(0.2)
                octets = 1024 * (program.memory()[0] - warm[0]) / count
            figure(f"{count} TLS connections {what} add {octets:,.0f} octets each")
            assert octets <= 1024 * KIB_MAX_OF_ONE
            program.settled_descriptors()

        for count in (1, ROOM):
            added("whose client owes its last message", count, begun)
            added("after their handshakes", count, Encrypted)
            added("that rest after an answer", count, asked)
            added("that have sent a record of 16 KB", count, filled)
        after = program.memory()
        figure(f"{at_start[0]} KiB resident at the start, {warm[0]} after a connection, {after[0]} after all")
        assert after[0] <= warm[0] + KIB_MAX
