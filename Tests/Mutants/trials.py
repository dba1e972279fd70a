"""Which places are chosen, what is known of them already, and what the results come to."""

import fnmatch
import hashlib
import json
import random
from dataclasses import asdict, dataclass

import places

KILLED, SURVIVED, NOT_COMPILED, EQUIVALENT = "killed", "survived", "does not compile", "equivalent"
SHARE_WANTED = 95.0

# The folders of Sources whose code unit tests can notice, and the test targets that are asked first.
# Of the examples, of boot.c (which mounts, and turns machines off) and of a tool's `main` only black-box tests know.
FIRST_TESTS = {
    "MartletBytes": "MartletBytesTests",
    "MartletHTTP": "MartletHTTPTests",
    "MartletToken": "MartletTokenTests",
    "MartletServer": "MartletServerTests",
    "MartletTLS": "MartletTLSTests",
    "Martlet": "MartletTests",
    "MartletTesting": "MartletTests",
    "MartletCompile": "MartletCompileTests",
    "Panel": "PanelTests",
    "CMartletPlatform": "MartletServerTests|FaultTests",
    "CMartletTLS": "MartletTLSTests",
}
LEFT_OUT = ("Sources/CMartletPlatform/boot.c", "Sources/MartletCompile/MartletCompile.swift")


@dataclass(frozen=True)
class Trial:
    """One change of one file."""
    path: str
    line: int
    column: int
    before: str
    after: str
    start: int

    @property
    def name(self):
        """What identifies the change in the results, as long as the sources are unchanged."""
        return f"{self.path}:{self.line}:{self.column}: {self.before} -> {self.after}"


def language(path):
    return places.SWIFT if path.endswith(".swift") else places.C


def sources(root, pattern="*"):
    """The files that are changed: path below `root` and text, in order of their paths."""
    found = {}
    for folder in FIRST_TESTS:
        ending = "*.c" if folder.startswith("C") else "*.swift"
        for file in sorted((root / "Sources" / folder).rglob(ending)):
            path = file.relative_to(root).as_posix()
            if path not in LEFT_OUT and fnmatch.fnmatch(path, pattern):
                found[path] = file.read_text(encoding="utf-8")
    return dict(sorted(found.items()))


def first_tests(path):
    return FIRST_TESTS[path.split("/")[1]]


def chosen(texts, seed):
    """All changes, one for each place, in an order that the seed alone decides."""
    chance = random.Random(seed)
    trials = []
    for path, text in texts.items():
        for place in places.places(text, language(path)):
            trials.append(
                Trial(path, place.line, place.column, place.before, chance.choice(place.after), place.start))
    chance.shuffle(trials)
    return trials


def mutated(text, trial):
    """The file's text with the change in it, and the lines before and after."""
    place = places.Place(trial.start, trial.start + len(trial.before), trial.before, (), trial.line, trial.column)
    return places.changed(text, place, trial.after)


def equivalents(text):
    """The list of changes that no test can notice: {(path, line's text, changed line): reason}.

    Paragraphs of four lines: the file, the line before, the line after, the reason. Lines are named by
    their text and not by their numbers, so that the list holds when lines above are added.
    """
    listed = {}
    for paragraph in text.split("\n\n"):
        lines = [line for line in paragraph.splitlines() if not line.startswith("#")]
        if not lines:
            continue
        if len(lines) < 4:
            raise ValueError(f"a paragraph of equivalents.txt has {len(lines)} lines and not 4: {lines[0]}")
        listed[(lines[0], squeezed(lines[1]), squeezed(lines[2]))] = " ".join(lines[3:])
    return listed


def squeezed(text):
    """A line's text without the blanks that formatting may change."""
    return " ".join(text.split())


def digest(root, texts):
    """What the results hold for: the sources that are changed and the tests that notice."""
    total = hashlib.sha256()
    for path, text in texts.items():
        total.update(f"{path}\0{text}\0".encode())
    for file in sorted((root / "Tests").glob("*Tests/*.swift")):
        total.update(file.read_bytes())
    return total.hexdigest()


class Results:
    """A file of one JSON object a line: what it holds for, then each trial. A run goes on where it ended."""

    def __init__(self, file, header):
        self.file = file
        self.known = {}
        self.resumed = False
        if file.exists():
            lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if whole(line)]
            if lines and lines[0] == header:
                self.resumed = True
                self.known = {line["name"]: line for line in lines[1:]}
        if not self.resumed:
            file.parent.mkdir(parents=True, exist_ok=True)
        # Written anew each time: the last line of a run that was ended may be half a line.
        self.write([header, *self.known.values()])

    def write(self, lines):
        self.file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")

    def add(self, trial, verdict, **more):
        line = {"name": trial.name, "verdict": verdict, **asdict(trial), **more}
        self.known[trial.name] = line
        with self.file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        return line


def whole(line):
    try:
        json.loads(line)
        return True
    except ValueError:
        return False


def summary(lines):
    """The lines to print at the end, and whether the share is reached."""
    killed = sum(line["verdict"] == KILLED for line in lines)
    survivors = [line for line in lines if line["verdict"] == SURVIVED]
    others = {v: sum(line["verdict"] == v for line in lines) for v in (NOT_COMPILED, EQUIVALENT)}
    counted = killed + len(survivors)
    share = 100 * killed / counted if counted else 0.0
    text = []
    for line in sorted(survivors, key=lambda line: (line["path"], line["line"])):
        text += [f"{line['path']}:{line['line']}: survived", f"  - {line['old'].strip()}", f"  + {line['new'].strip()}"]
    text.append(f"{killed} of {counted} killed ({share:.1f} %; at least {SHARE_WANTED:.0f} % are wanted), "
                f"{len(survivors)} survived; left out: {others[NOT_COMPILED]} that do not compile, "
                f"{others[EQUIVALENT]} listed as equivalent")
    seconds = [line["seconds"] for line in lines if line["verdict"] in (KILLED, SURVIVED)]
    if seconds:
        text.append(f"{sum(seconds) / len(seconds):.0f} s for each; the longest took {max(seconds):.0f} s")
    return text, counted > 0 and share >= SHARE_WANTED
