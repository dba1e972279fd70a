"""What the server itself says on a connection: how long it stays, and what its refusals carry."""

import re

import pytest

from client import Connection, converse, request
from panel import Panel
from program import run

PAGE = request("GET", "/login")
REFUSED = {
    "no request line": b"?\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "another version": b"GET / HTTP/2.0\r\nHost: x\r\n\r\n",
    "an unknown method": b"BREW / HTTP/1.1\r\nHost: x\r\n\r\n",
    "a long target": b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "a large head": b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X-A: " + b"b" * 17000 + b"\r\n\r\n",
    "large content": b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 99999\r\n\r\n",
    "a bad chunk": b"POST /login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nz\r\n",
    "an unknown expectation": b"GET / HTTP/1.1\r\nHost: x\r\nExpect: tea\r\n\r\n",
}
LATE = {
    "half a head": b"GET / HTTP/1.1\r\nHo",
}


@pytest.fixture(scope="module")
def panel(tmp_path_factory):
    panel = Panel(tmp_path_factory.mktemp("connections") / "data")
    assert panel.set_up().status == 302
    yield panel
    panel.stop()


def assert_secured(response):
    """As every page has it, so that no page of the device is without."""
    assert response.one("X-Content-Type-Options") == "nosniff", response.told
    framing = (response.one("X-Frame-Options") or "") + (response.one("Content-Security-Policy") or "")
    assert "DENY" in framing or "frame-ancestors 'none'" in framing, response.told
    assert response.one("Referrer-Policy"), response.told
    assert "no-store" in (response.one("Cache-Control") or ""), response.told


@pytest.mark.parametrize("name", REFUSED)
def test_a_refusal_has_the_security_fields(panel, name):
    with Connection(panel.address) as connection:
        response = connection.send(REFUSED[name]).response()
    assert response.status >= 400, response.told
    assert_secured(response)


@pytest.mark.parametrize("name", LATE)
def test_a_refusal_of_who_is_late_has_them_too(panel, name):
    with Connection(panel.address) as connection:
        response = connection.send(LATE[name]).response(within=15)
    assert response.status == 408, response.told
    assert_secured(response)


def test_a_connection_that_stays_says_how_long(panel):
    """Longer than proxies keep one (nginx: 60 and 75 s), and the server keeps it a little longer."""
    limits = run("martlet-panel", "--limits").stdout
    resting = int(re.search(r"^ +resting +([0-9]+) ms$", limits, re.M)[1]) / 1000
    with Connection(panel.address) as connection:
        for octets in (PAGE, request("GET", "/nowhere"), request("HEAD", "/login")):
            response = connection.send(octets).response("HEAD" if octets[:1] == b"H" else "GET")
            told = re.fullmatch(r"timeout=([0-9]+)", response.one("Keep-Alive") or "")
            assert told, response.told
            assert 75 <= int(told[1]) < resting <= 90
            assert (response.one("Connection") or "").lower() == "keep-alive", response.told


@pytest.mark.parametrize("octets", [request("GET", "/login", [("Connection", "close")]),
                                    b"GET /login HTTP/1.0\r\nHost: x\r\n\r\n", b"?\r\n\r\n"])
def test_a_connection_that_ends_does_not(panel, octets):
    talk = converse(panel.address, octets)
    response, = talk.responses
    assert response.one("Keep-Alive") is None, response.told
    assert (response.one("Connection") or "").lower() == "close", response.told
