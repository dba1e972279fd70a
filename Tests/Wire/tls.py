"""TLS from the client's side: an authority of the tests' own, connections whose octets a test cuts as it wants, and
hellos that are written field by field.

- `Authority` makes certificates with openssl.
- `Encrypted` is a `Connection` over TLS, by Python's ssl (OpenSSL).
- `Wire` is such a connection whose octets pass through the test, so that the test can send them in pieces, or not.
- `hello` writes a ClientHello, and `answer_to` tells what a server says to octets: a ServerHello, an alert, or nothing.
"""

import os
import socket
import ssl
import struct
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from client import Connection, parse_response, request
from program import PROGRAMS, RUN, Program

SLOWNESS = 6 if RUN else 1  # of an emulated processor
PATIENCE = 10.0 * SLOWNESS
RECORD_SIZE_MAX = 16384
PLACES = {"normal": 16, "small": 8, "tiny": 4}  # MARTLET_TLS_CONNECTIONS by the limits of a board
REPOSITORY = Path(__file__).resolve().parents[2]


def board_name():
    return os.environ.get("MARTLET_BOARD") or PROGRAMS.name


def place_count():
    """How many TLS connections the programs under test have at a time."""
    facts = REPOSITORY / "boards" / board_name() / "board.conf"
    limits = "normal"
    if facts.is_file():
        limits = next((line.split('"')[1] for line in facts.read_text().splitlines()
                       if line.startswith("limits=")), limits)
    return PLACES[limits]


def is_static():
    """Whether the program has the mbedTLS of scripts/sdk, and not that of the system."""
    return b"/ld-" not in (PROGRAMS / "https-example").read_bytes()[:4096]


def has_tls_13():
    """Whether the program's mbedTLS speaks TLS 1.3: that of scripts/sdk and Debian 13's do, Debian 12's does not."""
    return b"libmbedtls.so.14" not in (PROGRAMS / "https-example").read_bytes()


def openssl(*arguments, **options):
    return subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, **options)


class Authority:
    """An authority with a certificate for this machine's addresses: `authority`, `certificate` (with the authority's
    behind it), `key`; each the path of a PEM file."""

    NAMES = "IP:127.0.0.1,IP:::1,DNS:localhost"

    def __init__(self, folder, name="Authority of a test", names=NAMES, days=90):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.name, self.names, self.days = name, names, days
        self.authority, self.authority_key = self.folder / "authority.pem", self.folder / "authority.key"
        self.certificate, self.key = self.folder / "certificate.pem", self.folder / "certificate.key"
        openssl("req", "-x509", *self._new_key(self.authority_key), "-out", self.authority, "-days", days + 1,
                "-subj", f"/CN={name}", "-addext", "basicConstraints=critical,CA:TRUE",
                "-addext", "keyUsage=critical,keyCertSign,cRLSign")
        self.issue()

    @staticmethod
    def _new_key(path):
        return ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", path)

    def issue(self):
        """Makes a new key and a new certificate, in the same files."""
        asked, rules = self.folder / "request.pem", self.folder / "rules"
        rules.write_text(f"subjectAltName={self.names}\nbasicConstraints=critical,CA:FALSE\n"
                         "keyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth\n"
                         "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n")
        openssl("req", "-new", *self._new_key(self.key), "-subj", "/CN=localhost", "-out", asked)
        openssl("x509", "-req", "-in", asked, "-CA", self.authority, "-CAkey", self.authority_key,
                "-CAcreateserial", "-days", self.days, "-extfile", rules, "-out", self.certificate)
        with open(self.certificate, "ab") as chain:
            chain.write(self.authority.read_bytes())

    @property
    def options(self):
        """What tells a program to use the certificate."""
        return ["--tls-certificate", str(self.certificate), "--tls-key", str(self.key)]

    def context(self, version=None, alpn=("http/1.1",)):
        """A context of Python's ssl that trusts this authority and no other."""
        context = ssl.create_default_context(cafile=self.authority)
        # A chain is refused that strict clients of later versions refuse.
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        if version:
            context.minimum_version = context.maximum_version = version
        context.set_alpn_protocols(alpn)
        return context

    def start(self, *arguments, listen="127.0.0.1:0"):
        return Program.start("https-example", "--listen", listen, *self.options, *arguments)


class Encrypted(Connection):
    """A connection over TLS."""

    def __init__(self, address, context, patience=PATIENCE):
        self.context = context
        super().__init__(address, patience)

    def open(self):
        super().open()
        self.socket = self.context.wrap_socket(self.socket, server_hostname="localhost",
                                               suppress_ragged_eofs=False)

    def get(self, target="/login", **options):
        self.send(request("GET", target, **options))
        return self.response()


def ask(address, context, target="/login"):
    """One request on a connection of its own, which the server may not refuse."""
    with Encrypted(address, context) as connection:
        return connection.get(target)


class Wire:
    """TLS whose octets the test carries: `outgoing` waits until `flush` sends it, in pieces of `piece` octets."""

    def __init__(self, address, context, piece=65536, patience=PATIENCE):
        self.socket = socket.create_connection(address, timeout=patience)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname="localhost")
        self.piece = piece
        self.sent_count = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def flush(self, count=None, pause=0.0):
        """Sends what waits, or its first `count` octets; the rest is dropped. Returns how many were sent."""
        octets = self.outgoing.read()[:count]
        for start in range(0, len(octets), self.piece):
            self.socket.sendall(octets[start:start + self.piece])
            if pause:
                time.sleep(pause)
        self.sent_count += len(octets)
        return len(octets)

    def receive(self):
        """Takes octets from the server. Returns whether there were any."""
        octets = self.socket.recv(65536)
        if octets:
            self.incoming.write(octets)
        return bool(octets)

    def _until_done(self, step):
        while True:
            try:
                return step()
            except ssl.SSLWantReadError:
                self.flush()
                if not self.receive():
                    raise ConnectionResetError("the server has closed") from None

    def begin(self):
        """Writes the ClientHello to `outgoing`."""
        try:
            self.tls.do_handshake()
        except ssl.SSLWantReadError:
            pass

    def handshake(self):
        self._until_done(self.tls.do_handshake)
        self.flush()

    def write(self, octets):
        """Encrypts octets, at most a record, and sends them."""
        self.tls.write(octets)
        self.flush()

    def read(self):
        """Octets of the server, decrypted; none where it has said that it is done."""
        try:
            return self._until_done(lambda: self.tls.read(65536))
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return b""

    def response(self, method="GET"):
        octets = bytearray()
        while True:
            parsed = parse_response(octets, method, False)
            if parsed:
                return parsed[0]
            more = self.read()
            if not more:
                raise ConnectionResetError(f"the server has closed after {bytes(octets[:200])!r}")
            octets += more


# Hellos, field by field ----------------------------------------------------------------------------

TLS12, TLS13 = 0x0303, 0x0304
ALERT, HANDSHAKE, APPLICATION, CHANGE_CIPHER_SPEC = 21, 22, 23, 20
SUITES_13 = (0x1301, 0x1303)  # AES-128-GCM, ChaCha20-Poly1305
SUITES_12 = (0xC02B, 0xCCA9)  # ECDHE-ECDSA with the same
P256, X25519 = 23, 29
ECDSA_P256 = 0x0403
RETRY = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")  # RFC 8446 4.1.3
(SERVER_NAME, GROUPS, POINT_FORMATS, SIGNATURES, ALPN, EXTENDED_SECRET, TICKET, VERSIONS, KEY_SHARE,
 RENEGOTIATION) = 0, 10, 11, 13, 16, 23, 35, 43, 51, 0xFF01


def vector(octets, width):
    return len(octets).to_bytes(width, "big") + octets


def numbers(values, width=2):
    return b"".join(value.to_bytes(width, "big") for value in values)


def point():
    """A public point of P-256 that nobody knows the key of."""
    from ecdsa import NIST256p, SigningKey
    return SigningKey.generate(curve=NIST256p).verifying_key.to_string("uncompressed")


@dataclass
class Hello:
    """A ClientHello that every server takes; a test changes what it is about."""

    legacy_version: int = TLS12
    random: bytes = field(default_factory=lambda: os.urandom(32))
    session: bytes = field(default_factory=lambda: os.urandom(32))
    suites: tuple = SUITES_13 + SUITES_12
    compressions: bytes = b"\0"
    extensions: dict = field(default_factory=dict)
    more: bytes = b""  # behind the extensions, within their length
    trailing: bytes = b""  # behind the message's last field

    @classmethod
    def usual(cls, versions=(TLS13, TLS12), shares=None, **changes):
        made = cls(**changes)
        shares = ((P256, point()), ) if shares is None else shares
        made.extensions = {
            GROUPS: vector(numbers((P256, )), 2),
            POINT_FORMATS: vector(b"\0", 1),
            SIGNATURES: vector(numbers((ECDSA_P256, )), 2),
            EXTENDED_SECRET: b"",
            VERSIONS: vector(numbers(versions), 1),
            KEY_SHARE: vector(b"".join(numbers((group, )) + vector(share, 2) for group, share in shares), 2),
        }
        if versions == (TLS12, ):
            del made.extensions[VERSIONS], made.extensions[KEY_SHARE]
        return made

    def body(self):
        extensions = b"".join(numbers((kind, )) + vector(value, 2) for kind, value in self.extensions.items())
        return (numbers((self.legacy_version, )) + self.random + vector(self.session, 1)
                + vector(numbers(self.suites), 2) + vector(self.compressions, 1)
                + vector(extensions + self.more, 2) + self.trailing)

    def message(self):
        return b"\x01" + vector(self.body(), 3)

    def octets(self):
        return record(HANDSHAKE, self.message(), 0x0301)


def record(kind, content, version=TLS12):
    return bytes([kind]) + numbers((version, )) + vector(content, 2)


@dataclass
class Answer:
    """What a server has said: `alert` (a number, or None), the ServerHello's fields where there is one, and whether
    the connection has ended."""

    alert: int | None = None
    version: int | None = None
    suite: int | None = None
    random: bytes = b""
    session: bytes = b""
    compression: int = 0
    extensions: dict = field(default_factory=dict)
    is_over: bool = False

    @property
    def is_hello(self):
        return self.version is not None

    @property
    def is_retry(self):
        return self.random == RETRY


def read_record(connection):
    """(kind, content), or None where the connection ends or nothing more comes."""
    head = read_exactly(connection, 5)
    if head is None:
        return None
    content = read_exactly(connection, struct.unpack(">H", head[3:])[0])
    return None if content is None else (head[0], content)


def read_exactly(connection, count):
    octets = b""
    while len(octets) < count:
        try:
            more = connection.recv(count - len(octets))
        except OSError:
            return None
        if not more:
            return None
        octets += more
    return octets


def parse_server_hello(answer, body):
    answer.version, answer.random = int.from_bytes(body[:2], "big"), body[2:34]
    end = 35 + body[34]
    answer.session = body[35:end]
    answer.suite = int.from_bytes(body[end:end + 2], "big")
    answer.compression, rest = body[end + 2], body[end + 5:]
    while len(rest) >= 4:
        kind, size = struct.unpack(">HH", rest[:4])
        answer.extensions[kind], rest = rest[4:4 + size], rest[4 + size:]
    if VERSIONS in answer.extensions:
        answer.version = int.from_bytes(answer.extensions[VERSIONS], "big")


def next_answer(connection, answer=None):
    """What comes until a ServerHello, an alert or the end."""
    answer = answer or Answer()
    while True:
        found = read_record(connection)
        if found is None:
            answer.is_over = True
            return answer
        kind, content = found
        if kind == ALERT and len(content) == 2:
            answer.alert = content[1]
            answer.is_over = read_record(connection) is None
            return answer
        if kind == HANDSHAKE and content[:1] == b"\x02":
            parse_server_hello(answer, content[4:4 + int.from_bytes(content[1:4], "big")])
            return answer


def answer_to(address, octets, patience=3.0):
    """What a server answers to these octets, at the start of a connection."""
    with socket.create_connection(address, timeout=patience * SLOWNESS) as connection:
        try:
            connection.sendall(octets)
        except OSError:
            pass  # The server was faster.
        return next_answer(connection)
