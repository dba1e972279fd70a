"""Octets beyond what a program's memory holds: a file that comes by form and a file that goes out, in one run."""

import os
import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from client import Connection, request
from machine import Running, own_board, start

# What uploads-example keeps at most of one file: a request has fewer than 2 GiB on 32-bit boards.
UPLOAD = 2_000_000_000
DOWNLOAD = 4 << 30
FREE_MIN = 5 << 30  # the upload, and room for the rest of the system
SECONDS = 60  # for both, on two processors without other work
PAGE = os.sysconf("SC_PAGE_SIZE") // 1024  # KiB


def curl(program, path, *arguments):
    host, port = program.address
    return subprocess.Popen(
        ["curl", "--silent", "--show-error", "--max-time", str(3 * SECONDS), "--noproxy", "*", "--write-out",
         "%{stderr}%{http_code} %{size_download} %{size_upload}", *arguments, f"http://{host}:{port}{path}"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def end_of(process):
    """(status, octets received, octets sent, content) of a curl."""
    content, told = process.communicate(timeout=3 * SECONDS)
    assert process.returncode == 0, told.decode()
    return *map(int, told.split()), content


def length_of(process):
    """How many octets come, all of them zeros; without keeping them."""
    count, zeros = 0, bytes(1 << 20)
    while part := process.stdout.read(1 << 20):
        assert part == zeros[:len(part)], f"other octets than zeros behind {count}"
        count += len(part)
    return count


def test_gigabytes_in_and_out_take_no_memory(tmp_path, figure):
    """A file of 2 GB that comes by form and one of 4 GiB that goes out, at a time, cost no page of memory."""
    if not shutil.which("curl"):
        pytest.skip("there is no curl")
    if shutil.disk_usage(tmp_path).free < FREE_MIN:
        pytest.skip(f"{tmp_path} has less than 5 GiB free")
    source = tmp_path / "source"
    (tmp_path / "www").mkdir()
    (tmp_path / "www" / "index.html").write_text("small\n")
    for path, size in ((source, UPLOAD), (tmp_path / "www" / "large.bin", DOWNLOAD)):
        path.touch()
        os.truncate(path, size)  # holes only
    (tmp_path / "small").write_bytes(bytes(300_000))
    os.link(tmp_path / "small", tmp_path / "www" / "small.bin")
    kept = tmp_path / "uploads-example-data" / "large"
    try:
        with Running(start(own_board(), "uploads-example", cwd=tmp_path)) as uploads, \
                Running(start(own_board(), "static-example", cwd=tmp_path)) as files:
            # What is touched for the first time counts as well: one short round of each.
            for _ in range(2):
                assert end_of(curl(uploads, "/", "-F", f"file=@{tmp_path}/small"))[0] == 200
                assert end_of(curl(files, "/files/small.bin"))[:2] == (200, 300_000)
            before = [program.memory() for program in (uploads, files)]
            began = time.monotonic()
            sending = curl(uploads, "/", "-F", f"file=@{source};filename=large")
            receiving = curl(files, "/files/large.bin")
            with ThreadPoolExecutor() as pool:
                counting = pool.submit(length_of, receiving)
                status, _, sent, content = end_of(sending)
                sent_after = time.monotonic() - began
                count = counting.result(3 * SECONDS)
            took = time.monotonic() - began
            assert receiving.wait(SECONDS) == 0, receiving.stderr.read()
            after = [program.memory() for program in (uploads, files)]
            assert status == 200 and sent > UPLOAD and f"{UPLOAD} octets are kept".encode() in content, content
            assert kept.stat().st_size == UPLOAD and count == DOWNLOAD
            for program in (uploads, files):
                with Connection(program.address) as connection:
                    assert connection.send(request("GET", "/")).response().status == 200
            figure(f"in: {UPLOAD:,} octets by form, {sent_after:.1f} s; out: {count:,} octets; both in {took:.1f} s")
            for name, old, new in zip(("uploads-example", "static-example"), before, after):
                figure(f"{name}: {old[0]} KiB resident before, {new[0]} afterwards; {old[1]}, {new[1]} of it anonymous")
                assert new[0] <= old[0] + 2 * PAGE and new[1] <= old[1] + 2 * PAGE
            assert took < 2 * SECONDS
    finally:
        kept.unlink(missing_ok=True)
