"""`martlet-panel` as the first process: what it sets up, what it says, and how it ends."""

import re
import signal
import ssl
import subprocess
import time
from pathlib import Path

import pytest

from conftest import POWERED_OFF

FAULTS = [signal.SIGSEGV, signal.SIGILL, signal.SIGTRAP, signal.SIGBUS, signal.SIGFPE,
          signal.SIGABRT]
NAME, PASSWORD = "admin", "correct horse battery"


def form_of(code):
    """The set-up form, as curl takes it."""
    fields = {"code": code, "username": NAME, "password": PASSWORD, "password_again": PASSWORD}
    return [word for name, value in fields.items()
            for word in ("--data-urlencode", f"{name}={value}")]


def pem(certificate):
    """A file with the certificate as curl reads it."""
    path = certificate.with_suffix(".pem")
    path.write_text(ssl.DER_cert_to_PEM_cert(certificate.read_bytes()))
    return str(path)


def set_up(system, jar):
    code = system.wait_for(r"set-up code: ([0-9A-Z-]+)")[1]
    form = form_of(code)
    status, text = system.curl("/setup", "--cookie-jar", str(jar), *form)
    assert status == 302, text
    return ["--cookie", str(jar)]


def test_it_sets_up_what_it_needs(start):
    system = start()
    system.wait_for(r"listening on https://0\.0\.0\.0:443/")
    mounts = system.mounts()
    assert mounts["/proc"][0] == "proc" and mounts["/sys"][0] == "sysfs", mounts
    kind, options = mounts["/data"]
    assert kind == "tmpfs" and "size=256k" in options and "mode=700" in options, mounts
    assert "noexec" in options and "nosuid" in options and "nodev" in options, mounts
    addresses = system.inside("ip", "-brief", "address").stdout
    assert re.search(r"^lo +UNKNOWN +127\.0\.0\.1/8", addresses, re.MULTILINE), addresses
    assert re.search(r"^eth0\S* +UP +10\.9\.9\.1/24", addresses, re.MULTILINE), addresses
    assert "default via 10.9.9.2 dev eth0" in system.inside("ip", "route").stdout
    assert system.inside("hostname").stdout.strip() == "board"
    assert re.search(r"ready [0-9]+ ms after the kernel's start; user space takes [0-9]+ KiB\n",
                     system.console), system.console
    assert "cannot" not in system.console, system.console
    assert system.curl("/setup")[0] == 200


def test_http_leads_to_https(start):
    system = start()
    system.wait_for("listening")
    status, answer = system.curl("/setup?a=b", "--include", scheme="http")
    assert status == 308 and "Location: https://10.9.9.1/setup?a=b" in answer.splitlines(), answer
    status, page = system.curl("/setup", "--data", "code=AAAA-AAAA", scheme="http")
    assert status == 403 and "https" in page, page


def test_browsers_with_the_authority_need_no_exception(start, tmp_path):
    system = start()
    told = system.wait_for(r"SHA-256 of the certificate ([0-9A-F:]{95})")[1]
    authority = tmp_path / "authority"
    assert system.curl("/https/authority.crt", "--output", str(authority))[0] == 200
    verified = system.inside("curl", "--silent", "--show-error", "--max-time", "10", "--cacert", pem(authority),
                             "https://10.9.9.1/setup")
    assert verified.returncode == 0 and "Set up this device" in verified.stdout, verified.stderr
    shown = system.inside("sh", "-c", "openssl s_client -connect 10.9.9.1:443 </dev/null 2>/dev/null | "
                          "openssl x509 -noout -fingerprint -sha256").stdout
    assert shown.strip().endswith(told), shown


def test_children_of_nobody_are_reaped(start):
    system = start()
    system.wait_for("listening")
    children = Path(f"/proc/{system.pid}/task/{system.pid}/children")
    # The shell ends first, so that its child becomes the panel's.
    system.inside("sh", "-c", "sleep 1 >/dev/null 2>&1 & exit 0", parts=["--pid"])
    assert children.read_text(), "the child has not become the panel's"
    time.sleep(1.5)
    assert not children.read_text(), "the child is still there"
    assert system.curl("/setup")[0] == 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_powers_off(start, number):
    system = start()
    system.wait_for("listening")
    subprocess.run(["kill", f"-{number:d}", str(system.pid)], check=True)
    assert system.end() == POWERED_OFF, system.console
    assert system.console.endswith("martlet: powering off\n"), system.console


@pytest.mark.parametrize("number", FAULTS)
def test_a_fault_is_told_and_powers_off(start, number):
    system = start()
    system.wait_for("listening")
    subprocess.run(["kill", f"-{number:d}", str(system.pid)], check=True)
    assert system.end() == POWERED_OFF, system.console
    assert f"stopped by a fault; powering off: {number.name}\n" in system.console, system.console


@pytest.mark.parametrize("line", ["ip=dhcp", "quiet ip=10.9.9.1/24", "ip=10.9.9.1::10.9.9.2:24"])
def test_a_wrong_address_is_refused(start, line):
    system = start(line)
    assert system.end() == POWERED_OFF, system.console
    value = line.split()[-1]
    assert f"martlet-panel: {value} on the kernel's command line is not" in system.console
    assert "ended with an error, see above; powering off" in system.console, system.console


def test_a_wrong_option_is_refused(start):
    system = start("ip=10.9.9.1:::255.255.255.0", "--listen", "nowhere")
    assert system.end() == POWERED_OFF, system.console
    assert "nowhere is not ADDRESS:PORT" in system.console, system.console
    assert "wrongly called, see above; powering off" in system.console, system.console


def test_options_after_the_dashes_of_the_command_line(start):
    system = start("ip=10.9.9.1:::255.255.255.0", "--listen", "10.9.9.1:8088", "--data", "/kept")
    system.wait_for(r"listening on https://10\.9\.9\.1:8088/")
    assert system.inside("curl", "--silent", "--max-time", "10", "http://10.9.9.1/").returncode == 7, "port 80 answers"


def test_redirections_at_another_port(start):
    system = start("ip=10.9.9.1:::255.255.255.0", "--redirect-http", "10.9.9.1:81", "--listen", "10.9.9.1:444")
    system.wait_for(r"listening on https://10\.9\.9\.1:444/")
    told = system.inside("curl", "--silent", "--max-time", "10", "--head", "http://10.9.9.1:81/").stdout
    assert "Location: https://10.9.9.1:444/" in told.splitlines(), told


def test_without_an_address_only_this_machine_is_there(start):
    system = start("quiet")
    system.wait_for("listening")
    assert "no ip= on the kernel's command line, so no network" in system.console
    assert "10.9.9.1" not in system.inside("ip", "address").stdout


def test_a_named_interface_is_taken(start):
    system = start("ip=10.9.9.5:::255.255.255.0::peer0:off")
    system.wait_for("listening")
    addresses = system.inside("ip", "-brief", "address", "show", "dev", "peer0").stdout
    assert "10.9.9.5/24" in addresses, addresses


def test_a_missing_interface_is_told(start):
    system = start("ip=10.9.9.5:::255.255.255.0::eth7")
    system.wait_for("listening", within=40)
    assert "no network interface eth7 has appeared" in system.console, system.console


def test_a_missing_module_is_told(start):
    system = start(modules="none-such.ko\\n")
    system.wait_for("listening")
    assert ("martlet-panel: cannot load /modules/none-such.ko: no such file or folder"
            in system.console), system.console
    assert system.curl("/setup")[0] == 200


def test_a_gateway_out_of_reach_is_told(start):
    system = start("ip=10.9.9.1::10.1.1.1:255.255.255.0")
    system.wait_for("listening")
    assert "cannot set the gateway: no network leads there" in system.console, system.console


def test_without_a_console_it_serves_too(start):
    system = start(has_console=False)
    end = time.monotonic() + 20
    while time.monotonic() < end and "/data" not in system.mounts():
        time.sleep(0.05)
    time.sleep(1)
    status, page = system.curl("/setup")
    assert status == 200 and page.startswith("<!doctype html>"), page
    subprocess.run(["kill", "-TERM", str(system.pid)], check=True)
    assert system.end() == POWERED_OFF
    assert not system.console


def test_the_system_page_powers_off(start, tmp_path):
    system = start()
    login = set_up(system, tmp_path / "jar")
    assert system.curl("/system")[0] == 302, "strangers see the page"
    status, page = system.curl("/system", *login)
    assert status == 200 and "Power off" in page and 'id="use"' in page, page
    assert 'href="/system"' in system.curl("/", *login)[1]
    assert system.curl("/system", "--data", "confirm=on")[0] == 302, "a stranger powered off"
    assert system.curl("/system", *login, "--data", "confirm=on", "--header",
                       "Origin: http://evil.example")[0] == 403
    assert system.curl("/system", *login, "--data", "a=b")[0] == 422
    status, page = system.curl("/system", *login, "--data", "confirm=on")
    assert status == 200 and "switches itself off" in page, page
    assert system.end() == POWERED_OFF, system.console
    assert system.console.endswith("martlet: powering off\n"), system.console


def test_elsewhere_nothing_of_it_happens(start, tmp_path):
    """The first process of a container that is not named init, as Docker's is."""
    system = start("ip=10.9.9.1::10.9.9.2:255.255.255.0", "--listen", "0.0.0.0:80", "--data",
                   "/kept", name="martlet-panel")
    system.wait_for(r"listening on https://0\.0\.0\.0:80/")
    assert not {"/sys", "/data"} & set(system.mounts()), system.mounts()
    assert "10.9.9.1" not in system.inside("ip", "address").stdout
    assert "ready" not in system.console and "cannot" not in system.console, system.console
    assert system.inside("ip", "link", "set", "lo", "up").returncode == 0
    code = system.wait_for(r"set-up code: ([0-9A-Z-]+)")[1]
    form = form_of(code)
    jar = str(tmp_path / "jar")

    def curl(path, *arguments):
        ran = system.inside("curl", "--silent", "--insecure", "--write-out", "%{stderr}%{http_code}", *arguments,
                            f"https://127.0.0.1:80{path}")
        return int(ran.stderr), ran.stdout

    assert curl("/setup", "--cookie-jar", jar, *form)[0] == 302
    assert curl("/system", "--cookie", jar)[0] == 404
    assert curl("/system", "--cookie", jar, "--data", "confirm=on")[0] == 404
    assert "/system" not in curl("/", "--cookie", jar)[1]
    subprocess.run(["kill", "-TERM", str(system.pid)], check=True)
    assert system.end() == 0, system.console
    assert "powering off" not in system.console, system.console
