"""A plain HTTP/1.x client on raw sockets, and the small part of a browser that logins need.

Nothing is repaired on the way: what a test hands over is what goes over the wire, octet for octet,
and an answer that is not well-formed fails the test that asked for it. Every wait has an end.

- `Connection` sends octets and reads answers one by one.
- `converse` sends and receives at the same time until the server closes.
- `CookieJar` follows RFC 6265 as far as Path, Max-Age and order go.
- `Visitor` asks with a jar, one connection a request, so that it speaks to HTTP/1.0 servers too.
"""

import re
import select
import socket
import time
from dataclasses import dataclass, field
from urllib.parse import urlencode

PATIENCE = 5.0  # seconds that any one answer may take

STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([1-9][0-9]{2}) [\t\x20-\x7e\x80-\xff]*\Z")
FIELD_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):"
                        rb"[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*?)[ \t]*\Z")
CHUNK_SIZE = re.compile(rb"[0-9A-Fa-f]{1,8}\Z")


class BadAnswer(AssertionError):
    """What came is not a well-formed HTTP response, or did not come in time."""


def shortened(octets, limit=600):
    """The octets as they would stand in Python, cut in the middle where they are many."""
    octets = bytes(octets)
    if len(octets) <= limit:
        return repr(octets)
    half = limit // 2
    return f"{octets[:half]!r} … {len(octets) - limit} octets more … {octets[-half:]!r}"


@dataclass
class SetCookie:
    """One Set-Cookie line: attribute names in lower case, attributes without a value are ''."""

    name: str
    value: str
    attributes: dict

    @classmethod
    def parse(cls, line):
        pair, *attributes = line.split(";")
        name, separator, value = pair.partition("=")
        if not separator or not name or name != name.strip():
            raise BadAnswer(f"not a set-cookie-string: {line!r}")
        parsed = {}
        for attribute in attributes:
            key, _, content = attribute.strip().partition("=")
            if key.lower() in parsed:
                raise BadAnswer(f"attribute {key} stands twice in {line!r}")
            parsed[key.lower()] = content
        return cls(name, value, parsed)

    @property
    def is_deletion(self):
        return self.attributes.get("max-age") == "0"


@dataclass
class Response:
    """One answer, with the request octets that led to it for messages."""

    status: int
    version: str
    fields: list
    body: bytes = b""
    sent: bytes = b""
    interim: list = field(default_factory=list)
    # Octets of each chunk, and of the whole answer as it came.
    chunks: list = field(default_factory=list)
    size: int = 0

    def all(self, name):
        return [value for key, value in self.fields if key.lower() == name.lower()]

    def one(self, name):
        """The value of a field that may stand at most once, or None."""
        values = self.all(name)
        if len(values) > 1:
            raise BadAnswer(f"{name} stands {len(values)} times\n{self.told}")
        return values[0] if values else None

    @property
    def location(self):
        return self.one("Location")

    @property
    def cookies(self):
        return [SetCookie.parse(line) for line in self.all("Set-Cookie")]

    def cookie(self, name):
        found = [cookie for cookie in self.cookies if cookie.name == name]
        assert len(found) == 1, f"expected one Set-Cookie for {name!r}\n{self.told}"
        return found[0]

    @property
    def allowed(self):
        return {method.strip() for method in (self.one("Allow") or "").split(",") if method.strip()}

    @property
    def text(self):
        return self.body.decode("utf-8")

    @property
    def told(self):
        """What was sent and what came, for an assertion's message."""
        fields = "".join(f"\n        {name}: {value}" for name, value in self.fields)
        return (f"  sent: {shortened(self.sent)}\n"
                f"  came: {self.version} {self.status}{fields}\n"
                f"  body: {shortened(self.body, 300)}")


def parse_response(octets, method, ended):
    """Reads one response from the front of `octets`.

    Returns (response, octets used), or None while there is too little of it.
    """
    end = octets.find(b"\r\n\r\n")
    if end < 0:
        if ended and octets:
            raise BadAnswer(f"the connection ended within a response head: {shortened(octets)}")
        return None
    first, *lines = bytes(octets[:end]).split(b"\r\n")
    matched = STATUS_LINE.match(first)
    if not matched:
        raise BadAnswer(f"not a status line: {shortened(first)}")
    fields = []
    for line in lines:
        parts = FIELD_LINE.match(line)
        if not parts:
            raise BadAnswer(f"not a field line: {shortened(line)}")
        fields.append((parts[1].decode("ascii"), parts[2].decode("latin-1")))
    response = Response(int(matched[1]), first[:8].decode("ascii"), fields)
    start = end + 4
    if response.status < 200 or response.status in (204, 304) or method == "HEAD":
        return response, start
    if response.one("Transfer-Encoding") is not None:
        return parse_chunked(response, octets, start, ended)
    length = response.one("Content-Length")
    if length is None:
        if response.version == "HTTP/1.1" and (response.one("Connection") or "").lower() != "close":
            raise BadAnswer(f"neither Content-Length nor Connection: close\n{response.told}")
        if not ended:
            return None
        response.body = bytes(octets[start:])
        return response, len(octets)
    if not re.fullmatch(r"[0-9]+", length):
        raise BadAnswer(f"not a Content-Length: {length!r}")
    if len(octets) < start + int(length):
        if ended:
            raise BadAnswer(f"the connection ended after {len(octets) - start} of {length} octets "
                            f"of a response body\n{response.told}")
        return None
    response.body = bytes(octets[start:start + int(length)])
    return response, start + int(length)


def parse_chunked(response, octets, start, ended):
    if response.one("Transfer-Encoding") != "chunked" or response.one("Content-Length") is not None:
        raise BadAnswer(f"a response whose framing is in doubt\n{response.told}")
    body = bytearray()
    while True:
        line_end = octets.find(b"\r\n", start)
        if line_end >= 0:
            size = bytes(octets[start:line_end])
            if not CHUNK_SIZE.match(size):
                raise BadAnswer(f"not a chunk size: {size!r}")
            count = int(size, 16)
            chunk_end = line_end + 2 + count
            if len(octets) >= chunk_end + 2:
                if octets[chunk_end:chunk_end + 2] != b"\r\n":
                    raise BadAnswer("a chunk does not end with CRLF")
                body += octets[line_end + 2:chunk_end]
                response.chunks.append(count)
                start = chunk_end + 2
                if count == 0:
                    response.body = bytes(body)
                    return response, start
                continue
        if ended:
            raise BadAnswer(f"the connection ended within a chunked response\n{response.told}")
        return None


class Connection:
    """One connection. Use it as a context manager; leaving it closes the socket."""

    def __init__(self, address, patience=PATIENCE):
        self.address = address
        self.patience = patience
        self.open()

    def open(self):
        self.socket = socket.create_connection(self.address, timeout=self.patience)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sent = bytearray()
        self.received = bytearray()
        self.ended = False

    def reopen(self):
        self.close()
        self.open()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def reset(self):
        """Ends the connection with a reset instead of an orderly close."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.socket.close()

    def send(self, octets):
        self.sent += octets
        self.socket.sendall(octets)
        return self

    def finish_sending(self):
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # The server has closed already; what it answered can still be read.

    def receive(self, within):
        """Waits for octets once. False when none came in time."""
        if self.ended:
            return False
        self.socket.settimeout(max(within, 0.001))
        try:
            octets = self.socket.recv(65536)
        except TimeoutError:
            return False
        except ConnectionError:
            octets = b""
        finally:
            self.socket.settimeout(self.patience)
        self.received += octets
        self.ended = not octets
        return True

    def response_or_end(self, method="GET", within=None):
        """The next final response, or None where the connection ends before one begins."""
        end = time.monotonic() + (self.patience if within is None else within)
        interim = []
        while True:
            parsed = parse_response(self.received, method, self.ended)
            if parsed:
                response, used = parsed
                response.size = used
                del self.received[:used]
                response.sent = bytes(self.sent)
                if response.status < 200:
                    interim.append(response)
                    continue
                response.interim = interim
                return response
            if self.ended:
                return None
            left = end - time.monotonic()
            if left <= 0 or (not self.receive(left) and not self.ended):
                raise BadAnswer(f"no answer in time\n  sent: {shortened(self.sent)}\n"
                                f"  came: {shortened(self.received)}")

    def response(self, method="GET", within=None):
        response = self.response_or_end(method, within)
        if response is None:
            raise BadAnswer(f"closed without an answer\n  sent: {shortened(self.sent)}")
        return response

    def interim_or_final(self, within):
        """The next response of any class, 1xx included."""
        end = time.monotonic() + within
        while True:
            parsed = parse_response(self.received, "GET", self.ended)
            if parsed:
                response, used = parsed
                del self.received[:used]
                response.sent = bytes(self.sent)
                return response
            left = end - time.monotonic()
            if left <= 0 or not self.receive(left) or self.ended and not self.received:
                raise BadAnswer(f"no answer within {within} s\n  sent: {shortened(self.sent)}")

    def is_closed(self, within=None):
        """Whether the server closes, with not one octet more before."""
        end = time.monotonic() + (self.patience if within is None else within)
        while not self.ended and not self.received:
            left = end - time.monotonic()
            if left <= 0 or not self.receive(left):
                break
        return self.ended and not self.received


@dataclass
class Conversation:
    """All that came over one connection until the server closed it."""

    sent: bytes
    responses: list
    closed: bool

    @property
    def statuses(self):
        return [response.status for response in self.responses]

    @property
    def told(self):
        came = "\n".join(f"  came: {r.version} {r.status} {r.fields} {shortened(r.body, 120)}"
                         for r in self.responses) or "  came: nothing"
        return f"  sent: {shortened(self.sent)}\n{came}\n  closed by the server: {self.closed}"


def converse(address, octets, methods=(), within=PATIENCE, finish=False, pause=None):
    """Sends `octets` and reads at the same time, until the server closes or time is up.

    `methods` names the methods of the requests within, so that answers to HEAD are read rightly.
    `finish` ends the sending direction after the last octet. `pause` sends in pieces of
    (octets, seconds between them).
    """
    end = time.monotonic() + within
    unsent = memoryview(bytes(octets))
    piece, rest = pause or (65536, 0.0)
    not_before = 0.0
    received = bytearray()
    ended = False
    sending = True
    with socket.create_connection(address, timeout=PATIENCE) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setblocking(False)
        while not ended and time.monotonic() < end:
            now = time.monotonic()
            writable = sending and len(unsent) and now >= not_before
            wait = min(end - now, max(not_before - now, 0.0) if sending and len(unsent) else 0.25)
            if writable:
                wait = end - now
            readers, writers, _ = select.select([connection], [connection] if writable else [],
                                                [], max(wait, 0.0))
            if readers:
                try:
                    octets_in = connection.recv(65536)
                except ConnectionError:
                    octets_in = b""
                received += octets_in
                ended = not octets_in
            if writers and not ended:
                try:
                    unsent = unsent[connection.send(unsent[:piece]):]
                    not_before = time.monotonic() + rest
                except ConnectionError:
                    sending = False
            if sending and not len(unsent):
                sending = False
                if finish:
                    try:
                        connection.shutdown(socket.SHUT_WR)
                    except OSError:
                        pass  # The server was faster.
    responses = []
    pending = list(methods)
    while received:
        try:
            parsed = parse_response(received, pending[0] if pending else "GET", True)
        except BadAnswer as problem:
            raise BadAnswer(f"{problem}\n  sent: {shortened(octets)}\n  before it: "
                            f"{[response.status for response in responses]}") from None
        response, used = parsed
        del received[:used]
        response.sent = bytes(octets)
        if response.status >= 200:
            responses.append(response)
            pending = pending[1:]
    return Conversation(bytes(octets), responses, ended)


def request(method, target, fields=(), body=None, host="localhost", version="HTTP/1.1"):
    """The octets of one request. Without Host where `host` is None."""
    lines = [f"{method} {target} {version}"]
    if host is not None:
        lines.append(f"Host: {host}")
    lines += [f"{name}: {value}" for name, value in fields]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body or b"")


FORM = ("Content-Type", "application/x-www-form-urlencoded")


def form_request(target, form, fields=(), **options):
    """The octets of one POST with form fields (a dict, pairs, or octets as they are)."""
    body = form if isinstance(form, bytes) else urlencode(form).encode("ascii")
    return request("POST", target, [FORM, *fields], body, **options)


@dataclass
class StoredCookie:
    name: str
    value: str
    path: str
    dies: float


class CookieJar:
    """Cookies of one host. Path follows RFC 6265 §5.1.4: where it is missing, it is the directory
    of the request's path; the most specific path is sent first."""

    def __init__(self):
        self.cookies = []

    def store(self, response, target):
        path = target.partition("?")[0]
        directory = path.rpartition("/")[0] or "/"
        for cookie in response.cookies:
            where = cookie.attributes.get("path", "")
            where = where if where.startswith("/") else directory
            self.cookies = [kept for kept in self.cookies
                            if (kept.name, kept.path) != (cookie.name, where)]
            age = cookie.attributes.get("max-age")
            if age is None or int(age) > 0:
                dies = float("inf") if age is None else time.time() + int(age)
                self.cookies.append(StoredCookie(cookie.name, cookie.value, where, dies))

    def sent_to(self, target):
        path = target.partition("?")[0]
        now = time.time()
        fitting = [cookie for cookie in self.cookies if cookie.dies > now and (
            path == cookie.path or path.startswith(cookie.path.rstrip("/") + "/"))]
        return sorted(fitting, key=lambda cookie: -len(cookie.path))

    def header(self, target):
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.sent_to(target))

    def value(self, name):
        return next((cookie.value for cookie in self.cookies if cookie.name == name), None)

    def plant(self, name, value, path="/"):
        self.drop(name)
        self.cookies.append(StoredCookie(name, value, path, float("inf")))

    def drop(self, name):
        self.cookies = [cookie for cookie in self.cookies if cookie.name != name]


class Visitor:
    """Asks one server, keeps its cookies, follows nothing by itself."""

    def __init__(self, address, patience=PATIENCE, **planted):
        self.address = address
        self.patience = patience
        self.jar = CookieJar()
        for name, value in planted.items():
            self.jar.plant(name, value)

    @property
    def host(self):
        host, port = self.address[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def ask(self, method, target, fields=(), body=None):
        fields = list(fields)
        cookies = self.jar.header(target)
        if cookies:
            fields.append(("Cookie", cookies))
        fields.append(("Connection", "close"))
        with Connection(self.address, self.patience) as connection:
            connection.send(request(method, target, fields, body, host=self.host))
            response = connection.response(method)
        self.jar.store(response, target)
        return response

    def get(self, target, fields=()):
        return self.ask("GET", target, fields)

    def post(self, target, form=(), fields=()):
        body = form if isinstance(form, bytes) else urlencode(form).encode("ascii")
        return self.ask("POST", target, [FORM, *fields], body)


def panel_cookies(port):
    """The names of the panel's session cookie and of its remember cookie."""
    return f"martlet-{port}", f"martlet-{port}-remember"


class PanelJar(CookieJar):
    """The cookies of a panel; `session` and `_remember` stand for its own names."""

    def __init__(self, port):
        super().__init__()
        self.own = dict(zip(("session", "_remember"), panel_cookies(port)))

    def value(self, name):
        return super().value(self.own.get(name, name))

    def drop(self, name):
        super().drop(self.own.get(name, name))

    def plant(self, name, value, path="/"):
        super().plant(self.own.get(name, name), value, path)


class PanelVisitor(Visitor):
    """A visitor of the panel that listens at the port of `address`."""

    def __init__(self, address, patience=PATIENCE, **planted):
        super().__init__(address, patience)
        self.jar = PanelJar(address[1])
        for name, value in planted.items():
            self.jar.plant(name, value)
