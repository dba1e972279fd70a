"""A good client among clients that are slow on purpose."""

import time
from contextlib import ExitStack

from client import request
from crowd import Crowd, group
from figures import told, within
from latency import asker, measured
from machine import (CROWDED, IS_LONG, MEASURING, LoadedPanel, board, largest_page, limits,
                     loaded_and_idle, own_board, resting_descriptors, settles)
from priority import WithoutCPU

SLOWLORIS, DEAF = 200, 200
MILLISECONDS = 50
SECONDS = 300 if IS_LONG else 13  # longer than every deadline that the slow ones could sit out
TINY = "openwrt-arm64"
SLOW_HEAD = request("GET", "/login", [("X-Slow", "y" * 5000)])


def beset(panel):
    """200 connections that send an octet a second, and 200 that ask and never read."""
    page, _ = largest_page(panel.address)
    return Crowd(group("slowloris", SLOWLORIS, panel.address, SLOW_HEAD),
                 group("deaf", DEAF, panel.address, page), cpus=CROWDED)


def good_client(panel, **options):
    """Comes anew for each page: it has to find a place each time."""
    return asker(panel.address, request("GET", "/login"), keeps=False, **options)


def leaves_nothing(panel, before, figure):
    """All the slow ones' descriptors are free again when they are gone."""
    after = settles(panel.program.descriptors, before)
    figure(f"{before} descriptors before, {after} afterwards")
    assert after == before


def test_slow_clients_keep_nobody_waiting(tmp_path, figure):
    """Beside 200 slowloris and 200 readers that never read, a good client is served within 50 ms."""
    with ExitStack() as stack:
        loaded, idle = loaded_and_idle(stack, tmp_path, own_board())
        descriptors = resting_descriptors(loaded.program)

        def measure():
            crowd = beset(loaded)
            with crowd, WithoutCPU(loaded.program.pid) as cpu:
                time.sleep(2)
                answers, control = measured([good_client(loaded), good_client(idle)], SECONDS,
                                            MEASURING, pause=0.01)
            figure(f"beside it: {crowd.told}")
            return answers, control, cpu.share

        within(MILLISECONDS, 0.99, measure, figure)
        leaves_nothing(loaded, descriptors, figure)


def test_slow_clients_on_a_tiny_board(tmp_path, figure):
    """The same where there are few slots: a good client is served within the head deadline (10 s)."""
    on = board(TINY)
    deadline = limits(on)["Connections", "head within"]
    with LoadedPanel(tmp_path / "loaded", on) as loaded:
        descriptors = resting_descriptors(loaded.program)
        crowd = beset(loaded)
        with crowd:
            time.sleep(2)
            answers, = measured([good_client(loaded, patience=3 * deadline / 1000)],
                                300 if IS_LONG else 25, MEASURING, pause=0.05)
        figure(f"beside it: {crowd.told}")
        figure(told(answers))
        leaves_nothing(loaded, descriptors, figure)
        assert not answers.problems and max(answers.latencies) < deadline, told(answers)
