"""HTTPS under testssl.sh: nothing of weight but that the authority is not a public one."""

import json

import pytest

from program import RUN, running
from test_tls import client
from tls import Authority


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    yield from running(Authority(tmp_path_factory.mktemp("authority")).start())


# What testssl.sh says of every authority that is not a public one.
EXPECTED = {"cert_chain_of_trust", "cert_revocation"}


@pytest.mark.skipif(bool(RUN), reason="hundreds of handshakes, which take minutes in an emulator")
def test_testssl_finds_nothing(server, tmp_path):
    report = tmp_path / "report.json"
    host, port = server.address
    told = client("testssl", "--quiet", "--color", "0", "--warnings", "off", "--nodns", "min",
                  "--connect-timeout", "5", "--openssl-timeout", "5", "-p", "-S", "-P", "-s", "-f", "-U",
                  "--jsonfile", report, f"{host}:{port}", within=120, check=False)
    findings = json.loads(report.read_text()) if report.exists() else []
    assert len(findings) > 60 and not any(found["severity"] == "FATAL" for found in findings), told
    bad = [found for found in findings if found["severity"] in ("MEDIUM", "HIGH", "CRITICAL")
           and found["id"].split(" ")[0] not in EXPECTED]
    assert not bad, bad
