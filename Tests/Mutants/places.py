"""Finds the places of a source file that can be changed, and what each can be changed to.

A place is one operator, one literal or one condition of code. Comments, string literals, attributes,
`#if` and `#available` lines, and the arguments of invariants are no code here: a text that differs
proves nothing about the tests, and an invariant that is weaker is never noticed.
"""

import bisect
import re
from dataclasses import dataclass

SWIFT, C = "swift", "c"

# Each operator and what it may become. All of them stand between blanks in this package's style, so
# that `<` of generics, prefix `-` and `&`, and pointers in C are not among them.
OPERATORS = {
    "==": ["!="],
    "!=": ["=="],
    "<": ["<=", ">="],
    "<=": ["<", ">"],
    ">": [">=", "<="],
    ">=": [">", "<"],
    "+": ["-"],
    "-": ["+"],
    "&+": ["&-"],
    "&-": ["&+"],
    "+=": ["-="],
    "-=": ["+="],
    "&+=": ["&-="],
    "&-=": ["&+="],
    "&": ["|"],
    "|": ["&"],
    "<<": [">>"],
    ">>": ["<<"],
    "&<<": ["&>>"],
    "&>>": ["&<<"],
    "&&": ["||"],
    "||": ["&&"],
}
RANGES = {"..<": "...", "...": "..<"}

OPERATOR = re.compile(r"(?<=[\s])[-+*/%=<>!&|^~?.]+(?=\s)")
RANGE = re.compile(r"(?<=[\w)\]])(\.\.<|\.\.\.)(?=[\w(.-])")
INTEGER = re.compile(r"(?<![\w$.])(?:0x[0-9A-Fa-f_]+|0b[01_]+|[0-9][0-9_]*)(?![.]?[0-9A-Za-z_])"
                     r"|(?<=\.\.)[0-9][0-9_]*(?![.]?[0-9A-Za-z_])"
                     r"|(?<=\.\.<)[0-9][0-9_]*(?![.]?[0-9A-Za-z_])")
BOOLEAN = re.compile(r"(?<![\w.`])(true|false)(?!\w)(?!\s*:)")
GUARD = re.compile(r"\bguard\s+")
IF = re.compile(r"\bif \(")
BINDING = re.compile(r"(let|var|case|unsafe let|unsafe var)\b|#")
# What looks like code and is none: attributes with arguments, directives, names of operators.
NO_CODE = re.compile(r"@\w+\s*\([^()]*\)|^[ \t]*#(?:if|elseif|else|endif)\b[^\n]*|#(?:un)?available\([^()]*\)"
                     r"|\bfunc\s+[-+*/%=<>!&|^~?.]+|\bimport\b[^\n]*", re.MULTILINE)
DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.MULTILINE)
INVARIANT = re.compile(r"\b(?:invariant|precondition|assert|_Static_assert)\(")


@dataclass(frozen=True)
class Place:
    """Octets `start..<end` of a file, and what may stand there instead."""
    start: int
    end: int
    before: str
    after: tuple
    line: int
    column: int


def blanked(text, start, end):
    """The text with blanks in place of `start..<end`; lines stay where they are."""
    hidden = re.sub(r"[^\n]", "\0", text[start:end])
    return text[:start] + hidden + text[end:]


def end_of_string(text, i, language):
    """The index after the string literal that begins at `i`."""
    hashes = 0
    while language == SWIFT and text[i] == "#":
        hashes, i = hashes + 1, i + 1
    quote = '"""' if language == SWIFT and text.startswith('"""', i) else text[i]
    close, escape = quote + "#" * hashes, "\\" + "#" * hashes
    i += len(quote)
    while i < len(text) and not text.startswith(close, i):
        if not text.startswith(escape, i):
            i += 1
        elif language == SWIFT and text.startswith("(", i + len(escape)):
            i = end_of_parenthesis(text, i + len(escape), language)
        else:
            i += len(escape) + 1
    return min(i + len(close), len(text))


def end_of_parenthesis(text, i, language):
    """The index after the parenthesis that closes the one at `i`, which may hold strings."""
    depth = 0
    while i < len(text):
        string = is_string(text, i, language)
        if string:
            i = end_of_string(text, i, language)
            continue
        depth += {"(": 1, ")": -1}.get(text[i], 0)
        i += 1
        if depth == 0:
            break
    return i


def is_string(text, i, language):
    if language == C:
        return text[i] in "\"'"
    return text[i] == '"' or (text[i] == "#" and re.match(r'#+"', text[i:i + 8]) is not None)


def end_of_comment(text, i, language):
    """The index after the comment that begins at `i`. Swift's block comments may hold others."""
    if text.startswith("//", i):
        end = text.find("\n", i)
        return len(text) if end < 0 else end
    depth, i = 1, i + 2
    while i < len(text) and depth:
        if text.startswith("*/", i):
            depth, i = depth - 1, i + 2
        elif language == SWIFT and text.startswith("/*", i):
            depth, i = depth + 1, i + 2
        else:
            i += 1
    return i


def code_of(text, language):
    """The text with everything that is not to be changed replaced by NULs; offsets hold."""
    i, code = 0, text
    while i < len(text):
        if text.startswith(("//", "/*"), i):
            end = end_of_comment(text, i, language)
        elif is_string(text, i, language):
            end = end_of_string(text, i, language)
        else:
            i += 1
            continue
        code = blanked(code, i, end)
        i = end
    for pattern in (NO_CODE if language == SWIFT else DIRECTIVE), INVARIANT:
        for found in list(pattern.finditer(code)):
            end = found.end()
            if pattern is INVARIANT:
                end = end_of_parenthesis(code, end - 1, language)
            code = blanked(code, found.start(), end)
    return code


def neighbours(literal):
    """The literals one above and one below; none below 0, because many numbers have no sign."""
    digits = literal.replace("_", "")
    value = int(digits, 0) if digits[:2] in ("0x", "0b") else int(digits)
    form = {"0x": "0x{:X}", "0b": "0b{:b}"}.get(digits[:2], "{}")
    return tuple(form.format(n) for n in (value + 1, value - 1) if n >= 0)


def elements(code, start, end):
    """The ranges of a condition's elements, parted by commas outside of any bracket."""
    depth, begin = 0, start
    for i in range(start, end):
        depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(code[i], 0)
        if code[i] == "," and depth == 0:
            yield begin, i
            begin = i + 1
    yield begin, end


def end_of_guard(code, start):
    """The index of the `else` that ends a guard's condition."""
    depth = 0
    for found in re.compile(r"[(\[{]|[)\]}]|\belse\b").finditer(code, start):
        if found[0] == "else" and depth == 0:
            return found.start()
        depth += 1 if found[0] in "([{" else -1 if found[0] in ")]}" else 0
    return None


def conditions(text, code, language):
    """Conditions that can be negated: a guard's in Swift, that of an `if` in C."""
    if language == C:
        for found in IF.finditer(code):
            start, end = found.end(), end_of_parenthesis(code, found.end() - 1, C) - 1
            yield start, end
        return
    for found in GUARD.finditer(code):
        close = end_of_guard(code, found.end())
        if close is None:
            continue
        for start, end in elements(code, found.end(), close):
            start += len(code[start:end]) - len(code[start:end].lstrip())
            end = start + len(code[start:end].rstrip())
            if not BINDING.match(code[start:end]) and "\0" not in code[start:end]:
                yield start, end


def places(text, language):
    """All places of a text, in order of where they begin."""
    code = code_of(text, language)
    found = []
    for match in OPERATOR.finditer(code):
        if match[0] in OPERATORS:
            found.append((match.start(), match.end(), tuple(OPERATORS[match[0]])))
    for match in INTEGER.finditer(code):
        found.append((match.start(), match.end(), neighbours(match[0])))
    for match in BOOLEAN.finditer(code):
        found.append((match.start(), match.end(), ("false" if match[0] == "true" else "true",)))
    if language == SWIFT:
        for match in RANGE.finditer(code):
            found.append((match.start(), match.end(), (RANGES[match[0]],)))
    for start, end in conditions(text, code, language):
        found.append((start, end, (f"!({text[start:end]})",)))
    lines = [0] + [match.end() for match in re.finditer("\n", text)]
    result = []
    for start, end, after in sorted(found):
        line = bisect.bisect_right(lines, start)
        result.append(Place(start, end, text[start:end], after, line, start - lines[line - 1] + 1))
    return result


def changed(text, place, after):
    """The text with the place changed, and the place's lines before and after."""
    new = text[:place.start] + after + text[place.end:]
    begin = text.rfind("\n", 0, place.start) + 1
    end = text.find("\n", place.end)
    end = len(text) if end < 0 else end
    return new, text[begin:end], new[begin:end + len(new) - len(text)]
