"""A panel on a board that starts in 1970, by https from the first login on: its certificate is valid for a client with a
true clock before the board's clock is set, when it is set, and after it was renewed; nobody is logged out by any of it.

The kernel's word on whether its clock is synchronized is a library's (synchronized_clock.c), and the clock is
libfaketime's.
"""

import shutil
import ssl
import subprocess
import time
from pathlib import Path

import pytest

from client import PanelVisitor, request
from panel import CODE, NAME, PASSWORD, PATIENCE, is_in
from program import Program
from test_certificates import certificate
from test_session_clocks import DAY, Timed
from tls import Encrypted

RENEWAL_PATIENCE = 45  # The program looks every 30 seconds.


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    path = tmp_path_factory.mktemp("clock") / "clock.so"
    clang = Path(shutil.which("swift")).resolve().parent / "clang"
    subprocess.run([clang, "-fuse-ld=lld", "-shared", "-fPIC", "-O1", "-Wall", "-Werror",
                    Path(__file__).with_name("synchronized_clock.c"), "-o", path], check=True)
    return path


class EncryptedVisitor(PanelVisitor):
    """A browser that knows the panel's own authority, and whose clock is right."""

    def __init__(self, address, authority):
        super().__init__(address, PATIENCE)
        self.authority = authority
        self.jar.own = {name: "__Host-" + own for name, own in self.jar.own.items()}

    def ask(self, method, target, fields=(), body=None):
        context = ssl.create_default_context(cafile=self.authority)
        fields = [*fields, ("Cookie", self.jar.header(target)), ("Connection", "close")]
        with Encrypted(self.address, context, self.patience) as connection:
            connection.send(request(method, target, fields, body, host=f"localhost:{self.address[1]}"))
            response = connection.response(method)
        self.jar.store(response, target)
        return response

    def log_in(self, remember=False):
        form = {"username": NAME, "password": PASSWORD, **({"remember_me": "on"} if remember else {})}
        assert self.post("/login", form).status == 302 and is_in(self)
        return self


class Board:
    """A panel under a clock of the test's own."""

    def __init__(self, folder, library, monkeypatch):
        self.timed = Timed(folder)
        self.timed.library = f"{library}:{self.timed.library}"
        self.said = folder / "synchronized"
        self.set_synchronized(False)
        monkeypatch.setenv("CLOCK_SYNCHRONIZED", str(self.said))
        self.data = folder / "data"
        self.port = 0

    def set_synchronized(self, is_synchronized):
        self.said.write_text("1" if is_synchronized else "0")

    def start(self):
        self.program = Program(self.timed.command("martlet-panel", "--listen", f"127.0.0.1:{self.port}", "--data",
                                                  str(self.data)), "martlet-panel")
        self.port = self.program.address[1]

    @property
    def authority(self):
        return self.data / "authority.pem"

    def visitor(self):
        return EncryptedVisitor(self.program.address, self.authority)

    def certificate(self):
        """(not before, not after, octets), verified with a true clock."""
        return certificate(self.data, self.program.address)

    def renewed(self, old):
        """The certificate that comes after this one."""
        end = time.monotonic() + RENEWAL_PATIENCE
        while True:
            octets = ssl.get_server_certificate(self.program.address)
            if ssl.PEM_cert_to_DER_cert(octets) != old:
                return octets
            assert time.monotonic() < end, self.program.output()
            time.sleep(0.5)


@pytest.fixture
def board(tmp_path, library, monkeypatch):
    board = Board(tmp_path, library, monkeypatch)
    board.timed.to(1970)
    board.start()
    yield board
    board.program.kill()


def all_are_in(visitors):
    return all(is_in(visitor) for visitor in visitors)


def test_from_the_first_login_to_the_second_certificate(board, tmp_path):
    code = board.program.wait_for(CODE)[1]
    first = board.visitor()
    form = {"code": code, "username": NAME, "password": PASSWORD, "password_again": PASSWORD}
    answer = first.post("/setup", form)
    assert answer.status == 302, answer.told
    visitors = [first.log_in(), board.visitor().log_in(remember=True)]
    assert all("Secure" in line and line.startswith("__Host-")
               for line in board.visitor().post("/login", {"username": NAME, "password": PASSWORD}).all("Set-Cookie"))
    not_before, not_after, long = board.certificate()
    assert not_before < time.time() < not_after and not_after - not_before == 825 * DAY - 1
    authority = board.authority.read_text()
    with Encrypted(board.program.address, ssl.create_default_context(cafile=board.authority)) as kept:
        # The board gets the time.
        board.timed.set(0)
        board.set_synchronized(True)
        assert all_are_in(visitors), "logged out by a clock that is set"
        board.certificate()
        board.renewed(long)
        # Who connected before goes on, and is in as well.
        kept.send(request("GET", "/login", host=f"localhost:{board.port}"))
        assert kept.response().status == 200
    not_before, not_after, short = board.certificate()
    assert not_before < time.time() < not_after and not_after - not_before == 91 * DAY
    assert board.authority.read_text() == authority, "who trusts the authority need not trust another one"
    assert all_are_in(visitors), "logged out by a new certificate"
    board.program.stop()
    board.start()
    assert board.certificate()[2] == short
    assert all_are_in(visitors), "logged out by a restart"
    # Two months later it is renewed again. A client of then verifies it.
    board.timed.set(62 * DAY)
    then = board.renewed(short)
    told = subprocess.run(["openssl", "verify", "-x509_strict", "-attime", str(int(time.time()) + 62 * DAY + 60), "-CAfile",
                           board.authority], input=then, capture_output=True, text=True, check=False)
    assert "OK" in told.stdout, told
    assert board.authority.read_text() == authority


def test_a_clock_that_is_set_by_hand(board):
    """The kernel does not call it synchronized: the certificate, which is valid for long, stays, and so do logins."""
    code = board.program.wait_for(CODE)[1]
    visitor = board.visitor()
    form = {"code": code, "username": NAME, "password": PASSWORD, "password_again": PASSWORD}
    assert visitor.post("/setup", form).status == 302
    visitor.log_in()
    certificate = board.certificate()
    for _ in range(2):
        board.timed.set(0)
        assert is_in(visitor) and board.certificate() == certificate
        board.program.stop()
        board.start()
        assert is_in(visitor) and board.certificate() == certificate
        board.timed.to(1970)


@pytest.mark.parametrize("is_first", [True, False], ids=["before-the-first-start", "after-it"])
def test_a_power_cut_sets_the_clock_back(board, is_first):
    """1970 again after the time was known: the certificate of the time that was known is still valid."""
    if not is_first:
        board.timed.set(0)
        board.set_synchronized(True)
        board.renewed(board.certificate()[2])
    code = board.program.wait_for(CODE)[1]
    visitor = board.visitor()
    form = {"code": code, "username": NAME, "password": PASSWORD, "password_again": PASSWORD}
    assert visitor.post("/setup", form).status == 302
    visitor.log_in()
    certificate = board.certificate()
    board.program.kill()
    board.timed.to(1970)
    board.set_synchronized(False)
    board.start()
    assert is_in(visitor)
    assert board.certificate() == certificate
