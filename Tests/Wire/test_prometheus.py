"""Debian's Prometheus reads panels with a token: two of them, or as many as MARTLET_PANELS says.

Shown here: a panel's values are stored as they are meant, and a token that is revoked ends the reading of its own
panel. Twenty panels need no longer than two: some 12 s on two cores.
"""

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.parse
import urllib.request

import pytest

from panel import Panel

COUNT = int(os.environ.get("MARTLET_PANELS", "2"))
PATIENCE = 30.0

pytestmark = pytest.mark.skipif(not shutil.which("prometheus"), reason="there is no prometheus")


class Prometheus:
    def __init__(self, folder, tokens):
        """`tokens`: address of a panel → its token."""
        jobs = []
        for (host, port), token in tokens.items():
            secret = folder / f"token-{port}"
            secret.write_text(token + "\n")
            jobs.append({"job_name": f"panel-{port}", "authorization": {"credentials_file": str(secret)},
                         "static_configs": [{"targets": [f"{host}:{port}"]}]})
        # JSON is YAML.
        config = folder / "prometheus.yml"
        config.write_text(json.dumps({
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s"}, "scrape_configs": jobs}))
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
