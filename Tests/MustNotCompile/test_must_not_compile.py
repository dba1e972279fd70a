"""Programs that must not compile, each with the words that a newcomer reads; and one that must.

`swift build` comes first: the programs are compiled against its modules.
"""

from pathlib import Path

import pytest

from compiler import BUILD, compiled, differences, expected

PROGRAMS = sorted(Path(__file__).with_name("programs").glob("*.swift"))


@pytest.fixture(scope="session", autouse=True)
def modules():
    assert (BUILD / "Modules" / "Martlet.swiftmodule").exists(), "swift build comes first"


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_compiler_says_what_the_comments_want(program):
    wanted = expected(program.read_text(encoding="utf-8"))
    assert bool(wanted) == (program.stem != "works")
    assert differences(wanted, compiled(program)) == []


WITHOUT_OPTIONS = """
import Martlet

struct Site: TLSApplication {
  enum Page: UInt8 { case index }
  static func route(to page: Page) -> Route { .get("/", for: .everyone) }
  func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer { response.html("<h1>Hello!</h1>") }
}

@main
enum Main {
  static func main() { serve(Site(), Options(program: "tls", listen: "127.0.0.1:8443")) }
}
"""


def test_application_with_tls_that_is_served_without_it_is_told(tmp_path):
    program = tmp_path / "program.swift"
    program.write_text(WITHOUT_OPTIONS, encoding="utf-8")
    assert compiled(program) == []
    (line, message), = compiled(program, "-warnings-as-errors")
    assert line == 14 and "a TLSApplication is served with TLSOptions: serve(site, options, tls)" in message


# The test itself ----------------------------------------------------------------------------------

def test_comment_is_found_with_its_line_and_words():
    assert expected("a\n  // error: b 'c'\nd // error: e\n// Error: f\n") == [(2, "b 'c'"), (3, "e")]


def test_error_that_is_missing_or_has_other_words_or_stands_elsewhere_is_told():
    wanted = [(5, "words")]
    assert differences(wanted, [(6, "the words")]) == []
    assert differences(wanted, [(5, "words")]) == []
    assert differences(wanted, []) == ["line 5: no error with the words 'words'"]
    assert len(differences(wanted, [(6, "others")])) == 2
    assert len(differences(wanted, [(7, "words")])) == 2


def test_error_that_nobody_wants_is_told():
    assert differences([], [(1, "a")]) == ["line 1: not expected: a"]
    assert len(differences([(1, "a")], [(2, "a"), (2, "a")])) == 1


def test_program_with_an_error_fails_and_the_compilers_words_are_read(tmp_path):
    program = tmp_path / "wrong.swift"
    program.write_text("import Martlet\nlet a: Status = 404\n", encoding="utf-8")
    (line, message), = compiled(program)
    assert line == 2 and "cannot convert" in message
