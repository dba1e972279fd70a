"""What a client is given when others take all they can get: slots, and room for answers."""

import time

import pytest

from client import Connection, form_request, request
from crowd import Crowd, group
from figures import percentile, told
from latency import asker, measured
from machine import (CROWDED, IS_LONG, MEASURING, LoadedPanel, largest_page, limits, own_board,
                     room, settles)
from panel import NAME

PAGE = request("GET", "/login")
SECONDS = 60 if IS_LONG else 5
SLOTS = 8
RESERVED = 32  # descriptors beside the connections' (Limits.otherDescriptorCountMax)
GREEDY = "127.9.9.9"


@pytest.fixture
def panel(tmp_path):
    with LoadedPanel(tmp_path / "data", own_board()) as panel:
        yield panel


@pytest.fixture
def small_panel(tmp_path):
    """A panel with as many slots as the smallest boards have: it has descriptors for so many."""
    count = SLOTS + RESERVED
    with LoadedPanel(tmp_path / "data", own_board(),
                     before=("prlimit", f"--nofile={count}:{count}")) as panel:
        yield panel


def newcomer(panel, patience=5.0):
    """Comes anew for each page, from another address than the crowd."""
    return asker(panel.address, PAGE, keeps=False, patience=patience)


@pytest.mark.parametrize("kind, count", [("busy", 8), ("flood", 8), ("slowloris", 8), ("deaf", 40),
                                         ("anew", 20), ("busy", 300)])
def test_one_client_does_not_take_every_slot(kind, count, small_panel, figure):
    """Where one address has all of 8 slots, and is busy in all, another one is served at once."""
    crowd = Crowd(group(kind, count, small_panel.address, PAGE, source=GREEDY), cpus=CROWDED)
    with crowd:
        time.sleep(0.5)
        answers, = measured([newcomer(small_panel)], SECONDS, MEASURING, pause=0.05)
    figure(told(answers))
    figure(f"beside it: {crowd.told}")
    assert not answers.problems and percentile(answers.latencies, 0.9) < 500, told(answers)


def test_one_client_does_not_take_every_slot_of_a_large_table(panel, figure):
    """The same where there are as many slots as this machine's programs have."""
    slots = room(own_board())
    crowd = Crowd(group("busy", slots + 20, panel.address, PAGE, source=GREEDY), cpus=CROWDED)
    with crowd:
        settles(panel.program.descriptors, slots, within=10)
        answers, = measured([newcomer(panel)], SECONDS, MEASURING, pause=0.05)
    figure(told(answers))
    figure(f"beside it: {crowd.told}")
    assert not answers.problems and percentile(answers.latencies, 0.9) < 500, told(answers)


def test_equal_shares(small_panel, figure):
    """Of twenty addresses that are busy all the time none keeps another one out of 8 slots."""
    groups = [group("busy", 1, small_panel.address, PAGE, source=f"127.9.{number}.1")
              for number in range(20)]
    crowd = Crowd(*groups, cpus=CROWDED)
    with crowd:
        time.sleep(0.5)
        answers, = measured([newcomer(small_panel)], SECONDS, MEASURING, pause=0.05)
    figure(told(answers))
    figure(f"beside it: {crowd.told}")
    assert not answers.problems and percentile(answers.latencies, 0.9) < 1000, told(answers)


def test_passwords_do_not_take_every_slot(small_panel, figure):
    """Nor do wrong passwords of twenty addresses that are worked on, or wait for that."""
    login = form_request("/login", {"username": NAME, "password": "a wrong password"})
    groups = [group("login", 1, small_panel.address, login, source=f"127.9.{number}.1")
              for number in range(20)]
    crowd = Crowd(*groups, cpus=CROWDED)
    with crowd:
        time.sleep(0.5)
        answers, = measured([newcomer(small_panel)], SECONDS, MEASURING, pause=0.05)
    figure(told(answers))
    figure(f"beside it: {crowd.told}")
    assert not answers.problems and percentile(answers.latencies, 0.9) < 1000, told(answers)


def test_who_is_alone_is_not_displaced_by_itself(small_panel, figure):
    """As from a proxy: requests under way on all slots end well, and more of the address wait."""
    # Half a request each: nobody rests, and nobody is answered.
    half = PAGE[:20]
    connections = []
    try:
        for _ in range(SLOTS):
            connections.append(Connection(small_panel.address))
            connections[-1].send(half)
        time.sleep(0.02)
        for connection in connections:
            connection.send(PAGE[20:])
            assert connection.response(within=5).status == 200
    finally:
        for connection in connections:
            connection.close()


@pytest.mark.parametrize("kind, count", [("segments", 8), ("smallest segments", 8), ("segments", 60)])
def test_small_segments_do_not_hold_the_room_for_answers(kind, count, panel, figure):
    """Clients with small segments that never read keep nobody waiting for a response buffer."""
    page, _ = largest_page(panel.address)
    assert count >= limits(own_board())["Connections", "large blocks"]
    crowd = Crowd(group(kind, count, panel.address, page, source=GREEDY), cpus=CROWDED)
    with crowd:
        time.sleep(1)
        answers, = measured([newcomer(panel, patience=15)], max(SECONDS, 6), MEASURING, pause=0.02)
    figure(told(answers))
    figure(f"beside it: {crowd.told}")
    assert not answers.problems, told(answers)
    assert percentile(answers.latencies, 0.5) < 20, told(answers)
    assert percentile(answers.latencies, 0.99) < 250, told(answers)
