"""Private keys on static boards: what is computed with them takes as long for each key. By valgrind, which tells of
each branch and each address that depends on a key, and by the number of instructions for different keys."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "Sources"
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
# Small, large, with long runs of either bit, odd and even.
NUMBERS = [1, 2, 3, ORDER - 1, ORDER - 2, 1 << 255, (1 << 128) - 1, ((1 << 128) - 1) << 127,
           int("a5" * 32, 16), int("0f" * 32, 16), int("69b3" * 16, 16)]
# Where a key is compared with its range, once for each use, and a signature with 0. A branch in the arithmetic would be
# taken for each of 256 bits, and more often.
RANGE_CHECKS_MAX = 12
# Instructions: none, but for what a compiler makes of the last comparisons with 0.
SPREAD_MAX = 16


def toolchain():
    """The folder of clang and llvm-ar."""
    told = subprocess.run(["swiftc", "-print-target-info"], check=True, capture_output=True, text=True).stdout
    resources = re.search(r'"runtimeResourcePath": *"([^"]*)"', told)[1]
    return Path(resources.removesuffix("/lib/swift")) / "bin"


TOOLCHAIN = toolchain()


def number(value):
    return f"{value:064x}"


@pytest.fixture(scope="session")
def build(board, tmp_path_factory):
    if not board.is_static:
        pytest.skip("Debian's library is Debian's")
    def built(*options):
        target = tmp_path_factory.mktemp("constant") / "constant_time"
        tls = SOURCES / "CMartletTLS"
        subprocess.run(
            [TOOLCHAIN / "clang", f"--target={board.facts['target']}",
             *board.facts["flags"].split(), f"--sysroot={board.sysroot}", "-fuse-ld=lld", "-static-pie", "-Os",
             "-gdwarf-4", "-fPIC", "-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections", "-Wall", "-Wextra", "-Werror",
             f"-DMARTLET_LIMITS_{board.facts['limits'].upper()}=1", f"-I{tls / 'include'}",
             f"-I{SOURCES / 'CMartletPlatform' / 'include'}", *options,
             ROOT / "Tests" / "Boards" / "constant_time.c", *tls.glob("*.c"),
             "-lmbedtls", "-lmbedx509", "-lmbedcrypto", "-o", target],
            check=True)
        return target

    return built


def test_what_computes_with_keys_is_object_code(board):
    """The rest of the library is bitcode, which is compiled anew for each program. What is tested below is what ships."""
    if not board.is_static:
        pytest.skip("Debian's library is Debian's")
    archive = board.sysroot / "usr" / "lib" / "libmbedcrypto.a"
    for name in ("p256-m.o", "p256-m_driver_entrypoints.o", "constant_time.o", "platform_util.o"):
        told = subprocess.run([TOOLCHAIN / "llvm-ar", "p", archive, name], check=True, capture_output=True).stdout
        assert told.startswith(b"\x7fELF"), name


def told_by_valgrind(board, build, *options):
    if board.architecture != "x86_64" or not shutil.which("valgrind"):
        pytest.skip("valgrind runs the programs of its own machine only")
    if not Path("/usr/include/valgrind/memcheck.h").exists():
        pytest.skip("valgrind's header is missing")
    program = build("-DUNDEFINED", "-idirafter", "/usr/include", *options)
    done = subprocess.run(["valgrind", "--error-limit=no", program, number(NUMBERS[8]), number(NUMBERS[10])],
                          capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    return int(re.search(r"ERROR SUMMARY: (\d+) errors", done.stderr)[1]), done.stderr[-6000:]


def test_no_branch_depends_on_a_key(board, build):
    count, told = told_by_valgrind(board, build)
    assert 0 < count <= RANGE_CHECKS_MAX, told
    assert "Use of uninitialised value" not in told, told


def test_a_branch_for_each_bit_is_found(board, build):
    count, _ = told_by_valgrind(board, build, "-DLEAKS")
    assert count > RANGE_CHECKS_MAX + 200


@pytest.fixture(scope="session")
def plugin(tmp_path_factory):
    path = tmp_path_factory.mktemp("plugin") / "instructions.so"
    compiler = shutil.which("gcc") or shutil.which("clang")
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o", path,
                    Path(__file__).with_name("instructions.c")], check=True)
    return path


def counts(board, plugin, program):
    """Instructions by key and by nonce."""
    def count(key, nonce):
        done = subprocess.run([*board.run, "-plugin", plugin, program, number(key), number(nonce)],
                              capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stderr
        return int(re.search(r"instructions: (\d+)", done.stderr)[1])

    if not shutil.which(board.run[0]):
        pytest.skip(f"{board.run[0]} is missing")
    return {key: count(key, NUMBERS[8]) for key in NUMBERS} | {-key: count(NUMBERS[9], key) for key in NUMBERS[1:]}


def spread(counted):
    return max(counted.values()) - min(counted.values())


def test_each_key_takes_as_many_instructions(board, build, plugin):
    counted = counts(board, plugin, build())
    assert spread(counted) <= SPREAD_MAX, counted


def test_a_branch_for_each_bit_changes_the_number_of_instructions(board, build, plugin):
    assert spread(counts(board, plugin, build("-DLEAKS"))) > 2 * SPREAD_MAX
