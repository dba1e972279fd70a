"""JWS tokens made by hand, so that a test can make every kind of wrong one as well.

The two writers follow the two libraries that Microdot runs on: PyJWT (compact, insertion order,
`\\u` escapes) and MicroPython's `jwt.py` (blanks after `:` and `,`, hash order, raw UTF-8).
"""

import base64
import hashlib
import hmac
import json

SECRET = "top-secret!"

PYJWT_HEADER = b'{"alg":"HS256","typ":"JWT"}'
MICROPYTHON_HEADER = b'{"typ": "JWT", "alg": "HS256"}'


def base64url(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")


def from_base64url(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def signature(signing_input, key=SECRET, digest=hashlib.sha256):
    return hmac.new(key.encode(), signing_input.encode("ascii"), digest).digest()


def token(payload, header=PYJWT_HEADER, key=SECRET, digest=hashlib.sha256):
    """Signs a header and a payload given as octets, whatever they hold."""
    signing_input = f"{base64url(header)}.{base64url(payload)}"
    return f"{signing_input}.{base64url(signature(signing_input, key, digest))}"


def pyjwt(claims, key=SECRET):
    return token(json.dumps(claims, separators=(",", ":")).encode("ascii"), PYJWT_HEADER, key)


def micropython(claims, key=SECRET):
    """MicroPython keeps dictionaries in hash order; reversed stands for "some other order"."""
    payload = json.dumps(dict(reversed(claims.items())), ensure_ascii=False)
    return token(payload.encode("utf-8"), MICROPYTHON_HEADER, key)


def claims_of(text, key=SECRET):
    """The claims of a token, after checking that it is canonical and signed with `key`."""
    parts = text.split(".")
    assert len(parts) == 3, f"a token has three parts, this has {len(parts)}: {text!r}"
    for part in parts:
        assert base64url(from_base64url(part)) == part, f"not canonical base64url: {part!r}"
    header = json.loads(from_base64url(parts[0]))
    assert header.get("alg") == "HS256" and "crit" not in header, f"unexpected header {header}"
    expected = base64url(signature(f"{parts[0]}.{parts[1]}", key))
    assert hmac.compare_digest(parts[2], expected), f"not signed with {key!r}: {text!r}"
    claims = json.loads(from_base64url(parts[1]))
    assert isinstance(claims, dict), f"claims are an object, not {claims!r}"
    return claims
