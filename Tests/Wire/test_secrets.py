"""Where secrets come from: the kernel's random numbers, files, the command line.

Shown here: programs start without getrandom; they say what they wait for, and open their port only
afterwards; without any source of random numbers they do not start. A secret that is an argument is
overwritten, one in a file must be its user's alone, and one that everybody knows is for this machine only.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from client import Visitor
from panel import Panel
from program import RUN, SANITIZED, STYLE, Program, command_of, run
import without

ANYWHERE = ("--listen", "127.0.0.1:0")
SECRET = "nobody can guess this, really nobody"
WAITING = "waiting for the kernel's random numbers"

needs_seccomp = pytest.mark.skipif(bool(RUN) or not without.is_possible(),
                                   reason="the emulator's own calls would fail")


def arguments_of(name, folder):
    return {"login-example": ("--secret", SECRET), "martlet-panel": ("--data", str(folder / "data"))}[name]


def without_call(*what):
    return (sys.executable, str(Path(__file__).with_name("without.py")), *what, "--")


def lines(program):
    size = os.fstat(program.complained.fileno()).st_size
    printed = os.pread(program.complained.fileno(), size, 0).decode().splitlines()
    return [line for line in printed if re.match(r"(martlet-panel|login-example|hello-example): ", line)]


# Random numbers -----------------------------------------------------------------------------------

@needs_seccomp
@pytest.mark.parametrize("error", ["ENOSYS", "EPERM", "EACCES"])
@pytest.mark.parametrize("name", ["login-example", "martlet-panel"])
def test_without_getrandom_there_is_another_source(tmp_path, name, error):
    program = Program([*without_call("getrandom", error), *command_of(name), *ANYWHERE,
                       *arguments_of(name, tmp_path)], name)
    try:
        assert Visitor(program.address).get(STYLE if "panel" in name else "/login").status == 200
        assert WAITING not in program.output()
        program.stop()
    finally:
        program.kill()


@needs_seccomp
def test_secrets_made_without_getrandom_differ(tmp_path):
    secrets = set()
    for number in range(3):
        data = tmp_path / str(number)
        program = Program([*without_call("getrandom", "ENOSYS"), *command_of("martlet-panel"),
                           *ANYWHERE, "--data", str(data)], "martlet-panel")
        program.wait_for("set-up code: ")
        program.stop()
        secrets.add((data / "secret").read_bytes())
    assert len(secrets) == 3 and b"0" * 64 + b"\n" not in secrets


@needs_seccomp
@pytest.mark.parametrize("name", ["login-example", "martlet-panel"])
def test_waiting_for_random_numbers_is_said_before_the_port_is_open(tmp_path, name):
    """GRND_NONBLOCK (1) is refused as before the kernel has been seeded; waiting then ends at once."""
    process = subprocess.Popen(
        [*without_call("getrandom", "EAGAIN", "1"), *command_of(name), *ANYWHERE,
         *arguments_of(name, tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        first, second = process.stdout.readline(), process.stdout.readline()
        assert first.startswith(f"{name}: ") and WAITING in first, (first, second)
        while "listening on" not in second:
            second = process.stdout.readline()
            assert second, "it never listens"
    finally:
        process.kill()
        process.wait()


@needs_seccomp
@pytest.mark.skipif(os.geteuid() != 0, reason="only root hides devices")
@pytest.mark.skipif(SANITIZED, reason="the runtime of full Swift ends then, before the program does")
@pytest.mark.parametrize("put", [":", "echo 0123456789 >/dev/urandom", "mkdir /dev/urandom"])
@pytest.mark.parametrize("name", ["login-example", "martlet-panel"])
def test_without_any_source_it_does_not_start(tmp_path, name, put):
    hidden = ("unshare", "-m", "sh", "-c", f'mount -t tmpfs none /dev && {put} && exec "$@"', "sh")
    if subprocess.run([*hidden, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("cannot hide /dev here")
    ended = run(name, *ANYWHERE, *arguments_of(name, tmp_path),
                before=(*hidden, *without_call("getrandom", "ENOSYS")))
    assert ended.returncode == 1 and ended.stdout == "", ended
    assert ended.stderr.startswith(f"{name}: ") and ended.stderr.count("\n") == 1, ended
    assert "/dev/urandom" in ended.stderr
    assert not os.listdir(tmp_path), "it has made files without a source of random numbers"


def test_hello_needs_no_random_numbers():
    if RUN or not without.is_possible():
        pytest.skip("the emulator's own calls would fail")
    program = Program([*without_call("getrandom", "EAGAIN", "1"), *command_of("hello-example"),
                       *ANYWHERE], "hello-example")
    assert lines(program) == []
    program.stop()


# The command line ---------------------------------------------------------------------------------

def test_secret_is_overwritten_in_the_list_of_processes():
    program = Program.start("login-example", *ANYWHERE, "--secret", SECRET)
    try:
        # What the kernel lists of an emulated program are the emulator's own arguments.
        if not RUN:
            seen = Path(f"/proc/{program.pid}/cmdline").read_bytes()
            assert SECRET.encode() not in seen, seen
            assert seen.endswith(b"\0--secret\0" + b"x" * len(SECRET) + b"\0"), seen
        program.wait_for("--secret-file")
        told = lines(program)
        assert len(told) == 1 and "--secret-file" in told[0], told
        assert SECRET not in program.output()
        program.stop()
    finally:
        program.kill()


def secret_file(tmp_path, octets, mode=0o600):
    path = tmp_path / "the secret"
    path.write_bytes(octets)
    path.chmod(mode)
    return path


def session_of(*arguments):
    """A session's cookie, and whether another program with the same secret takes it."""
    program = Program.start("login-example", *ANYWHERE, *arguments)
    visitor = Visitor(program.address)
    visitor.post("/login", {"username": "susan", "password": "hello"})
    return program, visitor.jar.value("session")


@pytest.mark.parametrize("octets", [SECRET.encode(), SECRET.encode() + b"\n",
                                    SECRET.encode() + b"\r\n"])
def test_secret_of_a_file_is_that_of_the_option(tmp_path, octets):
    first, cookie = session_of("--secret-file", str(secret_file(tmp_path, octets)))
    second, _ = session_of("--secret", SECRET)
    try:
        assert lines(first) == []
        assert cookie and Visitor(second.address, session=cookie).get("/").status == 200
        first.stop()
        second.stop()
    finally:
        first.kill()
        second.kill()


@pytest.mark.parametrize("octets", [b"s" * 200, b"s" * 200 + b"\n", b"s"])
def test_secret_of_a_file_has_up_to_200_octets(tmp_path, octets):
    Program.start("login-example", *ANYWHERE, "--secret-file",
                  str(secret_file(tmp_path, octets))).stop()


@pytest.mark.parametrize("octets", [b"", b"\n", b"\r\n", b"s" * 201, b"s" * 202, b"s" * 100_000])
def test_secret_file_without_a_useful_text_is_one_line(tmp_path, octets):
    assert_refused(tmp_path, secret_file(tmp_path, octets))


def assert_refused(tmp_path, path, word="--secret-file"):
    ended = run("login-example", *ANYWHERE, "--secret-file", str(path))
    assert ended.returncode == 2 and ended.stdout == "", ended
    assert ended.stderr.count("\n") == 1 and str(path) in ended.stderr and word in ended.stderr, ended


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620, 0o602, 0o666])
def test_secret_file_that_others_may_read_or_write_is_one_line(tmp_path, mode):
    assert_refused(tmp_path, secret_file(tmp_path, SECRET.encode(), mode), "chmod 600")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_secret_file_of_another_user_is_one_line(tmp_path):
    path = secret_file(tmp_path, SECRET.encode())
    os.chown(path, 12345, 12345)
    assert_refused(tmp_path, path)


@pytest.mark.parametrize("put", [lambda path: None, Path.mkdir, os.mkfifo])
def test_what_is_no_secret_file_is_one_line(tmp_path, put):
    put(tmp_path / "nothing")
    assert_refused(tmp_path, tmp_path / "nothing")


def test_hello_has_no_secret():
    for option in ("--secret", "--secret-file"):
        ended = run("hello-example", *ANYWHERE, option, "x")
        assert ended.returncode == 2 and "not an option" in ended.stderr, ended


# Secrets that everybody knows ---------------------------------------------------------------------

@pytest.mark.parametrize("where", ["0.0.0.0:0", "[::]:0", ":0"])
@pytest.mark.parametrize("arguments", [(), ("--secret", "top-secret!"), ("--secret", "top-secret")])
def test_published_secret_is_refused_beyond_this_machine(arguments, where):
    ended = run("login-example", "--listen", where, *arguments)
    assert ended.returncode in (1, 2) and ended.stdout == "", ended
    assert ended.stderr.startswith("login-example: ") and ended.stderr.count("\n") == 1, ended
    if where[0] != ":" and "cannot listen" not in ended.stderr:
        assert "published" in ended.stderr and "--secret-file" in ended.stderr, ended


@pytest.mark.parametrize("where", ["127.0.0.1:0", "127.1.2.3:0", "localhost:0"])
def test_published_secret_is_said_on_this_machine(where):
    program = Program.start("login-example", "--listen", where)
    try:
        # The line may come after the one with the address.
        program.wait_for("published")
        told = lines(program)
        assert len(told) == 1 and "published" in told[0] and "--secret-file" in told[0], told
        program.stop()
    finally:
        program.kill()


def test_secret_of_ones_own_is_used_beyond_this_machine(tmp_path):
    path = secret_file(tmp_path, SECRET.encode())
    program = Program.start("login-example", "--listen", "0.0.0.0:0", "--secret-file", str(path))
    assert lines(program) == []
    program.stop()


def test_panel_has_a_secret_of_its_own(tmp_path):
    panel = Panel(tmp_path / "data")
    assert lines(panel.program) == []
    panel.stop()
