"""A certificate that is changed under load: SIGHUP with new files while as many clients as there are places for ask all the
time. No connection is dropped and no request lost; who connects afterwards gets the new certificate.
"""

import contextlib
import signal
import threading
import time

import pytest

from program import RUN, running
from test_tls import VERSIONS
from tls import SLOWNESS, Authority, Encrypted, has_tls_13, place_count

ROUNDS = 2 if RUN else 5
CONNECTIONS = 30 if RUN else 120
NEWCOMERS = 2  # clients that open one connection after the other


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


@pytest.fixture
def server(authority):
    yield from running(authority.start())


def serial_of(connection):
    return connection.socket.getpeercert()["serialNumber"]


class Load:
    """Clients in threads. `problems` are all that a client has not got; `seen` is (when a connection was begun, the serial
    number of its certificate, requests that were answered) for each connection."""

    def __init__(self, server, authority):
        self.server, self.authority = server, authority
        self.problems, self.seen = [], []
        self.turn = 0  # who stays connects anew when it changes
        self.kept = {}  # the serial number that each of those has who stay
        self.is_over = threading.Event()
        versions = list(VERSIONS.values()) if has_tls_13() else [VERSIONS["1.2"]]
        kinds = [self.stay] * (place_count() - NEWCOMERS) + [self.come] * NEWCOMERS
        self.threads = [threading.Thread(target=self.run, args=(kind, versions[number % len(versions)]))
                        for number, kind in enumerate(kinds)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.is_over.set()
        for thread in self.threads:
            thread.join()

    def run(self, kind, version):
        context = self.authority.context(version)
        try:
            while not self.is_over.is_set():
                kind(context)
        except Exception as problem:  # of any kind: a test says which
            self.problems.append(repr(problem))

    def talk(self, context, goes_on):
        begun = time.monotonic()
        count = 0
        with Encrypted(self.server.address, context) as connection:
            serial = serial_of(connection)
            if goes_on is not self.ends:
                self.kept[threading.get_ident()] = serial
            while True:
                answer = connection.get()
                assert answer.status == 200, answer.told
                count += 1
                if not goes_on():
                    break
        self.seen.append((begun, serial, count))

    def stay(self, context):
        turn = self.turn
        self.talk(context, lambda: self.turn == turn and not self.is_over.is_set())

    def come(self, context):
        self.talk(context, self.ends)

    @staticmethod
    def ends():
        return False

    def all_have(self, serial):
        return len(self.kept) == place_count() - NEWCOMERS and set(self.kept.values()) == {serial}


def change(server, authority, old):
    """Makes new files, and waits until a new connection gets the certificate. Its serial number, and since when."""
    authority.issue()
    server.send_signal(signal.SIGHUP)
    # Where it has to wait for a connection that is about to end, the program looks again after 30 seconds.
    end = time.monotonic() + 45 * SLOWNESS
    while True:
        with Encrypted(server.address, authority.context()) as connection:
            serial = serial_of(connection)
        if serial != old:
            return serial, time.monotonic()
        assert time.monotonic() < end, server.output()
        time.sleep(0.05)


def test_nobody_notices_a_new_certificate(server, authority):
    with Encrypted(server.address, authority.context()) as connection:
        serial = serial_of(connection)
    changes = [(serial, 0.0)]
    # `issue` empties files before it writes them: who asked for SIGHUP twice would meet half a file.
    with Load(server, authority) as load:
        for _ in range(ROUNDS):
            time.sleep(1.0 * SLOWNESS)
            changes.append(change(server, authority, changes[-1][0]))
            assert not load.problems, load.problems
            time.sleep(0.5 * SLOWNESS)
            # Those of the certificate before end, so that the next change finds room for one more.
            load.turn += 1
            end = time.monotonic() + 30 * SLOWNESS
            while not load.all_have(changes[-1][0]) and not load.problems and time.monotonic() < end:
                time.sleep(0.05)
            assert not load.problems, load.problems
        end = time.monotonic() + 60 * SLOWNESS
        while len(load.seen) < CONNECTIONS and not load.problems and time.monotonic() < end:
            time.sleep(0.1)
    assert not load.problems, load.problems
    assert len({serial for serial, _ in changes}) == ROUNDS + 1
    assert len(load.seen) >= CONNECTIONS
    stayed = [count for _, _, count in load.seen if count > 1]
    assert len(stayed) >= (ROUNDS + 1) * (place_count() - NEWCOMERS) / 2
    for begun, got, _ in load.seen:
        # The last certificate that was in use when the connection was begun, or the one that came meanwhile.
        number = max(index for index, (_, since) in enumerate(changes) if since <= begun)
        assert got in {serial for serial, _ in changes[number:number + 2]}, (begun, got, changes)
    assert server.output().count("the certificate has been read anew") >= ROUNDS


def test_a_third_certificate_waits_for_connections_of_the_first(server, authority):
    """There is room for two. The third one is taken when the last connection of the first has ended, by itself."""
    with contextlib.ExitStack() as open_ones:
        first = open_ones.enter_context(Encrypted(server.address, authority.context()))
        second_serial, _ = change(server, authority, serial_of(first))
        second = open_ones.enter_context(Encrypted(server.address, authority.context()))
        assert serial_of(second) == second_serial
        authority.issue()
        server.send_signal(signal.SIGHUP)
        server.wait_for("the new certificate waits until older connections have ended")
        with Encrypted(server.address, authority.context()) as another:
            assert serial_of(another) == second_serial
        for connection in (first, second):
            assert connection.get().status == 200
        first.close()
        end = time.monotonic() + 45 * SLOWNESS
        while True:
            with Encrypted(server.address, authority.context()) as another:
                if serial_of(another) != second_serial:
                    break
            assert time.monotonic() < end, server.output()
            time.sleep(0.2)
        assert second.get().status == 200
