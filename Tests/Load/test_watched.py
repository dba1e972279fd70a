"""What a panel costs that browsers watch, and one that nobody watches."""

import os
import time

import pytest

from machine import IS_LONG, LoadedPanel, all_boards, board, limits, own_board
from test_live import PERIOD, Reader

BROWSERS = 3
SECONDS = 3600 if IS_LONG else 4 * PERIOD
RELOADING = 60 if IS_LONG else PERIOD  # seconds from one look at other pages to the next
# Those that want no fresh login: after ten minutes the others ask for the password.
PAGES = ("/", "/history", "/history?range=day", "/history?of=cores", "/alerts", "/healthz")
KIB_MAX = 8  # what a page of the stack and one of data may add, beside the rings of the history, which fill
IDLE_SECONDS = 300 if IS_LONG else 20
SHARE_MAX = 0.1  # per cent of a processor


def look_around(visitors):
    for visitor in visitors:
        for page in PAGES:
            assert visitor.get(page).status == 200, page


def test_browsers_that_watch_take_no_memory(figure, tmp_path):
    """Three browsers that watch the panel, and look at its other pages, take no memory that grows."""
    with LoadedPanel(tmp_path / "data", own_board()) as panel:
        visitors = [panel.logged_in() for _ in range(BROWSERS)]
        look_around(visitors)
        readers = [Reader(panel, visitor) for visitor in visitors]
        for reader in readers:
            reader.wait_for(2)
        resident, anonymous = panel.program.memory()
        begun = looked = time.monotonic()
        count = 0
        while time.monotonic() - begun < SECONDS:
            for reader in readers:
                reader.read(0.2)
                assert not reader.ended and not reader.connection.ended
            if time.monotonic() - looked >= RELOADING:
                looked = time.monotonic()
                count += len(readers[0].events("values"))
                for reader in readers:
                    reader.text = b""
                look_around(visitors)
        count += len(readers[0].events("values"))
        now = panel.program.memory()
        figure(f"{BROWSERS} browsers got {count} events each in {SECONDS:.0f} s; {now[0]} KiB resident, {now[1]} "
               f"anonymous, {now[0] - resident:+} and {now[1] - anonymous:+} since the first events")
        assert count >= 0.9 * SECONDS / PERIOD
        most = KIB_MAX + limits(own_board())["Static memory", "history"] // 1024
        assert now[0] - resident <= most and now[1] - anonymous <= most


def processor_seconds(pid):
    """How long a process and those that it has begun and waited for have worked so far."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize("name", all_boards())
def test_a_panel_that_nobody_watches_hardly_works(figure, tmp_path, name):
    """A panel that nobody watches takes samples, and little of a processor; of an emulated one too."""
    on = board(name)
    with LoadedPanel(tmp_path / "data", on) as panel:
        time.sleep(1.5 * PERIOD)
        before, begun = processor_seconds(panel.program.pid), time.monotonic()
        time.sleep(IDLE_SECONDS)
        worked, seconds = processor_seconds(panel.program.pid) - before, time.monotonic() - begun
        share = 100 * worked / seconds
        figure(f"{worked * 1000:.0f} ms of processor in {seconds:.0f} s without visitors, {share:.3f} % of one")
        # The clock counts in hundredths of a second.
        assert share <= SHARE_MAX + 100 * 0.01 / seconds
