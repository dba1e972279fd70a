"""The Debian package's whole life, on Debian with systemd, in a chroot, and on 64-bit ARM."""

import re
import subprocess

import pytest

from conftest import make, need_root, need_tools, newer
from machine import FOREIGN, SYSTEMD, Machine, emulated, root
from visit import Person, code_in, fingerprint_in

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


def reload_certificate(device, pid):
    """The service's reload makes the running process read the certificate anew, and says so."""
    has_read = "the certificate has been read anew"
    assert has_read not in device.printed()
    if device.has_systemd:
        device.machine.run("systemctl reload martlet-panel")
        device.machine.wait_for(f"journalctl -q -u martlet-panel -o cat | grep -q '{has_read}'")
    else:
        device.machine.run("/etc/init.d/martlet-panel reload")
        device.machine.wait_for(f"grep -q '{has_read}' /var/log/martlet-panel.log")
    assert device.pid() == pid


def live_and_die(device, deb, folder):
    """Installs, sets up, upgrades, removes, installs again and purges."""
    machine = device.machine
    files, users = device.files(), device.users()

    told = device.install(deb, "panel")
    assert "https://0.0.0.0:8080/" in told, f"the installation does not say where the panel is: {told}"
    person = Person(machine)
    printed = device.start()
    assert "listening on https://0.0.0.0:8080/" in printed
    person.set_up(code_in(printed))
    assert person.certificate == fingerprint_in(printed)
    assert Person(machine, scheme="http").is_sent_to_https()
    authority = person.authority()
    first = device.pid()
    assert first > 0
    overview = person.overview()
    for wanted in ("uname -r", "hostname"):
        assert machine.told(wanted) in overview, f"the overview lacks {wanted}: {overview}"
    assert machine.told("cd /var/lib/martlet; stat -c %a%U . accounts authority.pem tls.key tls.crt").split() == [
        "700martlet"] + 4 * ["600martlet"]

    # An upgrade: other process, same options, account and session.
    machine.run("sed -i s/8080/8099/ /etc/default/martlet-panel")
    reload_certificate(device, first)
    device.install(newer(deb, folder), "newer")
    assert machine.told("dpkg-query -W -f '${Version}' martlet-panel").endswith("+newer")
    machine.wait_for(f"[ ! -d /proc/{first} ]")
    assert device.pid() not in (0, first)
    person.move(8099)
    machine.wait_for("grep -q ':1FA3 .* 0A ' /proc/net/tcp")
    assert person.is_in(), "an upgrade ended the session"
    assert person.authority() == authority, "an upgrade made a new authority"

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


# What the package did before the panel had TLS, as its program of today does it.
BEFORE_TLS = """\
#!/bin/sh
exec /usr/bin/martlet-panel.before --insecure-http "$@"
"""


def before_tls(deb, folder):
    """A package as those from before TLS: other machines are served by http, and nothing of TLS is in the data
    directory when it is upgraded."""
    tree = folder / "before"
    subprocess.run(["dpkg-deb", "--raw-extract", str(deb), str(tree)], check=True)
    program = tree / "usr/bin/martlet-panel"
    program.rename(program.with_suffix(".before"))
    program.write_text(BEFORE_TLS)
    program.chmod(0o755)
    for unit in tree.rglob("martlet-panel.service"):
        unit.write_text("".join(line for line in unit.read_text().splitlines(True) if "ExecReload" not in line))
    control = tree / "DEBIAN/control"
    control.write_text(re.sub(r"^Version: (.*)$", r"Version: \1~before", control.read_text(), flags=re.MULTILINE))
    (tree / "DEBIAN/md5sums").unlink()
    built = folder / "before.deb"
    subprocess.run(["dpkg-deb", "--root-owner-group", "--build", str(tree), str(built)], check=True,
                   stdout=subprocess.DEVNULL)
    return built


def test_upgrade_from_before_tls(tmp_path):
    """Accounts and sessions of a panel without TLS go on; browsers that still ask by http are sent to https. The
    options are the administrator's own, so nothing asks which file is wanted."""
    need_root()
    need_tools("debootstrap", "systemd-nspawn")
    deb, = make("deb", "amd64")
    with Machine(root("systemd", "amd64", SYSTEMD), "systemd") as machine:
        device, person = Device(machine), Person(machine, scheme="http")
        device.install(before_tls(deb, tmp_path), "before")
        person.set_up(code_in(device.start()))
        assert machine.told("cat /etc/default/martlet-panel").endswith('OPTIONS="--listen 0.0.0.0:8080"')
        machine.run("echo '# Mine.' >>/etc/default/martlet-panel; systemctl stop martlet-panel; "
                    "cd /var/lib/martlet; rm authority.pem tls.key tls.crt")
        kept = machine.told("cd /var/lib/martlet; ls; cat accounts secret | sha256sum")
        device.install(deb, "panel")
        machine.wait_for("grep -q ':1F90 .* 0A ' /proc/net/tcp")
        assert Person(machine, scheme="http").is_sent_to_https()
        # The browser has the cookie of before, and gets another one.
        person.scheme = "https"
        assert person.is_in() and person.cookie.startswith("__Host-"), "the session ended"
        assert person.is_in()
        assert person.certificate == fingerprint_in(device.printed())
        person.log_in()
        files = machine.told("cd /var/lib/martlet; ls; cat accounts secret | sha256sum").split()
        assert set(kept.split()) <= set(files), (kept, files)
        assert {"authority.pem", "tls.key", "tls.crt"} <= set(files)
        assert "Mine." in machine.told("cat /etc/default/martlet-panel")


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
