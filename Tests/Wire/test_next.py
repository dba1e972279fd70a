"""`next`: how the wanted page travels through the login page, and where it may lead.

Shown here: what a stranger wanted comes back octet for octet after the login; nothing that a
browser would take for another site, and no control octet, ever gets into Location, whatever the
spelling.
"""

import random
import re
from urllib.parse import unquote_plus, urlsplit

import pytest

from client import Connection, FORM, Visitor, request

SUSAN = {"username": "susan", "password": "hello"}
BODY = b"username=susan&password=hello"

# RFC 3986: unreserved, reserved, and "%" with two hexadecimal digits.
URI = re.compile(r"(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*\Z")


# Where a login leads, a lone "%" may stand as well: what the visitor wanted comes back as it was.
PLACE = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]*\Z")


def stays_here(location):
    """Whether a browser stays on this site, as the WHATWG URL standard reads a Location.

    Tabs and line breaks are removed first, blanks and controls at the ends as well; a backslash
    counts as a slash.
    """
    seen = re.sub(r"[\t\r\n]", "", location).strip("".join(map(chr, range(33)))).replace("\\", "/")
    return seen.startswith("/") and not seen.startswith("//")


def where_to_log_in(address, target):
    """Asks for a protected page as a stranger; returns (Location, the value of next)."""
    with Connection(address) as connection:
        connection.send(request("GET", target))
        response = connection.response()
    assert response.status == 302, f"expected a redirect to the login page\n{response.told}"
    location = response.location
    assert location.startswith("/login?next="), response.told
    assert URI.match(location), f"not a URI\n{response.told}"
    value = location.removeprefix("/login?next=")
    assert not re.search(r"[?#&=]", value), f"next ends too early\n{response.told}"
    return location, value


def log_in(address, target, body=BODY):
    with Connection(address) as connection:
        connection.send(request("POST", target, [FORM], body))
        return connection.response()


# The way to the login page ------------------------------------------------------------------------

@pytest.mark.parametrize("target, value", [
    ("/", "/"),
    ("/fresh", "/fresh"),
    ("/?foo=bar", "/%3Ffoo%3Dbar"),
    ("/?a=1&b=2", "/%3Fa%3D1%26b%3D2"),
    ("/?", "/%3F"),
    ("/?q=a+b", "/%3Fq%3Da%2Bb"),
    ("/?q=100%25", "/%3Fq%3D100%2525"),
    ("/?q=%2F%2Fx", "/%3Fq%3D%252F%252Fx"),
    ("/fresh?x=/a/b", "/fresh%3Fx%3D/a/b"),
    ("/?next=/fresh", "/%3Fnext%3D/fresh"),
])
def test_wanted_page_is_escaped_as_microdot_does_it_but_percent_first(login_example, target, value):
    location, got = where_to_log_in(login_example.address, target)
    assert got == value, f"{target} became {location}"


@pytest.mark.parametrize("target", [
    "/?q=a+b&c=%2Fd%26e",
    "/?q=%2B%20+%25",
    "/?~!$'()*,;:@/?-._",
    '/?q="quoted"',
    "/?q=<b>",
    "/?q={a|b}^`[c]",
    "/?q=\\",
    "/?q=caf\xc3\xa9",
    "/?q=\xff\xfe",
    "/fresh?%C3%A9=%E2%82%AC",
    "/?%zz=%&x=%1",
    "/?a&&b==&=",
    "/?a?b?c",
    "/fresh?" + "x" * 900,
])
def test_wanted_page_comes_back_octet_for_octet(login_example, target):
    with Connection(login_example.address) as connection:
        connection.send(request("GET", target))
        response = connection.response()
    if response.status == 400 and re.search(r'["<>{}|^`\\\x80-\xff]|%(?![0-9A-Fa-f]{2})', target):
        return  # Octets that may not stand in a request target may be refused.
    location, value = where_to_log_in(login_example.address, target)
    assert unquote_plus(value, encoding="latin-1") == target, f"{target!r} became {location}"


@pytest.mark.parametrize("target", ["/?q=a+b", "/fresh?c=%2Fd&e=%26", "/?a=b&c=d%20e", "/fresh",
                                    "/?q=100%25&x=~"])
def test_login_leads_to_the_wanted_page(login_example, target):
    visitor = Visitor(login_example.address)
    page = visitor.get(target)
    response = visitor.post(page.location, SUSAN)
    assert response.status == 302 and response.location == target, (
        f"wanted {target}, was sent to {page.location}\n{response.told}")
    assert visitor.get(target).status == 200


@pytest.mark.parametrize("target", ["/?q=a+b", "/fresh?c=%2Fd&e=%26"])
def test_failed_login_keeps_the_wanted_page(login_example, target):
    visitor = Visitor(login_example.address)
    page = visitor.get(target)
    for _ in range(2):
        failed = visitor.post(page.location, {**SUSAN, "password": "wrong"})
        assert failed.status == 302 and failed.location == page.location, failed.told
    response = visitor.post(failed.location, SUSAN)
    assert response.status == 302 and response.location == target, response.told


def test_absolute_target_leaves_scheme_and_host_behind(login_example):
    for target, value in (("http://evil.example/fresh?x=1", "/fresh%3Fx%3D1"),
                          ("http://localhost/", "/")):
        with Connection(login_example.address) as connection:
            connection.send(request("GET", target, host=urlsplit(target).netloc))
            response = connection.response()
        assert response.status == 302 and response.location == "/login?next=" + value, response.told


@pytest.mark.parametrize("filling", ["a", "&", "%25", "+", "\""])
def test_long_wanted_page_comes_back_whole_or_not_at_all(login_example, filling):
    target = "/?" + filling * (996 // len(filling))
    with Connection(login_example.address) as connection:
        connection.send(request("GET", target))
        response = connection.response()
    if response.status == 400 and filling == '"':
        return
    assert response.status == 302, response.told
    location = response.location
    assert location in ("/login", "/login?next=/") or (
        unquote_plus(location.removeprefix("/login?next=")) == target), response.told
    if filling == "a":
        assert location == "/login?next=/%3F" + "a" * 996, response.told


# The way back -------------------------------------------------------------------------------------

@pytest.mark.parametrize("value, location", [
    ("/", "/"),
    ("/fresh", "/fresh"),
    ("%2Ffresh", "/fresh"),
    ("/%66resh", "/fresh"),
    ("/a/b/c", "/a/b/c"),
    ("/%3Fa%3D1%26b%3D2", "/?a=1&b=2"),
    ("/?a=1", "/?a=1"),
    ("/ok+blank", "/ok%20blank"),
    ("/ok%20blank", "/ok%20blank"),
    ("/a%2Bb", "/a+b"),
    ("/a%2541", "/a%41"),
    ("/caf%C3%A9", "/caf%C3%A9"),
    ("/a//b", "/a//b"),
    ("/a%5Cb", "/a%5Cb"),
    ("/a?x=//b", "/a?x=//b"),
    ("/a?x=http://b/", "/a?x=http://b/"),
    ("/%22%3Cb%3E", "/%22%3Cb%3E"),
    ("/:@b", "/:@b"),
    ("/.//evil.example", "/.//evil.example"),
])
def test_good_next_is_where_the_login_leads(login_example, value, location):
    response = log_in(login_example.address, f"/login?next={value}")
    assert response.status == 302 and response.location == location, (
        f"expected Location {location}\n{response.told}")
    assert response.cookie("session").value, response.told


REFUSED = [
    "", "fresh", "?x=1", "%23x", ".", "..", "./fresh", "../", "*",
    "//evil.example", "///evil.example", "////evil.example", "//", "///", "//evil.example/%2F..",
    "%2F%2Fevil.example", "/%2Fevil.example", "%2F/evil.example", "//%65vil.example",
    "/%5Cevil.example", "/%5C/evil.example", "/%5C%5Cevil.example", "%5C%5Cevil.example", "%5C",
    "%5C/evil.example", "/%5c%2fevil.example",
    "/%09/evil.example", "/%09%5Cevil.example", "%09//evil.example", "/%0A/evil.example",
    "/%0D/evil.example", "/%0D%0A/evil.example", "/%00/evil.example", "/%0B/x", "/%1F", "/%7F",
    "/fresh%00", "/fresh%0A", "/fresh%0D%0ASet-Cookie:%20a=b", "/fresh%09", "/a%08b", "%00/fresh",
    "%20/fresh", "+/fresh", "+//evil.example", "%20//evil.example",
    # After one more percent-decoding.
    "/%252F/evil.example", "/%252Fevil.example", "%252F%252Fevil.example", "/%255Cevil.example",
    "/%255c%255cevil.example", "/%2509/evil.example", "/%250A/evil.example",
    "/fresh%250D%250ASet-Cookie:%20a=b", "/%2500", "/x%257F",
    # Other schemes and other sites.
    "http://evil.example", "https://evil.example/", "HTTP://evil.example", "http:evil.example",
    "http:/evil.example", "http:%5C%5Cevil.example", "javascript:alert(1)", "data:text/html,x",
    "evil.example", "@evil.example", ":80/", "ftp://evil.example/", "file:///etc/passwd",
    "%EF%BC%8F%EF%BC%8Fevil.example", "%E3%80%82/evil.example",
]


@pytest.mark.parametrize("value", REFUSED)
def test_bad_next_falls_back_to_the_front_page(login_example, value):
    response = log_in(login_example.address, f"/login?next={value}")
    assert response.status == 302 and response.location == "/", (
        f"expected Location /\n{response.told}")
    assert response.cookie("session").value, response.told


@pytest.mark.parametrize("octets", [
    b"/\\evil.example", b"\\\\evil.example", b"/\xff\xfe", b"/<script>", b"/%", b"/%2", b"/%zz",
    b"/%FF", b"/%C3", b"//\xc3\xa9", b"/%u002Fevil.example", b"/%c0%af/evil.example"])
def test_odd_octets_in_next_are_refused_or_harmless(login_example, octets):
    """RFC 3986 has no such target: 400 is right, and so is a Location of this site."""
    response = log_in(login_example.address, "/login?next=" + octets.decode("latin-1"))
    assert response.status in (302, 400), response.told
    if response.status == 302:
        assert stays_here(response.location) and PLACE.match(response.location), response.told
        if octets.startswith((b"/\\", b"\\", b"//")):
            assert response.location == "/", response.told


@pytest.mark.parametrize("query, location", [
    ("next=/fresh&next=/", "/fresh"),
    ("next=/&next=/fresh", "/"),
    ("next=//evil.example&next=/fresh", "/"),
    ("next=&next=/fresh", "/"),
    ("next&next=/fresh", "/"),
    ("x=1&next=/fresh", "/fresh"),
    ("&&next=/fresh&", "/fresh"),
    ("n%65xt=/fresh", "/fresh"),
    ("NEXT=/fresh", "/"),
    ("Next=/fresh", "/"),
    ("xnext=/fresh", "/"),
    ("next.=/fresh", "/"),
    ("next%00=/fresh", "/"),
    ("x=next=/fresh", "/"),
    ("x=1;next=/fresh", "/"),
    ("next=/fresh;x=1", "/fresh;x=1"),
    ("next=/a=b", "/a=b"),
    ("", "/"),
])
def test_the_first_next_of_the_query_counts(login_example, query, location):
    response = log_in(login_example.address, f"/login?{query}")
    assert response.status == 302 and response.location == location, (
        f"expected Location {location}\n{response.told}")


@pytest.mark.parametrize("query, location", [("", "/"), ("?next=/a", "/a"), ("?next=", "/"),
                                             ("?next=//evil.example", "/")])
def test_next_in_the_form_does_not_count(login_example, query, location):
    response = log_in(login_example.address, f"/login{query}", BODY + b"&next=/fresh")
    assert response.status == 302 and response.location == location, (
        f"expected Location {location}\n{response.told}")


@pytest.mark.parametrize("value", ["//evil.example", "/%09/evil.example", "/%252F/evil.example",
                                   "http://evil.example/", "/%0D%0Ax", "/%5Cevil.example"])
def test_failed_login_with_a_bad_next_leads_nowhere_else(login_example, value):
    failed = log_in(login_example.address, f"/login?next={value}", b"username=susan&password=no")
    assert failed.status == 302 and not failed.cookies, failed.told
    assert failed.location.partition("?")[0] == "/login" and URI.match(failed.location), failed.told
    response = log_in(login_example.address, failed.location)
    assert response.status == 302 and response.location == "/", response.told


def test_login_page_does_not_repeat_a_next_unescaped(login_example):
    for value in ("/%22%3E%3Cscript%3Ealert(1)%3C/script%3E", "javascript:alert(1)",
                  "/%27%20onload%3Dalert(1)"):
        response = Visitor(login_example.address).get(f"/login?next={value}")
        assert response.status == 200, response.told
        for bad in ("<script>", "javascript:", "' onload"):
            assert bad not in response.text, response.told


PIECES = ["/", "/", "\\", "%2F", "%5C", "%09", "%0A", "%0D", "%00", "%25", "2F", "5C",
          "evil.example",
          ":", "@", ".", "..", "?", "%23", "+", "%20", "http:", "%EF%BC%8F", "%80", "x", ";"]


def test_no_mixture_of_these_leads_to_another_site(login_example):
    """Seeded mixtures of what has ever made an open redirect."""
    chance = random.Random(20)
    with Connection(login_example.address) as connection:
        for _ in range(200):
            value = "".join(chance.choice(PIECES) for _ in range(chance.randrange(1, 7)))
            connection.sent.clear()
            connection.send(request("POST", f"/login?next={value}", [FORM], BODY))
            response = connection.response()
            if response.status == 400:  # A backslash may not stand in a target.
                assert "\\" in value or "%80" in value, response.told
                connection.reopen()
                continue
            assert response.status == 302, response.told
            assert stays_here(response.location) and PLACE.match(response.location), (
                f"next={value}\n{response.told}")
            assert stays_here(unquote_plus(response.location)), f"next={value}\n{response.told}"
