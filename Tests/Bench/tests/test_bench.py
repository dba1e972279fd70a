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


def test_the_table_of_the_readme_is_replaced_and_nothing_else(results, tmp_path, monkeypatch):
    readme = tmp_path / "README.md"
    readme.write_text("before\n<!-- bench -->\nold\n<!-- /bench -->\nafter\n", encoding="utf-8")
    monkeypatch.setattr(bench, "ROOT", tmp_path)
    monkeypatch.setattr(bench, "ARTICLE", tmp_path / "Docs" / "Benchmarks.md")
    monkeypatch.setattr(bench, "PLOT", tmp_path / "bench.svg")
    bench.write(results)
    text = readme.read_text(encoding="utf-8")
    assert text.startswith("before\n<!-- bench -->\n![") and "old" not in text
    assert text.endswith("<!-- /bench -->\nafter\n")
    assert "| `tokens` |" in bench.ARTICLE.read_text(encoding="utf-8")
    assert bench.PLOT.read_text(encoding="utf-8").startswith("<svg ")


def test_a_readme_without_the_place_for_it_is_refused(results, tmp_path, monkeypatch):
    (tmp_path / "README.md").write_text("nothing\n", encoding="utf-8")
    monkeypatch.setattr(bench, "ROOT", tmp_path)
    with pytest.raises(SystemExit):
        bench.write(results)
