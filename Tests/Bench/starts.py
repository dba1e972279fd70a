"""From a process's start to its first answer, one server after the other and all over again."""

import subprocess

from peers import free_port
from servers import CLIENT_CPUS, CPUS, FOLDER, SERVER_CPU, compile_c


def measure_once(starter, server):
    port, peer = free_port(), server.peer
    request = FOLDER / "request"
    request.write_bytes(server.request(port))
    words = [starter, SERVER_CPU if len(CPUS) > 1 else -1, port, request, peer.path]
    done = subprocess.run(
        ["taskset", "-c", ",".join(map(str, CLIENT_CPUS)), *map(str, words), *peer.words(port)],
        cwd=peer.path.parent,
        env=peer.variables(port),
        capture_output=True,
        text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{server.name} does not start: {done.stderr.strip()}")
    return float(done.stdout)


def measure(servers, rounds, progress):
    """Microseconds, for each server its rounds."""
    starter = compile_c("start.c")
    progress(f"start: {rounds} rounds")
    for server in servers:
        measure_once(starter, server)  # Brings its files into memory, and does not count.
    results = {server.key: [] for server in servers}
    for _ in range(rounds):
        for server in servers:
            results[server.key].append(measure_once(starter, server))
    return results
