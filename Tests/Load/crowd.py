"""The clients that a server has to bear: many connections in one process, none of them waits.

As a script it reads its task from standard input as a line of JSON, works until standard input ends,
and writes what it saw as JSON. Every kind opens a connection anew when the server has closed it.
"""

import json
import os
import resource
import selectors
import socket
import subprocess
import sys
import time

REOPEN_AFTER = 0.2  # seconds between two connections of one member
IP_BIND_ADDRESS_NO_PORT = 24  # <linux/in.h>; Python does not name it


class Member:
    """One connection of the crowd and what it does next."""

    interval = None  # seconds between two calls of `tick`

    def __init__(self, crowd, task):
        self.crowd, self.task = crowd, task
        self.request = task["request"].encode("latin-1")
        self.socket = None
        self.next_tick = 0.0

    def open(self):
        is_ipv6 = ":" in self.task["address"][0]
        self.socket = socket.socket(socket.AF_INET6 if is_ipv6 else socket.AF_INET)
        self.socket.setblocking(False)
        if self.task["source"]:
            self.socket.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
            self.socket.bind((self.task["source"], 0))
        self.prepare()
        self.crowd.note("opened")
        self.begin()
        try:
            self.socket.connect(tuple(self.task["address"]))
        except BlockingIOError:
            pass
        self.watch(selectors.EVENT_WRITE | selectors.EVENT_READ)

    def watch(self, events):
        if self.socket in self.crowd.selector.get_map():
            self.crowd.selector.modify(self.socket, events, self)
        else:
            self.crowd.selector.register(self.socket, events, self)

    def ignore(self):
        if self.socket in self.crowd.selector.get_map():
            self.crowd.selector.unregister(self.socket)

    def close(self, why="closed by the server"):
        if self.socket:
            self.ignore()
            self.socket.close()
            self.socket = None
            self.crowd.note(why)
            self.next_tick = self.crowd.now + REOPEN_AFTER

    def send(self, octets):
        """How many octets the kernel took; none where it is full; closes what is gone."""
        try:
            return self.socket.send(octets)
        except BlockingIOError:
            return 0
        except OSError:
            self.close()
            return 0

    def receive(self):
        """Octets, or nothing where there are none; closes at the end."""
        try:
            octets = self.socket.recv(65536)
        except BlockingIOError:
            return b""
        except OSError:
            self.close()
            return b""
        if not octets:
            self.close()
        return octets

    def prepare(self):
        """Before the connection is opened."""

    def begin(self):
        """A new connection."""

    def ready(self, events):
        """The socket can be written to or read from."""

    def tick(self):
        """`interval` seconds have passed."""


class Slowloris(Member):
    """Sends one octet of a request head a second, and takes what is answered."""

    interval = 1.0

    def begin(self):
        self.place = 0

    def ready(self, events):
        if events & selectors.EVENT_READ and self.receive():
            self.crowd.note("answers")
        if self.socket:
            self.watch(selectors.EVENT_READ)

    def tick(self):
        if self.send(self.request[self.place % len(self.request):][:1]):
            self.place += 1
            self.crowd.note("octets")


class Deaf(Member):
    """Asks as often as the server takes requests, and never reads an answer."""

    interval = 0.5

    def prepare(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)

    def begin(self):
        self.pending = b""

    def ready(self, events):
        self.ask()
        if self.socket:
            self.ignore()  # Full; the next tick tries again.

    def tick(self):
        self.ask()

    def ask(self):
        # Bounded, because a server that takes everything must not keep the others of the crowd back.
        for _ in range(32):
            if not self.socket:
                return
            if not self.pending:
                self.pending = self.request * 16
            sent = self.send(self.pending)
            self.pending = self.pending[sent:]
            self.crowd.note("octets", sent)
            if sent == 0:
                return


class Segments(Deaf):
    """As Deaf, with segments of some octets, so that the server's kernel has much to keep for little;
    a new connection before the server's deadline."""

    lifetime = 9.0
    segment = 400

    def prepare(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, self.segment)

    def begin(self):
        self.pending = self.request * 20
        self.ends = self.crowd.now + self.lifetime

    def ask(self):
        if self.pending:
            self.pending = self.pending[self.send(self.pending):]
        if self.socket and self.ends <= self.crowd.now:
            self.close("closed by itself")


class SmallestSegments(Segments):
    """The smallest that Linux lets a client have."""

    segment = 88


class Flood(Member):
    """Sends requests one after the other without waiting, and reads all answers."""

    def begin(self):
        self.pending = memoryview(self.request * 256)

    def ready(self, events):
        if events & selectors.EVENT_READ:
            octets = self.receive()
            self.crowd.note("answers", octets.count(b"HTTP/1.1 200"))
        if self.socket and events & selectors.EVENT_WRITE:
            self.pending = self.pending[self.send(self.pending):]
            if not len(self.pending):
                self.pending = memoryview(self.request * 256)


class Login(Member):
    """Sends one request, waits for its answer, sends the next."""

    def begin(self):
        self.received = b""
        self.asks = True

    def ready(self, events):
        if self.asks and events & selectors.EVENT_WRITE:
            self.asks = False
            self.started = self.crowd.now
            if self.send(self.request) != len(self.request):
                return
            self.watch(selectors.EVENT_READ)
        if self.socket and events & selectors.EVENT_READ:
            self.received += self.receive()
            head, separator, body = self.received.partition(b"\r\n\r\n")
            if not separator:
                return
            length = int(head.lower().partition(b"content-length:")[2].split(None, 1)[0])
            if len(body) >= length:
                self.crowd.note("answers " + head.split(None, 2)[1].decode("ascii"))
                self.crowd.took.append(self.crowd.now - self.started)
                self.received = b""
                self.asks = True
                if self.socket:
                    self.watch(selectors.EVENT_READ | selectors.EVENT_WRITE)


class Busy(Member):
    """Sends a request every 30 ms, so that its connection never rests."""

    interval = 0.03

    def ready(self, events):
        if events & selectors.EVENT_READ and self.receive():
            self.crowd.note("answers")
        if self.socket:
            self.watch(selectors.EVENT_READ)

    def tick(self):
        self.send(self.request)


class Anew(Login):
    """As Login, on a new connection each time."""

    def ready(self, events):
        super().ready(events)
        if self.socket and self.asks and not self.received:
            self.close("closed by itself")
            self.next_tick = self.crowd.now


class Trickle(Member):
    """Sends one request, then octets of its content without an end, a little at a time, and reads what
    is answered as slowly."""

    interval = 0.1
    portion = 512

    def prepare(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)

    def begin(self):
        self.pending = self.request

    def ready(self, events):
        if events & selectors.EVENT_WRITE and self.pending:
            self.pending = self.pending[self.send(self.pending):]
        if self.socket and not self.pending:
            self.ignore()  # The next tick goes on.

    def tick(self):
        if self.pending:
            return
        if self.request.startswith(b"POST"):
            self.crowd.note("octets sent", self.send(bytes(self.portion)))
            return
        try:
            octets = self.socket.recv(self.portion)
        except BlockingIOError:
            return
        except OSError:
            octets = b""
        self.crowd.note("octets read", len(octets))
        if not octets:
            self.close()


KINDS = {"slowloris": Slowloris, "deaf": Deaf, "flood": Flood, "login": Login, "trickle": Trickle,
         "segments": Segments, "smallest segments": SmallestSegments, "busy": Busy, "anew": Anew}


class Run:
    def __init__(self, task):
        self.selector = selectors.DefaultSelector()
        self.counts, self.took = {}, []
        self.now = time.monotonic()
        self.members = [KINDS[group["kind"]](self, group) for group in task["groups"]
                        for _ in range(group["count"])]

    def note(self, what, count=1):
        self.counts[what] = self.counts.get(what, 0) + count

    def turn(self, last):
        self.now = time.monotonic()
        wait = max(0.0, last - self.now)
        for key, events in self.selector.select(wait):
            self.now = time.monotonic()
            if key.data is None:
                return False
            if key.fileobj is key.data.socket:
                key.data.ready(events)
        return True

    def run(self):
        self.selector.register(sys.stdin.fileno(), selectors.EVENT_READ, None)
        started = False
        while True:
            self.now = time.monotonic()
            soonest = self.now + 1.0
            for member in self.members:
                if member.socket is None:
                    if member.next_tick <= self.now:
                        member.open()
                        member.next_tick = self.now + (member.interval or 0)
                elif member.interval and member.next_tick <= self.now:
                    member.next_tick = self.now + member.interval
                    member.tick()
                if member.socket is None or member.interval:
                    soonest = min(soonest, member.next_tick)
            if not started:
                started = True
                print("started", flush=True)
            if not self.turn(soonest):
                return {"counts": self.counts, "took": self.took,
                        "open": sum(member.socket is not None for member in self.members)}


def main():
    task = json.loads(sys.stdin.readline())
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    if task["cpus"]:
        os.sched_setaffinity(0, task["cpus"])
    # Clients of another machine would not take this one's processor.
    os.nice(10)
    print(json.dumps(Run(task).run()), flush=True)


def group(kind, count, address, request=b"", source=None):
    """Members of a kind; `source` is the address that they come from."""
    return {"kind": kind, "count": count, "address": list(address[:2]), "source": source,
            "request": request.decode("latin-1")}


class Crowd:
    """A crowd at work while the context lasts; `seen` is what it saw, afterwards."""

    def __init__(self, *groups, cpus=()):
        self.task = {"groups": groups, "cpus": sorted(cpus)}
        self.seen = None

    def __enter__(self):
        self.process = subprocess.Popen([sys.executable, __file__], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.process.stdin.write(json.dumps(self.task) + "\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "started\n", "the crowd did not start"
        return self

    def __exit__(self, *_):
        try:
            output, _ = self.process.communicate(timeout=30)
            self.seen = json.loads(output)
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()

    @property
    def told(self):
        return ", ".join(f"{count:,} {what}" for what, count in sorted(self.seen["counts"].items()))


if __name__ == "__main__":
    main()
