"""How the programs start, refuse to start, and stop.

Shown here: what is wrong is said in one line on standard error that says what to do, with an exit
status other than 0; SIGTERM and SIGINT end a program with 0, and what is being sent is finished.
"""

import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from client import Connection, Visitor, form_request, request
from program import Program, command_of, room, run

PAGE = request("GET", "/login")
NAMES = ["login-example", "hello-example", "https-example", "martlet-panel"]
WITH_TLS = ["https-example", "martlet-panel"]
ANYWHERE = ("--listen", "127.0.0.1:0")
SECRET = ("--secret", "some secret of the tests")

has_ipv6 = os.path.exists("/proc/net/if_inet6") and any(
    line.split()[-1] == "lo" for line in open("/proc/net/if_inet6", encoding="ascii"))


def arguments_of(name, folder):
    """What a program needs to start, beside where to listen."""
    return {"login-example": SECRET, "hello-example": (),
            "https-example": (*SECRET, "--tls-directory", str(folder / "tls")),
            "martlet-panel": ("--data", str(folder / "data"))}[name]


def assert_one_line_of_advice(ended, *words):
    told = (f"{ended.args} ended with {ended.returncode}\n  stdout: {ended.stdout!r}\n"
            f"  stderr: {ended.stderr!r}")
    assert ended.returncode in (1, 2), f"expected exit status 1 or 2\n{told}"
    assert ended.stdout == "", f"expected nothing on standard output\n{told}"
    assert ended.stderr.endswith("\n") and ended.stderr.count("\n") == 1, (
        f"expected one line on standard error\n{told}")
    own_words = len(ended.stderr) - max(len(part) for part in ended.args)
    assert len(ended.stderr) >= 20, f"expected a line that says what to do\n{told}"
    assert own_words <= 400, f"expected a line that is short\n{told}"
    name = next(os.path.basename(part) for part in ended.args
                if os.path.basename(part) in NAMES)
    assert ended.stderr.startswith(f"{name}: "), f"expected the program's name first\n{told}"
    for word in words:
        assert re.search(word, ended.stderr), f"expected {word!r} in the line\n{told}"


# Wrong options ------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("arguments", [
    ["--frobnicate"], ["--frobnicate", "x"], ["-x"], ["extra"], [""], ["--"], ["--listen"],
    ["--listen=127.0.0.1:0"], ["--LISTEN", "127.0.0.1:0"], ["--liste", "127.0.0.1:0"],
    [*ANYWHERE, "extra"], [*ANYWHERE, "--listen"]], ids=str)
def test_unknown_option_or_missing_value_is_one_line(name, arguments, tmp_path):
    assert_one_line_of_advice(run(name, *arguments_of(name, tmp_path), *arguments), "--listen")
    assert not os.listdir(tmp_path), f"{os.listdir(tmp_path)} was made by a call that failed"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("where", [
    "nonsense", "127.0.0.1", "127.0.0.1:", ":", "", ":0x50", "127.0.0.1:65536", "127.0.0.1:99999",
    "127.0.0.1:-1", "127.0.0.1:+1", "127.0.0.1:80x", "127.0.0.1:8 0", "127.0.0.1:http",
    "127.0.0.1:18446744073709551617", "300.0.0.1:0", "1.2.3:0x", "127.0.0.1.1:0", "[::1:0",
    "::1]:0",
    "[::1]", "[::g]:0", "[]:0", "http://127.0.0.1:0/", "127.0.0.1:0/", "a b:0", "x" * 300 + ":0",
    "\xe9:0"])
def test_bad_address_is_one_line(name, where, tmp_path):
    ended = run(name, "--listen", where, *arguments_of(name, tmp_path))
    assert_one_line_of_advice(ended)


def test_empty_secret_is_one_line():
    assert_one_line_of_advice(run("login-example", *ANYWHERE, "--secret", ""), "--secret")
    assert_one_line_of_advice(run("login-example", *ANYWHERE, "--secret"), "--secret")


def test_endless_secret_is_one_line_or_served():
    command = [*command_of("login-example"), *ANYWHERE, "--secret", "s" * 100_000]
    try:
        Program(command).stop()
    except AssertionError:
        assert_one_line_of_advice(run("login-example", *ANYWHERE, "--secret", "s" * 100_000))


# Where it cannot listen ---------------------------------------------------------------------------

@pytest.mark.parametrize("name", NAMES)
def test_port_in_use_is_one_line(name, tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        where = f"127.0.0.1:{other.getsockname()[1]}"
        ended = run(name, "--listen", where, *arguments_of(name, tmp_path))
    assert_one_line_of_advice(ended, re.escape(where), "(?i)another|in use|already")


def test_second_server_does_not_steal_the_port_of_the_first():
    first = Program.start("login-example", *ANYWHERE, *SECRET)
    try:
        where = f"127.0.0.1:{first.address[1]}"
        ended = run("login-example", "--listen", where, *SECRET)
        assert_one_line_of_advice(ended, re.escape(where))
        assert Visitor(first.address).get("/login").status == 200
        first.stop()
    finally:
        first.kill()


def test_port_can_be_used_again_at_once():
    """Connections of the one before are still in TIME_WAIT."""
    first = Program.start("login-example", *ANYWHERE, *SECRET)
    try:
        port = first.address[1]
        for _ in range(3):
            with Connection(first.address) as connection:
                connection.send(request("GET", "/login", [("Connection", "close")]))
                assert connection.response().status == 200 and connection.is_closed()
        first.stop()
    finally:
        first.kill()
    second = Program.start("login-example", "--listen", f"127.0.0.1:{port}", *SECRET)
    try:
        assert Visitor(second.address).get("/login").status == 200
        second.stop()
    finally:
        second.kill()


def test_address_of_another_machine_is_one_line():
    ended = run("login-example", "--listen", "192.0.2.1:0", *SECRET)
    assert_one_line_of_advice(ended, "192.0.2.1")


def test_port_that_is_not_permitted_is_one_line(tmp_path):
    with open("/proc/sys/net/ipv4/ip_unprivileged_port_start", encoding="ascii") as first:
        if int(first.read()) <= 80:
            pytest.skip("this system lets everybody use port 80")
    before = ()
    program = command_of("login-example")[-1]
    if os.geteuid() == 0:
        if not shutil.which("setpriv"):
            pytest.skip("root may use every port, and setpriv is not there to become nobody")
        before = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                  "--bounding-set=-all", "--inh-caps=-all")
        # A copy that the user "nobody" may run, whatever the folders above the original allow.
        folder = tempfile.mkdtemp(prefix="martlet-")
        os.chmod(folder, 0o755)
        program = shutil.copy(program, folder)
        os.chmod(program, stat.S_IRWXU | stat.S_IRGRP | stat.S_IXGRP | stat.S_IROTH | stat.S_IXOTH)
    try:
        ended = run(program, "--listen", "127.0.0.1:80", *SECRET, before=before)
    finally:
        if before:
            shutil.rmtree(os.path.dirname(program))
    assert_one_line_of_advice(ended, "127.0.0.1:80", "(?i)permi")


# Listening ----------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", NAMES)
def test_line_says_where_it_listens(name, tmp_path):
    program = Program.start(name, *ANYWHERE, *arguments_of(name, tmp_path))
    try:
        host, port = program.address
        assert host == "127.0.0.1" and port != 0
        scheme = "https" if name in WITH_TLS else "http"
        assert re.search(rf"^{name}: listening on {scheme}://127\.0\.0\.1:{port}/$", program.output(),
                         re.MULTILINE), program.output()
        assert Visitor(program.address).get("/").status in (200, 302)
        program.stop()
    finally:
        program.kill()


@pytest.mark.skipif(not has_ipv6, reason="this machine has no IPv6")
@pytest.mark.parametrize("name", NAMES)
def test_listens_on_ipv6(name, tmp_path):
    program = Program.start(name, "--listen", "[::1]:0", *arguments_of(name, tmp_path))
    try:
        assert program.address[0] == "::1", program.output()
        scheme = "https" if name in WITH_TLS else "http"
        assert f"{scheme}://[::1]:{program.address[1]}/" in program.output()
        assert Visitor(program.address).get("/").status in (200, 302)
        program.stop()
    finally:
        program.kill()


def test_does_not_wait_for_a_terminal():
    """Standard output and error may be gone: the server serves all the same."""
    command = ["sh", "-c", 'exec "$0" "$@" >&- 2>&-', *command_of("hello-example")]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([*command, "--listen", f"127.0.0.1:{port}"])
    try:
        end = time.monotonic() + 5
        while True:
            try:
                response = Visitor(("127.0.0.1", port)).get("/")
                break
            except ConnectionRefusedError:
                assert time.monotonic() < end and process.poll() is None, "never listened"
                time.sleep(0.02)
        assert response.status == 200, response.told
        process.terminate()
        assert process.wait(5) == 0
    finally:
        process.kill()
        process.wait()


# The smallest program -----------------------------------------------------------------------------

def test_hello_is_open_to_everyone(hello_example):
    response = Visitor(hello_example.address).get("/")
    assert response.status == 200 and "Hello" in response.text, response.told
    assert not response.cookies, response.told
    for octets, status in ((request("GET", "/nowhere"), 404), (request("POST", "/", body=b""), 405),
                           (request("OPTIONS", "/"), 200)):
        with Connection(hello_example.address) as connection:
            answer = connection.send(octets).response()
            assert answer.status == status, answer.told


# Stopping -----------------------------------------------------------------------------------------

@pytest.fixture
def server():
    program = Program.start("login-example", *ANYWHERE, *SECRET)
    yield program
    program.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("name", NAMES)
def test_signal_ends_it_with_0(name, number, tmp_path):
    program = Program.start(name, *ANYWHERE, *arguments_of(name, tmp_path))
    try:
        Visitor(program.address).get("/")
        program.stop(number, within=3)
    finally:
        program.kill()


@pytest.mark.parametrize("octets", [b"", PAGE, PAGE[:9], form_request("/login", {"a": "b"})[:-2]],
                         ids=["idle", "between requests", "within a head", "within a body"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_waiting_clients_do_not_hold_up_the_end(server, octets, number):
    connections = [Connection(server.address) for _ in range(min(20, room() - 2))]
    for connection in connections:
        connection.send(octets)
    Visitor(server.address).get("/login")
    server.stop(number, within=3)
    for connection in connections:
        if octets == PAGE:
            assert connection.response().status == 200
        assert connection.is_closed(), "still open after the server has ended"
        connection.close()


def test_answer_under_way_is_finished(server):
    """The client has asked for more than its socket holds; the signal comes while the server is
    held up in the middle of an answer. What was begun arrives whole."""
    with socket.socket() as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.connect(server.address)
        slow.setblocking(False)
        asked = PAGE * 200
        end = time.monotonic() + 3
        stuck_since = time.monotonic()
        while time.monotonic() < end and time.monotonic() - stuck_since < 0.4:
            try:
                slow.send(asked)
                stuck_since = time.monotonic()
            except BlockingIOError:
                time.sleep(0.02)
        server.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        slow.setblocking(True)
        slow.settimeout(5)
        received = bytearray()
        while True:
            try:
                octets = slow.recv(65536)
            except ConnectionError:
                octets = b""
            if not octets:
                break
            received += octets
    assert server.wait(within=8) == 0, server.output()
    count = 0
    while received:
        head, separator, rest = bytes(received).partition(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: *([0-9]+)", head)
        assert head.startswith(b"HTTP/1.1 200") and separator and length, f"after {count}: {head!r}"
        assert len(rest) >= int(length[1]), (
            f"answer {count} was cut off after {len(rest)} of {int(length[1])} octets")
        received = received[len(head) + 4 + int(length[1]):]
        count += 1
    assert count > 0


def test_client_that_never_reads_does_not_hold_up_the_end_for_ever(server):
    with socket.socket() as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.connect(server.address)
        slow.setblocking(False)
        for _ in range(60):
            try:
                slow.send(PAGE * 200)
            except BlockingIOError:
                time.sleep(0.01)
        server.send_signal(signal.SIGTERM)
        assert server.wait(within=15) == 0, server.output()


def test_login_under_way_is_finished(server):
    with Connection(server.address) as connection:
        connection.send(form_request("/login", {"username": "susan", "password": "hello"}))
        time.sleep(0.001)
        server.send_signal(signal.SIGTERM)
        response = connection.response_or_end()
        assert response is None or response.status == 302, response.told
    assert server.wait(within=5) == 0, server.output()


def test_second_signal_is_no_trouble(server):
    Visitor(server.address).get("/login")
    server.send_signal(signal.SIGTERM)
    try:
        server.send_signal(signal.SIGTERM)
    except ProcessLookupError:
        pass
    assert server.wait(within=5) == 0, server.output()


def test_no_new_connection_is_answered_after_the_signal(server):
    server.stop()
    with pytest.raises(ConnectionRefusedError):
        Connection(server.address)


def test_signals_of_no_concern_do_not_end_it(server):
    for number in (signal.SIGPIPE, signal.SIGCHLD, signal.SIGWINCH, signal.SIGCONT):
        server.send_signal(number)
    time.sleep(0.05)
    assert Visitor(server.address).get("/login").status == 200
    server.stop()


def test_start_is_quick():
    taken = []
    for _ in range(3):
        start = time.monotonic()
        program = Program.start("login-example", *ANYWHERE, *SECRET)
        try:
            assert Visitor(program.address).get("/login").status == 200
            taken.append(time.monotonic() - start)
            program.stop()
        finally:
            program.kill()
    assert min(taken) < 0.5, f"the first answer came after {min(taken):.3f} s"


# The panel's other options ------------------------------------------------------------------------

def test_panel_help_names_its_options():
    ended = run("martlet-panel", "--help")
    assert ended.returncode == 0 and ended.stderr == "", ended
    for option in ("--listen", "--data", "--help", "--version", "--limits"):
        assert option in ended.stdout, f"{option} is not in {ended.stdout!r}"


def test_panel_version_is_one_line():
    ended = run("martlet-panel", "--version")
    assert ended.returncode == 0 and ended.stderr == "", ended
    assert re.fullmatch(r"martlet-panel [0-9]+\.[0-9]+(\.[0-9]+)?(-[0-9A-Za-z.]+)?\n",
                        ended.stdout), ended


def test_panel_limits_name_a_size_each_and_their_sum():
    ended = run("martlet-panel", "--limits")
    assert ended.returncode == 0 and ended.stderr == "", ended
    lines = [line for line in ended.stdout.splitlines() if line.strip()]
    assert len([line for line in lines if re.search(r"[0-9]", line)]) >= 8, ended.stdout
    assert re.search(r"(?i)total|sum|together|altogether|in all", ended.stdout), ended.stdout


@pytest.mark.parametrize("option", ["--help", "--version", "--limits"])
def test_panel_options_that_only_print_make_no_data(option, tmp_path):
    assert run("martlet-panel", "--data", str(tmp_path / "data"), option).returncode == 0
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize("where", ["/proc/nowhere", "/dev/null", "/dev/null/x", ""])
def test_panel_data_directory_that_cannot_be_made_is_one_line(where):
    ended = run("martlet-panel", *ANYWHERE, "--data", where)
    assert_one_line_of_advice(ended, *([re.escape(where)] if where else []))


def test_panel_data_directory_that_is_a_file_is_one_line(tmp_path):
    (tmp_path / "data").write_text("mine")
    ended = run("martlet-panel", *ANYWHERE, "--data", str(tmp_path / "data"))
    assert_one_line_of_advice(ended, "data")
    assert (tmp_path / "data").read_text() == "mine"


def test_clients_who_come_at_once_all_get_in_line():
    """400 come while the server has no time. Nobody's attempt to connect is dropped, which costs a client
    one, three, seven seconds; and all are served, however few slots there are."""
    line = int(Path("/proc/sys/net/core/somaxconn").read_text(encoding="ascii"))
    if line < 400:
        pytest.skip(f"this system lets {line} clients wait (net.core.somaxconn)")
    server = Program.start("hello-example", "--listen", "127.0.0.1:0")
    try:
        os.kill(server.pid, signal.SIGSTOP)
        clients = [Connection(server.address, patience=0.9) for _ in range(400)]
        for client in clients:
            client.send(request("GET", "/"))
        os.kill(server.pid, signal.SIGCONT)
        for client in clients:
            assert client.response(within=10).status == 200
            client.close()
    finally:
        os.kill(server.pid, signal.SIGCONT)
        server.stop()
