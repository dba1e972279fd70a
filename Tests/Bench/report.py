"""The results as Markdown: tables for the terminal, the articles and the README."""

import re
import textwrap

from figures import ratios, spread
from tables import markdown
from targets import evaluate, instructions_max, times, to_floor


def name_of(server, marks=True):
    name = f"**{server['name']}**" if server["key"] == "martlet" else server["name"]
    return f"{name} ({server['remark']})" if marks and server["remark"] else name


def time_of(microseconds):
    if microseconds < 1000:
        return f"{microseconds:.0f} µs"
    return f"{microseconds / 1000:,.{2 if microseconds < 10_000 else 1}f} ms"


def kib(octets):
    return f"{octets / 1024:,.0f}"


def medians(rounds, figure):
    values = [result[figure] for result in rounds if result[figure] is not None]
    return spread(values).median if values else None


def errors_of(rounds):
    """What wrk counted beside good answers, over all rounds."""
    counts = {}
    for result in rounds:
        for name, count in result["errors"].items():
            counts[name] = counts.get(name, 0) + count
    return ", ".join(f"{count:,} {name}" for name, count in counts.items()) or "none"


def load_row(row, server, by_server):
    rounds, is_floor = by_server[server["key"]], server["key"] == "floor"
    processor = medians(rounds, "processor")
    return [
        f"`{row}`",
        name_of(server, marks=False), f"{medians(rounds, 'rate'):,.0f}",
        "1" if is_floor else times(to_floor(by_server, "rate", server["key"])),
        time_of(medians(rounds, "p50")),
        time_of(medians(rounds, "p99")),
        "1" if is_floor else times(to_floor(by_server, "p99", server["key"])),
        "–" if processor is None else f"{processor:.1f} µs",
        errors_of(rounds)
    ]


def load(results):
    head = ["Row", "Server", "Requests/s", "× floor", "p50", "p99", "× floor", "CPU a request"]
    head.append("Errors")
    body = [
        load_row(row, server, by_server) for row, by_server in results["load"].items()
        for server in results["servers"]
    ]
    return markdown(head, body, 2)


def tokens(results):
    head = ["Row", "Program", "Tokens/s", "× bare HMAC"]
    names = {
        "martlet sign": "**Martlet**, sign",
        "martlet verify": "**Martlet**, verify",
        "pyjwt sign": "PyJWT, sign",
        "pyjwt verify": "PyJWT, verify",
        "hmac": "mbedTLS, the HMAC alone"
    }
    measured = results["tokens"]
    body = [[
        "`tokens`", name, f"{spread(measured[key]).median:,.0f}",
        "1" if key == "hmac" else times(spread(ratios(measured[key], measured["hmac"])))
    ] for key, name in names.items()]
    ours = [
        f"**{spread(ratios(measured[f'martlet {work}'], measured[f'pyjwt {work}'])).median:.1f}** "
        f"times PyJWT's to {work}" for work in ("sign", "verify")
    ]
    return markdown(head, body, 2) + f"\n\nMartlet's are {ours[0]} and {ours[1]}."


def passwords(results):
    names = {
        "martlet instructions": "**Martlet**, with the processor's instructions for SHA-256",
        "martlet plain": "**Martlet**, without them",
        "hashlib": "Python's hashlib (OpenSSL)"
    }
    measured = results["passwords"]
    plain = measured["martlet plain"]
    body = [[
        "`passwords`", name, f"{spread(measured[key]).median:,.0f}",
        "1" if key == "martlet plain" else times(spread(ratios(measured[key], plain)))
    ] for key, name in names.items() if key in measured]
    return markdown(["Row", "Program", "Iterations/s", "× without"], body, 2)


TLS_NAMES = {"martlet": "**Martlet**", "nginx": "nginx (a file, no login)"}


def each_resting(found):
    """Resident octets of a TLS connection that rests."""
    return (found["memory"]["resting"] - found["memory"]["used"]) / found["memory"]["connections"]


def tls(results):
    head = ["Row", "Server", "Full handshakes a second, 1.2", "1.3", "Requests/s, 8 connections", "× nginx",
            "CPU a request", "MB/s", "Idle, KiB", "16 connections add, each", "After handshakes, KiB"]
    measured, body = results["tls"], []
    for key, name in TLS_NAMES.items():
        if key not in measured:
            continue
        found = measured[key]
        beside = measured.get("nginx")
        body.append([
            "`tls`", name, *(f"{spread(found[version]).median:,.0f}" for version in ("1.2", "1.3")),
            f"{spread(found['rate']).median:,.0f}",
            "1" if key == "nginx" else times(spread(ratios(found["rate"], beside["rate"]))) if beside else "–",
            f"{spread(found['processor']).median:.1f} µs", f"{spread(found['octets']).median / 1e6:,.0f}",
            kib(found["memory"]["idle"]), f"{each_resting(found):,.0f}", kib(found["memory"]["afterwards"])
        ])
    return markdown(head, body, 2)


def start(results):
    measured, body = results["start"], []
    for server in results["servers"]:
        key = server["key"]
        found = spread(measured[key])
        body.append([
            "`start`",
            name_of(server), f"{found.median / 1000:,.2f}",
            f"{found.min / 1000:,.2f}–{found.max / 1000:,.2f}",
            "1" if key == "floor" else times(spread(ratios(measured[key], measured["floor"])))
        ])
    return markdown(["Row", "Server", "ms", "min–max", "× floor"], body, 2)


def file(results):
    return markdown(["Row", "Server", "Octets"],
                    [["`file`", name_of(server), results["file"][server["key"]]]
                     for server in results["servers"]], 2)


def resting_of(found):
    """(all idle connections, one of them), in KiB and octets."""
    if found["open"] == 0:
        return "–", "–"
    added = found["resting"] - found["served"]
    return kib(added), f"{added / found['open']:,.0f}"


def memory(results):
    head = [
        "Row", "Server", "Idle, KiB", "Requests", "Then, KiB", "Idle connections", "They add, KiB",
        "Each, octets"
    ]
    body = []
    for server in results["servers"]:
        found = results["memory"][server["key"]]
        body.append([
            "`memory`",
            name_of(server),
            kib(found["idle"]), f"{found['requests']:,}",
            kib(found["served"]), f"{found['open']} of {found['wanted']}", *resting_of(found)
        ])
    return markdown(head, body, 2)


def instructions(results):
    found = results["instructions"]
    floor = found["servers"]["floor"]
    body = [[
        "`instructions`",
        name_of(server), f"{found['servers'][server['key']]:,.0f}",
        f"{found['servers'][server['key']] / floor:,.2f}"
    ] for server in results["servers"]]
    return markdown(["Row", "Server", "Instructions", "× floor"], body, 2) + (
        f"\n\nCounted by `{found['tool']}`. To verify the token takes {found['compressions']} "
        f"compressions of SHA-256, {found['compression']:,.0f} instructions each; with them the "
        f"target is {instructions_max(found):,.0f}.")


# What is measured apart from the servers of the other rows, so that it can be written alone.
APART = ("tokens", "passwords", "tls")

SECTIONS = {
    "load": ("Pages a second, and latency", load),
    "tokens": ("Session tokens", tokens),
    "passwords": ("Iterations of a password's hash", passwords),
    "tls": ("TLS", tls),
    "start": ("From the process's start to its first answer", start),
    "file": ("File", file),
    "memory": ("Resident memory", memory),
    "instructions": ("Instructions in user space for a request", instructions)
}


def targets(results):
    return markdown(["Target", "Measured", ""],
                    [[target.text, target.measured, target.verdict]
                     for target in evaluate(results)], 3)


def machine(results):
    lines = [f"- {name}: {text}" for name, text in results["machine"].items()]
    return "\n".join(lines)


def tables(results):
    """Everything that was measured, a section each."""
    parts = []
    for key, (title, render) in SECTIONS.items():
        if results.get(key):
            parts.append(f"## {title}\n\n{render(results)}")
    if evaluate(results):
        parts.append(f"## Targets\n\n{targets(results)}")
    return "\n\n".join(parts)


NOTES = {
    "load":
    "The page that a login leads to, {size} octets with its head. `keep-alive` asks again over "
    "the same connections, `close` opens one for each request. Medians of {rounds} rounds of "
    "{seconds} s in which the servers take turns; ratios are taken round by round: median "
    "(min–max). wrk runs on another CPU than the server. Microdot closes each connection in both "
    "rows. lighttpd serves the same content as a file and asks for no login. *CPU a request* is "
    "what the server itself used, in user space and kernel; where that times the rate is well "
    "below a second, wrk was the limit. *Errors* are wrk's: failed connections, reads and writes,"
    " answers other than 2xx and 3xx, and answers later than 10 s.",
    "tokens":
    "The token of a login's session, made from its claims and read back to them; all three "
    "programs make the same one. The HMAC alone is what a token cannot do without; it prepares "
    "the key each time, Martlet once.",
    "passwords":
    "Iterations of PBKDF2-HMAC-SHA256 a second of processor time, on one core; all come to the same "
    "key. The panel hashes a password with as many as take 300 ms, from 20,000 to 2,000,000.",
    "tls":
    "HTTPS, with one certificate and the curve P-256 for both. Handshakes and octets of a file (MB/s) are "
    "for a second of the server's own processor time; requests are wrk's, for the page that a login leads to. "
    "Each of 16 connections that rest has had an answer, and one before them has warmed the server. "
    "The kernel's memory is in nobody's figure.",
    "start":
    "Before the fork to the first octets of the page, over {starts} starts, with all files in the"
    " page cache.",
    "file":
    "The program with all that it loads of its own; for all but Martlet and the floor, which "
    "contain one, without the C library.",
    "memory":
    "Idle before the first request; after at least so many requests over 8 connections (a slow "
    "server has {patience} s for them); and what connections add that have had one answer and "
    "rest. The kernel's memory for a connection is in nobody's figure.",
    "instructions":
    "Over one connection that stays, a request at a time; Microdot's need a connection each."
}


# What says when a section was measured, of the machine's facts.
WHEN = ("Date", "Machine", "Load average before", "Martlet")


def wrapped(words):
    return textwrap.fill(words, 100, break_on_hyphens=False, break_long_words=False)


def article(results, notes):
    parts = [
        "# How fast it is",
        wrapped(
            "What a logged-in page costs beside a server that does nothing, and beside other "
            "servers; measured in one run by `scripts/bench --write`, which also wrote this page. "
            "The *floor* is `Tests/Bench/floor.c`: it polls, reads and writes a constant answer of "
            "the same size. `scripts/bench --only ROW` measures one row again."),
        f"## Where and with what\n\n{machine(results)}", f"## Targets\n\n{targets(results)}"
    ]
    return "\n\n".join([*parts, *(part(key, results, notes).rstrip("\n") for key in SECTIONS)]) + "\n"


def part(key, results, notes, apart=False):
    """The section of some rows."""
    title, render = SECTIONS[key]
    note = wrapped(NOTES[key].format(**notes))
    if apart:
        when = "; ".join(f"{name} {results['machine'][name]}" for name in WHEN)
        note += f"\n\nMeasured apart: {when}."
    return f"## {title}\n\n{note}\n\n{render(results)}\n"


def article_with(document, results, notes):
    """The article with other sections for what was measured, which are in `APART`; and with their targets."""
    document = with_targets(document, evaluate(results))
    parts = re.split(r"^(?=## )", document, flags=re.M)
    titles = [title for title, _ in SECTIONS.values()]
    for key in APART:
        if key not in results:
            continue
        title = SECTIONS[key][0]
        later = titles[titles.index(title):]
        # In its own section's place, or before the first of those that come later.
        places = [i for i, some in enumerate(parts) if some.partition("\n")[0].removeprefix("## ") in later]
        place = places[0] if places else len(parts)
        is_new = place == len(parts) or not parts[place].startswith(f"## {title}\n")
        parts[place:place + (not is_new)] = [part(key, results, notes, apart=True) + "\n"]
    return "".join(parts).rstrip("\n") + "\n"


def with_targets(document, found):
    """The article with other rows for these targets in its table of targets."""
    for target in found:
        row = f"| {target.text} | {target.measured} | {target.verdict} |\n"
        document, count = re.subn(rf"^\| {re.escape(target.text)} \|.*\n", lambda _, row=row: row, document,
                                  flags=re.M)
        if count == 0:
            head = "| Target | Measured |  |\n|---|---|---|\n"
            at = document.find("\n\n", document.find(head)) + 1
            if head in document and at > 0:
                document = document[:at] + row + document[at:]
    return document


def short_tls(results):
    """A line a server, of the figures of TLS that most people ask about."""
    measured, body = results["tls"], []
    for key, name in TLS_NAMES.items():
        if key not in measured:
            continue
        found = measured[key]
        body.append([name, *(f"{spread(found[version]).median:,.0f}" for version in ("1.2", "1.3")),
                     f"{spread(found['rate']).median:,.0f}", f"{spread(found['octets']).median / 1e6:,.0f}",
                     kib(found["memory"]["idle"]), f"{each_resting(found):,.0f}"])
    head = ["Server", "Full handshakes a second, 1.2", "1.3", "Requests/s, 8 connections", "MB/s", "Idle, KiB",
            "Octets a connection that rests"]
    return markdown(head, body, 1)


def line_of_tls(results):
    found, nginx = results["tls"]["martlet"], results["tls"].get("nginx")
    beside = f", {spread(ratios(found['rate'], nginx['rate'])).median:.2f} times nginx's" if nginx else ""
    return (f"- **HTTPS**: {spread(found['1.3']).median:,.0f} full handshakes of TLS 1.3 a second of one core, "
            f"{spread(found['rate']).median:,.0f} pages a second over 8 connections{beside}; a connection that rests "
            f"has {each_resting(found) / 1024:,.0f} KiB resident.")


def short(results):
    """A line a server, of the figures that most people ask about."""
    load_8, load_64 = results["load"]["keep-alive-8"], results["load"]["keep-alive-64"]
    close_8, body = results["load"]["close-8"], []
    for server in results["servers"]:
        key = server["key"]
        body.append([
            name_of(server), f"{medians(load_8[key], 'rate'):,.0f}",
            "1" if key == "floor" else f"{to_floor(load_8, 'rate', key).median:.2f}",
            f"{medians(close_8[key], 'rate'):,.0f}",
            time_of(medians(load_64[key], "p99")),
            f"{results['instructions']['servers'][key]:,.0f}",
            time_of(spread(results["start"][key]).median),
            resting_of(results["memory"][key])[1]
        ])
    head = [
        "Server", "Requests/s, 8 connections", "× floor", "closing each", "p99, 64 connections",
        "Instructions a request", "Start to first answer", "Octets an idle connection"
    ]
    return markdown(head, body, 1)


def lines(results):
    """The two figures that most people ask about, a line each."""
    load = results["load"]["keep-alive-8"]
    others = [f"{medians(load[server['key']], 'rate'):,.0f} by {name_of(server)}"
              for server in results["servers"] if server["key"] not in ("floor", "martlet")]
    return "\n".join([
        f"- **Speed**: {medians(load['martlet'], 'rate'):,.0f} pages a second over 8 connections for a user who "
        f"has logged in, {to_floor(load, 'rate', 'martlet').median:.2f} times what a program does that only "
        f"polls, reads and writes{'; ' + ', '.join(others) if others else ''}.",
        f"- **Start**: {time_of(spread(results['start']['martlet']).median)} to the first answer.",
    ])
