"""`martlet-panel` under guesses at passwords: who waits, for how long, and who never does.

Shown here: failures lead to 429 with the time to wait, and the time suffices; attempts at once are no
more than attempts in turn; a stranger keeps nobody out, from however many addresses; unknown names
are treated as known ones, in the answer and in its time; only a trusted proxy is believed about
addresses. Addresses are told with X-Forwarded-For, as a proxy on this machine would.
"""

import hashlib
import itertools
import os
import re
import shutil
import socket
import statistics
import subprocess
import time

import pytest

from client import Connection, form_request
from panel import NAME, PASSWORD, Panel, is_in
from program import RUN, Program, password_places, room, run

FREE = 10  # wrong passwords for a name at an address before there is a wait
FREE_ADDRESS = 30  # wrong passwords at an address, whatever the names
ATTACK = 30  # failures of a name that make it one under attack
FREE_ATTACK = 2  # then as many are free

numbers = itertools.count(1)


def new_address():
    """An address, alone in its network, that no other test has used."""
    number = next(numbers)
    return f"203.{number // 250}.{number % 250 + 1}.1"


@pytest.fixture(scope="module")
def quick_data(tmp_path_factory):
    """A panel's data with an account whose password is hashed in some milliseconds."""
    panel = Panel(tmp_path_factory.mktemp("quick") / "data")
    response = panel.set_up()
    assert response.status == 302, response.told
    path = panel.accounts_file()
    panel.stop()
    salt, count = bytes(range(16)), 5000
    key = hashlib.pbkdf2_hmac("sha256", PASSWORD.encode(), salt, count)
    lines = re.sub(rb"pbkdf2-hmac-sha256:[0-9a-f:]+",
                   f"pbkdf2-hmac-sha256:{salt.hex()}:{count}:{key.hex()}".encode(),
                   path.read_bytes()).splitlines(keepends=True)[:-1]
    digest = hashlib.sha256(b"".join(lines)).hexdigest()
    path.write_bytes(b"".join(lines) + f"sha256 {digest}\n".encode())
    return panel.data


@pytest.fixture
def panel(quick_data, tmp_path):
    """A panel that nobody has failed at."""
    yield from running(quick_data, tmp_path)


def running(quick_data, tmp_path, *proxies):
    shutil.copytree(quick_data, tmp_path / "data")
    panel = Panel.__new__(Panel)
    panel.data = tmp_path / "data"
    options = [word for proxy in proxies for word in ("--trust-proxy", proxy)]
    panel.program = Program.start("martlet-panel", "--listen", "127.0.0.1:0", "--data",
                                  str(panel.data), *options)
    try:
        yield panel
    except BaseException:
        panel.kill()
        raise
    panel.stop()


def attempt(panel, address=None, name=NAME, password="wrong password", visitor=None):
    fields = [("X-Forwarded-For", address)] if address else []
    form = {"username": name, "password": password}
    return (visitor or panel.visitor()).post("/login", form, fields)


def fail(panel, count, address=None, name=NAME):
    """Types that many wrong passwords; every one is looked at."""
    for number in range(count):
        response = attempt(panel, address, name)
        assert response.status == 422, f"attempt {number + 1}\n{response.told}"


def seconds_to_wait(response):
    assert response.status == 429, response.told
    text = response.one("Retry-After")
    assert text and re.fullmatch(r"[1-9][0-9]*", text), response.told
    return int(text)


def logs_in(panel, address=None, name=NAME, password=PASSWORD):
    response = attempt(panel, address, name, password)
    assert response.status in (302, 429), response.told
    return response.status == 302


def comparable(response, name):
    """All but the name that was typed, which the form shows again."""
    return (response.status, response.body.replace(name.encode(), b"NAME"),
            [(key, value) for key, value in response.fields
             if key.lower() not in ("date", "content-length")])


# The one who fails --------------------------------------------------------------------------------

def test_failures_lead_to_a_wait_that_suffices(panel):
    address = new_address()
    fail(panel, FREE, address)
    for expected in (1, 2):
        response = attempt(panel, address, password=PASSWORD)
        assert seconds_to_wait(response) == expected, response.told
        assert not response.cookies, response.told
        time.sleep(expected)
        fail(panel, 1, address)
    time.sleep(seconds_to_wait(attempt(panel, address)))
    assert logs_in(panel, address), "the right password is refused after the wait"
    # All is forgotten with it.
    fail(panel, FREE, address)


def test_the_page_says_how_long_and_keeps_the_name(panel):
    address = new_address()
    fail(panel, FREE, address)
    response = attempt(panel, address)
    assert seconds_to_wait(response) == 1
    assert "Too many failed attempts. Try again in 1 second." in response.text, response.text
    assert f'name="username" value="{NAME}"' in response.text, response.text
    assert "wrong password" not in response.text, "the page repeats the password"
    assert re.search(r'<input[^>]*name="password"', response.text), response.text
    assert "no-store" in (response.one("Cache-Control") or ""), response.told
    time.sleep(1)
    fail(panel, 1, address)
    assert "Try again in 2 seconds." in attempt(panel, address).text


def test_asking_too_early_makes_nothing_longer(panel):
    address = new_address()
    fail(panel, FREE, address)
    end = time.monotonic() + 1
    asked = 0
    while time.monotonic() < end - 0.2:
        assert attempt(panel, address).status == 429
        asked += 1
        time.sleep(0.05)
    assert asked > 5
    time.sleep(max(0, end - time.monotonic()))
    assert logs_in(panel, address)


def test_a_success_forgets_the_failures_before(panel):
    address = new_address()
    for _ in range(3):
        fail(panel, FREE - 1, address)
        assert logs_in(panel, address)


def test_attempts_at_once_are_no_more_than_attempts_in_turn(panel):
    address, connections = new_address(), []
    # No more than hash and wait: the others would get 503.
    for _ in range(min(2 * FREE, password_places(), room() - 4)):
        connection = Connection(panel.address, patience=30)
        connection.send(form_request("/login", {"username": NAME, "password": "wrong password"},
                                     [("X-Forwarded-For", address)]))
        connections.append(connection)
    statuses = []
    for connection in connections:
        statuses.append(connection.response(within=30).status)
        connection.close()
    # While the first are hashed a wait may end, once or twice.
    # A small board has fewer connections than there are free attempts.
    assert min(FREE, len(statuses)) <= statuses.count(422) <= FREE + 3, statuses
    assert set(statuses) <= {422, 429}, statuses


def test_names_at_one_address_count_together(panel):
    address = new_address()
    for number in range(FREE_ADDRESS):
        fail(panel, 1, address, f"name{number}")
    response = attempt(panel, address, "another")
    assert seconds_to_wait(response) == 1


def test_hosts_of_a_network_are_one(panel):
    for host in range(FREE):
        fail(panel, 1, f"2001:db8:1:2::{host:x}")
    assert attempt(panel, "[2001:db8:1:2:ffff::1]:4711").status == 429
    assert attempt(panel, "2001:db8:1:3::1").status == 422


def test_a_wrong_current_password_counts(panel):
    visitor = panel.logged_in()
    form = {"current": "wrong password", "password": "a brand new password",
            "password_again": "a brand new password"}
    for _ in range(FREE):
        response = visitor.post("/password", form)
        assert response.status == 422, response.told
    response = visitor.post("/password", {**form, "current": PASSWORD})
    assert seconds_to_wait(response) == 1
    assert "Try again in 1 second." in response.text and "Change password" in response.text
    assert is_in(visitor)
    time.sleep(1)
    assert visitor.post("/password", {**form, "current": PASSWORD}).status == 303
    assert is_in(visitor)


# Everybody else -----------------------------------------------------------------------------------

def test_a_stranger_keeps_nobody_out(panel):
    stranger = new_address()
    fail(panel, FREE, stranger)
    # A slow processor hashes for longer than the first waits of 1 s and 2 s.
    for wait in (1, 2):
        time.sleep(wait)
        fail(panel, 1, stranger)
    began = time.monotonic()
    assert attempt(panel, stranger).status == 429
    assert logs_in(panel, new_address())
    # The stranger's wait of 4 s is not over with it.
    assert attempt(panel, stranger).status == 429 or time.monotonic() - began > 3.0


def test_a_botnet_keeps_nobody_out(panel):
    """More addresses than the table has room for, and more failures than are an attack."""
    owner = new_address()
    assert logs_in(panel, owner)
    for number in range(70):
        fail(panel, 1, new_address())
        if number % 10 == 9:
            assert logs_in(panel, owner), f"the owner is refused after {number + 1} failures"
            assert logs_in(panel, new_address())
    # Addresses that have failed have less patience now, and wait for longer.
    address = new_address()
    fail(panel, FREE_ATTACK, address)
    assert seconds_to_wait(attempt(panel, address)) == 32
    assert logs_in(panel, new_address())
    # Who mistypes once may try again.
    fail(panel, 1, owner)
    assert logs_in(panel, owner)


def test_at_a_shared_address_names_wait_for_themselves(panel):
    """A proxy on this machine that does not say who its clients are."""
    fail(panel, FREE, name="somebody")
    assert attempt(panel, name="somebody").status == 429
    for number in range(ATTACK):
        fail(panel, 1, name=f"junk{number}")
    assert logs_in(panel), "all are refused for the sake of one"
    assert logs_in(panel, new_address())


# Unknown names ------------------------------------------------------------------------------------

def test_an_unknown_name_gets_the_same_answers(panel):
    answers = {}
    for name in (NAME, "nobody"):
        address = new_address()
        answers[name] = [comparable(attempt(panel, address, name), name)
                         for _ in range(FREE + 2)]
        time.sleep(1)
        answers[name].append(comparable(attempt(panel, address, name), name))
    statuses = [answer[0] for answer in answers[NAME]]
    assert statuses == FREE * [422] + 2 * [429] + [422], statuses
    assert answers[NAME] == answers["nobody"]


@pytest.mark.skipif(bool(RUN), reason="an emulator says nothing about time")
@pytest.mark.parametrize("status", [422, 429])
def test_an_unknown_name_takes_the_same_time(quick_data, tmp_path, status):
    """The medians of a known and an unknown name differ no more than those of two unknown names do,
    as far as the machine's noise allows to say: a difference that is none does not come three times."""
    differences = []
    for number in range(3):
        (tmp_path / str(number)).mkdir()
        for panel in running(quick_data, tmp_path / str(number)):
            differences.append(difference_in_time(panel, status))
        if differences[-1] is None:
            return
    raise AssertionError(differences)


def difference_in_time(panel, status):
    """What tells the account's name from others; `None` if nothing does."""
    names = [NAME, "nobody", "noone"]
    refused = new_address()
    if status == 429:
        # Under attack the wait is so long that it outlasts the test.
        for name in names:
            for _ in range(ATTACK):
                fail(panel, 1, new_address(), name)
            fail(panel, FREE_ATTACK, refused, name)
    taken = {name: [] for name in names}
    # In all no more addresses than get to the password without standing in the line.
    for number in range(40):
        # In another order each time, so that none always comes first.
        for name in names[number % 3:] + names[:number % 3]:
            visitor = panel.visitor()
            address = refused if status == 429 else new_address()
            start = time.perf_counter()
            response = attempt(panel, address, name, visitor=visitor)
            taken[name].append(time.perf_counter() - start)
            assert response.status == status, response.told
    medians = {name: statistics.median(times) for name, times in taken.items()}
    control = abs(medians["nobody"] - medians["noone"])
    low, _, high = statistics.quantiles(taken["nobody"] + taken["noone"])
    difference = max(abs(medians[NAME] - medians[name]) for name in names[1:])
    if difference <= 3 * control + (high - low) / 2:
        return None
    return difference, control, high - low, medians


# Proxies ------------------------------------------------------------------------------------------

def other_loopback(panel, source, name=NAME, password="wrong password", fields=(), address=None):
    """An attempt from another of this machine's own addresses, or to another one."""
    with socket.create_connection(address or panel.address, 15, (source, 0)) as plain:
        connection = Connection.__new__(Connection)
        connection.address, connection.patience = panel.address, 15
        connection.socket, connection.sent = plain, bytearray()
        connection.received, connection.ended = bytearray(), False
        connection.send(form_request("/login", {"username": name, "password": password},
                                     [("Connection", "close"), *fields]))
        return connection.response()


def test_another_address_of_this_machine_is_another_one(panel):
    fail(panel, FREE)
    assert attempt(panel).status == 429
    assert other_loopback(panel, "127.0.0.2", password=PASSWORD).status == 302


@pytest.mark.parametrize("written", [
    "{0}", "{0}:4711", "198.51.100.1, {0}", "198.51.100.1,junk, {0}", "{0}, 127.0.0.1",
    "::ffff:{0}", "[::ffff:{0}]:80, 127.0.0.1, [::1]:80"])
def test_an_address_is_found_however_the_proxy_writes_it(panel, written):
    address = new_address()
    for number in range(FREE):
        # What stands to the left may be anything.
        text = written.format(address).replace("198.51.100.1", f"198.51.100.{number + 1}")
        assert attempt(panel, text).status == 422
    assert attempt(panel, address).status == 429
    assert attempt(panel, f"198.51.100.77, {address}").status == 429


@pytest.fixture
def far_proxy_panel(quick_data, tmp_path):
    """A panel that trusts a proxy elsewhere, and not this machine."""
    yield from running(quick_data, tmp_path, "192.0.2.1")


def test_spoofed_addresses_from_a_peer_that_is_not_trusted_are_ignored(far_proxy_panel):
    panel = far_proxy_panel
    for number in range(FREE):
        assert attempt(panel, f"198.51.100.{number + 1}").status == 422
    for address in ("198.51.100.99", "192.0.2.1", None):
        assert attempt(panel, address, password=PASSWORD).status == 429
    assert other_loopback(panel, "127.0.0.2", password=PASSWORD).status == 302


@pytest.fixture
def two_proxies_panel(quick_data, tmp_path):
    yield from running(quick_data, tmp_path, "127.0.0.2/32", "10.0.0.0/8")


def test_only_the_proxies_that_are_named_are_trusted(two_proxies_panel):
    def through(proxy, written):
        return other_loopback(two_proxies_panel, proxy,
                              fields=[("X-Forwarded-For", written)]).status
    for _ in range(FREE):
        assert through("127.0.0.2", "203.0.113.9, 10.0.0.5") == 422
    assert through("127.0.0.2", "203.0.113.9") == 429
    assert through("127.0.0.2", "203.0.113.10, 10.9.9.9") == 422
    for number in range(FREE):
        assert through("127.0.0.3", f"203.0.113.{number + 100}") == 422
    assert through("127.0.0.3", "203.0.113.201") == 429, "127.0.0.3 is believed"


NGINX = "/usr/sbin/nginx"
NGINX_CONFIGURATION = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://{panel};
      proxy_bind 127.0.0.1;
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }}
  }}
}}
"""


@pytest.fixture
def nginx_panel(quick_data, tmp_path):
    """A panel that trusts 127.0.0.1, and the address of nginx before it."""
    for panel in running(quick_data, tmp_path, "127.0.0.1"):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        path = tmp_path / "nginx.conf"
        path.write_text(NGINX_CONFIGURATION.format(folder=tmp_path, port=port,
                                                   panel="{}:{}".format(*panel.address)))
        nginx = subprocess.Popen([NGINX, "-p", str(tmp_path), "-c", str(path)],
                                 stderr=subprocess.PIPE)
        try:
            end = time.monotonic() + 5
            while True:
                assert nginx.poll() is None, nginx.stderr.read()
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                except ConnectionRefusedError:
                    assert time.monotonic() < end, "nginx does not listen"
                    time.sleep(0.02)
            yield panel, ("127.0.0.1", port)
        finally:
            nginx.terminate()
            nginx.wait(10)


@pytest.mark.skipif(not os.path.exists(NGINX), reason="there is no nginx (scripts/setup test)")
def test_behind_nginx_clients_are_told_apart_and_cannot_lie(nginx_panel):
    panel, nginx = nginx_panel

    def through(source, password="wrong password", written=None):
        fields = [("X-Forwarded-For", written)] if written else []
        return other_loopback(panel, source, password=password, fields=fields,
                              address=nginx).status
    for number in range(FREE):
        assert through("127.0.0.5", written=f"198.51.100.{number + 1}") == 422
    assert through("127.0.0.5", PASSWORD) == 429
    assert through("127.0.0.5", PASSWORD, written="198.51.100.99") == 429
    assert through("127.0.0.5", PASSWORD, written="127.0.0.6") == 429
    assert through("127.0.0.6", PASSWORD) == 302
    # Who says that he is the one who has failed harms nobody.
    assert through("127.0.0.7", written="127.0.0.6") == 422
    assert through("127.0.0.6", PASSWORD) == 302


@pytest.mark.parametrize("value", [
    "", "x", "localhost", "10.0.0.0/33", "10.0.0.1/8", "::1/129", "10.0.0.0/", "[::1]", "1.2.3.4:80"])
def test_what_is_no_proxy_ends_the_start_with_a_line(tmp_path, value):
    ended = run("martlet-panel", "--data", str(tmp_path / "data"), "--trust-proxy", value)
    assert ended.returncode == 2 and ended.stderr.count("\n") == 1, ended
    assert "is not ADDRESS or ADDRESS/BITS" in ended.stderr, ended


def test_more_proxies_than_there_is_room_for_end_the_start_with_a_line(tmp_path):
    options = [word for number in range(5) for word in ("--trust-proxy", f"10.0.0.{number}")]
    ended = run("martlet-panel", "--data", str(tmp_path / "data"), *options)
    assert ended.returncode == 2 and ended.stderr.count("\n") == 1, ended
    assert "4 times" in ended.stderr, ended
