"""Usage: comments.py PATH...

Holds the comments of Swift and C files to those of the language rules (.github/CONTRIBUTING.md) that a
machine can tell: how long a sentence is, how it may not end, how a comment may not begin. Prints
FILE:LINE, the rule and the sentence. Status 1 where there is a finding.
"""

import re
import sys
from pathlib import Path

WORD_COUNT_MAX = 25
VAGUE_ENDS = ("is one", "are some", "that too", "the other", "so too")
VAGUE_STARTS = ("It", "Its", "They", "Their")

COMMENT = re.compile(r"^(?P<before>(?:[^\"/]|\"(?:[^\"\\]|\\.)*\"|/(?!/))*)(?P<marks>///?)(?!/)(?P<text>.*)$")
# Where a sentence ends, and the next one begins with a capital, a number, a sign or a name of code.
END = re.compile(r"(?<=[.!?])[)\"]?\s+(?=[A-Z0-9`(\"/:&<*]|[a-z]\w*\(|[a-z]+[A-Z])")
ITEM = re.compile(r"^\s*(?:[-*]|\d+\.)\s+(?:(?:Parameters?|Returns|Throws|Complexity)\b[^:]*:\s*)?(?:\w+:\s+)?")
CITATION = re.compile(r"\((?:[^()]*,\s*)?(?:RFC|WHATWG|Unicode|UAX|FIPS|NIST|POSIX|compare)\b[^()]*\)|\bRFC \d+(?: §[\d.]+)?")


def blocks(text):
    """The comments of a file: (line, whether it opens the file or documents a name, lines)."""
    found, block = [], None
    for number, line in enumerate(text.splitlines(), 1):
        match = COMMENT.match(line)
        if not match:
            block = None
            continue
        is_alone = not match["before"].strip()
        kind = (match["marks"], is_alone, len(match["before"]) if is_alone else None)
        if block is None or not is_alone or block[3] != kind:
            is_first = match["marks"] == "///" or number == 1
            block = (number, is_first, [], kind)
            found.append(block)
        block[2].append(match["text"])
        if not is_alone:
            block = None
    return [(number, is_first, lines) for number, is_first, lines, _ in found]


def paragraphs(number, lines):
    """The texts of a comment, each with its line; grammar, code and tables are none."""
    text, start = [], number
    for i, line in enumerate([*lines, ""]):
        is_none = not line.strip() or line.startswith(("     ", " |")) or " MARK:" in line
        item = ITEM.match(line)
        if (is_none or item) and text:
            yield start, " ".join(text)
            text = []
        if is_none:
            continue
        if not text:
            start = number + i
        text.append(ITEM.sub("", line).strip() if item else line.strip())


def sentences(text):
    return [sentence for sentence in END.split(text) if sentence]


def word_count(sentence):
    """Words, where code in backticks is one and a citation is none."""
    plain = re.sub(r"`+[^`]*`+", "code", CITATION.sub(" ", sentence))
    return sum(any(c.isalnum() for c in word) for word in plain.split())


def findings(text):
    """(line, rule, sentence) for each sentence that breaks a rule."""
    found = []
    for number, is_first, lines in blocks(text):
        for index, (line, paragraph) in enumerate(paragraphs(number, lines)):
            for place, sentence in enumerate(sentences(paragraph)):
                bare = sentence.rstrip(".!?:;)")
                count = word_count(sentence)
                if count > WORD_COUNT_MAX:
                    found.append((line, f"a sentence of {count} words; at most {WORD_COUNT_MAX}", sentence))
                if bare.lower() == "the same":
                    found.append((line, "says what is the same without naming it", sentence))
                for end in VAGUE_ENDS:
                    if bare.lower().endswith(" " + end):
                        found.append((line, f"ends in \"{end}\", without its noun", sentence))
                if is_first and index == place == 0 and sentence.split()[0].rstrip(",.:") in VAGUE_STARTS:
                    found.append((line, f"begins with \"{sentence.split()[0]}\", without its noun", sentence))
    return found


def main(paths):
    status = 0
    for path in map(Path, paths):
        files = sorted(f for f in path.rglob("*") if f.suffix in (".swift", ".c", ".h")) if path.is_dir() else [path]
        for file in files:
            for line, rule, sentence in findings(file.read_text(encoding="utf-8")):
                print(f"{file}:{line}: {rule}: {sentence}")
                status = 1
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
