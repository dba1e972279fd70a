"""A program measured natively and under qemu has the same memory, page for page."""

import shutil

import pytest

import boards
import holders
import linkmap
from measure import measure

PROGRAM = "login-example"
# A verified token is remembered where its last letters say: perhaps on two pages that nothing else touches.
TOKEN = 2 * 4096


@pytest.fixture(scope="module")
def path():
    path = boards.own_board().program(PROGRAM)
    if not path.is_file():
        pytest.skip(f"{path} is not built")
    return path


@pytest.fixture(scope="module")
def link_map(path):
    return linkmap.read_map(path.with_name(f"{PROGRAM}.map").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def native(path):
    return measure(path, PROGRAM)


def test_figures_repeat(path, native):
    again = measure(path, PROGRAM).figures
    assert again.keys() == native.figures.keys()
    for name, octets in native.figures.items():
        tolerance = TOKEN if name.endswith(("_login", "_served")) else 0
        assert abs(again[name] - octets) <= tolerance, name


def test_every_resident_page_has_a_holder(path, link_map, native):
    found = holders.resident_holders(native, link_map, path)
    assert sum(sum(octets) for _, octets in found) == native.figures["resident_served"]
    assert sum(octets[1] for _, octets in found) == native.figures["anonymous_served"]


def test_the_file_is_the_sum_of_its_holders(path, link_map, native):
    rows = holders.by_module(link_map, native.elf)
    assert sum(row.in_file for row in rows) == path.stat().st_size
    assert sum(row.octets.get("bss", 0) for row in rows) == native.figures["bss"]


def test_the_same_under_qemu(path, link_map, native):
    emulator = boards.own_board().emulator
    if not shutil.which(emulator):
        pytest.skip(f"{emulator} is not installed")
    emulated = measure(path, PROGRAM, (emulator, ))
    sides = [dict(holders.resident_holders(some, link_map, path)) for some in (native, emulated)]
    for side in sides:  # What the kernel has there natively, and qemu in its place.
        side.pop("vdso", None)
        side.pop("stack", None)
    names = sides[0].keys() | sides[1].keys()
    octets = [[side.get(name, [0, 0]) for name in names] for side in sides]
    assert [file for file, _ in octets[0]] == [file for file, _ in octets[1]]
    assert sum(abs(a - b) for (_, a), (_, b) in zip(*octets)) <= 2 * TOKEN
    assert emulated.figures["stack"] == native.figures["stack"]
    difference = emulated.figures["resident_served"] - native.figures["resident_served"]
    assert abs(difference) <= 8192 + TOKEN
