"""Session tokens signed and verified a second: by Martlet, by PyJWT, and a bare HMAC of mbedTLS.

All three make the same token, octet for octet, which is checked first.
"""

import base64
import subprocess

import peers
import visits
from figures import signing_input
from peers import quietly
from servers import HERE, compile_c

USER, SECONDS = "user001", 1_795_574_836


def token_of(program):
    return quietly(program, "token", visits.SECRET, USER, SECONDS).strip()


def hexadecimal(signature):
    return base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4)).hex()


def words(*command):
    return quietly(*command).split()


def measure(token_bench, rounds, milliseconds, progress):
    """Tokens a second, by program and work, for each its rounds."""
    progress(f"tokens: {rounds} rounds")
    hmac = compile_c("hmac.c", "-lmbedcrypto")
    peers.FOLDER.mkdir(parents=True, exist_ok=True)
    peers.set_up_python()
    pyjwt = (peers.FOLDER / "python/bin/python", "-B", HERE / "pyjwt.py")
    token = token_of(token_bench)
    other = quietly(*pyjwt, "token", visits.SECRET, USER, SECONDS).strip()
    if other != token:
        raise RuntimeError(f"PyJWT makes another token than Martlet: {other}, {token}")
    results = {name: [] for name in ("martlet sign", "martlet verify", "pyjwt sign",
                                     "pyjwt verify", "hmac")}
    for _ in range(rounds):
        for name, command in (("martlet", (token_bench, )), ("pyjwt", pyjwt)):
            for work in ("sign", "verify"):
                count, elapsed = words(*command, work, visits.SECRET, USER, SECONDS, milliseconds)
                results[f"{name} {work}"].append(1000 * int(count) / int(elapsed))
        count, elapsed, mac = words(hmac, visits.SECRET, signing_input(token), milliseconds)
        if mac != hexadecimal(token.rpartition(".")[2]):
            raise RuntimeError("mbedTLS's HMAC is not the token's signature")
        results["hmac"].append(int(count) / float(elapsed))
    return results
