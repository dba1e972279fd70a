"""Chromium opens the addresses that packages print: with a warning, and with the authority's certificate without one."""

import re
import subprocess

import pytest

from conftest import BOARDS, REPOSITORY, make, need_root, need_tools
from devices import Device, Workshop
from machine import SYSTEMD, Machine, root
from visit import Person, code_in

PAGE = "Set up this device"


def open_in_chromium(machine, address, home):
    """The text of the page that Chromium has in the machine's network."""
    home.mkdir(exist_ok=True)
    shown = subprocess.run(
        ["nsenter", f"--net=/proc/{machine.pid}/ns/net", "env", f"HOME={home}", "chromium", "--headless=new",
         "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-proxy-server", f"--user-data-dir={home}/data",
         "--virtual-time-budget=5000", "--dump-dom", address],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=90)
    return shown.stdout


def trust(home, authority):
    """Gives the browser of that home the authority's certificate."""
    database = home / ".pki/nssdb"
    database.mkdir(parents=True)
    file = home / "authority.crt"
    file.write_bytes(authority)
    certutil = ["certutil", "-d", f"sql:{database}"]
    subprocess.run([*certutil, "-N", "--empty-password"], check=True)
    subprocess.run([*certutil, "-A", "-n", "martlet", "-t", "C,,", "-i", str(file)], check=True)


def opens(machine, address, folder):
    shown = open_in_chromium(machine, address, folder / "stranger")
    assert PAGE not in shown, "a stranger's browser does not warn"
    (folder / "friend").mkdir()
    trust(folder / "friend", Person(machine).authority())
    shown = open_in_chromium(machine, address, folder / "friend")
    assert PAGE in shown, shown[:2000]


@pytest.fixture(autouse=True)
def tools():
    need_root()
    need_tools("debootstrap", "chromium", "certutil")


def test_the_address_that_deploy_prints(tmp_path):
    need_tools("ssh")
    if not (BOARDS / "x86-64" / "martlet-panel").is_file():
        pytest.skip("not built: x86-64")
    device = Device("busybox")
    try:
        told = Workshop(REPOSITORY, tmp_path / "workshop", BOARDS / "x86-64" / "martlet-panel").deploy(device)
        assert code_in(told)
        opens(device.machine, re.search(r"^address: (\S+)$", told, re.MULTILINE)[1], tmp_path)
    finally:
        device.close()


def test_the_address_of_the_debian_package(tmp_path):
    deb, = make("deb", "amd64")
    with Machine(root("systemd", "amd64", SYSTEMD)) as machine:
        machine.put(deb, "/root/panel.deb")
        told = machine.told("apt-get install --quiet --yes /root/panel.deb")
        machine.wait_for("grep -q listening /var/log/martlet-panel.log")
        address = re.search(r"https://0\.0\.0\.0:8080/", told)[0]
        opens(machine, address.replace("0.0.0.0", "127.0.0.1"), tmp_path)
