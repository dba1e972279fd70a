"""What the package tests share: the packages, made once, and the machines they are tried on."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import machine as machines

REPOSITORY = machines.REPOSITORY
PACKAGES = REPOSITORY / ".build" / "packages"
BOARDS = REPOSITORY / ".build" / "boards"


def need_root():
    if os.geteuid() != 0:
        pytest.skip("needs root: the packages are not installed anywhere")


def need_tools(*tools):
    missing = [tool for tool in tools if not shutil.which(tool)]
    if missing:
        pytest.skip(f"not installed here: {', '.join(missing)}")


def script(name, *arguments, status=0, **options):
    """Runs one of the scripts; (what it printed, standard error included)."""
    done = subprocess.run([str(REPOSITORY / "scripts" / name), *arguments], text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False, timeout=300, **options)
    assert done.returncode == status, (
        f"scripts/{name} {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}")
    return done.stdout


def make(kind, *names):
    """Makes packages of boards that have been built, and says where each is."""
    boards = [f"debian-{name}" if kind == "deb" else name for name in names]
    missing = [board for board in boards if not (BOARDS / board / "martlet-panel").is_file()]
    if missing:
        pytest.skip(f"not built: {', '.join(missing)}")
    return [REPOSITORY / line.split(" (")[0]
            for line in script("package", kind, *names).splitlines()]


def version():
    for source in (REPOSITORY / "Sources" / "Panel").glob("*.swift"):
        found = re.search(r'static var version: StaticString \{ "(.*)" \}', source.read_text())
        if found:
            return found[1]
    raise AssertionError("the panel has no version")


def newer(deb, folder):
    """The same package with a higher version."""
    tree = Path(folder) / "newer"
    subprocess.run(["dpkg-deb", "--raw-extract", str(deb), str(tree)], check=True)
    control = tree / "DEBIAN" / "control"
    control.write_text(re.sub(r"^Version: (.*)$", r"Version: \1+newer", control.read_text(),
                              flags=re.MULTILINE))
    built = Path(folder) / "newer.deb"
    subprocess.run(["dpkg-deb", "--root-owner-group", "--build", str(tree), str(built)],
                   check=True, stdout=subprocess.DEVNULL)
    return built
