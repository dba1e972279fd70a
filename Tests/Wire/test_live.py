"""What moves on the panel: values, the last hour and day as plots, and the stream that brings new ones.

Shown here: plots are there without JavaScript, with their values as text and their axes; values are those of the
kernel's texts; a machine that tells nothing has no plots; the stream brings values within seconds, again from
where a reader left off, and ends with the login; watching keeps no login alive; readers are counted, and those
beyond the count are told so; `--history off` records nothing.
"""

import json
import re
import shutil
import time

import pytest

from client import Connection, request
from panel import Panel
from program import SCRIPT, room, run
from test_panel_sysroots import SYSROOTS
from test_sessions import DAY, signed, write

SERIES = ["processors", "busiest", "load", "memory", "temperature", "read", "written", "received", "sent"]
PERIOD = 5.0


@pytest.fixture(scope="module")
def panel(tmp_path_factory):
    panel = Panel(tmp_path_factory.mktemp("live") / "data")
    assert panel.set_up().status == 302
    yield panel
    panel.stop()


class Reader:
    """A reader of the stream, over a connection of its own."""

    def __init__(self, panel, visitor, target="/live", last=None):
        fields = [("Cookie", visitor.jar.header(target.partition("?")[0])), ("Accept", "text/event-stream")]
        fields += [("Last-Event-ID", last)] if last else []
        self.connection = Connection(panel.address)
        self.connection.send(request("GET", target, fields))
        self.ended = False
        while b"\r\n\r\n" not in self.connection.received:
            assert self.connection.receive(5) and not self.connection.ended, self.connection.received
        head, _, self.rest = bytes(self.connection.received).partition(b"\r\n\r\n")
        self.status = int(head.split()[1])
        self.head = head.decode("latin-1")
        self.connection.received.clear()
        self.text = b""
        self.decode(b"")

    def decode(self, octets):
        self.rest += octets
        while (line := self.rest.partition(b"\r\n"))[1]:
            if not re.fullmatch(rb"[0-9A-Fa-f]+", line[0]):
                return
            size = int(line[0], 16)
            if size == 0:
                self.ended = True
                return
            if len(line[2]) < size + 2:
                return
            self.text += line[2][:size]
            self.rest = line[2][size + 2:]

    def read(self, within):
        self.connection.receive(within)
        self.decode(bytes(self.connection.received))
        self.connection.received.clear()

    def events(self, name):
        """(id, data) of the whole events of that type."""
        found = []
        for block in self.text.decode().split("\n\n")[:-1]:
            fields = dict(line.partition(": ")[::2] for line in block.split("\n") if not line.startswith(":"))
            if fields.get("event") == name:
                found.append((fields.get("id"), fields["data"]))
        return found

    def wait_for(self, count, name="values", within=3 * PERIOD):
        end = time.monotonic() + within
        while len(self.events(name)) < count:
            assert time.monotonic() < end and not self.ended, (self.ended, self.text[-600:])
            self.read(0.2)
        return self.events(name)

    def is_over(self, within):
        end = time.monotonic() + within
        while time.monotonic() < end and not self.ended and not self.connection.ended:
            self.read(0.2)
        return self.ended or self.connection.ended

    def close(self):
        self.connection.close()


def figures(html):
    return {name: text for name, text in
            re.findall(r'<figure class="plot card" id="plot-([a-z]+)">(.*?)</figure>', html)}


def live(html, name):
    return re.findall(rf'data-live="{name}">([^<]*)<', html)


# Pages without JavaScript -------------------------------------------------------------------------

def test_plots_are_there_without_scripts(panel):
    visitor = panel.logged_in()
    reader = Reader(panel, visitor)
    reader.wait_for(1)
    reader.close()
    for target, span, first in (("/history", "the last hour", "60 min ago"),
                                ("/history?range=hour", "the last hour", "60 min ago"),
                                ("/history?range=day", "the last day", "24 h ago"),
                                ("/history?range=%00&range=x", "the last hour", "60 min ago")):
        response = visitor.get(target)
        assert response.status == 200, response.told
        found = figures(response.text)
        assert {"processors", "load", "memory"} <= set(found), response.text
        for name in ("processors", "load", "memory"):
            figure = found[name]
            assert figure.count("<svg") == 1 and re.search(r'<path class="a" d="M\d+ \d+h0', figure), figure
            title, told = re.search(r"<title>(.*?)</title><desc>(.*?)</desc>", figure).groups()
            assert span in title and re.search(r"Between .*\d.* and .*\d", told), figure
            assert first in figure and ">now<" in figure, figure
            assert 'role="img"' in figure, figure
        assert "100 %</span><span>0 %</span>" in found["processors"], found["processors"]
        assert re.search(r"\d\.\d\d</span><span>0\.00</span>", found["load"]), found["load"]
        assert "style=" not in response.text and "onclick" not in response.text


def test_values_are_texts_beside_the_plots(panel):
    visitor = panel.logged_in()
    reader = Reader(panel, visitor)
    reader.wait_for(1)
    html = visitor.get("/history").text
    reader.close()
    assert re.fullmatch(r"\d{1,3} %", live(html, "processors")[0]), html
    assert re.fullmatch(r"\d+\.\d\d", live(html, "load")[0]), html
    assert re.fullmatch(r"[\d.]+ [KMG]?i?B/s", live(html, "received")[0]), html
    cores = re.search(r'data-live="cores">([^<]*)<', html)[1]
    assert re.fullmatch(r"((\d+|–), )*(\d+|–) %", cores), cores
    overview = visitor.get("/").text
    for name in ("processors", "load", "memory", "used"):
        assert len(live(overview, name)) == 1, (name, overview)


def core_figures(html):
    return dict(re.findall(r'<figure class="plot card" id="plot-core(\d+)">(.*?)</figure>', html))


def test_each_processor_has_a_plot(tmp_path):
    root = tmp_path / "root"
    shutil.copytree(SYSROOTS / "pi-5", root)
    (root / "proc/stat").write_text(ticks(1000, 9000, cores=20))
    panel = Panel(tmp_path / "data", "--sysroot", str(root))
    most = int(re.search(r"processors with samples +(\d+)", run("martlet-panel", "--limits").stdout)[1])
    try:
        assert panel.set_up().status == 302
        visitor = panel.logged_in()
        reader = Reader(panel, visitor, "/live?plots=hour&of=cores")
        plots = reader.wait_for(most, "plot", within=3)
        assert [re.match(r'<figure class="plot card" id="plot-core(\d+)">', data)[1] for _, data in plots] == [
            str(number) for number in range(most)]
        (root / "proc/new").write_text(ticks(1300, 9700, cores=20))
        (root / "proc/new").rename(root / "proc/stat")
        again = reader.wait_for(3 * most, "plot", within=4 * PERIOD)
        assert any("now <b>30 %</b>" in data for _, data in again[most:]), again
        reader.close()
        for target, span in (("/history?of=cores", "hour"), ("/history?range=day&of=cores", "day")):
            response = visitor.get(target)
            found = core_figures(response.text)
            assert response.status == 200 and list(found) == [str(number) for number in range(most)], response.told
            assert all(f"Processor {number}, the last {span}" in figure for number, figure in found.items())
            assert re.search("now <b>(30 %|unknown)</b>", found["3"]) and "M11" in found["3"], found["3"]
            assert f'data-events="/live?plots={span}&amp;of=cores"' in response.text
            assert f", and 4 more. No plots of {16 - most} of them" in response.text
            assert figures(response.text) == {}
        assert 'href="/history?range=day&amp;of=cores"' in visitor.get("/history?range=day").text
        assert core_figures(visitor.get("/history?of=x").text) == {}
    finally:
        panel.stop()


def test_the_script_is_small_and_kept_for_a_year(panel):
    visitor = panel.logged_in()
    assert f'<script defer src="{SCRIPT}" data-events="/live?plots=hour"></script>' in visitor.get("/history").text
    script = panel.visitor().get(SCRIPT)
    assert script.status == 200 and script.one("Content-Type").startswith("text/javascript")
    assert "max-age=31536000" in script.one("Cache-Control"), script.told
    assert len(script.body) <= 4096
    for target in ("/", "/history", "/login", "/nowhere"):
        policy = visitor.get(target).one("Content-Security-Policy")
        assert "script-src 'self';" in policy and "connect-src 'self';" in policy, policy
        assert "unsafe" not in policy, policy


def test_only_those_who_are_logged_in_see_any_of_it(panel):
    stranger = panel.visitor()
    assert stranger.get("/history").status == 302
    response = stranger.get("/live")
    assert response.status in (302, 401, 403), response.told


# Values are those of the kernel -------------------------------------------------------------------

def ticks(busy, idle, cores=2):
    lines = [f"cpu  {busy * cores} 0 0 {idle * cores} 0 0 0 0 0 0"]
    lines += [f"cpu{number} {busy} 0 0 {idle} 0 0 0 0 0 0" for number in range(cores)]
    return "\n".join([*lines, "intr 1 2 3", ""])


def test_values_are_those_of_the_texts(tmp_path):
    root = tmp_path / "root"
    shutil.copytree(SYSROOTS / "pi-5", root)
    (root / "proc/stat").write_text(ticks(1000, 9000))
    (root / "proc/loadavg").write_text("1.25 0.50 0.10 1/200 999\n")
    names = [path.name for path in (root / "sys/class/net").iterdir() if (path / "device").exists()]
    net = ("Inter-|\n face |\n    lo: 5 0 0 0 0 0 0 0 5 0 0 0 0 0 0 0\n"
           f"  {names[0]}: {{}} 0 0 0 0 0 0 0 {{}} 0 0 0 0 0 0 0\n  veth1: 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n")
    (root / "proc/net/dev").write_text(net.format(10_000, 4_294_967_000))
    (root / "sys/block/sda/device").mkdir(parents=True)
    (root / "sys/block/dm-0").mkdir(parents=True)
    disks = "8 0 sda 1 1 {} 1 1 1 {} 1 0 1 1\n8 1 sda1 1 1 9 1 1 1 9 1 0 1 1\n253 0 dm-0 1 1 {} 1 1 1 9 1 0 1 1\n"
    (root / "proc/diskstats").write_text(disks.format(0, 0, 0))
    panel = Panel(tmp_path / "data", "--sysroot", str(root))
    try:
        assert panel.set_up().status == 302
        visitor = panel.logged_in()
        reader = Reader(panel, visitor)
        reader.wait_for(1)
        # Each in one step, half a period after a sample.
        time.sleep(PERIOD / 2)
        for name, text in (("stat", ticks(1300, 9700)), ("diskstats", disks.format(20_480, 0, 99_999)),
                           ("net/dev", net.format(10_000 + 5 * 1_048_576, 4_294_967_000 + 51_200 - (1 << 32)))):
            (root / "proc" / "new").write_text(text)
            (root / "proc" / "new").rename(root / "proc" / name)
        values = json.loads(reader.wait_for(2)[1][1])
        assert values["processors"] == "30 %" and values["busiest"] == "30 %", values
        assert values["cores"] == "30, 30 %" and values["load"] == "1.25", values
        assert re.fullmatch(r"(1\.0|0\.9) MiB/s|10\d\d KiB/s", values["received"]), values
        assert re.fullmatch(r"(10|9\.\d|10\.\d) KiB/s", values["sent"]), values
        assert re.fullmatch(r"(2\.0|1\.9|2\.1) MiB/s", values["read"]) and values["written"] == "0 B/s", values
        assert re.fullmatch(r"\d+ %", values["memory"]) and re.fullmatch(r"[\d.]+ [MG]iB", values["used"]), values
        # A processor that is switched off is a dash, and its first sample afterwards as well.
        (root / "proc/stat").write_text("cpu  3000 0 0 20000\ncpu0 1500 0 0 10000\n")
        values = json.loads(reader.wait_for(3)[2][1])
        assert re.fullmatch(r"\d+ %", values["cores"]), values
        (root / "proc/stat").unlink()
        (root / "proc/net/dev").unlink()
        (root / "proc/meminfo").write_text("nothing\n")
        values = json.loads(reader.wait_for(4)[3][1])
        assert values["processors"] is None and values["received"] is None and values["memory"] is None, values
        assert visitor.get("/history").status == 200 and visitor.get("/").status == 200
        html = visitor.get("/history").text
        assert live(html, "processors") == ["unknown"], html
        reader.close()
    finally:
        panel.stop()


def test_the_temperature_and_the_throttling_are_read_by_a_child(tmp_path):
    root = tmp_path / "root"
    shutil.copytree(SYSROOTS / "pi-zero", root)
    firmware = root / "sys/devices/platform/soc/soc:firmware"
    firmware.mkdir(parents=True)
    (firmware / "get_throttled").write_text("50005\n")
    panel = Panel(tmp_path / "data", "--sysroot", str(root))
    try:
        assert panel.set_up().status == 302
        visitor = panel.logged_in()
        overview = visitor.get("/").text
        assert "supply voltage too low" in overview, overview
        temperature = live(overview, "temperature")[0]
        reader = Reader(panel, visitor)
        end = time.monotonic() + 4 * PERIOD
        while True:
            values = json.loads(reader.wait_for(len(reader.events("values")) + 1)[-1][1])
            if values["temperature"] or time.monotonic() > end:
                break
        assert values["temperature"] == temperature, values
        assert "temperature" in figures(visitor.get("/history").text)
        (firmware / "get_throttled").write_text("0\n")
        time.sleep(0.3)
        assert "voltage" not in visitor.get("/").text
        reader.close()
    finally:
        panel.stop()


def test_a_machine_that_tells_nothing_has_a_page_all_the_same(tmp_path):
    root = tmp_path / "root"
    for name in ("proc", "sys", "etc"):
        (root / name).mkdir(parents=True)
    panel = Panel(tmp_path / "data", "--sysroot", str(root))
    try:
        assert panel.set_up().status == 302
        visitor = panel.logged_in()
        assert visitor.get("/history").status == 200 and visitor.get("/").status == 200
        reader = Reader(panel, visitor)
        values = json.loads(reader.wait_for(1)[0][1])
        assert all(values[name] is None for name in SERIES), values
        reader.close()
    finally:
        panel.stop()


# The stream ---------------------------------------------------------------------------------------

def test_the_stream_brings_values_within_seconds(panel):
    visitor = panel.logged_in()
    start = time.monotonic()
    reader = Reader(panel, visitor)
    assert reader.status == 200 and "text/event-stream" in reader.head, reader.head
    found = reader.wait_for(2)
    assert time.monotonic() - start < 2 * PERIOD + 2
    assert set(json.loads(found[0][1])) == {*SERIES, "cores", "used", "alerts"}
    assert b"retry: 2000\n\n" in reader.text
    assert reader.events("plot") == []
    reader.close()


@pytest.mark.parametrize("span", ["hour", "day"])
def test_plots_come_with_the_stream_where_the_page_has_them(panel, span):
    visitor = panel.logged_in()
    reader = Reader(panel, visitor, f"/live?plots={span}")
    plots = reader.wait_for(6, "plot", within=3)
    assert [re.match(r'<figure class="plot card" id="plot-([a-z]+)">', data)[1] for _, data in plots] == [
        "processors", "load", "memory", "temperature", "disks", "network"]
    assert all(data.endswith("</figure>") and number is None for number, data in plots)
    count = len(reader.wait_for(7, "plot") if span == "hour" else reader.wait_for(2, "values"))
    assert count >= (7 if span == "hour" else 2)
    if span == "day":
        assert len(reader.events("plot")) == 6
    reader.close()


def test_a_reader_goes_on_behind_the_last_event(panel):
    visitor = panel.logged_in()
    first = Reader(panel, visitor)
    (last, _), *_ = first.wait_for(1)
    first.close()
    watcher = Reader(panel, visitor)
    missed = [number for number, _ in watcher.wait_for(2)]
    second = Reader(panel, visitor, last=last)
    found = [number for number, _ in second.wait_for(2, within=3)]
    assert found[:2] == missed and last not in found, (last, found, missed)
    run_number, _, number = last.partition("-")
    assert [int(text.partition("-")[2]) for text in found] == [int(number) + 1, int(number) + 2]
    # Of another run, or of nobody: all that the ring has.
    for strange in (f"{int(run_number) ^ 1}-{number}", "x", f"{run_number}-99999999999", "0-0"):
        stranger = Reader(panel, visitor, last=strange)
        assert stranger.wait_for(1, within=3), strange
        stranger.close()
    watcher.close()
    second.close()


def test_the_stream_ends_with_the_login(panel):
    visitor, other = panel.logged_in(), panel.logged_in()
    reader = Reader(panel, visitor)
    reader.wait_for(1)
    assert visitor.post("/logout", {}).status in (302, 303)
    assert reader.is_over(within=3)
    assert Reader(panel, visitor).status in (302, 401, 403)
    again = Reader(panel, other)
    assert again.status == 200, again.head
    again.close()


def test_a_session_that_made_room_is_watched_no_longer(panel):
    visitor = panel.logged_in()
    reader = Reader(panel, visitor)
    time.sleep(1.1)  # Moments are seconds.
    for _ in range(8):
        panel.logged_in()
    assert reader.is_over(within=2 * PERIOD)


def unused(panel):
    """Seconds that each session was unused, as the file says."""
    lines = (panel.data / "sessions").read_text().splitlines()[2:-1]
    return [int(line.split()[3]) for line in lines]


def test_watching_is_no_use_of_a_session(tmp_path):
    panel = Panel(tmp_path / "data")
    assert panel.set_up().status == 302
    visitor = panel.logged_in()
    assert visitor.get("/history").status == 200
    for _ in range(3):
        time.sleep(1.4)
        reader = Reader(panel, visitor)
        assert reader.status == 200
        reader.close()
    panel.stop()
    assert max(unused(panel)) >= 4, unused(panel)
    panel.start()
    assert visitor.get("/history").status == 200
    panel.stop()
    assert min(unused(panel)) <= 2, unused(panel)


def test_a_stream_does_not_outlive_its_session(tmp_path):
    panel = Panel(tmp_path / "data")
    assert panel.set_up().status == 302
    visitor = panel.logged_in()
    panel.stop()
    path = panel.data / "sessions"
    lines = path.read_bytes().splitlines(keepends=True)[:-1]
    # All of them were unused for a day but for seven seconds.
    for i in range(2, len(lines)):
        generation, number, _, _, remembered = lines[i].split()
        lines[i] = b" ".join([generation, number, b"90000", b"%d" % (DAY - 7), remembered]) + b"\n"
    write(path, signed(b"".join(lines)))
    panel.start()
    reader = Reader(panel, visitor)
    assert reader.status == 200, reader.head
    assert not reader.is_over(within=2)
    assert reader.is_over(within=7 + 2 * PERIOD)
    assert Reader(panel, visitor).status in (302, 401, 403)
    panel.stop()


def test_watchers_are_counted(tmp_path):
    # A panel without readers of other tests, which would count for a moment.
    panel = Panel(tmp_path / "data")
    assert panel.set_up().status == 302
    limit = int(re.search(r"browsers that watch +(\d+)", run("martlet-panel", "--limits").stdout)[1])
    assert limit == min(16, room() // 4)
    visitor = panel.logged_in()
    readers = [Reader(panel, visitor) for _ in range(limit)]
    assert all(reader.status == 200 for reader in readers)
    refused = Reader(panel, visitor)
    assert refused.status == 503 and "Retry-After" in refused.head, refused.head
    assert visitor.get("/").status == 200
    for reader in readers:
        reader.close()
    end = time.monotonic() + 4 * PERIOD
    while (again := Reader(panel, visitor)).status != 200:
        assert time.monotonic() < end, again.head
        time.sleep(0.5)
    again.close()
    # HEAD begins no stream, so it takes no place.
    for _ in range(2 * limit):
        assert visitor.ask("HEAD", "/live").status == 200
    time.sleep(2 * PERIOD)
    last = Reader(panel, visitor)
    assert last.status == 200, last.head
    last.close()
    panel.stop()


def test_history_off_records_nothing(tmp_path):
    panel = Panel(tmp_path / "data", "--history", "off")
    assert panel.set_up().status == 302
    visitor = panel.logged_in()
    for target in ("/", "/history"):
        response = visitor.get(target)
        assert response.status == 200 and "<script" not in response.text, response.text
    assert "--history off" in visitor.get("/history").text
    assert visitor.get("/live").status == 404
    panel.stop()
    for wrong in (["--history"], ["--history", "maybe"]):
        refused = run("martlet-panel", *wrong)
        assert refused.returncode == 2 and "history" in refused.stderr, refused
    assert "--history" in run("martlet-panel", "--help").stdout


def test_the_memory_of_the_rings_is_stated():
    limits = run("martlet-panel", "--limits").stdout
    samples = int(re.search(r"samples of an hour +(\d+)", limits)[1])
    cores = int(re.search(r"processors with samples +(\d+)", limits)[1])
    assert int(re.search(r"\n +history +(\d+) octets", limits)[1]) == 3 * 9 * 2 * samples + 2 * cores * samples


# Alerts -------------------------------------------------------------------------------------------

FIELDS = ["processors", "load", "memory", "temperature"]


def rules(visitor):
    """What the form says, by the names of its fields."""
    response = visitor.get("/alerts")
    assert response.status == 200, response.told
    return dict((name, value) for name, _, value in
                re.findall(r'<input id="([a-z-]+)" name="[a-z-]+"( value="([^"]*)")?', response.text))


def typed(**changes):
    form = {name: "" for name in FIELDS} | {f"{name}-minutes": "5" for name in FIELDS}
    return form | {name.replace("_", "-"): value for name, value in changes.items()}


def told(html):
    found = re.search(r'<p class="problem live" data-live="alerts" role="status">([^<]*)</p>', html)
    return found[1] if found else ""


@pytest.fixture(scope="module")
def hot(tmp_path_factory):
    """A panel that shows a machine whose memory is full."""
    root = tmp_path_factory.mktemp("root") / "root"
    shutil.copytree(SYSROOTS / "pi-5", root)
    (root / "proc/meminfo").write_text("MemTotal: 1000000 kB\nMemAvailable: 20000 kB\n")
    panel = Panel(tmp_path_factory.mktemp("hot") / "data", "--sysroot", str(root))
    panel.root = root
    assert panel.set_up().status == 302
    yield panel
    panel.stop()


def test_rules_are_stored_and_shown(hot):
    visitor = hot.logged_in()
    assert set(rules(visitor)) == set(typed())
    assert 'href="/alerts"' in visitor.get("/history").text
    response = visitor.post("/alerts", typed(processors="95", load=" 3 ", temperature="80", temperature_minutes="10"))
    assert response.status == 303 and response.location == "/alerts", response.told
    assert "Alerts stored." in visitor.get("/alerts").text
    found = rules(visitor)
    assert (found["processors"], found["load"], found["memory"], found["temperature"]) == ("95", "3", "", "80")
    assert found["temperature-minutes"] == "10" and found["memory-minutes"] == "5"
    hot.restart()
    assert rules(hot.logged_in()) == found
    assert (hot.data / "alerts").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("field, value", [
    ("processors", "100"), ("load", "601"), ("memory", "-1"), ("temperature", "1.5"), ("memory", "<b>\"'"),
    ("memory-minutes", "61"), ("load-minutes", "x"), ("memory", "9" * 4000), ("memory", "%00")])
def test_what_is_wrong_changes_nothing_and_is_shown_again(hot, field, value):
    visitor = hot.logged_in()
    before = rules(visitor)
    response = visitor.post("/alerts", typed(memory="77", processors="66") | {field: value})
    assert response.status == 422, response.told
    assert 'role="alert"' in response.text and 'aria-invalid="true"' in response.text
    if field != "processors":
        assert 'value="66"' in response.text, response.text
    assert "<b>" not in response.text
    assert rules(visitor) == before


def test_a_threshold_needs_its_minutes(hot):
    visitor = hot.logged_in()
    assert visitor.post("/alerts", typed(memory="77", memory_minutes="")).status == 422
    assert visitor.post("/alerts", typed(memory_minutes="0")).status == 303


def test_strangers_and_other_sites_change_nothing(hot):
    visitor = hot.logged_in()
    before = rules(visitor)
    response = hot.visitor().post("/alerts", typed(memory="1"))
    assert response.status in (302, 303) and response.location.startswith("/login"), response.told
    with Connection(hot.address) as connection:
        fields = [("Cookie", visitor.jar.header("/alerts")), ("Origin", "http://evil.example"),
                  ("Content-Type", "application/x-www-form-urlencoded")]
        connection.send(request("POST", "/alerts", fields, b"memory=1&memory-minutes=1"))
        assert connection.response().status == 403
    assert visitor.get("/alerts?memory=1&memory-minutes=1").status == 200
    assert rules(visitor) == before


def test_an_alert_is_raised_and_ends(hot):
    visitor = hot.logged_in()
    assert told(visitor.get("/").text) == ""
    assert visitor.post("/alerts", typed(memory="90", memory_minutes="1")).status == 303
    reader = Reader(hot, visitor)
    time.sleep(60 - 2 * PERIOD)
    assert told(visitor.get("/").text) == ""
    end = time.monotonic() + 4 * PERIOD
    while not (text := told(visitor.get("/").text)):
        assert time.monotonic() < end
        time.sleep(0.5)
    assert re.fullmatch(r"Memory in use above 90 %, for 1 min now\.", text), text
    reader.wait_for(len(reader.events("values")) + 1)
    assert json.loads(reader.events("values")[-1][1])["alerts"] == text
    (hot.root / "proc/meminfo").write_text("MemTotal: 1000000 kB\nMemAvailable: 500000 kB\n")
    time.sleep(PERIOD + 1)
    assert told(visitor.get("/").text) == ""
    reader.close()


def test_damaged_alerts_do_not_keep_the_panel_from_starting(tmp_path):
    panel = Panel(tmp_path / "data")
    assert panel.set_up().status == 302
    visitor = panel.logged_in()
    assert visitor.post("/alerts", typed(memory="90")).status == 303
    panel.stop()
    write(panel.data / "alerts", b"martlet-alerts 1\n\0\xff")
    panel.start()
    assert rules(panel.logged_in())["memory"] == ""
    assert "event=alerts_damaged" in panel.program.output()
    panel.stop()
