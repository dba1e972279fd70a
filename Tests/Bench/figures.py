"""The arithmetic of the benchmark: ratios pair by pair, spreads, numbers that tools print."""

import json
import math
import re
import statistics
from dataclasses import dataclass

BLOCK = 64  # octets that SHA-256 works on at a time (FIPS 180-4 §1)
PADDING = 9  # the least that it appends: a bit, and the length in 8 octets (§5.1.1)


@dataclass(frozen=True)
class Spread:
    """What repeated measurements of the same thing came to."""

    min: float
    median: float
    max: float


def spread(values):
    if not values:
        raise ValueError("there is no measurement to take the median of")
    return Spread(min(values), statistics.median(values), max(values))


def ratios(ours, base):
    """Round by round: what disturbs a round disturbs both, so less of it is in their ratio."""
    if len(ours) != len(base):
        raise ValueError(f"{len(ours)} measurements cannot be paired with {len(base)}")
    return [one / other if other else math.nan for one, other in zip(ours, base)]


def read_wrk(text):
    """What report.lua prints at the end of a run; rates a second, times in microseconds."""
    found = re.search(r"^\{.*\}$", text, re.M)
    if not found:
        raise ValueError("wrk printed no result")
    told = json.loads(found[0])
    seconds = told["microseconds"] / 1e6
    return {
        "requests": told["requests"],
        "rate": told["requests"] / seconds if seconds else 0.0,
        "p50": told["p50"],
        "p99": told["p99"],
        "errors": {name: count for name, count in told["errors"].items() if count}
    }


def read_callgrind(text):
    """Instructions, from the file that callgrind leaves."""
    found = re.findall(r"^totals: ([0-9]+)$", text, re.M)
    if len(found) != 1:
        raise ValueError("callgrind left no totals")
    return int(found[0])


def read_perf(text):
    """Instructions, from `perf stat -x,`; `None` where the processor's counter cannot be read."""
    for line in text.splitlines():
        fields = line.split(",")
        if len(fields) > 2 and fields[2].startswith("instructions"):
            return int(fields[0]) if fields[0].isdigit() else None
    return None


def per_request(few, many):
    """(requests, total) twice: start and end of the program are in both, and cancel out."""
    return (many[1] - few[1]) / (many[0] - few[0])


def compressions(size):
    """SHA-256's compressions for the HMAC of a text of so many octets, the key being prepared: the
    inner hash goes on after a block of key, the outer hash is one block more.
    """
    return -(-(size + PADDING) // BLOCK) + 1


def signing_input(token):
    """Octets of a token that its signature covers (RFC 7515 §5.1)."""
    return token.rpartition(".")[0]
