"""The servers that are measured: Martlet, the floor, and Footprint's peers.

Each answers the page of a user who has logged in: all but the floor, which knows one answer, and
lighttpd, which serves the same content as a file.
"""

import os
import shutil
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import peers
import visits
from boards import ROOT, own_board, read_facts
from peers import Peer, free_port, quietly
from visitor import PATIENCE, Visitor

HERE = Path(__file__).parent
FOLDER = ROOT / ".build" / "bench"
GREETING = b"Hello, susan!"
CPUS = sorted(os.sched_getaffinity(0))
SERVER_CPU = CPUS[0]
CLIENT_CPUS = CPUS[1:] or CPUS
C_WARNINGS = ("-Wall", "-Wextra", "-Werror")


@dataclass
class Server:
    """One that is measured; its cookie stays valid when it is started again."""

    key: str
    name: str
    peer: Peer
    remark: str = ""
    cookie: str = ""

    def request(self, port, closes=False):
        lines = ["GET / HTTP/1.1", f"Host: 127.0.0.1:{port}"]
        lines += [f"Cookie: {self.cookie}"] if self.cookie else []
        lines += ["Connection: close"] if closes else []
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def start(self):
        """The running program, on the servers' CPU if there are two."""
        program = self.peer.start()
        if len(CPUS) > 1:
            os.sched_setaffinity(program.pid, {SERVER_CPU})
        return program


def ask(port, request):
    """The answer to these octets, over a connection of its own."""
    visitor = Visitor(port)
    try:
        return visitor.exchange(request)
    finally:
        visitor.close()


def octets_of(answer):
    return answer.head.encode("latin-1") + b"\r\n\r\n" + answer.body


def log_in(server, program):
    visitor = Visitor(program.port)
    visits.enter("login-example", program, visitor)
    visitor.close()
    server.cookie = "; ".join(f"{name}={value}" for name, value in visitor.jar.items())


def check(server, program, size=None):
    """Fails unless the server answers the page, in both ways, and with so many octets."""
    for closes in (False, True):
        answer = ask(program.port, server.request(program.port, closes))
        if answer.status != 200 or GREETING not in answer.body:
            raise RuntimeError(f"{server.name} answers {answer.status} and not susan's page")
        if size and len(octets_of(answer)) != size[closes]:
            raise RuntimeError(f"{server.name} answers {len(octets_of(answer))} octets, not "
                               f"{size[closes]} as Martlet does")


def compile_c(source, *options, static=False):
    """A C program of this folder; a static one for Martlet's own C library."""
    target = FOLDER / Path(source).stem
    if static:
        board = own_board().name
        facts = read_facts((ROOT / "boards" / board / "board.conf").read_text(encoding="utf-8"))
        info = quietly("swiftc", "-print-target-info")
        resources = info.partition('"runtimeResourcePath"')[2].split('"')[1]
        sysroot = ROOT / ".build/sdk/boards.artifactbundle" / board / "sysroot"
        command = [
            Path(resources).parents[1] / "bin/clang", f"--target={facts['target']}",
            *facts["flags"].split(), f"--sysroot={sysroot}", "-static", "-fuse-ld=lld", "-s"
        ]
    else:
        command = ["cc"]
    quietly(*command, "-O2", *C_WARNINGS, HERE / source, "-o", target, *options)
    return target


def write_answers(answers):
    lines = [
        f"static const char {name}[] = {{{', '.join(map(str, octets))}}};\n"
        for name, octets in answers.items()
    ]
    (FOLDER / "answers.h").write_text("".join(lines), encoding="ascii")


def own_servers():
    """Martlet, and the floor with its answers."""
    martlet = Server(
        "martlet", "Martlet",
        Peer("Martlet", own_board().program("login-example"),
             ("--listen", "127.0.0.1:PORT", "--secret", visits.SECRET), ()))
    program = martlet.start()
    try:
        log_in(martlet, program)
        check(martlet, program)
        answers = [ask(program.port, martlet.request(program.port, closes))
                   for closes in (False, True)]
    finally:
        program.kill()
    write_answers(dict(zip(("keep_alive_answer", "close_answer"), map(octets_of, answers))))
    path = compile_c("floor.c", f"-I{FOLDER}", static=True)
    # The same request as Martlet's, cookie and all.
    floor = Server("floor", "floor", Peer("floor", path, ("PORT", ), ()),
                   "polls, reads, writes a constant answer", martlet.cookie)
    return martlet, floor, answers


def other_servers(content):
    known = {peer.name: peer for peer in peers.set_up()}
    lighttpd = known["lighttpd, a static page"]
    (lighttpd.path.parent / "pages/index.html").write_bytes(content)
    servers = [
        Server("lighttpd", "lighttpd", lighttpd, "a static page, no login"),
        Server("micropython", "Microdot on MicroPython", known["MicroPython, Microdot"],
               "closes each connection"),
        Server("cpython", "Microdot on CPython", known["CPython, Microdot"],
               "closes each connection")
    ]
    return servers


def set_up(with_others=True):
    """All servers, each checked to answer the page, and how many octets Martlet's answer has. The
    floor comes first, because others' ratios are to it.
    """
    FOLDER.mkdir(parents=True, exist_ok=True)
    martlet, floor, answers = own_servers()
    servers = [floor, martlet]
    if with_others:
        servers += other_servers(answers[0].body)
    sizes = [len(octets_of(answer)) for answer in answers]
    for server in servers:
        program = server.start()
        try:
            if server.peer.logs_in and not server.cookie:
                log_in(server, program)
            check(server, program, sizes if server is floor else None)
        finally:
            program.kill()
    return servers, sizes[0]


class Wrapped:
    """A server inside a program that counts what it does: COMMAND... SERVER."""
    def __init__(self, server, command):
        self.port = free_port()
        self.printed = tempfile.TemporaryFile("w+")
        peer = server.peer
        self.process = subprocess.Popen(
            [*map(str, command), str(peer.path), *peer.words(self.port)],
            cwd=peer.path.parent,
            env={"PATH": os.environ.get("PATH", "/usr/bin:/bin"), **peer.variables(self.port)},
            stdin=subprocess.DEVNULL,
            stdout=self.printed,
            stderr=subprocess.STDOUT)
        try:
            peers.wait_until_open(self)
        except BaseException:
            self.kill()
            raise

    def output(self):
        return os.pread(self.printed.fileno(), 65536, 0).decode("utf-8", "replace")

    def server_pid(self):
        """The server: the process's child, or the process itself."""
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return int(children[0]) if children else pid

    def stop(self):
        os.kill(self.server_pid(), signal.SIGTERM)
        self.process.wait(PATIENCE)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.printed.close()


def processor_time(pid):
    """Seconds that a process has run, user and kernel."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def has(program):
    return shutil.which(program) is not None

