"""A client that notes how long each answer takes: a process of its own, so that nothing else of a
test runs in it, on a CPU of its own where there are enough.

As a script it reads its task from standard input as JSON, and writes JSON.
"""

import gc
import json
import os
import random
import socket
import subprocess
import sys
import time
from dataclasses import dataclass

import instructions
from priority import come_first


class Asking:
    """Asks one server the same thing again and again; one connection, or one for each request."""

    def __init__(self, task):
        self.address = tuple(task["address"])
        self.request = task["request"].encode("latin-1")
        self.statuses = task["statuses"]
        self.keeps = task["keeps"]
        self.patience = task["patience"]
        self.clock = instructions.Clock(*task["clock"]) if task["clock"] else time.perf_counter
        self.only_busy = task["only_busy"]
        self.connection = None
        self.latencies, self.problems = [], []

    def is_due(self):
        return not self.only_busy or not self.clock.stands()

    def ask(self):
        start, begun = self.clock(), time.monotonic()
        try:
            if self.connection is None:
                self.connection = socket.create_connection(self.address, self.patience)
                self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connection.sendall(self.request)
            status = self.receive()
            if status not in self.statuses:
                self.problems.append(f"answered {status}")
        except (OSError, ValueError) as problem:
            self.problems.append(f"{problem!r} after {time.monotonic() - begun:.2f} s")
            self.close()
            # A server that answers nothing at all is asked some times a second, not all the time.
            time.sleep(0.05)
        self.latencies.append((self.clock() - start) * 1000)
        if not self.keeps:
            self.close()

    def receive(self):
        octets = self.connection.recv(65536)
        while b"\r\n\r\n" not in octets:
            octets += self.more()
        head, _, body = octets.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].split(None, 1)[0])
        count = len(body)
        while count < length:
            count += len(self.more())
        if b"\r\nconnection: close" in head.lower():
            self.close()
        return int(head.split(None, 2)[1])

    def more(self):
        octets = self.connection.recv(65536)
        if not octets:
            raise ConnectionError("the server closed within an answer")
        return octets

    def close(self):
        if self.connection:
            self.connection.close()
            self.connection = None


def run(task):
    if task["cpus"]:
        os.sched_setaffinity(0, task["cpus"])
    come_first()
    gc.disable()
    askers = [Asking(asker) for asker in task["askers"]]
    end = time.monotonic() + task["seconds"]
    # Turn by turn, so that each sees the same moments of the machine.
    while time.monotonic() < end:
        for asker in askers:
            if asker.is_due():
                asker.ask()
            if task["pause"]:
                # Of any length, so that no request falls into step with what the server does.
                time.sleep(random.uniform(0.5, 1.5) * task["pause"])
    for asker in askers:
        asker.close()
    return [{"latencies": asker.latencies, "problems": asker.problems} for asker in askers]


def asker(address, request, statuses=(200,), keeps=True, patience=15.0, counter=None, only_busy=False):
    """Milliseconds are the machine's, or with a counter those that the program's instructions take on its board; then
    it may be asked only while it is busy, as it always would be on its board.
    """
    return {"address": list(address[:2]), "request": request.decode("latin-1"),
            "statuses": list(statuses), "keeps": keeps, "patience": patience,
            "clock": (str(counter.path), counter.rate) if counter else None,
            "only_busy": only_busy}


@dataclass(frozen=True)
class Answers:
    """Milliseconds of each request, also of those that went wrong, and what went wrong."""

    latencies: list
    problems: list


def measured(askers, seconds, cpus=(), pause=0.0):
    """The answers that each asker got."""
    task = {"askers": askers, "seconds": seconds, "cpus": sorted(cpus), "pause": pause}
    ended = subprocess.run([sys.executable, __file__], input=json.dumps(task), text=True,
                           stdout=subprocess.PIPE, timeout=seconds + 120, check=True)
    return [Answers(**result) for result in json.loads(ended.stdout)]


if __name__ == "__main__":
    json.dump(run(json.load(sys.stdin)), sys.stdout)
