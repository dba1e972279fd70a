"""PyJWT's `encode` and `decode` with HS256 for MicroPython, as much as Microdot's sessions use."""

import binascii
import hashlib
import json
import time


class exceptions:
    class PyJWTError(Exception):
        pass


def _base64url(octets):
    text = binascii.b2a_base64(octets).rstrip(b"\n=")
    return text.replace(b"+", b"-").replace(b"/", b"_")


def _from_base64url(text):
    text = text.replace(b"-", b"+").replace(b"_", b"/")
    return binascii.a2b_base64(text + b"=" * (-len(text) % 4))


def _mac(key, octets):
    key = key.encode() if isinstance(key, str) else key
    key = hashlib.sha256(key).digest() if len(key) > 64 else key
    key = key + bytes(64 - len(key))
    inner = hashlib.sha256(bytes(octet ^ 0x36 for octet in key) + octets).digest()
    return hashlib.sha256(bytes(octet ^ 0x5c for octet in key) + inner).digest()


def encode(payload, key, algorithm="HS256"):
    octets = (_base64url(json.dumps({
        "typ": "JWT",
        "alg": "HS256"
    }).encode()) + b"." + _base64url(json.dumps(payload).encode()))
    return (octets + b"." + _base64url(_mac(key, octets))).decode()


def decode(token, key, algorithms=("HS256", )):
    try:
        header, payload, mac = token.encode().split(b".")
        if json.loads(_from_base64url(header))["alg"] != "HS256":
            raise ValueError("algorithm")
        difference = 0
        for left, right in zip(_from_base64url(mac), _mac(key, header + b"." + payload)):
            difference |= left ^ right
        claims = json.loads(_from_base64url(payload))
        if difference or len(_from_base64url(mac)) != 32 or claims.get("exp", 1e12) < time.time():
            raise ValueError("not valid")
    except (ValueError, KeyError, TypeError, AttributeError):
        raise exceptions.PyJWTError("not a valid token")
    return claims
