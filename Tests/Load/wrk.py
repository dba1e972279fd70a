"""Runs wrk, and reads what it says."""

import re
import shutil
import subprocess
from dataclasses import dataclass

UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}


@dataclass(frozen=True)
class Load:
    """What one run of wrk did. Errors are answers other than 2xx and 3xx, and sockets' errors."""

    requests: int
    a_second: float
    p99: float
    errors: str


def load(address, target="/", seconds=1, connections=8, fields=()):
    """One thread asks as fast as it can."""
    assert shutil.which("wrk"), "wrk is not installed; scripts/setup test does"
    command = ["wrk", "--threads", "1", "--connections", str(connections), "--duration",
               f"{seconds}s", "--latency"]
    for field in fields:
        command += ["--header", field]
    host, port = address[:2]
    printed = subprocess.run([*command, f"http://{host}:{port}{target}"], capture_output=True,
                             text=True, check=True, timeout=seconds + 60).stdout
    p99 = re.search(r"99% +([0-9.]+)(\w+)", printed)
    errors = re.findall(r"^ +(Socket errors: .*|Non-2xx.*)$", printed, re.M)
    return Load(int(re.search(r"([0-9]+) requests in", printed)[1]),
                float(re.search(r"Requests/sec: +([0-9.]+)", printed)[1]),
                float(p99[1]) * UNITS[p99[2]], "; ".join(errors))
