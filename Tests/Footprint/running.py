"""Starts a program the same way each time and reads its memory.

The environment is empty and addresses are not randomised, so that figures repeat.
"""

import ctypes
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import memory
from elf import read_elf

PATIENCE = 60.0
ADDR_NO_RANDOMIZE = 0x0040000
C_LIBRARY = ctypes.CDLL(None)


def without_randomisation():
    C_LIBRARY.personality(ADDR_NO_RANDOMIZE)


class Program:
    """A server that prints where it listens, or that listens on the port given.

    A program is started by its bare name in its folder: its path lies on the stack, so that a
    longer one would be a larger footprint.
    """
    def __init__(self, path, arguments, qemu=(), port=None, environment=None):
        self.log = tempfile.NamedTemporaryFile("w+", prefix="footprint-", suffix=".qemu")
        self.printed = tempfile.TemporaryFile("w+")
        if qemu and not shutil.which(qemu[0]):
            raise RuntimeError(f"{qemu[0]} is missing; install the package qemu-user")
        emulation = [*qemu, "-d", "page", "-D", self.log.name] if qemu else []
        self.process = subprocess.Popen([*emulation, f"./{Path(path).name}", *map(str, arguments)],
                                        cwd=Path(path).parent,
                                        stdin=subprocess.DEVNULL,
                                        stdout=self.printed,
                                        stderr=subprocess.STDOUT,
                                        env=environment or {},
                                        preexec_fn=without_randomisation)
        try:
            self.port = port or int(self.wait_for(r"https?://127\.0\.0\.1:([0-9]+)")[1])
            self.emulator = os.readlink(f"/proc/{self.pid}/exe") if qemu else None
            if qemu:
                bits = read_elf(path).bits
                self.space = memory.guest_space(Path(self.log.name).read_text(), bits)
            else:
                self.space = memory.native_space(self.pid)
        except BaseException:
            self.kill()
            raise

    @property
    def pid(self):
        return self.process.pid

    def output(self):
        return os.pread(self.printed.fileno(), 65536, 0).decode("utf-8", "replace")

    def wait_for(self, pattern):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            matched = re.search(pattern, self.output())
            if matched:
                return matched
            if self.process.poll() is not None:
                break
            time.sleep(0.01)
        lines = self.output().strip().splitlines()
        raise RuntimeError(
            f"{self.process.args[0]} does not start: {lines[-1] if lines else 'silent'}")

    def rest(self):
        """Waits until the program waits for the next event, so that all its work is done."""
        end = time.monotonic() + PATIENCE
        calm = 0
        while calm < 3 and time.monotonic() < end:
            state = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0]
            calm = calm + 1 if state == "S" else 0
            time.sleep(0.01)

    def mappings(self):
        self.rest()
        return memory.own_mappings(self.pid, self.space, self.emulator)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.kill()
            raise RuntimeError(f"{self.process.args[0]} does not end on SIGTERM") from None
        self.log.close()
        return status

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.log.close()
