"""Usage: scripts/footprint [--write] [FOLDER]

Measures each program of FOLDER (default .build/boards/x86-64, what scripts/build makes): the file, its
sections, resident memory at the start, after the first request and after 1,000 more, the stack, the
biggest symbols. Prints Markdown. --write also puts the table between the two footprint lines of
README.md. Status 1 if memory grew after the first request.
"""

import http.client
import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
REQUESTS = 1000
SYMBOLS = 25
PAGE_KIB = os.sysconf("SC_PAGE_SIZE") // 1024
SECRET = "a secret of at least thirty-two octets"
START, END = "<!-- footprint -->", "<!-- /footprint -->"


def stop(message, status=1):
    print(f"scripts/footprint: {message}", file=sys.stderr)
    sys.exit(status)


class Running:
    """A program that listens on a port that the system chose."""

    def __init__(self, path, *arguments):
        self.printed = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen([path, "--listen", "127.0.0.1:0", *arguments],
                                        stdin=subprocess.DEVNULL, stdout=self.printed,
                                        stderr=subprocess.STDOUT)
        self.port = self.find_port()

    def find_port(self):
        for _ in range(1000):
            os.sched_yield()
            text = os.pread(self.printed.fileno(), 4096, 0).decode()
            matched = re.search(r"http://127\.0\.0\.1:([0-9]+)", text)
            if matched:
                return int(matched[1])
            try:
                self.process.wait(0.01)
            except subprocess.TimeoutExpired:
                continue
            break
        self.process.kill()
        return None

    def memory(self):
        """KiB by kind, counted page by page, and of the stack."""
        folder = Path(f"/proc/{self.process.pid}")
        rollup = (folder / "smaps_rollup").read_text()
        sizes = {name: int(kib) for name, kib in re.findall(r"^(\w+): +(\d+) kB", rollup, re.M)}
        stack = re.search(r"\[stack\]\n(?:\w+: .*\n)*?Rss: +(\d+) kB", (folder / "smaps").read_text())
        return {"resident": sizes["Rss"], "anonymous": sizes["Anonymous"],
                "file": sizes["Rss"] - sizes["Anonymous"], "stack": int(stack[1])}

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        if self.process.wait(10) != 0:
            stop(f"{self.process.args[0]} ended with {self.process.returncode}.")


def ask(connection, method, path, form=None, cookie=None):
    fields = {"Cookie": cookie} if cookie else {}
    if form:
        fields["Content-Type"] = "application/x-www-form-urlencoded"
    connection.request(method, path, form, fields)
    response = connection.getresponse()
    response.read()
    return response


class Client:
    """Asks one program for its page; the login example as somebody who is logged in."""

    PAGES = {"hello-example": "/", "login-example": "/", "martlet-panel": "/setup"}

    def __init__(self, name, port):
        self.name, self.port, self.cookie = name, port, None
        if name == "login-example":
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            response = ask(connection, "POST", "/login", "username=susan&password=hello")
            self.cookie = response.getheader("Set-Cookie", "").split(";")[0]
            connection.close()

    def ask_for_page(self, times):
        """On one connection."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        for _ in range(times):
            page = self.PAGES[self.name]
            response = ask(connection, "GET", page, cookie=self.cookie)
            if response.status != 200:
                stop(f"{self.name} answered {page} with {response.status}.")
        connection.close()


def sections(path):
    text = subprocess.run(["size", "-A", path], capture_output=True, text=True, check=True).stdout
    return {name: int(size) for name, size in re.findall(r"^(\.\S+) +(\d+)", text, re.M)}


def biggest_symbols(path):
    """From the linker's map; a program itself carries no names."""
    sizes, seen = {}, set()
    for line in path.read_text().splitlines():
        columns = line.split(None, 4)
        # Lines of a section carry the object file and the section, lines of a symbol its name.
        if len(columns) == 5 and ":(" not in columns[4] and not columns[4].startswith("."):
            # Names of one address are one symbol; the first stands for all.
            if re.fullmatch("[0-9a-f]+", columns[0]) and columns[0] not in seen:
                seen.add(columns[0])
                sizes[columns[4]] = int(columns[2], 16)
    names = sorted(sizes, key=sizes.get, reverse=True)[:SYMBOLS]
    told = subprocess.run(["swift", "demangle", "--simplified", "--compact"], input="\n".join(names),
                          capture_output=True, text=True, check=True).stdout.splitlines()
    return [(sizes[name], text) for name, text in zip(names, told)]


def measure(path):
    with tempfile.TemporaryDirectory() as data:
        arguments = {"hello-example": [], "login-example": ["--secret", SECRET],
                     "martlet-panel": ["--data", data + "/data"]}[path.name]
        program = Running(path, *arguments)
        if program.port is None:
            return None
        idle = program.memory()
        client = Client(path.name, program.port)
        client.ask_for_page(1)
        once = program.memory()
        for _ in range(10):
            client.ask_for_page(REQUESTS // 10)
        after = program.memory()
        program.stop()
    return idle, once, after


def table_row(path, memory):
    size = sections(path)
    cells = [f"`{path.name}`", path.stat().st_size,
             *(size.get(name, 0) for name in (".text", ".rodata", ".data", ".bss"))]
    if memory is None:
        return cells + ["does not listen"] + [""] * 5
    idle, once, after = memory
    return cells + [idle["resident"], once["resident"], after["resident"], after["anonymous"],
                    after["file"], after["stack"]]


def markdown(rows):
    lines = ["| Program | File | .text | .rodata | .data | .bss | Resident, idle | after 1 request "
             f"| after {REQUESTS:,} more | of it its own | of it the file | of it the stack |",
             "|---" + "|--:" * 11 + "|"]
    for row in rows:
        lines.append("| " + " | ".join(f"{cell:,}" if isinstance(cell, int) else cell
                                       for cell in row) + " |")
    lines += ["", "Files and sections in octets, memory in KiB (`/proc/PID/smaps_rollup`)."]
    return "\n".join(lines)


def write(table):
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8") if readme.is_file() else ""
    pattern = re.compile(re.escape(START) + r"\n.*?" + re.escape(END), re.S)
    if len(pattern.findall(text)) != 1:
        stop(f"README.md has no lines {START} and {END} to write between.")
    readme.write_text(pattern.sub(lambda _: f"{START}\n{table}\n{END}", text), encoding="utf-8")
    print("Wrote the table to README.md.")


def main():
    arguments = sys.argv[1:]
    if "--help" in arguments:
        print(__doc__.strip())
        return 0
    writes = "--write" in arguments
    folders = [argument for argument in arguments if argument != "--write"]
    if len(folders) > 1 or any(folder.startswith("-") for folder in folders):
        stop("unknown option; there are --write and a folder.", 2)
    folder = Path(folders[0]).resolve() if folders else ROOT / ".build" / "boards" / "x86-64"
    rows, complaints, lists = [], [], []
    for name in ("hello-example", "login-example", "martlet-panel"):
        path = folder / name
        if not path.is_file():
            stop(f"{path} is missing; run scripts/build first.")
        print(f"Measuring {name} …", file=sys.stderr)
        memory = measure(path)
        rows.append(table_row(path, memory))
        if memory:
            _, once, after = memory
            for kind in ("resident", "anonymous", "stack"):
                if after[kind] != once[kind]:
                    complaints.append(f"{name}: {kind} memory is {once[kind]} KiB after one "
                                      f"request and {after[kind]} KiB after {REQUESTS:,} more.")
        lines = [f"{size:>8,}  {text}" for size, text in biggest_symbols(folder / f"{name}.map")]
        lists.append(f"{name}: the biggest {SYMBOLS} symbols, in octets\n" + "\n".join(lines))
    table = markdown(rows)
    print(table, *lists, *complaints, sep="\n\n")
    if writes:
        write(table)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
