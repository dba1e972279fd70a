import json
from pathlib import Path

import pytest
import trials

TEXTS = {"Sources/Panel/A.swift": "let a = b + 1\n", "Sources/CMartletPlatform/a.c": "if (a < 1) return;\n"}
ROOT = Path(__file__).resolve().parents[3]


def test_the_seed_alone_decides():
    assert trials.chosen(TEXTS, 7) == trials.chosen(TEXTS, 7)
    assert {trial.name for trial in trials.chosen(TEXTS, 1)} != set()
    orders = {tuple(trial.name for trial in trials.chosen(TEXTS, seed)) for seed in range(20)}
    assert len(orders) > 1


def test_a_place_is_changed_once():
    chosen = trials.chosen(TEXTS, 1)
    assert len({(trial.path, trial.line, trial.column, trial.before) for trial in chosen}) == len(chosen) == 5


def test_a_trial_is_applied():
    for trial in trials.chosen(TEXTS, 1):
        new, old_line, new_line = trials.mutated(TEXTS[trial.path], trial)
        assert new != TEXTS[trial.path] and old_line != new_line and trial.after in new_line


def test_sources_are_those_that_unit_tests_know():
    paths = trials.sources(ROOT)
    assert "Sources/MartletHTTP/RequestLine.swift" in paths and "Sources/CMartletPlatform/log.c" in paths
    assert "Sources/CMartletPlatform/boot.c" not in paths
    assert not any(path.startswith("Sources/LoginExample") for path in paths)
    assert set(trials.sources(ROOT, "Sources/MartletHTTP/*")) < set(paths)


def test_each_folder_is_tested_by_a_target_or_left_out():
    folders = {folder.name for folder in (ROOT / "Sources").iterdir()}
    examples = {name for name in folders if name.endswith("Example")}
    assert folders <= set(trials.FIRST_TESTS) | examples | {"CMbedTLS", "MartletPlugin"}


def test_the_list_of_equivalents():
    listed = trials.equivalents("# what\n\na.swift\n  a <  b\na <= b\nbecause\nof this\n\n")
    assert listed == {("a.swift", "a < b", "a <= b"): "because of this"}
    with pytest.raises(ValueError, match="has 3 lines"):
        trials.equivalents("a.swift\na\nb\n")


def test_the_list_in_the_tree_is_of_lines_that_there_are():
    listed = trials.equivalents((ROOT / "Tests/Mutants/equivalents.txt").read_text(encoding="utf-8"))
    for (path, before, _), reason in listed.items():
        text = trials.squeezed((ROOT / path).read_text(encoding="utf-8"))
        assert before in text and reason, f"{path}: {before}"


def line(verdict, name="a", seconds=1.0):
    return {"verdict": verdict, "path": name, "line": 3, "old": "  a < b", "new": "  a <= b", "seconds": seconds}


def test_the_share_counts_what_was_noticed_and_what_was_not():
    lines = [line(trials.KILLED)] * 19 + [line(trials.SURVIVED)]
    text, is_reached = trials.summary(lines + [line(trials.NOT_COMPILED), line(trials.EQUIVALENT)])
    assert is_reached
    assert text[:3] == ["a:3: survived", "  - a < b", "  + a <= b"]
    assert text[3].startswith("19 of 20 killed (95.0 %") and "1 that do not compile" in text[3]
    assert not trials.summary(lines + [line(trials.SURVIVED)])[1]


def test_a_run_without_a_result_has_not_reached_it():
    assert not trials.summary([])[1]


def test_a_run_goes_on(tmp_path):
    file, trial = tmp_path / "results.jsonl", trials.chosen(TEXTS, 1)[0]
    trials.Results(file, {"seed": 1}).add(trial, trials.KILLED, seconds=1)
    with file.open("a") as half:
        half.write('{"name": "a')
    again = trials.Results(file, {"seed": 1})
    assert again.resumed and again.known[trial.name]["verdict"] == trials.KILLED
    assert all(json.loads(text) for text in file.read_text().splitlines())


def test_a_run_of_other_sources_begins_anew(tmp_path):
    file, trial = tmp_path / "results.jsonl", trials.chosen(TEXTS, 1)[0]
    trials.Results(file, {"sources": "1"}).add(trial, trials.KILLED, seconds=1)
    other = trials.Results(file, {"sources": "2"})
    assert not other.resumed and other.known == {}
