"""Numbers in texts beside what they are numbers of: the README, articles, board pages, the packages.

    python3 Tests/Footprint/texts.py    prints each number that is wrong; status 1 where there is one

A claim is an expression that must be found in its file, with a group for each number, and what the
numbers have to be. A text that no longer has its sentence fails too: then the claim is to be changed.
"""

import re
import sys

import capabilities
from boards import ROOT
from records import FIGURES, read_table

SOURCES = ROOT / "Sources"
CATALOG = SOURCES / "Martlet" / "Martlet.docc"


def number(text):
    """`1,024`, `1_024` or `1024`."""
    return int(re.sub(r"[,_]", "", text))


def room_of(kind, what="CONNECTIONS"):
    """Connections at a time, or blocks, by the `limits` of a board."""
    text = (SOURCES / "CMartletPlatform" / "include" / "martlet_memory.h").read_text()
    part = {"tiny": r"MARTLET_LIMITS_TINY\n", "small": r"MARTLET_LIMITS_SMALL\n", "normal": r"#else\n"}[kind]
    return int(re.search(part + rf"(?:#define .*\n)*?#define MARTLET_{what} (\d+)", text)[1])


def large_uploads_of(kind):
    """`Limits.requestLargeBlockCountMax`."""
    return max(1, room_of(kind, "LARGE_BLOCKS") - 1)


def uploads_of(kind):
    """`Limits.uploadCountMax`."""
    return min(room_of(kind), room_of(kind, "SMALL_BLOCKS") + large_uploads_of(kind))


KINDS = ("normal", "small", "tiny")


def constants():
    """Every number that a limit has in C or in Swift; milliseconds as seconds too."""
    found = set()
    for path in (SOURCES / "CMartletPlatform" / "include").glob("*.h"):
        named = {name: int(value) for name, value in
                 re.findall(r"\b(MARTLET_\w+)\s*(?:=\s*)?(\d+)\b", path.read_text())}
        found |= set(named.values())
        if "MARTLET_RESPONSE_SIZE" in named:
            found.add(named["MARTLET_RESPONSE_SIZE"] - named["MARTLET_HEAD_SIZE"])
    for path in SOURCES.rglob("*.swift"):
        for value in re.findall(r"\b\d[\d_]*\b", path.read_text()):
            found.add(number(value))
    found |= {count(kind) for kind in KINDS for count in (large_uploads_of, uploads_of)}
    return found | {value // 1000 for value in found if value % 1000 == 0}


def figures():
    return {(row["board"], row["program"]): row for row in read_table(FIGURES.read_text())}


def flat(text):
    """A text in which lines end nowhere."""
    return re.sub(r"\s+", " ", text)


def wrong(path, text, pattern, *wanted):
    """What is wrong about a claim, as lines."""
    found = re.search(pattern, flat(text))
    if not found:
        return [f"{path}: nothing like {pattern!r}; change the claim in Tests/Footprint/texts.py"]
    return [f"{path}: {found[0]!r} should say {right:,}, not {said}"
            for said, right in zip(found.groups(), wanted, strict=True) if number(said) != right]


def board_pages():
    for conf in sorted((ROOT / "boards").glob("*/board.conf")):
        facts = dict(re.findall(r'^(\w+)="(.*)"$', conf.read_text(), re.MULTILINE))
        page = conf.parent / "README.md"
        text = flat(page.read_text())
        for kind, count in re.findall(r"Limits: (\w+) \(([\d,]+) connections\)", text):
            if kind != facts["limits"] or number(count) != room_of(kind):
                yield (f"{page.relative_to(ROOT)}: {kind}, {count} connections; it is {facts['limits']}, "
                       f"{room_of(facts['limits']):,}")
        if "Limits:" in text and not re.search(r"Limits: \w+ \([\d,]+ connections\)", text):
            yield f"{page.relative_to(ROOT)}: Limits without their connections"


def documents():
    """The documents with claims, by name."""
    return {name: (path / name).read_text()
            for name, path in (("README.md", ROOT), ("WhatItCosts.md", CATALOG), ("TheLimits.md", CATALOG))}


def readme(text):
    measured = figures()
    sizes = [int(row["file"]) for row in measured.values() if row["linkage"] == "static"]
    yield from wrong("README.md", text, r"one file of ([\d,]+) to ([\d,]+) KB",
                     round(min(sizes), -4) // 1000, round(max(sizes), -4) // 1000)
    # What scripts/footprint writes.
    rows = re.findall(r"^\| `(\S+)` \| [^|]+ \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \|$", text,
                      re.MULTILINE)
    if len(rows) < 4:
        yield "README.md: the table of boards has fewer than four"
    for board, *said in rows:
        right = [int(measured[board, program][figure]) for program, figure in
                 (("hello-example", "file"), ("login-example", "file"), ("martlet-panel", "file"),
                  ("login-example", "resident_idle"))]
        if [number(value) for value in said] != right:
            yield f"README.md: {board} should say {right} (scripts/footprint --write)"
    own = [measured["x86-64", program] for program in ("hello-example", "login-example", "martlet-panel")]
    yield from wrong("README.md", text, r"\*\*Files\*\* on x86-64: ([\d,]+), ([\d,]+) and ([\d,]+) octets",
                     *(int(row["file"]) for row in own))
    yield from wrong("README.md", text, r"up to ([\d,]+) at a time, ([\d,]+) of them in large blocks",
                     uploads_of("normal"), large_uploads_of("normal"))
    yield from wrong("README.md", text, r"([\d,]+), ([\d,]+) and ([\d,]+) KiB resident when idle",
                     *(int(row["resident_idle"]) for row in own))


def costs(text):
    header = (SOURCES / "CMartletPlatform" / "include" / "martlet_memory.h").read_text()
    slot = int(re.search(r"MARTLET_CONNECTION_SIZE = (\d+)", header)[1])
    yield from wrong("WhatItCosts.md", text, r"A connection costs ([\d,]+) octets", slot)
    block = {size: int(re.search(rf"MARTLET_{size}_BLOCK_SIZE = (\d+)", header)[1])
             for size in ("SMALL", "LARGE")}
    yield from wrong("WhatItCosts.md", text, r"A block of ([\d,]+) octets is enough", block["SMALL"])
    yield from wrong("WhatItCosts.md", text, r"a large block of ([\d,]+) octets", block["LARGE"])
    yield from wrong("WhatItCosts.md", text,
                     r"at most ([\d,]+) uploads can \(([\d,]+) on small boards, ([\d,]+) on routers\)",
                     *map(large_uploads_of, KINDS))
    yield from wrong("WhatItCosts.md", text,
                     r"([\d,]+) uploads can be under way at a time \(([\d,]+), ([\d,]+)\)",
                     *map(uploads_of, KINDS))
    yield from wrong("WhatItCosts.md", text,
                     r"each of ([\d,]+) TLS connections \(([\d,]+) on small boards, ([\d,]+) on routers\)",
                     *(room_of(kind, "TLS_CONNECTIONS") for kind in KINDS))
    yield from wrong("WhatItCosts.md", text, r"an arena of ([\d,]+) octets",
                     int(re.search(r"MARTLET_TLS_ARENA_SIZE = (\d+)", header)[1]))
    # The table that scripts/footprint writes.
    measured = figures()
    rows = re.findall(r"^\| (\S+) \| `(\S+)` \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \|$",
                      text, re.MULTILINE)
    if len(rows) < 12:
        yield "WhatItCosts.md: the table of what it costs has fewer than twelve programs"
    for board, program, *said in rows:
        row = measured[board, program]
        right = [int(row[name]) for name in
                 ("file", "resident_idle", "resident_login", "resident_served", "anonymous_served")]
        if [number(value) for value in said] != right:
            yield f"WhatItCosts.md: {board} {program} should say {right} (scripts/footprint --write)"
    # The tables that scripts/footprint --capabilities writes.
    if capabilities.texts(capabilities.kept()) not in text:
        yield "WhatItCosts.md: the costs of capabilities are not those of boards/capabilities.tsv"


# Limits of what the panel does not have, so that its --limits does not print them.
BESIDE_PANEL = r"(?:uploadState|uploadRate|uploadSlack|chunkExtension|part|file|range|disk|watch|command)\w+"


def limits_beside_panel():
    """name -> value, of what Limits.swift has as one number or as one of C."""
    include = SOURCES / "CMartletPlatform" / "include"
    found = dict(re.findall(r"\b(MARTLET_\w+) = (\w+)", " ".join(path.read_text() for path in include.glob("*.h"))))
    text = (SOURCES / "MartletBytes" / "Limits.swift").read_text()
    for name, value in re.findall(rf"static var ({BESIDE_PANEL}): Int\d* {{ (?:Int\()?(\w+)\)? }}", text):
        while value in found:
            value = found[value]
        yield name, number(value)


def limits(text):
    # Each limit that --limits does not print has its row.
    count = 0
    for name, value in limits_beside_panel():
        yield from wrong("TheLimits.md", text, rf"\| `{name}`[^|]* \| ([\d,]+) \|", value)
        count += 1
    if count < 20:
        yield "TheLimits.md: Limits.swift has fewer limits beside the panel's than there were"
    yield from wrong("TheLimits.md", text,
                     r"connections at a time \| ([\d,]+) \(([\d,]+) on `pi0`, ([\d,]+) on routers\)",
                     room_of("normal"), room_of("small"), room_of("tiny"))
    yield from wrong("TheLimits.md", text, r"uploads at a time \| ([\d,]+) \(([\d,]+), ([\d,]+)\)",
                     *map(uploads_of, KINDS))
    yield from wrong("TheLimits.md", text, r"TLS connections at a time \| ([\d,]+) \(([\d,]+), ([\d,]+)\)",
                     *(room_of(kind, "TLS_CONNECTIONS") for kind in KINDS))
    places = [room_of(kind, "WORKS") for kind in KINDS]
    yield from wrong("TheLimits.md", text,
                     r"passwords hashed at a time \| ([\d,]+) \(([\d,]+), ([\d,]+)\), and ([\d,]+) \(([\d,]+), ([\d,]+)\) wait",
                     *places, *(8 * count for count in places))
    yield from wrong("TheLimits.md", text, r"of which ([\d,]+) \(([\d,]+), ([\d,]+)\) may need a large block",
                     *map(large_uploads_of, KINDS))
    # Each number of the table is one of a limit.
    known = constants()
    table = re.search(r"^\| limit .*?\n\n", text, re.DOTALL | re.MULTILINE)
    if not table:
        yield "TheLimits.md: there is no table of limits"
        return
    for line in table[0].splitlines():
        for said in re.findall(r"(?<![\w`/.])\d[\d,]*(?![\w`]|,\d)", line):
            value = number(said)
            if value not in known and not {value * 1024, value * 60, value * 1000} & known:
                yield f"TheLimits.md: {said} in {line!r} is no limit"


CLAIMS = {"README.md": readme, "WhatItCosts.md": costs, "TheLimits.md": limits}


def claims(texts):
    for name, text in texts.items():
        yield from CLAIMS[name](text)


def packages():
    own = max(int(row["anonymous_served"]) for (_, program), row in figures().items()
              if program == "martlet-panel")
    if own >= 1000:
        yield f"boards/install: the panel takes {own} KiB of its own, not less than 1 MB"
    for name in ("debian/control", "martlet-panel.service"):
        if "less than 1 MB" not in flat((ROOT / "boards" / "install" / name).read_text()):
            yield f"boards/install/{name}: nothing about memory; change the claim in Tests/Footprint/texts.py"


def main():
    problems = [*board_pages(), *claims(documents()), *packages()]
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
