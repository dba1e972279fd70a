"""Clients that ask for much and read slowly, and check in the end that every answer was whole."""

import selectors
import socket
import time

from client import BadAnswer, parse_response, shortened

RECEIVE_SIZE = 2048  # octets that the kernel takes for a client before it reads
ANSWERS_SIZE = 5_000_000  # more than the kernel keeps for a server that sends (tcp(7), tcp_wmem)


class Reader:
    """Asks for the same page many times on one connection."""

    def __init__(self, address, request, count, receive_size=RECEIVE_SIZE):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if receive_size:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_size)
        self.socket.settimeout(10)
        self.socket.connect(address)
        self.socket.setblocking(False)
        self.unsent = memoryview(request * count)
        self.count = count
        self.received = bytearray()
        self.ended = self.was_reset = False
        self.opened = self.answered = time.monotonic()
        self.events = 0

    def fileno(self):
        return self.socket.fileno()

    def send(self):
        try:
            while len(self.unsent):
                self.unsent = self.unsent[self.socket.send(self.unsent):]
        except BlockingIOError:
            pass
        except OSError:
            self.unsent = self.unsent[:0]  # The server has closed; what it answered can be read.

    def receive(self, size=65536):
        try:
            octets = self.socket.recv(size)
        except BlockingIOError:
            return
        except OSError:
            octets, self.was_reset = b"", True
        self.received += octets
        self.ended = self.ended or not octets
        self.answered = time.monotonic()

    def close(self):
        self.socket.close()


def answers_of(reader):
    """All answers that came, each whole; one that is not is an error."""
    rest, answers = memoryview(bytes(reader.received)), []
    place = 0
    while place < len(rest):
        # Only as much as a head and the largest content have.
        parsed = parse_response(bytes(rest[place:place + 65536]), "GET", False)
        if parsed is None:
            raise BadAnswer(f"after {len(answers)} whole answers the connection "
                            f"{'was reset' if reader.was_reset else 'ended'} within one: "
                            f"{shortened(rest[place:], 200)}")
        answer, used = parsed
        place += used
        answers.append(answer)
    return answers


def run(readers, seconds, until=lambda: False, reads=lambda reader: True, size=65536, pause=0.0):
    """Sends what is unsent, and reads where `reads` says so, until that time or event."""
    end = time.monotonic() + seconds
    with selectors.DefaultSelector() as selector:
        while time.monotonic() < end and not until():
            waiting = False
            for reader in readers:
                events = selectors.EVENT_WRITE if len(reader.unsent) else 0
                if reads(reader) and not reader.ended:
                    events |= selectors.EVENT_READ
                if events != reader.events or (events and reader not in selector.get_map()):
                    if reader in selector.get_map():
                        selector.unregister(reader)
                    if events:
                        selector.register(reader, events)
                    reader.events = events
                waiting = waiting or bool(events)
            if not waiting:
                time.sleep(0.02)
                continue
            for key, events in selector.select(0.1):
                if events & selectors.EVENT_WRITE:
                    key.fileobj.send()
                if events & selectors.EVENT_READ:
                    key.fileobj.receive(size)
            if pause:
                time.sleep(pause)
    for reader in readers:
        reader.events = 0
