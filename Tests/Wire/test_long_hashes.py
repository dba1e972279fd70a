"""An account whose password was hashed for another machine: the login takes as long as it takes, and then
the password is hashed for this one.
"""

import hashlib
import re
import time

import pytest

from client import Connection, form_request, request
from panel import NAME, PASSWORD, Panel, is_in
from program import RUN

# More than any machine gets; of an emulated board's slower one fewer are.
MANY = 1_000_000 if RUN else 6_000_000


def hash_anew(panel, count):
    """Gives the account a hash of that many iterations, while the panel does not run."""
    salt = bytes(range(16))
    key = hashlib.pbkdf2_hmac("sha256", PASSWORD.encode(), salt, count)
    path = panel.data / "accounts"
    body, _, _ = path.read_text("ascii").rpartition("sha256 ")
    body = re.sub(r"pbkdf2-hmac-sha256:\S+", f"pbkdf2-hmac-sha256:{salt.hex()}:{count}:{key.hex()}", body)
    path.write_text(body + f"sha256 {hashlib.sha256(body.encode()).hexdigest()}\n", "ascii")


def iterations(panel):
    text = (panel.data / "accounts").read_text("ascii")
    return int(re.search(r"pbkdf2-hmac-sha256:[0-9a-f]+:([0-9]+):", text)[1])


@pytest.mark.parametrize("count", [1_000, MANY])
def test_a_login_hashes_the_password_for_this_machine(tmp_path, count):
    panel = Panel(tmp_path / "data")
    assert panel.set_up().status == 302
    wanted = iterations(panel)
    panel.stop()
    hash_anew(panel, count)
    panel.start()
    remembered = panel.visitor()
    with Connection(panel.address, patience=600) as connection:
        connection.send(form_request("/login", {"username": NAME, "password": PASSWORD},
                                     host="{}:{}".format(*panel.address)))
        # Others are served meanwhile.
        begin = time.monotonic()
        with Connection(panel.address) as other:
            other.send(request("GET", "/login", host="{}:{}".format(*panel.address)))
            assert other.response().status == 200
        assert time.monotonic() - begin < 2
        answer = connection.response(within=600)
    assert answer.status == 302, answer.told
    remembered.jar.store(answer, "/login")
    assert is_in(remembered)
    assert 0.5 * wanted <= iterations(panel) <= 2 * wanted, (count, iterations(panel), wanted)
    # The password is the same, the session goes on, a wrong one is none, and nothing is hashed again.
    kept = iterations(panel)
    assert panel.log_in(panel.visitor()).status == 302
    assert panel.log_in(panel.visitor(), password=PASSWORD + "x").status == 422
    assert iterations(panel) == kept, "each login hashes it anew"
    panel.restart()
    remembered.address = panel.address
    assert is_in(remembered)
    assert panel.log_in(panel.visitor()).status == 302
    panel.stop()


def test_a_wrong_password_hashes_nothing_anew(tmp_path):
    panel = Panel(tmp_path / "data")
    assert panel.set_up().status == 302
    panel.stop()
    hash_anew(panel, 1_000)
    panel.start()
    assert panel.log_in(panel.visitor(), password="wrong password").status == 422
    assert iterations(panel) == 1_000
    panel.stop()
