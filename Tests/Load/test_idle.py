"""What connections that rest cost in memory."""

import time

from client import Connection, form_request, request
from machine import IS_LONG, Running, own_board, start_login_example

COUNT = 500
KIB_MAX = 64
ROUNDS, PAUSE = (20, 15.0) if IS_LONG else (1, 0.0)  # seconds between two requests of a connection
PAGE = request("GET", "/login")


def warmed(program):
    """Memory after everything that one client does; what comes on top is the connections'."""
    with Connection(program.address) as connection:
        for _ in range(50):
            assert connection.send(PAGE).response().status == 200
        connection.send(form_request("/login", {"username": "susan", "password": "hello"}))
        assert connection.response().status == 302
    return program.memory()


def is_open(connection):
    return not connection.receive(0.0) and not connection.ended


def test_idle_connections_cost_almost_nothing(figure):
    """500 idle keep-alive connections add at most 64 KiB of resident memory."""
    with Running(start_login_example(own_board())) as program:
        resident, anonymous = warmed(program)
        connections = []
        try:
            for _ in range(COUNT):
                connections.append(Connection(program.address))
            for number in range(ROUNDS):
                time.sleep(PAUSE if number else 0.0)
                for connection in connections:
                    if not connection.ended and is_open(connection):
                        connection.send(PAGE)
                        answer = connection.response_or_end()
                        assert answer is None or answer.status == 200, answer.told
                resting = sum(not connection.ended and is_open(connection)
                              for connection in connections)
                now = program.memory()
                figure(f"{resting} of {COUNT} connections rest after a request each and add "
                       f"{now[0] - resident} KiB of resident memory ({now[1] - anonymous} anonymous) "
                       f"to {resident} KiB")
                assert resting == COUNT, f"{COUNT - resting} connections were closed"
                assert now[0] - resident <= KIB_MAX
        finally:
            for connection in connections:
                connection.close()
