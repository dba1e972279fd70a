"""Places and certificates change hands: clients that go before they have a place, and clients that stay for ever."""

import contextlib
import re
import signal
import socket
import time

import pytest

from test_tls_attacks import first_flight, is_served, reset
from tls import PATIENCE, SLOWNESS, Authority, Encrypted, place_count


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


def serial(program, authority):
    with Encrypted(program.address, authority.context()) as connection:
        return connection.socket.getpeercert()["serialNumber"]


@pytest.mark.parametrize("how", ["reset", "shutdown"])
def test_a_client_that_goes_before_it_has_a_place(authority, how):
    """It takes no processor time while it waits, and gets no place any more: nobody makes room for it."""
    program = authority.start()
    try:
        hello = first_flight(program, authority.context())
        begin = time.monotonic()
        alive = [socket.create_connection(program.address, PATIENCE) for _ in range(place_count())]
        for connection in alive:
            connection.sendall(hello)
            connection.recv(1)
        gone = []
        for _ in range(8):
            connection = socket.create_connection(program.address, PATIENCE)
            connection.sendall(hello)
            time.sleep(0.01 * SLOWNESS)
            if how == "reset":
                reset(connection)
            else:
                connection.shutdown(socket.SHUT_WR)
                gone.append(connection)
        before = processor_time(program)
        time.sleep(0.5)
        assert processor_time(program) - before < 0.01 * SLOWNESS, "a client that has gone keeps the loop busy"
        for connection in gone:
            # The ClientHello has not been read, so the end may be a reset.
            with contextlib.suppress(ConnectionResetError):
                assert connection.recv(1) == b"", "a client that has gone gets a place"
        # Handshakes that rest lose their places after two seconds only, to clients that are there.
        if time.monotonic() - begin < 1.8:
            for connection in alive:
                connection.setblocking(False)
                with pytest.raises(BlockingIOError):
                    while connection.recv(65536):
                        pass
        for connection in alive:
            connection.close()
        is_served(program, authority)
    finally:
        program.stop()


def processor_time(program):
    """Seconds of processor time, exactly."""
    with open(f"/proc/{program.pid}/schedstat", encoding="ascii") as facts:
        return int(facts.read().split()[0]) / 1e9


def test_a_client_that_stays_does_not_keep_a_certificate_in_use(tmp_path):
    """Two certificates can be in use at a time. A third one waits for the connections with the first, and these are
    ended after half a minute: otherwise whoever has copied a key could keep it in use."""
    authority = Authority(tmp_path)
    program = authority.start()
    try:
        with Encrypted(program.address, authority.context()) as first:
            assert first.get().status == 200
            serials = [serial(program, authority)]
            for _ in range(2):
                authority.issue()
                program.send_signal(signal.SIGHUP)
                time.sleep(0.5 * SLOWNESS)
                serials.append(serial(program, authority))
            assert serials[0] != serials[1] == serials[2], serials
            said = program.output().split("listening", 1)[1]
            assert re.search("read anew.*waits until older connections have ended", said, re.DOTALL), said
            with Encrypted(program.address, authority.context()) as second:
                assert second.get().status == 200
                begin = time.monotonic()
                while serial(program, authority) == serials[1]:
                    assert time.monotonic() - begin < 90, "the first client keeps the new certificate out"
                    assert second.get().status == 200, "a connection with the second certificate was ended"
                    try:
                        first.get()
                    except (OSError, AssertionError):
                        assert time.monotonic() - begin > 20, "the first client had no time"
                    time.sleep(1)
                assert second.get().status == 200
    finally:
        program.stop()
