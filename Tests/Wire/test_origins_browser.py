"""Other origins in headless Chromium: what their scripts read of cors-example, and what the page's own script does."""

import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from client import Visitor
from program import Program, running
from test_panel_browser import By, WebDriverWait, browser  # noqa: F401

pytest.importorskip("selenium.webdriver")

# The origin that cors-example names.
PORT = 5001

PAGE = b"<!doctype html><title>another origin</title>"

ASK = """
const [url, options, done] = arguments;
fetch(url, options).then(
  async (answer) => done([answer.status, await answer.text(), answer.headers.get("X-Count")]),
  (error) => done(String(error)));
"""


class Empty(BaseHTTPRequestHandler):
    """A page without anything in it."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(PAGE)))
        self.end_headers()
        self.wfile.write(PAGE)

    def log_message(self, *_):
        pass


@pytest.fixture
def other():
    try:
        server = ThreadingHTTPServer(("127.0.0.1", PORT), Empty)
    except OSError:
        pytest.skip(f"another program listens on port {PORT}")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield
    server.shutdown()
    server.server_close()


@pytest.fixture
def program():
    yield from running(Program.start("cors-example", "--listen", "127.0.0.1:0"))


def ask(browser, program, path, **options):  # noqa: F811
    host, port = program.address[:2]
    return browser.execute_async_script(ASK, f"http://{host}:{port}{path}", options)


JSON = {"Content-Type": "application/json"}


def test_a_script_of_another_origin_reads_where_it_may_and_not_elsewhere(browser, program, other):  # noqa: F811
    browser.set_script_timeout(20)
    put = partial(ask, method="PUT", headers=JSON, body="{}")
    # One server, two origins: the program names the first of them.
    browser.get(f"http://localhost:{PORT}/")
    assert ask(browser, program, "/weather")[:2] == [200, '{"degrees": 21}']
    assert put(browser, program, "/count") == [200, '{"count": 1}', "1"]
    assert ask(browser, program, "/count") == [200, '{"count": 1}', "1"]
    assert "TypeError" in ask(browser, program, "/own")
    assert "TypeError" in put(browser, program, "/count", headers={**JSON, "X-Own": "1"})
    assert "TypeError" in ask(browser, program, "/count", method="DELETE")
    assert "TypeError" in ask(browser, program, "/count", credentials="include")
    browser.get(f"http://127.0.0.1:{PORT}/")
    assert ask(browser, program, "/weather")[:2] == [200, '{"degrees": 21}']
    assert "TypeError" in ask(browser, program, "/count")
    assert "TypeError" in put(browser, program, "/count")
    assert Visitor(program.address).get("/count").text == '{"count": 1}'


def test_the_script_in_the_page_runs(browser, program):  # noqa: F811
    host, port = program.address[:2]
    browser.get(f"http://{host}:{port}/")
    degrees = browser.find_element(By.ID, "degrees")
    WebDriverWait(browser, 10).until(lambda _: degrees.text == "21")
    # Any other script in the page is blocked.
    browser.execute_script(
        "const script = document.createElement('script'); script.textContent = 'window.ran = 1';"
        "document.body.append(script)")
    assert browser.execute_script("return window.ran") is None
