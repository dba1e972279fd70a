"""A program of somebody else's may use the heap: the promise to have none is the library's.

A package outside of this repository is built with the board's SDK and runs on the board's processor.
"""

import shutil
import subprocess

import pytest

from client import Visitor
from conftest import ROOT
from program import RUN, Program

# One board for each kind of processor and of build: the others differ in what these do not ask for.
BOARDS = ("x86-64", "pi64", "pi32", "pi0", "riscv64")


def test_a_package_that_allocates(board, tmp_path):
    if board.name not in BOARDS:
        pytest.skip(f"as one of {', '.join(BOARDS)}")
    package = tmp_path / "package"
    shutil.copytree(ROOT / "Tests" / "Boards" / "Heap", package)
    manifest = package / "Package.swift"
    manifest.write_text(manifest.read_text().replace("@martlet@", str(ROOT)))
    built = subprocess.run(
        ["swift", "build", "--configuration", "release", "--swift-sdks-path", ROOT / ".build" / "sdk",
         "--swift-sdk", board.name, "--disable-local-rpath"], cwd=package, text=True, check=False,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert built.returncode == 0, built.stdout
    program = Program([*RUN, str(package / ".build" / "release" / "heap")], "heap")
    try:
        visitor = Visitor(program.address, patience=20)
        for visit in (1, 2, 3):
            sums = sum(factor * number for number in range(1, visit + 1) for factor in (1, 2, 3))
            assert visitor.get("/").text == (
                f"first has {3 * visit} samples, their sum is {sums}; "
                f"second has {3 * visit} samples, their sum is {10 * sums}")
    finally:
        program.kill()
