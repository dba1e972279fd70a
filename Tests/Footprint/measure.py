"""One program on one board: its file, and its memory idle, after a login, after 1,000 requests."""

import tempfile
from dataclasses import dataclass

import memory
import visits
from elf import read_elf
from running import Program
from visitor import Visitor

MOMENTS = ("idle", "login", "served")
SIZES = ("file", "text", "rodata", "data", "bss", "stack")
MEMORY = tuple(f"{kind}_{moment}" for moment in MOMENTS for kind in ("resident", "anonymous"))


@dataclass
class Measured:
    """Figures in octets by name, and what was mapped and touched at the end."""

    figures: dict
    elf: object
    mappings: list
    pages: dict
    space: object


def file_figures(path):
    elf = read_elf(path)
    return elf, {
        "file": elf.size,
        **{
            name: elf.section_size("." + name)
            for name in ("text", "rodata", "data", "bss")
        }
    }


def measure(path, program, qemu=()):
    elf, figures = file_figures(path)
    with tempfile.TemporaryDirectory(prefix="footprint-") as data:
        running = Program(path, ["--listen", "127.0.0.1:0", *visits.arguments(program, data)], qemu)
        try:
            visitor = Visitor(running.port)
            mappings = note(figures, "idle", running)
            visits.enter(program, running, visitor)
            note(figures, "login", running)
            visits.serve(visitor)
            mappings = note(figures, "served", running)
            pages = {
                mapping.start: memory.touched_pages(running.pid, mapping)
                for mapping in mappings if mapping.resident
            }
            figures["stack"] = memory.stack_use(running.pid, mappings, running.space)
            visitor.close()
            status = running.stop()
            if status != 0:
                raise RuntimeError(f"{path} ended with status {status}")
        finally:
            running.kill()
    return Measured(figures, elf, mappings, pages, running.space)


def note(figures, moment, running):
    mappings = running.mappings()
    found = memory.total(mappings)
    figures[f"resident_{moment}"] = found.resident
    figures[f"anonymous_{moment}"] = found.anonymous
    return mappings
