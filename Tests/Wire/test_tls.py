"""HTTPS with other people's clients: each protocol version, suite and group that is offered, and no other.

All verify the certificate and the name, and get a page. The clients that a machine does not have are skipped.
"""

import re
import shutil
import ssl
import subprocess

import pytest

from client import form_request
from program import Program, running
from tls import SLOWNESS, Authority, Encrypted, Wire, has_tls_13, is_static

PAGE = "Please Login"
SUITES = {
    "1.2": ("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"),
    "1.3": ("TLS_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256"),
}
VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def server(authority):
    yield from running(authority.start())


@pytest.fixture(scope="module", params=["1.2", "1.3"])
def version(request):
    if request.param == "1.3" and not has_tls_13():
        pytest.skip("Debian 12's mbedTLS has no TLS 1.3")
    return request.param


def client(*command, within=20.0, given="", check=True, **options):
    """What a client prints, which must have ended well."""
    if not shutil.which(command[0]):
        pytest.skip(f"there is no {command[0]}")
    done = subprocess.run([*map(str, command)], input=given, capture_output=True, text=True, check=False,
                          errors="replace", timeout=within * SLOWNESS, **options)
    assert done.returncode == 0 or not check, done.stdout + done.stderr
    return done.stdout + done.stderr


def s_client(server, authority, *arguments, given="", check=True, version=None):
    host, port = server.address
    return client("openssl", "s_client", "-connect", f"{host}:{port}", "-CAfile", authority.authority,
                  "-verify_return_error", "-verify_ip", "127.0.0.1", "-alpn", "http/1.1",
                  *([f"-tls{version.replace('.', '_')}"] if version else []), *arguments, given=given, check=check)


def url(server, target="/login"):
    return "https://{}:{}{}".format(*server.address, target)


# openssl ------------------------------------------------------------------------------------------

ASKED = "GET /login HTTP/1.0\r\nHost: localhost\r\n\r\n"


@pytest.mark.parametrize("suite", [0, 1])
@pytest.mark.parametrize("groups", ["P-256", "X25519:P-256", "P-384:P-521:X25519:P-256"])
def test_openssl_with_each_suite_and_group(server, authority, version, suite, groups):
    suite = SUITES[version][suite]
    chosen = ("-ciphersuites", suite) if version == "1.3" else ("-cipher", suite)
    told = s_client(server, authority, "-ign_eof", "-msg", *chosen, "-groups", groups, given=ASKED,
                    version=version)
    assert PAGE in told and f"Cipher is {suite}" in told, told
    assert "ALPN protocol: http/1.1" in told and "Verification: OK" in told, told
    # A key share for another group leads to a HelloRetryRequest, and then to a second ClientHello.
    hellos = told.count("ClientHello")
    if groups == "P-256":
        assert hellos == 1 and "Server Temp Key: ECDH, prime256v1" in told, told
    elif version == "1.3" and is_static():
        assert hellos == 2 and "Server Temp Key: ECDH, prime256v1" in told, told


@pytest.mark.parametrize("arguments", [
    ("-tls1", "-cipher", "ALL:@SECLEVEL=0"), ("-tls1_1", "-cipher", "ALL:@SECLEVEL=0"),
    ("-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-SHA384:ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384"),
    ("-tls1_2", "-cipher", "AES128-GCM-SHA256:DHE-RSA-AES128-GCM-SHA256"),
    ("-tls1_2", "-cipher", "NULL:eNULL:aNULL:@SECLEVEL=0"),
    ("-tls1_3", "-ciphersuites", "TLS_AES_256_GCM_SHA384"),
    ("-groups", "secp521r1:X448"),
])
def test_nothing_else_is_offered(server, authority, arguments):
    told = s_client(server, authority, *arguments, check=False)
    assert "Cipher is (NONE)" in told or "no ciphers available" in told, told


def test_a_session_is_not_resumed_by_a_ticket_of_another_version(server, authority, tmp_path):
    """CVE-2026-93831: a ticket of TLS 1.3 let a client resume in TLS 1.2. No ticket is given at all."""
    for wanted in ["1.3"] * has_tls_13() + ["1.2"]:
        told = s_client(server, authority, "-ign_eof", "-sess_out", tmp_path / "session", given=ASKED,
                        version=wanted)
        assert "New, TLSv" in told and "session ticket" not in told.lower(), told


# Others -------------------------------------------------------------------------------------------

def test_curl(server, authority, version, tmp_path):
    common = ("curl", "--silent", "--show-error", "--fail", "--cacert", authority.authority, f"--tlsv{version}",
              "--tls-max", version, "--cookie-jar", tmp_path / "jar", "--cookie", tmp_path / "jar")
    assert PAGE in client(*common, url(server))
    form = ("--data", "username=susan&password=hello", "--location")
    assert "Hello, susan!" in client(*common, *form, url(server)), "the cookies of a login over TLS"
    jar = (tmp_path / "jar").read_text()
    # The fifth column of curl's own format is Secure.
    assert re.search(r"\tTRUE\t[0-9]+\t(__Host-)?session\t", jar), jar


def test_wget(server, authority, version):
    printed = client("wget", "--quiet", "--output-document=-", f"--ca-certificate={authority.authority}",
                     f"--secure-protocol=TLSv{version.replace('.', '_')}", url(server))
    assert PAGE in printed


def test_gnutls(server, authority, version):
    host, port = server.address
    told = client("gnutls-cli", "--x509cafile", authority.authority, "--port", port, "--alpn", "http/1.1",
                  "--verify-hostname", "localhost",
                  "--priority", f"NORMAL:-VERS-ALL:+VERS-TLS{version}", host, given=ASKED)
    assert PAGE in told and "The certificate is trusted" in told, told


def nss_database(folder, authority):
    """Chromium's and Firefox's store of authorities, with this one in it."""
    folder.mkdir(parents=True)
    client("certutil", "-N", "-d", f"sql:{folder}", "--empty-password")
    client("certutil", "-A", "-d", f"sql:{folder}", "-n", authority.name, "-t", "C,,", "-i", authority.authority)


def test_nss(server, authority, version, tmp_path):
    nss_database(tmp_path / "nss", authority)
    (tmp_path / "request").write_text(ASKED, newline="")
    told = client("tstclnt", "-4", "-h", "localhost", "-a", "localhost", "-p", server.address[1],
                  "-d", f"sql:{tmp_path / 'nss'}", "-V", f"tls{version}:tls{version}", "-A", tmp_path / "request")
    assert PAGE in told, told


NODE = """
const https = require("https"), fs = require("fs");
const version = "TLSv" + process.argv[3];
https.get(process.argv[1], {ca: fs.readFileSync(process.argv[2]), minVersion: version, maxVersion: version},
  answer => { answer.on("data", part => process.stdout.write(part)); })
  .on("error", error => { console.error(error); process.exit(1); });
"""


def test_node(server, authority, version):
    assert PAGE in client("node", "-e", NODE, url(server), authority.authority, version)


def test_python(server, authority, version):
    with Encrypted(server.address, authority.context(VERSIONS[version])) as connection:
        assert connection.socket.version() == f"TLSv{version}"
        assert connection.socket.selected_alpn_protocol() == "http/1.1"
        for _ in range(3):
            assert PAGE in connection.get().text
        # A login's password takes several turns of the loop.
        connection.send(form_request("/login", {"username": "susan", "password": "hello"}))
        answer = connection.response()
        assert answer.status == 302 and "secure" in answer.cookies[0].attributes, answer.told


def test_the_page_says_the_same_octets_as_without_tls(authority, server):
    """Many requests in one record, which the server decrypts at once and reads in turns."""
    with Wire(server.address, authority.context()) as wire:
        wire.handshake()
        one = b"GET /login HTTP/1.1\r\nHost: localhost\r\n\r\n"
        count = 16384 // len(one)
        wire.write(one * count)
        assert wire.response().status == 200
    with Encrypted(server.address, authority.context()) as connection:
        connection.socket.sendall(one * count)
        pages = {connection.response().body for _ in range(count)}
        assert len(pages) == 1 and PAGE.encode() in pages.pop()


# The program's own authority ----------------------------------------------------------------------

class OwnAuthority:
    """The authority that a program has made for itself: its certificate, without its key."""

    name = "own authority"

    def __init__(self, directory, target):
        text = (directory / "authority.pem").read_text()
        certificate = re.search("-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n", text, re.DOTALL)[0]
        self.authority = target
        self.authority.write_text(certificate)

    context = Authority.context


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """(a program without a certificate, the authority that it makes)"""
    folder = tmp_path_factory.mktemp("own")
    program = Program.start("https-example", "--listen", "127.0.0.1:0", "--tls-directory", str(folder / "tls"))
    try:
        yield program, OwnAuthority(folder / "tls", folder / "own.pem")
    finally:
        program.stop()


def test_who_trusts_the_programs_own_authority_gets_no_warning(own, tmp_path):
    server, authority = own
    host, port = server.address
    assert PAGE in s_client(server, authority, "-ign_eof", "-x509_strict", given=ASKED)
    assert PAGE in client("curl", "--silent", "--show-error", "--cacert", authority.authority, url(server))
    for version in VERSIONS.values() if has_tls_13() else [VERSIONS["1.2"]]:
        with Encrypted(server.address, authority.context(version)) as connection:
            assert PAGE in connection.get().text
    told = client("gnutls-cli", "--x509cafile", authority.authority, "--port", port, "--verify-hostname",
                  "localhost", host, given=ASKED)
    assert PAGE in told and "The certificate is trusted" in told, told
    nss_database(tmp_path / "nss", authority)
    (tmp_path / "request").write_text(ASKED, newline="")
    told = client("tstclnt", "-4", "-h", "localhost", "-a", "localhost", "-p", port, "-d", f"sql:{tmp_path / 'nss'}",
                  "-A", tmp_path / "request")
    assert PAGE in told, told


def test_the_private_keys_are_the_programs_alone(own):
    server, authority = own
    folder = authority.authority.parent / "tls"
    assert folder.stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in folder.iterdir())
    assert "PRIVATE" not in server.output()
    chain = client("openssl", "s_client", "-connect", "{}:{}".format(*server.address), "-showcerts", check=False)
    assert "BEGIN CERTIFICATE" in chain and "PRIVATE" not in chain
