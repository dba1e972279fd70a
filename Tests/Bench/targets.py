"""What Martlet is to reach, and whether it did; each beside what was measured."""

from dataclasses import dataclass

from figures import ratios, spread

RATE_MIN, P99_MAX, INSTRUCTIONS_MAX = 0.95, 1.2, 1.5  # times the floor's
TLS_RATE_MIN = 0.9  # times nginx's
IDLE_OCTETS_MAX = 64 * 1024
# As long as the floor's, that is: beyond it by no more than what one start differs from the next.
START_MAX = 1.1


@dataclass(frozen=True)
class Target:
    text: str
    measured: str
    is_met: bool

    @property
    def verdict(self):
        return "reached" if self.is_met else "MISSED"


def to_floor(of_servers, figure, key="martlet"):
    """The spread of a figure's ratio to the floor's, round by round."""
    ours, floor = ([result[figure] for result in of_servers[name]] for name in (key, "floor"))
    return spread(ratios(ours, floor))


def times(found):
    """A spread as text: median (min–max)."""
    return f"{found.median:.2f} ({found.min:.2f}–{found.max:.2f})"


def of_load(load):
    """Answers that are wrong or missing are not fast: with errors no target is reached."""
    targets = []
    for way in ("keep-alive", "close"):
        for count, figure, text, is_met in (
            (8, "rate", f"requests/s at 8 connections, {way}: ≥ {RATE_MIN} × floor",
             lambda ratio: ratio >= RATE_MIN),
            (64, "p99", f"p99 at 64 connections, {way}: ≤ {P99_MAX} × floor",
             lambda ratio: ratio <= P99_MAX)):
            by_server = load.get(f"{way}-{count}")
            if by_server:
                found = to_floor(by_server, figure)
                has_errors = any(result["errors"] for result in by_server["martlet"])
                measured = f"{times(found)} × floor{', with errors' if has_errors else ''}"
                targets.append(Target(text, measured, is_met(found.median) and not has_errors))
    return targets


def of_tls(tls):
    """Requests over TLS beside nginx's; nothing where it was not measured."""
    if "nginx" not in tls:
        return []
    found = spread(ratios(tls["martlet"]["rate"], tls["nginx"]["rate"]))
    return [Target(f"requests/s over TLS at 8 connections: ≥ {TLS_RATE_MIN} × nginx", f"{times(found)} × nginx",
                   found.median >= TLS_RATE_MIN)]


def instructions_max(instructions):
    hashing = instructions["compressions"] * instructions["compression"]
    return INSTRUCTIONS_MAX * instructions["servers"]["floor"] + hashing


def evaluate(results):
    """The targets of which everything was measured."""
    targets = of_load(results.get("load", {}))
    targets += of_tls(results.get("tls", {}))
    if "instructions" in results:
        found = results["instructions"]["servers"]["martlet"]
        limit = instructions_max(results["instructions"])
        text = f"instructions per request: ≤ {INSTRUCTIONS_MAX} × floor + SHA-256: {limit:,.0f}"
        targets.append(Target(text, f"{found:,.0f}", found <= limit))
    if "memory" in results:
        found = results["memory"]["martlet"]
        added = found["resting"] - found["served"]
        is_met = added <= IDLE_OCTETS_MAX and found["open"] == found["wanted"]
        targets.append(
            Target(
                f"{found['wanted']} idle connections: ≤ {IDLE_OCTETS_MAX // 1024} KiB, all open",
                f"{added / 1024:,.0f} KiB, {found['open']} open", is_met))
    if "start" in results:
        start = results["start"]
        found = spread(ratios(start["martlet"], start["floor"]))
        targets.append(
            Target(f"start to first answer: the floor's (≤ {START_MAX} ×)",
                   f"{times(found)} × floor, {spread(start['martlet']).median / 1000:.2f} ms",
                   found.median <= START_MAX))
    return targets
