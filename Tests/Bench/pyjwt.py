"""TokenBench in Python, with PyJWT: the same arguments, the same token, the same line."""

import sys
import time

import jwt

BATCH = 64


def measure(milliseconds, work):
    start = time.monotonic()
    count, elapsed = 0, 0.0
    while elapsed < milliseconds / 1000:
        for _ in range(BATCH):
            work()
        count += BATCH
        elapsed = time.monotonic() - start
    print(count, round(elapsed * 1000))


def main(command, secret, user, seconds, milliseconds="0"):
    claims = {"_user_id": user, "_fresh": True, "_session": 0, "_at": int(seconds)}
    token = jwt.encode(claims, secret, algorithm="HS256")
    if command == "token":
        print(token)
    elif command == "sign":
        measure(int(milliseconds), lambda: jwt.encode(claims, secret, algorithm="HS256"))
    elif command == "verify":
        assert jwt.decode(token, secret, algorithms=["HS256"]) == claims
        measure(int(milliseconds), lambda: jwt.decode(token, secret, algorithms=["HS256"]))
    else:
        sys.exit(f"unknown command {command!r}")


main(*sys.argv[1:])
