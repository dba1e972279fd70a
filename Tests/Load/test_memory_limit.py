"""The packaged service under its own limits, with clients who make the kernel keep all it can."""

import re
import time

import pytest

import boards
import cgroup
from client import request
from crowd import Crowd, group
from figures import told
from latency import asker, measured
from machine import CROWDED, IS_LONG, MEASURING, own_board, start

UNIT = boards.ROOT / "boards" / "install" / "martlet-panel.service"
SETUP = request("GET", "/setup")
LARGE_FORM = request("POST", "/setup", [("Content-Type", "application/x-www-form-urlencoded"),
                                        ("Content-Length", "16000")])
SECONDS = 60 if IS_LONG else 8
CASES = {
    "120 that pipeline": [("deaf", 120, SETUP)],
    "500 that pipeline": [("deaf", 500, SETUP)],
    "500 with small segments": [("segments", 250, SETUP), ("smallest segments", 250, SETUP)],
    "500 that fill what is not read": [("deaf", 200, LARGE_FORM + b"x" * 15999), ("deaf", 300, SETUP)],
}


def setting(name):
    return re.search(rf"^{name}=(\S+)$", UNIT.read_text(), re.M)[1]


@pytest.fixture(scope="module", autouse=True)
def limits_are_there():
    reason = cgroup.why_not()
    if reason:
        pytest.skip(reason)


@pytest.mark.parametrize("case", CASES)
def test_the_service_stays_alive(case, tmp_path, figure):
    """With the memory and the descriptors that its unit allows, the service bears all who never read."""
    most = int(setting("MemoryMax").rstrip("M")) << 20
    descriptors = int(setting("LimitNOFILE"))
    with cgroup.MemoryLimit(most) as limit:
        program = start(own_board(), "martlet-panel", "--data", str(tmp_path / "data"),
                        before=(*limit.command, "prlimit", f"--nofile={descriptors}:{descriptors}"))
        try:
            groups, number = [], 0
            for kind, count, octets in CASES[case]:
                # Each from an address of its own, so that none of them has to give up its share.
                for _ in range(count):
                    number += 1
                    groups.append(group(kind, 1, program.address, octets,
                                        source=f"127.{30 + number // 250}.{number % 250}.1"))
            crowd = Crowd(*groups, cpus=CROWDED)
            with crowd:
                time.sleep(4)
                answers, = measured([asker(program.address, SETUP, keeps=False, patience=10.0)],
                                    SECONDS, MEASURING, pause=0.05)
            figure(told(answers))
            figure(f"at most {limit.most:,} of {most:,} octets; beside it: {crowd.told}")
            assert program.is_running and limit.killed == 0, "the service was killed"
            assert limit.most < most, "more than the limit"
            assert not answers.problems, told(answers)
        finally:
            program.kill()
