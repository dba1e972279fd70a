"""Other servers beside ours, measured in the same run and by the same client.

Microdot's login example on MicroPython's unix port and on CPython, and lighttpd with a static page.
"File" is what must be on flash beside the C library, which most boards have: the files that the
running program has mapped and the sources of the modules that it has imported, nothing else of its
installation. Python is Debian's.

MicroPython comes from PyPI as an extension module of CPython, with MicroPython's own `main` in it.
It is run without CPython: a launcher of our own loads the module, gives it a place for each of
CPython's names that it mentions and calls MicroPython's `main`. The C++ library and libgcc, which
only the extension's CPython half needs, are not counted. How much the package's own command takes,
with CPython around it, stands in a line of its own.
"""

import os
import re
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import memory
import visits
from boards import ROOT, own_board
from records import Row
from running import Program
from visitor import Visitor

SOURCES = Path(__file__).parent / "servers"
FOLDER = ROOT / ".build" / "footprint" / "peers"
MODULES = ("__init__", "microdot", "helpers", "login", "session")
NOT_MICROPYTHON = ("libstdc++.so", "libgcc_s.so")
C_LIBRARY = re.compile(r"/(libc|libm|libcrypt|libpthread|libdl|ld-linux[^/]*)\.so[^/]*$")
PYTHON = "/usr/bin/python3"
PACKAGES = ("lighttpd", "libnettle8", "libpcre2-8-0", "libxxhash0")
LAUNCHER = """#include <dlfcn.h>
#include <stdio.h>
%s
int main(int count, char **arguments) {
  void *library = dlopen("./micropython.so", RTLD_LAZY);
  if (!library) return fprintf(stderr, "%%s\\n", dlerror()), 1;
  int (*begin)(int, char **) = (int (*)(int, char **))dlsym(library, "micropython_unix_main");
  return begin ? begin(count, arguments) : 1;
}
"""


def quietly(*command, **options):
    done = subprocess.run([str(word) for word in command],
                          capture_output=True,
                          text=True,
                          **options)
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).strip().splitlines()
        raise RuntimeError(f"{Path(command[0]).name} failed: {lines[-1] if lines else 'silently'}")
    return done.stdout


def set_up_python():
    stamp, wanted = FOLDER / "requirements.txt", SOURCES / "requirements.txt"
    if stamp.is_file() and stamp.read_text() == wanted.read_text():
        return
    quietly(PYTHON, "-m", "venv", "--clear", FOLDER / "python")
    quietly(FOLDER / "python/bin/python", "-m", "pip", "install", "--quiet",
            "--disable-pip-version-check", "-r", wanted)
    shutil.copy(wanted, stamp)


def packages():
    return next((FOLDER / "python/lib").glob("python3.*/site-packages"))


def set_up_micropython():
    folder = FOLDER / "micropython"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "microdot").mkdir(parents=True)
    extension, = packages().glob("micropython_run*.so")
    quietly("strip", "-o", folder / "micropython.so", extension)
    undefined = quietly("nm", "-D", "--undefined-only", extension)
    places = "\n".join(f"char {name}[512];"
                       for name in re.findall(r" U (_?Py\w+)$", undefined, re.M))
    source = folder / "launcher.c"
    source.write_text(LAUNCHER % places)
    quietly("cc", "-Os", "-s", "-rdynamic", source, "-o", folder / "micropython")
    source.unlink()
    for name in MODULES:
        shutil.copy(packages() / f"microdot/{name}.py", folder / "microdot")
    for name in ("login.py", "jwt.py"):
        shutil.copy(SOURCES / name, folder)
    return folder


def set_up_cpython():
    folder = FOLDER / "cpython"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copy(SOURCES / "login.py", folder)
    return folder


def set_up_lighttpd():
    folder = FOLDER / "lighttpd"
    if not (folder / "root/usr/sbin/lighttpd").is_file():
        (folder / "root").mkdir(parents=True, exist_ok=True)
        quietly("apt-get", "download", "-q", *PACKAGES, cwd=folder)
        for package in folder.glob("*.deb"):
            quietly("dpkg-deb", "-x", package, folder / "root")
            package.unlink()
        shutil.copy(folder / "root/usr/sbin/lighttpd", folder)
    shutil.copy(SOURCES / "lighttpd.conf", folder)
    (folder / "pages").mkdir(exist_ok=True)
    (folder / "pages/index.html").write_text("<!doctype html>\n<h1>Hello, susan!</h1>\n")
    return folder


def free_port():
    with socket.socket() as some:
        some.bind(("127.0.0.1", 0))
        return some.getsockname()[1]


def wait_until_open(program):
    end = time.monotonic() + 20
    while time.monotonic() < end and program.process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", program.port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"{program.process.args[0]} does not listen: {program.output()[-500:]}")


def counted(mappings, without):
    """The mappings that count: not those of some libraries, nor the zeros that follow them."""
    kept, end = [], None
    for mapping in mappings:
        is_left_out = (any(name in mapping.path for name in without)
                       or (not mapping.path and mapping.start == end))
        end = mapping.end if is_left_out else None
        if not is_left_out:
            kept.append(mapping)
    return kept


@dataclass(frozen=True)
class Peer:
    """How a server is started, PORT in its arguments and environment being a port, and its files."""

    name: str
    path: Path
    arguments: tuple
    files: tuple
    logs_in: bool = True
    without: tuple = ()
    environment: dict = field(default_factory=dict)

    def words(self, port):
        return [str(word).replace("PORT", str(port)) for word in self.arguments]

    def variables(self, port):
        return {**self.environment, "PORT": str(port)}

    def start(self):
        port = free_port()
        program = Program(self.path, self.words(port), port=port, environment=self.variables(port))
        try:
            wait_until_open(program)
        except BaseException:
            program.kill()
            raise
        return program

    def mappings(self, program):
        return counted(program.mappings(), self.without)

    def file_size(self, mappings):
        mapped = {mapping.path for mapping in mappings if os.path.isfile(mapping.path)}
        return sum(
            os.path.getsize(file) for file in mapped | set(map(str, self.files))
            if not C_LIBRARY.search(file))


def measure(peer):
    figures = {}
    program = peer.start()
    try:
        visitor = Visitor(program.port)
        for moment in ("idle", "login", "served"):
            if moment == "login":
                visits.enter("login-example" if peer.logs_in else "", program, visitor)
            elif moment == "served":
                visits.serve(visitor)
            mappings = peer.mappings(program)
            found = memory.total(mappings)
            figures[f"resident_{moment}"] = found.resident
            figures[f"anonymous_{moment}"] = found.anonymous
        figures["stack"] = memory.stack_use(program.pid, mappings, program.space)
        figures["file"] = peer.file_size(mappings)
        visitor.close()
    finally:
        program.kill()
    return Row(own_board().name, peer.name, "peer", "native", figures)


def imported_sources(python, folder, module="login"):
    """The files of all modules that are imported with one of them."""
    told = quietly(python,
                   "-B",
                   "-c", f"import sys, {module}; print(*sorted({{m.__file__ for m in "
                   "list(sys.modules.values()) if getattr(m, '__file__', None)}), sep='\\n')",
                   cwd=folder)
    return told.splitlines()


def micropython_peers():
    """MicroPython by itself, and in the package's own command."""
    python = FOLDER / "python/bin/python"
    folder = set_up_micropython()
    own = (*folder.glob("*.py"), *folder.glob("microdot/*.py"))
    wrapped = (*own, *imported_sources(python, folder, "micropython_unix"))
    return [
        Peer("MicroPython, Microdot",
             folder / "micropython", ("login.py", "PORT", visits.SECRET),
             own,
             without=NOT_MICROPYTHON),
        Peer("MicroPython in its PyPI wrapper",
             python,
             (FOLDER / "python/bin/micropython", folder / "login.py", "PORT", visits.SECRET),
             wrapped,
             environment={"MICROPYPATH": f".frozen:{folder}"})
    ]


def cpython_peer():
    python = FOLDER / "python/bin/python"
    folder = set_up_cpython()
    return Peer("CPython, Microdot", python,
                ("-B", folder / "login.py", "PORT", visits.SECRET),
                tuple(imported_sources(python, folder)))


def lighttpd_peer():
    folder = set_up_lighttpd()
    libraries = ":".join(sorted({str(file.parent) for file in folder.glob("root/**/*.so.*")}))
    return Peer("lighttpd, a static page",
                folder / "lighttpd",
                ("-D", "-f", "lighttpd.conf", "-m", "root/usr/lib/lighttpd"),
                (folder / "lighttpd.conf", folder / "pages/index.html"),
                logs_in=False,
                environment={"LD_LIBRARY_PATH": libraries})


def set_up():
    """All peers, ready to be started."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    set_up_python()
    return [*micropython_peers(), cpython_peer(), lighttpd_peer()]


def measure_all():
    return [measure(peer) for peer in set_up()]
