"""The panel as the first process of a container that stands for a system: own processes, mounts,
network and host name, nothing but /init in its root folder."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = Path(os.environ.get("MARTLET_BIN") or ROOT / ".build" / "boards" / "x86-64")
PANEL = PROGRAMS / "martlet-panel"
CONTAINER = ["unshare", "--fork", "--pid", "--mount", "--net", "--uts"]
# What the kernel does in a system: memory for the root folder, an interface, its command line.
PREPARE = """
set -e
mount -t tmpfs -o size=4m tmpfs "$1"
cp "$2" "$1/$3"
mkdir "$1/proc" "$1/modules"
mount -t proc proc "$1/proc"
printf '%s\\n' "$4" >"$1/cmdline"
mount --bind "$1/cmdline" "$1/proc/cmdline"
[ -z "$5" ] || printf "$5" >"$1/modules/list"
ip link add peer0 type veth peer name eth0
ip link set peer0 up
name=$3 root=$1
shift 5
[ -z "$NO_CONSOLE" ] || exec <&- >&- 2>&-
exec unshare --root="$root" "/$name" "$@"
"""


def why_not():
    if os.environ.get("MARTLET_RUN"):
        return "an emulated program cannot be the first process of a container here"
    if not shutil.which("ip"):
        return "there is no ip (package iproute2)"
    tried = subprocess.run([*CONTAINER, "mount", "-t", "tmpfs", "tmpfs", "/mnt"],
                           capture_output=True, text=True, check=False)
    return f"no containers here: {tried.stderr.strip()}" if tried.returncode else None


@pytest.fixture(scope="session", autouse=True)
def containers():
    reason = why_not()
    if reason:
        pytest.skip(reason)


class System:
    def __init__(self, root, line="ip=10.9.9.1::10.9.9.2:255.255.255.0:board", *arguments,
                 name="init", modules="", has_console=True):
        self.output = root.with_suffix(".log").open("w+b")
        root.mkdir()
        self.process = subprocess.Popen(
            [*CONTAINER, "bash", "-c", PREPARE, "prepare", root, PANEL, name, line, modules,
             *arguments], stdin=subprocess.DEVNULL, stdout=self.output, stderr=subprocess.STDOUT,
            env={**os.environ, "NO_CONSOLE": "" if has_console else "1"})

    @property
    def console(self):
        size = os.fstat(self.output.fileno()).st_size
        return os.pread(self.output.fileno(), size, 0).decode()

    def wait_for(self, pattern, within=20.0):
        end = time.monotonic() + within
        while time.monotonic() < end:
            matched = re.search(pattern, self.console)
            if matched:
                return matched
            status = self.process.poll()
            assert status is None, f"ended with {status}:\n{self.console}"
            time.sleep(0.01)
        raise AssertionError(f"nothing like {pattern!r} within {within} s:\n{self.console}")

    @property
    def pid(self):
        """The first process, as this machine numbers it: the only child of unshare."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        end = time.monotonic() + 10
        while not children.read_text() and time.monotonic() < end:
            time.sleep(0.01)
        return int(children.read_text().split()[0])

    def inside(self, *command, within=20.0, parts=("--net", "--uts")):
        """Runs a program of this machine in the container, with this machine's files.

        Not among its processes, unless asked for: those end with the first one.
        """
        return subprocess.run(
            ["nsenter", f"--target={self.pid}", *parts, *command],
            capture_output=True, text=True, timeout=within, check=False)

    def curl(self, path, *arguments, scheme="https"):
        """(status, text) of an answer. The certificate is not verified."""
        ran = self.inside("curl", "--silent", "--show-error", "--insecure", "--max-time", "10",
                          "--write-out", "%{stderr}%{http_code}", *arguments,
                          f"{scheme}://10.9.9.1{path}")
        assert ran.returncode == 0, f"{ran.stderr}\n{self.console}"
        return int(ran.stderr), ran.stdout

    def mounts(self):
        lines = Path(f"/proc/{self.pid}/mounts").read_text().splitlines()
        return {line.split()[1]: (line.split()[2], line.split()[3]) for line in lines}

    def end(self):
        """How the first process has ended: a container is powered off with SIGINT."""
        return self.process.wait(20)

    def kill(self):
        if self.process.poll() is None:
            subprocess.run(["kill", "-KILL", str(self.pid)], check=False)
            self.process.wait(10)


@pytest.fixture
def start(tmp_path):
    systems = []

    def start(*arguments, **options):
        systems.append(System(tmp_path / f"root{len(systems)}", *arguments, **options))
        return systems[-1]

    yield start
    for system in systems:
        system.kill()


POWERED_OFF = -signal.SIGINT
