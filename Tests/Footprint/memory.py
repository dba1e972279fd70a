"""What a running program has in memory: resident and anonymous octets, the touched pages, the
stack.

A program for this machine is a process of its own. One for another machine runs inside qemu-user,
whose process holds the program's mappings beside qemu's. They are told apart by address: qemu's log
of page layouts says where the program's address space begins (`guest_base`) and where its stack
does. A 32-bit program has 4 GiB from there; a 64-bit one lies below 1 TiB, where qemu's own
mappings never are (`own_mappings` checks that). Pages are this machine's, 4 KiB each.
"""

import os
import re
import struct
from dataclasses import dataclass
from pathlib import Path

PAGE = 4096
PRESENT, FILE_PAGE, EXCLUSIVE = 1 << 63, 1 << 61, 1 << 56
GUEST_END = 1 << 40
VDSO = "[vdso]"
HEADER = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (\S+) ([0-9a-f]+) \S+ \d+ *(.*)")


@dataclass
class Mapping:
    start: int
    end: int
    permissions: str
    offset: int
    path: str
    resident: int = 0
    anonymous: int = 0


@dataclass(frozen=True)
class Space:
    """The program's part of a process, and where its stack begins."""

    start: int
    end: int
    stack_pointer: int


@dataclass(frozen=True)
class Memory:
    """Octets at one moment."""

    resident: int
    anonymous: int


def read_smaps(text):
    """The mappings of /proc/PID/smaps, sizes in octets."""
    mappings = []
    for line in text.splitlines():
        header = HEADER.fullmatch(line)
        if header:
            start, end, permissions, offset, path = header.groups()
            mappings.append(
                Mapping(int(start, 16), int(end, 16), permissions, int(offset, 16), path))
        elif line.startswith("Rss:"):
            mappings[-1].resident = int(line.split()[1]) * 1024
        elif line.startswith("Anonymous:"):
            mappings[-1].anonymous = int(line.split()[1]) * 1024
    return mappings


def native_space(pid):
    # The fields of `stat` after the name in parentheses; number 28 is where the stack began.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return Space(0, 1 << 64, int(fields[28 - 3]))


def guest_space(log, bits):
    """From qemu's `-d page` log."""
    base = re.findall(r"^guest_base +(\S+)$", log, re.M)
    stack = re.findall(r"^start_stack +(\S+)$", log, re.M)
    if not base or not stack:
        raise ValueError("qemu's log names no guest_base and start_stack")
    start = 0 if base[-1] == "(nil)" else int(base[-1], 16)
    end = start + (1 << 32) if bits == 32 else GUEST_END
    return Space(start, end, start + int(stack[-1], 16))


def own_mappings(pid, space, emulator=None):
    """The program's own mappings; fails where one of the emulator's lies among them."""
    mappings = read_smaps(Path(f"/proc/{pid}/smaps").read_text())
    own = [mapping for mapping in mappings if space.start <= mapping.start < space.end]
    for mapping in own if emulator else ():
        if mapping.path == emulator or mapping.path.startswith("["):
            raise ValueError(f"{mapping.path} of {emulator} lies in the program's address space")
        if not mapping.path and mapping.permissions.startswith("r-"):
            # What qemu puts in the place of the kernel's page of code; natively it is nobody's own.
            mapping.path, mapping.anonymous = VDSO, 0
    return own


def total(mappings):
    return Memory(sum(mapping.resident for mapping in mappings),
                  sum(mapping.anonymous for mapping in mappings))


def touched_pages(pid, mapping):
    """(address, is anonymous) of each resident page; the shared page of zeros does not count."""
    count = (mapping.end - mapping.start) // PAGE
    with open(f"/proc/{pid}/pagemap", "rb", buffering=0) as pagemap:
        octets = os.pread(pagemap.fileno(), count * 8, mapping.start // PAGE * 8)
    pages = []
    for index, (entry, ) in enumerate(struct.iter_unpack("<Q", octets)):
        if entry & PRESENT and entry & (FILE_PAGE | EXCLUSIVE):
            pages.append((mapping.start + index * PAGE, not entry & FILE_PAGE))
    return pages


def stack_mapping(mappings, space):
    for mapping in mappings:
        if mapping.start < space.stack_pointer <= mapping.end:
            return mapping
    raise ValueError("no mapping holds the stack")


def stack_use(pid, mappings, space):
    """Octets between the start of the stack and the lowest octet that was ever written other than
    0.
    """
    mapping = stack_mapping(mappings, space)
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for address, _ in touched_pages(pid, mapping):
            octets = os.pread(memory.fileno(), PAGE, address)
            used = octets.lstrip(b"\0")
            if used:
                return max(0, space.stack_pointer - (address + PAGE - len(used)))
    return 0
