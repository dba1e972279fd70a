"""The memory readers: what /proc says, what qemu says, and a process whose memory is known."""

import ctypes
import mmap
import os

import pytest

import memory

SMAPS = """\
4000000000-4000003000 r--p 00000000 fe:00 5474730                        /x/login example
Size:                 12 kB
Rss:                  12 kB
Pss:                  12 kB
Anonymous:             0 kB
VmFlags: rd mr mw me
400205f000-4002861000 rw-p 00000000 00:00 0 
Size:               8200 kB
Rss:                  40 kB
Anonymous:            36 kB
"""
LOG = """\
guest_base  {base}
page layout changed following binary load
start            end              size             prot
start_brk   0x0000000000000000
start_stack 0x000000400285ee20
argv_start  0x000000400285ee28
"""


def test_smaps():
    first, second = memory.read_smaps(SMAPS)
    assert (first.start, first.end, first.path) == (0x4000000000, 0x4000003000, "/x/login example")
    assert (first.resident, first.anonymous) == (12288, 0)
    assert (second.path, second.resident, second.anonymous) == ("", 40960, 36864)
    assert memory.total([first, second]) == memory.Memory(53248, 36864)


def test_the_address_space_of_a_64_bit_program():
    space = memory.guest_space(LOG.format(base="(nil)"), 64)
    assert (space.start, space.end, space.stack_pointer) == (0, 1 << 40, 0x400285ee20)


def test_the_address_space_of_a_32_bit_program():
    log = LOG.format(base="0x7000").replace("0x000000400285ee20", "0x3fffee20")
    space = memory.guest_space(log, 32)
    assert (space.start, space.end) == (0x7000, 0x7000 + (1 << 32))
    assert space.stack_pointer == 0x7000 + 0x3fffee20


def test_a_log_without_addresses_is_an_error():
    with pytest.raises(ValueError):
        memory.guest_space("guest_base  (nil)\n", 64)


def test_an_emulator_among_the_programs_mappings_is_an_error():
    emulator = os.readlink("/proc/self/exe")
    with pytest.raises(ValueError, match="address space"):
        memory.own_mappings(os.getpid(), memory.Space(0, 1 << 63, 0), emulator)


@pytest.fixture
def area():
    """16 pages that nothing has touched yet."""
    pages = mmap.mmap(-1, 16 * memory.PAGE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    pages.madvise(mmap.MADV_NOHUGEPAGE)
    octets = (ctypes.c_char * len(pages)).from_buffer(pages)
    start = ctypes.addressof(octets)
    return octets, memory.Mapping(start, start + len(pages), "rw-p", 0, "")


def test_pages_that_were_written_are_counted_and_pages_that_were_read_are_not(area):
    octets, mapping = area
    octets[3 * memory.PAGE] = b"1"
    octets[7 * memory.PAGE + 5] = b"1"
    assert octets[9 * memory.PAGE] == b"\0"
    assert memory.touched_pages(os.getpid(), mapping) == [(mapping.start + 3 * memory.PAGE, True),
                                                          (mapping.start + 7 * memory.PAGE, True)]


def test_the_stack_is_used_down_to_its_lowest_octet(area):
    octets, mapping = area
    octets[5 * memory.PAGE] = b"1"
    octets[3 * memory.PAGE + 100] = b"1"
    octets[2 * memory.PAGE] = b"1"
    octets[2 * memory.PAGE] = b"\0"  # Touched, but nothing was left there.
    space = memory.Space(0, 1 << 63, mapping.start + 6 * memory.PAGE)
    assert memory.stack_use(os.getpid(), [mapping], space) == 3 * memory.PAGE - 100


def test_our_own_space_has_the_stack():
    space = memory.native_space(os.getpid())
    mappings = memory.own_mappings(os.getpid(), space)
    assert memory.stack_mapping(mappings, space).path == "[stack]"
    assert 0 < memory.stack_use(os.getpid(), mappings, space) < 8 << 20
