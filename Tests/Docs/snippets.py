"""Usage: snippets.py [--modules FOLDER] [FILE.md...]

Compiles each Swift snippet of the documentation: the blocks that begin with ```swift in README.md and in the
catalog Sources/Martlet/Martlet.docc, or in the files that are named. Nothing is run. The modules must have been
built by `swift build`. Prints what the compiler says, with the line of the document; status 1 where there is
something.

A block is a file as it stands. A block that is only a part of a file has a comment on the line before:

    <!-- context: NAME [WORD...] -->

The block is then put into the file NAME.swift.in of Tests/Docs/contexts, in place of the line `@snippet@` and
as far to the right. The words, with commas between, stand in place of `@words@`. A line of the context that
ends with `// unless: TEXT` is left out where the block has the text.

All files are compiled as one module, so that it takes seconds: what stands at the left margin becomes
fileprivate, and `@main` is left out. A package's manifest is compiled alone.
"""

import argparse
import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CONTEXTS = Path(__file__).resolve().parent / "contexts"
FILES = ROOT / ".build" / "docs" / "snippets"
CATALOG = ROOT / "Sources" / "Martlet" / "Martlet.docc"
# C modules that the built modules import.
INCLUDED = tuple(ROOT / "Sources" / name for name in ("CMartletPlatform/include", "CMartletTLS/include", "CMbedTLS"))

# A block with this line is a package's manifest, compiled alone.
MANIFEST, MANIFEST_VERSION = "import PackageDescription", "6.2.0"

FENCE = re.compile(r"^```swift\n(.*?)^```$", re.S | re.M)
CONTEXT = re.compile(r"<!-- context: (\S+)((?: \S+)*) -->\n\Z")
UNLESS = re.compile(r"^(.*?) *// unless: (.*)$")
DECLARATION = re.compile(r"^((?:@\w+ )*)(?=(?:final class|class|struct|enum|protocol|func|let|var) )")
# Their macros do not know that a part of a file comes from elsewhere.
TEST = re.compile(r"^@(?:Suite|Test)(?:\(\".*\"\))? ?")
EXTENSION = re.compile(r"^(?=extension [\w.<>]+ (?:where .*)?\{)")
DIAGNOSTIC = re.compile(r"^(.*?):\d+:\d+: (error|warning): ")


class Wrong(Exception):
    """What is wrong about a document, as a line."""


@dataclass(frozen=True)
class Snippet:
    document: str
    line: int  # of the block's first line
    code: str
    context: str = ""
    words: tuple = ()

    @property
    def place(self):
        return f"{self.document}:{self.line}"


def snippets_of(document, text):
    for match in FENCE.finditer(text):
        context = CONTEXT.search(text[:match.start()])
        line = text[:match.start()].count("\n") + 2
        name, words = (context[1], tuple(context[2].split())) if context else ("", ())
        yield Snippet(document, line, match[1], name, words)


def is_left_out(line, code):
    unless = UNLESS.match(line)
    return bool(unless) and unless[2] in code


def without_condition(line):
    unless = UNLESS.match(line)
    return unless[1] if unless else line


def source_of(snippet):
    """The file that is compiled."""
    if not snippet.context:
        return located(snippet.document, snippet.line, snippet.code)
    path = CONTEXTS / f"{snippet.context}.swift.in"
    if not path.exists():
        raise Wrong(f"{snippet.place}: there is no {path.relative_to(ROOT)}")
    text = path.read_text(encoding="utf-8")
    mark = re.search(r"^( *)@snippet@\n", text, re.M)
    if not mark:
        raise Wrong(f"{path.relative_to(ROOT)} has no line @snippet@")
    name, parts = str(path.relative_to(ROOT)), []
    before, after = text[:mark.start()], text[mark.end():]
    code = re.sub(r"^(?=.)", mark[1], snippet.code, flags=re.M)
    for text, line in ((before, 1), (after, before.count("\n") + 2)):
        text = text.replace("@words@", ", ".join(snippet.words))
        lines = ["" if is_left_out(line, snippet.code) else without_condition(line)
                 for line in text.splitlines()]
        parts.append(located(name, line, "\n".join(lines) + "\n"))
    return parts[0] + located(snippet.document, snippet.line, code) + parts[1]


def located(name, line, code):
    return f'#sourceLocation(file: "{name}", line: {line})\n{code}'


def for_one_module(source):
    """What many files of a module may have side by side."""
    lines = []
    for line in source.splitlines():
        if line.strip() == "@main":
            line = ""
        line = TEST.sub("", line)
        line = DECLARATION.sub(r"\1fileprivate ", line)
        lines.append(EXTENSION.sub("fileprivate ", line))
    return "\n".join(lines) + "\n"


def documents(named):
    return [Path(name).resolve() for name in named] or [ROOT / "README.md", *sorted(CATALOG.glob("*.md"))]


def name_of(path):
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def own_folder():
    """The compiler's folder, with the macros of Testing and the modules of manifests."""
    told = subprocess.run(["swiftc", "-print-target-info"], check=True, capture_output=True, text=True)
    return Path(json.loads(told.stdout)["paths"]["runtimeResourcePath"])


def program_command(modules, own, files):
    included = [flag for folder in (modules, *INCLUDED) for flag in ("-I", str(folder))]
    # To SIL and no further: what is used twice, or outlives its memory, is found there.
    return ["swiftc", "-emit-sil", "-o", "/dev/null", "-wmo", "-parse-as-library", "-swift-version", "6",
            "-module-name", "Snippets", "-plugin-path", str(own / "host" / "plugins" / "testing"),
            "-module-cache-path", str(FILES / "cache"), *included, *map(str, files)]


def manifest_command(own, file):
    return ["swiftc", "-typecheck", "-swift-version", "6", "-package-description-version", MANIFEST_VERSION,
            "-I", str(own / "pm" / "ManifestAPI"), "-module-cache-path", str(FILES / "cache"), str(file)]


def told_by(command):
    """What the compiler says about documents, in lines."""
    done = subprocess.run(command, cwd=ROOT, check=False, text=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    told = findings(done.stdout)
    return told or (done.stdout.splitlines() if done.returncode != 0 else [])


def findings(output):
    """The compiler's errors and warnings about documents and contexts, each with the lines that follow."""
    found, is_kept = [], False
    for line in output.splitlines():
        match = DIAGNOSTIC.match(line)
        if match:
            is_kept = match[2] == "error" or match[1].endswith(".md")
        if is_kept:
            found.append(line)
    return found


def main(arguments):
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--modules", type=Path, default=ROOT / ".build" / "debug" / "Modules")
    parser.add_argument("files", nargs="*")
    options = parser.parse_args(arguments)
    try:
        found = [snippet for path in documents(options.files)
                 for snippet in snippets_of(name_of(path), path.read_text(encoding="utf-8"))]
        sources = [source_of(snippet) for snippet in found]
    except Wrong as wrong:
        print(wrong)
        return 1
    if not (options.modules / "Martlet.swiftmodule").exists():
        print(f"There is no Martlet.swiftmodule in {options.modules}; run swift build.")
        return 1
    FILES.mkdir(parents=True, exist_ok=True)
    for path in FILES.glob("*.swift"):
        path.unlink()
    own, programs, told = own_folder(), [], []
    for number, source in enumerate(sources):
        path = FILES / f"snippet{number:02}.swift"
        if MANIFEST in source:
            path.write_text(source, encoding="utf-8")
            told += told_by(manifest_command(own, path))
        else:
            path.write_text(for_one_module(source), encoding="utf-8")
            programs.append(path)
    if programs:
        told += told_by(program_command(options.modules, own, programs))
    print("\n".join(told) or f"{len(found)} snippets compile.")
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
