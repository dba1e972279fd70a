"""The boards, from the facts in boards/*/board.conf, and how their programs are run here."""

import platform
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILT = ROOT / ".build" / "boards"
BUNDLE = "sdk/boards.artifactbundle"


@dataclass(frozen=True)
class Board:
    name: str
    title: str
    is_static: bool
    is_native: bool
    qemu: tuple

    @property
    def how(self):
        return "native" if self.is_native else self.emulator

    @property
    def emulator(self):
        return self.qemu[0] if self.qemu else f"qemu-{platform.machine()}"

    @property
    def linkage(self):
        return "static" if self.is_static else "dynamic"

    def program(self, name):
        return BUILT / self.name / name

    def emulation(self):
        """The command before the program's own; for a dynamic program with its board's libraries."""
        if self.is_native:
            return ()
        if self.is_static:
            return self.qemu
        return *self.qemu, "-L", str(ROOT / ".build" / BUNDLE / self.name / "sysroot")


def read_facts(text):
    """NAME=VALUE lines as bash reads them."""
    facts = {}
    for line in text.splitlines():
        name, separator, value = line.partition("=")
        if separator and not line.startswith("#"):
            facts[name] = " ".join(shlex.split(value, comments=True))
    return facts


def read_board(folder):
    facts = read_facts((folder / "board.conf").read_text(encoding="utf-8"))
    qemu = tuple(facts["qemu"].split())
    is_native = facts["machine"] == platform.machine()
    return Board(folder.name, facts["title"], "musl" in facts["target"], is_native, qemu)


def all_boards():
    return [read_board(file.parent) for file in sorted((ROOT / "boards").glob("*/board.conf"))]


def own_board():
    """The board that this machine is, as in scripts/common.bash."""
    name = {"x86_64": "x86-64", "aarch64": "pi64"}.get(platform.machine())
    if name is None:
        raise ValueError(f"no board is a {platform.machine()}")
    return read_board(ROOT / "boards" / name)
