"""Who holds what: a program's octets by module and by symbol, and its resident memory by array."""

import shutil
import subprocess
from collections import Counter
from dataclasses import dataclass

import linkmap
from memory import PAGE

SYMBOLS = 25
COLUMNS = {
    ".text": "code",
    ".init": "code",
    ".fini": "code",
    ".plt": "code",
    ".rodata": "constants",
    ".data": "data",
    ".bss": "bss"
}
IN_FILE = ("code", "constants", "data", "tables")


@dataclass(frozen=True)
class Row:
    name: str
    octets: dict  # column -> octets

    @property
    def in_file(self):
        return sum(self.octets.get(column, 0) for column in IN_FILE)


def by_module(link_map, elf):
    """Biggest first; in the last line what the file has beside its sections. The sum is the
    file.
    """
    rows = []
    for holder, sections in link_map.by_holder().items():
        octets = Counter()
        for section, size in sections.items():
            octets[COLUMNS.get(section, "tables")] += size
        rows.append(Row(holder, dict(octets)))
    in_file = sum(size for name, (_, size) in link_map.sections.items() if name != ".bss")
    rows.sort(key=lambda row: (-row.in_file, row.name))
    rows.append(Row("ELF headers, alignment in the file", {"tables": elf.size - in_file}))
    return rows


def check_sizes(link_map, elf):
    """The map is the program's: each section as large as the file says."""
    for name, (_, size) in link_map.sections.items():
        if elf.section_size(name) != size:
            raise linkmap.BadMap(f"{name} has {size} octets in the map and "
                                 f"{elf.section_size(name)} in the program; build both anew")


def biggest_symbols(link_map, count=SYMBOLS):
    """(octets, section, holder, readable name) without .bss, biggest first."""
    sizes = Counter()
    for part in link_map.parts:
        if part.section != ".bss" and part.holder != linkmap.ALIGNMENT:
            sizes[part.section, part.holder, part.name] += part.size
    found = sorted(sizes.items(), key=lambda item: (-item[1], item[0]))[:count]
    names = demangled([name for (_, _, name), _ in found])
    return [(size, section, holder, text)
            for ((section, holder, _), size), text in zip(found, names)]


def demangled(names, *options):
    if not shutil.which("swift"):
        return names
    told = subprocess.run(["swift", "demangle", "--compact", *(options or ("--simplified",))],
                          check=True,
                          input="\n".join(names),
                          capture_output=True,
                          text=True)
    return told.stdout.splitlines()


def resident_holders(measured, link_map, path):
    """name -> [octets in pages of the file, octets in anonymous pages]; the sum is what is
    resident.

    A page is shared out to the sections and arrays that lie in it; what nobody holds of it, at a
    segment's end, is the rest of the page.
    """
    found = {}

    def add(name, octets, is_anonymous):
        found.setdefault(name, [0, 0])[is_anonymous] += octets

    own = [mapping for mapping in measured.mappings if mapping.path == str(path)]
    base = min(mapping.start - mapping.offset for mapping in own) if own else 0
    base -= measured.elf.first_address
    pieces = sorted(pieces_of(link_map))
    image_end = base + max(segment.address + segment.memory_size
                           for segment in measured.elf.segments)
    for mapping in measured.mappings:
        for address, is_anonymous in measured.pages.get(mapping.start, ()):
            if base <= address < image_end:
                for name, octets in shares(pieces, address - base):
                    add(name, octets, is_anonymous)
            else:
                add(kind_of(mapping, measured.space), PAGE, is_anonymous and mapping.anonymous > 0)
    return sorted(found.items(), key=lambda item: (-sum(item[1]), item[0]))


def pieces_of(link_map):
    """(address, size, name) of what memory is shared out to: sections, of .bss each array."""
    for name, (address, size) in link_map.sections.items():
        if name != ".bss":
            yield address, size, name
    for part in link_map.parts:
        if part.section == ".bss":
            yield part.address, part.size, f".bss {part.name}"


def shares(pieces, page):
    left = PAGE
    for address, size, name in pieces:
        octets = min(address + size, page + PAGE) - max(address, page)
        if octets > 0:
            left -= octets
            yield name, octets
    if left:
        yield "the rest of pages", left


def kind_of(mapping, space):
    if mapping.start < space.stack_pointer <= mapping.end:
        return "stack"
    if mapping.path.startswith("["):
        return mapping.path.strip("[]")
    if mapping.path:
        return mapping.path.rpartition("/")[2]
    return "taken at run time by the loader and the C library"
