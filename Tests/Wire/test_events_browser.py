"""Server-sent events in headless Chromium: the example's page, over a restart of the program."""

import socket
import threading
import time

import pytest

from client import Visitor
from program import Program
from test_panel_browser import By, WebDriverWait, browser  # noqa: F401

pytest.importorskip("selenium.webdriver")


def start(port=0):
    return Program.start("sse-example", "--listen", f"127.0.0.1:{port}")


def said(browser):  # noqa: F811
    return [line.text for line in browser.find_elements(By.CSS_SELECTOR, "#said li")]


def say(browser, text):  # noqa: F811
    field = browser.find_element(By.NAME, "text")
    field.clear()
    field.send_keys(text)
    browser.find_element(By.TAG_NAME, "button").click()


def test_a_browser_reads_on_after_the_program_was_restarted(browser):  # noqa: F811
    program = start()
    port = program.address[1]
    try:
        browser.get(f"http://127.0.0.1:{port}/")
        seconds = browser.find_element(By.ID, "seconds")
        WebDriverWait(browser, 10).until(lambda _: seconds.text.isdigit())
        say(browser, "before <b>")
        WebDriverWait(browser, 10).until(lambda _: said(browser) == ["before <b>"])
        program.stop()
        program = start(port)
        # The page is not loaded again: the browser asks with Last-Event-ID, two seconds later.
        WebDriverWait(browser, 20).until(lambda _: seconds.text.isdigit() and int(seconds.text) < 8)
        first = int(seconds.text)
        WebDriverWait(browser, 10).until(lambda _: int(seconds.text) > first)
        say(browser, "after")
        WebDriverWait(browser, 10).until(lambda _: said(browser) == ["after", "before <b>"])
        assert not [entry for entry in browser.get_log("browser")
                    if entry["level"] == "SEVERE" and "ERR_" not in entry["message"]
                    and "favicon" not in entry["message"]]
    finally:
        program.kill()


class Cable:
    """Carries octets to the program and back, until it is cut."""

    def __init__(self, address):
        self.address = address
        self.ends = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.is_cut = False
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            if self.is_cut:
                near.close()
                continue
            far = socket.create_connection(self.address, 10)
            self.ends += [near, far]
            for source, target in ((near, far), (far, near)):
                threading.Thread(target=self.carry, args=(source, target), daemon=True).start()

    @staticmethod
    def carry(source, target):
        try:
            while octets := source.recv(65536):
                target.sendall(octets)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def cut(self):
        self.is_cut = True
        for end in self.ends:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.ends = []

    def mend(self):
        self.is_cut = False

    def close(self):
        self.cut()
        self.listener.close()


def test_a_browser_gets_what_it_missed_and_each_event_once(browser):  # noqa: F811
    program = start()
    cable = Cable(program.address)
    try:
        browser.get(f"http://127.0.0.1:{cable.port}/")
        WebDriverWait(browser, 10).until(
            lambda _: browser.find_element(By.ID, "seconds").text.isdigit())
        say(browser, "first")
        WebDriverWait(browser, 10).until(lambda _: said(browser) == ["first"])
        cable.cut()
        visitor = Visitor(program.address)
        for text in ("second", "third"):
            assert visitor.post("/say", {"text": text}).status == 204
        time.sleep(1)
        assert said(browser) == ["first"]
        cable.mend()
        WebDriverWait(browser, 20).until(lambda _: len(said(browser)) >= 3)
        say(browser, "fourth")
        WebDriverWait(browser, 10).until(lambda _: "fourth" in said(browser))
        assert said(browser) == ["fourth", "third", "second", "first"]
    finally:
        cable.close()
        program.kill()
