"""What `martlet-panel` says on standard error, for people, the journal and fail2ban.

Shown here: each failed login is one line with time, address, reason and name; no octets that somebody
outside chooses end a line, forge a field or steer a terminal; no password is in any line; a flood is a
few lines and a count; whoever does not read the lines, or closes their descriptor, keeps nobody waiting;
fail2ban bans those who fail and nobody else.
"""

import datetime
import ipaddress
import os
import random
import re
import shutil
import socket
import subprocess
import time
from urllib.parse import quote_from_bytes

import pytest

from client import Connection, Visitor, request
from panel import CODE, NAME, PASSWORD, PATIENCE, Panel
from program import LISTENING, REPOSITORY, RUN, command_of

FILTER = REPOSITORY / "boards" / "install" / "fail2ban" / "martlet-panel.filter"
LINE = re.compile(r'time=(?P<time>\S+) level=(?P<level>error|warning|notice|info) '
                  r'event=(?P<event>[a-z_]+)(?P<fields>(?: [a-z_]+=(?:"(?:[^"\\]|\\.)*"|[^\s"]+))*)')
RATE = 10  # lines of an event in a second


def lines_of(text):
    """All log lines among what was printed, as dictionaries; a line that is none fails the test."""
    found = []
    for line in text.split("\n"):
        if not line.startswith("time="):
            continue
        matched = LINE.fullmatch(line)
        assert matched, f"not a log line: {line!r}"
        fields = dict(re.findall(r' ([a-z_]+)=("(?:[^"\\]|\\.)*"|\S+)', matched["fields"]))
        found.append({**matched.groupdict(), **fields, "line": line})
    return found


def events(panel, name):
    return [line for line in lines_of(panel.program.output()) if line["event"] == name]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    panel = Panel(tmp_path_factory.mktemp("log") / "data")
    response = panel.set_up()
    assert response.status == 302, response.told
    panel.stop()
    return panel.data


@pytest.fixture
def panel(data, tmp_path):
    """A panel that nobody has failed at."""
    shutil.copytree(data, tmp_path / "data")
    panel = Panel(tmp_path / "data")
    yield panel
    panel.stop()


def fail(panel, name=NAME, password="wrong password", address=None):
    fields = [("X-Forwarded-For", address)] if address else []
    if isinstance(name, bytes):
        form = b"username=%s&password=%s" % (quote_from_bytes(name, safe="").encode(),
                                             quote_from_bytes(password.encode()).encode())
    else:
        form = {"username": name, "password": password}
    return panel.visitor().post("/login", form, fields)


# What a line says ---------------------------------------------------------------------------------

def test_a_failed_login_is_a_line(panel):
    before = int(time.time())
    assert fail(panel).status == 422
    line, = events(panel, "login_failed")
    assert line["level"] == "warning"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", line["time"])
    moment = datetime.datetime.strptime(line["time"], "%Y-%m-%dT%H:%M:%S%z").timestamp()
    assert before <= moment <= time.time()
    assert line["fields"] == f' address=127.0.0.1 reason=password name="{NAME}"'


def test_a_name_that_nobody_has(panel):
    assert fail(panel, "nobody").status == 422
    line, = events(panel, "login_failed")
    assert line["reason"] == "name" and line["name"] == '"nobody"'


@pytest.mark.parametrize("address", ["192.0.2.7", "2001:db8::7", "2001:db8:0:1:0:0:0:1", "fe80::1"])
def test_the_address_is_the_client_s(panel, address):
    fail(panel, address=address)
    line, = events(panel, "login_failed")
    assert ipaddress.ip_address(line["address"]) == ipaddress.ip_address(address)
    assert line["address"] == str(ipaddress.ip_address(address))


def test_a_proxy_that_names_nobody_is_no_address(data, tmp_path):
    """A ban of the proxy would shut everybody out. Loopback is left: fail2ban never bans it."""
    shutil.copytree(data, tmp_path / "data")
    panel = Panel.__new__(Panel)
    panel.data = tmp_path / "data"
    from program import Program
    panel.program = Program.start("martlet-panel", "--listen", "127.0.0.1:0", "--data",
                                  str(panel.data), "--trust-proxy", "127.0.0.1",
                                  "--trust-proxy", "192.0.2.0/24")
    fail(panel, address="192.0.2.9")
    panel.stop()
    line, = events(panel, "login_failed")
    assert line["proxy"] == "192.0.2.9" and "address" not in line


def test_who_has_to_wait_is_a_line(panel):
    for _ in range(11):
        response = fail(panel, address="192.0.2.8")
    assert response.status == 429, response.told
    line, = events(panel, "login_throttled")
    assert line["address"] == "192.0.2.8" and line["name"] == f'"{NAME}"'
    assert int(line["wait"]) == int(response.one("Retry-After"))
    assert len(events(panel, "login_failed")) + sum(
        int(line.get("suppressed", 0)) for line in events(panel, "login_failed")) >= 9


def test_set_up_and_passwords(tmp_path):
    panel = Panel(tmp_path / "data")
    assert panel.set_up(code="AAAA-AAAA").status == 422
    assert panel.set_up().status == 302
    visitor = panel.logged_in()
    changed = {"current": "wrong password", "password": "another one 1", "password_again": "another one 1"}
    assert visitor.post("/password", changed).status == 422
    changed["current"] = PASSWORD
    assert visitor.post("/password", changed).status == 303
    panel.stop()
    assert [line["event"] for line in lines_of(panel.program.output())] == [
        "started", "setup_failed", "account_created", "password_failed", "password_changed", "stopped"]
    text = panel.program.output()
    for secret in ("another one 1", "wrong password", PASSWORD, "AAAA-AAAA"):
        assert secret not in text


def test_a_host_that_is_refused(panel):
    with Connection(panel.address) as connection:
        connection.send(request("GET", "/", [("X-Forwarded-For", "192.0.2.7")], host='rebound.example'))
        assert connection.response().status == 421
    line, = events(panel, "host_refused")
    assert line["fields"] == ' address=192.0.2.7 host="rebound.example"'


# What nobody can do with it -----------------------------------------------------------------------

FORGED = [
    b"x\ntime=2026-01-01T00:00:00Z level=warning event=login_failed address=6.6.6.6",
    b"x\r\n<1>boo", b"\x1b[31mred\x1b[0m", b'x" address=6.6.6.6 y="', b"x address=6.6.6.6",
    b"back\\", b'back\\"', b"nul\x00nul", b"\xff\xfe\x80", "größe".encode(), "\u202e\u2028\u0085".encode(),
    b"x\x7f\x9b31m", b"", b" ",
]


@pytest.mark.parametrize("name", FORGED, ids=lambda name: repr(name)[:40])
def test_a_name_stays_within_its_quotes(panel, name):
    assert fail(panel, name[:32], address="192.0.2.7").status == 422
    text = panel.program.output()
    assert re.fullmatch(r"[\n -~]*", text), repr(text)
    line, = events(panel, "login_failed")
    assert line["address"] == "192.0.2.7"
    assert set(re.findall(r" ([a-z_]+)=", re.sub(r'"(?:[^"\\]|\\.)*"', "", line["line"]))) == {
        "level", "event", "address", "reason", "name"}
    typed = re.sub(rb"\\x(..)|\\(.)", lambda found: bytes([int(found[1], 16)]) if found[1] else found[2],
                   line["name"][1:-1].encode())
    # Blanks around a name are nobody's.
    assert typed.strip(b" ") == name[:32].strip(b" ")


@pytest.mark.parametrize("count", [33, 64, 65, 1000, 4000])
def test_a_long_name_is_no_long_line(panel, count):
    fail(panel, b"\xff" * count, address="192.0.2.7")
    line, = events(panel, "login_failed")
    assert len(line["line"]) < 512
    # Its start is there: an empty name would be no trace of what was tried.
    assert line["name"].startswith('"' + r"\xff" * 32)


def test_no_password_is_in_a_line(panel):
    for password in ("a secret that was typed", PASSWORD, PASSWORD + "x"):
        panel.visitor().post("/login", {"username": NAME, "password": password})
    text = panel.program.output()
    assert "a secret" not in text and PASSWORD not in text


# A flood ------------------------------------------------------------------------------------------

def test_a_flood_is_few_lines_and_a_count(tmp_path):
    panel = Panel(tmp_path / "data")
    code = panel.code()
    form = {"code": "AAAA-AAAA", "username": NAME, "password": PASSWORD, "password_again": PASSWORD}
    start = time.monotonic()
    count = 0
    while time.monotonic() < start + 3:
        response = panel.visitor().post("/setup", form, [("X-Forwarded-For", "192.0.2.1")])
        count += response.status in (422, 429)
    elapsed = time.monotonic() - start
    # What was suppressed is told when its second is over.
    time.sleep(1.1)
    panel.stop()
    lines = [line for line in lines_of(panel.program.output()) if line["event"].startswith("setup_")]
    written = [line for line in lines if line["level"] == "warning"]
    # Wrong codes and those who have to wait are two events.
    assert len(written) <= 2 * RATE * (elapsed + 1)
    told = len(written) + sum(int(line.get("suppressed", 0)) for line in lines)
    # The wrong code that ends all others is answered with another status.
    assert count <= told <= count + 1
    assert code not in "".join(line["line"] for line in lines)


# Who does not read --------------------------------------------------------------------------------

def start(folder, **options):
    """A panel with a standard error of the test's own: (process, address, set-up code or None)."""
    process = subprocess.Popen(
        [*command_of("martlet-panel"), "--listen", "127.0.0.1:0", "--data", str(folder)],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, **options)
    told = ""
    while not LISTENING.search(told):
        line = process.stdout.readline()
        assert line, f"the panel ended with {process.wait()}; it printed {told!r}"
        told += line
    code = re.search(CODE, told)
    while not code and not os.listdir(folder).count("accounts"):
        told += process.stdout.readline()
        code = re.search(CODE, told)
    matched = LISTENING.search(told)
    return process, (matched[1], int(matched[2])), code and code[1]


def end(process):
    process.terminate()
    assert process.wait(10) == 0
    process.stdout.close()


def wrong_codes(address, count):
    for _ in range(count):
        form = {"code": "AAAA-AAAA", "username": NAME, "password": PASSWORD, "password_again": PASSWORD}
        Visitor(address, PATIENCE).post("/setup", form)


def test_nobody_waits_for_a_full_pipe(tmp_path):
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    filled = 0
    while True:
        try:
            filled += os.write(writing, b"x" * 4096)
        except BlockingIOError:
            break
    # Another description of the same pipe: the panel's is a blocking one.
    blocking = os.open(f"/proc/self/fd/{writing}", os.O_WRONLY)
    os.close(writing)
    process, address, _ = start(tmp_path / "data", stderr=blocking)
    os.close(blocking)
    began = time.monotonic()
    wrong_codes(address, 5)
    assert time.monotonic() - began < 5
    while filled > 0:
        filled -= len(os.read(reading, filled))
    time.sleep(1.1)
    wrong_codes(address, 1)
    end(process)
    text = os.read(reading, 65536).decode()
    os.close(reading)
    first, *_ = lines_of(text)
    # The line at the start is among them.
    assert int(first["dropped"]) >= 2, text


def test_a_reader_that_is_gone(tmp_path):
    reading, writing = os.pipe()
    process, address, _ = start(tmp_path / "data", stderr=writing)
    os.close(writing)
    os.close(reading)
    wrong_codes(address, 3)
    end(process)


@pytest.mark.skipif(bool(RUN), reason="an emulator has descriptors of its own")
def test_closed_descriptors(tmp_path):
    """No file and no connection gets the number of standard error."""
    process, address, code = start(tmp_path / "data", preexec_fn=lambda: (os.close(2), os.close(0)))
    assert os.readlink(f"/proc/{process.pid}/fd/2") == "/dev/null"
    with socket.create_connection(address) as connection:
        wrong_codes(address, 3)
        connection.settimeout(0.2)
        with pytest.raises(TimeoutError):
            connection.recv(100)
    form = {"code": code, "username": NAME, "password": PASSWORD, "password_again": PASSWORD}
    assert Visitor(address, PATIENCE).post("/setup", form).status == 302
    end(process)
    for path in (tmp_path / "data").iterdir():
        assert b"event=" not in path.read_bytes()


# The journal --------------------------------------------------------------------------------------

@pytest.mark.parametrize("is_journal", [True, False])
def test_levels_as_the_journal_takes_them(tmp_path, is_journal):
    ours, panels = socket.socketpair()
    environment = dict(os.environ)
    environment.pop("JOURNAL_STREAM", None)
    if is_journal:
        environment["JOURNAL_STREAM"] = "8:12345"
    process, address, _ = start(tmp_path / "data", stderr=panels.fileno(), env=environment)
    panels.close()
    wrong_codes(address, 1)
    end(process)
    text = ours.recv(65536).decode()
    ours.close()
    prefixes = [re.match(r"(<\d>)?time=\S+ level=(\w+) ", line).groups() for line in text.splitlines()]
    levels = {"warning": "<4>", "notice": "<5>", "info": "<6>"}
    assert ("warning" in text) and prefixes == [
        (levels[level] if is_journal else None, level) for _, level in prefixes]


def test_a_file_is_no_journal(tmp_path):
    with open(tmp_path / "log", "wb") as log:
        process, address, _ = start(tmp_path / "data", stderr=log,
                                    env={**os.environ, "JOURNAL_STREAM": "8:12345"})
    wrong_codes(address, 1)
    end(process)
    assert (tmp_path / "log").read_text().startswith("time=")


# The text itself ----------------------------------------------------------------------------------

def test_dates_and_addresses(tmp_path):
    """log.c beside Python's calendar and addresses: every leap year's ends, and at random."""
    compiler = shutil.which("clang") or shutil.which("cc")
    if not compiler:
        pytest.skip("no compiler of C on PATH")
    sources = REPOSITORY / "Sources" / "CMartletPlatform"
    (tmp_path / "test.c").write_text(f"""
        #include "{sources}/log.c"
        #include <stdio.h>
        #include <stdlib.h>
        static int64_t seconds;
        int64_t martlet_unix_seconds(void) {{ return seconds; }}
        int64_t martlet_monotonic_milliseconds(void) {{
          static int64_t now;
          return now += 1000;
        }}
        int main(void) {{
          unsigned long long high, low;
          long long wanted;
          while (scanf("%lld %llx %llx", &wanted, &high, &low) == 3) {{
            seconds = wanted;
            martlet_log_begin(6, (const uint8_t *)"test");
            martlet_log_address((const uint8_t *)"address", high, low);
            martlet_log_end();
          }}
        }}""")
    subprocess.run([compiler, "-w", f"-I{sources}/include", "-Dnonnull=", "-o", tmp_path / "test",
                    tmp_path / "test.c"], check=True)
    random.seed(1)
    moments = [0, -1, -(2**63), 253402300799, 253402300800, 951782399, 951782400, 951868800, 4107542400]
    moments += [int(datetime.datetime(year, month, day, 23, 59, 59, tzinfo=datetime.UTC).timestamp())
                for year in (1972, 2000, 2026, 2038, 2096, 2100, 2400)
                for month, day in ((1, 1), (2, 28), (3, 1), (12, 31))]
    moments += [random.randrange(0, 253402300800) for _ in range(300)]
    addresses = ["::", "::1", "1::", "::ffff:192.0.2.1", "1:0:0:2:0:0:0:3", "1:0:0:2:0:0:3:4",
                 "1:0:2:3:4:5:6:7", "fe80::1", "::2:3:4:5:6:7", "1:2:3:4:5:6:7:0", "1:2:3:4:5:6::"]
    addresses += [":".join(f"{random.choice((0, 0, 1, random.getrandbits(16))):x}" for _ in range(8))
                  for _ in range(300)]
    asked = ""
    for i in range(max(len(moments), len(addresses))):
        number = int(ipaddress.IPv6Address(addresses[i % len(addresses)]))
        asked += f"{moments[i % len(moments)]} {number >> 64:x} {number & (1 << 64) - 1:x}\n"
    lines = subprocess.run([tmp_path / "test"], input=asked, text=True, check=True,
                           stderr=subprocess.PIPE).stderr.splitlines()
    assert len(lines) == asked.count("\n")
    for i, line in enumerate(lines):
        moment = moments[i % len(moments)]
        moment = moment if 0 < moment < 253402300800 else 0
        when = datetime.datetime.fromtimestamp(moment, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        address = ipaddress.IPv6Address(addresses[i % len(addresses)])
        address = address.ipv4_mapped or address
        assert line == f"time={when} level=info event=test address={address}"


# fail2ban -----------------------------------------------------------------------------------------

def need_fail2ban():
    if not shutil.which("fail2ban-regex") or not shutil.which("fail2ban-server"):
        pytest.skip("fail2ban is not installed; scripts/setup test installs it")


def test_fail2ban_finds_failures_and_nothing_else(panel, tmp_path):
    need_fail2ban()
    fail(panel, address="192.0.2.7")
    fail(panel, "nobody", address="2001:db8::7")
    for name in FORGED:
        fail(panel, name[:32], address="192.0.2.66")
    panel.log_in(panel.visitor())
    log = tmp_path / "log"
    log.write_text(panel.program.output())
    found = subprocess.run(["fail2ban-regex", "--verbose", log, FILTER], capture_output=True, text=True,
                           check=True, env={**os.environ, "TZ": "UTC"}).stdout
    hosts = set(re.findall(r"^\|\s+([0-9a-f.:]+)  \w{3} \w{3} ", found, re.MULTILINE))
    assert hosts == {"192.0.2.7", "2001:db8::7", "192.0.2.66"}, found


@pytest.mark.parametrize("prefix", [
    "", "board martlet-panel[17]: ", "Nov 28 06:52:24 board martlet-panel[17]: ",
    "2026-11-28T06:52:24.123456+00:00 board martlet-panel[17]: "])
def test_fail2ban_reads_journals_and_files(tmp_path, prefix):
    need_fail2ban()
    log = tmp_path / "log"
    good = 'level=warning event=login_failed address=192.0.2.7 reason=password name="admin"'
    other = ('level=warning event=login_failed proxy=192.0.2.1 reason=name name="x level=warning '
             'event=login_failed address=6.6.6.6 reason=x"')
    log.write_text("".join(f"{prefix}time=2026-11-28T06:52:24Z {line}\n" for line in (good, other)))
    found = subprocess.run(["fail2ban-regex", "--verbose", log, FILTER], capture_output=True, text=True,
                           check=True, env={**os.environ, "TZ": "UTC"}).stdout
    assert "1 matched" in found and "192.0.2.7  " in found and "6.6.6.6  " not in found, found


def test_fail2ban_bans_who_goes_on(data, tmp_path):
    """A server of fail2ban's on the log of a panel that runs, with an action that only notes."""
    need_fail2ban()
    shutil.copytree(data, tmp_path / "data")
    folder = tmp_path / "fail2ban"
    for name in ("action.d", "filter.d", "jail.d", "fail2ban.d"):
        (folder / name).mkdir(parents=True)
    shutil.copy(FILTER, folder / "filter.d" / "martlet-panel.conf")
    jail = (FILTER.parent / "martlet-panel.jail").read_text()
    (folder / "jail.d" / "martlet-panel.conf").write_text(jail)
    (folder / "jail.d" / "own.conf").write_text(
        f"[martlet-panel]\nenabled = true\nbackend = polling\nlogpath = {tmp_path}/log\n"
        f"maxretry = 3\naction = note\n")
    (folder / "action.d" / "note.conf").write_text(
        f"[Definition]\nactionban = echo <ip> >> {tmp_path}/banned\nactionunban = true\n")
    (folder / "jail.conf").write_text("[DEFAULT]\nignoreself = true\nusedns = no\n")
    (folder / "fail2ban.conf").write_text(
        "[DEFAULT]\nloglevel = INFO\nlogtarget = STDOUT\nsyslogsocket = auto\ndbfile = None\n"
        "dbpurgeage = 1d\ndbmaxmatches = 10\n[Definition]\n")
    log = tmp_path / "log"
    with open(log, "wb") as file:
        process, address, _ = start(tmp_path / "data", stderr=file)
    server = subprocess.Popen(
        ["fail2ban-server", "-xf", "-c", folder, "-s", f"{tmp_path}/socket", "-p", f"{tmp_path}/pid",
         "start"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        def try_as(client, name, count):
            for _ in range(count):
                Visitor(address, PATIENCE).post("/login", {"username": name, "password": "wrong"},
                                                [("X-Forwarded-For", client)])

        try_as("192.0.2.50", "x address=6.6.6.6 reason=x", 4)
        try_as("192.0.2.51", NAME, 1)
        try_as("127.0.0.1", NAME, 4)
        banned = tmp_path / "banned"
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and not banned.exists():
            time.sleep(0.1)
        time.sleep(1)
        assert banned.exists() and banned.read_text() == "192.0.2.50\n"
    finally:
        server.terminate()
        told = server.communicate(timeout=20)[0]
        print(told)
        end(process)
