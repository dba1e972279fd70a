"""The plot of the benchmark, in the manner of Footprint's charts."""

from charts import BAR, LEFT, RIGHT, STEP, WIDTH, svg, text
from figures import spread
from report import medians, time_of
from targets import to_floor

SHORT = {
    "floor": "the floor, which does nothing",
    "martlet": "Martlet, login",
    "lighttpd": "lighttpd, static page",
    "micropython": "Microdot, MicroPython",
    "cpython": "Microdot, CPython"
}


def bar(y, name, value, limit, label, kind, whiskers=()):
    """One bar, with its least and greatest value where there are several."""
    room = WIDTH - LEFT - RIGHT - 60
    length = max(1.5, room * min(value, limit) / limit)
    drawn = [
        text(LEFT - 10, y + 12, name, anchor="end"),
        f'<rect class="{kind}" x="{LEFT}" y="{y}" width="{length:.1f}" height="{BAR}"/>'
    ]
    end = length
    if value > limit:  # The bar goes on beyond the page.
        gap = LEFT + length - 26
        drawn.append(
            f'<path class="page" d="M{gap:.0f} {y + BAR + 2} l8 -{BAR + 4} h6 l-8 {BAR + 4} z"/>')
    elif whiskers:
        low, high = (room * min(one, limit) / limit for one in whiskers)
        end = max(length, high)
        drawn.append(f'<path class="range" d="M{LEFT + low:.1f} {y + BAR / 2} '
                     f'H{LEFT + high:.1f} m0 -4 v8 M{LEFT + low:.1f} {y + BAR / 2 - 4} v8"/>')
    drawn.append(text(f"{LEFT + end + 8:.1f}", y + 12, label))
    return drawn


def panel(y, title, note, entries, limit):
    parts = [text(20, y, title, "title"), text(20, y + 18, note, "note")]
    for index, (key, value, label, whiskers) in enumerate(entries):
        kind = "ours" if key == "martlet" else "theirs"
        parts += bar(y + 30 + index * STEP, SHORT[key], value, limit, label, kind, whiskers)
    return parts, y + 30 + len(entries) * STEP + 26


def rates(by_server):
    entries = []
    for key, rounds in by_server.items():
        values = [result["rate"] for result in rounds]
        found = spread(values)
        ratio = to_floor(by_server, "rate", key).median
        share = "" if key == "floor" else f" · {ratio:.2f} × floor"
        entries.append((key, found.median, f"{found.median:,.0f}{share}", (found.min, found.max)))
    return entries, max(entry[3][1] for entry in entries)


def times(values):
    """Entries for times in microseconds; what is far longer than the floor's is cut."""
    entries = [(key, value, time_of(value), ()) for key, value in values.items()]
    ordered = sorted(values.values())
    return entries, 1.4 * max(ordered[:3])


def plot(results):
    load = results["load"]
    seconds, rounds = results["seconds"], results["rounds"]
    parts, y = [], 34
    for way, note in (("keep-alive", "over connections that stay (Microdot closes each)"),
                      ("close", "a connection for each")):
        entries, limit = rates(load[f"{way}-8"])
        more, y = panel(
            y, f"Pages a second, 8 connections, {note}",
            f"Median of {rounds} rounds of {seconds} s; lines from the least to the greatest.",
            entries, limit)
        parts += more
    p99 = {key: medians(rounds, "p99") for key, rounds in load["keep-alive-64"].items()}
    more, y = panel(y, "99 of 100 answers come within, 64 connections", "Less is better.",
                    *times(p99))
    parts += more
    starts = {key: spread(values).median for key, values in results["start"].items()}
    more, y = panel(y, "From the process's start to its first answer", "Less is better.",
                    *times(starts))
    return svg(y - 8, "How fast Martlet's login example is, beside other servers", parts + more)
