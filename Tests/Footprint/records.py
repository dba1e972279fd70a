"""The figures kept in the tree: boards/footprint.tsv and boards/history.tsv."""

import datetime
import subprocess
from dataclasses import dataclass

from boards import ROOT
from measure import MEMORY, SIZES

FIGURES = ROOT / "boards" / "footprint.tsv"
HISTORY = ROOT / "boards" / "history.tsv"
NAMES = ("board", "program", "linkage", "how")
FIGURES_HEAD = ("# What scripts/footprint measured: sizes in octets, memory in KiB.\n"
                "# `how` says whether the program ran natively or in which emulator.\n")
HISTORY_HEAD = (
    "# Sizes by commit, in octets: a line where one has changed. A + says that the tree had\n"
    "# changes beyond the commit.\n")
HISTORY_NAMES = ("date", "commit", "board", "program", *SIZES)


@dataclass(frozen=True)
class Row:
    """Figures by name, in octets; without those of memory where the program did not run."""

    board: str
    program: str
    linkage: str
    how: str
    figures: dict

    @property
    def key(self):
        return self.board, self.program

    def largest(self, kind):
        """The most that a program had of a kind of memory at any moment, or nothing."""
        found = [octets for name, octets in self.figures.items() if name.startswith(kind + "_")]
        return max(found, default=None)


def cell(row, name):
    if name not in row.figures:
        return ""
    return str(row.figures[name] // 1024 if name in MEMORY else row.figures[name])


def write_rows(rows, path):
    lines = ["\t".join((*NAMES, *SIZES, *MEMORY))]
    for row in rows:
        lines.append("\t".join([
            row.board, row.program, row.linkage, row.how,
            *(cell(row, name) for name in (*SIZES, *MEMORY))
        ]))
    path.write_text(FIGURES_HEAD + "\n".join(lines) + "\n", encoding="utf-8")


def read_table(text):
    lines = [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]
    return [dict(zip(lines[0], line)) for line in lines[1:]]


def read_rows(text):
    rows = []
    for fields in read_table(text):
        figures = {
            name: int(fields[name]) * (1024 if name in MEMORY else 1)
            for name in (*SIZES, *MEMORY) if fields.get(name)
        }
        rows.append(Row(*(fields[name] for name in NAMES), figures))
    return rows


def kept_rows():
    return read_rows(FIGURES.read_text(encoding="utf-8")) if FIGURES.is_file() else []


def merged(kept, measured):
    """What is kept, with everything that has been measured anew in its place."""
    rows = {row.key: row for row in kept}
    rows.update({row.key: row for row in measured})
    return sorted(rows.values(), key=lambda row: (row.linkage == "peer", row.key))


def git(*arguments):
    told = subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, text=True)
    return told.stdout.strip() if told.returncode == 0 else ""


def rows_before():
    """The figures that the last commit with others than now has kept, where git has them."""
    path = FIGURES.relative_to(ROOT)
    last = git("show", f"HEAD:{path}")
    is_new = FIGURES.is_file() and last != FIGURES.read_text(encoding="utf-8").strip()
    return read_rows(last if is_new else git("show", f"HEAD^:{path}"))


def history():
    return read_table(HISTORY.read_text(encoding="utf-8")) if HISTORY.is_file() else []


def add_history(rows):
    """Appends a line for every program with a size that is not what the last line says."""
    lines = history()
    last = {(line["board"], line["program"]): line for line in lines}
    dirty = git("status", "--porcelain", "--", "Sources", "Package.swift", "boards/*/*",
                "scripts/build", "scripts/sdk")
    commit = (git("rev-parse", "--short", "HEAD") or "-") + ("+" if dirty else "")
    today = datetime.date.today().isoformat()
    for row in rows:
        sizes = {name: cell(row, name) for name in SIZES}
        before = last.get(row.key, {})
        if row.linkage != "peer" and any(before.get(name) != sizes[name] for name in SIZES):
            lines.append({
                "date": today,
                "commit": commit,
                "board": row.board,
                "program": row.program,
                **sizes
            })
    texts = ["\t".join(HISTORY_NAMES)
             ] + ["\t".join(line[name] for name in HISTORY_NAMES) for line in lines]
    HISTORY.write_text(HISTORY_HEAD + "\n".join(texts) + "\n", encoding="utf-8")
    return lines


def growth(rows, kept):
    """What of ours has become larger or smaller, a line each.

    Sizes count from one octet on, memory beyond 4 KiB. What a dynamic program has resident of
    Debian's libraries also depends on what of them lies in the page cache: there it is 64 KiB.
    """
    before = {row.key: row for row in kept}
    told = []
    for row in rows:
        old = before.get(row.key)
        if row.linkage == "peer":
            continue
        if old is None:
            told.append(f"{row.board} {row.program}: new")
            continue
        for name in (*SIZES, *MEMORY):
            now, then = row.figures.get(name), old.figures.get(name)
            if now is None or then is None:
                continue
            tolerance = 4096 if name in MEMORY else 0
            if row.linkage == "dynamic" and name.startswith("resident"):
                tolerance = 65536
            if abs(now - then) > tolerance:
                unit, divisor = ("KiB", 1024) if name in MEMORY else ("octets", 1)
                told.append(
                    f"{row.board} {row.program}: {name.replace('_', ', ')} {then // divisor:,} "
                    f"→ {now // divisor:,} {unit} ({(now - then) // divisor:+,})")
    return told
