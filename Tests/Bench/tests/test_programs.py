"""The C programs: the floor as a server, the time of a start, the bare HMAC."""

import hashlib
import hmac
import socket
import subprocess

import pytest
import servers
from peers import Peer, free_port, quietly

KEEP, CLOSE = (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n%s\r\n!" % field
               for field in (b"", b"Connection: close\r\n"))
REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
CLOSING = b"GET / HTTP/1.1\r\nConnection: close\r\nHost: localhost\r\n\r\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(servers, "FOLDER", tmp_path)
    return tmp_path


@pytest.fixture
def floor(folder):
    servers.write_answers({"keep_alive_answer": KEEP, "close_answer": CLOSE})
    return Peer("floor", servers.compile_c("floor.c", f"-I{folder}"), ("PORT", ), ())


@pytest.fixture
def port(floor):
    program = floor.start()
    yield program.port
    program.kill()


def talk(connection, request):
    connection.sendall(request)
    return connection.recv(4096)


def test_the_floor_answers_again_and_again(port):
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        assert [talk(connection, REQUEST) for _ in range(3)] == [KEEP] * 3


def test_the_floor_closes_where_it_is_asked_to(port):
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        assert talk(connection, CLOSING) == CLOSE
        assert connection.recv(1) == b""


def test_the_floor_closes_on_what_is_no_whole_request(port):
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        assert talk(connection, REQUEST[:-2]) == b""


def test_the_floor_serves_many_connections_and_those_that_close_between_them(port):
    connections = [socket.create_connection(("127.0.0.1", port), 10) for _ in range(100)]
    for number, connection in enumerate(connections):
        closes = number % 3 == 0
        assert talk(connection, CLOSING if closes else REQUEST) == (CLOSE if closes else KEEP)
    for number, connection in enumerate(connections):
        if number % 3:
            assert talk(connection, REQUEST) == KEEP
        connection.close()


def start(folder, *command):
    (folder / "request").write_bytes(REQUEST)
    starter = servers.compile_c("start.c")
    port = free_port()
    words = [str(word).replace("PORT", str(port)) for word in command]
    return subprocess.run([starter, "-1", str(port), folder / "request", *words],
                          capture_output=True,
                          text=True,
                          timeout=60)


def test_a_start_takes_its_time(folder, floor):
    done = start(folder, floor.path, "PORT")
    assert done.returncode == 0
    assert 1 < float(done.stdout) < 30e6


def test_a_program_that_ends_has_not_started(folder):
    done = start(folder, "/bin/false")
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr == "/bin/false: no answer with status 200\n"


def test_the_bare_hmac_is_an_hmac(folder):
    program = servers.compile_c("hmac.c", "-lmbedcrypto")
    count, seconds, mac = quietly(program, "secret", "a text", "20").split()
    assert mac == hmac.new(b"secret", b"a text", hashlib.sha256).hexdigest()
    assert int(count) > 0 and float(seconds) >= 0.02
