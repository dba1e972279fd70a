import pytest
from places import C, SWIFT, changed, places


def found(text, language=SWIFT):
    return [(place.before, *place.after) for place in places(text, language)]


@pytest.mark.parametrize("text, expected", [
    ("if a == b {}", [("==", "!=")]),
    ("if a < b {}", [("<", "<=", ">=")]),
    ("a &+= b << 2", [("&+=", "&-="), ("<<", ">>"), ("2", "3", "1")]),
    ("x = a && b || c", [("&&", "||"), ("||", "&&")]),
    ("while true {}", [("true", "false")]),
    ("for i in a..<b {}", [("..<", "...")]),
    ("for i in 0...9 {}", [("0", "1"), ("...", "..<"), ("9", "10", "8")]),
    ("let a = 0xFF, b = 0b11, c = 1_000", [("0xFF", "0x100", "0xFE"), ("0b11", "0b100", "0b10"),
                                           ("1_000", "1001", "999")]),
])
def test_code_is_changed(text, expected):
    assert found(text) == expected


@pytest.mark.parametrize("text", [
    "// a == 1\n",
    "/// a == 1\n",
    "/* a == /* 1 */ true */",
    '"a == 1 \\" && true"',
    '#"a == 1 " && true"#',
    '"""\n  a == 1 " && 2\n  """',
    '"\\(a == 1 ? "1 + 1" : "")"',
    "@available(macOS 13, *)",
    "@_lifetime(copy self)",
    "#if os(Linux) && 1\n#endif",
    "#available(Linux 6)",
    "func f(a: inout Int) -> Span<UInt8> {}",
    "f(&a, -b)",
    "a.0.1",
    "x1 = $0",
    "let a: Set<Int>",
    "static func == (a: A, b: A) -> Bool {}",
    'invariant(a < b && f(1), "a is smaller")',
    "f(true: a)",
    "import CMbedTLS2",
])
def test_what_is_no_code_is_not_changed(text):
    assert found(text) == []


def test_code_after_what_is_no_code_is_changed():
    assert found('let a = "1 + 1" + b  // + 2\nlet c = 3 /* 4 */ + d') == [
        ("+", "-"), ("3", "4", "2"), ("+", "-")]


def test_each_condition_of_a_guard_is_negated():
    assert found("guard let a, f(b, c), case .x = d, e else { return }") == [
        ("f(b, c)", "!(f(b, c))"), ("e", "!(e)")]


def test_a_guard_over_several_lines():
    text = "guard\n  isReady,\n  list.contains(where: { $0 })\nelse { return }"
    assert found(text) == [("isReady", "!(isReady)"),
                           ("list.contains(where: { $0 })", "!(list.contains(where: { $0 }))")]


@pytest.mark.parametrize("text, expected", [
    ("if (a) return;", [("a", "!(a)")]),
    ("if (f(a) != '0') x = 1u;", [("f(a) != '0'", "!(f(a) != '0')"), ("!=", "==")]),
    ("return a & 0x7F;", [("&", "|"), ("0x7F", "0x80", "0x7E")]),
    ("#define A (1 + \\\n  2)\n", []),
    ("char *p = &a; p->b;", []),
    ("_Static_assert(A == 1, \"a\");", []),
    ("a = \"1 + 1\" /* 1 */;  // 1", []),
])
def test_c(text, expected):
    assert found(text, C) == expected


def test_lines_and_columns_count_from_one():
    place = places("a\nlet b = c + d\n", SWIFT)[0]
    assert (place.line, place.column) == (2, 11)


def test_a_change_shows_its_line_before_and_after():
    text = "a\nlet b = c + d\ne\n"
    assert changed(text, places(text, SWIFT)[0], "-") == (
        "a\nlet b = c - d\ne\n", "let b = c + d", "let b = c - d")


def test_a_change_over_several_lines_shows_them_all():
    text = "guard a(\n  b)\nelse { }\n"
    assert changed(text, places(text, SWIFT)[0], "!(a(\n  b))")[1:] == ("guard a(\n  b)", "guard !(a(\n  b))")


def test_every_source_can_be_read():
    """No literal or comment of the sources is taken for one without an end."""
    from pathlib import Path
    import trials
    for path, text in trials.sources(Path(__file__).resolve().parents[3]).items():
        for place in places(text, trials.language(path)):
            assert text[place.start:place.end] == place.before, path
            assert not text.splitlines()[place.line - 1].lstrip().startswith("//"), path
