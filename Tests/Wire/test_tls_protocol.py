"""HTTPS against peers that break the protocol, field by field: what tlsfuzzer's scripts try for all that is offered.

A wrong hello ends with the alert that the RFC names (RFC 5246 section 7.2, RFC 8446 section 6), or with the end of the
connection; never with a session, and never with a server that does not go on. Messages after the hello are sent by
tlslite-ng, which lets a test change what it sends.
"""

import contextlib
import os
import socket
import time

import pytest

from client import request
from program import running
from tls import (ALERT, ALPN, APPLICATION, CHANGE_CIPHER_SPEC, ECDSA_P256, EXTENDED_SECRET, GROUPS, HANDSHAKE, KEY_SHARE,
                 P256, RENEGOTIATION, SERVER_NAME, SIGNATURES, SLOWNESS, SUITES_12, SUITES_13, TICKET, TLS12, TLS13,
                 VERSIONS, X25519, Authority, Hello, answer_to, ask, has_tls_13, is_static, next_answer, numbers, point,
                 read_record, record, vector)

UNEXPECTED, BAD_MAC, OVERFLOW, HANDSHAKE_FAILURE, ILLEGAL, DECODE, VERSION = 10, 20, 22, 40, 47, 50, 70
FALLBACK, MISSING, NO_PROTOCOL, DECRYPT = 86, 109, 120, 51
DOWNGRADE = b"DOWNGRD\x01"  # RFC 8446 4.1.3


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def server(authority):
    yield from running(authority.start())


@pytest.fixture(autouse=True)
def goes_on(server, authority):
    yield
    assert server.is_running, server.output()
    assert ask(server.address, authority.context()).status == 200


needs_13 = pytest.mark.skipif(not has_tls_13(), reason="Debian 12's mbedTLS has no TLS 1.3")
needs_p256_only = pytest.mark.skipif(not is_static(), reason="Debian's mbedTLS takes X25519 as well")


def both(hello):
    """A hello for TLS 1.2 and 1.3, and the hello for TLS 1.2 only."""
    yield hello(Hello.usual())
    yield hello(Hello.usual(versions=(TLS12, )))


def refused(server, hello, *alerts):
    octets = hello if isinstance(hello, bytes) else hello.octets()
    answer = answer_to(server.address, octets)
    assert not answer.is_hello and (answer.alert in alerts or answer.alert is None and answer.is_over), answer
    assert answer.is_over, answer


# Hellos that are right -----------------------------------------------------------------------------

@needs_13
def test_the_newest_version_is_chosen(server):
    answer = answer_to(server.address, Hello.usual().octets())
    assert answer.version == TLS13 and answer.suite in SUITES_13 and not answer.is_retry
    answer = answer_to(server.address, Hello.usual(versions=(0x0305, 0x7A7A, TLS13, TLS12)).octets())
    assert answer.version == TLS13, "versions that nobody knows are passed over"


def test_tls_1_2_and_how_a_downgrade_is_told(server):
    answer = answer_to(server.address, Hello.usual(versions=(TLS12, )).octets())
    assert answer.version == TLS12 and answer.suite in SUITES_12
    assert EXTENDED_SECRET in answer.extensions, "RFC 7627"
    assert answer.random.endswith(DOWNGRADE) == has_tls_13()
    secure = Hello.usual(versions=(TLS12, ))
    secure.suites += (0x00FF, )
    assert answer_to(server.address, secure.octets()).extensions.get(RENEGOTIATION) == b"\0", "RFC 5746"


@needs_p256_only
def test_a_share_of_another_group_leads_to_one_retry(server):
    for shares in [(), ((X25519, os.urandom(32)), ), ((0x7A7A, b"\0"), )]:
        hello = Hello.usual(shares=shares)
        hello.extensions[GROUPS] = vector(numbers((0x7A7A, X25519, P256)), 2)
        with socket.create_connection(server.address, 3 * SLOWNESS) as connection:
            connection.sendall(hello.octets())
            answer = next_answer(connection)
            assert answer.is_retry and answer.extensions[KEY_SHARE] == numbers((P256, )), answer
            hello.extensions[KEY_SHARE] = vector(numbers((P256, )) + vector(point(), 2), 2)
            connection.sendall(hello.octets())
            answer = next_answer(connection)
            assert answer.version == TLS13 and not answer.is_retry, answer
    # No second retry, whatever is sent.
    hello = Hello.usual(shares=())
    with socket.create_connection(server.address, 3 * SLOWNESS) as connection:
        connection.sendall(hello.octets())
        assert next_answer(connection).is_retry
        connection.sendall(hello.octets())
        answer = next_answer(connection)
        assert not answer.is_hello, answer


@needs_13
def test_what_a_server_must_pass_over(server):
    """GREASE (RFC 8701), names, protocols, padding, and extensions that nobody knows."""
    hello = Hello.usual()
    hello.suites = (0x0A0A, 0x00FF) + hello.suites
    hello.extensions |= {0x1A1A: b"", 0x2A2A: b"x", 21: b"\0" * 500, 0xFFFE: os.urandom(2000),
                         SERVER_NAME: vector(b"\0" + vector(b"device.example", 2), 2),
                         ALPN: vector(vector(b"h2", 1) + vector(b"\x0a\x0a", 1) + vector(b"http/1.1", 1), 2),
                         TICKET: os.urandom(200), 45: b"\1\1", 5: b"\1\0\0\0\0", 18: b"", 28: b"\x40\1", 27: b"\2\0\2"}
    answer = answer_to(server.address, hello.octets())
    assert answer.version == TLS13 and TICKET not in answer.extensions, answer


@pytest.mark.parametrize("size", [0, 1, 2, 31, 32])
def test_any_session_id(server, size):
    session = os.urandom(size)
    answer = answer_to(server.address, Hello.usual(versions=(TLS12, ), session=session).octets())
    assert answer.version == TLS12 and (not size or answer.session != session), "no session is resumed"
    if has_tls_13():
        answer = answer_to(server.address, Hello.usual(session=session).octets())
        assert answer.version == TLS13 and answer.session == session, "RFC 8446 4.1.3: echoed"


def test_a_ticket_of_any_octets_is_passed_over(server):
    hello = Hello.usual(versions=(TLS12, ))
    hello.extensions[TICKET] = os.urandom(180)
    answer = answer_to(server.address, hello.octets())
    assert answer.version == TLS12 and TICKET not in answer.extensions


# Hellos that are wrong -----------------------------------------------------------------------------

@pytest.mark.parametrize("version", [0x0000, 0x0002, 0x0300, 0x0301, 0x0302])
def test_old_versions(server, version):
    hello = Hello.usual(versions=(TLS12, ), legacy_version=version)
    refused(server, hello, VERSION)
    if has_tls_13():
        refused(server, Hello.usual(versions=(version, )), VERSION, HANDSHAKE_FAILURE)


def test_ssl_2(server):
    refused(server, b"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10\x01\x00\x80" + b"\0" * 40, *range(256))


@pytest.mark.parametrize("suites", [(0x002F, 0x0035, 0x000A), (0xC02F, 0x009C), (0x0005, ), (0xC023, 0xC009, 0xC00A),
                                    (0x1302, 0xC02C), (0x00FF, ), (0xC0AC, ), ()])
def test_no_suite_in_common(server, suites):
    for hello in both(lambda hello: hello):
        hello.suites = suites
        refused(server, hello, HANDSHAKE_FAILURE, DECODE, ILLEGAL)


@needs_13
def test_suites_of_the_other_version(server):
    hello = Hello.usual(versions=(TLS13, ))
    hello.suites = SUITES_12
    refused(server, hello, HANDSHAKE_FAILURE, ILLEGAL)
    hello = Hello.usual(versions=(TLS12, ))
    hello.suites = SUITES_13
    refused(server, hello, HANDSHAKE_FAILURE)


@needs_13
def test_a_fallback_that_nobody_needed(server):
    """mbedTLS 3 does not know TLS_FALLBACK_SCSV (RFC 7507); its random number tells a client of TLS 1.3 as much."""
    hello = Hello.usual(versions=(TLS12, ))
    hello.suites += (0x5600, )
    answer = answer_to(server.address, hello.octets())
    assert answer.alert == FALLBACK or answer.random.endswith(DOWNGRADE), answer


def test_no_compression_method(server):
    for hello in both(lambda hello: hello):
        hello.compressions = b""
        refused(server, hello, ILLEGAL, DECODE, HANDSHAKE_FAILURE)


@pytest.mark.parametrize("compressions", [b"\1", b"\1\1", b"\1\0"])
def test_nothing_is_compressed(server, compressions):
    answer = answer_to(server.address, Hello.usual(versions=(TLS12, ), compressions=compressions).octets())
    assert not answer.is_hello or answer.compression == 0


@needs_13
def test_tls_1_3_with_compression(server):
    hello = Hello.usual(versions=(TLS13, ), compressions=b"\1\0")
    refused(server, hello, ILLEGAL)


@needs_13
@pytest.mark.parametrize("missing, alerts", [
    (GROUPS, (MISSING, HANDSHAKE_FAILURE)), (SIGNATURES, (MISSING, HANDSHAKE_FAILURE)),
    (KEY_SHARE, (MISSING, HANDSHAKE_FAILURE)),
])
def test_tls_1_3_without_an_extension(server, missing, alerts):
    hello = Hello.usual(versions=(TLS13, ))
    del hello.extensions[missing]
    refused(server, hello, *alerts)


def test_no_group_in_common(server):
    for hello in both(lambda hello: hello):
        hello.extensions[GROUPS] = vector(numbers((0x0100, 0x001E)), 2)
        if KEY_SHARE in hello.extensions:
            hello.extensions[KEY_SHARE] = vector(b"", 2)
            # TLS 1.2 is no way out, because its groups are the same.
        refused(server, hello, HANDSHAKE_FAILURE, ILLEGAL)


def test_no_signature_in_common(server):
    for hello in both(lambda hello: hello):
        hello.extensions[SIGNATURES] = vector(numbers((0x0201, 0x0203, 0x0807)), 2)
        with socket.create_connection(server.address, 3 * SLOWNESS) as connection:
            connection.sendall(hello.octets())
            answer = next_answer(connection)
            # In TLS 1.3 the signature comes behind the ServerHello: at most an alert and the end come instead.
            assert answer.version == TLS13 or answer.alert == HANDSHAKE_FAILURE, answer
            rest = b""
            while more := connection.recv(65536):
                rest += more
            assert len(rest) < 300


@pytest.mark.parametrize("names", [[b"h2"], [b"spdy/3"], [b"HTTP/1.1"], [b"http/1.10", b"http/1."]])
def test_no_application_protocol_in_common(server, names):
    for hello in both(lambda hello: hello):
        hello.extensions[ALPN] = vector(b"".join(vector(name, 1) for name in names), 2)
        refused(server, hello, NO_PROTOCOL)


@pytest.mark.parametrize("kind, values", [
    (ALPN, [b"", b"\0", vector(b"", 2), vector(b"\0", 2), vector(b"\x09http/1.", 2)]),
    (GROUPS, [b"", b"\0", b"\0\2\0", b"\0\3\0\x17\0", b"\xff\xff\0\x17"]),
    (SIGNATURES, [b"", b"\0", b"\0\0", b"\0\2\4", b"\0\3\4\3\4", b"\xff\xff\4\3"]),
    (VERSIONS, [b"", b"\0", b"\1\3", b"\xff\3\4"]),
    (KEY_SHARE, [b"", b"\0", b"\0\4\0\x17\0\x41", b"\0\5\0\x17\0\0\4", b"\xff\xff\0\x17"]),
])
def test_an_extension_that_is_cut_off(server, kind, values):
    if kind in (VERSIONS, KEY_SHARE) and not has_tls_13():
        pytest.skip("an extension of TLS 1.3")
    for value in values:
        hello = Hello.usual(versions=(TLS13, ) if kind in (VERSIONS, KEY_SHARE) else (TLS13, TLS12))
        hello.extensions[kind] = value
        refused(server, hello, DECODE, ILLEGAL, HANDSHAKE_FAILURE, VERSION, MISSING)


@needs_13
@pytest.mark.parametrize("share", [
    b"", b"\0", b"\4", b"\4" + b"\0" * 64, b"\4" + b"\xff" * 64, b"\2" + b"\1" * 32, b"\5" + b"\1" * 64,
    b"\4" + b"\1" * 63, b"\4" + b"\1" * 65,
], ids=lambda share: f"{len(share)}-{share[:1].hex()}")
def test_a_point_that_is_not_on_the_curve(server, share):
    refused(server, Hello.usual(versions=(TLS13, ), shares=((P256, share), )), ILLEGAL, DECODE, HANDSHAKE_FAILURE)


def test_an_extension_twice(server):
    for hello in both(lambda hello: hello):
        hello.more = numbers((SIGNATURES, )) + vector(vector(numbers((ECDSA_P256, )), 2), 2)
        answer = answer_to(server.address, hello.octets())
        # mbedTLS does not refuse all of these; a session must not differ by it.
        assert answer.is_hello or answer.alert in (ILLEGAL, DECODE), answer


def test_every_part_of_a_hello(server):
    """A hello whose message says that it ends earlier than it does."""
    for hello in both(lambda hello: hello.body()):
        for count in [*range(0, len(hello), 7), len(hello) - 1]:
            octets = record(HANDSHAKE, b"\x01" + vector(hello[:count], 3), 0x0301)
            answer = answer_to(server.address, octets)
            # TLS 1.2 allows a hello without extensions: the record ends behind the compressions.
            assert answer.is_over or answer.version == TLS12, (count, answer)


def test_every_octet_flipped(server):
    """Nothing is asserted but that each connection ends or gets an answer, and that the server goes on."""
    for whole in both(lambda hello: hello.octets()):
        for i in range(0, len(whole), SLOWNESS):
            octets = bytearray(whole)
            octets[i] ^= 0x80 if i % 2 else 0x01
            with socket.create_connection(server.address, 5 * SLOWNESS) as connection:
                begin = time.monotonic()
                with contextlib.suppress(OSError):
                    connection.sendall(octets)
                    connection.shutdown(socket.SHUT_WR)
                    while connection.recv(65536):
                        pass
                assert time.monotonic() - begin < 4 * SLOWNESS, i


# Records -------------------------------------------------------------------------------------------

HELLO = Hello.usual(versions=(TLS12, ), random=b"\1" * 32)


@pytest.mark.parametrize("octets, alerts", [
    (record(HANDSHAKE, b""), (UNEXPECTED, DECODE)),
    (record(ALERT, b""), (UNEXPECTED, DECODE)),
    (record(ALERT, b"\1"), (UNEXPECTED, DECODE)),
    (record(ALERT, b"\2\x28"), ()),
    (record(APPLICATION, b"GET / HTTP/1.1\r\n\r\n"), (UNEXPECTED, )),
    (record(CHANGE_CIPHER_SPEC, b"\1"), (UNEXPECTED, )),
    (record(CHANGE_CIPHER_SPEC, b"\2"), (UNEXPECTED, ILLEGAL)),
    (record(24, b"\1\0\3abc"), (UNEXPECTED, )),  # heartbeat, RFC 6520
    (record(99, b"\0"), (UNEXPECTED, )),
    (bytes([HANDSHAKE]) + b"\3\1\xff\xff" + b"\1" * 0xFFFF, (OVERFLOW, DECODE, UNEXPECTED)),
    (bytes([HANDSHAKE]) + b"\3\1\x41\x01" + b"\1" * 0x4101, (OVERFLOW, DECODE, UNEXPECTED)),
    (bytes([HANDSHAKE]) + b"\x09\x09\0\1\1", (VERSION, DECODE, UNEXPECTED)),
    (record(HANDSHAKE, b"\x02" + HELLO.message()[1:]), (UNEXPECTED, HANDSHAKE_FAILURE)),  # a ServerHello
    (record(HANDSHAKE, b"\x14\0\0\x0c" + b"\0" * 12), (UNEXPECTED, HANDSHAKE_FAILURE)),  # Finished
    (record(HANDSHAKE, b"\x00\0\0\0"), (UNEXPECTED, HANDSHAKE_FAILURE)),  # HelloRequest
    (record(HANDSHAKE, b"\x01\xff\xff\xff" + b"\0" * 100), (DECODE, UNEXPECTED, ILLEGAL, HANDSHAKE_FAILURE)),
], ids=lambda value: value[:9].hex() if isinstance(value, bytes) else "")
def test_a_first_record_that_is_no_hello(server, octets, alerts):
    answer = answer_to(server.address, octets, patience=12)
    assert not answer.is_hello and answer.is_over and (answer.alert is None or answer.alert in alerts), answer


@pytest.mark.parametrize("octets", [
    record(CHANGE_CIPHER_SPEC, b"\1"),  # CVE-2014-0224: before the keys
    record(APPLICATION, b"GET /login HTTP/1.1\r\nHost: a\r\n\r\n"),
    record(HANDSHAKE, b"\x14\0\0\x0c" + b"\0" * 12),
    record(HANDSHAKE, HELLO.message()),
    record(HANDSHAKE, b"\x10\0\0\0"), record(HANDSHAKE, b"\x10\0\0\1\0"),
    record(HANDSHAKE, b"\x10\0\0\x42\x41\4" + b"\0" * 64),  # a point that is not on the curve
    record(HANDSHAKE, b"\x10\0\0\x42\x41\4" + b"\xff" * 64),
    record(HANDSHAKE, b"\x10\0\0\2\1\0"),  # the point at infinity
    record(HANDSHAKE, b"\x0b\0\0\3\0\0\0"),  # a client's certificate, which nobody has asked for
    record(24, b"\1\x40\0"),  # CVE-2014-0160
], ids=lambda octets: octets[:9].hex())
def test_the_wrong_message_after_the_hello(server, octets):
    with socket.create_connection(server.address, 3 * SLOWNESS) as connection:
        connection.sendall(HELLO.octets())
        assert next_answer(connection).version == TLS12
        connection.sendall(octets)
        # The rest of the server's flight, and then the end.
        end = time.monotonic() + 5 * SLOWNESS
        alerts = []
        while (found := read_record(connection)) and time.monotonic() < end:
            kind, content = found
            assert kind in (HANDSHAKE, ALERT), found
            if kind == ALERT:
                alerts.append(content[1])
        assert time.monotonic() < end and len(alerts) <= 1
        assert not set(alerts) - {UNEXPECTED, ILLEGAL, DECODE, HANDSHAKE_FAILURE, BAD_MAC}, alerts


def test_many_records_without_content(server):
    """Empty records, warnings and changes of the cipher cost a turn each, and not the server."""
    for one in (record(HANDSHAKE, b""), record(ALERT, b"\1\0"), record(ALERT, b"\1\x5a"), record(CHANGE_CIPHER_SPEC, b"\1")):
        for before in (b"", HELLO.octets()):
            with socket.create_connection(server.address, 3 * SLOWNESS) as connection:
                with contextlib.suppress(OSError):
                    connection.sendall(before + one * 5000)
                with contextlib.suppress(OSError):
                    while connection.recv(65536):
                        pass


def test_a_hello_in_pieces(server):
    """A ClientHello over several records: put together, or refused (mbedTLS before 3.6.6, and where the head of the
    message has no room in the first record)."""
    for hello in (HELLO, Hello.usual()):
        message = hello.message()
        for size in (1, 3, 4, 5, 50, len(message) - 1):
            octets = b"".join(record(HANDSHAKE, message[i:i + size], 0x0301) for i in range(0, len(message), size))
            answer = answer_to(server.address, octets)
            assert answer.is_hello or answer.is_over, (size, answer)
            assert answer.is_hello or size < 4 or not is_static(), (size, answer)


# After the handshake -------------------------------------------------------------------------------

@pytest.fixture(params=[(3, 3), (3, 4)], ids=["1.2", "1.3"])
def peer(request, server):
    """A connection of tlslite-ng."""
    api = pytest.importorskip("tlslite.api")
    if request.param == (3, 4) and not has_tls_13():
        pytest.skip("Debian 12's mbedTLS has no TLS 1.3")
    settings = api.HandshakeSettings()
    settings.minVersion = settings.maxVersion = request.param
    settings.eccCurves, settings.keyShares = ["secp256r1"], ["secp256r1"]
    settings.ec_point_formats = [0]  # uncompressed, which is all that a server may assume
    connection = api.TLSConnection(socket.create_connection(server.address, 5 * SLOWNESS))
    connection.settings = settings
    yield connection
    connection.sock.close()


def shake_hands(peer):
    peer.handshakeClientCert(settings=peer.settings, serverName="localhost", alpn=[b"http/1.1"])
    assert peer.session.appProto == b"http/1.1"


def raw(peer):
    """The socket below; what is sent there is not encrypted."""
    return peer.sock.socket if hasattr(peer.sock, "socket") else peer.sock


def ends(peer):
    """That the server ends the connection, and that nothing decrypts to an answer."""
    octets = b""
    with contextlib.suppress(Exception):
        while more := raw(peer).recv(65536):
            octets += more
            assert len(octets) < 10_000
    begin = time.monotonic()
    with contextlib.suppress(OSError):
        assert raw(peer).recv(1) == b""
    assert time.monotonic() - begin < 4 * SLOWNESS


def test_a_request(peer):
    shake_hands(peer)
    # A record an octet.
    peer.recordSize = 1
    peer.write(request("GET", "/login"))
    assert bytes(peer.read(max=65536, min=100)).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("place", ["first", "middle", "last"])
def test_a_record_that_was_changed(peer, place):
    shake_hands(peer)
    sent = []
    layer = peer._recordLayer
    send = layer._recordSocket._sockSendAll

    def keep(data):
        sent.append(bytes(data))
        yield from ()

    layer._recordSocket._sockSendAll = keep
    peer.write(request("GET", "/login"))
    layer._recordSocket._sockSendAll = send
    octets = bytearray(b"".join(sent))
    octets[{"first": 5, "middle": len(octets) // 2, "last": -1}[place]] ^= 1
    raw(peer).sendall(octets)
    ends(peer)


def test_a_record_twice(peer):
    """A record that is sent again does not decrypt, because its number is another one."""
    shake_hands(peer)
    sent = []
    layer = peer._recordLayer
    send = layer._recordSocket._sockSendAll

    def keep(data):
        sent.append(bytes(data))
        yield from send(data)

    layer._recordSocket._sockSendAll = keep
    peer.write(request("GET", "/login"))
    assert bytes(peer.read(max=65536, min=100)).startswith(b"HTTP/1.1 200 ")
    raw(peer).sendall(b"".join(sent))
    ends(peer)


@pytest.mark.parametrize("octets", [
    request("GET", "/login"), record(APPLICATION, request("GET", "/login")), record(APPLICATION, b""),
    record(HANDSHAKE, HELLO.message()), record(HANDSHAKE, b"\x00\0\0\0"), record(ALERT, b"\1\0"),
    record(APPLICATION, b"\0" * 17), bytes([APPLICATION]) + b"\3\3\xff\xff" + b"\0" * 0xFFFF,
], ids=lambda octets: octets[:9].hex())
def test_octets_that_are_not_encrypted(peer, octets):
    shake_hands(peer)
    with contextlib.suppress(OSError):
        raw(peer).sendall(octets)
    ends(peer)


def test_a_finished_that_was_changed(peer):
    """verify_data is over the whole handshake: one octet of it ends the connection."""
    messages = pytest.importorskip("tlslite.messages")
    create = messages.Finished.create

    def changed(self, verify_data):
        verify_data = bytearray(verify_data)
        verify_data[0] ^= 1
        return create(self, verify_data)

    messages.Finished.create = changed
    try:
        with contextlib.suppress(Exception):
            shake_hands(peer)
            peer.write(request("GET", "/login"))
            assert not peer.read(max=65536, min=1)
    finally:
        messages.Finished.create = create
    ends(peer)


def test_a_handshake_message_after_the_handshake(peer):
    """A ClientHello in TLS 1.2 is a renegotiation, and in TLS 1.3 it is nothing."""
    messages = pytest.importorskip("tlslite.messages")
    shake_hands(peer)
    hello = messages.ClientHello().create((3, 3), bytearray(32), bytearray(0), list(SUITES_12))
    for _ in peer._sendMsg(hello, update_hashes=False):
        pass
    with contextlib.suppress(Exception):
        peer.write(request("GET", "/login"))
        # A warning (no_renegotiation) and an answer, or the end.
        octets = bytes(peer.read(max=65536, min=1))
        assert not octets or octets.startswith(b"HTTP/1.1 200 ")


# Why a connection ends -----------------------------------------------------------------------------

def remote_alert(read):
    """The number of the alert that ends a connection of tlslite-ng, which must be able to decrypt it."""
    errors = pytest.importorskip("tlslite.errors")
    with pytest.raises(errors.TLSRemoteAlert) as told:
        read()
    return told.value.description


def read_something(peer):
    peer.read(max=65536, min=1)


def test_a_changed_record_is_told(peer):
    shake_hands(peer)
    sent = []
    peer._recordLayer._recordSocket._sockSendAll = lambda data: iter(sent.append(bytes(data)) or ())
    peer.write(request("GET", "/login"))
    octets = bytearray(b"".join(sent))
    octets[-1] ^= 1
    raw(peer).sendall(octets)
    assert remote_alert(lambda: read_something(peer)) == BAD_MAC
    ends(peer)


def test_a_changed_finished_is_told(peer):
    """In TLS 1.3 with the keys that a client has then, which are those of the application."""
    if not is_static():
        pytest.skip("Debian 12's mbedTLS has another alert")
    messages = pytest.importorskip("tlslite.messages")
    create = messages.Finished.create

    def changed(self, verify_data):
        return create(self, bytearray(octet ^ 1 for octet in verify_data))

    def read():
        shake_hands(peer)
        read_something(peer)

    messages.Finished.create = changed
    try:
        assert remote_alert(read) == DECRYPT
    finally:
        messages.Finished.create = create
    ends(peer)


@pytest.mark.parametrize("octets, alert", [
    (record(CHANGE_CIPHER_SPEC, b"\1\1"), UNEXPECTED),
    (record(ALERT, b"\2"), UNEXPECTED),
    (record(APPLICATION, b"GET / HTTP/1.1\r\n\r\n"), UNEXPECTED),
    (record(24, b"\1\x40\0"), UNEXPECTED),
    (bytes([HANDSHAKE]) + b"\3\3\x45\0" + b"\1" * 0x4500, OVERFLOW),
], ids=lambda value: value[:5].hex() if isinstance(value, bytes) else str(value))
def test_a_wrong_record_after_the_hello_is_told(server, octets, alert):
    with socket.create_connection(server.address, 3 * SLOWNESS) as connection:
        connection.sendall(HELLO.octets())
        assert next_answer(connection).version == TLS12
        connection.sendall(octets)
        alerts = []
        while found := read_record(connection):
            if found[0] == ALERT:
                alerts.append(tuple(found[1]))
        assert alerts == [(2, alert)]


@needs_p256_only
def test_groups_that_are_unknown_are_told(server):
    hello = Hello.usual(versions=(TLS13, ), shares=((X25519, os.urandom(32)), ))
    hello.extensions[GROUPS] = vector(numbers((X25519, 0x7A7A)), 2)
    answer = answer_to(server.address, hello.octets())
    assert (answer.alert, answer.is_over, answer.is_hello) == (HANDSHAKE_FAILURE, True, False)


@needs_13
@pytest.mark.parametrize("share", [b"\4" + b"\0" * 64, b"\4" + b"\xff" * 64, b"\6" + point()[1:], b"\7" + point()[1:]],
                         ids=["zero", "large", "hybrid-6", "hybrid-7"])
def test_a_share_that_is_no_point_is_told(server, share):
    """And what the server would have said is not sent before."""
    answer = answer_to(server.address, Hello.usual(versions=(TLS13, ), shares=((P256, share), )).octets())
    assert (answer.alert, answer.is_over, answer.is_hello) == (ILLEGAL, True, False)


@pytest.mark.parametrize("first", [2, 5, 6, 7])
def test_a_point_in_another_format(server, first):
    """Of a point of the curve whose first octet says another format, nothing is taken (RFC 8422 5.4.1)."""
    if not is_static():
        pytest.skip("Debian 12's mbedTLS has an ECP of its own")
    with socket.create_connection(server.address, 3 * SLOWNESS) as connection:
        connection.sendall(HELLO.octets())
        assert next_answer(connection).version == TLS12
        share = bytes([first]) + point()[1:]
        connection.sendall(record(HANDSHAKE, b"\x10\0\0\x42\x41" + share))
        alerts = []
        while found := read_record(connection):
            if found[0] == ALERT:
                alerts.append(tuple(found[1]))
        assert len(alerts) == 1 and alerts[0][0] == 2, alerts
