"""The command line, and where results are written."""

import bench
import pytest


@pytest.mark.parametrize("arguments", [["--only", "nothing"], ["--bogus"], ["--write", "--quick"],
                                       ["--write", "--only", "file"], ["--rounds", "0"],
                                       ["--rounds", "101"], ["--seconds", "-1"]])
def test_a_wrong_command_line_is_refused_in_one_line(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        bench.parse(arguments)
    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert told.startswith("scripts/bench: ") and told.count("\n") == 1


def test_help_names_every_row():
    words = bench.usage().split()
    assert all(row in words for row in bench.ROWS)
    assert all(len(line) <= 100 for line in bench.usage().splitlines())


@pytest.fixture
def documents(tmp_path, monkeypatch):
    for name, value in (("README", "README.md"), ("COSTS", "WhatItCosts.md"),
                        ("ARTICLE", "Docs/Benchmarks.md"), ("PLOT", "bench.svg")):
        monkeypatch.setattr(bench, name, tmp_path / value)
    return tmp_path


PLACES = ("before\n<!-- bench -->\nold\n<!-- /bench -->\nbetween\n"
          "<!-- tls -->\nold\n<!-- /tls -->\nafter\n")


def test_the_parts_of_the_documents_are_replaced_and_nothing_else(results, documents):
    for path in (bench.README, bench.COSTS):
        path.write_text(PLACES, encoding="utf-8")
    bench.write(results)
    for path, begin, tls in ((bench.README, "- **Speed**: ", "- **HTTPS**: 295 "), (bench.COSTS, "![", "| Server |")):
        text = path.read_text(encoding="utf-8")
        assert text.startswith(f"before\n<!-- bench -->\n{begin}") and "old" not in text
        assert f"\nbetween\n<!-- tls -->\n{tls}" in text
        assert text.endswith("<!-- /tls -->\nafter\n")
    assert "| `tokens` |" in bench.ARTICLE.read_text(encoding="utf-8")
    assert bench.PLOT.read_text(encoding="utf-8").startswith("<svg ")


def test_a_readme_without_the_place_for_it_is_refused(results, documents):
    for path in (bench.README, bench.COSTS):
        path.write_text("nothing\n", encoding="utf-8")
    with pytest.raises(SystemExit):
        bench.write(results)
    assert not bench.ARTICLE.exists()


WHEN = "Measured apart: Date 2026-12-24; Machine a PC; Load average before 0.1; Martlet commit 1234567.\n\n"


def apart(results, *rows):
    """A run with `--only` for these rows."""
    kept = ("machine", "rounds", "seconds", "page_size", *rows)
    return {key: value for key, value in results.items() if key in kept}


def test_rows_apart_change_nothing_else(results, documents):
    for path in (bench.README, bench.COSTS):
        path.write_text(PLACES, encoding="utf-8")
    bench.write(results)
    before = bench.ARTICLE.read_text(encoding="utf-8")
    told = {path: path.read_text(encoding="utf-8") for path in (bench.README, bench.COSTS)}
    results["tls"]["martlet"]["1.3"] = [1111.0, 1111.0]
    results["tls"]["martlet"]["rate"] = [1.0, 2.0]
    bench.write_apart(apart(results, "tls", "passwords"))
    after = bench.ARTICLE.read_text(encoding="utf-8")
    assert after.count(WHEN) == 2 and "1,111" in after
    assert "≥ 0.9 × nginx | 0.00 (0.00–0.00) × nginx | MISSED |" in after
    undone = after.replace(WHEN, "")
    changed = [(old, new) for old, new in zip(before.splitlines(), undone.splitlines()) if old != new]
    assert len(changed) == 2 and len(before.splitlines()) == len(undone.splitlines())
    for path, old in told.items():
        new = path.read_text(encoding="utf-8")
        assert new != old and new.partition("<!-- tls -->")[0] == old.partition("<!-- tls -->")[0]
    # And once more: the same.
    bench.write_apart(apart(results, "tls", "passwords"))
    assert bench.ARTICLE.read_text(encoding="utf-8") == after


def test_rows_apart_get_a_section_where_there_is_none(results, documents):
    for path in (bench.README, bench.COSTS):
        path.write_text(PLACES, encoding="utf-8")
    bench.write({**results, "tls": {"martlet": results["tls"]["martlet"]}})
    whole = bench.ARTICLE.read_text(encoding="utf-8")
    parts = whole.split("\n## ")
    without = "\n## ".join(part for part in parts if not part.startswith(("TLS\n", "Iterations")))
    bench.ARTICLE.write_text(without, encoding="utf-8")
    bench.write_apart(apart(results, "tls", "passwords"))
    after = bench.ARTICLE.read_text(encoding="utf-8")
    titles = [part.partition("\n")[0] for part in after.split("\n## ")]
    assert titles == [part.partition("\n")[0] for part in parts]
    assert after.count("≥ 0.9 × nginx | 1.00") == 1


@pytest.mark.parametrize("row", bench.report.APART)
def test_a_row_apart_may_be_written(row):
    assert bench.parse(["--only", row, "--write"]).only == [row]
