"""Instructions in user space for a request: of each server, over one connection that stays, a
request at a time; and of SHA-256's compression, which no verification of a token can do without.

The program runs twice, with few and with many requests; start and end are the same in both. What
counts is the processor itself where `perf stat` may ask it, and valgrind's callgrind otherwise.
"""

import subprocess
from pathlib import Path

from figures import compressions, per_request, read_callgrind, read_perf, signing_input
from servers import FOLDER, GREETING, Wrapped, has
from visitor import Visitor

FAST, SLOW = (200, 1200), (20, 70)
BLOCKS = (1000, 3000)
COUNTED = FOLDER / "instructions"


class Callgrind:
    name = "valgrind --tool=callgrind"

    @staticmethod
    def command():
        return ["valgrind", "--tool=callgrind", f"--callgrind-out-file={COUNTED}", "--quiet"]

    read = staticmethod(read_callgrind)


class Perf:
    name = "perf stat -e instructions:u"

    @staticmethod
    def command():
        return ["perf", "stat", "-x,", "-e", "instructions:u", "-o", str(COUNTED), "--"]

    @staticmethod
    def read(text):
        count = read_perf(text)
        if count is None:
            raise ValueError("perf counted no instructions")
        return count


def choose():
    """perf, if it counts here; in many virtual machines it does not."""
    if has("perf"):
        done = subprocess.run([*Perf.command(), "true"], capture_output=True, text=True)
        if done.returncode == 0 and read_perf(COUNTED.read_text()) is not None:
            return Perf
    return Callgrind


def read(tool):
    text = COUNTED.read_text(encoding="utf-8", errors="replace")
    COUNTED.unlink()
    return tool.read(text)


def total(tool, server, requests):
    COUNTED.unlink(missing_ok=True)
    wrapped = Wrapped(server, tool.command())
    try:
        visitor = Visitor(wrapped.port)
        request = server.request(wrapped.port)
        for _ in range(requests):
            if GREETING not in visitor.exchange(request).body:
                raise RuntimeError(f"{server.name} does not answer the page under {tool.name}")
        visitor.close()
        wrapped.stop()
    finally:
        wrapped.kill()
    return read(tool)


def of_compression(tool, token_bench):
    counted = []
    for blocks in BLOCKS:
        COUNTED.unlink(missing_ok=True)
        subprocess.run([*tool.command(), str(token_bench), "hash", str(blocks)],
                       check=True,
                       capture_output=True)
        counted.append((blocks, read(tool)))
    return per_request(*counted)


def measure(servers, token_bench, token, progress):
    tool = choose()
    results = {"tool": tool.name, "servers": {}}
    for server in servers:
        progress(f"instructions: {server.name}")
        counts = SLOW if "Microdot" in server.name else FAST
        counted = [(count, total(tool, server, count)) for count in counts]
        results["servers"][server.key] = per_request(*counted)
    results["compression"] = of_compression(tool, Path(token_bench))
    results["compressions"] = compressions(len(signing_input(token)))
    return results
