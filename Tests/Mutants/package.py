"""A copy of the package to change, build and test; the user's tree is only read."""

import os
import resource
import shutil
import signal
import subprocess
import time
from pathlib import Path

COPIED = ("Package.swift", "Sources", "Tests")
# The product of all tests alone; --build-tests would link the programs as well.
BUILD = ("swift", "build", "--product", "martletPackageTests")
TEST = ("swift", "test", "--skip-build", "--no-parallel", "--disable-xctest")
# What Swift Testing writes when an expectation is not met: the first is enough, so the rest is not run.
ISSUE = "\u2718 Test ".encode()
BUILD_SECONDS_MAX = 1800
MEMORY_MAX = 4 << 30


def listed(root):
    """The files of the tree that git knows or would take, so that no build products are copied."""
    names = subprocess.run(
        ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *COPIED),
        cwd=root, check=True, capture_output=True).stdout.decode()
    return sorted({name for name in names.split("\0") if name and (root / name).is_file()})


def update(root, copy):
    """Makes the copy's files those of the tree; what is the same keeps its time, so it is not built anew."""
    names = listed(root)
    for name in names:
        source, target = root / name, copy / name
        if target.is_file() and target.read_bytes() == source.read_bytes():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    wanted = set(names)
    for folder in COPIED:
        for file in (copy / folder).rglob("*") if (copy / folder).is_dir() else ():
            if file.is_file() and file.relative_to(copy).as_posix() not in wanted:
                file.unlink()


def limited():
    """A change may let a program take memory without end."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MAX, MEMORY_MAX))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def members(session):
    """The processes of a session (proc(5): the fourth field after the name)."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(stat.read_text(errors="replace").rpartition(")")[2].split()[3]) == session:
                yield int(stat.parent.name)
        except OSError:
            pass


def ended(process, seconds, log, size, sign):
    """Waits until the process ends: its status; 1 as soon as the log has `sign` behind `size` octets."""
    if sign is None:
        return process.wait(seconds)
    end = time.monotonic() + seconds
    with log.open("rb") as text:
        text.seek(size)
        # A line may be half written, so the end of what was read is looked at again.
        seen = b""
        while True:
            try:
                status = process.wait(0.1)
            except subprocess.TimeoutExpired:
                status = None
            seen = seen[-len(sign):] + text.read()
            if sign in seen:
                return 1
            if status is not None:
                return status
            if time.monotonic() >= end:
                raise subprocess.TimeoutExpired(process.args, seconds)


def run(command, folder, log, seconds, before=None, sign=None):
    """Runs a command in a session of its own, and ends all processes of the session when time is up, or
    when the log has `sign`.

    Returns the status, None where time was up, 1 for the sign.
    """
    environment = dict(os.environ, SWIFT_BACKTRACE="enable=no")
    temporary = folder.parent / "tmp"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    environment["TMPDIR"] = str(temporary)
    size = log.stat().st_size if log.exists() else 0
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            start_new_session=True, env=environment, preexec_fn=before)
        try:
            return ended(process, seconds, log, size, sign)
        except subprocess.TimeoutExpired:
            return None
        finally:
            # `swift test` gives the tests a group of their own, so the session is what they have in common.
            for member in members(process.pid):
                try:
                    os.kill(member, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            process.wait()


class Package:
    def __init__(self, folder, log):
        self.folder = folder
        self.log = log
        self.limits = {}

    def builds(self):
        status = run(BUILD, self.folder, self.log, BUILD_SECONDS_MAX)
        if status is None:
            raise TimeoutError(f"a build did not end within {BUILD_SECONDS_MAX} s")
        return status == 0

    def passes(self, tests, without=None):
        """Whether the tests pass, within three times of what they took unchanged.

        The first that fails ends the rest. `without` names tests that have passed already.
        """
        command = TEST if tests is None else (*TEST, "--filter", tests)
        if without is not None:
            command = (*command, "--skip", without)
        status = run(command, self.folder, self.log, self.limits.get(tests, 600), limited, ISSUE)
        return status == 0

    def measure(self, tests):
        """Runs the unchanged tests, for the time that they take; they must pass, and there must be some."""
        started, size = time.monotonic(), self.log.stat().st_size if self.log.exists() else 0
        if not self.passes(tests):
            return False
        self.limits[tests] = max(30, 3 * (time.monotonic() - started))
        with self.log.open("rb") as log:
            log.seek(size)
            return b"Test run with 0 tests" not in log.read()
