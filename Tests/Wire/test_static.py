"""Files of a folder over the wire, with static-example: attacks first, then what browsers and tools do.

Shown here: no spelling of a path leads out of the folder; conditional and range requests are answered as RFC
9110 says; a client that resumes gets the rest; a file of 1 GiB costs no memory; nothing leads out while names change.
"""

import gzip
import os
import re
import resource
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest

from client import Connection, Visitor, request
from program import REPOSITORY, RUN, SANITIZED, Program, command_of, running

WWW = REPOSITORY / "Sources" / "StaticExample" / "www"
OLD = 1_600_000_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The example's folder beside something secret, and more files."""
    above = tmp_path_factory.mktemp("static")
    (above / "secret").write_text("secret")
    www = shutil.copytree(WWW, above / "www")
    (www / "digits").write_text("0123456789")
    (www / "empty.txt").write_text("")
    (www / "sub").mkdir()
    (www / "sub" / "index.html").write_text("<p>sub")
    (www / "bare").mkdir()
    (www / "bare" / "page.html").write_text("<p>bare")
    (www / ".hidden").write_text("hidden")
    (www / ".git").mkdir()
    (www / ".git" / "config").write_text("hidden")
    (www / ".martlet-new").write_text("hidden")
    (www / "a b%41ü.TXT").write_text("odd")
    (www / "late.css").write_text("x" * 1_000)
    (www / "late.css.gz").write_bytes(gzip.compress(b"old"))
    (www / "both.js").write_text("let x\n" * 100)
    (www / "both.js.gz").write_bytes(gzip.compress(b"let x\n" * 100))
    (www / "both.js.br").write_bytes(b"as if it were Brotli")
    (www / "long.bin").write_bytes(bytes(i * 7 % 251 for i in range(300_000)))
    for path in www.iterdir():
        os.utime(path, (OLD, OLD))
    os.utime(www / "late.css.gz", (OLD - 1, OLD - 1))
    (www / "out").symlink_to("../secret")
    (www / "absolute").symlink_to("/etc/passwd")
    (www / "parent").symlink_to("..")
    (www / "inside").symlink_to("sub/index.html")
    (www / "magic").symlink_to("/proc/self/root/etc/passwd")
    (www / "loop").symlink_to("loop")
    os.mkfifo(www / "fifo")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(www / "socket"))
    listener.close()
    return www


@pytest.fixture(scope="module")
def program(folder):
    yield from running(Program.start("static-example", "--listen", "127.0.0.1:0", cwd=folder.parent))


@pytest.fixture
def site(program):
    return Visitor(program.address)


# Attacks ------------------------------------------------------------------------------------------

ATTACKS = """
../secret  %2e%2e/secret  ..%2fsecret  %2e%2e%2fsecret  sub/../../secret  sub/..%2f..%2fsecret
.%2e/secret  %2E./secret  sub/%2e%2e/%2e%2e/secret  ....//secret  ..%5csecret  ..\\secret  sub%5c..%5c..%5csecret
%252e%252e/secret  %252e%252e%252fsecret  ..%252fsecret  ..%c0%afsecret  %c0%ae%c0%ae/secret  ..%ef%bc%8fsecret
/etc/passwd  //etc/passwd  %2fetc%2fpasswd  ./digits  sub/./index.html  sub//index.html  sub%2findex.html
digits%00  digits%00.css  ../secret%00.css  digits%0a  digits%0d%0aX:%20y  digits%7f  %ff  %80digits
digits.  digits%20  %20digits  digits/  digits/.  digits/..  digits/index.html  digits::$DATA  DIGITS
.hidden  %2ehidden  .git/config  .git/  %2Egit/config  .martlet-new  sub/.hidden
out  absolute  parent/secret  parent/www/digits  magic  loop  fifo  socket  bare  bare/  nowhere/digits
""".split()


@pytest.mark.parametrize("path", ATTACKS + ["x" * 256, "x/" * 200 + "x", "x" * 3_000, "%78" * 600])
def test_path_that_leads_elsewhere_brings_nothing(site, path):
    response = site.get(f"/files/{path}")
    assert response.status in (308, 400, 404), response.told
    words = [b"secret", b"hidden", b"root:", b"0123456789"]
    if response.status == 308:
        # Another spelling of a path below the folder, as RFC 3986 section 5.2.4 has it.
        assert re.fullmatch(r"/(files(/[A-Za-z0-9.]*)*)?", response.location), response.told
        assert "/.." not in response.location and "//" not in response.location, response.told
        response = site.get(response.location)
        words.pop()
    for word in words:
        assert word not in response.body.replace(b"/secret", b""), response.told


def test_program_still_answers_after_a_pipe(site):
    assert site.get("/files/fifo").status == 404
    assert site.get("/files/digits").body == b"0123456789"


def swap_folders(www):
    """A folder and a symbolic link that leads out, under one name in turn."""
    os.rename(www / "turned", www.parent / "kept")
    os.rename(www.parent / "leads-out", www / "turned")
    yield
    os.rename(www / "turned", www.parent / "leads-out")
    os.rename(www.parent / "kept", www / "turned")
    yield


def swap_links(www):
    """A symbolic link that stays in the folder, and one that leads out, under one name in turn."""
    for target in ("../../outside/file", "inner"):
        os.symlink(target, www / "turned" / "next")
        os.rename(www / "turned" / "next", www / "turned" / "file")
        yield


@pytest.mark.parametrize("swap", [swap_folders, swap_links])
def test_path_that_changes_while_it_is_opened_never_leads_out(program, folder, swap):
    """Both files are asked for a thousand times and more; only the one within the folder ever comes."""
    for path, text in ((folder / "turned", "inside"), (folder.parent / "outside", "outside")):
        path.mkdir()
        (path / "file").write_text(text)
        (path / "inner").write_text(text)
    (folder.parent / "leads-out").symlink_to("../outside" if swap is swap_folders else "nowhere")
    ended = threading.Event()

    def go_on():
        while not ended.is_set():
            for _ in swap(folder):
                pass

    swapping = threading.Thread(target=go_on)
    swapping.start()
    came = set()
    try:
        end = time.monotonic() + 1.5
        with Connection(program.address) as connection:
            while time.monotonic() < end:
                connection.send(request("GET", "/files/turned/file"))
                response = connection.response()
                came.add((response.status, response.body if response.status == 200 else b""))
    finally:
        ended.set()
        swapping.join()
        shutil.rmtree(folder / "turned")
        shutil.rmtree(folder.parent / "outside")
        (folder.parent / "leads-out").unlink()
    both = {(200, b"inside"), (404, b"")}
    # An emulator without openat2() follows no link.
    assert came <= both if RUN else came == both, came


def test_link_that_stays_in_the_folder_is_followed(site):
    response = site.get("/files/inside")
    # Without openat2(), as in the emulator of a user's processes, no link is followed.
    if RUN and response.status == 404:
        return
    assert response.status == 200 and response.body == b"<p>sub", response.told
    assert response.one("Content-Type") == "application/octet-stream"


def test_name_is_decoded_once(site):
    response = site.get("/files/a%20b%2541%C3%BC.TXT")
    assert response.status == 200 and response.body == b"odd", response.told
    assert response.one("Content-Type") == "text/plain; charset=utf-8"


@pytest.mark.parametrize("ranges", [
    ",".join(f"{i}-{i}" for i in range(0, 2_000, 2)), ",".join(["0-"] * 1_000), ",".join(["-1"] * 1_000),
    ",".join(f"{i}-{i + 5}" for i in range(1_000))])
def test_a_thousand_ranges_bring_no_more_than_the_file(site, ranges):
    response = site.get("/files/long.bin", [("Range", "bytes=" + ranges)])
    assert response.status in (200, 206), response.told
    assert len(response.body) <= 300_000, response.told


@pytest.mark.parametrize("value", [
    "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=5-2", "bytes= ", "bytes=,", "items=0-1", "bytes=0-1;q=1",
    "bytes=0x1-2", "bytes=+1-2", "bytes=1 - 2", "bytes=1--2", "bytes 0-1", "=0-1", "bytes=0-1,x"])
def test_malformed_range_is_ignored(site, value):
    response = site.get("/files/digits", [("Range", value)])
    assert response.status == 200 and response.body == b"0123456789", response.told
    assert response.one("Content-Range") is None


@pytest.mark.parametrize("value, octets", [
    ("0-0", b"0"), ("3-", b"3456789"), ("-3", b"789"), ("-99", b"0123456789"), ("8-99", b"89"),
    ("9-18446744073709551616", b"9"), ("-99999999999999999999999", b"0123456789"), ("0-4,5-9", b"0123456789"),
    ("4-6,0-4", b"0123456"), ("99-,2-3", b"23"), ("00000000000000000000000001-2", b"12"), (" 1-2 , ", b"12")])
def test_one_range(site, value, octets):
    response = site.get("/files/digits", [("Range", "bytes=" + value)])
    assert response.status == 206 and response.body == octets, response.told
    start = b"0123456789".index(octets)
    assert response.one("Content-Range") == f"bytes {start}-{start + len(octets) - 1}/10", response.told
    assert response.one("Content-Length") == str(len(octets))
    assert response.one("ETag") and response.one("Last-Modified") and response.one("Accept-Ranges") == "bytes"


@pytest.mark.parametrize("value", ["10-", "10-20", "-0", "18446744073709551616-", "99999999999999999999999-", "10-,-0"])
def test_range_that_is_not_there_is_416(site, value):
    response = site.get("/files/digits", [("Range", "bytes=" + value)])
    assert response.status == 416 and response.one("Content-Range") == "bytes */10", response.told
    assert response.one("Cache-Control") == "no-store"


@pytest.mark.parametrize("value", ["0-", "-1", "0-0", "5-"])
def test_range_of_an_empty_file_brings_the_whole_of_it(site, value):
    response = site.get("/files/empty.txt", [("Range", "bytes=" + value)])
    assert response.status == 200 and response.body == b"", response.told


def parts_of(response):
    assert response.status == 206, response.told
    boundary = re.fullmatch(r"multipart/byteranges; boundary=([0-9a-f]{32})", response.one("Content-Type"))[1]
    assert response.one("Content-Range") is None
    pieces = response.body.split(b"\r\n--" + boundary.encode())
    assert pieces[0] == b"" and pieces[-1] == b"--\r\n", response.told
    parts = []
    for piece in pieces[1:-1]:
        head, content = piece.split(b"\r\n\r\n", 1)
        fields = dict(line.split(b": ", 1) for line in head.strip().split(b"\r\n"))
        parts.append((fields[b"Content-Range"].decode(), fields[b"Content-Type"].decode(), content))
    return boundary, parts


def test_several_ranges_are_several_parts(site, folder):
    whole = (folder / "long.bin").read_bytes()
    response = site.get("/files/long.bin", [("Range", "bytes=299990-,0-9,100000-200000,150000-200001,-1")])
    boundary, parts = parts_of(response)
    assert parts == [
        ("bytes 299990-299999/300000", "application/octet-stream", whole[299990:]),
        ("bytes 0-9/300000", "application/octet-stream", whole[:10]),
        ("bytes 100000-200001/300000", "application/octet-stream", whole[100000:200002])]
    assert len(response.body) == int(response.one("Content-Length"))
    again, _ = parts_of(site.get("/files/long.bin", [("Range", "bytes=0-1,5-6")]))
    assert again != boundary


def test_so_many_ranges_and_not_more(site):
    ranges = [f"{i * 10}-{i * 10}" for i in range(9)]
    _, parts = parts_of(site.get("/files/long.bin", [("Range", "bytes=" + ",".join(ranges[:8]))]))
    assert len(parts) == 8
    assert site.get("/files/long.bin", [("Range", "bytes=" + ",".join(ranges))]).status == 200


def test_several_ranges_of_many_clients_at_a_time(program, folder):
    """Five responses with parts are under way; there are places for four, and the fifth gets the file."""
    whole = (folder / "long.bin").read_bytes()
    readers = []
    for _ in range(6):
        reader = socket.socket()
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        reader.connect(program.address)
        reader.sendall(b"GET /files/long.bin HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
                       b"Range: bytes=0-149999,150001-\r\n\r\n")
        readers.append(reader)
    time.sleep(0.3)
    statuses = []
    for reader in readers:
        with reader, reader.makefile("rb") as file:
            statuses.append(int(file.readline().split()[1]))
            assert whole[150_001:] in file.read()
    assert statuses.count(206) >= 4 and set(statuses) <= {200, 206}, statuses
    for _ in range(9):
        reader = socket.create_connection(program.address)
        reader.sendall(b"GET /files/long.bin HTTP/1.1\r\nHost: a\r\nRange: bytes=0-149999,150001-\r\n\r\n")
        reader.close()
    time.sleep(0.1)
    for _ in range(5):
        assert Visitor(program.address).get("/files/long.bin", [("Range", "bytes=0-1,5-6")]).status == 206


# Answers ------------------------------------------------------------------------------------------

def test_file_has_type_tag_and_date(site):
    response = site.get("/files/style.css")
    assert response.body == (WWW / "style.css").read_bytes()
    assert response.one("Content-Type") == "text/css; charset=utf-8"
    assert re.fullmatch(r'"[0-9.-]+"', response.one("ETag")), response.told
    assert response.one("Last-Modified") == "Sun, 13 Sep 2020 12:26:40 GMT"
    assert response.one("Cache-Control") == "no-cache" and response.all("X-Content-Type-Options") == ["nosniff"]
    assert not response.all("Set-Cookie")
    assert site.get("/").one("Content-Type") == "text/html; charset=utf-8"
    assert site.get("/files/picture.svg").one("Content-Type") == "image/svg+xml"
    assert site.get("/files/digits").one("Content-Type") == "application/octet-stream"


@pytest.mark.parametrize("target", ["/files/style.css", "/files/digits", "/", "/files/empty.txt"])
@pytest.mark.parametrize("fields", [[], [("Accept-Encoding", "gzip")], [("If-None-Match", "*")]])
def test_head_has_the_headers_of_get(site, target, fields):
    get, head = site.get(target, fields), site.ask("HEAD", target, fields)
    assert head.status == get.status and head.body == b""
    named = [[field for field in response.fields if field[0] != "Date"] for response in (get, head)]
    assert named[0] == named[1]
    assert site.ask("HEAD", target, [*fields, ("Range", "bytes=0-0")]).status == get.status


def test_other_methods_are_refused(site):
    for method in ("POST", "PUT", "DELETE"):
        response = site.ask(method, "/files/digits", [], b"")
        assert response.status == 405 and response.allowed >= {"GET", "HEAD"}, response.told


def test_folder_is_redirected_to_its_index(site):
    response = site.get("/files/sub?a=b")
    assert response.status == 308 and response.location == "/files/sub/?a=b", response.told
    response = site.get("/files/sub/")
    assert response.status == 200 and response.body == b"<p>sub", response.told
    assert response.one("Content-Type") == "text/html; charset=utf-8"
    # A folder without its index shows nothing, and no listing.
    assert site.get("/files/bare/").status == 404


def test_conditions(site):
    first = site.get("/files/digits")
    tag, date = first.one("ETag"), first.one("Last-Modified")
    earlier, later = "Sun, 13 Sep 2020 12:26:39 GMT", "Sunday, 13-Sep-20 12:26:41 GMT"
    old_form = "Sun Sep 13 12:26:40 2020"
    cases = [
        (304, [("If-None-Match", tag)]), (304, [("If-None-Match", f'"x", W/{tag}')]), (304, [("If-None-Match", "*")]),
        (304, [("If-None-Match", '"x"'), ("If-None-Match", tag)]),
        (200, [("If-None-Match", '"x"')]), (200, [("If-None-Match", tag.strip('"'))]),
        (304, [("If-Modified-Since", date)]), (304, [("If-Modified-Since", later)]),
        (304, [("If-Modified-Since", old_form)]),
        (200, [("If-Modified-Since", earlier)]), (200, [("If-Modified-Since", "yesterday")]),
        (200, [("If-Modified-Since", date), ("If-None-Match", '"x"')]),
        (304, [("If-Modified-Since", earlier), ("If-None-Match", tag)]),
        (200, [("If-Match", tag)]), (200, [("If-Match", "*")]), (412, [("If-Match", '"x"')]),
        (412, [("If-Match", f"W/{tag}")]),
        (412, [("If-Unmodified-Since", earlier)]), (200, [("If-Unmodified-Since", date)]),
        (200, [("If-Match", tag), ("If-Unmodified-Since", earlier)]),
        (412, [("If-Match", '"x"'), ("If-None-Match", tag)]),
        (304, [("If-None-Match", tag), ("Range", "bytes=0-1")])]
    for status, fields in cases:
        response = site.get("/files/digits", fields)
        assert response.status == status, (fields, response.told)
        if status == 304:
            assert response.one("ETag") == tag and response.one("Cache-Control") == "no-cache", response.told
            assert response.one("Content-Type") is None and response.one("Content-Length") is None
    for status, validator in [(206, tag), (206, date), (200, f"W/{tag}"), (200, '"x"'), (200, earlier),
                              (200, later), (200, ""), (206, old_form), (200, "junk")]:
        response = site.get("/files/digits", [("Range", "bytes=1-2"), ("If-Range", validator)])
        assert response.status == status, (validator, response.told)


def test_date_of_the_future_is_not_sent(site, folder):
    (folder / "future").write_text("x")
    os.utime(folder / "future", (OLD, time.time() + 86_400))
    response = site.get("/files/future")
    assert response.status == 200 and response.one("Last-Modified") is None and response.one("ETag"), response.told
    assert site.get("/files/future", [("If-None-Match", response.one("ETag"))]).status == 304


@pytest.mark.parametrize("target, accepted, coding", [
    ("style.css", "gzip", "gzip"), ("style.css", "x-gzip", "gzip"), ("style.css", "*", "gzip"),
    ("style.css", "gzip;q=0", None), ("style.css", "GZIP;Q=0.001", "gzip"), ("style.css", "br", None),
    ("style.css", "identity;q=1, gzip;q=0.5", None), ("style.css", "", None), ("style.css", None, None),
    ("style.css", "deflate, gzip;q=1.0, *;q=0.5", "gzip"), ("style.css", "gzip;q=2", None),
    ("both.js", "gzip, deflate, br, zstd", "br"), ("both.js", "br;q=0.5, gzip", "gzip"), ("both.js", "gzip", "gzip"),
    ("both.js", "identity", None), ("late.css", "gzip, br", None)])
def test_variant_is_negotiated(site, target, accepted, coding):
    fields = [] if accepted is None else [("Accept-Encoding", accepted)]
    response = site.get(f"/files/{target}", fields)
    assert response.status == 200 and response.one("Content-Encoding") == coding, response.told
    assert response.one("Vary") == (None if target == "late.css" else "Accept-Encoding"), response.told
    assert response.one("Content-Type").split(";")[0] == ("text/javascript" if target == "both.js" else "text/css")
    if coding == "gzip":
        plain = site.get(f"/files/{target}")
        assert gzip.decompress(response.body) == plain.body
        assert response.one("ETag") != plain.one("ETag")
        tag = response.one("ETag")
        again = site.get(f"/files/{target}", [*fields, ("If-None-Match", tag)])
        assert again.status == 304 and again.one("Vary") == "Accept-Encoding", again.told
        assert site.get(f"/files/{target}", [("If-None-Match", tag)]).status == 200
        part = site.get(f"/files/{target}", [*fields, ("Range", "bytes=0-1"), ("If-Range", tag)])
        assert part.status == 206 and part.body == b"\x1f\x8b", part.told


def test_variants_in_the_repository_are_current():
    for variant in WWW.rglob("*.gz"):
        assert gzip.decompress(variant.read_bytes()) == variant.with_suffix("").read_bytes(), variant


# Files that change --------------------------------------------------------------------------------

def slow_get(program, target):
    """A connection whose client has read the head and little more."""
    reader = socket.socket()
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    reader.settimeout(10)
    reader.connect(program.address)
    reader.sendall(f"GET {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
    file = reader.makefile("rb")
    length = 0
    while (line := file.readline()) not in (b"\r\n", b""):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    return reader, file, length


def test_file_that_is_replaced_goes_on_as_it_was(program, folder):
    path = folder / "replaced"
    path.write_bytes(b"a" * 2_000_000)
    reader, file, length = slow_get(program, "/files/replaced")
    (folder / "new").write_bytes(b"b" * 1_000)
    os.replace(folder / "new", path)
    assert file.read() == b"a" * 2_000_000 and length == 2_000_000
    reader.close()
    assert Visitor(program.address).get("/files/replaced").body == b"b" * 1_000


def test_file_that_grows_is_sent_as_long_as_announced(program, folder):
    path = folder / "grown"
    path.write_bytes(b"a" * 2_000_000)
    reader, file, length = slow_get(program, "/files/grown")
    with open(path, "ab") as grown:
        grown.write(b"b" * 1_000)
    assert file.read() == b"a" * 2_000_000 and length == 2_000_000
    reader.close()


def test_file_that_shrinks_ends_the_connection(program, folder):
    path = folder / "shrunk"
    path.write_bytes(b"a" * 2_000_000)
    reader, file, length = slow_get(program, "/files/shrunk")
    os.truncate(path, 1_000_000)
    assert len(file.read()) < length == 2_000_000
    reader.close()
    assert Visitor(program.address).get("/files/shrunk").one("Content-Length") == "1000000"


@pytest.mark.skipif(bool(RUN), reason="an emulator has descriptors of its own")
def test_without_a_descriptor_a_file_is_refused_for_the_moment(program):
    """Files of a folder wait for no descriptor; nothing leaks, and the next file comes."""
    with Connection(program.address) as connection:
        connection.send(request("GET", "/files/digits"))
        assert connection.response().status == 200
        before = program.settled_descriptors()
        usual = resource.prlimit(program.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(program.pid, resource.RLIMIT_NOFILE, (before, usual[1]))
        for target, fields in (("digits", []), ("sub/", []), ("digits", [("Range", "bytes=0-1,4-5")])):
            connection.send(request("GET", f"/files/{target}", fields))
            response = connection.response()
            assert response.status == 503 and int(response.one("Retry-After")) > 0, response.told
            assert program.settled_descriptors() == before
        # A variant that cannot be opened is no reason to send nothing: the file itself is sent.
        resource.prlimit(program.pid, resource.RLIMIT_NOFILE, (before + 1, usual[1]))
        connection.send(request("GET", "/files/both.js", [("Accept-Encoding", "gzip, br")]))
        response = connection.response()
        assert response.status == 200 and response.one("Content-Encoding") is None, response.told
        resource.prlimit(program.pid, resource.RLIMIT_NOFILE, usual)
        connection.send(request("GET", "/files/digits"))
        assert connection.response().status == 200


def resident_kilobytes(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return int(re.search(r"VmRSS:\s+([0-9]+)", file.read())[1])


def test_large_file_costs_no_memory(program, folder):
    # An emulator and a sanitizer have memory of their own.
    counts = not RUN and not SANITIZED
    size = int(os.environ.get("MARTLET_LARGE_FILE", 1 << 30 if counts else 1 << 26))
    with open(folder / "large", "wb") as file:
        file.truncate(size)
    Visitor(program.address).get("/files/digits")
    before = resident_kilobytes(program.pid)
    reader = socket.create_connection(program.address)
    reader.sendall(b"GET /files/large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    count, most = 0, before
    while octets := reader.recv(1 << 20):
        count += len(octets)
        most = max(most, resident_kilobytes(program.pid))
    assert count > size and (most - before <= 128 or not counts), (count, before, most)
    response = Visitor(program.address).get("/files/large", [("Range", f"bytes={size - 5}-")])
    assert response.status == 206 and response.body == bytes(5), response.told
    os.unlink(folder / "large")


# Tools --------------------------------------------------------------------------------------------

def url(program, name):
    return f"http://127.0.0.1:{program.address[1]}/files/{name}"


@pytest.mark.parametrize("tool", ["curl", "wget"])
def test_tool_resumes_a_download(program, folder, tmp_path, tool):
    if not shutil.which(tool):
        pytest.skip(f"there is no {tool}")
    whole = (folder / "long.bin").read_bytes()
    (tmp_path / "long.bin").write_bytes(whole[:123_457])
    command = (["curl", "-sS", "-f", "-C", "-", "-O"] if tool == "curl" else ["wget", "-q", "-c"])
    subprocess.run([*command, url(program, "long.bin")], cwd=tmp_path, check=True, timeout=20)
    assert (tmp_path / "long.bin").read_bytes() == whole
    # A download that is whole is left as it is.
    subprocess.run([*command, url(program, "long.bin")], cwd=tmp_path, check=False, timeout=20)
    assert (tmp_path / "long.bin").read_bytes() == whole


def test_curl_asks_whether_its_copy_is_current(program, tmp_path):
    if not shutil.which("curl"):
        pytest.skip("there is no curl")
    command = ["curl", "-sS", "-w", "%{http_code}", "-o", "copy", "--etag-save", "tag", "--etag-compare", "tag",
               "--compressed", url(program, "style.css")]
    said = [subprocess.run(command, cwd=tmp_path, check=True, timeout=20, capture_output=True, text=True).stdout
            for _ in range(2)]
    assert said == ["200", "304"]
    assert (tmp_path / "copy").read_bytes() == (WWW / "style.css").read_bytes()


# A slow disk --------------------------------------------------------------------------------------

def longest_answer(address, reader, size, within):
    """Seconds of the slowest answer to another client while a file of that size comes, and whether it came."""
    reader.setblocking(False)
    other = Connection(address)
    count, longest, end = 0, [], time.monotonic() + within
    while count < size and time.monotonic() < end:
        begin = time.monotonic()
        other.send(b"GET /files/style.css HTTP/1.1\r\nHost: a\r\n\r\n")
        assert other.response().status == 200
        longest.append(time.monotonic() - begin)
        try:
            while octets := reader.recv(1 << 18):
                count += len(octets)
        except BlockingIOError:
            time.sleep(0.001)
    assert count > size, f"{count} octets came in {within} s"
    return sorted(longest)


def get_cold(address, name):
    reader = socket.create_connection(address)
    reader.sendall(f"GET /files/{name} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
    return reader


def write_cold(path, size):
    """A file whose pages are not in memory."""
    with open(path, "wb") as file:
        file.write(os.urandom(size))
        file.flush()
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def test_file_that_is_not_in_memory_comes_whole(program, folder):
    size = 16 << 20
    write_cold(folder / "cold", size)
    longest_answer(program.address, get_cold(program.address, "cold"), size, within=60)
    os.unlink(folder / "cold")


@pytest.fixture
def slow_disk(tmp_path):
    """A folder on a disk that brings 2 MiB a second, and a cgroup that must put up with it."""
    group = Path("/sys/fs/cgroup/blkio/martlet-slow-disk")
    if RUN or os.geteuid() != 0 or not group.parent.is_dir() or not shutil.which("mkfs.ext4"):
        pytest.skip("only root slows a disk down, with mkfs.ext4 and a blkio cgroup")
    image, mount = tmp_path / "image", tmp_path / "disk"
    mount.mkdir()
    with open(image, "wb") as file:
        file.truncate(32 << 20)
    subprocess.run(["mkfs.ext4", "-q", image], check=True)
    if subprocess.run(["mount", "-o", "loop", image, mount], check=False, capture_output=True).returncode != 0:
        pytest.skip("cannot mount an image here")
    try:
        device = os.stat(mount).st_dev
        group.mkdir(exist_ok=True)
        (group / "blkio.throttle.read_bps_device").write_text(
            f"{os.major(device)}:{os.minor(device)} {2 << 20}")
        yield mount, group
    finally:
        subprocess.run(["umount", mount], check=True)
        group.rmdir()


def test_slow_disk_holds_nobody_up(slow_disk):
    mount, group = slow_disk
    www = shutil.copytree(WWW, mount / "www")
    size = 6 << 20
    write_cold(www / "cold", size)
    enter = ["sh", "-c", f'echo $$ > {group}/cgroup.procs; exec "$@"', "sh"]
    program = Program([*enter, *command_of("static-example"), "--listen", "127.0.0.1:0"], "static-example", cwd=mount)
    try:
        assert Visitor(program.address).get("/files/style.css").status == 200
        begin = time.monotonic()
        answers = longest_answer(program.address, get_cold(program.address, "cold"), size, within=30)
        assert time.monotonic() - begin > 2, "the disk was slow"
        # One read of a slow disk, of 128 KiB, is 62 ms. This machine may have other work, and sanitizers are slow.
        patience = 0.2 if SANITIZED else 0.05
        assert answers[len(answers) * 95 // 100] < patience and len(answers) > 50, answers[-20:]
        program.stop()
    finally:
        program.kill()


# A browser ----------------------------------------------------------------------------------------

FACTS = """
const entry = performance.getEntriesByType("resource").find(entry => entry.name.endsWith("style.css"))
return [entry.encodedBodySize, entry.decodedBodySize, entry.transferSize,
        document.querySelector("img").naturalWidth > 0, getComputedStyle(document.querySelector("img")).width]
"""


def test_a_browser_takes_the_variant_and_asks_again_whether_it_is_current(program):
    browsers = pytest.importorskip("test_panel_browser")
    browser = browsers.open_browser()
    try:
        browser.get(f"http://127.0.0.1:{program.address[1]}/")
        plain, encoded = (WWW / "style.css").stat().st_size, (WWW / "style.css.gz").stat().st_size
        first = browser.execute_script(FACTS)
        assert first[:2] == [encoded, plain] and first[2] > encoded, first
        assert first[3:] == [True, "160px"], first
        browser.refresh()
        again = browser.execute_script(FACTS)
        # The second time a head came, and no content.
        assert again[3:] == first[3:] and again[2] <= 300 < first[2], (first, again)
        assert not [line for line in browser.get_log("browser") if "favicon" not in line["message"]]
    finally:
        browser.quit()
