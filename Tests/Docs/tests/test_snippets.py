"""The tool that compiles snippets: what it takes from a document, and that it finds what is wrong."""

import pytest
import snippets

DOCUMENT = """# A
```swift
struct Whole {}
```

<!-- context: here Other -->
```swift
let inside = 1
```
```console
$ ls
```
"""


@pytest.fixture
def contexts(tmp_path, monkeypatch):
    monkeypatch.setattr(snippets, "CONTEXTS", tmp_path)
    monkeypatch.setattr(snippets, "ROOT", tmp_path)
    (tmp_path / "here.swift.in").write_text(
        "struct Site: @words@ {\n  let a = 1  // unless: inside\n  let b = 2  // unless: c\n"
        "  @snippet@\n}\n")


def test_blocks_of_swift_are_found_with_their_lines():
    whole, part = snippets.snippets_of("a.md", DOCUMENT)
    assert (whole.place, whole.code, whole.context) == ("a.md:3", "struct Whole {}\n", "")
    assert (part.place, part.code, part.context, part.words) == (
        "a.md:8", "let inside = 1\n", "here", ("Other", ))


def test_a_part_of_a_file_is_put_into_its_context(contexts):
    _, part = snippets.snippets_of("a.md", DOCUMENT)
    assert snippets.source_of(part) == (
        '#sourceLocation(file: "here.swift.in", line: 1)\nstruct Site: Other {\n\n  let b = 2\n'
        '#sourceLocation(file: "a.md", line: 8)\n  let inside = 1\n'
        '#sourceLocation(file: "here.swift.in", line: 5)\n}\n')


def test_a_context_that_is_not_there_is_named(contexts):
    with pytest.raises(snippets.Wrong, match="a.md:1: there is no nowhere.swift.in"):
        snippets.source_of(snippets.Snippet("a.md", 1, "", "nowhere"))


def test_files_can_stand_side_by_side_in_a_module():
    assert snippets.for_one_module(
        "import A\n@main\nenum E {\n  let a = 1\n}\nextension F<Int> {\n}\nextension F: G {}\n"
        "final class C {}\n") == (
        "import A\n\nfileprivate enum E {\n  let a = 1\n}\nfileprivate extension F<Int> {\n}\n"
        "extension F: G {}\nfileprivate final class C {}\n")


@pytest.mark.parametrize(("code", "line", "what"), [
    ("struct Site: Application {}\n", 4, "does not conform"),
    ("func answer<S: Application & ~Copyable>(_ response: consuming Response<S>) -> Answer {\n"
     "  _ = response.noContent()\n  return response.noContent()\n}\n", 4, "consumed more than once"),
    ("func number() {\n  var never = 1\n  print(never)\n}\n", 5, "never mutated"),
])
def test_what_is_wrong_is_found_with_its_line(code, line, what, tmp_path, capsys):
    document = tmp_path / "wrong.md"
    document.write_text(f"```swift\nimport Martlet\n\n{code}```\n")
    assert snippets.main([str(document)]) == 1
    told = capsys.readouterr().out
    assert f"{document}:{line}:" in told and what in told
