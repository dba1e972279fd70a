"""`--limits`: the sum is what the linker laid out and what the kernel shows."""

import re

import pytest

import boards
import linkmap
import memory
from client import converse, request
from crowd import Crowd, group
from elf import read_elf
from machine import LoadedPanel, all_boards, board, largest_page, limits, own_board, room
from panel import NAME, PASSWORD
from wrk import load

HEADING, SUM = "Static memory", "in all"
# A holder this large has a line of its own; what is smaller stands in the last one.
OWN_LINE = 512


def table_of(on):
    """name -> octets, without the sum, and the sum."""
    lines = {name: value for (heading, name), value in limits(on).items() if heading == HEADING}
    return lines, lines.pop(SUM)


@pytest.mark.parametrize("name", all_boards())
def test_the_sum_is_the_linkers(name, figure):
    """`--limits` prints a sum with one line per holder, and it equals what the linker shows."""
    on = board(name)
    path = on.program("martlet-panel")
    elf = read_elf(path)
    lines, total = table_of(on)
    sections = {section: elf.section_size(section) for section in (".data", ".bss")}
    figure(f"{total} octets in {len(lines)} lines; .data and .bss are "
           f"{' and '.join(map(str, sections.values()))} octets")
    # Octets before the first aligned holder of .data are in its segment as well.
    assert sum(lines.values()) == total and 0 <= total - sum(sections.values()) < 16

    parts = [part for part in linkmap.read_map(path.with_name("martlet-panel.map").read_text()).parts
             if part.section in sections]
    assert sum(part.size for part in parts) == sum(sections.values())
    # The last line has what mbedTLS keeps for itself, what alignment takes before arrays of whole pages, and an octet
    # for each connection that says whether it is TLS.
    large = [part for part in parts if part.size >= OWN_LINE and part.holder != linkmap.MBEDTLS
             and part.name not in ("alignment", "slots")]
    rest = list(lines)[-1]
    small = total - sum(part.size for part in large)
    figure(f"'{rest}' is {lines[rest]} octets; the map has {small} in parts below {OWN_LINE} octets")
    # Alignment within arrays of ours is in the last line as well; it is no holder.
    assert 0 <= lines[rest] - small < OWN_LINE, (
        f"a holder lacks its line: {', '.join(f'{part.name} {part.size}' for part in large)}")


def touch_everything(panel, figure):
    """All slots, all buffers, all that is read and shown."""
    address = panel.address
    page, _ = largest_page(address)
    visitor = panel.logged_in()
    for target in ("/", "/system", "/password", "/nowhere", "/login?next=/" + "x" * 3000):
        visitor.get(target)
    # The largest request that there is, and the longest head of an answer.
    chunk = b"%x\r\n%s\r\n" % (16, b"y" * 16)
    largest = request("POST", "/login", [("Transfer-Encoding", "chunked"),
                                         *[("X-Long", "z" * 4000)] * 3])
    converse(address, largest + chunk * 1000 + b"0\r\n\r\n", within=3, finish=True)
    visitor.post("/login?next=/" + "x" * 3000,
                 {"username": NAME, "password": PASSWORD, "remember_me": "on"})
    with Crowd(group("deaf", 64, address, page),
               group("slowloris", room(own_board()), address, page)) as crowd:
        run = load(address, "/login", 2, 32)
    figure(f"{run.requests:,} requests; beside it: {crowd.told}")


def pages_of(segment, base, written):
    """(pages of a segment, how many of them are among those that were written to)."""
    first = base + segment.address & -memory.PAGE
    last = base + segment.address + segment.memory_size
    return -(-(last - first) // memory.PAGE), sum(first <= address < last for address in written)


def test_the_sum_is_the_kernels(tmp_path, figure):
    """Anonymous memory under load is pages of the sum and the stack, and nothing else."""
    on = own_board()
    _, total = table_of(on)
    with LoadedPanel(tmp_path / "data", on) as panel:
        touch_everything(panel, figure)
        pid = panel.program.pid
        space = memory.native_space(pid)
        mappings = memory.own_mappings(pid, space)
        stack = memory.stack_mapping(mappings, space)
        used = memory.stack_use(pid, mappings, space)
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as lines:
            rollup = dict(re.findall(r"^(\w+): +([0-9]+) kB$", lines.read(), re.M))
        path = on.program("martlet-panel")
        *_, relocated, writable = read_elf(path).segments
        base = min(mapping.start - mapping.offset for mapping in mappings
                   if mapping.path == str(path))
        written = [address for mapping in mappings
                   for address, is_anonymous in memory.touched_pages(pid, mapping) if is_anonymous]
        pages, touched = pages_of(writable, base, written)
        _, tables = pages_of(relocated, base, written)
        anonymous = int(rollup["Anonymous"]) * 1024
        figure(f"anonymous {anonymous} octets; the sum is {total} octets in {pages} pages, of which "
               f"{touched} were touched; {tables} page of tables that were relocated at the start")
        figure(f"stack: {stack.anonymous} octets of pages, {used} octets of it used")
        most = (pages + tables) * memory.PAGE + stack.anonymous
        figure(f"with all pages touched it would be {most} octets: sum, tables and stack")
        # No answer of the panel fills the buffer that it is written to, and nobody comes by TLS, whose arenas and
        # arrays are a third of all pages. So these stay untouched.
        assert touched >= 0.33 * pages, "too little was touched to say something"
        # Nothing is there that neither the linker nor the stack accounts for.
        assert anonymous == (touched + tables) * memory.PAGE + stack.anonymous


def test_the_service_holds_the_worst(figure):
    """The service's memory limit holds what the kernel may keep for all connections that it allows."""
    unit = (boards.ROOT / "boards" / "install" / "martlet-panel.service").read_text()
    allowed = int(re.search(r"^LimitNOFILE=([0-9]+)$", unit, re.M)[1])
    most = int(re.search(r"^MemoryMax=([0-9]+)M$", unit, re.M)[1]) << 20
    on = own_board()
    table = limits(on)
    connections = min(table["Connections", "at a time"],
                      allowed - table["Connections", "other descriptors"])
    each = sum(table["Kernel memory", name] for name in (
        "unsent octets of each", "unread octets of each", "socket of each"))
    own = on.program("martlet-panel").stat().st_size + table[HEADING, SUM]
    figure(f"{connections} connections of {each:,} octets, and {own:,} of the program; "
           f"{connections * each + own:,} of {most:,}")
    # An eighth is left for page tables, and for what the kernel counts ahead for each processor.
    assert connections * each + own <= most * 7 // 8
    assert table["Kernel memory", "connections in all"] == each * table["Connections", "at a time"]
