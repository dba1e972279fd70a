"""What a person does with the panel of a machine: set up, log in, look."""

import hashlib
import http.client
import re
import ssl
from urllib.parse import urlencode

NAME, PASSWORD = "admin", "correct horse battery"


class Person:
    """A browser with one cookie. It comes by https, and believes a certificate when it has been told its SHA-256."""

    def __init__(self, machine, port=8080, scheme="https"):
        self.machine, self.port, self.scheme, self.cookie = machine, port, scheme, None
        # The SHA-256 of the last answer's certificate, as the panel prints it.
        self.certificate = None

    def connect(self):
        plain = self.machine.connect(self.port)
        if self.scheme == "http":
            return plain
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        encrypted = context.wrap_socket(plain)
        self.certificate = fingerprint(encrypted.getpeercert(binary_form=True))
        return encrypted

    def request(self, method, path, form=None):
        """(status, fields, octets) of an answer."""
        connection = http.client.HTTPConnection("panel", timeout=60)
        connection.sock = self.connect()
        fields = {"Host": f"127.0.0.1:{self.port}"}
        if self.cookie:
            fields["Cookie"] = self.cookie
        if form:
            fields["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, path, urlencode(form) if form else None, fields)
        answer = connection.getresponse()
        octets = answer.read()
        for line in answer.headers.get_all("Set-Cookie") or []:
            if re.match("(__Host-)?martlet-[0-9]+=", line):
                self.cookie = line.split(";")[0]
        connection.close()
        return answer.status, answer.headers, octets

    def ask(self, method, path, form=None):
        """(status, text) of an answer."""
        status, _, octets = self.request(method, path, form)
        return status, octets.decode()

    def move(self, port=None, scheme=None):
        """Goes on at another port, or by another scheme. A session holds there, under the name that the cookie has
        there."""
        self.port, self.scheme = port or self.port, scheme or self.scheme
        value = self.cookie.partition("=")[2]
        prefix = "__Host-" if self.scheme == "https" else ""
        self.cookie = f"{prefix}martlet-{self.port}={value}"

    def set_up(self, code):
        status, text = self.ask("POST", "/setup", {
            "code": code, "username": NAME, "password": PASSWORD, "password_again": PASSWORD})
        assert status == 302 and self.cookie, f"set-up was answered {status}: {text}"
        assert self.is_in(), "set-up did not log in"

    def log_in(self):
        status, text = self.ask("POST", "/login", {"username": NAME, "password": PASSWORD})
        assert status == 302 and self.is_in(), f"login was answered {status}: {text}"

    def is_in(self):
        status, text = self.ask("GET", "/")
        return status == 200 and NAME in text

    def overview(self):
        """The words of the overview page."""
        status, text = self.ask("GET", "/")
        assert status == 200, f"the overview was answered {status}"
        return " ".join(re.sub("<[^>]*>", " ", text).split())

    def authority(self):
        """The certificate of the panel's own authority, in DER."""
        status, _, octets = self.request("GET", "/https/authority.crt")
        assert status == 200, f"the authority's certificate was answered {status}"
        return octets

    def is_sent_to_https(self):
        """Without TLS, reading leads to https, and nothing can be changed."""
        assert self.scheme == "http"
        status, fields, _ = self.request("GET", "/login?next=/history")
        assert (status, fields["Location"]) == (308, f"https://127.0.0.1:{self.port}/login?next=/history"), status
        status, _, octets = self.request("POST", "/login", {"username": NAME, "password": PASSWORD})
        return status == 403 and b"https" in octets


def fingerprint(octets):
    """The SHA-256 of a certificate, in pairs of digits."""
    return ":".join(f"{octet:02X}" for octet in hashlib.sha256(octets).digest())


def code_in(text):
    """The set-up code that stands in what the panel printed."""
    codes = re.findall(r"set-up code: ([0-9A-Z]{4}-[0-9A-Z]{4})", text)
    assert codes, f"there is no set-up code in {text!r}"
    return codes[-1]


def fingerprint_in(text):
    """The SHA-256 of the certificate that stands in what was printed."""
    found = re.findall(r"SHA-256 of the certificate:? ([0-9A-F:]{95})", text)
    assert found, f"there is no SHA-256 of a certificate in {text!r}"
    return found[-1]
