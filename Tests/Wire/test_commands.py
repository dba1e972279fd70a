"""Programs of the board behind pages, with commands-example: attacks first, then what a visitor sees.

Shown here: no value becomes an option or another command; a program ends when its visitor leaves, when its output is
too long and when the server ends; programs and visitors beyond the bound are refused; nobody else waits; the first
process of a container learns how its programs end, and keeps no zombies.
"""

import os
import resource
import signal
import subprocess
import time
from pathlib import Path

import pytest

from client import Connection, Visitor, form_request, request
from program import RUN, SANITIZED, Program, command_of

COUNT_MAX = 4
SIZE_MAX = 1_048_576


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "commands-example.log"
    path.write_text("first\n")
    return path


@pytest.fixture
def program(log):
    program = Program.start("commands-example", "--listen", "127.0.0.1:0", cwd=log.parent)
    yield program
    if program.is_running:
        program.stop()


@pytest.fixture
def visitor(program):
    return Visitor(program.address)


def parent_of(process):
    try:
        stat = Path(f"/proc/{process}/stat").read_text(encoding="latin-1")
    except OSError:
        return None
    return int(stat[stat.rindex(")") + 2:].split()[1])


def children(program):
    """The processes that the program has started and that are there, also as zombies."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit() and parent_of(name) == program.pid]


def wait_until(is_so, within=5.0):
    end = time.monotonic() + within
    while not is_so():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def follow(program):
    """A connection on which the log is shown, after its first line."""
    connection = Connection(program.address)
    connection.send(request("GET", "/log"))
    assert wait_until(lambda: connection.receive(0.05) and b"first" in connection.received or
                      b"first" in connection.received), bytes(connection.received)
    return connection


# Values from outside ------------------------------------------------------------------------------

@pytest.mark.parametrize("host", ["", "-h", "--help", "-", "a\tb", "a\nb", "a\0b", "a\x7fb", "h" * 65])
def test_value_that_could_be_more_than_a_word_is_refused(program, visitor, host):
    response = visitor.post("/host", {"host": host})
    assert response.status == 400, response.told
    assert not children(program)


@pytest.mark.parametrize("host", ["localhost; id", "$(id)", "`id`", "localhost&id", "|id", "localhost id", "../../x",
                                  "<script>alert(1)</script>", "ü" * 32, "%s%n"])
def test_value_is_one_word(visitor, host):
    response = visitor.post("/host", {"host": host})
    assert response.status == 200, response.told
    assert "uid=" not in response.text and "<script" not in response.text, response.told
    assert "no such host (status 2)" in response.text, response.told


def test_form_of_another_site_starts_nothing(program):
    with Connection(program.address) as connection:
        connection.send(form_request("/host", {"host": "localhost"}, [("Sec-Fetch-Site", "cross-site")]))
        assert connection.response().status == 403
    assert not children(program)


# What a visitor sees ------------------------------------------------------------------------------

def test_output_comes_as_plain_text(program, visitor):
    response = visitor.get("/disks")
    assert response.status == 200 and response.one("Content-Type") == "text/plain; charset=utf-8", response.told
    assert response.text.startswith("Filesystem") and "%" in response.text, response.told
    assert response.one("Cache-Control") == "no-store", response.told
    assert wait_until(lambda: not children(program))


def test_output_within_a_page_and_the_exit_status(visitor):
    response = visitor.post("/host", {"host": "127.0.0.1"})
    assert response.status == 200 and "127.0.0.1 " in response.text, response.told
    assert response.text.endswith("</pre>\n<p>These are its addresses.</p>\n"), response.told


def test_head_leaves_no_program(program):
    with Connection(program.address) as connection:
        connection.send(request("HEAD", "/log"))
        response = connection.response(method="HEAD")
        assert response.status == 200 and not response.body, response.told
        assert wait_until(lambda: not children(program)), children(program)


def test_what_is_written_later_comes_at_once(program, log):
    with follow(program) as connection:
        for number in range(3):
            with log.open("a", encoding="ascii") as file:
                file.write(f"line {number}\n")
            begin = time.monotonic()
            wanted = f"line {number}\n".encode()
            assert wait_until(lambda: connection.receive(0.05) and wanted in connection.received or
                              wanted in connection.received, 3.0), bytes(connection.received)
            # tail itself looks once a second where it has no inotify.
            assert time.monotonic() - begin < 2.5


@pytest.mark.skipif(bool(RUN), reason="an emulator has descriptors of its own")
def test_without_a_descriptor_a_program_is_refused_for_the_moment(program, visitor):
    """The visitor may try again; nothing leaks, and the next program runs."""
    with Connection(program.address) as connection:
        connection.send(request("GET", "/"))
        assert connection.response().status == 200
        before = program.settled_descriptors()
        usual = resource.prlimit(program.pid, resource.RLIMIT_NOFILE)
        for room in (0, 1):  # A pipe has two ends.
            resource.prlimit(program.pid, resource.RLIMIT_NOFILE, (before + room, usual[1]))
            connection.send(request("GET", "/disks"))
            response = connection.response()
            assert response.status == 503 and int(response.one("Retry-After")) > 0, response.told
            assert program.settled_descriptors() == before
        resource.prlimit(program.pid, resource.RLIMIT_NOFILE, usual)
        assert visitor.get("/disks").status == 200
    assert wait_until(lambda: not children(program))


# The first process --------------------------------------------------------------------------------

@pytest.fixture(params=["default", "ignore"])
def first(log, request):
    """The example as the first process of a container, as Docker runs programs; its address, and its number here."""
    container = ["unshare", "--pid", "--mount-proc", "--fork", "--kill-child"]
    reason = None
    if RUN:
        reason = "an emulated program cannot be the first process of a container here"
    elif subprocess.run([*container, "true"], capture_output=True, check=False).returncode:
        reason = "no containers here"
    if reason:
        pytest.skip(reason)
    program = Program([*container, "env", f"--{request.param}-signal=CHLD", *command_of("commands-example"),
                       "--listen", "127.0.0.1:0"], cwd=log.parent)
    [process] = children(program)
    yield program.address, process
    os.kill(process, signal.SIGTERM)
    assert program.wait() == 0, program.output()


def descendants(process):
    own = [int(name) for name in os.listdir("/proc") if name.isdigit() and parent_of(name) == process]
    return own + [other for one in own for other in descendants(one)]


def test_first_process_learns_how_its_programs_end(first):
    address, process = first
    for _ in range(20):
        found = Visitor(address).post("/host", {"host": "127.0.0.1"})
        assert found.text.endswith("<p>These are its addresses.</p>\n"), found.told
        missing = Visitor(address).post("/host", {"host": "no such host"})
        assert "no such host (status 2)" in missing.text, missing.told
    assert wait_until(lambda: not descendants(process)), descendants(process)


def test_first_process_keeps_nothing_of_processes_whose_parents_have_ended(first):
    address, process = first
    assert Visitor(address).get("/disks").status == 200
    subprocess.run(["nsenter", f"--target={process}", "--pid", "sh", "-c", "sleep 0.5 >/dev/null 2>&1 & exit 0"],
                   check=True)
    assert wait_until(lambda: descendants(process)), "the orphan has not become the program's"
    found = Visitor(address).post("/host", {"host": "127.0.0.1"})
    assert found.text.endswith("<p>These are its addresses.</p>\n"), found.told
    assert wait_until(lambda: not descendants(process)), descendants(process)


def test_first_process_ends_a_program_whose_visitor_leaves(first):
    address, process = first
    with Connection(address) as connection:
        connection.send(request("GET", "/log"))
        assert wait_until(lambda: connection.receive(0.05) and b"first" in connection.received or
                          b"first" in connection.received), bytes(connection.received)
        # The program, and its keeper.
        assert len(descendants(process)) == 2
        connection.reset()
    # SIGTERM is enough: SIGKILL would come two seconds later.
    assert wait_until(lambda: not descendants(process), 1.5), descendants(process)
    assert Visitor(address).get("/disks").status == 200


# Ends ---------------------------------------------------------------------------------------------

@pytest.mark.parametrize("leave", ["reset", "close"])
def test_program_ends_when_its_visitor_leaves(program, leave):
    connection = follow(program)
    assert len(children(program)) == 1
    getattr(connection, leave)()
    # Behind a FIN the visitor may still read: ten seconds later the server knows better. A program that ends at SIGTERM
    # is given back before SIGKILL is due.
    assert wait_until(lambda: not children(program), 1.5 if leave == "reset" else 12.5), children(program)


def test_output_that_is_too_long_ends(program, log):
    log.write_text("".join(f"{number % 10}" * 99_999 + "\n" for number in range(20)))
    response = Visitor(program.address, 20).get("/log")
    assert response.status == 200 and len(response.body) == SIZE_MAX
    assert wait_until(lambda: not children(program))


@pytest.mark.skipif(SANITIZED or bool(RUN), reason="the memory is the sanitizers' or the emulator's")
def test_program_waits_for_a_slow_visitor_and_the_server_keeps_nothing(program, log):
    log.write_text("".join("x" * 99_999 + "\n" for _ in range(20)))
    before = program.memory()[0]
    with Connection(program.address) as connection:
        connection.send(request("GET", "/log"))
        time.sleep(1.0)
        assert len(children(program)) == 1
        with open(f"/proc/{program.pid}/stat", encoding="ascii") as file:
            ticks = [int(word) for word in file.read().rsplit(")", 1)[1].split()[11:13]]
        time.sleep(1.0)
        with open(f"/proc/{program.pid}/stat", encoding="ascii") as file:
            later = [int(word) for word in file.read().rsplit(")", 1)[1].split()[11:13]]
        assert sum(later) - sum(ticks) <= 5, "the loop does not rest while a visitor reads nothing"
        assert program.memory()[0] - before <= 64
        connection.reset()
    assert wait_until(lambda: not children(program))


def test_more_programs_than_the_bound_are_refused(program, visitor):
    connections = [follow(program) for _ in range(COUNT_MAX)]
    response = visitor.get("/disks")
    assert response.status == 503 and int(response.one("Retry-After")) > 0, response.told
    assert visitor.get("/").status == 200
    connections.pop().reset()
    assert wait_until(lambda: visitor.get("/disks").status == 200)
    for connection in connections:
        connection.reset()
    assert wait_until(lambda: not children(program))


def test_nothing_is_left_of_many_programs(program, visitor):
    assert visitor.get("/disks").status == 200
    assert wait_until(lambda: not children(program))
    before = program.descriptors()
    for _ in range(50):
        assert visitor.get("/disks").status == 200
    assert wait_until(lambda: not children(program))
    # The last connection lingers for a moment.
    assert wait_until(lambda: program.descriptors() <= before), program.descriptors()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_programs_end_with_the_server(program, number):
    connection = follow(program)
    [child] = children(program)
    if number == signal.SIGTERM:
        program.stop()
    else:
        program.kill()
    # Whoever adopts it, it is gone or a zombie.
    def is_gone():
        try:
            stat = Path(f"/proc/{child}/stat").read_text(encoding="latin-1")
        except OSError:
            return True
        return stat[stat.rindex(")") + 2] in "ZX"
    assert wait_until(is_gone), child
    connection.close()
