"""Debian's Prometheus reads panels with a token: two of them, or as many as MARTLET_PANELS says; and its alerts fire.

Shown here: a panel's values are stored as they are meant, and a token that is revoked ends the reading of its own
panel. Twenty panels need no longer than two: some 12 s on two cores. The rules of the documentation are loaded as they
stand there, but for their minutes, which become seconds.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import time
import urllib.parse
import urllib.request

import pytest

from panel import Panel
from test_api import DOCUMENT
from test_panel_sysroots import SYSROOTS

COUNT = int(os.environ.get("MARTLET_PANELS", "2"))
PATIENCE = 30.0

pytestmark = pytest.mark.skipif(not shutil.which("prometheus"), reason="there is no prometheus")


class Prometheus:
    def __init__(self, folder, tokens, rules=None):
        """`tokens`: address of a panel → its token. With rules, all panels are of one job."""
        jobs = []
        for (host, port), token in tokens.items():
            secret = folder / f"token-{port}"
            secret.write_text(token + "\n")
            jobs.append({"job_name": f"panel-{port}", "authorization": {"credentials_file": str(secret)},
                         "static_configs": [{"targets": [f"{host}:{port}"]}]})
        # JSON is YAML.
        config = folder / "prometheus.yml"
        setup = {"global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
                 "scrape_configs": jobs}
        if rules:
            (folder / "rules.yml").write_text(rules)
            setup["rule_files"] = [str(folder / "rules.yml")]
            for job in jobs:
                job["relabel_configs"] = [{"target_label": "job", "replacement": "martlet"}]
        config.write_text(json.dumps(setup))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = "127.0.0.1:{}".format(free.getsockname()[1])
        self.log = open(folder / "log", "wb")
        self.process = subprocess.Popen(
            ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder / 'data'}",
             f"--web.listen-address={self.address}"], stdout=self.log, stderr=self.log)

    def ask(self, path, **query):
        url = f"http://{self.address}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(url, timeout=5) as answer:
            return json.load(answer)["data"]

    def values(self, query):
        """Instance → value."""
        return {row["metric"]["instance"]: float(row["value"][1])
                for row in self.ask("query", query=query)["result"]}

    def wait_for(self, wanted, query):
        end = time.monotonic() + PATIENCE
        while True:
            try:
                found = self.values(query)
            except OSError:
                found = None
            if found and wanted(found):
                return found
            assert self.process.poll() is None, "prometheus has ended"
            if time.monotonic() > end:
                targets = self.ask("targets")["activeTargets"]
                raise AssertionError(f"{query}: {found}; {[target['lastError'] for target in targets]}")
            time.sleep(0.3)

    def end(self):
        self.process.terminate()
        self.process.wait(PATIENCE)
        self.log.close()


def test_prometheus_reads_panels_by_token(tmp_path):
    panels = []
    prometheus = None
    try:
        for i in range(COUNT):
            panels.append(Panel(tmp_path / f"data-{i}", "--hash-time", "1"))
            assert panels[-1].set_up().status == 302
        visitors = [panel.logged_in() for panel in panels]
        tokens = {panel.address: panel.make_token(visitor, scope="metrics", days="0")
                  for panel, visitor in zip(panels, visitors)}
        prometheus = Prometheus(tmp_path, tokens)
        names = {"{}:{}".format(*panel.address) for panel in panels}
        prometheus.wait_for(lambda found: set(found) == names and set(found.values()) == {1.0}, "up")
        kept = prometheus.wait_for(lambda found: set(found) == names, "scrape_samples_scraped")
        after = prometheus.values("scrape_samples_post_metric_relabeling")
        assert all(count > 30 for count in kept.values()) and kept == after
        total = prometheus.values("martlet_memory_total_bytes")
        assert set(total) == names and len(set(total.values())) == 1
        # Rates need two samples.
        prometheus.wait_for(lambda found: all(rate >= 0.5 for rate in found.values()),
                            "rate(martlet_requests_answered_total[10s])")
        types = prometheus.ask("metadata", metric="martlet_network_receive_bytes_total")
        assert types["martlet_network_receive_bytes_total"][0]["type"] == "counter"
        # A token that is revoked ends the reading of its own panel.
        identifier = visitors[0].get("/tokens").text.split('name="revoke" value="')[1][:16]
        assert visitors[0].post("/tokens", {"revoke": identifier}).status == 303
        gone = "{}:{}".format(*panels[0].address)
        found = prometheus.wait_for(lambda found: found[gone] == 0.0, "up")
        assert all(up == 1.0 for name, up in found.items() if name != gone)
        errors = {target["labels"]["instance"]: target["lastError"]
                  for target in prometheus.ask("targets")["activeTargets"]}
        assert "401" in errors[gone] or "429" in errors[gone], errors
        assert not any(token[8:] in panel.program.output() for panel in panels for token in tokens.values())
    finally:
        if prometheus:
            prometheus.end()
        for panel in panels:
            panel.stop()


def test_the_rules_of_the_documentation_fire(tmp_path):
    shown = re.search(r"<!-- rules -->\n\n```yaml\n(.*?)```\n\n<!-- /rules -->", DOCUMENT.read_text(), re.DOTALL)[1]
    checked = tmp_path / "shown.yml"
    checked.write_text(shown)
    promtool = subprocess.run(["promtool", "check", "rules", str(checked)], capture_output=True, text=True, check=False)
    assert promtool.returncode == 0 and "6 rules found" in promtool.stdout, promtool
    rules = re.sub(r"for: (\d+)m", "for: 2s", shown)
    root = tmp_path / "root"
    shutil.copytree(SYSROOTS / "pi-5", root)
    (root / "proc/meminfo").write_text("MemTotal: 1000000 kB\nMemAvailable: 20000 kB\n")
    firmware = root / "sys/devices/platform/soc/soc:firmware"
    firmware.mkdir(parents=True)
    (firmware / "get_throttled").write_text("50004\n")
    full, gone = (Panel(tmp_path / name, "--sysroot", str(tree)) for name, tree in
                  (("full", root), ("gone", SYSROOTS / "pi-5")))
    prometheus = None
    try:
        tokens = {}
        for panel in (full, gone):
            assert panel.set_up().status == 302
            tokens[panel.address] = panel.make_token(panel.logged_in(), scope="metrics", days="0")
        prometheus = Prometheus(tmp_path, tokens, rules)
        names = ["{}:{}".format(*panel.address) for panel in (full, gone)]
        prometheus.wait_for(lambda found: set(found.values()) == {1.0} and len(found) == 2, "up")
        gone.kill()
        end = time.monotonic() + PATIENCE
        wanted = {("MartletMemoryFull", names[0]), ("MartletThrottled", names[0]), ("MartletGone", names[1])}
        while True:
            firing = {(alert["labels"]["alertname"], alert["labels"]["instance"])
                      for alert in prometheus.ask("alerts")["alerts"] if alert["state"] == "firing"}
            if wanted <= firing:
                break
            assert time.monotonic() < end, firing
            time.sleep(0.3)
        assert firing & {("MartletGone", names[0]), ("MartletMemoryFull", names[1])} == set(), firing
        reasons = {alert["labels"]["reason"] for alert in prometheus.ask("alerts")["alerts"]
                   if alert["labels"]["alertname"] == "MartletThrottled"}
        assert reasons == {"throttled"}
    finally:
        if prometheus:
            prometheus.end()
        full.stop()
        gone.kill()
