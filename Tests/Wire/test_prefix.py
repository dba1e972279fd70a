"""Two panels behind nginx, below a path each, as clients and a real browser see them.

Shown here: `location /box/ { proxy_pass http://…/; }` takes the path off, and everything that a panel
links to, redirects to and sets as a cookie is below it again; the two panels keep their logins apart,
also behind TLS.
"""

import os
import socket
import ssl
import subprocess
import time

import pytest

from client import Visitor
from panel import NAME, PASSWORD, Panel
from program import STYLE

NGINX = "/usr/sbin/nginx"
pytestmark = pytest.mark.skipif(not os.path.exists(NGINX),
                                reason="there is no nginx (scripts/setup test)")

# The first panel is told by its option, the second by the proxy.
CONFIGURATION = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port}{tls};
    location /box/ {{
      proxy_pass http://{first}/;
    }}
    location /box-2/ {{
      proxy_pass http://{second}/;
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-Prefix /box-2;
      proxy_set_header X-Forwarded-Proto $scheme;
    }}
  }}
}}
"""


def wait_for(port, nginx):
    end = time.monotonic() + 10
    while True:
        assert nginx.poll() is None, nginx.stderr.read()
        try:
            return socket.create_connection(("127.0.0.1", port), 1).close()
        except ConnectionRefusedError:
            assert time.monotonic() < end, "nginx does not listen"
            time.sleep(0.02)


def behind_nginx(folder, *options, tls=""):
    """Hands out (port, first panel, second panel). `tls` is what goes after the port to listen at."""
    first = Panel(folder / "first", "--prefix", "/box", *options)
    second = Panel(folder / "second")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    path = folder / "nginx.conf"
    path.write_text(CONFIGURATION.format(folder=folder, port=port, tls=tls,
                                         first="{}:{}".format(*first.address),
                                         second="{}:{}".format(*second.address)))
    nginx = subprocess.Popen([NGINX, "-p", str(folder), "-c", str(path)], stderr=subprocess.PIPE)
    try:
        wait_for(port, nginx)
        yield port, first, second
    finally:
        nginx.terminate()
        nginx.wait(10)
        first.kill()
        second.kill()


@pytest.fixture
def proxied(tmp_path):
    yield from behind_nginx(tmp_path)


def set_up(visitor, panel, prefix):
    form = {"code": panel.code(), "username": NAME, "password": PASSWORD, "password_again": PASSWORD}
    response = visitor.post(prefix + "/setup", form)
    assert response.status == 302 and response.location == prefix + "/", response.told
    return response


def test_two_panels_below_two_paths(proxied):
    port, first, second = proxied
    visitor = Visitor(("127.0.0.1", port), 10.0)
    for panel, prefix in ((first, "/box"), (second, "/box-2")):
        assert visitor.get(prefix + "/").location == prefix + "/setup?next=/"
        response = set_up(visitor, panel, prefix)
        assert response.cookie(panel.cookies[0]).attributes["path"] == prefix, response.told
    assert f"/box{STYLE}" in visitor.get("/box/").text
    assert visitor.get(f"/box{STYLE}").status == 200
    assert f"/box-2{STYLE}" in visitor.get("/box-2/").text
    assert visitor.get("/box/login?next=/password").location == "/box/password"
    assert visitor.get("/box/password").status == 200
    # One ends; the other goes on.
    assert visitor.post("/box/logout").location == "/box/login"
    assert visitor.get("/box/").location == "/box/login?next=/"
    assert visitor.get("/box-2/").status == 200
    response = visitor.post("/box/login?next=/password", {"username": NAME, "password": PASSWORD})
    assert response.location == "/box/password", response.told
    assert visitor.post("/box-2/logout").location == "/box-2/login"
    assert visitor.get("/box/").status == 200


def test_links_of_error_pages_and_other_spellings_stay_below(proxied):
    port, first, second = proxied
    visitor = Visitor(("127.0.0.1", port), 10.0)
    for prefix in ("/box", "/box-2"):
        response = visitor.get(prefix + "/nowhere")
        assert response.status == 404 and f'href="{prefix}/"' in response.text, response.told
        response = visitor.get(prefix + "/setup/")
        assert response.status == 308 and response.location == prefix + "/setup", response.told


def test_a_browser_below_two_paths(proxied):
    browsing = pytest.importorskip("test_panel_browser")
    port, first, second = proxied
    browser = browsing.open_browser()
    try:
        for panel, prefix in ((first, "/box"), (second, "/box-2")):
            origin = f"http://127.0.0.1:{port}{prefix}"
            browser.get(origin + "/")
            assert browser.current_url == origin + "/setup?next=/"
            browsing.submit(browser, code=panel.code(), username=NAME, password=PASSWORD,
                            password_again=PASSWORD)
            assert browser.current_url == origin + "/", browser.current_url
            assert browser.execute_script("return document.styleSheets.length") == 1
            for text, path in (("Password", "/password"), ("Overview", "/")):
                browser.find_element(browsing.By.LINK_TEXT, text).click()
                assert browser.current_url == origin + path, browser.current_url
        browser.get(f"http://127.0.0.1:{port}/box/")
        button = browser.find_element(browsing.By.CSS_SELECTOR,
                                      'form[action="/box/logout"] button[type=submit]')
        browsing.submit(browser, button)
        assert browser.current_url == f"http://127.0.0.1:{port}/box/login"
        browser.get(f"http://127.0.0.1:{port}/box-2/")
        assert browser.current_url == f"http://127.0.0.1:{port}/box-2/"
        browser.get(f"http://127.0.0.1:{port}/box/password")
        browsing.submit(browser, username=NAME, password=PASSWORD)
        assert browser.current_url == f"http://127.0.0.1:{port}/box/password"
    finally:
        browser.quit()


def test_behind_tls_cookies_are_secure_below_the_path(tmp_path):
    made = subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                           "-subj", "/CN=localhost", "-keyout", str(tmp_path / "key"), "-out",
                           str(tmp_path / "certificate")], capture_output=True)
    assert made.returncode == 0, made.stderr
    tls = f" ssl; ssl_certificate {tmp_path}/certificate; ssl_certificate_key {tmp_path}/key"
    for port, first, second in behind_nginx(tmp_path, "--https", tls=tls):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE

        def ask(method, target, body="", cookie=""):
            with socket.create_connection(("127.0.0.1", port), 10) as plain_socket:
                with context.wrap_socket(plain_socket, server_hostname="localhost") as connection:
                    connection.sendall((
                        f"{method} {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
                        f"Connection: close\r\nCookie: {cookie}\r\n"
                        "Content-Type: application/x-www-form-urlencoded\r\n"
                        f"Content-Length: {len(body)}\r\n\r\n{body}").encode())
                    octets = b""
                    while piece := connection.recv(65536):
                        octets += piece
            return octets.decode()
        for panel, prefix in ((first, "/box"), (second, "/box-2")):
            body = (f"code={panel.code()}&username={NAME}&password=correct+horse+battery"
                    "&password_again=correct+horse+battery")
            answer = ask("POST", prefix + "/setup", body)
            name = "__Secure-" + panel.cookies[0]
            assert f"Set-Cookie: {name}=" in answer, answer
            line = next(line for line in answer.split("\r\n") if line.startswith("Set-Cookie"))
            assert f"; Path={prefix}; Secure; HttpOnly; SameSite=Lax" in line, line
            cookie = line.removeprefix("Set-Cookie: ").partition(";")[0]
            assert " 200 " in ask("GET", prefix + "/", cookie=cookie).split("\r\n")[0]
