"""The panel's `/metrics`: Prometheus' text format, and that everything that is counted happens.

Each count is driven once, but for two: the kernel takes a response as a whole, so parts and requests that
wait for a buffer are those of Tests/Faults and of the unit tests.
"""

import contextlib
import re
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from client import Connection, form_request, request
from panel import Panel
from program import RUN, STYLE, Program, command_of, room, run

COUNTERS = {
    "connections_accepted", "connections_evicted", "listener_paused", "descriptors_exhausted",
    "requests_answered", "requests_refused", "requests_queued", "requests_unread",
    "requests_stashed", "requests_turned_away", "sends_partial", "deadlines_passed"}
# What every machine has; others have more.
GAUGES = {"info", "uptime_seconds", "time_seconds", "clock_synchronized", "system_uptime_seconds", "load1",
          "load5", "load15", "processors", "memory_total_bytes", "memory_available_bytes",
          "filesystem_size_bytes", "filesystem_avail_bytes", "filesystem_readonly", "filesystem_silent",
          "filesystems_omitted", "network_up", "networks_omitted", "memory_usage_ratio", "cpu_core_usage_ratio",
          "cpu_cores_omitted"}
# Some want two samples, or a Raspberry Pi.
OPTIONAL = {"cpu_usage_ratio", "cpu_busiest_usage_ratio", "disk_read_bytes_per_second", "disk_written_bytes_per_second",
            "network_receive_bytes_per_second", "network_transmit_bytes_per_second", "throttling_active",
            "throttling_occurred", "processor_limit", "memory_limit_bytes", "memory_limit_used_bytes", "temperature_celsius"}
TOTALS = COUNTERS | {"network_receive_bytes", "network_transmit_bytes"}


@pytest.fixture(scope="module")
def panel(tmp_path_factory):
    panel = Panel(tmp_path_factory.mktemp("metrics") / "data")
    response = panel.set_up()
    assert response.status == 302, response.told
    yield panel
    panel.stop()


@pytest.fixture(scope="module")
def visitor(panel):
    return panel.logged_in()


def counts(visitor):
    """Name without prefix and suffix → count."""
    response = visitor.get("/metrics")
    assert response.status == 200, response.told
    return {name: int(value) for name, value in
            re.findall(r"^martlet_([a-z_]+)_total ([0-9]+)$", response.text, re.MULTILINE)}


@contextlib.contextmanager
def counted(visitor, **wanted):
    """What is done within counts at least so much of each, soon."""
    before = counts(visitor)
    yield
    end = time.monotonic() + 3.0
    while True:
        after = counts(visitor)
        grown = {name: after[name] - before[name] for name in wanted}
        if all(grown[name] >= least for name, least in wanted.items()) or time.monotonic() > end:
            break
        time.sleep(0.05)
    assert all(grown[name] >= least for name, least in wanted.items()), (
        f"counted {grown}, expected at least {wanted}")


# The text -----------------------------------------------------------------------------------------

def test_the_media_type_is_prometheus_own(visitor):
    response = visitor.get("/metrics")
    assert response.one("Content-Type") == "text/plain; version=0.0.4; charset=utf-8"
    assert response.one("Cache-Control") == "no-store"


def test_every_line_is_what_the_format_has(visitor):
    """HELP, TYPE, samples, for each metric once; as the format's own description orders it."""
    text = visitor.get("/metrics").text
    assert text.endswith("\n"), "the last line has its end"
    label = r'[a-z]+="(?:[^"\\\n]|\\["\\n])*"'
    family = (r"# HELP martlet_([a-z0-9_]+) ([A-Z0-9][ -~]+\.)\n# TYPE martlet_\1 (counter|gauge)\n"
              rf"((?:martlet_\1(?:\{{{label}(?:,{label})*\}})? -?[0-9]+(?:\.[0-9]+)?\n)*)")
    assert re.sub(family, "", text) == "", "nothing else stands there"
    found = re.findall(family, text)
    names = [name for name, _, _, _ in found]
    assert len(names) == len(set(names))
    gauges = {name for name, _, kind, _ in found if kind == "gauge"}
    assert GAUGES <= gauges <= GAUGES | OPTIONAL
    assert {name.removesuffix("_total") for name, _, kind, _ in found if kind == "counter"} == TOTALS
    assert all(name.endswith("_total") for name, _, kind, _ in found if kind == "counter")
    for name, _, _, samples in found:
        lines = samples.splitlines()
        assert len({line.rpartition(" ")[0] for line in lines}) == len(lines), "a sample stands once"


def test_prometheus_own_parser_reads_it(visitor):
    families = {family.name: family for family in
                text_string_to_metric_families(visitor.get("/metrics").text)}
    names = {name.removeprefix("martlet_") for name in families}
    assert TOTALS | GAUGES <= names <= TOTALS | GAUGES | OPTIONAL
    for name, family in families.items():
        assert family.documentation.endswith(".")
        assert family.type == ("counter" if name[8:] in TOTALS else "gauge")
    assert families["martlet_info"].samples[0].labels.keys() == {"version"}
    assert run("martlet-panel", "--version").stdout.split()[1] == families[
        "martlet_info"].samples[0].labels["version"]
    sizes = families["martlet_filesystem_size_bytes"].samples
    assert all(sample.labels.keys() == {"mountpoint", "device"} for sample in sizes)
    total = families["martlet_memory_total_bytes"].samples[0].value
    assert total == 1024 * int(re.search(r"MemTotal: +([0-9]+)", Path("/proc/meminfo").read_text())[1])


@pytest.mark.skipif(not shutil.which("promtool"), reason="there is no promtool")
def test_promtool_finds_nothing_to_complain_of(visitor):
    time.sleep(6.0)  # Rates want two samples.
    text = visitor.get("/metrics").text
    assert "martlet_network_receive_bytes_per_second " in text, text
    found = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout, found.stderr) == (0, "", ""), found


def test_nobody_sees_it_without_a_login(panel):
    response = panel.visitor().get("/metrics")
    assert response.status == 401 and response.one("WWW-Authenticate"), response.told
    response = panel.visitor().get("/metrics", [("Accept", "text/html")])
    assert response.status == 302 and response.location.startswith("/login"), response.told


def test_the_uptime_counts_seconds(panel, visitor):
    def uptime():
        return int(re.search(r"^martlet_uptime_seconds ([0-9]+)$", visitor.get("/metrics").text,
                             re.MULTILINE)[1])
    before = uptime()
    time.sleep(2.0)
    assert before + 2 <= uptime() <= before + 4


# What is counted ----------------------------------------------------------------------------------

def test_connections_and_requests_are_counted_exactly(panel, visitor):
    """A visitor has a connection for each request; the request that shows the counts comes after. The
    overview may wait for the disks, and does not come into this."""
    before = counts(visitor)
    for _ in range(7):
        visitor.get("/login")
    with Connection(panel.address) as connection:
        for _ in range(5):
            connection.send(request("GET", "/login")).response()
    after = counts(visitor)
    assert after["connections_accepted"] - before["connections_accepted"] == 7 + 1 + 1
    assert after["requests_answered"] - before["requests_answered"] == 7 + 5 + 1
    for name in COUNTERS - {"connections_accepted", "requests_answered"}:
        assert after[name] == before[name], name


def test_refused_requests(panel, visitor):
    with counted(visitor, requests_refused=3):
        for octets in (b"GET / HTTP/1.1\r\n\r\n", b"\0\r\n\r\n", request("BREW", "/")):
            with Connection(panel.address) as connection:
                assert connection.send(octets).response().status in (400, 501)


def test_deadlines(panel, visitor):
    with counted(visitor, deadlines_passed=1, requests_refused=1):
        with Connection(panel.address) as connection:
            connection.send(b"GET / HTTP/1.1\r\n")
            assert connection.response(within=15.0).status == 408


@pytest.mark.skipif(bool(RUN), reason="the emulator does not say what has not been sent (SIOCOUTQNSD)")
def test_clients_that_do_not_read(panel, visitor):
    with counted(visitor, requests_unread=1):
        with socket.socket() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            connection.connect(panel.address)
            connection.settimeout(1.0)
            with contextlib.suppress(TimeoutError):
                connection.sendall(request("GET", STYLE) * 3000)
            time.sleep(0.2)


def test_unfinished_requests_behind_others(panel, visitor):
    with counted(visitor, requests_stashed=1):
        with Connection(panel.address) as connection:
            connection.send(request("GET", "/login") + b"GET /login HTTP/1.1\r\nHo")
            connection.response()
            time.sleep(0.2)  # It is to be looked at while it is unfinished.
            connection.send(b"st: x\r\n\r\n").response()


def test_requests_turned_away(panel, visitor):
    """More passwords to verify than there is room for. Each from another address, behind a proxy."""
    works = int(re.search(r"passwords hashed at a time +([0-9]+)",
                          run("martlet-panel", "--limits").stdout)[1])
    if room() < 7 * works:
        pytest.skip("there are not more connections than places to wait")
    connections = []
    with counted(visitor, requests_turned_away=1):
        for i in range(6 * works):
            form = {"username": f"nobody{i}", "password": "a wrong password"}
            connections.append(Connection(panel.address, patience=30.0).send(form_request(
                "/login", form, [("X-Forwarded-For", f"192.0.2.{i}")])))
        last = connections[-1].response()
        assert last.status == 503 and last.one("Retry-After"), last.told
    for connection in connections:
        connection.close()


@contextlib.contextmanager
def panel_with_descriptors(folder, count):
    """A panel, set up and logged in to, that may have so many descriptors."""
    class Limited(Panel):
        def start(self):
            self.program = Program(
                ["prlimit", f"--nofile={count}:{count}", *command_of("martlet-panel"), "--listen",
                 "127.0.0.1:0", "--data", str(self.data)], "martlet-panel")

    panel = Limited(folder)
    try:
        assert panel.set_up().status == 302
        yield panel, panel.logged_in()
    except BaseException:
        panel.kill()
        raise
    panel.stop()


@pytest.mark.skipif(not shutil.which("prlimit"), reason="there is no prlimit")
def test_descriptors_that_run_out(tmp_path):
    """Resting clients make room for others; clients in the middle of something do not at once. Fewer
    descriptors than at the start are as if the whole system had none left."""
    if room() < 64:
        pytest.skip("there are fewer connections than descriptors")
    with panel_with_descriptors(tmp_path / "data", 40) as (panel, visitor):
        with counted(visitor, connections_evicted=10):
            resting = [Connection(panel.address) for _ in range(60)]
            time.sleep(0.2)
        for connection in resting:
            connection.close()
        subprocess.run(["prlimit", f"--pid={panel.program.pid}", "--nofile=23:23"], check=True)
        with counted(visitor, descriptors_exhausted=3, connections_evicted=10):
            resting = [Connection(panel.address) for _ in range(60)]
            time.sleep(0.2)
        for connection in resting:
            connection.close()
        with counted(visitor, listener_paused=1):
            busy = [Connection(panel.address).send(b"GET / HT") for _ in range(60)]
            time.sleep(0.3)
            for connection in busy:
                connection.close()
