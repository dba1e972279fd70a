"""The charts of the documentation, as SVG with text as text, in the colours of a light or a dark page."""

from xml.sax.saxutils import escape

from boards import ROOT
from visits import PROGRAMS, REQUESTS

CATALOG = ROOT / "Sources" / "Martlet" / "Martlet.docc"
BARS, PLOT = CATALOG / "footprint.svg", CATALOG / "history.svg"
WIDTH = 860
STYLE = """
  .page { fill: #ffffff; stroke: #d0d7de } text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .title { font-weight: 600; font-size: 15px } .note { fill: #59636e; font-size: 12px }
  .line { stroke: #d0d7de; fill: none }
  .ours { fill: #0969da } .theirs { fill: #8c959f } .part { fill: #ffffff; fill-opacity: .45 }
  .hello-example { stroke: #1a7f37 } .login-example { stroke: #0969da }
  .martlet-panel { stroke: #bc4c00 } .path { fill: none; stroke-width: 2 }
  .dot.hello-example { fill: #1a7f37 } .dot.login-example { fill: #0969da }
  .dot.martlet-panel { fill: #bc4c00 }
  .range { stroke: #1f2328; stroke-width: 1.5; fill: none }
"""
DARK = """
  .page { fill: #0d1117; stroke: #3d444d } text { fill: #f0f6fc } .note { fill: #9198a1 }
  .line { stroke: #3d444d } .ours { fill: #4493f8 } .theirs { fill: #656c76 }
  .part { fill: #0d1117 }
  .hello-example { stroke: #3fb950 } .login-example { stroke: #4493f8 }
  .martlet-panel { stroke: #f0883e } .dot.hello-example { fill: #3fb950 }
  .dot.login-example { fill: #4493f8 } .dot.martlet-panel { fill: #f0883e }
  .range { stroke: #f0f6fc }
"""


def text(x, y, words, kind="", anchor="start"):
    return f'<text x="{x}" y="{y}" class="{kind}" text-anchor="{anchor}">{escape(words)}</text>'


def svg(height, title, parts):
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        f'viewBox="0 0 {WIDTH} {height}" role="img">\n<title>{escape(title)}</title>\n'
        f"<style>{STYLE}  @media (prefers-color-scheme: dark) {{{DARK}  }}\n</style>\n"
        f'<rect class="page" x=".5" y=".5" width="{WIDTH - 1}" height="{height - 1}" rx="6"/>\n' +
        "\n".join(parts) + "\n</svg>\n")


def kib(octets):
    return f"{octets / 1024:,.0f} KiB"


# Bars ---------------------------------------------------------------------------------------------

LEFT, RIGHT, STEP, BAR = 232, 130, 24, 15


def longest_bar(values):
    """All bars are to one scale, the longest one's; if that is far longer than the next, it is
    cut.
    """
    first, second = sorted(values, reverse=True)[:2]
    return first if first < 2.5 * second else 1.15 * second


def bar(y, name, value, part, limit, kind):
    room = WIDTH - LEFT - RIGHT
    length = max(1.5, room * min(value, limit) / limit)
    drawn = [
        text(LEFT - 10, y + 12, name, anchor="end"),
        f'<rect class="{kind}" x="{LEFT}" y="{y}" width="{length:.1f}" height="{BAR}"/>'
    ]
    if part:  # Of a bar that is cut, the same share.
        inner = length * (1 - part / value)
        drawn.append(f'<rect class="part" x="{LEFT + length - inner:.1f}" y="{y}" '
                     f'width="{inner:.1f}" height="{BAR}"/>')
    if value > limit:  # The bar goes on beyond the page.
        gap = LEFT + length - 26
        drawn.append(
            f'<path class="page" d="M{gap:.0f} {y + BAR + 2} l8 -{BAR + 4} h6 l-8 {BAR + 4} z"/>')
    drawn.append(text(f"{LEFT + length + 8:.1f}", y + 12, kib(value)))
    return drawn


def panel(y, title, note, entries):
    limit = longest_bar([value for _, value, _, _ in entries])
    parts = [text(20, y, title, "title"), text(20, y + 18, note, "note")]
    for index, (name, value, part, kind) in enumerate(entries):
        parts += bar(y + 30 + index * STEP, name, value, part, limit, kind)
    return parts, y + 30 + len(entries) * STEP + 26


def bars(rows, board):
    """Files and resident memory of our programs on one board and of its peers."""
    ours = [
        row for program in PROGRAMS for row in rows
        if row.board == board and row.program == program and "resident_served" in row.figures
    ]
    peers = [row for row in rows if row.linkage == "peer" and "wrapper" not in row.program]
    peers.sort(key=lambda row: row.figures["file"])
    shown = [(row, "ours") for row in ours] + [(row, "theirs") for row in peers]
    parts, y = panel(
        34, "On flash", "The program with all that it loads, without the system's C library "
        "(ours include one).", [(row.program, row.figures["file"], 0, kind) for row, kind in shown])
    more, y = panel(
        y, f"In memory after a login and {REQUESTS:,} requests",
        "Resident; the full colour is anonymous memory, the process's own.",
        [(row.program, row.figures["resident_served"], row.figures["anonymous_served"], kind)
         for row, kind in shown])
    return svg(y - 8, f"Footprint of Martlet's programs ({board}) and of other servers",
               parts + more)


# History ------------------------------------------------------------------------------------------


def history_plot(lines, board):
    """The file of each program by commit; one step for each commit with a change on this board."""
    lines = [line for line in lines if line["board"] == board]
    commits = list(dict.fromkeys((line["date"], line["commit"]) for line in lines))
    height, left, right, top, bottom = 300, 70, 150, 58, 250
    largest = max([int(line["file"]) for line in lines], default=1024)
    step = next(size for size in (16, 32, 64, 128, 256) if largest / 1024 / size <= 8) * 1024
    limit = (largest // step + 1) * step
    room = WIDTH - left - right

    def at(index):
        return left + (room * index / (len(commits) - 1) if len(commits) > 1 else 0)

    def height_of(octets):
        return bottom - (bottom - top) * octets / limit

    parts = [text(20, 28, f"Files by commit, {board}", "title")]
    for octets in range(0, limit + 1, step):
        y = height_of(octets)
        parts += [
            f'<path class="line" d="M{left} {y:.1f} H{WIDTH - right}"/>',
            text(left - 8, f"{y + 4:.1f}", f"{octets // 1024} KiB", "note", "end")
        ]
    lowest = bottom + 20
    for program in PROGRAMS:  # The smallest first, so that names of near lines move upwards.
        points, known = [], None
        for index, (date, commit) in enumerate(commits):
            for line in lines:
                if (line["date"], line["commit"], line["program"]) == (date, commit, program):
                    known = int(line["file"])
            if known is not None:
                points.append((at(index), height_of(known)))
        if points:
            path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
            x, y = points[-1]
            lowest = min(y, lowest - 17)
            parts += [
                f'<polyline class="path {program}" points="{path}"/>',
                *(f'<circle class="dot {program}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>'
                  for x, y in points),
                text(f"{x + 10:.1f}", f"{lowest + 4:.1f}", f"{program} {known / 1024:.1f}")
            ]
    for index in sorted({0, len(commits) - 1}) if commits else ():
        date, commit = commits[index]
        parts.append(
            text(f"{at(index):.1f}", bottom + 22, f"{date} {commit}", "note",
                 "start" if index == 0 else "middle"))
    return svg(height, f"Files of Martlet's programs by commit ({board})", parts)
