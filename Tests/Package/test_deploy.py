"""`scripts/deploy` and the installer in the tarball, over a real ssh to devices of three kinds."""

import re

import pytest

from conftest import BOARDS, REPOSITORY, need_root, need_tools
from devices import Device, Workshop
from test_files import INSTALL
from visit import Person, code_in, fingerprint_in

NEVER_STARTS = """\
#!/bin/sh
[ "$1" != --version ] || exit 0
echo "martlet-panel: this one is broken."
exit 1
"""

NEVER_ANSWERS = """\
#!/bin/sh
[ "$1" != --version ] || exit 0
exec sleep 1000
"""


@pytest.fixture(params=["systemd", "busybox", "openrc"])
def device(request):
    need_root()
    need_tools("debootstrap", "ssh", *(["systemd-nspawn"] if request.param == "systemd" else []))
    if not (BOARDS / "x86-64" / "martlet-panel").is_file():
        pytest.skip("not built: x86-64")
    device = Device(request.param)
    yield device
    device.close()


@pytest.fixture
def workshop(tmp_path):
    return Workshop(REPOSITORY, tmp_path, BOARDS / "x86-64" / "martlet-panel")


def version_in(told):
    return re.search(r"^version: (\S+)$", told, re.MULTILINE)[1]


def broken(tmp_path, text):
    program = tmp_path / "broken"
    program.write_text(text)
    program.chmod(0o755)
    return program


def test_deploy_and_back(device, workshop, tmp_path):
    machine, person = device.machine, Person(device.machine)

    told = workshop.deploy(device)
    first = version_in(told)
    assert "address: https://127.0.0.1:8080/" in told
    person.set_up(code_in(told))
    assert person.certificate == fingerprint_in(told)
    assert machine.told("uname -r") in person.overview()
    assert machine.told("readlink /opt/martlet/martlet-panel") == f"versions/{first}/martlet-panel"
    process = machine.told("for p in /proc/[0-9]*; do [ \"$(readlink $p/exe)\" != /opt/martlet/"
                           f"versions/{first}/martlet-panel ] || echo ${{p#/proc/}}; done")
    assert re.fullmatch(r"\d+", process), process
    assert machine.told(f"stat -c %U /proc/{process}") == "martlet"

    # The service reads the certificate anew, and the process goes on.
    reload, printed = {
        "systemd": ("systemctl reload martlet-panel", "journalctl -q -u martlet-panel -o cat"),
        "openrc": ("rc-service martlet-panel reload", "cat /var/log/martlet-panel.log"),
        "busybox": ("/etc/init.d/S50martlet-panel reload", "cat /var/log/martlet-panel.log")}[device.kind]
    machine.run(reload)
    machine.wait_for(f"{printed} | grep -q 'the certificate has been read anew'")
    machine.run(f"[ -d /proc/{process} ]")
    assert person.is_in()

    # Deployed again: the session goes on, and there is no code any more.
    workshop.change("second")
    told = workshop.deploy(device)
    second = version_in(told)
    assert second != first and "set-up code" not in told
    assert person.is_in(), "deploying ended the session"
    machine.run(f"[ ! -d /proc/{process} ]")

    # To the version before, and forth again.
    assert version_in(workshop.deploy(device, "--back")) == first
    assert person.is_in()
    assert version_in(workshop.deploy(device, "--back")) == second
    assert person.is_in()

    # Versions that do not work are not kept, and the one before goes on.
    for text in (NEVER_STARTS, NEVER_ANSWERS):
        workshop.use(broken(tmp_path, text))
        told = workshop.deploy(device, status=1)
        assert f"back to {second}, which answers" in told, told
        assert person.is_in(), "the version before does not answer"
        kept = machine.told("ls /opt/martlet/versions").split()
        assert sorted(kept) == sorted([first, second])
    assert "this one is broken" not in told

    # Removed, it leaves the accounts.
    workshop.use(workshop.good)
    machine.run(f"sh /opt/martlet/versions/{second}/install --remove")
    machine.run("[ ! -e /opt/martlet ] && [ -s /var/lib/martlet/accounts ]")
    machine.wait_for("! grep -q ':1F90 .* 0A ' /proc/net/tcp")
    workshop.deploy(device)
    assert person.is_in()


def test_a_first_version_that_is_broken(device, workshop, tmp_path):
    workshop.use(broken(tmp_path, NEVER_STARTS))
    told = workshop.deploy(device, status=1)
    assert "this one is broken" in told and "has been removed" in told, told
    device.machine.run("[ ! -e /opt/martlet/martlet-panel ] && [ ! -e /etc/init.d/martlet-panel ] "
                       "&& [ ! -e /etc/init.d/S50martlet-panel ] && "
                       "[ ! -e /etc/systemd/system/martlet-panel.service ]")
    assert "nothing has been deployed" in workshop.deploy(device, "--back", status=1)


def test_programs_of_another_kind(device, workshop, tmp_path):
    if not (BOARDS / "pi64" / "martlet-panel").is_file():
        pytest.skip("not built: pi64")
    workshop.use(BOARDS / "pi64" / "martlet-panel", "pi64")
    told = workshop.deploy(device, board="pi64", status=1)
    assert "is a machine of kind x86_64, and the programs of pi64 are for aarch64" in told
    # Of a machine that no kernel knows, not even with an emulator.
    octets = bytearray((BOARDS / "pi64" / "martlet-panel").read_bytes())
    octets[18:20] = b"\xee\xee"
    (tmp_path / "unknown").write_bytes(octets)
    workshop.use(tmp_path / "unknown")
    assert "does not run on this machine" in workshop.deploy(device, status=1)
    device.machine.run("[ ! -e /opt/martlet ]")


def test_it_comes_back_with_the_device(workshop):
    """BusyBox's init starts it, as at power-on."""
    need_root()
    device = Device("busybox")
    try:
        workshop.deploy(device)
        machine = device.machine
        script = "/etc/init.d/S50martlet-panel"
        assert "runs (process" in machine.told(f"{script} status")
        assert "runs already" in machine.told(f"{script} start")
        assert machine.told("stat -c %a%U /var/log/martlet-panel.log") == "600root"
        machine.run(f"{script} stop")
        assert machine.run(f"{script} status", check=False).returncode == 3
        assert machine.run(f"{script} reload", check=False).returncode == 1
        machine.run("/etc/init.d/rcS")
        Person(machine).set_up(code_in(machine.told("cat /var/log/martlet-panel.log")))
        first = machine.told(f"{script} status")
        machine.run(f"{script} reload")
        machine.wait_for("grep -q 'the certificate has been read anew' /var/log/martlet-panel.log")
        assert machine.told(f"{script} status") == first
        machine.run(f"{script} restart")
        assert machine.told(f"{script} status") != first
        # A port that is taken: the script says why it does not start.
        machine.run(f"{script} stop; sed -i s/0.0.0.0:8080/127.0.0.1:22/ /etc/default/martlet-panel")
        failed = machine.run(f"{script} start", check=False)
        assert failed.returncode == 1 and "127.0.0.1:22" in failed.stderr
    finally:
        device.close()


def test_procd_script_under_busybox(workshop):
    """What the script for OpenWrt tells procd. There is no procd here: its functions only print."""
    need_root()
    device = Device("busybox")
    try:
        machine = device.machine
        machine.put(INSTALL / "martlet-panel.procd", "/etc/init.d/martlet-panel")
        machine.put(INSTALL / "martlet-panel.default", "/tmp/default")
        told = machine.told(
            "mkdir -p /etc/default; cp /tmp/default /etc/default/martlet-panel; "
            "echo martlet:x:900: >>/etc/group; "
            "echo martlet:x:900:900::/etc/martlet:/bin/false >>/etc/passwd; "
            "procd_open_instance() { echo open; }; procd_close_instance() { echo close; }; "
            "procd_set_param() { echo \"$*\"; }; "
            "procd_send_signal() { echo \"signal $*\"; }; "
            ". /etc/init.d/martlet-panel; start_service; stat -c %a%U /etc/martlet; reload_service")
        assert told.splitlines() == [
            "open",
            "command /usr/bin/martlet-panel --data /etc/martlet --listen 0.0.0.0:8080",
            "user martlet", "group martlet", "no_new_privs 1", "limits nofile=256 256",
            "file /etc/default/martlet-panel", "stdout 1", "stderr 1", "respawn", "close",
            "700martlet", "signal martlet-panel"]
    finally:
        device.close()


def test_inittab_as_INSTALL_says(workshop):
    """By hand, without a script: BusyBox's init runs the panel and starts it again."""
    need_root()
    line = re.search(r"^ +(::respawn:.*)$", (INSTALL / "INSTALL").read_text(), re.MULTILINE)[1]
    device = Device("busybox")
    try:
        machine = device.machine
        machine.put(workshop.good, "/usr/bin/martlet-panel")
        machine.run(
            "chmod 755 /usr/bin/martlet-panel; mkdir -p /var/lib/martlet; "
            "echo martlet:x:900: >>/etc/group; "
            "echo martlet:x:900:900::/var/lib/martlet:/bin/false >>/etc/passwd; "
            "chown martlet: /var/lib/martlet; chmod 700 /var/lib/martlet; "
            f"echo '{line}' >>/etc/inittab; kill -HUP 1")
        machine.wait_for("grep -q ':1F90 .* 0A ' /proc/net/tcp")
        first = machine.told("pidof martlet-panel")
        assert machine.told(f"stat -c %U /proc/{first}") == "martlet"
        machine.run(f"kill {first}")
        machine.wait_for(f"pid=$(pidof martlet-panel) && [ $pid != {first} ] && "
                         "grep -q ':1F90 .* 0A ' /proc/net/tcp")
    finally:
        device.close()


def test_deploy_with_sudo(workshop):
    need_root()
    need_tools("systemd-nspawn", "ssh")
    device = Device("systemd")
    try:
        told = workshop.deploy(device, user="pi")
        first = version_in(told)
        Person(device.machine).set_up(code_in(told))
        # With a password, which is asked for once.
        device.machine.run("echo pi:raspberry | chpasswd; "
                           "echo 'pi ALL=(ALL) ALL' >/etc/sudoers.d/pi")
        workshop.change("second")
        told = workshop.deploy(device, user="pi", typed="raspberry\n")
        assert version_in(told) != first and "raspberry" not in told
        assert version_in(workshop.deploy(device, "--back", user="pi", typed="raspberry\n")) == first
        workshop.deploy(device, "--back", user="pi", typed="wrong\n", status=1)
    finally:
        device.close()
