"""Budgets: what they say, and that a program over budget fails the run."""

import pytest

import boards
import budgets
import footprint
import records

FIGURES = {
    "file": 5000,
    "text": 4000,
    "rodata": 10,
    "data": 0,
    "bss": 100,
    "stack": 2000,
    "resident_idle": 8192,
    "anonymous_idle": 4096,
    "resident_login": 16384,
    "anonymous_login": 8192,
    "resident_served": 12288,
    "anonymous_served": 4096
}
ROW = records.Row("pi64", "login-example", "static", "native", FIGURES)
TEXT = """\
# A comment.
pi*      login-example  file       5000   4K  # the first line that fits
static   *              file       1
static   *              bss        1K
*        *              stack      2K
static   login-example  resident   16K   16K
dynamic  *              anonymous  1
static   *              anonymous  8K
"""


def test_a_program_within_its_budgets():
    wrong, over_aim = budgets.check(budgets.parse(TEXT), [ROW])
    assert wrong == []
    assert over_aim == ["pi64 login-example file: 5,000 octets, aim 4,096"]


@pytest.mark.parametrize("figure, octets", [("file", 5001), ("bss", 1025), ("stack", 2049),
                                            ("resident_login", 16385), ("anonymous_idle", 8193)])
def test_one_octet_more_is_over_budget(figure, octets):
    row = records.Row("pi64", "login-example", "static", "native", {**FIGURES, figure: octets})
    wrong, _ = budgets.check(budgets.parse(TEXT), [row])
    assert len(wrong) == 1 and figure.split("_")[0] in wrong[0] and "over the budget" in wrong[0]


def test_a_figure_without_a_budget_is_wrong():
    text = TEXT.replace("static   *              bss        1K\n", "")
    wrong, _ = budgets.check(budgets.parse(text), [ROW])
    assert wrong == ["pi64 login-example bss: no line of boards/budgets fits"]


@pytest.mark.parametrize("line", [
    "pi64 hello-example file", "pi64 hello-example size 1K", "pi64 hello-example file 1M",
    "pi64 hello-example file 1K 2K", "pi64 hello-example file 1K 1K 1K",
    "pi64 hello-example file -1"
])
def test_lines_that_are_refused(line):
    with pytest.raises(budgets.BadBudget, match="line 1:"):
        budgets.parse(line)


def test_tightening_lowers_and_never_raises():
    loose = TEXT.replace("5000   4K", "900K   4K")
    assert "pi*      login-example  file       5K     4K  # the first" in budgets.tightened(
        loose, [ROW])
    assert budgets.tightened(TEXT, [ROW]) == TEXT
    assert budgets.tightened(TEXT.replace("8K", "4K"), [ROW]) == TEXT.replace("8K", "4K")


def test_the_budgets_of_the_tree_cover_every_board_and_program():
    parsed = budgets.parse(budgets.PATH.read_text(encoding="utf-8"))
    for board in boards.all_boards():
        for program in footprint.PROGRAMS:
            row = records.Row(board.name, program, board.linkage, board.how, FIGURES)
            for figure in budgets.FIGURES:
                assert budgets.budget_for(parsed, row, figure), f"{board.name} {program} {figure}"


@pytest.fixture
def only_hello(tmp_path, monkeypatch):
    """Only the hello example of this machine is measured, against budgets of the test's own."""
    board = boards.own_board()
    path = board.program("hello-example")
    if not path.is_file():
        pytest.skip(f"{path} is not built")
    monkeypatch.setattr(footprint, "PROGRAMS", ("hello-example", ))
    monkeypatch.setattr(footprint, "OUT", boards.ROOT / ".build" / "footprint-test")
    monkeypatch.setattr(budgets, "PATH", tmp_path / "budgets")
    return board.name, path, budgets.PATH


def status_of(*arguments):
    try:
        return footprint.main(list(arguments))
    except SystemExit as end:
        return end.code


def test_a_real_program_over_budget_fails_the_run(only_hello, capsys):
    board, path, file = only_hello
    size = path.stat().st_size
    others = "".join(f"* * {figure} 9999K\n" for figure in budgets.FIGURES if figure != "file")
    file.write_text(f"* * file {size}\n" + others)
    assert status_of("--check", board) == 0
    file.write_text(f"* * file {size - 1}\n" + others)
    assert status_of("--check", board) == 1
    assert f"OVER BUDGET {board} hello-example file: {size:,} octets, 1 over" in capsys.readouterr(
    ).out


def test_memory_over_budget_fails_the_run(only_hello, capsys):
    board, _, file = only_hello
    others = "".join(f"* * {figure} 9999K\n" for figure in budgets.FIGURES if figure != "anonymous")
    file.write_text("* * anonymous 4K\n" + others)
    assert status_of("--check", board) == 1
    assert "hello-example anonymous" in capsys.readouterr().out
