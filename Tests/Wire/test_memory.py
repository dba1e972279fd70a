"""What stays of a password in the memory of a running program once its form has been answered, whatever
became of the form: nothing. And that the system keeps no core of it.
"""

import os
import re
import resource
import signal
import time

import pytest

from client import FORM, Connection, form_request, request
from panel import NAME, PASSWORD, Panel
from program import RUN, SANITIZED, STYLE, Program

pytestmark = pytest.mark.skipif(bool(RUN or SANITIZED), reason="the memory is an emulator's or a sanitizer's")
SECRET = "Zwiebelkuchen-{}-im-September"  # {}: so that each form has its own


def memory(pid):
    """All octets that the process may write."""
    octets = []
    with open(f"/proc/{pid}/maps", encoding="ascii") as maps, open(f"/proc/{pid}/mem", "rb") as file:
        for line in maps:
            found = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw", line)
            if found and "[vvar" not in line:
                start, end = (int(text, 16) for text in found.groups())
                file.seek(start)
                octets.append(file.read(end - start))
    return b"".join(octets)


def traces(program, secret):
    """Where the middle of a secret is: its ends may be gone. The answer is sent before all is overwritten."""
    middle, end = secret.encode()[6:22], time.monotonic() + 1
    while middle in (octets := memory(program.pid)) and time.monotonic() < end:
        time.sleep(0.05)
    return [octets[max(0, found.start() - 40):found.end() + 20]
            for found in re.finditer(re.escape(middle), octets)]


@pytest.fixture
def panel(tmp_path):
    panel = Panel(tmp_path / "data")
    yield panel
    panel.stop()


@pytest.fixture
def owned(panel):
    assert panel.set_up().status == 302
    return panel


def host(panel):
    return "{}:{}".format(*panel.address)


def sent(panel, octets, status=None, pause=None):
    """Sends octets and reads an answer, where one is expected; otherwise goes away."""
    with Connection(panel.address, patience=10) as connection:
        half = len(octets) // 2 if pause else len(octets)
        connection.send(octets[:half])
        if pause:
            time.sleep(pause)
            connection.send(octets[half:])
        if status:
            answer = connection.response(within=10)
            assert answer.status in status, answer.told
        else:
            time.sleep(0.3)
    time.sleep(0.1)


def login_form(secret):
    return {"username": NAME, "password": secret}


def test_the_scan_finds_what_is_there(owned):
    """A secret that waits in an unfinished form is found where the form is in a buffer of the program."""
    secret = SECRET.format("there")
    octets = form_request("/login", login_form(secret) | {"remember_me": "x" * 400}, host=host(owned))
    with Connection(owned.address) as connection:
        connection.send(octets[:-200])
        time.sleep(0.3)
        assert traces(owned.program, secret), "the scan finds nothing at all"


@pytest.mark.parametrize("pause", [None, 0.2], ids=["at once", "in two parts"])
@pytest.mark.parametrize("case", ["wrong", "unknown", "too long", "chunked", "pipelined", "nul"])
def test_nothing_stays_of_a_login(owned, case, pause):
    secret = SECRET.format(case.replace(" ", "") + str(pause))
    form = login_form(secret)
    statuses, extra = {422}, b""
    if case == "unknown":
        form["username"] = "nobody"
    if case == "too long":
        form["password"] = secret * 50
    if case == "nul":
        form["password"] = secret + "\0"
    octets = form_request("/login", form, host=host(owned))
    if case == "chunked":
        body = octets.partition(b"\r\n\r\n")[2]
        chunks = b"".join(b"%x\r\n%s\r\n" % (len(body[i:i + 20]), body[i:i + 20])
                          for i in range(0, len(body), 20)) + b"0\r\n\r\n"
        octets = request("POST", "/login", [FORM, ("Transfer-Encoding", "chunked")],
                         host=host(owned)) + chunks
        secret = secret[:20]
    if case == "pipelined":
        octets = request("GET", "/login", host=host(owned)) + octets + octets
        statuses = {200}
        extra = 2
    with Connection(owned.address, patience=10) as connection:
        half = len(octets) // 2 if pause else len(octets)
        connection.send(octets[:half])
        time.sleep(pause or 0)
        connection.send(octets[half:])
        assert connection.response(within=10).status in statuses
        for _ in range(extra or 0):
            assert connection.response(within=10).status == 422
    time.sleep(0.1)
    assert not traces(owned.program, secret)


def test_nothing_stays_of_a_right_login_and_a_change_and_a_set_up(panel):
    first, second, third = (SECRET.format(number) for number in ("eins", "zwei", "drei"))
    assert panel.set_up(password=first).status == 302
    assert not traces(panel.program, first)
    visitor = panel.logged_in(password=first)
    assert not traces(panel.program, first)
    change = {"current": first, "password": second, "password_again": second}
    assert visitor.post("/password", change).status == 303
    assert not traces(panel.program, first) and not traces(panel.program, second)
    # Refused changes.
    for form in ({"current": third, "password": third, "password_again": third},
                 {"current": second, "password": third, "password_again": third + "x"},
                 {"current": second, "password": third[:3], "password_again": third}):
        assert visitor.post("/password", form).status == 422
        assert not traces(panel.program, second) and not traces(panel.program, third), form
    # And of refused set-ups.
    assert panel.visitor().post("/setup", {"code": third, "username": NAME, "password": third,
                                           "password_again": third}).status == 403
    assert not traces(panel.program, third)


def test_nothing_stays_of_refused_set_ups(panel):
    secret = SECRET.format("setup")
    for changes in ({"code": "AAAA-AAAA"}, {"username": ""}, {"password_again": secret + "x"}, {"code": ""}):
        assert panel.set_up(password=secret, **changes).status == 422
        assert not traces(panel.program, secret), changes


def test_nothing_stays_of_forms_that_are_refused(owned):
    def refused(name, octets, *status):
        sent(owned, octets, status)
        assert not traces(owned.program, SECRET.format(name)), name

    def form(name):
        return login_form(SECRET.format(name))

    at = host(owned)
    refused("origin", form_request("/login", form("origin"), [("Origin", "http://other.example")],
                                   host=at), 403)
    body = form_request("/login", form("type"), host=at).partition(b"\r\n\r\n")[2]
    refused("type", request("POST", "/login", [("Content-Type", "text/plain")], body, host=at), 415)
    refused("host", form_request("/login", form("host"), host="elsewhere.example"), 421, 422)
    refused("two", form_request("/login", form("two"), [("Host", at)], host=at), 400)
    refused("nowhere", form_request("/nowhere", form("nowhere"), host=at), 404)
    refused("method", form_request(STYLE, form("method"), host=at), 405)
    large = form("large") | {"more": "x" * 20_000}
    refused("large", form_request("/login", large, host=at), 413)
    long = request("POST", "/login", [FORM, ("Content-Length", "99999999999999999999")], host=at)
    refused("length", long + body.replace(b"type", b"length"), 400, 413)
    bad = request("POST", "/login", [FORM, ("Transfer-Encoding", "chunked")], host=at)
    chunk = body.replace(b"type", b"chunk")
    refused("chunk", bad + b"%x\r\n%s\r\nxyz\r\n" % (len(chunk), chunk), 400)


@pytest.mark.parametrize("part", [0.5, 0.95, 1.0])
def test_nothing_stays_of_a_form_whose_client_goes_away(owned, part):
    secret = SECRET.format("fort")
    octets = form_request("/login", login_form(secret) | {"more": "y" * 200}, host=host(owned))
    sent(owned, octets[:int(len(octets) * part)])
    time.sleep(0.5)
    assert not traces(owned.program, secret)


def test_nothing_stays_of_logins_that_wait_and_go_away(owned):
    secrets = [SECRET.format(f"nummer{number}") for number in range(20)]
    connections = []
    for secret in secrets:
        connection = Connection(owned.address, patience=10)
        connection.send(form_request("/login", login_form(secret), host=host(owned)))
        connections.append(connection)
    time.sleep(0.3)
    for connection in connections:
        connection.close()
    time.sleep(1)
    assert not [secret for secret in secrets if traces(owned.program, secret)]


def test_nothing_stays_of_microdots_login(tmp_path):
    secret = SECRET.format("micro")
    program = Program.start("login-example", "--listen", "127.0.0.1:0")
    try:
        with Connection(program.address) as connection:
            connection.send(form_request("/login", {"username": "susan", "password": secret},
                                         host="{}:{}".format(*program.address)))
            assert connection.response().status == 302
        assert not traces(program, secret)
    finally:
        program.kill()


def test_no_core_is_kept(owned, tmp_path):
    limits = resource.prlimit(owned.program.pid, resource.RLIMIT_CORE)
    # 1: neither to a file, nor to a program that takes cores (fs/coredump.c).
    assert limits == (1, 1)
    # Its owner may look at it all the same.
    assert os.stat(f"/proc/{owned.program.pid}").st_uid == os.getuid()


def test_a_program_that_fails_leaves_no_core(tmp_path):
    resource.setrlimit(resource.RLIMIT_CORE,
                       (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2)
    program = Program.start("login-example", "--listen", "127.0.0.1:0", cwd=tmp_path)
    program.send_signal(signal.SIGSEGV)
    status = program.wait()
    assert status == -signal.SIGSEGV
    assert not list(tmp_path.iterdir()), "there is a core"
