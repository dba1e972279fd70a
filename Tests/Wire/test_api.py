"""What programs read: `/api/v1`, `/healthz`, and who may read what.

Shown here: every answer is what `/api/v1/openapi.json` says, on every machine of Tests/Sysroots and on one
where every list is full; numbers are those of the machine; errors are problem details; the matrix of who
may open what is that of the documentation.
"""

import json
import re
import shutil
import time
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from client import FORM, Connection, request
from panel import Panel, is_in
from program import SCRIPT, STYLE, run
from test_panel_sysroots import SYSROOTS, TREES, TreePanel
from test_tokens import planted

PATHS = ["system", "memory", "disks", "interfaces", "temperature", "samples", "access"]
DOCUMENT = Path(__file__).resolve().parents[2] / "Sources/Martlet/Martlet.docc/RunningInProduction.md"


@pytest.fixture(scope="module")
def panel(tmp_path_factory):
    panel = Panel(tmp_path_factory.mktemp("api") / "data")
    assert panel.set_up().status == 302
    yield panel
    panel.stop()


@pytest.fixture(scope="module")
def token(panel):
    return panel.make_token(panel.logged_in())


@pytest.fixture(scope="module")
def description(panel, token):
    response = panel.ask("/api/v1/openapi.json", token)
    assert response.status == 200 and response.one("Content-Type") == "application/json", response.told
    return json.loads(response.text)


def closed(schema):
    """The schema, in which no object has a member that is not described."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    schema = {name: closed(part) for name, part in schema.items()}
    if "properties" in schema:
        schema["additionalProperties"] = False
        assert set(schema["required"]) == set(schema["properties"]), schema
    return schema


def fault(description, name, value):
    content, = description["components"]["responses"][name]["content"].values()
    schema = closed(content["schema"])
    Draft202012Validator.check_schema(schema)
    return [f"{error.json_path}: {error.message}" for error in Draft202012Validator(schema).iter_errors(value)]


def read(panel, token, description, path):
    """An answer, held to its description."""
    response = panel.ask(f"/api/v1/{path}", token)
    assert response.status == 200, response.told
    assert response.one("Content-Type") == "application/json" and response.one("Cache-Control") == "no-store"
    value = json.loads(response.text)
    assert not fault(description, path.capitalize(), value), fault(description, path.capitalize(), value)
    return value


# Answers ------------------------------------------------------------------------------------------

def test_the_description_has_every_page_and_no_other(description):
    assert description["openapi"] == "3.1.0"
    assert set(description["paths"]) == {f"/{path}" for path in PATHS} | {"/openapi.json"}
    referred = set(re.findall(r'"#/components/([a-zA-Z/]+)"', json.dumps(description)))
    for name in referred:
        kind, _, item = name.partition("/")
        assert item in description["components"][kind], name
    for item in description["paths"].values():
        assert set(item) == {"get"} and set(item["get"]["responses"]) == {"200", "default"}


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_is_what_the_description_says(panel, token, description, path):
    read(panel, token, description, path)
    by_login = panel.logged_in().get(f"/api/v1/{path}")
    assert by_login.status == 200 and json.loads(by_login.text), by_login.told
    head = panel.ask(f"/api/v1/{path}", token, method="HEAD")
    assert head.status == 200 and head.body == b"" and head.one("Content-Type") == "application/json", head.told


def test_the_description_would_notice_another_answer(description):
    good = {"kind": "token", "name": "x", "scope": "read", "ends": None}
    assert not fault(description, "Access", good)
    for change in ({"kind": "x"}, {"ends": "x"}, {"more": 1}, {"name": None}):
        assert fault(description, "Access", {**good, **change}), change
    assert fault(description, "Access", {"kind": "token"})


@pytest.mark.parametrize("tree", TREES)
def test_machines_that_are_texts(tmp_path, description, tree):
    panel = TreePanel(tmp_path / "data", SYSROOTS / tree)
    try:
        visitor = panel.logged_in()
        token = panel.make_token(visitor)
        page = visitor.get("/").text
        system = read(panel, token, description, "system")
        assert system["hostname"] in page and system["kernel"] in page
        memory = read(panel, token, description, "memory")
        limit = (memory["container"] or {}).get("limit_bytes", memory["total_bytes"])
        assert f'data-kib="{limit // 1024}"' in page
        disks = read(panel, token, description, "disks")
        for disk in disks["disks"]:
            assert disk["mount_point"] in page
            if disk["used_percent"] is not None:
                assert f'{disk["used_percent"]} %' in page
                assert disk["used_bytes"] <= disk["total_bytes"]
        interfaces = read(panel, token, description, "interfaces")
        for interface in interfaces["interfaces"]:
            assert f'<h3>{interface["name"]}' in page
            assert all(f"<li>{address}</li>" in page for address in interface["addresses"])
        temperature = read(panel, token, description, "temperature")
        assert (temperature["celsius"] is None) == ('id="temperature"' not in page)
        if temperature["celsius"] is not None:
            told = float(re.search(r'data-live="temperature">(-?[0-9.]+) °C', page)[1])
            assert abs(told - temperature["celsius"]) <= 0.051
    finally:
        panel.stop()


def test_where_every_list_is_full_of_what_json_escapes_all_of_it_fits(tmp_path, description):
    """Eight disks and ten interfaces with the longest names that there are, of octets that cost most."""
    root = tmp_path / "root"
    nasty = {"quotes": '"' * 250, "slashes": "\\134" * 250, "angles": "<" * 250, "bad": "\udcff" * 250,
             "controls": "\\001" * 250, "plain": "w" * 250}
    for name, word in nasty.items():
        names = [f"{n:02}" + word[:13].replace("\\", "x") for n in range(40)]
        texts = {
            "proc/self/mountinfo": [f"{n} 1 8:{n} / /{n}{word[:1000]} rw - ext4 /dev/{n}{word} rw"
                                    for n in range(40)],
            "proc/sys/kernel/hostname": [word], "proc/device-tree/model": [word],
            "proc/sys/kernel/osrelease": [word],
            "proc/net/dev": [f"{x}: 18446744073709551615 0 0 0 0 0 0 0 18446744073709551615" for x in names],
            "proc/net/if_inet6": [f"20010db81111222233334444{n:04x}{k:04x} 02 40 00 80 {x}"
                                  for n, x in enumerate(names) for k in range(6)],
            "proc/meminfo": ["MemTotal: 18446744073709551 kB"],
            "proc/stat": ["cpu  1 0 0 1", *[f"cpu{n} 1 0 0 1" for n in range(99)]],
            "sys/devices/platform/soc/soc:firmware/get_throttled": ["fffff"],
        }
        for path, lines in texts.items():
            (root / name / path).parent.mkdir(parents=True, exist_ok=True)
            (root / name / path).write_bytes("\n".join(lines).encode("utf-8", "surrogateescape") + b"\n")
        (root / name / "etc").mkdir()
        panel = TreePanel(tmp_path / f"data-{name}", root / name)
        try:
            token = panel.make_token(panel.logged_in())
            assert len(read(panel, token, description, "disks")["disks"]) == 8
            assert len(read(panel, token, description, "interfaces")["interfaces"]) == 10
            read(panel, token, description, "system")
            metrics = panel.ask("/metrics", token)
            assert metrics.status == 200 and len(metrics.body) < 15_872, metrics.told
        finally:
            panel.stop()


def test_a_machine_that_says_nothing(tmp_path, description):
    for folder in ("proc", "sys", "etc"):
        (tmp_path / "root" / folder).mkdir(parents=True)
    panel = TreePanel(tmp_path / "data", tmp_path / "root")
    try:
        token = panel.make_token(panel.logged_in())
        assert read(panel, token, description, "system")["load"] == []
        assert read(panel, token, description, "memory") == {
            "total_bytes": None, "available_bytes": None, "container": None}
        assert read(panel, token, description, "disks")["disks"] == []
        assert read(panel, token, description, "interfaces")["interfaces"] == []
        assert read(panel, token, description, "temperature")["celsius"] is None
        samples = read(panel, token, description, "samples")
        assert samples.pop("interval_seconds") == 5 and samples.pop("cpu_cores_omitted") == 0
        assert samples.pop("cpu_core_usage_ratios") == [] and not any(samples.values()), samples
    finally:
        panel.stop()


def test_samples_are_those_that_the_page_has(tmp_path, description):
    """The same numbers on the page, in JSON and for Prometheus."""
    root = tmp_path / "root"
    shutil.copytree(SYSROOTS / "pi-zero", root)
    (root / "proc/loadavg").write_text("1.25 0.50 0.10 1/200 999\n")
    (root / "proc/meminfo").write_text("MemTotal: 1000000 kB\nMemAvailable: 26900 kB\n")
    (root / "sys/block/sda/device").mkdir(parents=True)
    firmware = root / "sys/devices/platform/soc/soc:firmware"
    firmware.mkdir(parents=True)
    (firmware / "get_throttled").write_text("50005\n")

    def step(number):
        cores = "".join(f"cpu{core} {1000 + 100 * number * core} 0 0 {9000 + 500 * number} 0 0 0 0 0 0\n" for core in range(18))
        (root / "proc/stat").write_text(f"cpu  {1000 + 250 * number} 0 0 {9000 + 750 * number} 0 0 0 0 0 0\n{cores}intr 1\n")
        (root / "proc/diskstats").write_text(f"8 0 sda 1 1 {number * 20480} 1 1 1 0 1 0 1 1\n")

    step(0)
    panel = TreePanel(tmp_path / "data", root)
    try:
        token = panel.make_token(panel.logged_in())
        step(1)
        end = time.monotonic() + 30
        while True:
            samples = read(panel, token, description, "samples")
            # The rate of the disk holds for one sample.
            if samples["cpu_usage_ratio"] and samples["temperature_celsius"] and samples["disk_read_bytes_per_second"]:
                break
            assert time.monotonic() < end, samples
            time.sleep(0.2)
            step(2 + int(30 - end + time.monotonic()))
        metrics = panel.ask("/metrics", token).text
        assert samples["load1"] == 1.25 and samples["memory_usage_ratio"] == 0.9731
        assert samples["memory_used_bytes"] == 1024 * 973_100
        assert 0 < samples["cpu_usage_ratio"] <= samples["cpu_busiest_usage_ratio"] <= 1
        assert len(samples["cpu_core_usage_ratios"]) == 16 and samples["cpu_cores_omitted"] == 2
        assert samples["throttling_active"] == ["under_voltage", "throttled"] == samples["throttling_occurred"]
        assert samples["disk_written_bytes_per_second"] == 0
        for line in ("martlet_memory_usage_ratio 0.9731", "martlet_cpu_cores_omitted 2",
                     'martlet_throttling_active{reason="under_voltage"} 1',
                     'martlet_throttling_active{reason="frequency_capped"} 0',
                     'martlet_throttling_occurred{reason="throttled"} 1'):
            assert f"\n{line}\n" in metrics, metrics
        assert len(re.findall(r'^martlet_cpu_core_usage_ratio\{cpu="\d+"\} [01]\.\d{4}$', metrics, re.MULTILINE)) == 16
        assert len(re.findall(r"^martlet_(?:disk|network)_[a-z]+_bytes_per_second \d+$", metrics, re.MULTILINE)) == 4
    finally:
        panel.stop()


def test_access_says_who_asks(panel, token, description):
    found = read(panel, token, description, "access")
    assert found["kind"] == "token" and found["name"] == "prometheus" and found["ends"] > 1_700_000_000
    found = json.loads(panel.logged_in().get("/api/v1/access").text)
    assert found == {"kind": "account", "name": "admin", "scope": None, "ends": None}


# Errors -------------------------------------------------------------------------------------------

def problem(response, status, description):
    assert response.status == status, response.told
    assert response.one("Content-Type") == "application/problem+json", response.told
    value = json.loads(response.text)
    assert not fault(description, "Problem", value) and value["status"] == status, response.told


def test_errors_are_problem_details(panel, token, description):
    problem(panel.ask("/api/v1/system"), 401, description)
    problem(panel.ask("/api/v1/system", "martlet_" + "a" * 32), 401, description)
    for target in ("/api/v1/nothing", "/api/v1/", "/api/v1", "/api/v2/system", "/api/v1/system/",
                   "/api/v1/" + "x" * 2_000, "/api/v1/disks/0"):
        problem(panel.ask(target, token), 404, description)
        problem(panel.ask(target), 401, description)
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        response = panel.ask("/api/v1/system", token, method=method)
        problem(response, 405, description)
        assert response.allowed == {"GET", "HEAD", "OPTIONS"}, response.told
    assert panel.ask("/api/v1/system", token, method="OPTIONS").status == 200
    response = panel.ask("/api/v1/system")
    assert response.one("WWW-Authenticate") == 'Bearer realm="martlet-panel"' and not response.location
    for wrong in ("martlet_" + "a" * 32, "x"):
        response = panel.ask("/api/v1/system", wrong)
        assert response.one("WWW-Authenticate") == 'Bearer realm="martlet-panel", error="invalid_token"', response.told


def test_a_browser_without_a_login_is_sent_to_the_login_page(panel):
    response = panel.ask("/api/v1/system", fields=[("Accept", "text/html,*/*;q=0.8")])
    assert response.status == 302 and response.location == "/login?next=/api/v1/system", response.told


# Health -------------------------------------------------------------------------------------------

def test_health_is_for_everybody_and_tells_nothing(panel):
    response = panel.ask("/healthz")
    assert response.status == 200 and response.text == "ok\n", response.told
    assert not response.cookies and not response.one("Server")
    assert panel.ask("/healthz", method="HEAD").status == 200
    assert panel.ask("/healthz", method="POST").status == 405


def test_health_before_the_set_up_and_with_damaged_accounts(tmp_path):
    panel = Panel(tmp_path / "data")
    try:
        assert panel.ask("/healthz").status == 200
        panel.set_up()
        token = panel.make_token(panel.logged_in())
        panel.stop()
        for name in ("accounts", "accounts.old"):
            (panel.data / name).write_bytes(b"damaged")
        panel.start()
        response = panel.ask("/healthz")
        assert response.status == 503 and response.text == "not ok\n", response.told
        assert panel.ask("/api/v1/system", token).status in (401, 503)
    finally:
        panel.stop()


def test_health_costs_little_and_strangers_do_not_close_it(panel):
    wrong = [("Authorization", "Bearer martlet_" + "b" * 32)]
    with Connection(panel.address) as connection:
        for _ in range(300):
            connection.send(request("GET", "/healthz", wrong))
            assert connection.response().status == 200
    assert "token_throttled" not in panel.program.output()


# Who may open what --------------------------------------------------------------------------------

ROUTES = ["GET /", "GET /history", "GET /alerts", "GET /alerts/webhook", f"GET {SCRIPT}", "HEAD /live", "POST /alerts",
          "POST /alerts/webhook", "GET /setup", "GET /login", "GET /password", "GET /tokens", "GET /https", "GET /https/trust",
          "GET /https/authority.crt", "GET /https/request.pem", "GET /system", f"GET {STYLE}",
          "GET /healthz", "GET /metrics", *[f"GET /api/v1/{path}" for path in PATHS],
          "GET /api/v1/openapi.json", "GET /api/v1/other", "POST /api/v1/system", "POST /setup", "POST /login",
          "POST /password", "POST /tokens", "POST /https", "POST /system", "POST /logout"]
WHO = ["nobody", "token `metrics`", "token `read`", "ended token", "remembered login", "fresh login"]


def matrix(panel, routes):
    """Route → status for each of WHO. Forms are empty; programs ask with no Accept."""
    metrics, reader, ended = planted(panel, ("m", -9, None, "metrics"), ("r", -9, None), ("e", -9, -1))
    remembered, fresh = panel.logged_in(remember=True), panel.logged_in()
    remembered.jar.drop("session")
    assert is_in(remembered)
    remembered.jar.drop("session")
    return {route: statuses(panel, *route.split(), (metrics, reader, ended), remembered, fresh, i)
            for i, route in enumerate(routes)}


def statuses(panel, method, path, tokens, remembered, fresh, number):
    other = [("X-Forwarded-For", f"192.0.2.{number}")]
    fields = [FORM, *other] if method == "POST" else other
    body = b"" if method == "POST" else None
    bearers = [[], *[[("Authorization", f"Bearer {token}")] for token in tokens]]
    found = [panel.visitor().ask(method, path, [*bearer, *fields], body).status for bearer in bearers]
    for visitor in (remembered, fresh):
        found.append(visitor.ask(method, path, fields, body).status)
        remembered.jar.drop("session")
    return found


def table(found):
    rows = [["request", *WHO], ["---"] + ["--:"] * len(WHO)]
    rows += [[f"`{re.sub('-[0-9a-f]{8}[.]', '-….', route)}`", *map(str, statuses)] for route, statuses in found.items()]
    return "".join("| " + " | ".join(row) + " |\n" for row in rows)


def test_who_may_open_what_is_what_the_documentation_says(tmp_path):
    found = {}
    # A panel for each half: it slows down whoever sends an ended token again and again.
    for half in (ROUTES[::2], ROUTES[1::2]):
        panel = Panel(tmp_path / f"data-{len(found)}")
        try:
            assert panel.set_up().status == 302
            found.update(matrix(panel, half))
        finally:
            panel.stop()
    found = table({route: found[route] for route in ROUTES})
    print(found)
    written = re.search(r"<!-- matrix -->\n\n(.*?)\n<!-- /matrix -->", DOCUMENT.read_text(), re.DOTALL)[1]
    assert found.strip() == written.strip(), found


def test_the_version_is_that_of_the_program(panel, token):
    assert json.loads(panel.ask("/api/v1/system", token).text)["panel_version"] == (
        run("martlet-panel", "--version").stdout.split()[1])
