"""The board under test: MARTLET_BOARD, its programs in MARTLET_BIN, run by MARTLET_RUN."""

import os
import shlex
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests" / "Wire"))


class Board:
    def __init__(self, name):
        self.name = name
        self.programs = Path(os.environ["MARTLET_BIN"])
        lines = (ROOT / "boards" / name / "board.conf").read_text().splitlines()
        self.facts = {key: value.strip('"') for key, _, value in (line.partition("=") for line in lines)}
        # This machine's own programs run emulated too where a test needs the emulator.
        self.run = shlex.split(os.environ.get("MARTLET_RUN", "")) or ["qemu-x86_64"]

    @property
    def sysroot(self):
        return ROOT / ".build" / "sdk" / "boards.artifactbundle" / self.name / "sysroot"

    @property
    def is_static(self):
        return "musl" in self.facts["target"]

    @property
    def architecture(self):
        return self.facts["triple"].partition("-")[0]


@pytest.fixture(scope="session")
def board():
    return Board(os.environ["MARTLET_BOARD"])
