"""The certificates that `https-example` makes itself: on a board without a clock, over restarts, and where files are
damaged."""

import ctypes
import re
import socket
import ssl
import subprocess
import time

import pytest

from program import Program, run
from test_session_clocks import DAY, Timed

FILES = ["authority.pem", "tls.crt", "tls.key"]


def start(folder, *arguments, command=None):
    arguments = ["--listen", "127.0.0.1:0", "--tls-directory", str(folder), *arguments]
    if command:
        # The panel: of the programs that libfaketime works for there are no examples.
        return Program(command("martlet-panel", "--listen", "127.0.0.1:0", "--data", str(folder)), "martlet-panel")
    return Program.start("https-example", *arguments)


def certificate(folder, address, host="localhost"):
    """The dates and the fingerprint of the certificate that a client with a true clock verifies."""
    context = ssl.create_default_context(cafile=folder / "authority.pem")
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    with socket.create_connection(address, timeout=10) as plain:
        with context.wrap_socket(plain, server_hostname=host) as encrypted:
            facts = encrypted.getpeercert()
            octets = encrypted.getpeercert(binary_form=True)
    dates = [ssl.cert_time_to_seconds(facts[name]) for name in ("notBefore", "notAfter")]
    return (*dates, octets)


def is_synchronized():
    """Whether the kernel says that its time of day is right: adjtimex() does not return TIME_ERROR."""
    return ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(1024)) != 5


@pytest.fixture
def started():
    programs = []

    def add(program):
        programs.append(program)
        return program

    yield add
    for program in programs:
        program.kill()


def test_a_restart_keeps_the_certificate(tmp_path, started):
    folder = tmp_path / "tls"
    first = started(start(folder))
    assert sorted(file.name for file in folder.iterdir()) == FILES
    assert all(file.stat().st_mode & 0o777 == 0o600 for file in folder.iterdir())
    assert folder.stat().st_mode & 0o777 == 0o700
    before = certificate(folder, first.address)
    first.stop()
    second = started(start(folder))
    assert certificate(folder, second.address) == before
    second.stop()


def test_clients_may_use_names_and_addresses_of_the_machine(tmp_path, started):
    folder = tmp_path / "tls"
    program = started(start(folder, "--host", "panel.example.org"))
    for host in ("localhost", "127.0.0.1", "panel.example.org"):
        certificate(folder, program.address, host)
    with pytest.raises(ssl.SSLCertVerificationError):
        certificate(folder, program.address, "www.example.org")
    program.stop()


def test_a_name_that_the_authority_does_not_permit_is_said(tmp_path, started):
    """Clients would refuse a certificate with such a name as a whole."""
    folder = tmp_path / "tls"
    started(start(folder)).stop()
    authority = (folder / "authority.pem").read_text()
    for host in ("other.local", "203.0.113.7"):
        program = started(start(folder, "--host", host))
        assert re.search(rf"^https-example: {folder}/authority.pem: it may not vouch for .* --host; remove it",
                         program.output(), re.MULTILINE)
        certificate(folder, program.address)
        with pytest.raises(ssl.SSLCertVerificationError):
            certificate(folder, program.address, host)
        program.stop()
    assert (folder / "authority.pem").read_text() == authority
    (folder / "authority.pem").unlink()
    program = started(start(folder, "--host", host))
    assert "vouch" not in program.output()
    certificate(folder, program.address, host)
    program.stop()


@pytest.mark.parametrize("name", ["authority.pem", "tls.key"])
def test_a_damaged_key_is_said_and_left_alone(tmp_path, started, name):
    """The program is reachable with another key until a copy is put back."""
    folder = tmp_path / "tls"
    started(start(folder)).stop()
    good = (folder / name).read_text()
    (folder / name).write_text("damaged\n")
    program = started(start(folder))
    assert re.search(rf"^https-example: {folder}/{name}: .*put a copy back", program.output(), re.MULTILINE)
    assert (folder / name).read_text() == "damaged\n"
    program.stop()
    (folder / name).write_text(good)
    program = started(start(folder))
    certificate(folder, program.address)
    program.stop()


@pytest.mark.parametrize("name", ["authority.pem", "tls.key"])
def test_a_key_that_others_may_read_ends_the_program_with_one_line(tmp_path, started, name):
    folder = tmp_path / "tls"
    started(start(folder)).stop()
    (folder / name).chmod(0o644)
    ended = run("https-example", "--listen", "127.0.0.1:0", "--tls-directory", str(folder))
    assert ended.returncode == 1
    assert re.fullmatch(rf"https-example: no certificate can be used: {folder}/{name}: .*chmod 600.*\n", ended.stderr)


def test_a_damaged_certificate_is_made_anew(tmp_path, started):
    folder = tmp_path / "tls"
    started(start(folder)).stop()
    (folder / "tls.crt").write_text("damaged\n")
    program = started(start(folder))
    assert "tls.crt: there is no certificate in it" in program.output()
    certificate(folder, program.address)
    program.stop()


def test_a_power_cut_between_two_files_leaves_a_state_to_start_with(tmp_path, started):
    folder = tmp_path / "tls"
    for missing in ({"tls.crt"}, {"tls.key", "tls.crt"}, {"authority.pem"}, {"tls.key"}, set(FILES)):
        started(start(folder)).stop()
        for name in missing:
            (folder / name).unlink()
        (folder / "tls.key.new").write_text("half")
        program = started(start(folder))
        certificate(folder, program.address)
        program.stop()


def test_a_board_that_starts_in_1970(tmp_path, started):
    """The certificate is valid for clients with a true clock, before the board's clock is set and afterwards."""
    timed = Timed(tmp_path)
    timed.to(1970)
    folder = tmp_path / "tls"
    program = started(start(folder, command=timed.command))
    assert time.time() < 1_836_000_000, "825 days after the first of January 2026 the constant must be a later one"
    not_before, not_after, octets = certificate(folder, program.address)
    assert not_after - not_before == 825 * DAY - 1
    authority = (folder / "authority.pem").read_text()
    timed.set(0)
    # Where the kernel says that its clock is synchronized, a look after 30 seconds renews the certificate.
    end = time.monotonic() + (40 if is_synchronized() else 0)
    while time.monotonic() < end and certificate(folder, program.address)[2] == octets:
        time.sleep(1)
    not_before, not_after, later = certificate(folder, program.address)
    assert not_before < time.time() < not_after
    if later != octets:
        assert not_after - not_before == 91 * DAY
    assert (folder / "authority.pem").read_text() == authority
    program.stop()


def test_an_authority_is_no_authority_for_the_web(tmp_path, started):
    folder = tmp_path / "tls"
    started(start(folder)).stop()

    def openssl(*arguments):
        return subprocess.run(["openssl", *arguments], cwd=folder, capture_output=True, text=True, check=False)

    openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "k", "-subj",
            "/CN=x", "-out", "r")
    (folder / "e").write_text("subjectAltName=DNS:www.example.com\n")
    openssl("x509", "-req", "-in", "r", "-CA", "authority.pem", "-CAkey", "authority.pem", "-days", "1", "-extfile", "e",
            "-out", "c")
    assert "permitted subtree violation" in openssl("verify", "-CAfile", "authority.pem", "c").stderr
