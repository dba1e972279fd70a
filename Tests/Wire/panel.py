"""A running `martlet-panel`, and the steps that its tests share."""

import re
from pathlib import Path

from client import PanelVisitor, panel_cookies
from program import Program

CODE = r"set-up code: ([0-9A-Z-]+)"
NAME, PASSWORD = "admin", "correct horse battery"
PATIENCE = 10.0  # A login costs the board's full password hashing.


class Panel:
    """A panel on a data directory of its own; may be stopped and started again, on its port."""

    def __init__(self, data, *options):
        self.data = Path(data)
        self.options = options
        self.program = None
        self.port = 0
        self.start()

    def start(self):
        # With umask 0, so that modes are the program's own doing.
        self.program = Program.start("martlet-panel", "--listen", f"127.0.0.1:{self.port}",
                                     "--data", str(self.data), *self.options, umask=0)
        self.port = self.address[1]

    @property
    def cookies(self):
        """The names of the session cookie and of the remember cookie."""
        return panel_cookies(self.port)

    @property
    def address(self):
        return self.program.address

    @property
    def origin(self):
        return "http://{}:{}".format(*self.address)

    def code(self):
        return self.program.wait_for(CODE)[1]

    def visitor(self, **cookies):
        return PanelVisitor(self.address, PATIENCE, **cookies)

    def set_up(self, name=NAME, password=PASSWORD, **changes):
        form = {"code": self.code(), "username": name, "password": password,
                "password_again": password, **changes}
        return self.visitor().post("/setup", form)

    def logged_in(self, name=NAME, password=PASSWORD, remember=False):
        visitor = self.visitor()
        response = self.log_in(visitor, name, password, remember)
        assert is_in(visitor), f"the right password did not log in\n{response.told}"
        return visitor

    @staticmethod
    def log_in(visitor, name=NAME, password=PASSWORD, remember=False, target="/login"):
        form = {"username": name, "password": password}
        return visitor.post(target, {**form, "remember_me": "on"} if remember else form)

    @staticmethod
    def make_token(visitor, name="prometheus", scope="read", days="90"):
        """The text of a new token, made with the form of the page."""
        response = visitor.post("/tokens", {"name": name, "scope": scope, "days": days})
        assert response.status == 200, response.told
        return re.search(r'id="token">([^<]+)<', response.text)[1]

    def ask(self, target, token=None, fields=(), method="GET"):
        """What a program without cookies gets."""
        bearer = [] if token is None else [("Authorization", f"Bearer {token}")]
        return self.visitor().ask(method, target, [*bearer, *fields])

    def stop(self):
        self.program.stop()

    def restart(self):
        self.stop()
        self.start()

    def kill(self):
        self.program.kill()

    def files(self):
        return sorted(path for path in self.data.rglob("*") if path.is_file())

    def accounts_file(self, name=NAME):
        """The one small text file in which the accounts are."""
        word = re.compile(rb"\b%s\b" % name.encode())
        found = [path for path in self.files()
                 if word.search(path.read_bytes()) and path.suffix != ".old"]
        assert len(found) == 1, f"expected one file with the account {name!r}, found {found}"
        return found[0]


def is_in(visitor):
    """Whether the overview is shown; the only other answer is the way to the login page."""
    response = visitor.get("/")
    if response.status == 200:
        return True
    assert response.status == 302 and (response.location or "").startswith("/login"), response.told
    return False
