"""Markdown: the figures of all boards, who holds what, and the README's short table."""

import holders
from visits import REQUESTS

README_BOARDS = ("x86-64", "pi64", "pi32", "pi0")


def markdown(head, rows, left=1):
    """A table; the first `left` columns are text."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * left + "--:|" * (len(head) - left)]
    lines += [
        "| " + " | ".join(f"{cell:,}" if isinstance(cell, int) else cell for cell in row) + " |"
        for row in rows
    ]
    return "\n".join(lines)


def kib(row, name):
    return row.figures[name] // 1024 if name in row.figures else ""


def octets(row, name):
    return row.figures.get(name, "")


def figures(rows):
    head = [
        "Board", "Program", "Linked", "Run", "File", ".text", ".rodata", ".data", ".bss", "Stack",
        "Resident: idle", "login", f"{REQUESTS:,} requests", "Anonymous: idle", "login",
        f"{REQUESTS:,} requests"
    ]
    body = [[
        row.board, f"`{row.program}`", row.linkage, row.how,
        *(octets(row, name) for name in ("file", "text", "rodata", "data", "bss", "stack")),
        *(kib(row, f"{kind}_{moment}") for kind in ("resident", "anonymous")
          for moment in ("idle", "login", "served"))
    ] for row in rows]
    return markdown(head, body, 4) + (
        "\n\nFile, sections and stack in octets, memory in KiB. The programs of this machine's own "
        "kind run natively, the others under qemu-user; pages have 4 KiB in both.")


def readme(rows):
    """One line a program and board, of those that most people ask about, and the other servers."""
    ours = [
        row for board in README_BOARDS for row in rows
        if row.board == board and row.linkage != "peer"
    ]
    peers = sorted((row for row in rows if row.linkage == "peer"),
                   key=lambda row: row.figures["file"])
    body = [[
        row.board, row.program if row in peers else f"`{row.program}`",
        octets(row, "file"),
        kib(row, "resident_idle"),
        kib(row, "resident_login"),
        kib(row, "resident_served"),
        kib(row, "anonymous_served")
    ] for row in ours + peers]
    head = [
        "Board", "Program", "File", "Resident, idle", "after a login",
        f"after {REQUESTS:,} requests", "of it anonymous"
    ]
    return markdown(head, body, 2) + (
        "\n\nFiles in octets, memory in KiB. ARM's programs run under qemu-user, of whose memory "
        "only the\nprogram's counts. Other servers: Microdot's login example, and one page without a "
        "login; their files\nare without the C library.")


def holders_of(name, measured, link_map, path):
    """Three tables: the file by module, its biggest symbols, the resident memory."""
    head = ["Module", *(f"in {column}" for column in holders.IN_FILE), "in the file", ".bss"]
    body = [[
        row.name, *(row.octets.get(column, 0) for column in holders.IN_FILE), row.in_file,
        row.octets.get("bss", 0)
    ] for row in holders.by_module(link_map, measured.elf)]
    body.append(["**sum**", *(sum(row[column] for row in body) for column in range(1, len(head)))])
    modules = markdown(head, body)
    symbols = markdown(["Section", "Module", "Symbol", "Octets"],
                       [[section, holder, f"`{text}`", size]
                        for size, section, holder, text in holders.biggest_symbols(link_map)], 3)
    found = holders.resident_holders(measured, link_map, path)
    small = [octets for _, octets in found if sum(octets) < 256]
    body = [[holder, *octets] for holder, octets in found if sum(octets) >= 256]
    body.append(
        [f"{len(small)} smaller ones", *(sum(octets[i] for octets in small) for i in (0, 1))])
    body.append(["**sum**", *(sum(octets[i] for _, octets in found) for i in (0, 1))])
    resident = markdown(["Resident after all requests", "pages of files", "anonymous"], body)
    return (f"## {name}\n\n{modules}\n\nThe {holders.SYMBOLS} biggest symbols:\n\n{symbols}\n\n"
            f"{resident}\n")
