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


def test_the_parts_of_the_documents_are_replaced_and_nothing_else(results, documents):
    for path in (bench.README, bench.COSTS):
        path.write_text("before\n<!-- bench -->\nold\n<!-- /bench -->\nafter\n", encoding="utf-8")
    bench.write(results)
    for path, begin in ((bench.README, "- **Speed**: "), (bench.COSTS, "![")):
        text = path.read_text(encoding="utf-8")
        assert text.startswith(f"before\n<!-- bench -->\n{begin}") and "old" not in text
        assert text.endswith("<!-- /bench -->\nafter\n")
    assert "| `tokens` |" in bench.ARTICLE.read_text(encoding="utf-8")
    assert bench.PLOT.read_text(encoding="utf-8").startswith("<svg ")


def test_a_readme_without_the_place_for_it_is_refused(results, documents):
    for path in (bench.README, bench.COSTS):
        path.write_text("nothing\n", encoding="utf-8")
    with pytest.raises(SystemExit):
        bench.write(results)
    assert not bench.ARTICLE.exists()
