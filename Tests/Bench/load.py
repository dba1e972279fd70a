"""Requests a second and latency, with wrk: all servers run, and wrk visits one after the other."""

import subprocess

from figures import read_wrk
from servers import CLIENT_CPUS, HERE, processor_time

CONNECTIONS = (1, 8, 64, 512)
SETTINGS = {f"{way}-{count}": (way, count) for way in ("keep-alive", "close")
            for count in CONNECTIONS}
TIMEOUT = 10  # seconds after which wrk counts an answer as late


def run_wrk(server, port, connections, seconds, closes=False, scheme="http"):
    command = [
        "taskset", "-c", ",".join(map(str, CLIENT_CPUS)), "wrk", "-s", HERE / "report.lua", "-t",
        min(connections, len(CLIENT_CPUS)), "-c", connections, "-d", f"{seconds}s", "--timeout",
        f"{TIMEOUT}s"
    ]
    for line in server.request(port, closes).decode().split("\r\n")[2:]:
        command += ["-H", line] if line else []
    command.append(f"{scheme}://127.0.0.1:{port}/")
    done = subprocess.run([str(word) for word in command],
                          capture_output=True,
                          text=True,
                          timeout=60 + seconds)
    if done.returncode != 0:
        raise RuntimeError(f"wrk failed at {server.name}: {(done.stderr or done.stdout).strip()}")
    return read_wrk(done.stdout)


def measure_once(server, program, way, connections, seconds):
    before = processor_time(program.pid)
    result = run_wrk(server, program.port, connections, seconds, way == "close")
    used = processor_time(program.pid) - before
    if program.process.poll() is not None:
        raise RuntimeError(f"{server.name} ended: {program.output()[-300:]}")
    result["processor"] = 1e6 * used / result["requests"] if result["requests"] else None
    return result


def measure(servers, names, rounds, seconds, progress):
    """For each setting and server, the results of its rounds."""
    results = {name: {server.key: [] for server in servers} for name in names}
    programs = []
    try:
        for server in servers:
            programs.append(server.start())
        for server, program in zip(servers, programs):
            run_wrk(server, program.port, 1, 1)  # Warms up, and does not count.
        for name in names:
            for number in range(1, rounds + 1):
                progress(f"{name}: round {number} of {rounds}")
                for server, program in zip(servers, programs):
                    result = measure_once(server, program, *SETTINGS[name], seconds)
                    results[name][server.key].append(result)
    finally:
        for program in programs:
            program.kill()
    return results
