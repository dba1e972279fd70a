"""Templates that must not compile, each with the words that a newcomer reads; and templates that must.

`{# error: WORDS #}` stands in the line before the one that is wrong. The tool's findings and the compiler's errors
name that line of the template. `swift build` comes first.
"""

import re
import subprocess
from pathlib import Path

import pytest

from compiler import BUILD, compiled_files, differences

FOLDERS = sorted(path for path in Path(__file__).with_name("templates").iterdir() if path.is_dir())
EXPECTED = re.compile(r"\{# error: (.*) #\}")
FINDING = re.compile(r"^(?P<file>[^\n:]+):(?P<line>[0-9]+):[0-9]+: error: (?P<message>.*)$", re.MULTILINE)


def expected(path):
    """(line of the comment, words) for each comment."""
    return [(number, found[1]) for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
            if (found := EXPECTED.search(line))]


def errors(folder, output):
    """What the tool, or after it the compiler, says of a folder of templates: (file, line, message)."""
    tool = BUILD / "MartletCompile"
    assert tool.exists(), "swift build comes first"
    ended = subprocess.run([str(tool), "templates", str(folder), str(output)], capture_output=True, text=True,
                           timeout=60, check=False)
    findings = [(found["file"], int(found["line"]), found["message"]) for found in FINDING.finditer(ended.stderr)]
    assert (ended.returncode == 0) == (ended.stderr == ""), ended.stderr
    if ended.returncode != 0:
        return findings
    return compiled_files(folder.with_name("Lamp.swift"), output)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_errors_name_the_lines_of_the_templates(folder, tmp_path):
    found = errors(folder, tmp_path / "Templates.swift")
    paths = sorted(folder.glob("*.html"))
    assert {Path(file) for file, _, _ in found} <= set(paths)
    wanted = {path: expected(path) for path in paths}
    assert any(wanted.values()) == (folder.name != "works")
    for path, comments in wanted.items():
        assert differences(comments, [(line, words) for file, line, words in found if Path(file) == path]) == []


def test_tool_says_what_it_can_do():
    ended = subprocess.run([str(BUILD / "MartletCompile")], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stderr) == (2, "usage: MartletCompile assets|packed|templates FOLDER OUTPUT\n")
