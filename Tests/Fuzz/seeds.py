"""Writes what fuzzing begins with beside the corpora: what RFCs and the vectors of Tests/Vectors show,
and one input for each thing that a connection can do. (scripts/fuzz does it.)

    python3 Tests/Fuzz/seeds.py FOLDER          makes FOLDER/TARGET/NAME
"""

import base64
import hashlib
import hmac
import json
import sys
import zlib
from pathlib import Path

VECTORS = Path(__file__).resolve().parents[1] / "Vectors"
SECRET = b"top-secret!"
LATER = 4_000_000_000


def base64url(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=")


def signed(payload, header=b'{"alg":"HS256","typ":"JWT"}'):
    """A token as the fuzzed site signs them."""
    text = base64url(header) + b"." + base64url(payload)
    return text + b"." + base64url(hmac.digest(SECRET, text, hashlib.sha256))


def claims(**members):
    return json.dumps(members, separators=(",", ":")).encode()


SESSION = signed(claims(_user_id="user001", _fresh=True, _session=0, _at=1_799_999_900))
STALE = signed(claims(_user_id="user001", _fresh=False, _session=0))
MICRODOT = signed(b'{"_user_id": 0, "_fresh": true}', b'{"typ": "JWT", "alg": "HS256"}')
GONE = signed(claims(_user_id="nobody", _session=0))
REMEMBER = signed(claims(user_id="user001", days=30, exp=LATER, _remember=0))


def vectors(name):
    return json.loads((VECTORS / name).read_text(encoding="utf-8"))


def request(line, *fields, content=b""):
    lines = [line + b" HTTP/1.1", b"Host: h", *fields]
    if content:
        lines.append(b"Content-Length: %d" % len(content))
    return b"\r\n".join(lines) + b"\r\n\r\n" + content


def heads():
    for case in vectors("http-gunicorn/cases.json"):
        yield case["raw_latin1"].encode("latin-1")
    yield b"\r\n" + request(b"GET /a%20b?c#d")
    yield request(b"OPTIONS *")
    yield request(b"GET http://user@host:80/a?b")
    yield request(b"GET HTTPS://h?b")
    yield request(b"POST /", b"Expect: 100-continue", content=b"a")
    yield request(b"POST /", b"Transfer-Encoding: chunked") + b"1\r\na\r\n0\r\n\r\n"
    yield b"GET / HTTP/1.0\r\nConnection: a, close\r\n\r\n"
    yield b"GET / HTTP/1.1\r\nHost: [::1]:80\r\nCookie: a=b\r\ncookie: c=d\r\n\r\n"
    yield b"GET / HTTP/1.1\r\nHost: h\r\nA: b\xfe\xff\r\n\r\n"  # near the limit of a head
    yield b"GET /a\xfe\x7c HTTP/1.1\r\nHost: h\r\n\r\n"  # near that of a target
    yield b"GET / HTTP/1.1\r\nHost: h\r\nCookie: a\xfe\xff\r\n\r\n"  # cookies near that of a head
    yield b"GET //a/./../b/ HTTP/1.1\r\nHost: [fe80::1%25eth0]:80\r\nAccept: a/b;q=0, text/*;q=0.5\r\n\r\n"
    yield b"GET / HTTP/1.1\r\nHost:\r\n\r\n"
    yield request(b"POST /", b"Transfer-Encoding: gzip, chunked")
    yield b"GET / HTTP/1.1\r\nHost: h\r\n" + b"A:\r\n" * 99 + b"\r\n"


def chunks():
    yield b"5\r\nhello\r\n6\r\n world\r\n000\r\n\r\n"
    yield b"A;a=b\r\n0123456789\r\n0;c=\"d\"\r\nVary: *\r\nA:\r\n\r\nGET /"
    yield b"4000\r\na\xfe\xff" + b"a" * 63 + b"\r\n0\r\n\r\n"  # the largest content
    yield b"1;e\xfe\x03" + b"e" * 62 + b"\r\na\r\n0\r\n\r\n"  # the largest extension
    yield b"5;\xfe\x05l\x0e"  # was malformed in one piece and too large in pieces
    yield b"0\r\nA: b\xfe\x03" + b"b" * 54 + b"\r\n\r\n"  # nearly the largest trailer section
    yield b"1 ;\r\na\r\n" * 9 + b"0\r\n\r\n"
    yield b"0000000000000001\r\na\r\n0\r\nHost: h\r\n\r\n"
    yield b"1 ; a ; b = c;d=\"e\\\"f\" ;g\r\na\r\n0;h=\"\"\r\n\r\n"
    yield b"1;a=\"b\"c\r\na\r\n0\r\n\r\n"
    yield b"5;bad[=x\r\nhello\r\n0;\r\n\r\n"


def cookies():
    for case in vectors("cookie-jshttp/parse-cases.json"):
        yield case["input"].encode()
    yield b"session=" + SESSION + b"; _remember=" + REMEMBER
    yield b"theme=dark; junk; =lost; q=\"a;b\"\nsession=1; session=2\nsession=3"
    yield b"abc\n/path"
    yield b"a" * 80 + b"\n/a b;c"


def forms():
    for case in vectors("wpt-urlencoded/urlencoded-parser-data.json"):
        yield case["input"].encode("utf-8", "surrogatepass")
    yield b"username=susan&password=hel%6Co+&remember_me=on&&=&%&%4&%zz&username=x"


def multiparts():
    for case in vectors("multipart-kludex/cases.json"):
        yield case["boundary"].encode() + b"\n" + case["body_latin1"].encode("latin-1")
    head = b"b\n--b\r\nContent-Disposition: form-data; name=\"a\\\"%22%0D%0A\"; filename=\"../x\\y\"\r\n"
    yield head + b"\r\n1\r\n--b--\r\nepilogue"
    yield head + b"Content-Type: a/b; c=d\r\n\r\n\r\n--b\r\r\n--b-x\r\n--b \t\r\n" + head[6:] + b"\r\n\r\n--b--"
    yield head + b"A: b\xfe\x06" + b"b" * 40 + b"\r\n\r\n1\r\n--b--"  # near the limit of a head
    yield b"b\nm\xfe\x0f" + b"m" * 60 + b"\r\n" + head[2:] + b"\r\n1\r\n--b--"  # near that of a margin
    yield head + b"\r\n1\r\n--b--m\xfe\x10"
    yield head + b"Content-Transfer-Encoding: base64\r\n\r\n1\r\n--b--"
    yield b"b\n" + (head[2:] + b"\r\n\r\n") * 30 + b"--b--"
    yield b"b\xfe\x01aaaaa\n--b"
    yield b"'()+_,-./:=? x\n--'()+_,-./:=? x--"
    yield b"multipart/form-data; a=\"b\\\"\"; boundary=----=_Part\n--b--"


def targets():
    for text in (b"/", b"/fresh?a=b%26c", b"//host", b"/\\host", b"/%2Fhost", b"/%252Fhost", b"/%09/host",
                 b"http://host/", b"/a%0D%0AB", b"/a%2520b?c=d+e", b"%2F%3Fa%3Db", b"a/b?c#d",
                 "/grüße?ö".encode(), b"/.//host", b"\x00/", b"/a&next=/b"):
        yield text


def paths():
    for first, second, path in (
            ("/", "//", "/"),
            ("/foo/bar", "/<x>/bar", "/foo/b%61r"),
            ("/items/<int:id>", "/items/5", "/items/%2D12"),
            ("/items/<int:id>", "/items/<id>", "/items/9223372036854775808"),
            ("/hello/<name>", "/hello/<text:other>", "/hello/S%C3%BCsan%2Fx"),
            ("/files/<path:rest>", "/files/a/<b>", "/files/a//b%20c/"),
            ("/files/<path:rest>", "/files/", "/files/a/%2e%2E/b"),
            ("/files/<path:rest>", "/<x>/<path:y>", "/files/../etc"),
            ("/<a:x>/<b:y>/<c>/<path:d>", "/<a:x>/<b>/<int:c>/<d>", "/aa/b/-0/%ED%A0%80"),
            ("/<a:x>", "/<b:x>", "/aaa"),
            ("/<a>/<b>/<c>/<d>/<e>", "/<a>/<a>", "/a/b/c/d/e"),
            ("/a<b>/<path:c>/", "/<b>.txt", "/a<b>/c"),
            ("/a b/ü", "/a%20b?c", "/a%20b/%C3%BC"),
            ("/<int:a>", "/<int:b>", "/+5"), ("/<int:a>", "/<int:b>", "/--1"), ("/<int:a>", "/-", "/-"),
            ("/<a>", "/<path:b>", "/a/b"), ("/<int:a>", "/<b>", "/a"), ("/<a:x>", "/a", "/a"),
            ("/<path:a>", "/", "/"), ("/<path:a>", "//", "//"), ("/<a>", "/<a>/", "/a/"), ("/a", "/<a>", "/b"),
            ("/<a>", "/<b>", "/%00"), ("/<a>", "/<b>", "/%C2%85"), ("/<a>", "/<b>", "/%C0%AF"),
            ("/<a>", "/<b>", "/%4"), ("/<a>", "/<b>", "/a%2F..%2Fb"), ("/<x:", "<", "")):
        yield "\n".join((first, second, path)).encode()


def authorizations():
    def basic(octets):
        return b"Basic " + base64.b64encode(octets)

    yield b"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="  # RFC 7617
    yield b"Basic dGVzdDoxMjPCow=="
    yield b"Bearer mF_9.B5f-4.1JqM"  # RFC 6750
    yield b"bEARER   ==a"
    yield b"bEARER   a=="
    yield b"Digest username=\"Mufasa\""
    for octets in (b":", b"a:", b":b", b"a:b:c", b"ab", b"a:\x00", b"a:\xff", b"\xc3\xbc:\xc3", b"a:\x7f"):
        yield basic(octets)
    for text in (b"YTpi_w==", b"YTpiYw", b"YTpiYx==", b"YTpi====", b"YTpi YTpi", b"YTpi,", b"", b"=", b"Y"):
        yield b"Basic " + text
    yield b"Basic Ojo6\xfe\x16" + b"6" * 41 + b"Og=="  # near the longest credentials
    yield b"Basic OjAwM\xfe\x16DA"
    yield b"Bearer a\xfe\xff\xfe\xff\xfe\xff\xfe\xff" + b"a" * 300


def texts():
    for case in vectors("json-nst/cases.json"):
        octets = bytes.fromhex(case["raw_hex"])
        if len(octets) < 1_000:
            yield octets
            yield b'{"exp":' + octets + b"}"
    for token in (SESSION, STALE, MICRODOT, GONE, REMEMBER):
        payload = token.split(b".")[1]
        yield base64.urlsafe_b64decode(payload + b"=" * (-len(payload) % 4))
    yield rb'{ "a" : {"x":[1,2]} , "\u0061":"\ud83d\ude00\ud83d\n" , "exp":1.50E+3,"nbf":-0.5e1,"iat":null}'
    yield b'{"exp":9223372036854775807,"exp":-9223372036854775808,"exp":1e19,"exp":0.00001e5}'
    yield b'{"sub":"a","iss":"b","jti":"c","aud":["d"],"nbf":5,"exp":4000000000.9}'
    yield b"[" * 32 + b"]" * 32
    yield b'{"a":' * 32 + b"1" + b"}" * 32
    yield '{"é":"é","\\u00e9":"\\u00E9",\n"":true,"a":false}'.encode()


def readings():
    yield from texts()
    yield rb'{"a":1,"b":-2.50,"c":"caf\u00e9","d":true,"e":null,"f":[1,"x",[],{"a":[{}]}],"g":{"a":{"a":1}}}'
    yield rb'{"a":1,"\u0061":2}'
    yield b'[0,-0,1e2,1.50,9223372036854775807,-9223372036854775808,9223372036854775808,1e400,5e-324]'
    yield b' [ [ 1 , 2 ] , { "a" : [ ] } , "b" ] '
    yield b'{"a":"' + b"a" * 40 + b'","b":0.000000000000000000000000001,"c":12345678901234567890}'
    yield b"[" * 31 + b'{"a":7}' + b"]" * 31


def numbers():
    for text in ("0", "-0", "21.5", "-.05", "007", "1e3", "1E+2", "15e-1", "1.", "+1", "1,5", "NaN", "0x1p3",
                 "9223372036854775807", "-9223372036854775808", "9223372036854775808", "92233720368547758.07",
                 "9007199254740993", "9007199254740992.9999999999999999", "2.4703282292062327e-324",
                 "2.2250738585072011e-308", "1.7976931348623158e308", "1.7976931348623159e308", "1e-400",
                 "0e999999", "1e999999999999", "0.1", "0.30000000000000004", "5e-324", "1e23", "8.5", "2.675"):
        yield text.encode()
    for bits in (0, 1, 1 << 63, 0x7FEFFFFFFFFFFFFF, 0x7FF0000000000000, 0x7FF8000000000000, 0x3FB999999999999A,
                 0x0010000000000000, 0x000FFFFFFFFFFFFF, 0x3FC0000000000000, 0x4330000000000001):
        yield bits.to_bytes(8, "big")


def tokens():
    yield from (SESSION, STALE, MICRODOT, GONE, REMEMBER)
    for case in vectors("rfc/jws-rfc7515-rfc7519.json"):
        yield case["jws"].encode()
    yield vectors("rfc/rfc7520-4.4-hs256.json")["output"]["compact"].encode()
    for header in (b'{"alg":"HS256"}', b'{"alg":"none"}', b'{"alg":"HS512","typ":"JWT"}',
                   b'{"alg":"HS256","crit":["exp"],"exp":1}', b'{"typ":"JWT","\\u0061lg":"HS25\\u0036"}',
                   b'{"alg":["HS256"]}', b'{"alg":"HS256","alg":"none"}', b"[]", b""):
        yield header
        yield signed(b"{}", header)


def new_pages():
    """Uploads, streams, JSON, parameters of paths, credentials: each in what is valid, then in what is not."""
    basic, bearer = b"Authorization: Basic c3VzYW46aGVsbG8=", b"Authorization: Bearer susans-token"
    json_type = b"Content-Type: application/json"
    chunked = b"Transfer-Encoding: chunked"
    yield request(b"POST /upload", content=b"hello") + request(b"POST /upload", chunked) + (
        b"5;x\r\nhello\r\n3\r\nabc\r\n0\r\nA: b\r\n\r\n") + request(b"POST /upload") + request(b"GET /style.css")
    yield request(b"POST /upload/slow", b"Expect: 100-continue", content=b"a" * 300) + request(
        b"POST /upload/closed", bearer, content=b"abc") + request(b"POST /upload/closed", basic, content=b"abc")
    yield request(b"POST /upload/closed", b"Cookie: session=" + SESSION, content=b"abc") + request(
        b"POST /upload?no", content=b"abc")
    yield request(b"POST /upload", b"Origin: http://other", chunked) + b"3\r\nabc\r\n0\r\n\r\n"
    yield request(b"POST /upload/slow", content=b"ab!") + request(b"GET /style.css")
    yield b"POST /upload HTTP/1.1\r\nHost: h\r\nContent-Length: 16384\r\n\r\na\xfe\xff" + b"a" * 63 + request(b"GET /")
    yield request(b"POST /upload/slow", chunked) + b"fff\r\na\xfe\x3f" + b"a" * 62 + b"\r\n5\r\nhel"
    yield request(b"POST /upload", chunked) + b"3\r\nabcx" + request(b"GET /")
    yield b"POST /upload HTTP/1.1\r\nHost: h\r\nA: b\xfe\x20\r\nContent-Length: 5\r\n\r\nhello" + request(b"GET /")
    yield request(b"GET /list") + request(b"GET /list?count=5000") + request(b"HEAD /list") + request(b"GET /style.css")
    yield b"GET /list?count=2 HTTP/1.0\r\nHost: h\r\n\r\n"
    yield request(b"GET /events") + request(b"GET /events") + request(b"HEAD /events")
    yield b"GET /events HTTP/1.0\r\nHost: h\r\n\r\n"
    yield request(b"POST /wake") * 3 + request(b"GET /events")
    yield request(b"POST /json", json_type, content=b'{"id":5,"name":"l\\u00e4mp"}') + request(
        b"PUT /json", json_type, content=b'{"id":-1,"name":"a","more":[1,{"b":null}]}')
    yield request(b"POST /json", json_type, content=b'{"id":5}') + request(
        b"POST /json", json_type, content=b'{"id":1e99,"name":"a"}') + request(
        b"POST /json", content=b"{}") + request(b"PUT /json", json_type, content=b'{"id":5')
    yield request(b"GET /items/12/l%C3%A4mp") + request(b"GET /items/-1/a%22%3Cb") + request(
        b"GET /items/x/a") + request(b"GET /items/99999999999999999999/a") + request(b"GET /colors/red") + request(
        b"GET /colors/gr%65en") + request(b"GET /colors/blue")
    yield request(b"GET /files/a/b%20c") + request(b"DELETE /files/a") + request(b"GET /files/../etc") + request(
        b"GET /files/") + request(b"DELETE /files/a", b"Sec-Fetch-Site: cross-site")
    yield request(b"GET /", basic) + request(b"GET /", bearer) + request(b"GET /fresh", basic) + request(
        b"GET /", b"Authorization: Basic c3VzYW46aGVsbGE=") + request(
        b"GET /", b"Authorization: Basic cm9vdDpoZWxsbw==") + request(b"GET /", b"Authorization: Negotiate abc")
    yield request(b"GET /form", basic) * 2 + request(b"GET /", basic, bearer)
    yield request(b"POST /form", b"Origin: http://h", b"Origin: http://other", content=b"a=b") + request(b"GET /")


def connections():
    cookie = b"Cookie: session=" + SESSION
    form = b"Content-Type: application/x-www-form-urlencoded"
    login = request(b"POST /login?next=/fresh", form, content=b"username=susan&remember_me=on")
    all_pages = b"".join([
        request(b"GET /", cookie), request(b"GET /fresh", cookie), request(b"GET /"), login,
        request(b"POST /logout", cookie, b"Cookie: _remember=" + REMEMBER),
        request(b"GET /form?a=b&c=%26", b"X: y"), request(b"HEAD /big"), request(b"GET /nowhere"),
        request(b"DELETE /form"), request(b"OPTIONS /form"), request(b"GET /style.css"),
        request(b"POST /slow"), request(b"GET /session?text=abc&count"),
        request(b"GET /", b"Connection: close"), request(b"GET /form")])
    streams = [
        all_pages,
        request(b"GET /", b"Cookie: _remember=" + REMEMBER) + request(b"GET /fresh", b"Cookie: session=" + STALE),
        request(b"GET /", b"Cookie: session=" + GONE) + request(b"GET /", b"Cookie: session=" + MICRODOT),
        request(b"POST /form", form, b"Transfer-Encoding: chunked") + b"3\r\na=b\r\n4;x\r\n&c=d\r\n0\r\nA: b\r\n\r\n"
        + request(b"GET /slow"),
        request(b"POST /form", form, b"Expect: 100-continue", content=b"a=" + b"b" * 300) + request(b"GET /big"),
        request(b"POST /form", form, b"Transfer-Encoding: chunked", b"Expect: 100-continue") + b"1\r\na\r\n0\r\n\r\n",
        request(b"GET /big") * 3,
        request(b"GET /slow") * 2 + b"GET / HTTP/1.0\r\n\r\n",
        request(b"POST /form", b"Content-Type: text/plain", content=b"{}") + b"\x16\x03\x01 TLS",
        request(b"POST /form", b"Origin: http://other", form, content=b"a=b"),
        b"POST /form HTTP/1.1\r\nHost: h\r\nContent-Length: 16384\r\n\r\na\xfe\xff" + b"a" * 63 + request(b"GET /form"),
        b"POST /form HTTP/1.1\r\nHost: h\r\nContent-Length: 17000\r\n\r\na",
        b"GET /form HTTP/1.1\r\nHost: h\r\nA: b\xfe\x90\r\n\r\n" + request(b"GET /form"),
        b"GET / HTTP/1.1\r\nHost: h\r\n\r\nGET / HTTP/1.1\nHost: h\n\n",
        b"GET /session?remove HTTP/1.1\r\nHost: h\r\nCookie: session=" + SESSION + b"\r\n\r\n",
        *new_pages(),
    ]
    schedules = [
        bytes([5, 13, 31, 15]),
        bytes([30] * 100),
        bytes([4, 64 + 5, 128 + 6, 192 + 7] * 20),
        bytes([19, 64 + 20, 15, 64 + 15, 128 + 15, 25, 64 + 25, 22, 64 + 22]),
        bytes([24, 25, 26, 27, 28, 29, 9, 26, 24, 9, 15, 31, 31]),
        bytes([17, 64 + 17, 128 + 17, 192 + 17, 15, 64 + 15, 128 + 15, 192 + 15] + [31] * 10 + [16, 64 + 21]),
        bytes([26, 27, 5] * 20),
        bytes([0, 14, 0, 64 + 14, 0]),
        *(bytes([size] + [0] * more) for size in (60, 61, 62, 63) for more in (100, 101)),
    ]
    rough = [
        bytes([15, 35, 36, 37, 38]),
        bytes([9, 32, 64 + 9, 64 + 33, 128 + 9, 128 + 34, 15, 64 + 15, 128 + 15]),
        bytes([39, 39, 15, 35, 64 + 15, 36, 128 + 40]),
        bytes([17, 15, 36, 16, 26, 37]),
        bytes([9, 10, 11, 38, 31, 31, 36]),
    ]
    joined = b"\xff".join(streams[i % len(streams)] for i in (1, 6, 3, 7, 4, 6))
    for stream in (*streams, joined):
        for schedule in schedules:
            yield bytes([len(schedule)]) + schedule + stream
        for schedule in rough:
            yield bytes([128 + len(schedule)]) + schedule + stream
    many = b"\xff".join(streams[i % len(streams)] for i in range(12))
    for schedule in rough:
        yield bytes([128 + len(schedule)]) + schedule + many
    yield bytes([128 + 60]) + bytes([26, 35, 5] * 20) + b"\xff".join([b"GET / HT"] * 12)


def conditions():
    """An octet for the size of a file, then fields, a date, a tag, ranges or a name."""
    date, tag = b"Sun, 06 Nov 1994 08:49:37 GMT", b'"5.0-10"'
    for size, text in (
            (100, b"Range: bytes=0-4, 9-, -3\r\n"), (255, b"Range: bytes=" + b",".join(
                b"%d-%d" % (i * 3, i * 3) for i in range(20)) + b"\r\n"),
            (100, b"Range: bytes=0-4\r\nIf-Range: " + tag + b"\r\n"),
            (100, b"Range: bytes=0-4\r\nIf-Range: " + date + b"\r\n"),
            (100, b'If-None-Match: "a", W/' + tag + b"\r\n"), (100, b"If-Match: " + tag + b', "b"\r\n'),
            (100, b"If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT\r\n"),
            (100, b"If-Unmodified-Since: Sun Nov  6 08:49:37 1994\r\n"),
            (100, b"Accept-Encoding: gzip;q=0.5, br;q=1.0, *;q=0\r\n"), (0, date),
            (0, b"Sunday, 06-Nov-94 08:49:37 GMT"), (0, b"Sun Nov  6 08:49:37 1994"), (0, tag), (0, b'W/"a,b"'),
            (10, b"bytes=4-6,0-4,99999999999999999999-"), (100, b"Range: bytes=0\xfe\x08-\r\n"),
            (0, b"a/b.tar.gz"), (100, b"If-Match: *\r\nIf-None-Match: *\r\nIf-Modified-Since: " + date
                                 + b"\r\nRange: bytes=-1\r\n")):
        yield bytes([size]) + text


def members():
    def member(content, level=9, strategy=0):
        pack = zlib.compressobj(level, zlib.DEFLATED, -15, 9, strategy)
        return bytes.fromhex("1f8b0800000000000203") + pack.compress(content) + pack.flush() + bytes(8)
    for number in range(1, 9):
        text = "".join(f"{i}: {i * i} {'ab' * (i % number)}; " for i in range(20 * number)).encode()
        yield member(text)
        yield member(text, strategy=zlib.Z_HUFFMAN_ONLY)
    yield member(text)[:40]
    yield member(b"x" * 1000, strategy=zlib.Z_FIXED)
    yield member(b"Stored, as it is.", 0)


def certificates():
    def pem(label, octets):
        return b"-----BEGIN %s-----\n%s-----END %s-----\n" % (label, base64.encodebytes(octets), label)
    ders = [path.read_bytes() for path in sorted((VECTORS / "tls").glob("*.der"))]
    yield from ders
    yield b"text for people\n" + b"".join(pem(b"CERTIFICATE", octets) for octets in ders)
    key = (VECTORS / "tls" / "p256.key").read_bytes()[:32]
    curve = bytes.fromhex("06082a8648ce3d030107")
    sec1 = b"\x30\x31\x02\x01\x01\x04\x20" + key + b"\xa0\x0a" + curve
    yield pem(b"EC PRIVATE KEY", sec1)
    bare = b"\x30\x25\x02\x01\x01\x04\x20" + key
    algorithm = bytes.fromhex("301306072a8648ce3d0201") + curve
    yield pem(b"PRIVATE KEY", b"\x30\x41\x02\x01\x00" + algorithm + b"\x04\x27" + bare)
    yield pem(b"RSA PRIVATE KEY", (VECTORS / "tls" / "rsa.key").read_bytes())
    yield pem(b"EC PRIVATE KEY", b"") + b"Proc-Type: 4,ENCRYPTED\n"


SEEDS = {
    "request-head": heads, "chunked": chunks, "cookies": cookies, "form": forms, "multipart": multiparts, "next": targets,
    "paths": paths, "authorization": authorizations, "json": texts, "json-reader": readings,
    "number": numbers, "conditions": conditions, "inflate": members, "jws": tokens,
    "certificates": certificates, "connections": connections,
}


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: seeds.py FOLDER")
    for target, seeds in SEEDS.items():
        folder = Path(sys.argv[1]) / target
        folder.mkdir(parents=True, exist_ok=True)
        for octets in seeds():
            (folder / hashlib.sha1(octets).hexdigest()).write_bytes(octets)


if __name__ == "__main__":
    main()
