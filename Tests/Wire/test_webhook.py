"""Alerts that are sent to an address: one POST when an alert begins, and one when it ends.

What was to be endured, and is shown here: a host that never answers, answers without end, answers what is no HTTP, asks
to go elsewhere, is not there, and comes back; name servers that are silent, lie or are not there; a value that goes up
and down; a restart; two administrators, one of whom has another address while a delivery is under way; texts that would
bring a line of their own into the request. Meanwhile pages are served as ever. Nobody changes the address but with a
fresh login, and nothing of an answer is shown but its status.
"""

import contextlib
import json
import os
import re
import shutil
import socket
import struct
import threading
import time

import pytest

from client import Connection, request
from panel import Panel
from program import RUN, SANITIZED, run
from test_live import PERIOD, rules, typed
from test_panel_sysroots import SYSROOTS
from test_sessions import write

DEADLINE = 8.0
SLOW = 3.0 if RUN else 1.0


class Hook:
    """A host that alerts are sent to. What it answers is `answer`: octets, or a function of the connection."""

    def __init__(self, answer=b"HTTP/1.1 204 No Content\r\n\r\n"):
        self.answer = answer
        self.requests = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/alerts?of=device"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                threading.Thread(target=self.handle, args=(connection,), daemon=True).start()

    def handle(self, connection):
        octets = b""
        with connection, contextlib.suppress(OSError):
            connection.settimeout(20)
            while b"\r\n\r\n" not in octets:
                octets += connection.recv(4096)
            head, _, content = octets.partition(b"\r\n\r\n")
            size = int(re.search(rb"Content-Length: (\d+)", head)[1])
            while len(content) < size:
                content += connection.recv(4096)
            self.requests.append((head.decode("ascii"), json.loads(content)))
            if callable(self.answer):
                self.answer(connection)
            else:
                connection.sendall(self.answer)

    def wait_for(self, count, within):
        end = time.monotonic() + within
        while len(self.requests) < count:
            assert time.monotonic() < end, self.requests
            time.sleep(0.05)
        return self.requests

    def close(self):
        self.listener.close()


@pytest.fixture
def hook():
    hook = Hook()
    yield hook
    hook.close()


@pytest.fixture(scope="module")
def panel(tmp_path_factory):
    panel = Panel(tmp_path_factory.mktemp("webhook") / "data")
    assert panel.set_up().status == 302
    yield panel
    panel.stop()


@pytest.fixture(scope="module")
def visitor(panel):
    return panel.logged_in()


def name(visitor, url):
    return visitor.post("/alerts/webhook", {"url": url})


def named(visitor):
    html = visitor.get("/alerts/webhook").text
    found = re.search(r'<input id="url" name="url"(?: value="([^"]*)")?', html)
    return found[1] or ""


def test_of(visitor, url):
    """What the page says of a test that is sent to an address."""
    response = name(visitor, url)
    assert response.status == 303 and response.location == "/alerts", response.told
    response = visitor.post("/alerts", {"test": "1"})
    assert response.status == 303 and response.location == "/alerts", response.told
    return last(visitor)


test_of.__test__ = False


def last(visitor, within=DEADLINE + 2 * PERIOD):
    """How the last delivery ended, once the page knows."""
    end = time.monotonic() + within
    while True:
        start = time.monotonic()
        html = visitor.get("/alerts").text
        assert time.monotonic() - start < 2.5 * SLOW, "the page waits a little, and no longer"
        found = re.search(r"Last delivery[^:]*(?::\d\d:\d\d UTC)?: ([^<]*)<", html)
        if found:
            return found[1]
        assert time.monotonic() < end, html
        time.sleep(0.2)


# The address --------------------------------------------------------------------------------------

def test_an_address_is_stored_and_shown_without_its_path(panel, visitor, hook):
    assert "Alerts are shown here only" in visitor.get("/alerts").text
    response = name(visitor, f"  {hook.url} ")
    assert response.status == 303 and response.location == "/alerts", response.told
    html = visitor.get("/alerts").text
    assert f"<b>127.0.0.1:{hook.port}</b>" in html and "of=device" not in html and "Nothing has been sent" in html
    assert named(visitor) == hook.url
    assert "event=webhook_changed" in panel.program.output() and "of=device" not in panel.program.output()
    # Rules and address do not undo each other.
    assert visitor.post("/alerts", typed(memory="97")).status == 303
    assert named(visitor) == hook.url and rules(visitor)["memory"] == "97"
    assert name(visitor, "").status == 303
    assert named(visitor) == "" and rules(visitor)["memory"] == "97"
    assert (panel.data / "alerts").stat().st_mode & 0o777 == 0o600
    assert hook.url in (panel.data / "alerts.old").read_text()


@pytest.mark.parametrize("url, words", [
    ("https://hook.lan/", "no TLS yet"), ("HTTPS://hook.lan", "no TLS yet"), ("ftp://hook.lan/", "such as http://"),
    ("hook.lan", "such as http://"), ("http://u:secret@hook.lan/", "name and password"), ("http://a b/", "blanks"),
    ("http://a/\r\nX: y", "such as http://"), ("http://a/\0", "such as http://"), ("http://a/#x", "such as http://"),
    ("http://a/" + "x" * 192, "at most 200"), ("http://127.1/", "such as http://"), ("http://<b>\"'/", "such as http://")])
def test_what_is_no_address_is_refused_and_shown_again(visitor, url, words):
    before = named(visitor)
    response = name(visitor, url)
    assert response.status == 422 and words in response.text, response.told
    assert 'role="alert"' in response.text and 'aria-invalid="true"' in response.text
    assert "<b>\"" not in response.text
    shown = re.search(r'<input id="url" name="url" value="([^"]*)"', response.text)[1]
    assert shown and shown[:20] == (url.replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;"))[:20], shown
    assert named(visitor) == before


def test_only_a_fresh_login_names_an_address(panel, visitor, hook):
    remembered = panel.logged_in(remember=True)
    remembered.jar.drop("session")
    before = named(visitor)
    for who in (remembered, panel.visitor()):
        response = name(who, hook.url)
        assert response.status in (302, 303) and response.location.startswith("/login"), response.told
        assert who.get("/alerts/webhook").status in (302, 303)
    token = panel.make_token(visitor, name="hooks")
    assert panel.ask("/alerts/webhook", token).status in (302, 401, 403)
    with Connection(panel.address) as connection:
        fields = [("Cookie", visitor.jar.header("/alerts/webhook")), ("Origin", "http://evil.example"),
                  ("Content-Type", "application/x-www-form-urlencoded")]
        connection.send(request("POST", "/alerts/webhook", fields, b"url=http%3A%2F%2Fevil.example%2F"))
        assert connection.response().status == 403
        connection.send(request("POST", "/alerts", fields, b"test=1"))
        assert connection.response().status == 403
    assert visitor.get(f"/alerts/webhook?url={hook.url}").status == 200
    assert named(visitor) == before


# What answers -------------------------------------------------------------------------------------

def test_a_test_is_one_request_and_its_status_is_shown_at_once(visitor, hook):
    assert test_of(visitor, hook.url) == "answered 204"
    (head, content), = hook.requests
    lines = head.split("\r\n")
    assert lines[0] == "POST /alerts?of=device HTTP/1.1" and f"Host: 127.0.0.1:{hook.port}" in lines, head
    assert "Content-Type: application/json" in lines and "Connection: close" in lines
    assert not re.search("cookie|authorization|origin|referer", head, re.IGNORECASE), head
    assert content == {"device": socket.gethostname(), "alert": "test", "state": "test", "value": None,
                       "threshold": None, "unit": "", "time": content["time"]}
    assert abs(content["time"] - time.time()) < 20
    assert "A test has been sent" not in visitor.get("/alerts").text, "a notice is said once"


@pytest.mark.parametrize("answer, words", [
    (b"HTTP/1.1 500 Oops\r\n\r\nsecret words", "answered 500"),
    (b"HTTP/1.0 200 OK\r\n\r\n", "answered 200"),
    (b"SSH-2.0-OpenSSH_9.9\r\nsecret words", "what answered is no HTTP server"),
    (b"HTTP/1.1 20", "what answered is no HTTP server"),
    (b"", "the connection was cut")])
def test_nothing_but_the_status_of_an_answer_is_shown(visitor, answer, words):
    hook = Hook(answer)
    assert test_of(visitor, hook.url) == words
    html = visitor.get("/alerts").text
    assert "secret" not in html and "Oops" not in html and "SSH" not in html
    assert len(hook.requests) == 1, "a test is not tried again"
    hook.close()


def test_no_redirect_is_followed(visitor, hook):
    other = Hook(b"HTTP/1.1 302 Found\r\nLocation: " + hook.url.encode() + b"\r\n\r\n")
    assert test_of(visitor, other.url) == "answered 302"
    time.sleep(0.5)
    assert hook.requests == []
    other.close()


def test_an_answer_without_end_costs_nothing(panel, visitor):
    sent = []

    def flood(connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
        with contextlib.suppress(OSError):
            while len(sent) < 1024:
                connection.sendall(bytes(1 << 20))
                sent.append(1)

    hook = Hook(flood)
    before = panel.program.memory()[0]
    assert test_of(visitor, hook.url) == "answered 200"
    time.sleep(0.3)
    # A sanitizer takes memory of its own for what runs for the first time.
    assert len(sent) < 64 and panel.program.memory()[0] <= before + (1024 if SANITIZED else 64)
    hook.close()


def test_nobody_waits_for_a_host_that_does_not_answer(panel, visitor):
    asleep = threading.Event()
    hook = Hook(lambda connection: asleep.wait(30))
    name(visitor, hook.url)
    visitor.post("/alerts", {"test": "1"})
    start = time.monotonic()
    while time.monotonic() - start < 4:
        began = time.monotonic()
        assert visitor.get("/history").status == 200 and panel.ask("/healthz").status == 200
        assert time.monotonic() - began < 0.5 * SLOW
    assert last(visitor) == "it did not answer in time"
    assert time.monotonic() - start < DEADLINE + 2 * PERIOD
    asleep.set()
    hook.close()


def test_a_host_that_drips_does_not_hold_the_child(visitor):
    def drip(connection):
        for octet in b"HTTP/1.1 200 OK\r\n\r\n":
            connection.sendall(bytes([octet]))
            time.sleep(2)

    hook = Hook(drip)
    assert test_of(visitor, hook.url) == "it did not answer in time"
    hook.close()


def test_where_nothing_listens(visitor):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        assert test_of(visitor, f"http://127.0.0.1:{port}/") == "nothing listens there"


def test_ipv6(visitor):
    try:
        listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("there is no IPv6 here")
    hook = Hook()
    hook.listener.close()
    hook.listener = listener
    threading.Thread(target=hook.serve, daemon=True).start()
    assert test_of(visitor, f"http://[::1]:{listener.getsockname()[1]}") == "answered 204"
    assert hook.requests[0][0].startswith("POST / HTTP/1.1\r\nHost: [::1]:")
    hook.close()


# Names --------------------------------------------------------------------------------------------

class NameServer:
    """Answers at port 53 of an address of the loopback; `answer` makes an answer of a question."""

    def __init__(self, address, answer):
        self.questions = []
        self.answer = answer
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self.socket.bind((address, 53))
        except OSError:
            self.socket.close()
            pytest.skip("port 53 is not to be had here")
        self.socket.settimeout(0.1)
        self.is_open = True
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while self.is_open:
            with contextlib.suppress(OSError):
                question, peer = self.socket.recvfrom(2048)
                self.questions.append(question)
                if (answer := self.answer(question)) is not None:
                    self.socket.sendto(answer, peer)

    def close(self):
        self.is_open = False
        self.thread.join()
        self.socket.close()


def asked(question):
    """Name and type of a question."""
    labels, place = [], 12
    while question[place]:
        labels.append(question[place + 1:place + 1 + question[place]].decode())
        place += 1 + question[place]
    return ".".join(labels), struct.unpack_from(">H", question, place + 1)[0]


def answer_of(addresses):
    """A server that knows these names of IPv4."""
    def answer(question):
        name, kind = asked(question)
        data = socket.inet_aton(addresses[name]) if name in addresses and kind == 1 else b""
        code = 0 if name in addresses else 3
        record = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 60, 4) + data if data else b""
        return question[:2] + bytes([0x81, 0x80 | code]) + b"\0\1" + bytes([0, bool(data)]) + bytes(4) + question[12:] + record
    return answer


@pytest.fixture
def tree(tmp_path):
    root = tmp_path / "root"
    shutil.copytree(SYSROOTS / "pi-5", root)
    (root / "etc/hosts").write_text("127.0.0.1\tlocalhost\n127.0.0.1 Hook.lan hook # nas\n")
    (root / "etc/resolv.conf").write_text("search lan\nnameserver 127.0.0.53\nnameserver 127.0.0.54\n")
    panel = Panel(tmp_path / "data", "--sysroot", str(root))
    panel.root = root
    assert panel.set_up().status == 302
    yield panel
    panel.stop()


def test_names_of_the_hosts_file(tree, hook):
    visitor = tree.logged_in()
    for known in ("localhost", "hook", "HOOK.LAN"):
        assert test_of(visitor, f"http://{known}:{hook.port}/") == "answered 204"
        assert f"Host: {known}:{hook.port}" in hook.requests[-1][0]


def test_names_of_the_name_servers(tree, hook):
    visitor = tree.logged_in()
    server = NameServer("127.0.0.54", answer_of({"far.lan": "127.0.0.1", "far.example": "127.0.0.1"}))
    try:
        # The first server is not there; a name of one label is one of this network.
        assert test_of(visitor, f"http://far:{hook.port}/") == "answered 204"
        assert asked(server.questions[0]) == ("far.lan", 1)
        assert test_of(visitor, f"http://far.example:{hook.port}/") == "answered 204"
        assert test_of(visitor, f"http://nowhere.example:{hook.port}/") == "its name has no address"
        assert len({question[:2] for question in server.questions}) > 1, "numbers are random"
    finally:
        server.close()


@pytest.mark.parametrize("answer", [
    lambda question: None,
    lambda question: b"",
    lambda question: bytes(512),
    lambda question: b"\0\0" + answer_of({"far.lan": "127.0.0.1"})(question)[2:],
    lambda question: question[:2] + b"\x81\x80\0\1\xff\xff" + question[8:] + b"\xc0" * 400,
    lambda question: os.urandom(300)], ids=["silent", "empty", "zeros", "another", "records", "noise"])
def test_name_servers_that_lie_or_hang_hold_nobody_up(tree, hook, answer):
    visitor = tree.logged_in()
    server = NameServer("127.0.0.53", answer)
    try:
        name(visitor, f"http://far.lan:{hook.port}/")
        visitor.post("/alerts", {"test": "1"})
        start = time.monotonic()
        assert visitor.get("/history").status == 200 and time.monotonic() - start < 0.5 * SLOW
        assert last(visitor) == "its name has no address"
        assert time.monotonic() - start < DEADLINE + 2 * PERIOD and hook.requests == []
    finally:
        server.close()


# Alerts -------------------------------------------------------------------------------------------

def memory(panel, available):
    (panel.root / "proc/new").write_text(f"MemTotal: 1000000 kB\nMemAvailable: {available} kB\n")
    (panel.root / "proc/new").rename(panel.root / "proc/meminfo")


def test_an_alert_is_sent_when_it_begins_and_when_it_ends(tree):
    """The host is not there at first, so the alert is tried again; and a value that goes up and down tells nothing."""
    visitor = tree.logged_in()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert name(visitor, f"http://127.0.0.1:{port}/x").status == 303
    assert visitor.post("/alerts", typed(memory="90", memory_minutes="1")).status == 303
    memory(tree, 500_000)
    for _ in range(2):
        time.sleep(PERIOD)
        memory(tree, 20_000)
        time.sleep(PERIOD)
        memory(tree, 500_000)
    assert "Nothing has been sent" in visitor.get("/alerts").text
    memory(tree, 26_900)
    end = time.monotonic() + 60 + 4 * PERIOD
    while "nothing listens there" not in (html := visitor.get("/alerts").text):
        assert time.monotonic() < end, html
        time.sleep(0.5)
    assert "1 waiting; next try in" in html, html
    hook = Hook()
    hook.listener.close()
    hook.listener = socket.create_server(("127.0.0.1", port))
    threading.Thread(target=hook.serve, daemon=True).start()
    hook.wait_for(1, within=10 + 3 * PERIOD)
    memory(tree, 500_000)
    hook.wait_for(2, within=3 * PERIOD)
    hostname = (tree.root / "proc/sys/kernel/hostname").read_text().strip()
    first, second = (content for _, content in hook.requests)
    assert {**first, "time": 0} == {"device": hostname, "alert": "memory", "state": "firing", "value": 97.31,
                                    "threshold": 90.0, "unit": "percent", "time": 0}
    assert {**second, "time": 0} == {**first, "state": "resolved", "value": 50.0, "time": 0}
    assert first["time"] < second["time"] and abs(second["time"] - time.time()) < 30
    time.sleep(2 * PERIOD)
    assert len(hook.requests) == 2
    assert last(visitor) == "answered 204" and "waiting" not in visitor.get("/alerts").text
    hook.close()


def test_the_address_outlives_a_restart_and_a_damaged_file_is_left_alone(tree, hook):
    visitor = tree.logged_in()
    assert name(visitor, hook.url).status == 303
    tree.restart()
    visitor = tree.logged_in()
    assert named(visitor) == hook.url
    assert name(visitor, "http://other.lan/").status == 303
    tree.kill()
    good = (tree.data / "alerts").read_bytes()
    for damaged in (good[:-1], good.replace(b"other", b"0ther"), b"", b"x" * 20_000):
        write(tree.data / "alerts", damaged)
        tree.start()
        assert "event=alerts_damaged" in tree.program.output()
        visitor = tree.logged_in()
        html = visitor.get("/alerts").text
        assert "file of alerts cannot be used" in html and "alerts.old" in html
        for response in (visitor.post("/alerts", typed(memory="1")), name(visitor, "http://c.lan/")):
            assert response.status == 500 and "Nothing has changed" in response.text
        assert (tree.data / "alerts").read_bytes() == damaged
        tree.stop()
    write(tree.data / "alerts", (tree.data / "alerts.old").read_bytes())
    tree.start()
    assert named(tree.logged_in()) == hook.url


def test_two_administrators(panel, visitor, hook):
    """Another address while a delivery is under way: what the former host answers says nothing about the new one."""
    asleep = threading.Event()
    slow = Hook(lambda connection: (asleep.wait(3), connection.sendall(b"HTTP/1.1 500 No\r\n\r\n")))
    other = panel.logged_in()
    name(visitor, slow.url)
    visitor.post("/alerts", {"test": "1"})
    slow.wait_for(1, within=5)
    name(other, hook.url)
    assert "Nothing has been sent" in other.get("/alerts").text
    other.post("/alerts", {"test": "1"})
    assert last(other) == "answered 204" and len(hook.requests) == 1 and len(slow.requests) == 1
    asleep.set()
    name(other, "")
    assert other.post("/alerts", {"test": "1"}).status == 303
    time.sleep(0.5)
    assert len(hook.requests) == 1
    slow.close()


def test_the_limits_are_stated():
    limits = run("martlet-panel", "--limits").stdout
    for row in ("address of the webhook +200 octets", "alerts waiting to be sent +8", "an alert is sent within +80 min",
                "a webhook answers within +8000 ms"):
        assert re.search(row, limits), row


def test_without_samples_the_page_says_that_there_are_no_alerts(tmp_path):
    panel = Panel(tmp_path / "data", "--history", "off")
    try:
        assert panel.set_up().status == 302
        visitor = panel.logged_in()
        assert "--history off" in visitor.get("/alerts").text
        hook = Hook()
        assert test_of(visitor, hook.url) == "answered 204"
        hook.close()
    finally:
        panel.stop()


