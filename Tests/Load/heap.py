"""Counts a program's calls of the allocator while it runs: heap.c in front of the C library.

Growth that no call shows, because glibc asks the kernel itself, is seen in the program's mappings.
"""

import mmap
import re
import shutil
import struct
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
FUNCTIONS = ("malloc", "calloc", "realloc", "reallocarray", "free", "posix_memalign",
             "aligned_alloc", "memalign", "valloc", "pvalloc", "brk", "sbrk", "mmap")
SIZE = 8 * len(FUNCTIONS)


def compiled(source, folder, *options):
    compiler = shutil.which("cc") or shutil.which("clang")
    assert compiler, "there is no C compiler; scripts/setup test installs one"
    name = Path(source).stem + (".so" if "-shared" in options else "")
    target = Path(folder) / name
    subprocess.run([compiler, "-O1", "-Wall", "-Wextra", "-Werror", "-fno-builtin", *options,
                    str(HERE / source), "-o", str(target)], check=True)
    return target


class Counter:
    """The counts of one program, and the environment that it must be started with."""

    def __init__(self, folder):
        library = compiled("heap.c", folder, "-shared", "-fPIC")
        self.path = Path(folder) / "counts"
        self.path.write_bytes(bytes(SIZE))
        self.environment = {"LD_PRELOAD": str(library), "MARTLET_HEAP_COUNTS": str(self.path)}
        with open(self.path, "rb") as file:
            self.octets = mmap.mmap(file.fileno(), SIZE, prot=mmap.PROT_READ)

    def read(self):
        return dict(zip(FUNCTIONS, struct.unpack(f"={len(FUNCTIONS)}Q", self.octets[:SIZE])))


def heap_and_anonymous(pid):
    """(octets of the heap that brk() made, octets of private mappings of no file)."""
    heap = anonymous = 0
    pattern = re.compile(r"([0-9a-f]+)-([0-9a-f]+) \S+p \S+ \S+ \d+ *(.*)")
    for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
        matched = pattern.fullmatch(line)
        if matched:
            size = int(matched[2], 16) - int(matched[1], 16)
            heap += size if matched[3] == "[heap]" else 0
            anonymous += size if matched[3] == "" else 0
    return heap, anonymous
