"""The Debian package's whole life, on Debian with systemd, in a chroot, and on 64-bit ARM."""

import re

import pytest

from conftest import make, need_root, need_tools, newer
from machine import FOREIGN, SYSTEMD, Machine, emulated, root
from visit import Person, code_in

# What dpkg, apt and systemd themselves write; none of it is the package's.
NOT_OURS = re.compile(r"/var/(log/(apt|dpkg\.log|journal|alternatives\.log)|cache/|lib/apt/"
                      r"|lib/dpkg/|lib/systemd/(?!deb-systemd-helper)|tmp)"
                      r"|/etc/(passwd|group|shadow|gshadow|subuid|subgid)-|/etc/\.pwd\.lock"
                      r"|/root|/etc/(resolv\.conf|machine-id|mtab)")


class Device:
    """A Debian machine and how one asks it about the service."""

    def __init__(self, machine):
        self.machine = machine
        self.has_systemd = machine.kind == "systemd"

    def printed(self):
        return self.machine.told("journalctl -q -u martlet-panel -o cat" if self.has_systemd
                                 else "cat /var/log/martlet-panel.log")

    def pid(self):
        """The panel's process, or 0."""
        if self.has_systemd:
            return int(self.machine.told("systemctl show -p MainPID --value martlet-panel"))
        told = self.machine.run("/etc/init.d/martlet-panel status", check=False).stdout
        found = re.search(r"runs \(process (\d+)\)", told)
        return int(found[1]) if found else 0

    def install(self, deb, name):
        self.machine.put(deb, f"/root/{name}.deb")
        return self.machine.told(f"apt-get install --quiet --yes /root/{name}.deb")

    def users(self):
        return self.machine.told("cut -d: -f1 /etc/passwd /etc/group | sort")

    def files(self):
        return {line for line in self.machine.files() if not NOT_OURS.match(line)}

    def start(self):
        """The panel answers; what it printed."""
        self.machine.wait_for("journalctl -q -u martlet-panel -o cat | grep -q listening"
                              if self.has_systemd else
                              "grep -q listening /var/log/martlet-panel.log")
        return self.printed()


def live_and_die(device, deb, folder):
    """Installs, sets up, upgrades, removes, installs again and purges."""
    machine = device.machine
    files, users = device.files(), device.users()

    told = device.install(deb, "panel")
    assert "0.0.0.0:8080" in told, f"the installation does not say where the panel is: {told}"
    person = Person(machine)
    person.set_up(code_in(device.start()))
    first = device.pid()
    assert first > 0
    overview = person.overview()
    for wanted in ("uname -r", "hostname"):
        assert machine.told(wanted) in overview, f"the overview lacks {wanted}: {overview}"
    assert machine.told("stat -c %a%U /var/lib/martlet /var/lib/martlet/accounts").split() == [
        "700martlet", "600martlet"]

    # An upgrade: other process, same options, account and session.
    machine.run("sed -i s/8080/8099/ /etc/default/martlet-panel")
    device.install(newer(deb, folder), "newer")
    assert machine.told("dpkg-query -W -f '${Version}' martlet-panel").endswith("+newer")
    machine.wait_for(f"[ ! -d /proc/{first} ]")
    assert device.pid() not in (0, first)
    person.move(8099)
    machine.wait_for("grep -q ':1FA3 .* 0A ' /proc/net/tcp")
    assert person.is_in(), "an upgrade ended the session"

    # Removed, it keeps what the owner made.
    machine.run("apt-get remove --quiet --yes martlet-panel")
    assert device.pid() == 0 or not device.has_systemd
    machine.wait_for("! grep -q ':1FA3 .* 0A ' /proc/net/tcp")
    machine.run("[ -s /var/lib/martlet/accounts ] && [ -s /var/lib/martlet/secret ] && "
                "grep -q 8099 /etc/default/martlet-panel && [ ! -e /usr/bin/martlet-panel ]")
    device.install(deb, "panel")
    machine.wait_for("grep -q ':1FA3 .* 0A ' /proc/net/tcp")
    assert person.is_in(), "removal and installation ended the session"
    person.log_in()

    # Purged, it leaves nothing.
    machine.run("apt-get purge --quiet --yes martlet-panel")
    machine.wait_for("! grep -q ':1FA3 .* 0A ' /proc/net/tcp")
    assert device.users() == users
    assert device.files() - files == set(), "purge left something"
    assert files - device.files() == set(), "purge took something that was there before"


def test_debian_with_systemd(tmp_path):
    need_root()
    need_tools("debootstrap", "systemd-nspawn")
    deb, = make("deb", "amd64")
    with Machine(root("systemd", "amd64", SYSTEMD), "systemd") as machine:
        live_and_die(Device(machine), deb, tmp_path)


def test_sandbox_of_the_running_service():
    """What systemd has really taken from the process, as the kernel tells."""
    need_root()
    need_tools("debootstrap", "systemd-nspawn")
    deb, = make("deb", "amd64")
    with Machine(root("systemd", "amd64", SYSTEMD), "systemd") as machine:
        device = Device(machine)
        device.install(deb, "panel")
        device.start()
        pid = device.pid()
        status = machine.told(f"cat /proc/{pid}/status")
        for wanted in (r"CapPrm:\s0+$", r"CapEff:\s0+$", r"CapBnd:\s0+$", r"CapAmb:\s0+$",
                       r"NoNewPrivs:\s1$", r"Seccomp:\s2$", r"Threads:\s1$"):
            assert re.search(wanted, status, re.MULTILINE), f"no {wanted} in {status}"
        assert machine.told(f"stat -c %U /proc/{pid}") == "martlet"
        mounts = machine.told(f"cut -d' ' -f2,4 /proc/{pid}/mounts")
        assert re.search(r"^/ ro,", mounts, re.MULTILINE), mounts
        assert re.search(r"^/var/lib/martlet rw,", mounts, re.MULTILINE), mounts
        # The other half of it: where systemd runs it without the sandbox it has more.
        assert machine.told("systemctl show -p MemoryMax --value martlet-panel") == str(72 << 20)


def test_systemd_starts_it_again(tmp_path):
    """A panel that was killed comes back with the same session."""
    need_root()
    need_tools("debootstrap", "systemd-nspawn")
    deb, = make("deb", "amd64")
    with Machine(root("systemd", "amd64", SYSTEMD), "systemd") as machine:
        device, person = Device(machine), Person(machine)
        device.install(deb, "panel")
        person.set_up(code_in(device.start()))
        first = device.pid()
        machine.run(f"kill -KILL {first}")
        machine.wait_for(f"pid=$(systemctl show -p MainPID --value martlet-panel) && "
                         f"[ $pid != {first} ] && [ $pid != 0 ] && "
                         f"grep -q ':1F90 .* 0A ' /proc/net/tcp")
        assert person.is_in()


def test_debian_without_systemd(tmp_path):
    need_root()
    need_tools("debootstrap")
    deb, = make("deb", "amd64")
    with Machine(root("systemd", "amd64", SYSTEMD)) as machine:
        live_and_die(Device(machine), deb, tmp_path)


def test_policy_is_respected():
    """Where policy-rc.d says no, as in images that are being made, nothing is started."""
    need_root()
    need_tools("debootstrap")
    deb, = make("deb", "amd64")
    with Machine(root("systemd", "amd64", SYSTEMD)) as machine:
        machine.run("printf '#!/bin/sh\\nexit 101\\n' >/usr/sbin/policy-rc.d; "
                    "chmod 755 /usr/sbin/policy-rc.d")
        device = Device(machine)
        device.install(deb, "panel")
        assert device.pid() == 0
        assert machine.run("[ -e /var/log/martlet-panel.log ]", check=False).returncode == 1
        machine.run("/etc/init.d/martlet-panel start")
        assert device.pid() > 0


@pytest.mark.parametrize("arch", ["arm64"])
def test_debian_on_other_machines(arch, tmp_path):
    """Under QEMU; without systemd, which does not run there."""
    need_root()
    need_tools("debootstrap", "qemu-aarch64-static")
    deb, = make("deb", arch)
    base = root("foreign", arch, FOREIGN)
    with emulated(arch), Machine(base) as machine:
        assert machine.told("uname -m; dpkg --print-architecture").split() == ["aarch64", arch]
        live_and_die(Device(machine), deb, tmp_path)
