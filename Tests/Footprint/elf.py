"""What an ELF file says of itself: sections, segments, the loader it asks for."""

import struct
from dataclasses import dataclass
from pathlib import Path

LOAD, INTERPRETER = 1, 3
ALLOCATED = 2


@dataclass(frozen=True)
class Section:
    name: str
    address: int
    size: int
    is_allocated: bool


@dataclass(frozen=True)
class Segment:
    offset: int
    address: int
    file_size: int
    memory_size: int


@dataclass(frozen=True)
class Elf:
    size: int
    sections: list
    segments: list
    is_dynamic: bool
    bits: int

    def section_size(self, name):
        return sum(section.size for section in self.sections if section.name == name)

    @property
    def first_address(self):
        """Where the page begins that the loader puts the start of the file into."""
        return min(segment.address - segment.offset % 4096 & ~4095 for segment in self.segments)


def read_elf(path):
    octets = Path(path).read_bytes()
    if octets[:4] != b"\x7fELF" or octets[5] != 1:
        raise ValueError(f"{path} is not a little-endian ELF file")
    wide = octets[4] == 2
    head = struct.unpack_from("<16x2HI3QI6H" if wide else "<16x2HI3II6H", octets)
    (_, _, _, _, program_offset, section_offset, _, _, program_size, program_count, section_size,
     section_count, names_index) = head
    segments, is_dynamic = [], False
    for index in range(program_count):
        at = program_offset + index * program_size
        if wide:
            kind, _, offset, address, _, in_file, in_memory = struct.unpack_from(
                "<2I5Q", octets, at)
        else:
            kind, offset, address, _, in_file, in_memory = struct.unpack_from("<6I", octets, at)
        if kind == LOAD:
            segments.append(Segment(offset, address, in_file, in_memory))
        is_dynamic |= kind == INTERPRETER
    entries = [
        struct.unpack_from("<2I4Q" if wide else "<6I", octets,
                           section_offset + index * section_size) for index in range(section_count)
    ]
    names = entries[names_index][4] if entries else 0
    sections = []
    for name, _, flags, address, _, size in entries:
        start = names + name
        text = octets[start:octets.index(b"\0", start)].decode("ascii")
        sections.append(Section(text, address, size, bool(flags & ALLOCATED)))
    return Elf(len(octets), sections, segments, is_dynamic, 64 if wide else 32)
