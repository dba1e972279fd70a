"""Reads the linker's map (lld): which octet of which section is whose.

A line is an output section, an input section (an object file's part) or a symbol, by its indent.
Gaps between input sections are alignment; a gap as large as the next part's alignment is an error.
"""

import functools
import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

LINE = re.compile(r" *([0-9a-f]+) +[0-9a-f]+ +([0-9a-f]+) +(\d+) ( *)(\S.*)")
OURS = ("CMartletPlatform", "MartletBytes", "MartletHTTP", "MartletToken", "MartletServer",
        "CMartletTLS", "MartletTLS", "Martlet", "hello_example", "login_example", "martlet_panel")
C_LIBRARY, RUNTIME, MBEDTLS = "C library", "compiler runtime", "mbedTLS"
STANDARD_LIBRARY, LITERALS, LINKER = "Swift standard library", "literals, merged", "linker's tables"
ALIGNMENT = "alignment"


class BadMap(ValueError):
    pass


@dataclass(frozen=True)
class Part:
    """Octets of one holder in one section of the program."""

    section: str
    address: int
    size: int
    holder: str
    name: str


@dataclass(frozen=True)
class LinkMap:
    sections: dict  # name -> (address, size)
    parts: list

    def by_holder(self):
        """holder -> section -> octets."""
        table = {}
        for part in self.parts:
            row = table.setdefault(part.holder, {})
            row[part.section] = row.get(part.section, 0) + part.size
        return table


def module_of(symbol):
    """The module that declares a mangled Swift symbol, or None."""
    if not symbol.startswith("$e"):
        return None
    extension = re.search("|".join(f"{len(name)}{name}(?=E)" for name in OURS), symbol)
    if extension:
        return extension[0].lstrip("0123456789")
    declared = re.match(r"\$e(\d+)", symbol)
    if declared:
        start, length = declared.end(), int(declared[1])
        return symbol[start:start + length]
    return STANDARD_LIBRARY if re.match(r"\$e(s|S(?!o))", symbol) else None


@functools.cache
def nm():
    """The toolchain's nm, which reads bitcode."""
    told = subprocess.run(["swiftc", "-print-target-info"], check=True, capture_output=True, text=True)
    return Path(json.loads(told.stdout)["paths"]["runtimeResourcePath"]).parents[1] / "bin" / "llvm-nm"


@functools.cache
def c_names(folder):
    """name -> module, of all that the package's own C defines. In the program it is in one object with mbedTLS, because
    it is compiled when the program is linked."""
    found = {}
    for module in ("CMartletPlatform", "CMartletTLS"):
        objects = sorted(Path(folder, f"{module}.build").glob("*.o"))
        if objects:
            told = subprocess.run([nm(), "--defined-only", "--format=just-symbols", *objects],
                                  check=True, capture_output=True, text=True)
            found |= dict.fromkeys(told.stdout.split(), module)
    return found


def of_bitcode(folder, section, symbol):
    """What is compiled when a program is linked: the package's own C, and mbedTLS. A name that several files have gets
    a number at its end."""
    names = c_names(folder)
    for name in (symbol, section.split(".", 2)[-1]):
        for known in (name, re.sub(r"\.\d+$", "", name), name.partition(".")[0],
                      name.rpartition("switch.table.")[2].partition(".")[0]):
            if known in names:
                return names[known]
    return MBEDTLS


def holder_of(origin, section, symbol):
    """Swift code is its declaring module's, wherever a generic function was specialised."""
    if origin == "<internal>":
        return LITERALS if re.search(r"\.(str|cst)\d", section) else LINKER
    archive = re.search(r"([^/]+)\.a\(", origin)
    if archive:
        return {"libc": C_LIBRARY, "libmbedcrypto": MBEDTLS, "libmbedtls": MBEDTLS, "libmbedx509": MBEDTLS}.get(
            archive[1], RUNTIME)
    module = re.search(r"/([^/]+)\.build/[^/]+\.o$", origin)
    if module:
        return module_of(symbol) or module[1]
    if origin.endswith(".lto.o"):
        return of_bitcode(origin.rpartition("/")[0], section, symbol)
    start_file = origin.rpartition("/")[2]
    if re.match(r"crt(begin|end)", start_file):
        return RUNTIME
    return C_LIBRARY if "crt" in start_file else origin


def inputs(lines):
    """(section, section size, [(address, size, alignment, origin, section of it, symbols)])."""
    found = []
    for line in lines:
        matched = LINE.fullmatch(line)
        if not matched:
            continue
        address, size, alignment, indent, text = matched.groups()
        address, size = int(address, 16), int(size, 16)
        if not indent:
            found.append((text, address, size, []))
        elif len(indent) == 8:
            origin, _, section = text.rpartition(":(")
            found[-1][3].append((address, size, int(alignment), origin, section.rstrip(")"), []))
        elif found and found[-1][3]:
            found[-1][3][-1][5].append((address, size, text))
    return found


def parts_of(section, address, size, members):
    at, end, parts = address, address + size, []
    for start, length, alignment, origin, inner, symbols in members:
        if length == 0:
            continue
        if start < at:
            raise BadMap(f"{section}: {origin}:({inner}) overlaps what stands before it")
        if start > at:
            if start - at >= max(alignment, 2):
                raise BadMap(
                    f"{section}: nobody holds {start - at} octets before {origin}:({inner})")
            parts.append(Part(section, at, start - at, ALIGNMENT, ALIGNMENT))
        named = [symbol for symbol in symbols if symbol[1]]
        mangled = "$e" + inner.partition("$e")[2] if "$e" in inner else (named
                                                                         or [(0, 0, "")])[0][2]
        holder = holder_of(origin, inner, mangled)
        parts += split(section, start, length, holder, named, inner)
        at = start + length
    if section == ".eh_frame" and end - at == 4:  # The zero that ends it.
        parts.append(Part(section, at, 4, LINKER, section))
    elif at != end:
        raise BadMap(f"{section}: the parts do not add up to its {size} octets")
    return parts


def split(section, start, length, holder, symbols, inner):
    """One part a symbol, in order; what no symbol names goes by the input section's name."""
    at, end, parts = start, start + length, []
    for address, size, name in sorted(symbols):
        size = min(size, end - address)
        if address < at or size <= 0:
            continue  # Another name of what stands before it.
        if address > at:
            parts.append(Part(section, at, address - at, holder, inner))
        parts.append(Part(section, address, size, holder, name))
        at = address + size
    if at < end:
        parts.append(Part(section, at, end - at, holder, inner))
    return parts


def read_map(text):
    """Only what is loaded: sections at an address, without the gap that RELRO leaves in memory."""
    sections, parts = {}, []
    for name, address, size, members in inputs(text.splitlines()):
        if address == 0 or size == 0 or name == ".relro_padding":
            continue
        sections[name] = (address, size)
        parts += parts_of(name, address, size, members)
    if ".text" not in sections:
        raise BadMap("this is no map of lld's: it has no .text")
    return LinkMap(sections, parts)
