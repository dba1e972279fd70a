"""`pieces-example`: what is longer than any buffer, in both directions, on real sockets.

Shown here: files, lists, events and uploads are whole whatever client asks and however slowly, the
framing is exact, the next request on the connection is answered; whoever leaves midway takes nothing
along; memory does not grow; a file may be longer than 2 GiB.
"""

import hashlib
import http.client
import os
import random
import re
import shutil
import socket
import subprocess
import time

import pytest

from client import BadAnswer, CHUNK_SIZE, Connection, request
from program import RUN, SANITIZED, Program, running

IS_EMULATED = bool(RUN)
COUNT = 200_000  # entries of a list
# Under an emulator these say little about the program.
LARGE = (20 if IS_EMULATED else 200) * 1_000_000
DIGEST_BUSY = 503


def entries(count=COUNT):
    return b"".join(b"<li>%d\n" % i for i in range(count))


def noise(count, seed=1):
    return random.Random(seed).randbytes(count)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pieces")
    (folder / "pieces-example.bin").write_bytes(noise(3_000_017))
    return folder


@pytest.fixture(scope="module")
def pieces(folder):
    program = Program.start("pieces-example", "--listen", "127.0.0.1:0", cwd=folder)
    program.resting = program.descriptors()
    yield from running(program)


@pytest.fixture
def file(folder):
    """The file that is downloaded; as it was again afterwards."""
    path = folder / "pieces-example.bin"
    yield path
    path.write_bytes(noise(3_000_017))


@pytest.fixture
def same_descriptors(pieces):
    """What is opened for a client is closed when the client has gone."""
    yield
    # What those who left have sent before is read first, and a sanitizer's program reads slowly.
    end = time.monotonic() + (40.0 if SANITIZED or IS_EMULATED else 8.0)
    while pieces.descriptors() != pieces.resting and time.monotonic() < end:
        time.sleep(0.02)
    assert pieces.descriptors() == pieces.resting, "descriptors are left over"


def curl(program, path, *arguments, within=60, **options):
    assert shutil.which("curl"), "curl is missing: scripts/setup test installs it"
    host, port = program.address
    return subprocess.run(
        ["curl", "--silent", "--show-error", "--max-time", str(within), *arguments,
         f"http://{host}:{port}{path}"], capture_output=True, check=True, **options)


def upload(path, octets=b"", fields=(), chunk=None):
    """The octets of an upload, in chunks of that size or with its length."""
    if chunk is None:
        return request("POST", path, [("Content-Length", len(octets)), *fields]) + octets
    parts = [octets[i:i + chunk] for i in range(0, len(octets), chunk)]
    framed = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)
    return request("POST", path, [("Transfer-Encoding", "chunked"), *fields]) + framed + b"0\r\n\r\n"


def result_of(path, octets):
    """What the example answers an upload with."""
    if path == "/digest":
        return hashlib.sha256(octets).hexdigest().encode() + b"\n"
    return b"%d octets\n" % len(octets)


CONTENTS = {"/file": noise(3_000_017), f"/list?count={COUNT}": entries(), "/list?count=0": b"",
            "/style.css": b"body { font: 1em sans-serif }\n"}


# Whole, for real clients --------------------------------------------------------------------------

@pytest.mark.parametrize("version", ["--http1.1", "--http1.0"])
@pytest.mark.parametrize("path", CONTENTS)
def test_curl_gets_all_of_it(pieces, path, version):
    assert curl(pieces, path, version).stdout == CONTENTS[path]


@pytest.mark.parametrize("path", ["/file", "/list?count=2000000"])
def test_a_slow_curl_gets_all_of_it(pieces, file, path):
    """Slow enough that the kernel's buffers are full nearly all of the time."""
    os.truncate(file, 20_000_000)
    start = time.monotonic()
    content = curl(pieces, path, "--limit-rate", "6M").stdout
    # Some three seconds and a half; curl begins with a leap.
    assert time.monotonic() - start > 1.0, "that was not slow"
    assert content == (file.read_bytes() if path == "/file" else entries(2_000_000))


@pytest.mark.parametrize("path", CONTENTS)
def test_head_tells_what_get_brings(pieces, path):
    with Connection(pieces.address) as connection:
        head = connection.send(request("HEAD", path)).response("HEAD")
        get = connection.send(request("GET", path)).response(within=30)
    if path.startswith("/list"):
        assert head.one("Transfer-Encoding") == "chunked" and not head.one("Content-Length")
    else:
        assert head.one("Content-Length") == str(len(CONTENTS[path]))
    assert [field for field in head.fields if field[0] != "Date"] == [
        field for field in get.fields if field[0] != "Date"]
    assert get.body == CONTENTS[path]


@pytest.mark.parametrize("expect", [[], ["--header", "Expect:"]], ids=["expects", "sends"])
@pytest.mark.parametrize("framing", [[], ["--header", "Transfer-Encoding: chunked"]],
                         ids=["length", "chunked"])
@pytest.mark.parametrize("path", ["/count", "/digest"])
def test_curl_uploads(pieces, tmp_path, path, framing, expect):
    octets = noise(5_000_003, seed=2)
    (tmp_path / "upload").write_bytes(octets)
    start = time.monotonic()
    ended = curl(pieces, path, "--verbose", "--request", "POST", "--upload-file",
                 str(tmp_path / "upload"), *framing, *expect)
    assert ended.stdout == result_of(path, octets)
    assert (b"< HTTP/1.1 100 Continue" in ended.stderr) == (not expect)
    # curl waits a second for a 100 that does not come.
    assert expect or IS_EMULATED or time.monotonic() - start < 1.0


@pytest.mark.parametrize("framing", [[], ["--header", "Transfer-Encoding: chunked"]],
                         ids=["length", "chunked"])
def test_curl_uploads_slowly(pieces, tmp_path, framing):
    octets = noise(1_200_000, seed=3)
    (tmp_path / "upload").write_bytes(octets)
    ended = curl(pieces, "/digest", "--request", "POST", "--upload-file", str(tmp_path / "upload"),
                 "--limit-rate", "400k", *framing)
    assert ended.stdout == result_of("/digest", octets)


def test_curl_uploads_a_form(pieces, tmp_path):
    """What the page's own form sends; the answer is of the whole multipart content."""
    (tmp_path / "upload").write_bytes(noise(300_000))
    ended = curl(pieces, "/digest", "--form", f"file=@{tmp_path / 'upload'}")
    assert re.fullmatch(rb"[0-9a-f]{64}\n", ended.stdout)


def test_an_upload_in_http_1_0(pieces):
    octets = noise(200_000)
    with Connection(pieces.address) as connection:
        connection.send(request("POST", "/digest", body=octets, version="HTTP/1.0"))
        assert connection.response().body == result_of("/digest", octets)
        assert connection.is_closed()


def test_http_client_reads_the_chunks(pieces):
    connection = http.client.HTTPConnection(*pieces.address, timeout=30)
    for count in (COUNT, 0, 1):
        connection.request("GET", f"/list?count={count}")
        response = connection.getresponse()
        assert response.chunked and response.read() == entries(count)
    connection.request("POST", "/digest", iter([b"one", b"two" * 5000, b"3"]), encode_chunked=True,
                       headers={"Transfer-Encoding": "chunked"})
    assert connection.getresponse().read() == result_of("/digest", b"one" + b"two" * 5000 + b"3")
    connection.close()


def chunks(octets):
    """The chunks of a whole chunked content; strict: no extension, no trailer, nothing after it."""
    place = 0
    while True:
        end = octets.index(b"\r\n", place)
        size = octets[place:end]
        assert CHUNK_SIZE.match(size) and size == b"%x" % int(size, 16), size
        count, start = int(size, 16), end + 2
        assert octets[start + count:start + count + 2] == b"\r\n", "a chunk ends with CRLF"
        if count == 0:
            assert start + 2 == len(octets), "nothing follows the last chunk"
            return
        yield octets[start:start + count]
        place = start + count + 2


def test_chunks_are_exact_and_large(pieces):
    with socket.create_connection(pieces.address, timeout=30) as connection:
        connection.sendall(request("GET", f"/list?count={COUNT}", [("Connection", "close")], host="x"))
        octets = b"".join(iter(lambda: connection.recv(65536), b""))
    # A client that wants the end gets the content up to the end, or chunks; this one gets chunks.
    head, _, content = octets.partition(b"\r\n\r\n")
    assert b"Transfer-Encoding: chunked" in head and b"Connection: close" in head
    pieces_of_it = list(chunks(content))
    assert b"".join(pieces_of_it) == entries()
    assert min(map(len, pieces_of_it[:-1])) > 15_000, "a piece fills its buffer"


# One after the other ------------------------------------------------------------------------------

PIPELINED = {
    "file": (request("GET", "/file"), CONTENTS["/file"]),
    "list": (request("GET", "/list?count=30000"), entries(30_000)),
    "empty list": (request("GET", "/list?count=0"), b""),
    "asset": (request("GET", "/style.css"), CONTENTS["/style.css"]),
    "no page": (request("GET", "/nowhere"), None),
    "length": (upload("/digest", noise(100_000)), result_of("/digest", noise(100_000))),
    "chunks": (upload("/digest", noise(100_000), chunk=997), result_of("/digest", noise(100_000))),
    "one octet chunks": (upload("/count", noise(300), chunk=1), result_of("/count", noise(300))),
    "empty": (upload("/digest"), result_of("/digest", b"")),
    "empty chunked": (upload("/count", chunk=1), result_of("/count", b"")),
}


@pytest.mark.parametrize("second", PIPELINED)
@pytest.mark.parametrize("first", PIPELINED)
def test_the_next_request_is_answered(pieces, first, second):
    """Both in one go, and a third one behind them."""
    with Connection(pieces.address) as connection:
        connection.send(PIPELINED[first][0] + PIPELINED[second][0] + request("GET", "/"))
        for name in (first, second):
            response = connection.response(within=30)
            if PIPELINED[name][1] is None:
                assert response.status == 404, response.told
            else:
                assert response.status == 200 and response.body == PIPELINED[name][1], response.told
        assert "<h1>Pieces</h1>" in connection.response().text


def test_an_upload_octet_by_octet(pieces):
    octets = upload("/digest", b"abcdefgh", chunk=3) + upload("/count", b"xyz")
    with Connection(pieces.address) as connection:
        for i in range(len(octets)):
            connection.send(octets[i:i + 1])
            time.sleep(0.001)
        assert connection.response().body == result_of("/digest", b"abcdefgh")
        assert connection.response().body == result_of("/count", b"xyz")


def test_two_digests_at_a_time_have_a_state_each(pieces):
    octets = noise(50_000)
    with Connection(pieces.address) as first, Connection(pieces.address) as second:
        whole = upload("/digest", octets)
        first.send(whole[:30_000])
        time.sleep(0.2)
        assert second.send(upload("/digest", b"abc")).response().body == result_of("/digest", b"abc")
        first.send(whole[30_000:])
        assert first.response().body == result_of("/digest", octets)


@pytest.mark.parametrize("octets, status", [
    (request("POST", "/count", [("Content-Length", "2147483648")]), 413),
    (request("POST", "/count", [("Content-Length", "9223372036854775808")]), 413),
    (request("POST", "/count", [("Content-Length", "4"), ("Transfer-Encoding", "chunked")]), 400),
    (request("POST", "/count", [("Transfer-Encoding", "chunked")]) + b"80000000\r\n", 413),
    (request("POST", "/count", [("Transfer-Encoding", "chunked")]) + b"7fffffff0\r\n", 413),
    (request("POST", "/count", [("Transfer-Encoding", "chunked")]) + b"g\r\n", 400),
    (request("POST", "/count", [("Transfer-Encoding", "chunked")]) + b"3\r\nabcd\r\n", 400),
    (request("POST", "/digest", [("Transfer-Encoding", "chunked")]) + b"3\r\nabcxx", 400),
    (request("PUT", "/count", body=b"abc"), 405),
    (request("POST", "/file", body=b"abc"), 405)])
def test_an_upload_that_cannot_be_is_refused(pieces, octets, status):
    with Connection(pieces.address) as connection:
        response = connection.send(octets).response()
        assert response.status == status, response.told
    assert_digest_is_free(pieces)


def assert_digest_is_free(program, within=3.0):
    """Nobody holds the one hash."""
    end = time.monotonic() + within
    while True:
        with Connection(program.address) as connection:
            response = connection.send(upload("/digest", b"abc")).response()
        if response.status != DIGEST_BUSY or time.monotonic() > end:
            break
        time.sleep(0.05)
    assert response.body == result_of("/digest", b"abc"), response.told


# Midway -------------------------------------------------------------------------------------------

@pytest.mark.parametrize("leaves", ["close", "reset"])
@pytest.mark.parametrize("octets", [
    request("GET", "/file"), request("GET", "/list?count=99999999"), request("GET", "/events"),
    upload("/digest", noise(100_000))[:-1], upload("/digest", noise(100_000), chunk=9_000)[:50_000],
    upload("/count", noise(100_000), chunk=1)[:50_000]],
    ids=["file", "list", "events", "length", "chunks", "small chunks"])
def test_whoever_leaves_takes_nothing_along(pieces, same_descriptors, octets, leaves):
    """Ten leave at different moments, with what they have not read, or not sent."""
    for i in range(10):
        connection = Connection(pieces.address).send(octets)
        if octets.startswith(b"GET"):
            connection.receive(5.0)
        time.sleep(0.003 * i)
        if leaves == "reset":
            connection.reset()
        else:
            connection.close()
    assert_digest_is_free(pieces)


def test_a_file_that_shrinks_ends_the_connection(pieces, file, same_descriptors):
    os.truncate(file, 200_000_000)
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 100_000)
        connection.settimeout(10)
        connection.connect(pieces.address)
        connection.sendall(request("GET", "/file"))
        received = len(connection.recv(65536))
        os.truncate(file, 50_000)
        while octets := connection.recv(1 << 20):
            received += len(octets)
    assert 50_000 < received < 200_000_000
    with Connection(pieces.address) as connection:
        assert len(connection.send(request("GET", "/file")).response().body) == 50_000


def test_a_file_that_grows_is_sent_as_long_as_it_was(pieces, file):
    os.truncate(file, 50_000_000)
    with socket.create_connection(pieces.address, timeout=10) as connection:
        connection.sendall(request("GET", "/file", [("Connection", "close")]))
        octets = connection.recv(65536)
        os.truncate(file, 51_000_000)
        received = len(octets)
        while more := connection.recv(1 << 20):
            received += len(more)
    assert received == octets.index(b"\r\n\r\n") + 4 + 50_000_000
    with Connection(pieces.address) as connection:
        assert connection.send(request("HEAD", "/file")).response("HEAD").one(
            "Content-Length") == "51000000"


def test_a_file_that_is_not_there(pieces, file):
    file.unlink()
    with Connection(pieces.address) as connection:
        assert connection.send(request("GET", "/file")).response().status == 404


def test_an_empty_file_comes_at_once(pieces, file):
    """Its head does not wait for what would follow: the system would keep it for 200 ms."""
    file.write_bytes(b"")
    took = []
    with Connection(pieces.address) as connection:
        for _ in range(5):
            start = time.monotonic()
            assert connection.send(request("GET", "/file")).response().body == b""
            took.append(time.monotonic() - start)
    assert min(took) < 0.1, took


# Large --------------------------------------------------------------------------------------------

@pytest.mark.skipif(SANITIZED, reason="AddressSanitizer keeps what is given back: its memory grows")
def test_large_ones_take_no_memory(pieces, file, tmp_path):
    """A file, a list and uploads that are a hundred times larger than the program's memory."""
    os.truncate(file, LARGE)
    (tmp_path / "zeros").touch()
    os.truncate(tmp_path / "zeros", LARGE)
    digest = hashlib.sha256()
    for _ in range(LARGE // 1_000_000):
        digest.update(bytes(1_000_000))
    expected = digest.hexdigest().encode() + b"\n"
    # What is touched for the first time counts as well: one short round of each.
    with Connection(pieces.address) as connection:
        for octets, _ in PIPELINED.values():
            connection.send(octets).response(within=60)
    before = pieces.memory()
    received = tmp_path / "received"
    curl(pieces, "/file", "--output", str(received))
    assert subprocess.run(["cmp", "-s", str(file), str(received)], check=False).returncode == 0
    received.unlink()
    count = LARGE // 20
    curl(pieces, f"/list?count={count}", "--output", str(received))
    with open(received, "rb") as lines:
        assert all(line == b"<li>%d\n" % i for i, line in enumerate(lines)), "the list is not exact"
    assert received.stat().st_size == len("<li>\n") * count + sum(
        len(str(i)) for i in range(count))
    received.unlink()
    for framing in ([], ["--header", "Transfer-Encoding: chunked"]):
        ended = curl(pieces, "/digest", "--request", "POST", "--upload-file", str(tmp_path / "zeros"),
                     *framing)
        assert ended.stdout == expected
    after = pieces.memory()
    # Pages that the system has read ahead of the program's own file may come and go.
    assert IS_EMULATED or after[1] <= before[1] and after[0] <= before[0] + 16, (
        f"resident, anonymous KiB: {before} before, {after} afterwards")


@pytest.mark.parametrize("size", [2**31 - 1, 2**31, 2**32, 2**32 + 5, 5_000_000_000])
def test_a_file_beyond_what_32_bits_count(pieces, file, size, same_descriptors):
    os.truncate(file, size)
    with Connection(pieces.address) as connection:
        assert connection.send(request("HEAD", "/file")).response("HEAD").one(
            "Content-Length") == str(size)
        connection.send(request("GET", "/file"))
        while len(connection.received) < 1_000_000:
            assert connection.receive(10.0) and not connection.ended
        head, _, content = bytes(connection.received).partition(b"\r\n\r\n")
    assert f"\r\nContent-Length: {size}\r\n".encode() in head
    assert content[:900_000] == (noise(3_000_017) + bytes(1))[:900_000]


# Events -------------------------------------------------------------------------------------------

def events(connection, count):
    """Moments of the next events."""
    moments = []
    while len(moments) < count:
        assert connection.receive(5.0) and not connection.ended, "no event came"
        moments += [time.monotonic()] * connection.received.count(b"\n\n")
        connection.received.clear()
    return moments


def test_events_come_one_by_one(pieces, same_descriptors):
    with Connection(pieces.address) as connection:
        moments = events(connection.send(request("GET", "/events")), 5)
    gaps = [later - earlier for earlier, later in zip(moments, moments[1:])]
    assert all(0.3 < gap < 0.9 for gap in gaps) or IS_EMULATED, gaps


def test_who_has_said_all_still_gets_events(pieces, same_descriptors):
    with Connection(pieces.address) as connection:
        connection.send(request("GET", "/events")).finish_sending()
        events(connection, 4)


def test_a_client_that_vanishes_is_looked_for(pieces):
    """While a page pauses nothing is sent that would tell; the system's own probes do (/proc/net/tcp,
    timer 2)."""
    with Connection(pieces.address) as connection:
        events(connection.send(request("GET", "/events")), 1)
        ends = [f":{port:04X}" for port in (pieces.address[1], connection.socket.getsockname()[1])]
        time.sleep(0.2)
        with open("/proc/net/tcp", encoding="ascii") as lines:
            sockets = [line.split() for line in lines]
    timers = [line[5][:2] for line in sockets if [line[1][-5:], line[2][-5:]] == ends]
    assert timers == ["02"], timers


def test_a_stop_does_not_wait_for_events(folder):
    program = Program.start("pieces-example", "--listen", "127.0.0.1:0", cwd=folder)
    with Connection(program.address) as connection:
        events(connection.send(request("GET", "/events")), 1)
        start = time.monotonic()
        program.stop()
        assert time.monotonic() - start < 1.5


def test_a_stop_lets_uploads_end(folder):
    program = Program.start("pieces-example", "--listen", "127.0.0.1:0", cwd=folder)
    octets = upload("/digest", noise(100_000))
    with Connection(program.address) as connection:
        connection.send(octets[:60_000])
        time.sleep(0.2)
        program.send_signal(15)
        time.sleep(0.2)
        response = connection.send(octets[60_000:]).response()
        assert response.body == result_of("/digest", noise(100_000))
        assert response.one("Connection") == "close"
    assert program.wait() == 0


def test_an_unfinished_list_is_seen_to_be_unfinished(folder):
    """Of a list that a stop cuts off the last chunk is missing."""
    program = Program.start("pieces-example", "--listen", "127.0.0.1:0", cwd=folder)
    with Connection(program.address) as connection:
        connection.send(request("GET", "/list?count=999999999"))
        connection.receive(5.0)
        program.send_signal(15)
        with pytest.raises(BadAnswer, match="ended within a chunked"):
            end = time.monotonic() + 8.0
            while not connection.ended and time.monotonic() < end:
                connection.receive(1.0)
                del connection.received[200_000:]
            assert connection.ended, "it went on"
            connection.response()
    program.wait()
