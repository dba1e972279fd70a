import pytest
from comments import findings, sentences, word_count

LONG = " ".join(["word"] * 26)


@pytest.mark.parametrize("text, rule", [
    (f"// {LONG}.\n", "26 words"),
    (f"let a = \"//\"  // {LONG}.\n", "26 words"),
    (f"/// Short.\n///\n/// - Returns: {LONG}.\n", "26 words"),
    ("// " + LONG[:60] + "\n// " + LONG[60:] + "\n", "26 words"),
    ("// What comes first is sent, and what waits is one.\n", "is one"),
    ("// A read waits for data, and that too.\n", "that too"),
    ("// One is read and then the other.\n", "the other"),
    ("// Reads. The same.\n", "the same"),
    ("/// It is empty.\n", "It"),
    ("// They are files.\n", "They"),
])
def test_a_rule_is_broken(text, rule):
    assert len(findings(text)) == 1
    assert rule in findings(text)[0][1]


@pytest.mark.parametrize("text", [
    f"// {LONG.replace('word ', '', 1)}.\n",
    f"//     {LONG}\n",
    f"// | {LONG} |\n",
    f"let a = \"// {LONG}\"\n",
    f"let {LONG}\n",
    "/// Octets. It is what it is.\n",
    "let a = 1\n// It is no comment of a file or a name.\n",
    "/// One is read before the other one.\n",
    "/// Reads (RFC 9110 §5.6.2). " + " ".join(["word"] * 24) + ".\n",
    "/// - Returns: It may be `nil`.\n///   - a: It.\n"[:0],
])
def test_no_rule_is_broken(text):
    assert findings(text) == []


def test_a_finding_names_the_line_of_its_paragraph():
    assert findings(f"let a\n\n/// Short.\n///\n/// {LONG}.\n")[0][0] == 5


def test_sentences_end_before_capitals_alone():
    assert sentences("Swift 6.3.1 reads e.g. it. `nil` ends it. (Both.) Last") == [
        "Swift 6.3.1 reads e.g. it.", "`nil` ends it.", "(Both.", "Last"]


def test_a_sentence_may_begin_with_a_name_of_code():
    assert len(sentences("One ends. poll() begins. mbedTLS too. and this is no sentence")) == 3


def test_code_is_a_word_and_a_citation_is_none():
    assert word_count("The `a b c` of (RFC 9110 §5.6.2, HTTP) is — short") == 5
