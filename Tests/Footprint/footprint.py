"""Usage: scripts/footprint [--check] [--write] [--peers] [--tighten] [BOARD...]
       scripts/footprint --capabilities [--write]

Measures every program of each board that is built (scripts/build): the file and its sections, the
stack's high-water mark, resident and anonymous memory idle, after a login and after 1,000 requests,
natively or under qemu-user; and who holds what, by module, symbol and array. Prints Markdown and
leaves all in .build/footprint.

  --check    compares with boards/budgets; status 1 if a program is over budget or does not run
  --peers    measures MicroPython, CPython and lighttpd too (it needs PyPI and Debian once)
  --write    all that, and keeps it: boards/footprint.tsv, boards/history.tsv, the tables in README.md
             and in the article WhatItCosts, the charts; the costs of capabilities where the examples are built
  --tighten  lowers the budgets to what was measured or is kept; none is raised
  --capabilities  what each capability costs in the file, by this machine's examples and the panel's parts
             (scripts/build --examples); with --write, boards/capabilities.tsv and the table in WhatItCosts
  --validate shows the same programs of this machine natively and under qemu, side by side
"""

import sys

import blocks
import boards
import budgets
import capabilities
import charts
import holders
import linkmap
import peers
import records
import tables
from measure import file_figures, measure
from visits import PROGRAMS

OUT = boards.ROOT / ".build" / "footprint"
README = boards.ROOT / "README.md"
ARTICLE = charts.CATALOG / "WhatItCosts.md"
OPTIONS = ("--check", "--peers", "--write", "--tighten", "--validate", "--capabilities", "--help")


def stop(message, status=1):
    print(f"scripts/footprint: {message}", file=sys.stderr)
    sys.exit(status)


def progress(text):
    print(text, file=sys.stderr, flush=True)


def measure_program(board, program):
    """(row, who holds what) and what went wrong, if anything."""
    path = board.program(program)
    link_map = linkmap.read_map(path.with_name(f"{program}.map").read_text(encoding="utf-8"))
    elf, figures = file_figures(path)
    holders.check_sizes(link_map, elf)
    told, problem = "", None
    try:
        measured = measure(path, program, board.emulation())
        figures = measured.figures
        told = tables.holders_of(f"{program} for {board.name}", measured, link_map, path)
    except (RuntimeError, OSError) as error:
        problem = f"{board.name} {program}: {error}"
    return records.Row(board.name, program, board.linkage, board.how, figures), told, problem


def measure_boards(wanted):
    rows, told, problems = [], {}, []
    for board in wanted:
        progress(f"Measuring {board.name} ({board.how}) …")
        for program in PROGRAMS:
            row, text, problem = measure_program(board, program)
            rows.append(row)
            told[row.key] = text
            problems += [problem] if problem else []
    return rows, told, problems


def choose(names):
    known = {board.name: board for board in boards.all_boards()}
    for name in names:
        if name not in known:
            stop(f"there is no board {name!r}; scripts/build --list names them.", 2)
    chosen = [known[name] for name in names] or list(known.values())
    built = [
        board for board in chosen if all(board.program(program).is_file() for program in PROGRAMS)
    ]
    missing = [board.name for board in chosen if board not in built]
    if missing:
        progress(f"Not built: {' '.join(missing)}; scripts/build {' '.join(missing)} does.")
    if not built or (names and missing):
        stop("there is nothing to measure; build first."
             if not built else "not all boards are built.")
    return built


def validate():
    """The method for emulated programs, shown on programs that also run natively."""
    board, lines = boards.own_board(), []
    for program in PROGRAMS:
        path = board.program(program)
        link_map = linkmap.read_map(path.with_name(f"{program}.map").read_text(encoding="utf-8"))
        native, emulated = measure(path, program), measure(path, program, (board.emulator, ))
        sides = [
            dict(holders.resident_holders(some, link_map, path)) for some in (native, emulated)
        ]
        for name in sorted(set(sides[0]) | set(sides[1])):
            octets = [sum(side.get(name, (0, 0))) for side in sides]
            if octets[0] != octets[1]:
                lines.append([program, name, *octets])
        lines.append([
            program, "stack, high-water mark",
            *(some.figures["stack"] for some in (native, emulated))
        ])
        lines.append(
            [program, "**all**", *(some.figures["resident_served"] for some in (native, emulated))])
    print(
        tables.markdown(["Program", "What differs, and the sums", "native", board.emulator], lines,
                        2))
    print(
        "\nThe kernel's vdso is not there under qemu; two pages of x86 descriptor tables that qemu "
        "puts\nat the end of the stack are. Everything else is the same, page for page.")


def write_documents(rows):
    board = boards.own_board().name
    try:
        blocks.write(ARTICLE, "footprint", tables.article(rows))
        blocks.write(README, "footprint", tables.readme(rows, boards.all_boards()))
        blocks.write(README, "costs", tables.costs(rows, board))
    except blocks.Missing as missing:
        stop(str(missing))


def write(rows):
    everything = records.merged(records.kept_rows(), rows)
    records.write_rows(everything, records.FIGURES)
    history = records.add_history(rows)
    board = boards.own_board().name
    charts.BARS.write_text(charts.bars(everything, board), encoding="utf-8")
    charts.PLOT.write_text(charts.history_plot(history, board), encoding="utf-8")
    write_documents(everything)
    progress("Wrote boards/footprint.tsv, boards/history.tsv, README.md, WhatItCosts.md and the charts.")
    try:
        capabilities.write(capabilities.measure(), ARTICLE)
    except ValueError as missing:
        progress(f"The costs of capabilities stay as they are: {missing}.")


def show_growth(rows):
    kept = records.kept_rows()
    told, base = records.growth(rows, kept), "what boards/footprint.tsv keeps"
    if not told and kept:
        told, base = records.growth(rows, records.rows_before()), "the commit before"
    print(f"\n## Growth against {base}\n")
    print("\n".join(f"- {line}" for line in told) or "None.")


def check(rows):
    wrong, over_aim = budgets.check(budgets.parse(budgets.PATH.read_text(encoding="utf-8")), rows)
    print(
        f"\n## Budgets\n\n{len(wrong)} over budget, {len(over_aim)} within it but over their aim.\n"
    )
    print("\n".join(
        [*(f"- OVER BUDGET {line}" for line in wrong), *(f"- {line}" for line in over_aim)]))
    return wrong


def main(arguments):
    options = {argument for argument in arguments if argument.startswith("-")}
    if "--help" in options:
        print(__doc__.strip())
        return 0
    if options - set(OPTIONS):
        stop(f"unknown option {min(options - set(OPTIONS))!r}; --help lists them.", 2)
    if "--validate" in options:
        validate()
        return 0
    if "--capabilities" in options:
        rows = capabilities.measure()
        if "--write" in options:
            capabilities.write(rows, ARTICLE)
        print(capabilities.texts(rows))
        return 0
    wanted = choose([argument for argument in arguments if argument not in options])
    rows, told, problems = measure_boards(wanted)
    if options & {"--peers", "--write"}:
        progress("Measuring other servers …")
        rows += peers.measure_all()
    OUT.mkdir(parents=True, exist_ok=True)
    records.write_rows(rows, OUT / "footprint.tsv")
    (OUT / "holders.md").write_text("\n".join(filter(None, told.values())), encoding="utf-8")
    print(tables.figures(rows))
    if not options & {"--check", "--write"}:
        shown = told if len(wanted) == 1 else {}
        print("", *filter(None, shown.values()), sep="\n\n")
    print(f"Who holds what: {(OUT / 'holders.md').relative_to(boards.ROOT)}")
    show_growth(rows)
    if "--tighten" in options:
        text = budgets.PATH.read_text(encoding="utf-8")
        known = records.merged(records.kept_rows(), rows)
        budgets.PATH.write_text(budgets.tightened(text, known), encoding="utf-8")
    wrong = check([row for row in rows if row.linkage != "peer"]) if "--check" in options else []
    if problems:
        print("\n## Did not run\n", *(f"- {problem}" for problem in problems), sep="\n")
    if "--write" in options:
        write(rows)
    if wrong or problems:
        stop(f"{len(wrong)} figures over budget, {len(problems)} programs not run; see above.")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (RuntimeError, ValueError, OSError) as problem:
        stop(f"{problem}.")
