"""The processor's instructions for SHA-256: right where they are, and not used where they are not."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# An emulated processor of the board's kind with the instructions, and one without.
EMULATED = {
    "aarch64": (["qemu-aarch64", "-cpu", "max"], None),
    "armv7": (["qemu-arm", "-cpu", "max"], ["qemu-arm", "-cpu", "cortex-a7"]),
    "x86_64": ([], ["qemu-x86_64", "-cpu", "Nehalem"]),
}


def words(text):
    return text.split()


@pytest.fixture(scope="session")
def comparison(board, tmp_path_factory):
    """Tests/Boards/sha256.c with the product's source, compiled as the product is."""
    platform = ROOT / "Sources" / "CMartletPlatform"
    target = tmp_path_factory.mktemp("sha256") / "sha256"
    told = subprocess.run(["swiftc", "-print-target-info"], check=True, capture_output=True, text=True).stdout
    resources = re.search(r'"runtimeResourcePath": *"([^"]*)"', told)[1]
    subprocess.run(
        [f"{resources.removesuffix('/lib/swift')}/bin/clang", f"--target={board.facts['target']}",
         *words(board.facts["flags"]), f"--sysroot={board.sysroot}", "-fuse-ld=lld",
         "-static-pie" if board.is_static else "-pie", "-Wl,--gc-sections", "-Os", "-fPIC", "-Wall", "-Wextra", "-Werror",
         f"-I{platform / 'include'}", ROOT / "Tests" / "Boards" / "sha256.c", platform / "sha256.c",
         "-lmbedcrypto", "-o", target],
        check=True)
    return target


def compared(board, comparison, emulator):
    libraries = [] if board.is_static or not emulator else ["-L", str(board.sysroot)]
    done = subprocess.run([*emulator, *libraries, comparison], capture_output=True, text=True, check=False,
                          timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_instructions_come_to_what_mbedtls_comes_to(board, comparison):
    if board.architecture not in EMULATED:
        assert compared(board, comparison, board.run) == "no instructions\n"
        return
    with_instructions, without = EMULATED[board.architecture]
    if without:
        assert compared(board, comparison, without) == "no instructions\n"
    if board.architecture == "x86_64" and "sha_ni" not in Path("/proc/cpuinfo").read_text():
        pytest.skip("this machine has no instructions for SHA-256, and qemu emulates none")
    # A program for any ARMv7 does not count on vectors, and has none of this.
    has_vectors = board.architecture != "armv7" or "-mcpu=" in board.facts["flags"]
    wanted = "2000 equal" if has_vectors else "no instructions"
    assert compared(board, comparison, with_instructions) == wanted + "\n"
