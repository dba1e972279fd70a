"""HTTPS under the scripts of tlsfuzzer (github.com/tlsfuzzer/tlsfuzzer), which speak TLS wrongly in thousands of ways.

MARTLET_TLSFUZZER is the path of a checkout; without it the tests are skipped. What the checkout needs is installed into
.build/tlsfuzzer. The table tlsfuzzer.tsv says how each script is run, which of its conversations are expected to fail,
and why; and which scripts are about something that the server does not have.
"""

import ast
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from program import running
from tls import REPOSITORY, Authority, ask, is_static

CHECKOUT = os.environ.get("MARTLET_TLSFUZZER")
if not CHECKOUT:
    pytest.skip("MARTLET_TLSFUZZER names no checkout of tlsfuzzer", allow_module_level=True)
if not is_static():
    pytest.skip("the table is for mbedTLS 3.6 with what static programs have of it", allow_module_level=True)
CHECKOUT = Path(CHECKOUT).resolve()
PATIENCE = 1_200


def rows(kind):
    lines = Path(__file__).with_name("tlsfuzzer.tsv").read_text().splitlines()
    cells = [line.split("\t") for line in lines if line and not line.startswith("#")]
    assert all(len(row) == 4 and row[0] in ("run", "sampled", "fails", "skip") for row in cells), cells
    return [row[1:] for row in cells if row[0] == kind]


SAMPLED = {script for script, _, _ in rows("sampled")}
RUNS = {script: (how, shlex.split(options)) for script, how, options in rows("run") + rows("sampled")}


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def server(authority):
    yield from running(authority.start())


@pytest.fixture(scope="module")
def python():
    """A Python with what the checkout needs."""
    folder = REPOSITORY / ".build" / "tlsfuzzer"
    path = folder / "bin" / "python"
    if not (folder / "complete").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        subprocess.run([path, "-m", "pip", "install", "--quiet", "-r", CHECKOUT / "requirements.txt"], check=True)
        (folder / "complete").touch()
    return path


def test_the_table_has_every_script():
    there = {path.stem for path in (CHECKOUT / "scripts").glob("test-*.py")}
    known = set(RUNS) | {script for script, _, _ in rows("skip")}
    assert not there - known, "scripts that the table does not have"
    assert not {script for script, _, _ in rows("fails")} - set(RUNS)


@pytest.mark.parametrize("script", RUNS)
def test_script(server, authority, python, script, record_property):
    how, options = RUNS[script]
    done = subprocess.run(
        [python, Path(__file__).with_name("tlsfuzzer_launch.py"), CHECKOUT, how, script, "-h", server.address[0], "-p",
         str(server.address[1]), *options], capture_output=True, text=True, errors="replace", timeout=PATIENCE, check=False)
    told = done.stdout[-3_000:] + done.stderr[-3_000:]
    count = re.search(r"^TOTAL: ([0-9]+)$", done.stdout, re.MULTILINE)
    assert count, told
    listed = re.search(r"^FAILED:\n((?:\t.*\n?)*)", done.stdout, re.MULTILINE)
    failed = {ast.literal_eval(line.strip()) for line in listed[1].splitlines()} if listed else set()
    expected = [(re.compile(pattern), reason) for of, pattern, reason in rows("fails") if of == script]
    new = sorted(name for name in failed
                 if name == "sanity" or not any(pattern.search(name) for pattern, _ in expected))
    assert not new, f"{new}\n{told}"
    gone = [pattern.pattern for pattern, _ in expected if not any(pattern.search(name) for name in failed)]
    assert not gone or script in SAMPLED, f"{gone} are expected to fail and do not"
    assert (done.returncode == 0) == (not failed), told
    # For --junitxml.
    record_property("conversations", int(count[1]))
    record_property("failed as expected", len(failed))
    assert server.is_running, server.output()
    assert ask(server.address, authority.context()).status == 200
