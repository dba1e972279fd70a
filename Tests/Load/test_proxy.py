"""Behind nginx: a request that comes when the proxy's own patience with a resting connection ends."""

import shutil
import socket
import subprocess
import threading
import time

import pytest

from client import Connection, form_request, request
from machine import IS_LONG, LoadedPanel, own_board

# nginx keeps a connection to a server for 60 s, which is its own default (keepalive_timeout).
PATIENCE = 60 if IS_LONG else 1
CLIENTS = 40
LOGIN = form_request("/login", {"username": "nobody", "password": "wrong password"})
CONFIGURATION = """
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 512; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  upstream panel {{
    server {panel};
    keepalive {clients};
    keepalive_timeout {patience}s;
  }}
  server {{
    listen 127.0.0.1:{port};
    keepalive_timeout 300s;
    location / {{
      proxy_pass http://panel;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_next_upstream off;
    }}
  }}
}}
"""


@pytest.fixture
def proxied(tmp_path):
    """The address of an nginx in front of a panel."""
    nginx = shutil.which("nginx") or "/usr/sbin/nginx"
    if not shutil.which(nginx):
        pytest.skip("there is no nginx")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with LoadedPanel(tmp_path / "data", own_board()) as panel:
        configuration = tmp_path / "nginx.conf"
        configuration.write_text(CONFIGURATION.format(
            folder=tmp_path, port=port, clients=CLIENTS, patience=PATIENCE,
            panel="{}:{}".format(*panel.address)))
        process = subprocess.Popen([nginx, "-p", str(tmp_path), "-c", str(configuration)],
                                   stderr=subprocess.DEVNULL)
        try:
            end = time.monotonic() + 10
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port)).close()
                    break
                except OSError:
                    assert time.monotonic() < end and process.poll() is None, "nginx does not start"
                    time.sleep(0.05)
            yield ("127.0.0.1", port)
        finally:
            process.terminate()
            process.wait()


def test_a_post_at_the_end_of_the_proxys_patience(proxied, figure):
    """A POST at the moment when nginx gives a resting connection up is answered, and never with 502."""
    statuses, failures = [], []
    together = threading.Barrier(CLIENTS)

    def client(number):
        try:
            with Connection(proxied) as connection:
                together.wait()
                # At the same time, so that each has a connection behind the proxy of its own.
                assert connection.send(request("GET", "/login")).response(within=10).status == 200
                # From 20 ms before the moment to 20 ms after it.
                time.sleep(PATIENCE + (number - CLIENTS / 2) / CLIENTS * 0.04)
                statuses.append(connection.send(LOGIN).response(within=20).status)
        except Exception as problem:
            failures.append(repr(problem))

    threads = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    figure(f"{len(statuses)} POSTs around {PATIENCE} s of rest: statuses {sorted(set(statuses))}")
    assert not failures and 502 not in statuses and len(statuses) == CLIENTS, (failures, statuses)
