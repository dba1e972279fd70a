"""Others' answers while a client takes all it can get."""

import time
from collections import Counter
from contextlib import ExitStack

import pytest

from client import parse_response, request
from crowd import Crowd, group
from figures import within
from latency import asker, measured
from machine import CROWDED, IS_LONG, MEASURING, LoadedPanel, loaded_and_idle, own_board
from priority import WithoutCPU
from readers import Reader, answers_of, run

MILLISECONDS = 10
SECONDS = 60 if IS_LONG else 4
PIPELINED = 100_000 if IS_LONG else 20_000
PAGE = request("GET", "/login")


@pytest.mark.parametrize("count", [1, 8])
def test_a_flood_of_requests_keeps_nobody_waiting(count, tmp_path, figure):
    """A client that floods with pipelined requests does not keep another from a p99 below 10 ms."""
    with ExitStack() as stack:
        loaded, idle = loaded_and_idle(stack, tmp_path, own_board())

        def measure():
            crowd = Crowd(group("flood", count, loaded.address, PAGE), cpus=CROWDED)
            with crowd, WithoutCPU(loaded.program.pid) as cpu:
                askers = [asker(panel.address, PAGE) for panel in (loaded, idle)]
                answers, control = measured(askers, SECONDS, MEASURING)
            figure(f"beside it, from {count} connections: {crowd.told}")
            assert crowd.seen["counts"]["answers"] > 1000, "that was no flood"
            return answers, control, cpu.share

        within(MILLISECONDS, 0.99, measure, figure)


def test_a_flood_is_answered_to_its_end(tmp_path, figure):
    """A client that pipelines all the kernel takes, and reads, gets every answer without a stall."""
    with LoadedPanel(tmp_path / "data", own_board()) as panel:
        reader = Reader(panel.address, PAGE, PIPELINED, receive_size=None)
        try:
            start = time.monotonic()
            run([reader], PIPELINED / 500, until=lambda: reader.ended or has_all(reader))
            answers = Counter(answer.status for answer in answers_of(reader))
            # The last octets came then.
            took = reader.answered - start
            figure(f"{answers[200]:,} of {PIPELINED:,} requests were answered, the last after {took:.1f} s"
                   f"{'; the server closed' if reader.ended else ''}")
            assert answers == {200: PIPELINED}
        finally:
            reader.close()


def has_all(reader):
    # The answers are equally long.
    return not len(reader.unsent) and len(reader.received) >= PIPELINED * length_of_first(reader)


def length_of_first(reader):
    parsed = parse_response(bytes(reader.received[:65536]), "GET", False)
    return parsed[1] if parsed else 65536
