"""boards/budgets: how large each program may be on each board, and how large it shall become.

A line is BOARDS PROGRAM FIGURE BUDGET [AIM]: BOARDS a board, a pattern (`pi*`), `static` or
`dynamic`; PROGRAM a program or `*`; FIGURE one of FIGURES; BUDGET and AIM octets, or with K KiB.
The first line that fits counts. A `#` begins a comment.
"""

import fnmatch
import re
from dataclasses import dataclass

from boards import ROOT

PATH = ROOT / "boards" / "budgets"
FIGURES = ("file", "bss", "stack", "resident", "anonymous")
MEMORY = ("resident", "anonymous")


class BadBudget(ValueError):
    pass


@dataclass(frozen=True)
class Budget:
    line: int
    boards: str
    program: str
    figure: str
    octets: int
    aim: int | None

    def fits(self, row):
        if self.boards in ("static", "dynamic"):
            is_of_board = row.linkage == self.boards
        else:
            is_of_board = fnmatch.fnmatchcase(row.board, self.boards)
        return is_of_board and fnmatch.fnmatchcase(row.program, self.program)


def octets_of(text, line):
    matched = re.fullmatch(r"([0-9]+)(K?)", text)
    if not matched:
        raise BadBudget(f"line {line}: {text!r} is no number of octets or KiB")
    return int(matched[1]) * (1024 if matched[2] else 1)


def parse(text):
    budgets = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        if len(words) not in (4, 5):
            raise BadBudget(f"line {number}: there must be 4 or 5 words, not {len(words)}")
        if words[2] not in FIGURES:
            raise BadBudget(f"line {number}: {words[2]!r} is none of {', '.join(FIGURES)}")
        budget = octets_of(words[3], number)
        aim = octets_of(words[4], number) if len(words) == 5 else None
        if aim is not None and aim > budget:
            raise BadBudget(f"line {number}: the aim is above the budget")
        budgets.append(Budget(number, *words[:3], budget, aim))
    return budgets


def measured(row, figure):
    return row.largest(figure) if figure in MEMORY else row.figures.get(figure)


def budget_for(budgets, row, figure):
    return next((budget for budget in budgets if budget.figure == figure and budget.fits(row)),
                None)


def check(budgets, rows):
    """(what is over budget or has none, what is over its aim), a line of text each."""
    wrong, over_aim = [], []
    for row in rows:
        for figure in FIGURES:
            octets = measured(row, figure)
            if octets is None:
                continue
            budget = budget_for(budgets, row, figure)
            name = f"{row.board} {row.program} {figure}"
            if budget is None:
                wrong.append(f"{name}: no line of boards/budgets fits")
            elif octets > budget.octets:
                wrong.append(
                    f"{name}: {octets:,} octets, {octets - budget.octets:,} over the budget of "
                    f"{budget.octets:,} (boards/budgets line {budget.line})")
            elif budget.aim is not None and octets > budget.aim:
                over_aim.append(f"{name}: {octets:,} octets, aim {budget.aim:,}")
    return wrong, over_aim


def tightened(text, rows):
    """The file with each budget lowered to what its rows need, rounded up to KiB; none is raised.

    Memory has 4 KiB to spare. What dynamic programs have resident is mostly Debian's libraries,
    which change with Debian: those budgets stay.
    """
    budgets, lines = parse(text), text.splitlines()
    for budget in budgets:
        needed = [
            measured(row, budget.figure) for row in rows
            if budget_for(budgets, row, budget.figure) is budget
        ]
        needed = max((octets for octets in needed if octets is not None), default=None)
        if needed is None or (budget.boards == "dynamic" and budget.figure == "resident"):
            continue
        needed += 4096 if budget.figure in MEMORY else 0
        kib = -(-max(needed, budget.aim or 0) // 1024)
        if kib * 1024 < budget.octets:
            old = re.match(r"\s*\S+\s+\S+\s+\S+\s+(\S+)", lines[budget.line - 1])
            start, end = old.span(1)
            lines[budget.line - 1] = (lines[budget.line - 1][:start] +
                                      f"{kib}K".ljust(end - start) + lines[budget.line - 1][end:])
    return "\n".join(lines) + "\n"
