"""A memory limit as a service manager sets one: a cgroup of the second version, or of the first."""

import os
import signal
import subprocess
import time
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")


class Version2:
    """Socket buffers count as the group's memory, and beyond the limit a process is killed."""

    place = ROOT

    @staticmethod
    def is_there():
        listed = ROOT / "cgroup.controllers"
        return listed.exists() and "memory" in listed.read_text().split()

    def limit(self, group, octets):
        (group / "memory.max").write_text(str(octets))
        if (group / "memory.swap.max").exists():
            (group / "memory.swap.max").write_text("0")

    def most(self, group):
        """The most that was used, if the kernel tells (Linux 5.19)."""
        peak = group / "memory.peak"
        return int((peak if peak.exists() else group / "memory.current").read_text())

    def killed(self, group):
        events = dict(line.split() for line in (group / "memory.events").read_text().splitlines())
        return int(events["oom_kill"])


class Version1:
    """Socket buffers are counted apart, once they have a limit of their own: the sum is looked at."""

    place = ROOT / "memory"

    @classmethod
    def is_there(cls):
        return (cls.place / "memory.kmem.tcp.limit_in_bytes").exists()

    def limit(self, group, octets):
        (group / "memory.limit_in_bytes").write_text(str(octets))
        # Far more, because here the kernel would keep to it, and nothing would be shown.
        (group / "memory.kmem.tcp.limit_in_bytes").write_text(str(octets * 64))

    def most(self, group):
        return sum(int((group / f"memory.{name}max_usage_in_bytes").read_text())
                   for name in ("", "kmem.tcp."))

    def killed(self, group):
        control = dict(line.split() for line in
                       (group / "memory.oom_control").read_text().splitlines())
        return int(control.get("oom_kill", 0))


class MemoryLimit:
    """A group of processes with a memory limit; `enter` is what a new process calls."""

    def __init__(self, octets):
        self.version = Version2() if Version2.is_there() else Version1()
        self.group = self.version.place / f"martlet-load-{os.getpid()}-{time.monotonic_ns()}"
        self.group.mkdir()
        self.version.limit(self.group, octets)

    @property
    def command(self):
        """What starts a program in the group."""
        return ("sh", "-c", f'echo $$ >"{self.group}/cgroup.procs" && exec "$@"', "sh")

    @property
    def most(self):
        return self.version.most(self.group)

    @property
    def killed(self):
        return self.version.killed(self.group)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for _ in range(100):
            left = (self.group / "cgroup.procs").read_text().split()
            for process in left:
                os.kill(int(process), signal.SIGKILL)
            try:
                self.group.rmdir()
                return
            except OSError:
                time.sleep(0.05)


def why_not():
    """Why there is no memory limit here, or `None`."""
    if os.geteuid() != 0:
        return "only root makes a cgroup"
    if not (Version2.is_there() or Version1.is_there()):
        return "this kernel has no memory cgroups"
    try:
        with MemoryLimit(64 << 20) as limit:
            subprocess.run([*limit.command, "true"], check=True)
    except (OSError, subprocess.CalledProcessError) as problem:
        return f"no cgroups here: {problem}"
    return None
