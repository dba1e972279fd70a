"""The modules under test lie one folder up, and Footprint's beside them."""

import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TESTS / "Bench"), str(TESTS / "Footprint")]

SERVERS = [{
    "key": "floor",
    "name": "floor",
    "remark": "does nothing"
}, {
    "key": "martlet",
    "name": "Martlet",
    "remark": ""
}]


def turn(rate, p99, **errors):
    return {
        "requests": int(rate * 2),
        "rate": rate,
        "p50": 80,
        "p99": p99,
        "processor": 10.0,
        "errors": errors
    }


@pytest.fixture
def results():
    """A run in which every target is just reached."""
    turns = {
        "floor": [turn(1000.0, 100), turn(2000.0, 100), turn(4000.0, 100)],
        "martlet": [turn(950.0, 120), turn(1800.0, 110), turn(4000.0, 200)]
    }
    memory = {"idle": 100_000, "requests": 100_000, "served": 110_000, "resting": 110_000 + 65_536}
    return {
        "machine": {
            "Date": "2026-12-24",
            "Machine": "a PC",
            "Load average before": "0.1",
            "Kernel": "Linux",
            "Martlet": "commit 1234567"
        },
        "rounds": 3,
        "seconds": 2,
        "page_size": 433,
        "servers": SERVERS,
        "load": {f"{way}-{count}": turns
                 for way in ("keep-alive", "close") for count in (1, 8, 64, 512)},
        "tokens": {
            "martlet sign": [200.0, 400.0],
            "martlet verify": [100.0, 200.0],
            "pyjwt sign": [20.0, 40.0],
            "pyjwt verify": [50.0, 50.0],
            "hmac": [400.0, 800.0]
        },
        "tls": {
            key: {
                "1.2": [300.0, 310.0],
                "1.3": [290.0, 300.0],
                "rate": [1000.0, 2000.0],
                "processor": [10.0, 11.0],
                "octets": [2e8, 2e8],
                "memory": {"connections": 16, "idle": 190_000, "used": 200_000, "resting": 400_000,
                           "afterwards": 210_000}
            }
            for key in ("martlet", "nginx")
        },
        "passwords": {
            "martlet instructions": [6e6, 6e6],
            "martlet plain": [1e6, 2e6],
            "hashlib": [2e6, 2e6]
        },
        "start": {
            "floor": [400.0, 500.0, 600.0],
            "martlet": [440.0, 550.0, 9000.0]
        },
        "file": {
            "floor": 25_000,
            "martlet": 76_000
        },
        "memory": {
            "floor": {**memory, "open": 500, "wanted": 500},
            "martlet": {**memory, "open": 500, "wanted": 500}
        },
        "instructions": {
            "tool": "valgrind",
            "servers": {
                "floor": 1000.0,
                "martlet": 5500.0
            },
            "compression": 1000.0,
            "compressions": 4
        }
    }
