"""What is kept in the tree: the figures come back as they were, growth shows, charts are XML."""

import xml.etree.ElementTree as tree

import blocks
import charts
import pytest
import records
import tables
from boards import Board, read_facts

FIGURES = {"file": 5000, "text": 4000, "rodata": 10, "data": 0, "bss": 100, "stack": 2000,
           "resident_idle": 8192, "anonymous_idle": 4096, "resident_login": 16384,
           "anonymous_login": 8192, "resident_served": 16384, "anonymous_served": 8192}
ROWS = [records.Row("x86-64", program, "static", "native", FIGURES) for program in charts.PROGRAMS]
PEERS = [records.Row("x86-64", name, "peer", "native", {
    "file": size, "stack": 10, "resident_served": size, "anonymous_served": size // 2})
         for name, size in (("Small & quick", 100_000), ("Large", 2_000_000))]


def changed(row, **figures):
    return records.Row(row.board, row.program, row.linkage, row.how, {**row.figures, **figures})


def test_figures_come_back_as_they_were(tmp_path):
    without_memory = records.Row("pi0", "hello-example", "static", "qemu-arm",
                                 {"file": 1, "text": 2, "rodata": 3, "data": 4, "bss": 5})
    records.write_rows([*ROWS, without_memory], tmp_path / "rows.tsv")
    assert records.read_rows((tmp_path / "rows.tsv").read_text()) == [*ROWS, without_memory]


def test_an_octet_more_is_growth_and_a_page_of_memory_is_not():
    row = ROWS[1]
    assert records.growth([row], ROWS) == []
    assert records.growth([changed(row, resident_idle=8192 + 4096)], ROWS) == []
    assert records.growth([changed(row, file=5001)], ROWS) == [
        "x86-64 login-example: file 5,000 → 5,001 octets (+1)"]
    assert records.growth([changed(row, resident_idle=8192 + 8192)], ROWS) == [
        "x86-64 login-example: resident, idle 8 → 16 KiB (+8)"]


def test_what_is_measured_replaces_what_is_kept():
    new = changed(ROWS[0], file=1)
    rows = records.merged([*ROWS, *PEERS], [new])
    assert len(rows) == 5 and new in rows and ROWS[0] not in rows and rows[-1].linkage == "peer"


def test_history_has_a_line_where_a_size_has_changed(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "HISTORY", tmp_path / "history.tsv")
    assert len(records.add_history(ROWS)) == 3
    assert len(records.add_history(ROWS)) == 3
    assert len(records.add_history([changed(ROWS[0], resident_idle=0), *PEERS])) == 3
    lines = records.add_history([changed(ROWS[0], bss=101)])
    assert len(lines) == 4 and lines[-1]["bss"] == "101"


def test_charts_are_svg_with_every_program(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "HISTORY", tmp_path / "history.tsv")
    for svg in (charts.bars([*ROWS, *PEERS], "x86-64"),
                charts.history_plot(records.add_history(ROWS), "x86-64")):
        texts = "".join(tree.fromstring(svg).itertext())
        assert all(program in texts for program in charts.PROGRAMS)
    assert "Small & quick" in "".join(
        tree.fromstring(charts.bars([*ROWS, *PEERS], "x86-64")).itertext())


def test_the_articles_table_is_short():
    text = tables.article([*ROWS, *PEERS])
    assert "| x86-64 | `login-example` | 5,000 | 8 | 16 | 16 | 8 |" in text
    assert sum(line.startswith("|") for line in text.splitlines()) == 2 + 3 + 2


def test_the_readme_has_a_line_for_each_board_that_was_measured():
    boards = [Board("pi0", "Not measured", True, False, ()), Board("x86-64", "PCs", True, True, ())]
    lines = tables.readme([*ROWS, *PEERS], boards).splitlines()
    assert [line for line in lines if line.startswith("|")][2:] == [
        "| `x86-64` | PCs | 5,000 | 5,000 | 5,000 | 8 |"]


def test_the_costs_are_those_of_the_own_board():
    microdot = records.Row("x86-64", "CPython, Microdot", "peer", "native",
                           {"file": 9_000, "resident_idle": 4096})
    lines = tables.costs([*ROWS, *PEERS, microdot, microdot], "x86-64").splitlines()
    assert len(lines) == 3 and lines[0].startswith("- **Files** on x86-64: 5,000, 5,000 and 5,000 octets")
    assert "8, 8 and 8 KiB resident when idle, 16, 16 and 16 KiB" in lines[1]
    assert "9,000 octets and 4 KiB (CPython, Microdot)" in lines[2] and "Small" not in lines[2]


def test_a_part_of_a_document_is_replaced_and_nothing_else(tmp_path):
    path = tmp_path / "a.md"
    path.write_text("before\n<!-- x -->\nold\n<!-- /x -->\nafter\n")
    blocks.write(path, "x", "new")
    assert path.read_text() == "before\n<!-- x -->\nnew\n<!-- /x -->\nafter\n"
    with pytest.raises(blocks.Missing):
        blocks.write(path, "y", "new")


def test_facts_of_a_board():
    assert read_facts('# x\ntitle="A board"\nflags="-a -b"\nqemu=\n') == {
        "title": "A board", "flags": "-a -b", "qemu": ""}
