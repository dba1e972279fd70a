"""What the documents say about Microdot: the tests that they name exist, and their sums are the tables'."""

import re

import microdot_examples
import pytest
import snippets

TESTS = snippets.ROOT / "Tests"
ARTICLE = (snippets.CATALOG / "MicrodotTests.md").read_text(encoding="utf-8")
COMING = (snippets.CATALOG / "ComingFromMicrodot.md").read_text(encoding="utf-8")
# How many test functions each file of Microdot 2.6.2 has.
FUNCTIONS = {
    "asgi": 6, "auth": 5, "cors": 5, "csrf": 5, "end2end": 4, "jinja": 5, "login": 4, "microdot": 39, "multidict": 2,
    "multipart": 7, "request": 8, "response": 22, "session": 4, "sse": 2, "url_pattern": 8, "urlencode": 2,
    "utemplate": 3, "websocket": 4, "wsgi": 4}
ROW = re.compile(r"^\| `(test_\w+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
SECTION = re.compile(r"^## test_(\w+)\.py: (\d+)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"`(\w+/[\w/]+\.(?:swift|py))(?:: ([\w.]+))?`")


def rows():
    """(file of Microdot, function, comparison, last column) for each row."""
    return [(section[1], row[1], row[3], row[4]) for section in SECTION.finditer(ARTICLE)
            for row in ROW.finditer(section[3])]


def is_there(file, test):
    """Whether a file of tests has a test of that name; a program that must not compile has no name."""
    path = TESTS / file
    if not path.exists():
        return False
    text = path.read_text(encoding="utf-8")
    if test is None:
        return "// error: " in text
    if path.suffix == ".py":
        return test.startswith("test_") and re.search(rf"^(?:async )?def {re.escape(test)}\(", text, re.MULTILINE) is not None
    suite, _, function = test.partition(".")
    # The suite ends where the first line stands at the left margin again.
    found = re.search(rf"^(?:@Suite\b.*? )?(?:private |final )*struct {re.escape(suite)} \{{\n(.*?)^\}}", text,
                      re.MULTILINE | re.DOTALL)
    # Between `@Test` and its function stands no other function.
    return bool(found) and re.search(
        rf"^  @Test(?:(?!^  (?:@Test|private |func )).)*?^  (?:private )?func {re.escape(function)}\(", found[1],
        re.MULTILINE | re.DOTALL) is not None


def test_every_file_and_function_of_microdot_has_its_row():
    assert {section[1]: int(section[2]) for section in SECTION.finditer(ARTICLE)} == FUNCTIONS
    names = [(file, function) for file, function, _, _ in rows()]
    assert len(names) == len(set(names))
    assert {file: sum(name[0] == file for name in names) for file in FUNCTIONS} == FUNCTIONS


@pytest.mark.parametrize("row", rows(), ids=lambda row: f"{row[0]}.{row[1]}")
def test_tests_that_a_row_names_are_there(row):
    _, _, comparison, last = row
    named = NAMED.findall(last)
    assert bool(named) == (comparison in ("same", "differs")), last
    # Whatever stands in code and looks like a file is a test that was looked for.
    assert len(named) == len(re.findall(r"`[^`]*\.(?:swift|py)", last)), last
    assert [name for name in named if not is_there(name[0], name[1] or None)] == []


def test_sums_are_the_tables():
    block = re.search(r"<!-- sums -->\n(.*?)<!-- /sums -->", ARTICLE, re.DOTALL)[1]
    stated = {name: int(count) for name, count in re.findall(r"^\| `([a-z ]+)` \| (\d+) \|", block, re.MULTILINE)}
    counted = [comparison for _, _, comparison, _ in rows()]
    assert stated == {name: counted.count(name) for name in stated} and sum(stated.values()) == len(counted)
    tested, total = stated["same"] + stated["differs"], sum(stated.values())
    inside = total - sum(FUNCTIONS[file] for file in ("websocket", "asgi", "wsgi"))
    assert f"{total} test functions" in ARTICLE and f"{tested} of the {total} functions" in ARTICLE
    assert f"{tested} of\n{inside}." in ARTICLE or f"{tested} of {inside}." in ARTICLE
    assert tested >= 0.9 * inside


# The test itself ----------------------------------------------------------------------------------

def test_a_test_that_is_not_there_is_missed():
    assert is_there("MartletTests/RouteTests.swift", "RouteTests.parameters")
    for file, test in [("MartletTests/RouteTests.swift", "RouteTests.send"),
                       ("MartletTests/RouteTests.swift", "RouteTests.nothing"),
                       ("MartletTests/RouteTests.swift", "LoginTests.login"),
                       ("MartletTests/LoginTests.swift", "LoginTests.restored"),
                       ("MartletTests/Nowhere.swift", "RouteTests.parameters"),
                       ("Wire/test_static.py", "test_nothing"), ("Wire/test_static.py", "site"),
                       ("MustNotCompile/programs/works.swift", None)]:
        assert not is_there(file, test), test


# Lines of the examples ----------------------------------------------------------------------------

def test_lines_of_the_examples_are_counted():
    assert microdot_examples.BLOCK.search(COMING)[2] == microdot_examples.table(), (
        "Tests/Docs/microdot_examples.py --write counts anew")


@pytest.mark.parametrize("suffix, text, count", [
    (".py", "# a\n\nimport a  # b\n    # c\n'''d\n'''\n", 3),
    (".swift", "// a\n\n/// b\nlet a = 1  // c\n  // d\n/* e\n f */\n", 1),
    (".html", "<!-- a -->\n<p>\n\n<!--\nb\n-->\n<p>b\n", 2)])
def test_lines_of_code_are_neither_blank_nor_comments(suffix, text, count):
    assert microdot_examples.lines_of(text, suffix) == count
