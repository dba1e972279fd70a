"""Devices to deploy to: with systemd and OpenSSH, with BusyBox alone and Dropbear, with OpenRC."""

import contextlib
import os
import re
import shutil
import subprocess
from pathlib import Path

from machine import SMALL, SYSTEMD, Machine, root, scratch

INITTAB = """\
::sysinit:/bin/mkdir -p /run /var/run /var/log /var/lib
::sysinit:/etc/init.d/rcS
::respawn:/usr/sbin/dropbear -F -E -R -p 127.0.0.1:22
"""

# As Buildroot's: every S script, in order.
RCS = """\
#!/bin/sh
for script in /etc/init.d/S??*; do
  [ ! -x "$script" ] || "$script" start
done
"""


def busybox_root(folder):
    """A system of BusyBox and Dropbear, and nothing else, from the Debian that has both."""
    small = root("small", "amd64", SMALL)
    for name in ("bin", "sbin", "usr/bin", "usr/sbin", "etc/init.d", "etc/dropbear", "proc", "sys",
                 "dev/pts", "run", "root/.ssh", "tmp", "var", "lib64", "lib/x86_64-linux-gnu"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    os.chmod(folder / "tmp", 0o1777)
    shutil.copy2(small / "bin/busybox", folder / "bin/busybox")
    shutil.copy2(small / "usr/sbin/dropbear", folder / "usr/sbin/dropbear")
    needed = subprocess.run(["chroot", str(small), "ldd", "/bin/busybox", "/usr/sbin/dropbear"],
                            text=True, capture_output=True, check=True).stdout
    for path in set(re.findall(r"(/lib\S+)", needed)):
        shutil.copy2(small / path[1:], folder / path[1:])
    subprocess.run(["chroot", str(folder), "/bin/busybox", "--install", "-s"], check=True)
    for name, text in {"inittab": INITTAB, "init.d/rcS": RCS, "group": "root:x:0:\n",
                       "passwd": "root:x:0:0:root:/root:/bin/sh\n",
                       "shadow": "root:*:0:0:99999:7:::\n"}.items():
        (folder / "etc" / name).write_text(text)
    (folder / "etc/init.d/rcS").chmod(0o755)
    for name, major, minor in (("null", 1, 3), ("zero", 1, 5), ("random", 1, 8),
                               ("urandom", 1, 9), ("tty", 5, 0), ("console", 5, 1)):
        with contextlib.suppress(FileExistsError):
            os.mknod(folder / "dev" / name, 0o20666, os.makedev(major, minor))
    return folder


class Device:
    """A machine with ssh, and how `scripts/deploy` reaches it."""

    def __init__(self, kind):
        self.kind = kind
        self.scratch = scratch("device-")
        key = self.scratch / "key"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
        self.config = self.scratch / "config"
        self.config.write_text(
            f"Host *\n IdentityFile {key}\n IdentitiesOnly yes\n StrictHostKeyChecking no\n"
            f" UserKnownHostsFile {self.scratch}/known\n LogLevel ERROR\n BatchMode yes\n")
        base = {"systemd": lambda: root("systemd", "amd64", SYSTEMD),
                "openrc": lambda: root("small", "amd64", SMALL),
                "busybox": lambda: busybox_root(self.scratch / "base")}[kind]()
        self.machine = Machine(base, "chroot" if kind == "openrc" else kind)
        public = key.with_suffix(".pub").read_text().strip()
        try:
            self.machine.run(
                f"umask 077; mkdir -p /root/.ssh; echo '{public}' >/root/.ssh/authorized_keys")
            if kind == "openrc":
                # What a start of the whole system would have left.
                self.machine.run(
                    "cd /run; mkdir -p lock openrc /etc/dropbear; cd openrc; mkdir starting "
                    "started stopping inactive wasinactive failed hotplugged daemons options "
                    "exclusive scheduled tmp; echo default >softlevel; "
                    "dropbear -R -p 127.0.0.1:22 >/dev/null 2>&1")
            if kind == "systemd":
                self.machine.run(
                    "useradd -m -s /bin/sh pi; echo 'pi ALL=(ALL) NOPASSWD: ALL' "
                    ">/etc/sudoers.d/pi; cp -R /root/.ssh /home/pi/; chown -R pi: /home/pi")
        except BaseException:
            self.close()
            raise

    def close(self):
        self.machine.close()
        shutil.rmtree(self.scratch, ignore_errors=True)


class Workshop:
    """A copy of what the scripts need, where programs can be exchanged for others."""

    def __init__(self, repository, folder, program):
        self.folder = Path(folder)
        for name in ("scripts", "boards", "Sources/Panel"):
            shutil.copytree(repository / name, self.folder / name)
        for name in ("LICENSE", "CHANGELOG.md"):
            shutil.copy(repository / name, self.folder / name)
        self.good = program
        self.use(program)

    def use(self, program, board="x86-64"):
        place = self.folder / ".build" / "boards" / board / "martlet-panel"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.unlink(missing_ok=True)
        shutil.copy(program, place)

    def change(self, text):
        """Makes the next package another version."""
        with open(self.folder / "boards/install/NOTICE", "a", encoding="ascii") as notice:
            notice.write(text + "\n")

    def deploy(self, device, *options, board="x86-64", user="root", status=0, typed=""):
        done = subprocess.run(
            ["nsenter", f"--net=/proc/{device.machine.pid}/ns/net", "scripts/deploy",
             "-F", str(device.config), *options, board, f"{user}@127.0.0.1:22"],
            cwd=self.folder, input=typed, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace", check=False, timeout=120,
            env={**os.environ, "SOURCE_DATE_EPOCH": "1000000000"})
        assert done.returncode == status, f"scripts/deploy ended with {done.returncode}:\n{done.stdout}"
        return done.stdout
