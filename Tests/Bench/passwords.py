"""Iterations of PBKDF2-HMAC-SHA256 a second, of processor time: by Martlet with the processor's instructions for
SHA-256, by Martlet without them, and by Python's hashlib (OpenSSL). All three come to the same key first.
"""

import hashlib
import time

from peers import quietly

PASSWORD, SALT, ITERATIONS = "correct horse", "battery staple", 100_000
# How TokenBench calls the two ways.
WAYS = {"martlet instructions": "fast", "martlet plain": "plain"}


def ours(token_bench, way):
    """(iterations a second, the key); `None` where the processor has no instructions."""
    told = quietly(token_bench, "pbkdf2", PASSWORD, SALT, ITERATIONS, way).split()
    return None if told == ["none"] else (ITERATIONS * 1e9 / int(told[0]), told[1])


def of_hashlib():
    start = time.process_time()
    key = hashlib.pbkdf2_hmac("sha256", PASSWORD.encode(), SALT.encode(), ITERATIONS)
    return ITERATIONS / (time.process_time() - start), key.hex()


def measure(token_bench, rounds, progress):
    """Iterations a second, by program, for each its rounds; no entry for what this processor has not."""
    progress(f"passwords: {rounds} rounds")
    results = {}
    for _ in range(rounds):
        turns = {name: ours(token_bench, way) for name, way in WAYS.items()}
        turns["hashlib"] = of_hashlib()
        turns = {name: turn for name, turn in turns.items() if turn}
        if len({key for _, key in turns.values()}) != 1:
            raise RuntimeError(f"the programs come to different keys: {turns}")
        for name, (rate, _) in turns.items():
            results.setdefault(name, []).append(rate)
    return results
