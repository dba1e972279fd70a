"""Time by instructions: how long a board's processor would work, of a program that is emulated. What else the machine
does meanwhile makes no difference to it. The kernel's instructions are not counted.

An ARM1176 has no counter that an emulator could show, so its cycles are an estimate: 1.5 for an instruction of what
takes longest, the multiplication of numbers of 256 bits; right within a third.
"""

import mmap
import shutil
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1] / "Boards" / "instructions.c"
FIELDS = struct.Struct("=5Q")  # struct counts of SOURCE
# Instructions a second of a board's processor: a Raspberry Pi 1 at 700 MHz; a Zero has 1 GHz.
RATES = {"pi0": 700e6 / 1.5}
# poll, ppoll and ppoll_time64 of the kernel for 32-bit ARM.
WAITS = {"qemu-arm": (168, 336, 414)}


@dataclass(frozen=True)
class Counts:
    executed: int
    calls: int  # of the system
    turns: int  # of the loop, from one poll() to the next
    longest: int  # instructions of a turn
    waits: int  # 1 while it waits in poll()


class Counter:
    """What a program of a board executes, while it runs; for the board's emulator."""

    def __init__(self, on, folder):
        self.rate = RATES[on.name]
        library, self.path = Path(folder) / "instructions.so", Path(folder) / "counts"
        compiler = shutil.which("cc") or shutil.which("clang")
        assert compiler, "there is no C compiler; scripts/setup test installs one"
        subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", SOURCE, "-o", library],
                       check=True)
        self.path.write_bytes(bytes(FIELDS.size))
        self.octets = mapped(self.path)
        waits = "".join(f",waits={number}" for number in WAITS[on.emulator])
        self.options = ("-plugin", f"{library},counts={self.path}{waits}")

    def read(self):
        return Counts(*FIELDS.unpack(self.octets))

    def milliseconds(self, instructions):
        """How long the board's processor takes for them."""
        return 1000 * instructions / self.rate


def mapped(path):
    with open(path, "rb") as file:
        return mmap.mmap(file.fileno(), FIELDS.size, prot=mmap.PROT_READ)


class Clock:
    """A clock that goes on while the program does, in seconds of the board's processor."""

    def __init__(self, path, rate):
        self.octets, self.rate = mapped(path), rate

    def __call__(self):
        return Counts(*FIELDS.unpack(self.octets)).executed / self.rate

    def stands(self):
        return Counts(*FIELDS.unpack(self.octets)).waits == 1
