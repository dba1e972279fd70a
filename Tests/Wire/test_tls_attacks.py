"""HTTPS under clients that are slow, many, rude or broken. After each of them a good client is served, and every place
and every descriptor is free again.
"""

import contextlib
import re
import selectors
import signal
import socket
import ssl
import struct
import subprocess
import time

import pytest

from client import Connection, form_request, request
from program import RUN, running
from test_tls import PAGE, VERSIONS
from tls import PATIENCE, RECORD_SIZE_MAX, SLOWNESS, Authority, Encrypted, Wire, ask, has_tls_13, is_static, place_count

HALF_OPEN, SLOW = 50, 200


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def server(authority):
    yield from running(authority.start())


@pytest.fixture(scope="module", params=["1.2", "1.3"])
def context(request, authority):
    if request.param == "1.3" and not has_tls_13():
        pytest.skip("Debian 12's mbedTLS has no TLS 1.3")
    return authority.context(VERSIONS[request.param])


@pytest.fixture(autouse=True)
def everything_is_free_again(server, authority):
    before = server.settled_descriptors()
    yield
    assert server.is_running, server.output()
    end = time.monotonic() + 15 * SLOWNESS
    while server.descriptors() > before and time.monotonic() < end:
        time.sleep(0.05)
    assert server.descriptors() == before
    fill_places(server, authority)


def fill_places(server, authority):
    """As many connections as there are places, all at once, each of them answered twice."""
    with contextlib.ExitStack() as open_ones:
        connections = [open_ones.enter_context(Encrypted(server.address, authority.context()))
                       for _ in range(place_count())]
        for connection in connections * 2:
            assert connection.get().status == 200


def is_served(server, authority, within=1.0):
    begin = time.monotonic()
    assert ask(server.address, authority.context()).status == 200
    assert time.monotonic() - begin < within * SLOWNESS


def reset(connection):
    """Ends a connection with RST."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


# Pieces -------------------------------------------------------------------------------------------

def test_a_handshake_in_pieces_of_one_octet(server, context):
    with Wire(server.address, context, piece=1) as wire:
        wire.handshake()
        wire.write(request("GET", "/login"))
        assert wire.response().status == 200
        assert wire.sent_count > 300


def test_records_of_one_octet(server, context):
    with Wire(server.address, context) as wire:
        wire.handshake()
        for octet in request("GET", "/login"):
            wire.tls.write(bytes([octet]))
        wire.flush()
        assert wire.response().status == 200


def test_a_record_that_comes_octet_by_octet(server, context):
    with Wire(server.address, context, piece=1) as wire:
        wire.handshake()
        wire.write(form_request("/login", {"username": "susan", "password": "x" * 200}))
        assert wire.response("POST").status == 302


# Crowds -------------------------------------------------------------------------------------------

def first_flight(server, context):
    """A ClientHello, as octets."""
    with Wire(server.address, context) as wire:
        wire.begin()
        return wire.outgoing.read()


# Where a client's address is not that of the attacker, its connections come first.
ELSEWHERE = ("127.0.0.2", 0)


@pytest.mark.parametrize("source", [None, ELSEWHERE], ids=["same", "elsewhere"])
@pytest.mark.parametrize("share", [0, 1, 0.5, 1.0], ids=["silent", "an-octet", "half", "whole"])
def test_half_open_handshakes_cost_nobody_else(server, authority, context, share, source):
    hello = first_flight(server, context)
    count = share if isinstance(share, int) else int(len(hello) * share)
    with contextlib.ExitStack() as open_ones:
        # Whoever comes from the address of whole ClientHellos waits behind them, for ten seconds at most.
        is_behind = share == 1.0 and source is None
        for _ in range(3 * place_count() if is_behind else HALF_OPEN):
            half = open_ones.enter_context(socket.create_connection(server.address, PATIENCE, source))
            half.sendall(hello[:count])
        if is_behind:
            is_served(server, authority, 9)
        else:
            for _ in range(3):
                is_served(server, authority, 1.0)


def test_slow_handshakes_cost_nobody_else(server, authority, context):
    """Two hundred clients that send their ClientHello octet by octet, and never its last one."""
    hello = first_flight(server, context)[:-1]
    with contextlib.ExitStack() as open_ones:
        # A small board has fewer slots than these: there who comes from their address waits with them.
        source = ELSEWHERE if place_count() < 16 else None
        slow = {open_ones.enter_context(socket.create_connection(server.address, PATIENCE, source)): 0
                for _ in range(SLOW)}
        served, begin = 0, time.monotonic()
        while time.monotonic() - begin < 3 or served < 3:
            for connection, sent in list(slow.items()):
                try:
                    connection.send(hello[sent:sent + 1])
                    slow[connection] = sent + 1
                except OSError:
                    del slow[connection]  # It had to make room.
            is_served(server, authority)
            served += 1


def test_more_connections_than_places(server, authority):
    """Connections that rest make room, the longest first; the newest are served."""
    with contextlib.ExitStack() as open_ones:
        for _ in range(3 * place_count()):
            connection = open_ones.enter_context(Encrypted(server.address, authority.context()))
            assert connection.get().status == 200


def test_nothing_is_kept_of_many_handshakes(server, context):
    for _ in range(30):
        ask(server.address, context)
    before, descriptors = server.memory(), server.settled_descriptors()
    for _ in range(120):
        ask(server.address, context)
    assert server.settled_descriptors() == descriptors
    if not RUN and is_static():
        assert server.memory()[0] <= before[0] + 32, (before, server.memory())


def test_everybody_is_answered_who_comes_at_once(server, authority):
    """Three times as many clients as places, at a time."""
    count = (1 if RUN else 3) * place_count()
    context = authority.context()
    selector = selectors.DefaultSelector()
    with contextlib.ExitStack() as open_ones:
        open_ones.enter_context(contextlib.closing(selector))
        waiting = {}
        for _ in range(count):
            wire = open_ones.enter_context(Wire(server.address, context))
            wire.begin()
            wire.flush()
            wire.socket.setblocking(False)
            selector.register(wire.socket, selectors.EVENT_READ, wire)
            waiting[wire] = "handshake"
        answered, end = 0, time.monotonic() + 60
        while waiting and time.monotonic() < end:
            for key, _ in selector.select(1.0):
                wire = key.data
                assert wire.receive(), f"a client lost its connection; {answered} were answered"
                try:
                    if waiting[wire] == "handshake":
                        wire.tls.do_handshake()
                        wire.flush()
                        # As over a long way: the request comes a round trip later.
                        time.sleep(0.02)
                        wire.tls.write(request("GET", "/login", [("Connection", "close")]))
                        waiting[wire] = "answer"
                    else:
                        assert b" 200 " in wire.tls.read(65536)
                        answered += 1
                        del waiting[wire]
                        selector.unregister(wire.socket)
                        wire.close()
                        continue
                except ssl.SSLWantReadError:
                    pass
                wire.flush()
        assert answered == count


# Ends ---------------------------------------------------------------------------------------------

def ways_to_stop(server, context):
    """(name, how far a client goes before it leaves)"""
    hello = first_flight(server, context)

    def within(count):
        def go(wire):
            wire.begin()
            wire.flush(count)
        return go

    def after_first_flight(wire):
        wire.begin()
        wire.flush()
        wire.receive()

    def within_second_flight(count):
        def go(wire):
            after_first_flight(wire)
            with contextlib.suppress(ssl.SSLWantReadError):
                wire.tls.do_handshake()
            wire.flush(count)
        return go

    def after_handshake(wire):
        wire.handshake()

    def within_a_record(wire):
        wire.handshake()
        wire.tls.write(request("GET", "/login"))
        wire.flush(20)

    def within_a_request(wire):
        wire.handshake()
        wire.write(request("GET", "/login")[:-10])

    def within_a_body(wire):
        wire.handshake()
        wire.write(form_request("/login", {"username": "susan", "password": "hello"})[:-3])

    def without_reading(wire):
        wire.handshake()
        wire.write(request("GET", "/login") * 50)

    def while_a_password_is_hashed(wire):
        wire.handshake()
        wire.write(form_request("/login", {"username": "susan", "password": "hello"}))

    return [*(within(count) for count in (0, 1, 4, 5, 6, len(hello) // 2, len(hello) - 1, len(hello))),
            after_first_flight, *(within_second_flight(count) for count in (1, 6, 40, 70, 100)),
            after_handshake, within_a_record, within_a_request, within_a_body, without_reading,
            while_a_password_is_hashed]


@pytest.mark.parametrize("how", ["close", "shutdown", "reset"])
def test_a_client_leaves_in_every_state(server, authority, context, how):
    for go in ways_to_stop(server, context):
        for _ in range(3):
            wire = Wire(server.address, context)
            go(wire)
            if how == "reset":
                reset(wire.socket)
            elif how == "shutdown":
                wire.socket.shutdown(socket.SHUT_WR)
                with contextlib.suppress(OSError):
                    while wire.socket.recv(65536):
                        pass
            wire.close()
    is_served(server, authority)


def test_a_request_that_was_cut_off_changes_nothing(server, context):
    """The end of TCP without close_notify is not the end of a request, because anybody can send FIN."""
    with Wire(server.address, context) as wire:
        wire.handshake()
        octets = form_request("/login", {"username": "susan", "password": "hello", "remember_me": "on"})
        # As if the request said nothing of its length.
        wire.write(octets[:-5])
        wire.socket.shutdown(socket.SHUT_WR)
        answer = b""
        with contextlib.suppress(OSError, ssl.SSLError):
            while more := wire.read():
                answer += more
        assert b" 302 " not in answer and b"Set-Cookie" not in answer, answer


def test_the_server_says_that_it_is_done(server, context):
    """With close_notify, so that a client can tell a whole answer from one that was cut off."""
    with Encrypted(server.address, context) as connection:
        connection.send(request("GET", "/login", [("Connection", "close")], version="HTTP/1.0"))
        octets = b""
        # A connection that ends without close_notify is an SSLEOFError here.
        while more := connection.socket.recv(65536):
            octets += more
        assert PAGE.encode() in octets


def test_a_client_that_is_done_gets_its_answer_or_an_end(server, context):
    with Wire(server.address, context) as wire:
        wire.handshake()
        wire.tls.write(request("GET", "/login"))
        with contextlib.suppress(ssl.SSLError):
            wire.tls.unwrap()
        wire.flush()
        begin = time.monotonic()
        with contextlib.suppress(OSError):
            while wire.socket.recv(65536):
                pass
        assert time.monotonic() - begin < 5 * SLOWNESS


def test_a_renegotiation_is_refused(server, authority):
    done = subprocess.run(
        ["openssl", "s_client", "-connect", "{}:{}".format(*server.address), "-CAfile", authority.authority, "-tls1_2"],
        input="R\n", capture_output=True, text=True, timeout=10 * SLOWNESS, check=False)
    told = done.stdout + done.stderr
    assert "RENEGOTIATING" in told and "verify return:1" in told, told
    assert "no renegotiation" in told or "unexpected message" in told or "handshake failure" in told, told


# Uploads ------------------------------------------------------------------------------------------

def test_full_records_to_the_end_of_an_upload(server, context):
    """More than the program takes, in records of 16 KiB: it says so, and the client reads that."""
    size = 40 * RECORD_SIZE_MAX
    with Wire(server.address, context) as wire:
        wire.handshake()
        wire.write(f"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: {size}\r\n\r\n".encode())
        with contextlib.suppress(OSError):
            for _ in range(size // RECORD_SIZE_MAX):
                wire.write(b"a" * RECORD_SIZE_MAX)
        assert wire.response("POST").status == 413


def test_a_form_in_a_full_record(server, context):
    """The largest record there is: a request, and the next ones behind it."""
    one, login = request("GET", "/login"), form_request("/login", {"username": "nobody", "password": "x"})
    octets = login + one * ((RECORD_SIZE_MAX - len(login)) // len(one))
    octets += b"\r\n" * ((RECORD_SIZE_MAX - len(octets)) // 2)
    with Encrypted(server.address, context) as connection:
        connection.socket.sendall(octets)
        assert connection.response("POST").status == 302
        for _ in range(octets.count(b"GET ")):
            assert connection.response().status == 200


# Without TLS --------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def beyond(authority):
    """A program that other machines reach."""
    yield from running(authority.start("--secret", "a secret for a test that is long enough", listen="0.0.0.0:0"))


def plain(port, method="GET", target="/login?a=b", body=None, host=None, **options):
    with Connection(("127.0.0.1", port)) as connection:
        connection.send(request(method, target, body=body, host=host or f"localhost:{port}", **options))
        return connection.response(method)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_reading_without_tls_leads_to_https(beyond, method):
    port = beyond.address[1]
    answer = plain(port, method)
    assert (answer.status, answer.location) == (308, f"https://localhost:{port}/login?a=b"), answer.told
    assert not answer.cookies and not answer.one("Strict-Transport-Security")


@pytest.mark.parametrize("method, body", [("POST", b"username=susan&password=hello"), ("PUT", b"x"), ("DELETE", None),
                                          ("OPTIONS", None)])
def test_what_may_change_something_without_tls_is_refused(beyond, method, body):
    answer = plain(beyond.address[1], method, body=body)
    assert answer.status == 403 and not answer.cookies and not answer.location, answer.told


@pytest.mark.parametrize("host", ["evil.example\r\nX: y", "a b", "", "localhost/evil", "user@evil.example"])
def test_no_redirection_to_what_is_no_host(beyond, host):
    with Connection(("127.0.0.1", beyond.address[1])) as connection:
        connection.send(b"GET / HTTP/1.1\r\nHost: " + host.encode() + b"\r\n\r\n")
        answer = connection.response()
        assert answer.status in (400, 403, 421) or answer.location.startswith("https://evil.example:"), answer.told
        assert "\r" not in (answer.location or "") and "@" not in (answer.location or "")


def test_octets_that_are_neither(beyond):
    for octets in (b"\0" * 64, b"\x80\x2e\x01\x00\x02", b"\x16", b"\x16\x03", b"\x16\xff\xff\xff\xff",
                   b"\x15\x03\x01\x00\x02\x02\x28"):
        with socket.create_connection(("127.0.0.1", beyond.address[1]), 5) as connection:
            connection.sendall(octets)
            connection.shutdown(socket.SHUT_WR)
            with contextlib.suppress(OSError):
                while connection.recv(65536):
                    pass
    assert plain(beyond.address[1]).status == 308


def test_a_program_for_this_machine_alone_serves_both(server):
    answer = plain(server.address[1], target="/login")
    assert answer.status == 200 and PAGE in answer.text, answer.told


def test_insecure_http_is_said_in_words(authority):
    program = authority.start("--secret", "a secret for a test that is long enough", "--insecure-http",
                              listen="0.0.0.0:0")
    try:
        assert plain(program.address[1], target="/login").status == 200
        assert ask(("127.0.0.1", program.address[1]), authority.context()).status == 200
    finally:
        program.stop()


def test_another_port_leads_to_https(authority):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        other = free.getsockname()[1]
    program = authority.start("--redirect-http", f"127.0.0.1:{other}")
    try:
        answer = plain(other, host=f"localhost:{other}")
        assert (answer.status, answer.location) == (308, f"https://localhost:{program.address[1]}/login?a=b"), answer.told
        assert plain(other, "POST", body=b"a=b").status == 403
    finally:
        program.stop()


# Certificates -------------------------------------------------------------------------------------

def test_a_new_certificate_is_read_on_sighup(tmp_path):
    authority = Authority(tmp_path)
    program = authority.start()

    def serial():
        with Encrypted(program.address, authority.context()) as connection:
            return connection.socket.getpeercert()["serialNumber"]

    try:
        first = serial()
        with Encrypted(program.address, authority.context()) as before:
            assert before.get().status == 200
            authority.issue()
            program.send_signal(signal.SIGHUP)
            end = time.monotonic() + 5
            while serial() == first and time.monotonic() < end:
                time.sleep(0.02)
            assert serial() != first, program.output()
            assert before.get().status == 200, "a connection lost by a new certificate"
        # One that cannot be used changes nothing, and the log says so.
        second = serial()
        authority.certificate.write_text("nothing")
        program.send_signal(signal.SIGHUP)
        time.sleep(0.3)
        assert serial() == second and program.is_running
        assert re.search("certificate", program.output().lower().split("listening", 1)[1]), program.output()
    finally:
        program.stop()
