"""Uploads over TLS that are accepted: whole files, whatever the records look like, and nothing of half a file. After each
test every place, descriptor and file is free again.

The program is `tls-uploads` (Tests/Wire/TLSUploads), which keeps what is sent to /files/NAME.
"""

import contextlib
import socket
import ssl
import subprocess
import time

import pytest

from client import request
from program import RUN, Program, running
from test_tls import VERSIONS
from test_tls_attacks import reset
from tls import RECORD_SIZE_MAX, SLOWNESS, Authority, Encrypted, Wire, ask, has_tls_13, is_static, place_count

FULL_RECORDS = 10 if RUN else 40
ONE_OCTET_RECORDS = 500 if RUN else 5_000


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


def start(authority, folder):
    program = Program.start("tls-uploads", "--listen", "127.0.0.1:0", *authority.options, cwd=folder)
    program.folder = folder / "tls-uploads-data"
    return program


@pytest.fixture(scope="module")
def server(authority, tmp_path_factory):
    yield from running(start(authority, tmp_path_factory.mktemp("uploads")))


@pytest.fixture(scope="module", params=["1.2", "1.3"])
def context(request, authority):
    if request.param == "1.3" and not has_tls_13():
        pytest.skip("Debian 12's mbedTLS has no TLS 1.3")
    return authority.context(VERSIONS[request.param])


@pytest.fixture(autouse=True)
def everything_is_free_again(server, authority):
    for path in server.folder.iterdir():
        path.unlink()
    before = server.settled_descriptors()
    yield
    assert server.is_running, server.output()
    wait_until(lambda: server.descriptors() <= before, "a descriptor is still open")
    fill_places(server, authority.context())
    assert not unfinished(server)


def fill_places(server, context):
    """As many uploads as there are places, all at once, each of them kept."""
    with contextlib.ExitStack() as open_ones:
        wires = [begun(open_ones, server, context, f"place-{number}", RECORD_SIZE_MAX) for number in range(place_count())]
        for number, wire in enumerate(wires):
            wire.write(content(RECORD_SIZE_MAX, number))
        for number, wire in enumerate(wires):
            assert wire.response("PUT").status == 201
            assert kept(server, f"place-{number}") == content(RECORD_SIZE_MAX, number)


def wait_until(holds, what):
    end = time.monotonic() + 15 * SLOWNESS
    while not holds():
        assert time.monotonic() < end, what
        time.sleep(0.02)


def content(count, seed=0):
    """Octets that are nowhere the same for long."""
    return b"".join(b"%08x" % (seed << 24 | position) for position in range(0, count, 8))[:count]


def kept(server, name):
    return (server.folder / name).read_bytes()


def unfinished(server):
    return [path.name for path in server.folder.iterdir() if path.name.startswith(".")]


def begun(open_ones, server, context, name, size, **options):
    """A connection whose handshake is done and that has said that an upload comes."""
    wire = open_ones.enter_context(Wire(server.address, context, **options))
    wire.handshake()
    wire.write(request("PUT", f"/files/{name}", [("Content-Length", str(size))]))
    return wire


@contextlib.contextmanager
def upload(server, context, name, size, **options):
    with contextlib.ExitStack() as open_ones:
        yield begun(open_ones, server, context, name, size, **options)


# Records ------------------------------------------------------------------------------------------

@pytest.mark.parametrize("piece", [65536, 1_000, 16_383], ids=["at-once", "pieces", "a-record-less-an-octet"])
def test_full_records_to_the_end(server, context, piece):
    octets = content(FULL_RECORDS * RECORD_SIZE_MAX)
    with upload(server, context, "full", len(octets), piece=piece) as wire:
        for begin in range(0, len(octets), RECORD_SIZE_MAX):
            wire.write(octets[begin:begin + RECORD_SIZE_MAX])
        assert wire.response("PUT").status == 201
        assert kept(server, "full") == octets
        # The connection goes on.
        wire.write(request("GET", "/"))
        assert wire.response().status == 200


def test_records_of_one_octet(server, context):
    octets = content(ONE_OCTET_RECORDS)
    with upload(server, context, "small", len(octets)) as wire:
        for octet in octets:
            wire.tls.write(bytes([octet]))
        wire.flush()
        assert wire.response("PUT").status == 201
    assert kept(server, "small") == octets


def test_records_of_every_kind_of_size(server, context):
    sizes = [1, RECORD_SIZE_MAX, 1, 1, 8_191, 8_192, 8_193, RECORD_SIZE_MAX - 1, RECORD_SIZE_MAX, RECORD_SIZE_MAX, 3]
    octets = content(sum(sizes))
    with upload(server, context, "sizes", len(octets)) as wire:
        begin = 0
        for size in sizes:
            wire.tls.write(octets[begin:begin + size])
            begin += size
        wire.flush()
        assert wire.response("PUT").status == 201
    assert kept(server, "sizes") == octets


def test_an_upload_and_the_next_request_in_one_record(server, context):
    first, second = content(3_000), content(5_000, 1)
    with Wire(server.address, context) as wire:
        wire.handshake()
        wire.write(request("PUT", "/files/a", body=first) + request("PUT", "/files/b", body=second) + request("GET", "/"))
        octets = b""
        while octets.count(b"HTTP/1.1 ") < 3:
            more = wire.read()
            assert more, octets
            octets += more
        assert octets.count(b"HTTP/1.1 201 ") == 2 and octets.count(b"HTTP/1.1 200 ") == 1, octets
    assert kept(server, "a") == first and kept(server, "b") == second


def test_an_upload_in_chunks(server, context):
    octets = content(10 * RECORD_SIZE_MAX)
    with Wire(server.address, context) as wire:
        wire.handshake()
        wire.write(request("PUT", "/files/chunks", [("Transfer-Encoding", "chunked")]))
        for begin in range(0, len(octets), 16_000):
            part = octets[begin:begin + 16_000]
            wire.write(b"%x\r\n%s\r\n" % (len(part), part))
        wire.write(b"0\r\n\r\n")
        assert wire.response("PUT").status == 201
    assert kept(server, "chunks") == octets


# Ends ---------------------------------------------------------------------------------------------

@pytest.mark.parametrize("coding", ["length", "chunks"])
@pytest.mark.parametrize("how", ["fin", "reset", "close-notify", "within-a-record", "a-changed-record"])
def test_half_an_upload_is_not_kept(server, context, how, coding):
    """Anybody on the way can send FIN: without the last octet, or the last chunk, an upload is not whole."""
    (server.folder / "half").write_bytes(b"the file before")
    octets = content(8 * RECORD_SIZE_MAX)
    field = ("Content-Length", str(len(octets))) if coding == "length" else ("Transfer-Encoding", "chunked")
    with Wire(server.address, context) as wire:
        wire.handshake()
        wire.write(request("PUT", "/files/half", [field]))
        sent = octets[:-1] if coding == "length" else b"%x\r\n%s\r\n" % (len(octets), octets)
        for begin in range(0, len(sent), RECORD_SIZE_MAX):
            wire.write(sent[begin:begin + RECORD_SIZE_MAX])
        wait_until(lambda: unfinished(server), "the upload is begun")
        if how == "fin":
            wire.socket.shutdown(socket.SHUT_WR)
        elif how == "reset":
            reset(wire.socket)
        elif how == "close-notify":
            with contextlib.suppress(ssl.SSLError):
                wire.tls.unwrap()
            wire.flush()
        else:
            # What would make the upload whole.
            wire.tls.write(octets[-1:] if coding == "length" else b"0\r\n\r\n")
            last = bytearray(wire.outgoing.read())
            if how == "a-changed-record":
                last[-1] ^= 1
                wire.socket.sendall(last)
            else:
                wire.socket.sendall(last[:-1])
                wire.socket.shutdown(socket.SHUT_WR)
        if how != "reset":
            answer = b""
            with contextlib.suppress(OSError, ssl.SSLError):
                while more := wire.read():
                    answer += more
            assert b" 201 " not in answer, answer
        wait_until(lambda: not unfinished(server), "what was written of half a file is still there")
    assert kept(server, "half") == b"the file before"


def test_a_refused_upload_is_told_while_the_client_still_sends(authority, context, tmp_path):
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(tmp_path)], check=False,
                             capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("a small disk needs mount(2)")
    try:
        for program in running(start(authority, tmp_path)):
            octets = content(3_000_000)
            with upload(program, context, "large", len(octets)) as wire:
                with contextlib.suppress(OSError):
                    for begin in range(0, len(octets), RECORD_SIZE_MAX):
                        wire.write(octets[begin:begin + RECORD_SIZE_MAX])
                assert wire.response("PUT").status == 507
            assert list(program.folder.iterdir()) == []
            with upload(program, context, "less", 100_000) as wire:
                for _ in range(10):
                    wire.write(content(10_000))
                assert wire.response("PUT").status == 201
    finally:
        subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)


# Beside others ------------------------------------------------------------------------------------

def test_a_slow_upload_costs_nobody_else(server, authority, context):
    octets = content(60 * 200)
    with upload(server, context, "slow", len(octets)) as wire:
        for begin in range(0, len(octets), 200):
            wire.write(octets[begin:begin + 200])
            asked = time.monotonic()
            assert ask(server.address, authority.context(), "/").status == 200
            assert time.monotonic() - asked < 1.0 * SLOWNESS
            time.sleep(0.05)
        assert wire.response("PUT").status == 201
    assert kept(server, "slow") == octets


def test_uploads_at_once(server, context):
    """Two, and as many as there are places, their records by turns."""
    for count in (2, place_count()):
        octets = [content(6 * RECORD_SIZE_MAX, number) for number in range(count)]
        with contextlib.ExitStack() as open_ones:
            wires = [begun(open_ones, server, context, f"{count}-{number}", len(octets[number])) for number in range(count)]
            for begin in range(0, len(octets[0]), RECORD_SIZE_MAX):
                for number, wire in enumerate(wires):
                    wire.write(octets[number][begin:begin + RECORD_SIZE_MAX])
            for number, wire in enumerate(wires):
                assert wire.response("PUT").status == 201
                assert kept(server, f"{count}-{number}") == octets[number]


def test_nothing_is_kept_of_many_uploads(server, context):
    """Memory of a connection is given back at its end, whether its upload was whole or not."""
    octets = content(4 * RECORD_SIZE_MAX)

    def both():
        for size in (len(octets), len(octets) + 1):
            with upload(server, context, "many", size) as wire:
                for begin in range(0, len(octets), RECORD_SIZE_MAX):
                    wire.write(octets[begin:begin + RECORD_SIZE_MAX])
                if size == len(octets):
                    assert wire.response("PUT").status == 201

    for _ in range(10):
        both()
    before, descriptors = server.memory(), server.settled_descriptors()
    for _ in range(5 if RUN else 40):
        both()
    assert server.settled_descriptors() == descriptors
    if not RUN and is_static():
        assert server.memory()[0] <= before[0] + 32, (before, server.memory())


def test_a_connection_that_uploads_keeps_its_place(server, authority, context):
    """Who rests makes room for new connections; who uploads does not."""
    octets = content(20 * RECORD_SIZE_MAX)
    with upload(server, context, "stays", len(octets)) as wire, contextlib.ExitStack() as open_ones:
        for begin in range(0, len(octets), RECORD_SIZE_MAX):
            wire.write(octets[begin:begin + RECORD_SIZE_MAX])
            for _ in range(2):
                connection = open_ones.enter_context(Encrypted(server.address, authority.context()))
                assert connection.get("/").status == 200
        assert wire.response("PUT").status == 201
    assert kept(server, "stays") == octets
