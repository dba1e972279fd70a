"""Starts one of the programs under test, waits for the line that it prints, and ends it.

The folder of the programs is MARTLET_BIN, what `scripts/build` fills; MARTLET_RUN is what runs them,
an emulator with its arguments where they are not for this machine. MARTLET_SANITIZED says that they
are built with sanitizers, whose memory is not the programs' (scripts/sanitize). The panel hashes passwords
with as few iterations as it ever does; tests that are about the time pass --hash-time again, and
MARTLET_HASH_TIME= leaves the option out, for programs from before it.
"""

import functools
import hashlib
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PROGRAMS = Path(os.environ.get("MARTLET_BIN") or REPOSITORY / ".build" / "boards" / "x86-64")
RUN = shlex.split(os.environ.get("MARTLET_RUN", ""))
SANITIZED = bool(os.environ.get("MARTLET_SANITIZED"))
HASH_TIME = os.environ.get("MARTLET_HASH_TIME", "1")
USUAL_HASH_TIME = ("--hash-time", "300") if HASH_TIME else ()
LISTENING = re.compile(r"https?://(\[[0-9A-Fa-f:.]+\]|[0-9.]+):([0-9]+)")
START_PATIENCE = 10.0
STOP_PATIENCE = 10.0


def packed_asset(name):
    """The path of a file of the panel's folder PackedAssets, which has a hash of the content."""
    octets = (REPOSITORY / "Sources" / "Panel" / "PackedAssets" / name).read_bytes()
    stem, _, suffix = name.rpartition(".")
    return f"/assets/{stem}-{hashlib.sha256(octets).hexdigest()[:8]}.{suffix}"


STYLE, SCRIPT = packed_asset("panel.css"), packed_asset("panel.js")


def command_of(name):
    """What runs a program; a path stays what it is."""
    path = PROGRAMS / name
    assert path.is_file(), (f"{path} is missing: build the programs first (scripts/build --examples) or name "
                            f"their folder in MARTLET_BIN")
    quick = ["--hash-time", HASH_TIME] if HASH_TIME and name == "martlet-panel" else []
    return [*RUN, str(path), *quick]


@functools.cache
def room():
    """How many connections the programs have slots for, as the panel's own table says."""
    return int(re.search(r"Connections\n +at a time +([0-9]+)", run("martlet-panel", "--limits").stdout)[1])


@functools.cache
def password_places():
    """How many passwords of one network can be hashed, or wait for it, at a time."""
    limits = run("martlet-panel", "--limits").stdout
    hashed, waiting = (int(re.search(rf"{name} +([0-9]+)", limits)[1])
                       for name in ("passwords hashed at a time", "waiting for that"))
    # One place is kept for a login that is known.
    return hashed - 1 + waiting // 2


def run(name, *arguments, within=10.0, before=()):
    """Runs a program that is expected to end by itself."""
    command = [*before, *command_of(name), *arguments]
    try:
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              errors="replace", timeout=within, check=False)
    except subprocess.TimeoutExpired as late:
        raise AssertionError(f"{' '.join(command)} did not end within {within} s; it printed "
                             f"{late.stdout!r} and {late.stderr!r}") from None


class Program:
    """A running server. `address` is what it listens on, as its own line says."""

    def __init__(self, command, label=None, umask=-1, cwd=None):
        self.command = command
        self.label = label or os.path.basename(command[0])
        self.printed = tempfile.TemporaryFile("w+b")
        self.complained = tempfile.TemporaryFile("w+b")
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.printed,
                                        stderr=self.complained, umask=umask, cwd=cwd)
        matched = self.wait_for(LISTENING)
        self.address = (matched[1].strip("[]"), int(matched[2]))

    @classmethod
    def start(cls, name, *arguments, **options):
        return cls([*command_of(name), *arguments], name, **options)

    @classmethod
    def start_python(cls, script, *arguments):
        return cls([sys.executable, str(Path(__file__).with_name(script)), *arguments], script)

    @property
    def pid(self):
        return self.process.pid

    @property
    def is_running(self):
        return self.process.poll() is None

    def output(self):
        """Everything printed so far, standard output first."""
        text = ""
        for stream in (self.printed, self.complained):
            size = os.fstat(stream.fileno()).st_size
            text += os.pread(stream.fileno(), size, 0).decode("utf-8", "replace")
        return text

    def wait_for(self, pattern, within=START_PATIENCE):
        """Waits until something printed matches; ends the program where nothing does."""
        end = time.monotonic() + within
        while time.monotonic() < end:
            matched = re.search(pattern, self.output())
            if matched:
                return matched
            if not self.is_running:
                break
            time.sleep(0.005)
        status = self.process.poll()
        self.kill()
        raise AssertionError(f"{self.label} printed nothing like {pattern!r} within {within} s; "
                             f"exit status {status}, printed: {self.output()!r}")

    def send_signal(self, number):
        self.process.send_signal(number)

    def wait(self, within=STOP_PATIENCE):
        try:
            return self.process.wait(within)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.label} was still running {within} s after the signal; "
                                 f"printed: {self.output()!r}") from None

    def stop(self, number=signal.SIGTERM, within=STOP_PATIENCE):
        """Ends the program and asserts that it ended in good order."""
        assert self.is_running, (f"{self.label} ended by itself with {self.process.returncode}; "
                                 f"printed: {self.output()!r}")
        self.send_signal(number)
        status = self.wait(within)
        assert status == 0, (f"{self.label} ended with {status} after signal {number}; "
                             f"printed: {self.output()!r}")

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def memory(self):
        """(resident, anonymous) in KiB, counted page by page."""
        with open(f"/proc/{self.pid}/smaps_rollup", encoding="ascii") as lines:
            sizes = dict(re.findall(r"^(\w+): +([0-9]+) kB$", lines.read(), re.MULTILINE))
        return int(sizes["Rss"]), int(sizes["Anonymous"])

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def settled_descriptors(self):
        """How many there are once none has come or gone for a moment: connections that have ended linger."""
        end, last, since = time.monotonic() + 5, None, 0.0
        while time.monotonic() < end:
            count = self.descriptors()
            if count != last:
                last, since = count, time.monotonic()
            elif time.monotonic() - since > 0.3:
                break
            time.sleep(0.01)
        return last


def running(program):
    """Hands a program out and ends it, in good order or not at all."""
    try:
        yield program
    except BaseException:
        program.kill()
        raise
    program.stop()
