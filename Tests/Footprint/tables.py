"""Markdown: the figures of all boards, who holds what, and the tables of the documentation."""

import holders
from visits import REQUESTS

# Those that are measured whenever a table is written.
BOARDS = ("x86-64", "pi64", "pi32", "pi0")


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


def readme(rows, boards):
    """One line a board: the files, and the login example's memory."""
    programs = ("hello-example", "login-example", "martlet-panel")
    found = {(row.board, row.program): row for row in rows}
    body = []
    shown = [board for name in BOARDS for board in boards if board.name == name]
    for board in shown:
        if all((board.name, program) in found for program in programs):
            logins = found[board.name, "login-example"]
            body.append([
                f"`{board.name}`", board.title,
                *(octets(found[board.name, program], "file") for program in programs),
                kib(logins, "resident_idle")
            ])
    head = ["Board", "For", *(f"`{program}`" for program in programs), "Memory, idle"]
    return markdown(head, body, 2) + (
        "\n\nFiles in octets; memory of `login-example` in KiB.")


def costs(rows, board):
    """The figures that most people ask about, a line each."""
    own = [row for name in ("hello-example", "login-example", "martlet-panel") for row in rows
           if (row.board, row.program) == (board, name)]
    peers = [row for row in rows if row.linkage == "peer" and "Microdot" in row.program]

    def listed(figures):
        return f"{', '.join(figures[:-1])} and {figures[-1]}"

    def of(figure):
        return listed([f"{figure(row):,}" for row in own])

    others = listed([f"{octets(row, 'file'):,} octets and {kib(row, 'resident_idle'):,} KiB ({row.program})"
                     for row in peers])
    return "\n".join([
        f"- **Files** on {board}: {of(lambda row: octets(row, 'file'))} octets for a page, for a page with "
        "logins, and for the panel.",
        f"- **Memory**: {of(lambda row: kib(row, 'resident_idle'))} KiB resident when idle, "
        f"{of(lambda row: kib(row, 'resident_served'))} KiB after {REQUESTS:,} requests.",
        f"- **Others**, measured alike, without their C library: {others}.",
    ])


def article(rows):
    """One line a program and board, of those that most people ask about, and the other servers."""
    ours = [
        row for board in BOARDS for row in rows
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
    chart = "![Files and memory of Martlet's programs and of other servers](footprint.svg)"
    return f"{chart}\n\n{markdown(head, body, 2)}" + (
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
