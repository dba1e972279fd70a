"""Fixtures: each program under test, running on a port that the system chose.

A program lives for one test module; at its end it gets SIGTERM and must exit with status 0.
"""

import pytest

from client import Visitor
from program import Program, running
from tokens import SECRET


# The files whose tests wait for longest, so that none of them begins when all others are done.
LONGEST = ("test_session_clocks", "test_first_clock", "test_tls_uploads", "test_live", "test_guesses", "test_password_races",
           "test_panel_browser", "test_sessions", "test_tls_scan", "test_tls_attacks", "test_certificate_change",
           "test_pieces", "test_panel", "test_throttle", "test_commands")


def pytest_collection_modifyitems(items):
    place = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path.stem, len(LONGEST)))


@pytest.fixture(scope="module")
def login_example():
    # Names that tests send as Host; any other one is refused.
    hosts = [word for name in ("a", "b", "a_b", "*.example") for word in ("--host", name)]
    yield from running(Program.start("login-example", "--listen", "127.0.0.1:0",
                                     "--secret", SECRET, *hosts))


@pytest.fixture(scope="module")
def hello_example():
    yield from running(Program.start("hello-example", "--listen", "127.0.0.1:0"))


@pytest.fixture(scope="module")
def microdot_example():
    program = Program.start_python("microdot_login_example.py", "0", SECRET)
    yield program
    program.kill()


@pytest.fixture
def visitor(login_example):
    """A visitor of the login example with an empty cookie jar."""
    return Visitor(login_example.address)


@pytest.fixture
def susan(login_example):
    """A visitor of the login example who is logged in as susan."""
    visitor = Visitor(login_example.address)
    response = visitor.post("/login", {"username": "susan", "password": "hello"})
    assert response.status == 302 and visitor.jar.value("session"), response.told
    return visitor
