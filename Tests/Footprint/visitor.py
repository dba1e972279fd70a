"""A small HTTP client with a cookie jar that keeps its connection where the server does.

Each request goes out in one piece and each answer is read whole, so that a run is like the last
one.
"""

import re
import socket
from dataclasses import dataclass
from urllib.parse import urlencode

PATIENCE = 60.0  # seconds an answer may take; an emulated board hashes a password for some


@dataclass(frozen=True)
class Answer:
    status: int
    head: str
    body: bytes

    def field(self, name):
        found = re.search(rf"^{name}: *(.*?)\r?$", self.head, re.M | re.I)
        return found[1] if found else None


class Visitor:
    def __init__(self, port):
        self.port, self.jar, self.socket = port, {}, None
        self.connection_count = 0

    def ask(self, method, target, form=None):
        lines = [f"{method} {target} HTTP/1.1", "Host: localhost"]
        if self.jar:
            lines.append("Cookie: " + "; ".join(f"{key}={value}"
                                                for key, value in self.jar.items()))
        body = urlencode(form).encode() if form is not None else b""
        if form is not None:
            lines += [
                "Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(body)}"
            ]
        answer = self.exchange("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        for line in re.findall(r"^set-cookie: *(.*?)\r?$", answer.head, re.M | re.I):
            pair, *attributes = line.split(";")
            name, _, value = pair.partition("=")
            self.jar[name] = value
            if any(attribute.strip().lower() == "max-age=0" for attribute in attributes):
                del self.jar[name]
        return answer

    def exchange(self, octets):
        """The answer to these octets, a whole request; neither cookies nor status matter."""
        if self.socket is None:
            self.socket = socket.create_connection(("127.0.0.1", self.port), PATIENCE)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connection_count += 1
        self.socket.sendall(octets)
        return self.receive()

    def expect(self, status, method, target, form=None):
        answer = self.ask(method, target, form)
        if answer.status != status:
            raise RuntimeError(f"{method} {target} was answered {answer.status}, not {status}")
        return answer

    def receive(self):
        octets = b""
        while b"\r\n\r\n" not in octets:
            octets += self.more()
        head, _, body = octets.partition(b"\r\n\r\n")
        answer = Answer(int(head.split(None, 2)[1]), head.decode("latin-1"), b"")
        length = answer.field("Content-Length")
        closes = head.startswith(b"HTTP/1.0") or (answer.field("Connection")
                                                  or "").lower() == "close"
        if (answer.field("Transfer-Encoding") or "").lower() == "chunked":
            return Answer(answer.status, answer.head, self.receive_chunks(body))
        if length is None and not closes:
            raise RuntimeError("an answer without Content-Length on a connection that stays")
        while length is None or len(body) < int(length):
            octets = self.socket.recv(65536)
            if not octets:
                break
            body += octets
        if closes:
            self.close()
        return Answer(answer.status, answer.head, body)

    def receive_chunks(self, octets):
        """The content of an answer in chunks; trailers are not expected."""
        body = b""
        while True:
            while b"\r\n" not in octets:
                octets += self.more()
            line, _, octets = octets.partition(b"\r\n")
            size = int(line, 16)
            while len(octets) < size + 2:
                octets += self.more()
            body += octets[:size]
            octets = octets[size + 2:]
            if size == 0:
                return body

    def more(self):
        octets = self.socket.recv(65536)
        if not octets:
            raise RuntimeError("the server closed the connection without an answer")
        return octets

    def close(self):
        if self.socket:
            self.socket.close()
            self.socket = None
