"""What happens when slots, descriptors or room for answers run out."""

import resource
import time

import pytest

from client import Connection, form_request, request
from machine import (IS_LONG, LoadedPanel, cpu_seconds, largest_page, limits, own_board,
                     resting_descriptors, room, settles)
from panel import NAME, PASSWORD
from readers import ANSWERS_SIZE, Reader, answers_of, run

PAGE = request("GET", "/login")
DESCRIPTORS = 40
SPINNING = 0.10  # the share of a CPU that waiting may cost at most
SECOND = 1000


@pytest.fixture
def panel(tmp_path):
    with LoadedPanel(tmp_path / "data", own_board()) as panel:
        yield panel


def asked(address):
    """A connection that has got an answer and rests."""
    connection = Connection(address)
    assert connection.send(PAGE).response().status == 200
    return connection


def is_open(connection):
    if not connection.ended:
        connection.receive(0.0)
    return not connection.ended


def busy_reader(panel):
    """A connection whose answers the server cannot get rid of, until it reads."""
    page, body = largest_page(panel.address)
    reader = Reader(panel.address, page, ANSWERS_SIZE // len(body) + 1)
    run([reader], 0.3, reads=lambda _: False)
    return reader, body


def trickle(readers):
    """Each reads a little, so that it is no reader that never reads: those may be sent away."""
    run(readers, 0.02, reads=lambda _: False)
    for reader in readers:
        if not reader.ended:
            reader.receive(2048)


def assert_whole(reader, body):
    answers = answers_of(reader)
    assert not reader.ended, f"closed after {len(answers)} of {reader.count} answers"
    assert [answer.status for answer in answers] == [200] * reader.count
    assert all(answer.body == body for answer in answers), "an answer is not the page"


def read_all(reader, seconds=20):
    run([reader], seconds, until=lambda: reader.ended or is_complete(reader))


def is_complete(reader):
    return not len(reader.unsent) and reader.received.count(b"HTTP/1.1 200 ") >= reader.count and \
        reader.answered < time.monotonic() - 0.3


def test_slots_run_out(panel, figure):
    """With all slots taken a new client is served; who has rested longest goes, who is busy never."""
    newcomers = 5
    slots = room(own_board())
    busy, body = busy_reader(panel)
    resting, hashing = [], None
    try:
        for number in range(slots - 2):
            resting.append(asked(panel.address))
            if number < newcomers:
                time.sleep(0.005)  # so that the order is the clock's
        closed = [not is_open(connection) for connection in resting]
        assert not any(closed), f"{sum(closed)} of {len(closed)} were closed while there were slots"
        took = []
        # What takes the last slot is busy as well: its password takes longer than the newcomers do.
        hashing = Connection(panel.address)
        hashing.send(form_request("/login", {"username": NAME, "password": PASSWORD}))
        time.sleep(0.02)
        for _ in range(newcomers):
            start = time.monotonic()
            resting.append(asked(panel.address))
            took.append((time.monotonic() - start) * SECOND)
        time.sleep(0.1)
        closed = [number for number, connection in enumerate(resting) if not is_open(connection)]
        assert hashing.response(within=10).status == 302
        figure(f"{slots} slots, two of them busy: {newcomers} newcomers were served within "
               f"{max(took):.1f} ms; closed were numbers {closed} of {len(resting)} that rested")
        read_all(busy)
        assert_whole(busy, body)
        figure(f"the busy ones got a login and {busy.count} whole answers, {len(busy.received):,} octets")
        assert closed == list(range(newcomers)), "not those that had rested longest"
    finally:
        for connection in [busy, *resting, *([hashing] if hashing else [])]:
            connection.close()


def test_descriptors_run_out(panel, figure):
    """Without descriptors a client waits, without the server spinning, until a connection closes."""
    own = resting_descriptors(panel.program)
    resource.prlimit(panel.program.pid, resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))
    page, body = largest_page(panel.address)
    readers = []
    newcomer = None
    try:
        count = ANSWERS_SIZE // len(body) + 1
        for _ in range(DESCRIPTORS - own):
            readers.append(Reader(panel.address, page, count))
            run(readers, 0.05, reads=lambda _: False)
        taken = settles(panel.program.descriptors, DESCRIPTORS, within=1)
        for _ in range(10):
            trickle(readers)
        newcomer = Connection(panel.address)
        newcomer.send(PAGE)
        worked, start = cpu_seconds(panel.program.pid), time.monotonic()
        was_served = False
        while not was_served and time.monotonic() < start + 4.0:
            trickle(readers)
            was_served = newcomer.receive(0.0)
        share = (cpu_seconds(panel.program.pid) - worked) / (time.monotonic() - start)
        figure(f"{len(readers)} busy connections took {taken} of {DESCRIPTORS} descriptors; one more "
               f"waited {time.monotonic() - start:.1f} s at {share:.1%} of a CPU")
        assert share < SPINNING
        assert not newcomer.ended, "closed instead of waiting for a descriptor"
        assert not was_served, "served with a descriptor that there should not be"
        assert taken == DESCRIPTORS, f"{DESCRIPTORS - taken} of the descriptors cannot be used"
        readers.pop(0).close()
        start = time.monotonic()
        answer = newcomer.response(within=10)
        took = time.monotonic() - start
        figure(f"after one of them had closed it was answered {answer.status} within {took:.2f} s")
        assert answer.status == 200 and took < 2
    finally:
        for connection in [*readers, *([newcomer] if newcomer else [])]:
            connection.close()


def outcome(readers, body):
    """(whole answers, answers 503, readers whose stream broke, the first break)."""
    whole = refused = 0
    broken = []
    for number, reader in enumerate(readers):
        try:
            answers = answers_of(reader)
        except AssertionError as problem:
            broken.append(f"number {number}: {problem}")
            continue
        good = [answer for answer in answers if answer.status == 200]
        whole += len(good)
        assert all(answer.body == body for answer in good), "an answer is not the page"
        for answer in answers[len(good):]:
            # At most one, in the end: nothing follows a refusal.
            assert answer is answers[-1] and answer.status == 503, answer.told
            assert (answer.one("Retry-After") or "").isdigit(), answer.told
            refused += 1
    return whole, refused, broken


def test_room_for_answers_runs_out(panel, figure):
    """Slow readers of big answers let others wait, or have 503 with Retry-After within the deadline;
    they themselves get every answer whole when they read in the end.
    """
    table = limits(own_board())
    deadline = table["Connections", "sending without progress"] / SECOND
    page, body = largest_page(panel.address)
    slow = [Reader(panel.address, page, ANSWERS_SIZE // len(body) + 1)
            for _ in range(3 * table["Connections", "large blocks"])]
    others = []
    try:
        run(slow, 1.0, reads=lambda _: False)
        others = [Reader(panel.address, page, 1, receive_size=None) for _ in range(20)]
        everyone = slow + others
        # The slow ones sit still for most of the time that they have, and then read all.
        run(everyone, 0.6 * deadline, reads=lambda reader: reader in others)
        served = sum(len(reader.received) > 0 for reader in others)
        figure(f"{len(slow)} slow readers of {len(body):,} octets; {served} of {len(others)} others were "
               f"answered while nobody read")
        run(everyone, 3 * deadline, until=lambda: all(
            reader.ended or is_complete(reader) for reader in everyone))
        took = max(reader.answered - reader.opened for reader in others)
        whole, refused, broken = outcome(slow, body)
        figure(f"the slow ones got {whole:,} whole answers and {refused} refusals; {len(broken)} streams "
               f"broke within an answer")
        good, no, cut = outcome(others, body)
        figure(f"the others got {good} answers and {no} refusals, the last within {took:.1f} s")
        assert not broken, broken[0]
        assert not cut and good + no == len(others), cut or "others were not answered"
        assert took <= deadline + 2
    finally:
        for reader in slow + others:
            reader.close()


def test_readers_that_trickle(panel, figure):
    """Readers that take some octets now and then get every answer whole, however long it takes."""
    table = limits(own_board())
    deadline = table["Connections", "sending without progress"] / SECOND
    page, body = largest_page(panel.address)
    slow = [Reader(panel.address, page, ANSWERS_SIZE // len(body) + 1) for _ in range(8)]
    try:
        # Each reads 2 KiB ten times a second, and for longer than the deadline.
        end = time.monotonic() + (6 if IS_LONG else 1.2) * deadline
        while time.monotonic() < end:
            trickle(slow)
            time.sleep(0.08)
        figure(f"{sum(len(reader.received) for reader in slow):,} octets trickled to {len(slow)} "
               f"readers; {sum(reader.ended for reader in slow)} were closed meanwhile")
        run(slow, 3 * deadline,
            until=lambda: all(reader.ended or is_complete(reader) for reader in slow))
        whole, refused, broken = outcome(slow, body)
        figure(f"{whole:,} whole answers and {refused} refusals; {len(broken)} streams broke within an "
               f"answer")
        assert not broken, broken[0]
    finally:
        for reader in slow:
            reader.close()
