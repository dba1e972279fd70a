import mutants
import package
import pytest
import trials


def test_each_choice_has_a_file_of_its_own():
    names = {mutants.results_file(*choice) for choice in ((1, "*"), (2, "*"), (1, "Sources/Panel/*"))}
    assert len(names) == 3 and mutants.results_file(1, "*").name == "results-1.jsonl"


def test_a_second_run_is_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(mutants, "FOLDER", tmp_path / "mutants")
    with mutants.locked():
        with pytest.raises(SystemExit):
            mutants.locked()
    assert "another run" in capsys.readouterr().err
    mutants.locked().close()


class Tree(package.Package):
    """A package whose builds and tests end as they are told, and that notes what it was asked."""

    def __init__(self, file, builds, passing):
        self.file, self.results, self.passing, self.seen = file, builds, passing, []

    def builds(self):
        self.seen.append(self.file.read_text())
        return self.results

    def passes(self, tests, without=None):
        self.seen.append(tests if without is None else (tests, without))
        return tests in self.passing


@pytest.mark.parametrize("builds, passing, expected, asked", [
    (False, (), trials.NOT_COMPILED, ["new"]),
    (True, (), trials.KILLED, ["new", "A"]),
    (True, ("A",), trials.KILLED, ["new", "A", (None, "A")]),
    (True, ("A", None), trials.SURVIVED, ["new", "A", (None, "A")]),
])
def test_the_module_is_asked_before_all_others_and_the_text_is_put_back(tmp_path, builds, passing, expected, asked):
    file = tmp_path / "a.swift"
    file.write_text("old")
    tree = Tree(file, builds, passing)
    assert mutants.verdict(tree, file, "new", "A") == expected
    assert tree.seen == asked and file.read_text() == "old"
