"""What the Swift compiler says of a program, beside what the program's comments expect.

`// error: WORDS` stands in the line before the one that is wrong, or in it. The message of the compiler holds
the words. A program without such a comment compiles.
"""

import os
import re
import subprocess
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("MARTLET_MODULES") or REPOSITORY / ".build" / "debug")
ERROR = re.compile(r"^(?P<file>[^\n:]+):(?P<line>[0-9]+):[0-9]+: error: (?P<message>.*)$", re.MULTILINE)
EXPECTED = re.compile(r"// error: (.*)$")


def compiled(program, *more):
    """The compiler's errors of a program, as (line, message), up to the checks of who owns a value."""
    return [(line, message) for _, line, message in compiled_files(program, *more)]


def compiled_files(program, *more):
    """The compiler's errors of a program in several files, as (file, line, message)."""
    # Those checks come after the types': a typecheck alone does not see that an answer is given twice.
    command = [
        "swiftc", "-emit-sil", "-wmo", "-o", os.devnull, "-swift-version", "6", "-parse-as-library",
        "-module-name", "Program", "-I", str(BUILD / "Modules"),
        "-Xcc", "-fmodule-map-file=" + str(REPOSITORY / "Sources/CMartletPlatform/include/module.modulemap"),
        "-Xcc", "-fmodule-map-file=" + str(REPOSITORY / "Sources/CMartletTLS/include/module.modulemap"),
        "-Xcc", "-fmodule-map-file=" + str(REPOSITORY / "Sources/CMbedTLS/module.modulemap"),
        "-Xcc", "-I" + str(REPOSITORY / "Sources/CMartletPlatform/include"),
        "-enable-experimental-feature", "Lifetimes", "-strict-memory-safety",
        "-enable-upcoming-feature", "MemberImportVisibility", "-diagnostic-style=llvm", str(program), *map(str, more)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    errors = [(found["file"], int(found["line"]), found["message"]) for found in ERROR.finditer(ended.stderr)]
    if ended.returncode != 0 and not errors:
        raise AssertionError(f"the compiler failed without an error in {program}:\n{ended.stderr}")
    return errors


def expected(text):
    """(line of the comment, words) for each comment."""
    return [(number, found[1]) for number, line in enumerate(text.splitlines(), 1)
            if (found := EXPECTED.search(line))]


def differences(wanted, errors):
    """What the compiler does not say though a comment wants it, and what it says that no comment wants."""
    errors = list(errors)
    told = []
    for line, words in wanted:
        found = next((error for error in errors
                      if error[0] in (line - 1, line, line + 1) and words in error[1]), None)
        if found:
            errors.remove(found)
        else:
            told.append(f"line {line}: no error with the words '{words}'")
    return told + [f"line {line}: not expected: {message}" for line, message in errors]
