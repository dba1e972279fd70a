"""Machines for the tests: Debian, or BusyBox alone, in namespaces of their own on this kernel.

A base system is made once with debootstrap, from the archive that apt uses here, and kept in
.build/package-roots; a machine is an overlay on it that is gone with the test. It has its own
processes, users and network; nothing of it is left when it ends. Needs root.
"""

import contextlib
import ctypes
import fcntl
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
ROOTS = REPOSITORY / ".build" / "package-roots"
ARCHIVE_FAILS = "Couldn.t download|Failed getting|Invalid Release|couldn.t be downloaded"
RELEASE = "bookworm"

# What the systems hold beside Debian's minimum.
SYSTEMD = ("systemd-sysv", "openssh-server", "sudo", "adduser", "libmbedtls14")
SMALL = ("adduser", "openrc", "busybox", "dropbear-bin")
FOREIGN = ("systemd-sysv", "adduser", "libmbedtls14")

QEMU = {"arm64": "/usr/bin/qemu-aarch64-static"}
BINFMT = {
    "arm64": r"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00:"
             r"\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff",
}

CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)


def archive():
    """Where apt gets Debian from."""
    told = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI) $(CODENAME) $(ORIGIN)",
         "Identifier: Packages"], capture_output=True, text=True, check=True).stdout
    for line in told.splitlines():
        uri, *rest = line.split()
        if rest == [RELEASE, "Debian"]:
            return uri
    return "http://deb.debian.org/debian"


def scratch(prefix):
    """A new folder beside the base systems, on a file system that can be an overlay's."""
    ROOTS.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(dir=ROOTS, prefix=prefix))


def root(name, arch, packages):
    """The folder of a base system; made when it is not there yet."""
    folder = ROOTS / f"{RELEASE}-{arch}-{name}"
    stamp = folder.with_suffix(".packages")
    wanted = " ".join(packages)
    if stamp.is_file() and stamp.read_text() == wanted:
        return folder
    print(f"\nMaking Debian {RELEASE} for {arch} ({name}) with debootstrap, some minutes …",
          flush=True)
    stamp.unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    ROOTS.mkdir(parents=True, exist_ok=True)
    command = ["debootstrap", f"--arch={arch}", "--variant=minbase",
               f"--include={','.join(packages)}", RELEASE, str(folder), archive()]
    with emulated(arch):
        made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode != 0 and re.search(ARCHIVE_FAILS, made.stdout + made.stderr):
        pytest.skip(f"Debian's archive did not answer as it should:\n{made.stdout[-500:]}")
    assert made.returncode == 0, f"{' '.join(command)}:\n{made.stdout[-3000:]}{made.stderr[-3000:]}"
    for package in (folder / "var/cache/apt/archives").glob("*.deb"):
        package.unlink()
    stamp.write_text(wanted)
    return folder


@contextlib.contextmanager
def emulated(arch):
    """While it is open, this kernel runs programs of that architecture under QEMU."""
    if arch not in QEMU:
        yield
        return
    name = f"martlet-{arch}-{os.getpid()}"
    place = tempfile.mkdtemp()
    subprocess.run(["mount", "-t", "binfmt_misc", "none", place], check=True)
    try:
        # F: the kernel opens QEMU now, so it need not be in the chroot.
        with open(f"{place}/register", "w", encoding="ascii") as register:
            register.write(f":{name}:M::{BINFMT[arch]}:{QEMU[arch]}:F")
        yield
        with open(f"{place}/{name}", "w", encoding="ascii") as entry:
            entry.write("-1")
    finally:
        subprocess.run(["umount", place], check=True)
        os.rmdir(place)


class Machine:
    """A running machine. `boot` starts its own init; otherwise only a process that waits is there.

    `kind`: "chroot" (no init), "systemd" (booted with systemd-nspawn), "busybox" (BusyBox's init).
    """

    def __init__(self, base, kind="chroot"):
        self.base, self.kind = Path(base), kind
        # What Debian's init scripts go by where no systemd runs: without a runlevel, none is started.
        self.environment = {} if kind == "systemd" else {"RUNLEVEL": "2", "PREVLEVEL": "N"}
        self.scratch = scratch("machine-")
        self.root = self.scratch / "root"
        for name in ("upper", "work", "root"):
            (self.scratch / name).mkdir()
        self.log = open(self.scratch / "log", "w+b")
        mount = (f"mount -t overlay -o lowerdir={self.base},upperdir={self.scratch}/upper,"
                 f"workdir={self.scratch}/work overlay {self.root} && ")
        if kind == "systemd":
            start = (f"exec systemd-nspawn --quiet --register=no --keep-unit --private-network "
                     f"--link-journal=no --boot --directory={self.root} --console=interactive")
            command = ["unshare", "--mount", "sh", "-c", mount + start]
        else:
            init = ("/sbin/init" if kind == "busybox" else
                    "sh -c 'while :; do sleep 1000 & wait $!; done'")
            prepare = (f"mount -t proc proc {self.root}/proc && mount --rbind -o ro /sys "
                       f"{self.root}/sys && mount -t tmpfs -o mode=755 tmpfs {self.root}/run && "
                       f"mount -t devpts -o newinstance,ptmxmode=666 devpts {self.root}/dev/pts && "
                       f"exec chroot {self.root} {init}")
            command = ["unshare", "--mount", "--pid", "--net", "--ipc", "--uts", "--fork",
                       "--kill-child", "sh", "-c", mount + prepare]
        # Nothing of it outlives the tests, however they end.
        command = ["setpriv", "--pdeathsig", "KILL", *command]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, cwd="/", stdout=self.log,
                                        stderr=self.log)
        try:
            self.pid = self._first_process()
            self._loopback_up()
            if kind == "systemd":
                self.wait_for("systemctl is-system-running --wait | grep -qE 'running|degraded'")
        except BaseException:
            self.close()
            raise

    def _first_process(self):
        """Our number of the machine's process 1, once it has become what it is to be."""
        end = time.monotonic() + 20
        while time.monotonic() < end and self.process.poll() is None:
            for child in self._descendants(self.process.pid):
                with contextlib.suppress(OSError):
                    status = Path(f"/proc/{child}/status").read_text(encoding="ascii")
                    numbers = re.search(r"^NSpid:\s+(.*)$", status, re.MULTILINE)[1].split()
                    is_inside = not os.path.samefile(f"/proc/{child}/root", "/")
                    if len(numbers) > 1 and numbers[-1] == "1" and is_inside:
                        return child
            time.sleep(0.05)
        raise AssertionError(f"the machine does not start: {self.printed()}")

    @classmethod
    def _descendants(cls, pid):
        with contextlib.suppress(OSError):
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
            for child in map(int, children.split()):
                yield child
                yield from cls._descendants(child)

    def _loopback_up(self):
        def raise_it():
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
                flags = struct.pack("16sh14x", b"lo", 0x1 | 0x40)  # up, running
                fcntl.ioctl(any_socket, 0x8914, flags)  # SIOCSIFFLAGS
        self.in_network(raise_it)

    def in_network(self, work):
        """Does something in the machine's network, in a thread of its own."""
        result = []

        def enter():
            try:
                with open(f"/proc/{self.pid}/ns/net", "rb") as network:
                    if LIBC.setns(network.fileno(), CLONE_NEWNET) != 0:
                        raise OSError(ctypes.get_errno(), "setns")
                result.append((work(), None))
            except BaseException as error:  # Raised again by the caller's thread.
                result.append((None, error))
        thread = threading.Thread(target=enter)
        thread.start()
        thread.join()
        value, error = result[0]
        if error:
            raise error
        return value

    def connect(self, port, timeout=30):
        """A socket to a port of the machine."""
        return self.in_network(lambda: socket.create_connection(("127.0.0.1", port), timeout))

    def enter(self, *command):
        """The command line that runs a command in the machine."""
        return ["nsenter", "--all", "--root", "--wd", f"--target={self.pid}", *command]

    def run(self, script, check=True, **options):
        """Runs a shell script in the machine, as root."""
        path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        done = subprocess.run(
            self.enter("/bin/sh", "-c", script), stdin=subprocess.DEVNULL, capture_output=True,
            text=True, errors="replace", timeout=240, check=False,
            cwd="/", env={"PATH": path, "HOME": "/root", "LC_ALL": "C",
                          "DEBIAN_FRONTEND": "noninteractive", **self.environment}, **options)
        assert not check or done.returncode == 0, (
            f"{script!r} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done

    def told(self, script):
        return self.run(script).stdout.strip()

    def wait_for(self, script, within=30):
        end = time.monotonic() + within
        while self.run(script, check=False).returncode != 0:
            assert time.monotonic() < end, f"not within {within} s: {script!r}; {self.printed()}"
            time.sleep(0.1)

    def put(self, source, target):
        """Copies a file into the machine."""
        with open(source, "rb") as octets:
            subprocess.run(self.enter("/bin/sh", "-c", f"cat >{target}"), stdin=octets, check=True)

    def files(self):
        """Every path of the machine with its kind, mode, owner and, of links, target."""
        listed = self.told(
            r"find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /run -o -path /tmp "
            r"-o -path /root \) -prune -o -printf '%p %y %m %u %g %l\n'")
        return set(listed.splitlines())

    def printed(self):
        size = os.fstat(self.log.fileno()).st_size
        return os.pread(self.log.fileno(), size, 0).decode("utf-8", "replace")[-3000:]

    def close(self):
        for child in [*self._descendants(self.process.pid), self.process.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        self.process.wait()
        self.log.close()
        shutil.rmtree(self.scratch, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
