"""Numbers in texts: what is right is left alone, and what is wrong is found."""

import texts
from boards import ROOT

README = (ROOT / "README.md").read_text()


def test_the_texts_are_right():
    assert [*texts.board_pages(), *texts.readme(README), *texts.packages()] == []


def test_wrong_numbers_are_found():
    for right, wrong in (("| connections at a time | 1,024", "| connections at a time | 1,025"),
                         ("x86-64 | `login-example` | ", "x86-64 | `login-example` | 1"),
                         ("one static program of ", "one static program of 1"),
                         ("| request target | 8,000", "| request target | 8,123")):
        assert right in README
        assert list(texts.readme(README.replace(right, wrong))), f"{wrong!r} is not found"


def test_a_sentence_that_is_gone_is_found():
    assert texts.wrong("a", "no such sentence", r"of (\d+) KB", 5)
    assert not texts.wrong("a", "one\nof 1,024 KB", r"of ([\d,]+) KB", 1024)
