"""What a person does with the panel of a machine: set up, log in, look."""

import http.client
import re
from urllib.parse import urlencode

NAME, PASSWORD = "admin", "correct horse battery"


class Person:
    """A browser with one cookie."""

    def __init__(self, machine, port=8080):
        self.machine, self.port, self.cookie = machine, port, None

    def ask(self, method, path, form=None):
        """(status, text) of an answer."""
        connection = http.client.HTTPConnection("panel", timeout=60)
        connection.sock = self.machine.connect(self.port)
        fields = {"Host": f"127.0.0.1:{self.port}"}
        if self.cookie:
            fields["Cookie"] = self.cookie
        if form:
            fields["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, path, urlencode(form) if form else None, fields)
        answer = connection.getresponse()
        text = answer.read().decode()
        for line in answer.headers.get_all("Set-Cookie") or []:
            if re.match("martlet-[0-9]+=", line):
                self.cookie = line.split(";")[0]
        connection.close()
        return answer.status, text

    def move(self, port):
        """Goes on at another port. A session holds there, under the name that the cookie has there."""
        self.port = port
        self.cookie = re.sub("^martlet-[0-9]+=", f"martlet-{port}=", self.cookie)

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


def code_in(text):
    """The set-up code that stands in what the panel printed."""
    codes = re.findall(r"set-up code: ([0-9A-Z]{4}-[0-9A-Z]{4})", text)
    assert codes, f"there is no set-up code in {text!r}"
    return codes[-1]
