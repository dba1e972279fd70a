"""The documents as a reader has them: snippets compile, links lead somewhere, the README's commands work."""

import os
import re
import shlex
import signal
import ssl
import subprocess
import time
import urllib.request

import pytest
import snippets

ROOT, CATALOG = snippets.ROOT, snippets.CATALOG
DOCUMENTS = [ROOT / "README.md", ROOT / ".github" / "CONTRIBUTING.md", *sorted(CATALOG.glob("*.md"))]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PATIENCE = 300  # seconds; a build may be under way


def test_every_snippet_compiles(capsys):
    status = snippets.main([])
    assert status == 0, capsys.readouterr().out


def test_the_readme_is_short():
    assert len(README.splitlines()) <= 150


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(path):
    text = re.sub(r"^```.*?^```$", "", path.read_text(encoding="utf-8"), flags=re.S | re.M)
    targets = re.findall(r"\]\(([^)#\s]+)", text)
    missing = [target for target in targets if "://" not in target and not (path.parent / target).exists()]
    missing += [name for name in re.findall(r"<doc:(\w+)>", text) if not (CATALOG / f"{name}.md").exists()]
    # Files and folders of the repository that a text names.
    named = re.findall(r"`((?:Sources|Tests|scripts|boards)/[\w./+-]+)`", text)
    missing += [name for name in named if not (ROOT / name).exists()]
    assert missing == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_scripts_that_commands_name_are_there(path):
    blocks = re.findall(r"^```console\n(.*?)^```$", path.read_text(encoding="utf-8"), re.S | re.M)
    commands = [word for block in blocks for word in re.findall(r"(?:^\$ |/)(scripts/\w+)", block, re.M)]
    assert [name for name in commands if not (ROOT / name).exists()] == []


def tried():
    """The commands of the README's first steps."""
    block = re.search(r"^## Try it\n.*?^```console\n(.*?)^```$", README, re.S | re.M)
    return [line.removeprefix("$ ") for line in block[1].splitlines()]


def test_the_commands_to_try_it_are_two():
    assert tried() == ["scripts/run", "scripts/run --listen 0.0.0.0:8080"]


def anybody():
    """Believes every certificate."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@pytest.mark.parametrize("command", tried())
def test_the_commands_to_try_it_work(command, tmp_path):
    words = shlex.split(command)
    # Another port, because the one that is named may be taken; and no data in this folder.
    address = words[words.index("--listen") + 1].split(":")[0] if "--listen" in words else "127.0.0.1"
    panel = subprocess.Popen([*words, "--listen", f"{address}:0", "--data", str(tmp_path / "data")], cwd=ROOT,
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             text=True, start_new_session=True)
    try:
        said, end = "", time.monotonic() + PATIENCE
        while not (re.search(r"[Ss]et-up code", said) and re.search(r"https://\S+:\d+", said)):
            assert time.monotonic() < end, said
            line = panel.stdout.readline()
            assert line, said
            said += line
        port = re.search(r"https://\S+:(\d+)", said)[1]
        # Where other machines cannot connect, http works as well.
        for scheme in ("https", "http") if address == "127.0.0.1" else ("https",):
            with urllib.request.urlopen(f"{scheme}://127.0.0.1:{port}/", timeout=20, context=anybody()) as page:
                assert page.status == 200 and b"set-up code" in page.read().lower()
    finally:
        os.killpg(panel.pid, signal.SIGTERM)
        panel.wait(20)
