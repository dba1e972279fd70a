"""Schemathesis makes requests of /api/v1/openapi.json, good and bad, and holds each answer to it.

Schemathesis brings some twenty packages, so it is not among the requirements: where it is missing, this is
skipped. `.build/python/bin/python -m pip install schemathesis` gets it.
"""

import os
import subprocess
import sys

import pytest

from panel import Panel

pytest.importorskip("schemathesis")
EXAMPLES = os.environ.get("MARTLET_EXAMPLES", "30")


def test_schemathesis_finds_nothing(tmp_path):
    panel = Panel(tmp_path / "data")
    try:
        assert panel.set_up().status == 302
        token = panel.make_token(panel.logged_in())
        description = tmp_path / "openapi.json"
        description.write_text(panel.ask("/api/v1/openapi.json", token).text)
        ended = subprocess.run(
            [sys.executable, "-m", "schemathesis.cli", "run", str(description), "--url",
             f"{panel.origin}/api/v1", "-H", f"Authorization: Bearer {token}", f"--max-examples={EXAMPLES}"],
            capture_output=True, text=True, timeout=600, cwd=tmp_path, check=False)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        assert "Tested: 8" in ended.stdout, ended.stdout
    finally:
        panel.stop()
