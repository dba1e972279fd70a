"""Files, and resident memory: idle, after many requests, and with many connections that rest."""

import socket
import time

import memory
from load import run_wrk
from servers import GREETING
from visitor import Visitor

IDLE_CONNECTIONS = 500
BUSY_CONNECTIONS, BUSY_SECONDS, BUSY_SECONDS_MAX = 8, 2, 240


def resident(server, program):
    return memory.total(server.peer.mappings(program)).resident


def is_open(visitor):
    """Whether the server has closed a connection that rests."""
    if visitor.socket is None:
        return False
    visitor.socket.setblocking(False)
    try:
        return visitor.socket.recv(1, socket.MSG_PEEK) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


def rest_there(server, program, count):
    """So many connections, each with one answer behind it."""
    visitors = []
    for _ in range(count):
        visitor = Visitor(program.port)
        visitors.append(visitor)
        if GREETING not in visitor.exchange(server.request(program.port)).body:
            raise RuntimeError(f"{server.name} does not answer with {len(visitors)} connections")
        if visitor.socket is None:  # It closes each: there is nothing to have many of.
            break
    return visitors


def serve(server, program, requests):
    """At least so many requests, if the server is fast enough; how many there were."""
    done, end = 0, time.monotonic() + BUSY_SECONDS_MAX
    while done < requests and time.monotonic() < end:
        result = run_wrk(server, program.port, BUSY_CONNECTIONS, BUSY_SECONDS)
        if not result["requests"]:
            raise RuntimeError(f"{server.name} answers nothing")
        done += result["requests"]
    return done


def measure_server(server, requests):
    figures = {}
    program = server.start()
    visitors = []
    try:
        figures["idle"] = resident(server, program)
        figures["requests"] = serve(server, program, requests)
        figures["served"] = resident(server, program)
        visitors = rest_there(server, program, IDLE_CONNECTIONS)
        figures["resting"] = resident(server, program)
        figures["open"] = sum(map(is_open, visitors))
        figures["wanted"] = IDLE_CONNECTIONS
    finally:
        for visitor in visitors:
            visitor.close()
        program.kill()
    return figures


def measure(servers, requests, progress):
    """Octets, by server."""
    results = {}
    for server in servers:
        progress(f"memory: {server.name}")
        results[server.key] = measure_server(server, requests)
    return results


def measure_files(servers):
    """Octets, by server."""
    results = {}
    for server in servers:
        program = server.start()
        try:
            rest_there(server, program, 1)[0].close()  # By now everything that it needs is loaded.
            results[server.key] = server.peer.file_size(server.peer.mappings(program))
        finally:
            program.kill()
    return results
