"""Runs a system in qemu that the panel is the first process of, and shows or checks it.

    boot.py show|check PORT MIB QEMU ARGUMENT...

Checked here: the panel is set up with the code from the console and logged into by https, over the
system's own network, with a certificate that is valid today although the system's clock may be that of
1970; the console tells its SHA-256; http leads to https; user space takes less than 1 MiB; nobody but an
administrator powers the system off; then it does so by itself, without a word of the kernel's panic.
"""

import hashlib
import http.client
import re
import socket
import ssl
import subprocess
import sys
import threading
import time
from urllib.parse import urlencode

START_PATIENCE = 90.0  # A busy machine emulates slowly.
PATIENCE = 30.0
USER_SPACE_MAX = 1024  # KiB
NAME, PASSWORD = "admin", "correct horse battery"
# The panel listens on port 443, and its cookies hold for that port.
SESSION = "__Host-martlet-443"
ADDRESS = "10.0.2.15"


class Failed(Exception):
    """What is wrong, in one line."""


class System:
    """A running system with its console."""

    def __init__(self, port, command):
        self.port = port
        self.plain_port = free_port()
        self.certificate = None  # Of the last answer: its SHA-256.
        # Nobody is known until the panel has given its authority's certificate.
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.context.check_hostname = False
        self.context.verify_mode = ssl.CERT_NONE
        self.started = time.monotonic()
        forward = (f"user,id=user,restrict=on,hostfwd=tcp:127.0.0.1:{port}-:443,"
                   f"hostfwd=tcp:127.0.0.1:{self.plain_port}-:80")
        self.process = subprocess.Popen(
            [*command, "-netdev", forward, "-display", "none", "-monitor", "none",
             "-serial", "stdio", "-no-reboot"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.lines = []  # (when, line)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for octets in self.process.stdout:
            line = octets.decode("utf-8", "replace").strip()
            self.lines.append((time.monotonic(), line))
            print(f"  | {line}", flush=True)

    @property
    def console(self):
        return "\n".join(line for _, line in self.lines)

    def wait_for(self, pattern, within):
        """When a line with the pattern came, and what matched."""
        end = time.monotonic() + within
        while time.monotonic() < end:
            for when, line in list(self.lines):
                matched = re.search(pattern, line)
                if matched:
                    return when, matched
            if self.process.poll() is not None:
                raise Failed(f"the system ended before its console said {pattern!r}")
            time.sleep(0.002)
        raise Failed(f"the console did not say {pattern!r} within {within:.0f} s")

    def connect(self):
        """A connection by https. What is verified is the address that the system has in its own network."""
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)
        encrypted = self.context.wrap_socket(plain, server_hostname=ADDRESS)
        octets = hashlib.sha256(encrypted.getpeercert(binary_form=True)).digest()
        self.certificate = ":".join(f"{octet:02X}" for octet in octets)
        return encrypted

    def trust(self, authority):
        """From here on only certificates count that the authority has made for the address."""
        self.context = ssl.create_default_context(cadata=authority)

    def ask_octets(self, method, path, form=None, plain=False, **fields):
        """The answer, and its content."""
        if plain:
            connection = http.client.HTTPConnection("127.0.0.1", self.plain_port, timeout=PATIENCE)
        else:
            connection = http.client.HTTPConnection("127.0.0.1", self.port)
            connection.sock = self.connect()
        body = urlencode(form) if form is not None else None
        if form is not None:
            fields["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, path, body, {"Host": ADDRESS, **fields})
        response = connection.getresponse()
        octets = response.read()
        connection.close()
        return response, octets

    def ask(self, method, path, form=None, **fields):
        """(status, location, text, cookies) of an answer."""
        response, octets = self.ask_octets(method, path, form, **fields)
        text = octets.decode()
        cookies = dict(value.split(";")[0].split("=", 1) for name, value in response.getheaders()
                       if name.lower() == "set-cookie")
        return response.status, response.getheader("Location"), text, cookies

    def end(self):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def grouped(number):
    return f"{number:,.0f}"


def wait_for_answer(system):
    """Waits for the first page, and says how long that took."""
    when, matched = system.wait_for(r"ready ([0-9]+) ms after", START_PATIENCE)
    # The line is printed before the socket is looked at for the first time.
    status, _, text, _ = system.ask("GET", "/setup")
    if status != 200 or "Set up this device" not in text:
        raise Failed(f"the set-up page is not there (status {status})")
    answered = time.monotonic()
    since_kernel = int(matched[1]) + 1000 * (answered - when)
    print(f"first answer: {grouped(since_kernel)} ms after the kernel's start,"
          f" {grouped(1000 * (answered - system.started))} ms after qemu's", flush=True)


def expect(what, is_so):
    if not is_so:
        raise Failed(what)
    print(f"  ok: {what}", flush=True)


def check_certificate(system):
    told = system.wait_for(r"SHA-256 of the certificate ([0-9A-F:]{95})", PATIENCE)[1][1]
    expect("the console tells the SHA-256 of the certificate", system.certificate == told)
    _, octets = system.ask_octets("GET", "/https/authority.crt")
    system.trust(octets)
    status, _, _, _ = system.ask("GET", "/setup")
    expect(f"who has the authority's certificate needs no exception for {ADDRESS}, today", status == 200)
    response, _ = system.ask_octets("GET", "/setup?a=b", plain=True)
    expect("http leads to https",
           response.status == 308 and response.getheader("Location") == f"https://{ADDRESS}/setup?a=b")
    response, _ = system.ask_octets("POST", "/setup", {"a": "b"}, plain=True)
    expect("nothing is changed by http", response.status == 403)


def set_up(system):
    code = system.wait_for(r"set-up code: ([0-9A-Z-]+)", PATIENCE)[1][1]
    status, location, _, _ = system.ask("GET", "/")
    expect("everything leads to the set-up", status == 302 and location.startswith("/setup"))
    form = {"code": code, "username": NAME, "password": PASSWORD, "password_again": PASSWORD}
    status, location, _, cookies = system.ask("POST", "/setup", {**form, "code": "AAAA-AAAA"})
    expect("a wrong set-up code is refused", status == 422 and not cookies)
    status, location, _, cookies = system.ask("POST", "/setup", form)
    expect("the code of the console sets the panel up", status == 302 and SESSION in cookies)


def log_in(system):
    status, _, _, cookies = system.ask("POST", "/login", {"username": NAME, "password": "wrong"})
    expect("a wrong password does not log in", SESSION not in cookies)
    status, _, _, cookies = system.ask("POST", "/login", {"username": NAME, "password": PASSWORD})
    expect("the right one does", status == 302 and SESSION in cookies)
    return {"Cookie": f"{SESSION}={cookies[SESSION]}"}


def check_overview(system, memory, cookie):
    status, _, text, _ = system.ask("GET", "/", **cookie)
    total = re.search(r'id="memory-total" data-kib="([0-9]+)"', text)
    expect("the overview is shown", status == 200 and total)
    expect(f"the system has no more than {memory} MiB ({grouped(int(total[1]))} KiB are not the"
           " kernel's own)", int(total[1]) <= 1024 * memory)
    expect("it shows the address that the kernel's command line gives", "10.0.2.15" in text)


def check_memory(system, cookie):
    status, _, text, _ = system.ask("GET", "/system", **cookie)
    use = re.search(r'id="use" data-kib="([0-9]+)"', text)
    expect("the system's page is shown", status == 200 and use)
    print("memory of user space, from /proc/meminfo: AnonPages, Cached and Buffers, PageTables;"
          " then the panel's\nown resident set, which is a part of it (/proc/self/smaps_rollup):")
    for name, size in re.findall(r'<th scope="row">([^<]+)</th><td>([0-9]+) KiB</td>', text):
        print(f"  {name:<18}{grouped(int(size)):>8} KiB")
    expect(f"user space takes less than {grouped(USER_SPACE_MAX)} KiB",
           0 < int(use[1]) < USER_SPACE_MAX)


def power_off(system, cookie):
    yes = {"confirm": "on"}
    status, location, _, _ = system.ask("POST", "/system", yes)
    expect("strangers cannot power it off", status == 302 and location.startswith("/login"))
    status, _, _, _ = system.ask("POST", "/system", yes, Origin="http://evil.example", **cookie)
    expect("other sites cannot either", status == 403)
    status, _, text, _ = system.ask("POST", "/system", {}, **cookie)
    expect("without a confirmation nothing happens", status == 422 and "Tick the box" in text)
    status, _, text, _ = system.ask("POST", "/system", yes, **cookie)
    expect("with one the page says so", status == 200 and "switches itself off" in text)
    try:
        status = system.process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        raise Failed(f"qemu still runs {PATIENCE:.0f} s after the request") from None
    system.reader.join(PATIENCE)
    expect("qemu ends by itself", status == 0)
    expect("the last words are the panel's",
           "martlet: powering off" in system.console and "panic" not in system.console)


def check(port, memory, command):
    system = System(free_port(), command)
    try:
        wait_for_answer(system)
        check_certificate(system)
        set_up(system)
        cookie = log_in(system)
        check_overview(system, memory, cookie)
        check_memory(system, cookie)
        power_off(system, cookie)
    except (Failed, OSError, http.client.HTTPException) as problem:
        print(f"scripts/boot: {problem or type(problem).__name__}.", file=sys.stderr)
        return 1
    finally:
        system.end()
    print("All is well.")
    return 0


def show(port, memory, command):
    system = System(port, command)
    try:
        wait_for_answer(system)
        print(f"Open https://127.0.0.1:{port}/ in a browser. Ctrl-C ends the system.", flush=True)
        system.process.wait()
        print("The system has ended.")
    except KeyboardInterrupt:
        print()
    except (Failed, OSError, http.client.HTTPException) as problem:
        print(f"scripts/boot: {problem or type(problem).__name__}.", file=sys.stderr)
        return 1
    finally:
        system.end()
    return 0


if __name__ == "__main__":
    sys.exit({"show": show, "check": check}[sys.argv[1]](int(sys.argv[2]), int(sys.argv[3]),
                                                         sys.argv[4:]))
