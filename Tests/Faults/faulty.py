"""A panel whose system calls are made to fail: the library of Tests/CFaults under the whole program.

MARTLET_BIN is the folder of programs that use the system's C library (scripts/build debian-amd64);
MARTLET_FAULTS_LIBRARY is the library. A plan is what faults.h says, "fsync:3:EIO".
"""

import ctypes
import functools
import hashlib
import os
import re
import resource
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from client import PanelVisitor, request
from program import PROGRAMS, STYLE, command_of

LIBRARY = os.environ.get("MARTLET_FAULTS_LIBRARY", "")
PATIENCE = 10.0
NAME = "admin"
OLD, NEW = "the old password", "the new password"


def table():
    """What can go wrong in each call: {name: [fault, …]}."""
    library = ctypes.CDLL(LIBRARY)
    library.faults_calls.restype = library.faults_of.restype = ctypes.c_char_p
    names = library.faults_calls().decode().split()
    return {name: library.faults_of(name.encode()).decode().split() for name in names}


@dataclass
class Call:
    """One line of the list of calls."""

    name: str
    position: int
    descriptor: int
    result: int
    error: int
    is_injected: bool
    path: str

    @classmethod
    def parse(cls, line):
        name, *numbers, path = line.split(" ", 6)
        position, descriptor, result, error, is_injected = map(int, numbers)
        return cls(name, position, descriptor, result, error, bool(is_injected), path)


class Panel:
    """A panel that has begun to start; it may have ended again."""

    def __init__(self, data, plan="", limit=None, is_faulty=True):
        self.data = Path(data)
        self.plan = plan
        self.log = tempfile.NamedTemporaryFile(prefix="martlet-calls-")
        self.output = tempfile.TemporaryFile("w+b")
        self.complaints = tempfile.TemporaryFile("w+b")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = free.getsockname()
        environment = dict(os.environ)
        if is_faulty:
            environment |= {"LD_PRELOAD": LIBRARY, "MARTLET_FAULTS": plan,
                            "MARTLET_FAULTS_LOG": self.log.name}
        self.process = subprocess.Popen(
            [*command_of("martlet-panel"), "--listen", "127.0.0.1:%d" % self.address[1], "--data",
             str(data)],
            stdin=subprocess.DEVNULL, stdout=self.output, stderr=self.complaints, env=environment,
            preexec_fn=None if limit is None else lambda: resource.setrlimit(
                resource.RLIMIT_NOFILE, (limit, limit)))
        self.is_serving = self.comes_up()

    def comes_up(self):
        """Whether it serves. It listens before it reads its files, so only an answer tells; and what
        it prints does not, because that may be what fails."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and self.process.poll() is None:
            try:
                with socket.create_connection(self.address, timeout=PATIENCE) as probe:
                    probe.sendall(request("GET", STYLE, [("Connection", "close")]))
                    if probe.recv(12) == b"HTTP/1.1 200":
                        while probe.recv(65536):
                            pass
                        return True
            except OSError:
                time.sleep(0.002)
        if self.process.poll() is None:
            self.kill()
            raise AssertionError(f"neither up nor ended\n{self.told}")
        return False

    @staticmethod
    def text(stream):
        return os.pread(stream.fileno(), 1 << 20, 0).decode("utf-8", "replace")

    @property
    def complaint(self):
        """What stands on standard error, without the log lines that tell of nothing wrong."""
        lines = self.text(self.complaints).splitlines(keepends=True)
        return "".join(line for line in lines if not re.match(r"time=\S+ level=(?!error)", line))

    @property
    def calls(self):
        return [Call.parse(line) for line in Path(self.log.name).read_text("utf-8").splitlines()]

    @property
    def told(self):
        injected = [call for call in self.calls if call.is_injected]
        return (f"  plan {self.plan!r}, status {self.process.poll()}\n"
                f"  printed {self.text(self.output)!r}\n  complained {self.complaint!r}\n"
                f"  happened {injected[:5]}")

    @property
    def code(self):
        """The set-up code, or None."""
        text = self.text(self.output)
        return text.partition("set-up code: ")[2].split("\n")[0] or None

    def visitor(self, **cookies):
        return PanelVisitor(self.address, PATIENCE, **cookies)

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def assert_at_rest(self):
        """Open are the standard streams, listener, signals, directory, lock, the list of calls; SIGHUP, what
        gathers it and the listener, and the directory of certificates."""
        end = time.monotonic() + 1
        while self.descriptors() != 11 and time.monotonic() < end:
            time.sleep(0.002)
        assert self.descriptors() == 11, f"{self.descriptors()} descriptors are open\n{self.told}"

    def cpu_seconds(self):
        """What the process has cost so far, its own and the kernel's work for it."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text("ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def stop(self):
        """Ends it; in good order, or it has crashed."""
        assert self.process.poll() is None, f"it has ended by itself\n{self.told}"
        self.process.terminate()
        try:
            status = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"it does not stop\n{self.told}") from None
        assert status == 0, f"it ended with {status}\n{self.told}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()


def hashed(password, iterations=20_000):
    """As an account has it: with the fewest iterations that the panel leaves as they are. With the
    library of Tests/CFaults it takes the machine for one that deserves no more."""
    salt = hashlib.sha256(password.encode()).digest()[:16]
    key = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, iterations)
    return f"pbkdf2-hmac-sha256:{salt.hex()}:{iterations}:{key.hex()}"


def accounts_text(password, generation=1):
    """The whole file of accounts, see Sources/Panel/Accounts.swift."""
    lines = f"martlet-accounts 2\n{NAME}:{generation}:{hashed(password)}\n"
    return lines + f"sha256 {hashlib.sha256(lines.encode()).hexdigest()}\n"


def read_lines(octets):
    """The lines of a file of the panel's, or None where it is not whole."""
    text = octets.decode("ascii", "replace")
    body, separator, digest = text.rpartition("sha256 ")
    if not separator or digest != hashlib.sha256(body.encode()).hexdigest() + "\n":
        return None
    return body.splitlines() if body.endswith("\n") else None


def read_accounts(octets):
    """(hash, generation) of the one account of a file, or None where it is not whole."""
    lines = read_lines(octets)
    if lines is None or len(lines) != 2 or lines[0] != "martlet-accounts 2":
        return None
    _, generation, password = lines[1].split(":", 2)
    return password, generation


def read_sessions(octets, generation):
    """[session, …] of a generation, or None where the file is not whole."""
    lines = read_lines(octets)
    if lines is None or lines[0] != "martlet-sessions 1":
        return None
    fields = [line.split(" ") for line in lines[2:]]
    return [number for own, number, *_ in fields if own == generation]


def prepare(data, password=OLD):
    """A data directory as a panel that has been set up leaves it."""
    data = Path(data)
    data.mkdir(0o700)
    write(data / "secret", "0f" * 32 + "\n")
    for name in ("accounts", "accounts.old"):
        write(data / name, accounts_text(password))
    for name, text in certificates().items():
        write(data / name, text)
    return data


# What the panel makes for TLS at its first start.
CERTIFICATES = ["authority.pem", "tls.crt", "tls.key"]


@functools.cache
def certificates():
    """The texts of these files, as a panel has left them."""
    with tempfile.TemporaryDirectory(prefix="martlet-certificates-") as data:
        with Panel(data, is_faulty=False) as panel:
            panel.stop()
        return {name: (Path(data) / name).read_text("ascii") for name in CERTIFICATES}


def write(path, text):
    """Writes a file for its owner alone, as the panel does."""
    path.write_text(text)
    path.chmod(0o600)


# What is in the directory of a panel that has been set up.
FILES = sorted(["accounts", "accounts.old", "secret", "sessions", *CERTIFICATES])


def names(data):
    """The files that hold something: all but the lock."""
    return sorted({*os.listdir(data)} - {"lock"}) if os.path.isdir(data) else []


def log_in(panel, password):
    """A visitor who has tried to log in, and the answer."""
    visitor = panel.visitor()
    return visitor, visitor.post("/login", {"username": NAME, "password": password})


def change_password(visitor, current, new):
    return visitor.post("/password", {"current": current, "password": new, "password_again": new})


def is_in(visitor):
    return visitor.get("/").status == 200
