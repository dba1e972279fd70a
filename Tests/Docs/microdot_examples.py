"""Usage: microdot_examples.py [--write | FOLDER]

Prints the table of Microdot's examples and their counterparts here, with lines of code, or writes it into the article
ComingFromMicrodot. FOLDER is the folder `examples` of Microdot's repository: its lines are counted anew, and the
status is 1 where the numbers below are others.

A line of code is neither blank nor only a comment. Text within quotation marks is code, pages in HTML too. Pages
and templates count where they are files of their own. Left out are files that a program only hands on (style
sheets, pictures, the pages of the static examples), variants for ASGI and WSGI, and a page that plays the attacker.
"""

import re
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ARTICLE = ROOT / "Sources" / "Martlet" / "Martlet.docc" / "ComingFromMicrodot.md"
BLOCK = re.compile(r"(<!-- examples -->\n)(.*?)(<!-- /examples -->)", re.DOTALL)
RELEASE = "2.6.2"

# Lines of Microdot's files, counted by `lines_of`.
PYTHON = {
    "auth/basic_auth.py": 19, "auth/token_auth.py": 18, "auth/pbkdf2.py": 28, "cors/app.py": 9, "csrf/app.py": 33,
    "gpio/gpio.py": 38, "gpio/gpio.html": 77, "hello/hello.py": 25, "login/login.py": 98, "login/pbkdf2.py": 28,
    "sessions/login.py": 50, "sse/counter.py": 21, "sse/index.html": 26, "static/static.py": 11,
    "static/gzstatic.py": 12, "streaming/video_stream.py": 52, "subapps/app.py": 22, "subapps/subapp.py": 38,
    "templates/jinja/bootstrap.py": 12, "templates/jinja/templates/base.html": 30,
    "templates/jinja/templates/page1.html": 5, "templates/jinja/templates/page2.html": 5, "tls/hello.py": 30,
    "uploads/formdata.py": 19, "uploads/formdata.html": 17, "uploads/simple_uploads.py": 21,
    "uploads/simple_uploads.html": 35, "websocket/echo.py": 13, "websocket/index.html": 35}


@dataclass(frozen=True)
class Pair:
    example: str  # a folder of Microdot's examples
    program: str  # a folder of Sources; empty where there is none
    difference: str


PAIRS = (
    Pair("auth", "AuthExample", "one program for Basic and Bearer; roles; whoever guesses has to wait"),
    Pair("cors", "CorsExample", "four pages with four rules; methods, headers, a script in a page"),
    Pair("csrf", "CsrfExample", "a form token beside the check of the origin; a page that is exempt"),
    Pair("gpio", "GpioExample", "named lamps and a button; simulated lines where there is no chip"),
    Pair("hello", "HelloExample", "without the page that ends the program (``Response/stopProgram()``)"),
    Pair("login", "LoginExample", "the same pages and cookies; hashing is part of the library"),
    Pair("sessions", "SessionsExample", "visits are counted as well"),
    Pair("sse", "SseExample", "one ring of events for all readers; visitors send events, too"),
    Pair("static", "StaticExample", "both programs in one; ETag, ranges, variants only where they are accepted"),
    Pair("streaming", "StreamingExample", "frames are drawn instead of read from files"),
    Pair("subapps", "SubappsExample", "one part, mounted twice, with a form and a login"),
    Pair("templates", "TemplatesExample", "templates become Swift when the program is built"),
    Pair("tls", "HttpsExample", "with logins; the certificate is made at the first start"),
    Pair("uploads", "UploadsExample", "both programs in one; a list of the files, the progress, limits"),
    Pair("websocket", "", "not there: <doc:ServerSentEvents> for one direction"))

COMMENTS = {
    ".py": re.compile(r"^[ \t]*#[^\n]*$", re.MULTILINE),
    ".swift": re.compile(r"^[ \t]*//[^\n]*$|^[ \t]*/\*(?:.|\n)*?\*/[ \t]*$", re.MULTILINE),
    ".html": re.compile(r"<!--.*?-->", re.DOTALL)}


def lines_of(text, suffix):
    """How many lines of a file are neither blank nor only a comment."""
    return sum(bool(line.strip()) for line in COMMENTS[suffix].sub("", text).splitlines())


def of_python(example):
    return sum(count for name, count in PYTHON.items() if name.startswith(f"{example}/"))


def of_program(program):
    """Lines of a program here: of its sources, and of templates beside them."""
    folder = ROOT / "Sources" / program
    files = [path for path in folder.rglob("*") if path.suffix == ".swift"]
    files += [path for path in folder.rglob("*.html") if "www" not in path.parts]
    return sum(lines_of(path.read_text(encoding="utf-8"), path.suffix) for path in files)


def is_there(pair):
    return bool(pair.program) and (ROOT / "Sources" / pair.program).is_dir()


def table():
    lines = ["| Microdot's example | lines | here | lines | what differs |", "|---|--:|---|--:|---|"]
    for pair in PAIRS:
        here, count, difference = "–", "–", pair.difference
        if is_there(pair):
            here, count = f"`{pair.program}`", of_program(pair.program)
        elif pair.program:
            difference = "not there: a page is a literal with values"
        lines.append(f"| `{pair.example}` | {of_python(pair.example)} | {here} | {count} | {difference} |")
    return "\n".join(lines) + "\n"


def differences(folder):
    """Files of Microdot that have other counts than those above, as lines."""
    for name, count in PYTHON.items():
        path = Path(folder) / name
        found = lines_of(path.read_text(encoding="utf-8"), path.suffix) if path.exists() else 0
        if found != count:
            yield f'"{name}": {found}, not {count}'


def main(arguments):
    if arguments == ["--write"]:
        text = ARTICLE.read_text(encoding="utf-8")
        ARTICLE.write_text(BLOCK.sub(lambda found: found[1] + table() + found[3], text), encoding="utf-8")
        return 0
    told = list(differences(arguments[0])) if arguments else []
    print("\n".join(told) or table(), end="\n" if told else "")
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
