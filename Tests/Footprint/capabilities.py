"""What each capability costs in a program's file: examples beside hello-example, and the panel part by part.

The panel's octets come from its linker map. A symbol belongs to the file that declares it: a private one carries a
hash of its file's name, another one is looked for by its type and its own name. Code of the library that is made for
the panel's types counts for the library.
"""

import hashlib
import re
from collections import Counter
from fnmatch import fnmatch

import blocks
import holders
import linkmap
import records
import tables
from boards import ROOT, own_board

FIGURES = ROOT / "boards" / "capabilities.tsv"
HEAD = ("# What scripts/footprint --capabilities measured: octets of x86-64's files. A program's is the whole file, a\n"
        "# part's what it holds of martlet-panel.\n")
BASE, PANEL = "hello-example", "martlet-panel"
# What a program shows beyond what hello-example has.
PROGRAMS = {
    "hello-example": "pages and routes",
    "rest-example": "JSON that is read and written, paths with parameters, pages for errors",
    "settings-example": "a form with every kind of field, files that are replaced",
    "cors-example": "pages for scripts of other origins, a policy of its own",
    "csrf-example": "forms with tokens",
    "sessions-example": "signed sessions, forms in parts",
    "https-example": "`login-example` over TLS, with certificates of its own authority",
    "login-example": "signed sessions, users, \"remember me\"",
    "auth-example": "Basic and Bearer credentials, hashed passwords",
    "subapps-example": "parts that are mounted, credentials",
    "templates-example": "templates, files within the program",
    "gpio-example": "lines of a GPIO chip",
    "commands-example": "programs of the board",
    "streaming-example": "long responses",
    "sse-example": "events",
    "sensors-example": "samples at times, events",
    "uploads-example": "files by form and as raw octets",
    "static-example": "a folder of files: ranges, conditions, variants",
    "pieces-example": "files, long responses, uploads",
}
# Symbols of C that go by their names, whose holder has other parts as well.
BY_NAME = r"(?:mbedtls|martlet)_\w*sha256\w*"
# Who holds what of the panel: the first pattern of a file, of a symbol by its name, or of the holder's name, decides.
PARTS = {
    "pages, forms and style": ("Panel/Shell/*", "Panel/OverviewPage*", "Panel/SystemPage*", "Panel/Page*",
                               "Panel/Readable*", "Panel/ShownText*"),
    "live values, plots, alerts": ("Panel/Live/*",),
    "tokens of programs": ("Panel/Tokens/*",),
    "API and figures for programs": ("Panel/Programs/*", "Panel/MetricsPage*"),
    "accounts, logins, sessions": ("Panel/Account*", "Panel/Session*", "Panel/Login*", "Panel/Password*", "Panel/SetUp*",
                                   "Panel/CommonPasswords*", "Panel/Calibration*", "Panel/Secret*", "Panel/DataFiles*",
                                   "Panel/StorageTrouble*", "Panel/Checksum*"),
    "readings of the machine": ("Panel/Device*", "Panel/Disks*", "Panel/Interfaces*", "Panel/Measurements*",
                                "Panel/Memory*", "Panel/ProcText*", "Panel/System*", "Panel/Temperature*",
                                "Panel/Addresses*"),
    "page of the certificate": ("Panel/HTTPSPage*",),
    "first process of a system": ("Panel/Boot*", "Panel/NetworkSetting*"),
    "start, options, --limits, log": ("Panel/*", "martlet_panel"),
    "library: sessions, logins, credentials": ("Martlet/Login/*",),
    "library: answers and pages": ("Martlet/Response/*",),
    "library: TLS": ("MartletTLS/TLSTransport*", "MartletTLS/RequestChannel*", "CMartletTLS", "Martlet/Program/*TLS*",
                     "MartletServer/*Encryption*"),
    "library: certificates": ("MartletTLS/*", "MartletTLS"),
    "library: requests, routes, programs": ("Martlet/*", "Martlet"),
    "library: connections": ("MartletServer/*", "MartletServer"),
    "library: HTTP": ("MartletHTTP",),
    "library: octets, numbers, JSON": ("MartletBytes",),
    "library: tokens, passwords": ("MartletToken",),
    "library: system calls": ("CMartletPlatform",),
    "SHA-256, by mbedTLS and by instructions": ("mbedtls_*sha256*", "martlet_*sha256*"),
    "mbedTLS: TLS": ("mbedTLS",),
    "C library": ("C library",),
    "Swift's standard library": ("Swift standard library",),
    "texts": ("literals, merged",),
    "tables, alignment": ("*",),
}


class Sources:
    """Which file of a module declares a symbol."""

    def __init__(self, module, folder):
        self.module, self.hashes, self.types, self.members = module, {}, {}, {}
        for path in sorted((ROOT / "Sources" / folder).rglob("*.swift")):
            file, text = str(path.relative_to(ROOT / "Sources")), path.read_text(encoding="utf-8")
            self.hashes["_" + hashlib.md5((module + path.name).encode()).hexdigest().upper()] = file
            for kind, name in re.findall(r"\b(struct|enum|extension|protocol) (\w+)", text):
                self.types.setdefault(name, []).insert(0 if kind != "extension" else 99, file)
            for name in re.findall(r"\b(?:func|var|let) (\w+)", text):
                self.members.setdefault(name, set()).add(file)

    def file_of(self, name):
        """The file of a symbol's readable name, or nothing."""
        name = name.rpartition("> of ")[2]
        for found in re.findall(r" in (_[0-9A-F]{32})\)", name):
            if found in self.hashes:
                return self.hashes[found]
        found = re.search(rf"(?:{self.module}\.|\(extension in {self.module}\):)([\w.]+)", name)
        words = found[1].split(".") if found else []
        files = [file for word in words for file in self.types.get(word, ())]
        for word in reversed(words):
            for file in files:
                if file in self.members.get(word, ()):
                    return file
        return files[0] if files else None


def part_of(where):
    return next(name for name, patterns in PARTS.items() if any(fnmatch(where, pattern) for pattern in patterns))


def parts_of_panel(board):
    """Part -> octets of the file."""
    path = board.program(PANEL)
    link_map = linkmap.read_map(path.with_name(f"{PANEL}.map").read_text(encoding="utf-8"))
    sources = {module: Sources(module, folder) for module, folder in
               (("martlet_panel", "Panel"), ("Martlet", "Martlet"), ("MartletTLS", "MartletTLS"),
                ("MartletServer", "MartletServer"))}
    sizes = Counter()
    held = [part for part in link_map.parts if part.section != ".bss"]
    for part, name in zip(held, holders.demangled([part.name for part in held], "--no-sugar")):
        where = sources[part.holder].file_of(name) if part.holder in sources else None
        if re.fullmatch(BY_NAME, name):
            where = name
        sizes[part_of(where or part.holder)] += part.size
    # What the file has beside its sections.
    sizes[part_of("")] += path.stat().st_size - sum(sizes.values())
    return sizes


def measure():
    """[(kind, name, octets)]"""
    board = own_board()
    missing = [name for name in (*PROGRAMS, PANEL) if not board.program(name).is_file()]
    if missing:
        raise ValueError(f"not built: {' '.join(missing)}; scripts/build --examples {board.name} does")
    rows = [("program", name, board.program(name).stat().st_size) for name in PROGRAMS]
    return rows + [("part", name, size) for name, size in parts_of_panel(board).most_common()]


def texts(rows):
    """The tables of the article."""
    sizes = {name: size for kind, name, size in rows if kind == "program"}
    parts = [[name, size] for kind, name, size in rows if kind == "part"]
    base = sizes[BASE]
    programs = [[f"`{name}`", PROGRAMS[name], size, size - base] for name, size in
                sorted(sizes.items(), key=lambda item: item[1])]
    whole = sum(size for _, size in parts)
    return "\n\n".join([
        tables.markdown(["Program", "What it shows", "File", "more than `hello-example`"], programs, 2),
        "Of `martlet-panel`:",
        tables.markdown(["Part", "Octets"], [*parts, ["**all**", whole]])])


def kept():
    return [(row["kind"], row["name"], int(row["octets"])) for row in records.read_table(FIGURES.read_text())]


def write(rows, article):
    lines = ["kind\tname\toctets", *("\t".join(map(str, row)) for row in rows)]
    FIGURES.write_text(HEAD + "\n".join(lines) + "\n", encoding="utf-8")
    blocks.write(article, "capabilities", texts(rows))
