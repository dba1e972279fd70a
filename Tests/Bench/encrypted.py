"""HTTPS: Martlet beside nginx with the same certificate and curve, each with one process on one CPU.

Handshakes are full ones, by `openssl s_time` one after the other. What they and what octets of a file cost is the
server's own processor time, because the client needs more of its CPU than the server does. Requests are wrk's, over 8
connections that stay, for the page of a user who has logged in; nginx serves the same content as a file.
"""

import re
import shutil
import socket
import ssl
import subprocess
from dataclasses import dataclass
from urllib.parse import urlencode

import memory
import visits
from boards import BUILT, own_board
from load import run_wrk
from peers import Peer, quietly
from servers import CLIENT_CPUS, FOLDER, GREETING, Server, processor_time

VERSIONS = {"1.2": "-tls1_2", "1.3": "-tls1_3"}
CONNECTIONS, IDLE = 8, 16
FILE_SIZE = 32 << 20
NGINX = "/usr/sbin/nginx"
CONFIGURATION = """daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr crit;
events {{ worker_connections 64; }}
http {{
  access_log off;
  keepalive_requests 1000000;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port} ssl;
    root {folder}/www;
    ssl_certificate {folder}/certificate.pem;
    ssl_certificate_key {folder}/certificate.key;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_ecdh_curve prime256v1;
    ssl_session_cache off;
    ssl_session_tickets off;
  }}
}}
"""


@dataclass(frozen=True)
class Nginx(Peer):
    """nginx with a configuration for its port."""

    def words(self, port):
        folder = self.files[0]
        path = folder / f"nginx-{port}.conf"
        path.write_text(CONFIGURATION.format(folder=folder, port=port))
        return ["-p", str(folder), "-c", str(path)]


def make_certificate(folder):
    key, certificate = folder / "certificate.key", folder / "certificate.pem"
    quietly("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key,
            "-out", certificate, "-days", 2, "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1")
    return "--tls-certificate", certificate, "--tls-key", key


def exchange(port, octets):
    """The answer to one request over TLS, and then the end."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with context.wrap_socket(socket.create_connection(("127.0.0.1", port), 5)) as connection:
        connection.sendall(octets)
        answer = b""
        while more := connection.recv(65536):
            answer += more
    return answer


def log_in(server, port):
    form = urlencode({"username": "susan", "password": "hello"})
    answer = exchange(port, f"POST /login HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n"
                      "Content-Type: application/x-www-form-urlencoded\r\n"
                      f"Content-Length: {len(form)}\r\n\r\n{form}".encode())
    server.cookie = "; ".join(re.findall(r"\r\nset-cookie: ([^;]+)", answer.decode(), re.IGNORECASE))
    if not server.cookie:
        raise RuntimeError(f"no login over TLS: {answer[:200]}")


def set_up(with_others):
    """(for pages, for a file), Martlet and perhaps nginx each."""
    folder = FOLDER / "tls"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "www").mkdir(parents=True)
    certificate = make_certificate(folder)
    with open(folder / "www" / "file.bin", "wb") as file:
        file.truncate(FILE_SIZE)
    built = BUILT / own_board().name / "swift" / "release"
    listen = ("--listen", "127.0.0.1:PORT", *certificate)
    # A program works in the folder that it lies in.
    for name in ("https-example", "tls-bench"):
        shutil.copy(built / name, folder)
    pages = [Server("martlet", "Martlet", Peer("Martlet", folder / "https-example",
                                               (*listen, "--secret", visits.SECRET), ()))]
    files = [Server("martlet", "Martlet", Peer("Martlet", folder / "tls-bench", listen, ()))]
    program = pages[0].start()
    try:
        log_in(pages[0], program.port)
        answer = exchange(program.port, pages[0].request(program.port, closes=True))
        if GREETING not in answer:
            raise RuntimeError(f"Martlet does not answer the page over TLS: {answer[:200]}")
    finally:
        program.kill()
    if with_others:
        shutil.copy(NGINX, folder / "nginx")
        (folder / "www" / "index.html").write_bytes(answer.partition(b"\r\n\r\n")[2])
        nginx = Server("nginx", "nginx", Nginx("nginx", folder / "nginx", (), (folder, ), logs_in=False),
                       "a file, no login")
        pages.append(nginx)
        files.append(nginx)
    return pages, files


def handshakes(program, option, seconds):
    """(handshakes, microseconds of the server's processor for each)"""
    before = processor_time(program.pid)
    told = subprocess.run(
        ["taskset", "-c", ",".join(map(str, CLIENT_CPUS)), "openssl", "s_time", "-connect",
         f"127.0.0.1:{program.port}", "-new", "-time", str(seconds), option],
        capture_output=True, text=True, timeout=60 + seconds, check=True).stdout
    count = int(re.search(r"(\d+) connections in [\d.]+ real seconds", told)[1])
    return count, 1e6 * (processor_time(program.pid) - before) / count


def octets(program):
    """Octets of a file a second of the server's processor."""
    before = processor_time(program.pid)
    url = f"https://127.0.0.1:{program.port}/file.bin"
    told = quietly("curl", "--silent", "--insecure", "--output", "/dev/null", "--write-out", "%{size_download}", url)
    if int(told) != FILE_SIZE:
        raise RuntimeError(f"the file came as {told} octets")
    return FILE_SIZE / (processor_time(program.pid) - before)


def resident(server, program):
    return memory.total(server.peer.mappings(program)).resident


def measure_memory(server):
    """Resident octets: at the start, after a first connection, with connections that rest after an answer, and after
    many handshakes."""
    program = server.start()
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        found = {"connections": IDLE, "idle": resident(server, program)}

        def answered():
            connection = context.wrap_socket(socket.create_connection(("127.0.0.1", program.port), 5))
            connection.sendall(server.request(program.port))
            connection.recv(65536)
            return connection

        answered().close()
        found["used"] = resident(server, program)
        connections = [answered() for _ in range(IDLE)]
        found["resting"] = resident(server, program)
        for connection in connections:
            connection.close()
        handshakes(program, VERSIONS["1.3"], 2)
        found["afterwards"] = resident(server, program)
    finally:
        program.kill()
    return found


def measure(with_others, rounds, seconds, progress):
    """Figures by server: lists of a value a round, and memory."""
    pages, files = set_up(with_others)
    results = {server.key: {"1.2": [], "1.3": [], "rate": [], "processor": [], "octets": []} for server in pages}
    for number in range(1, rounds + 1):
        progress(f"tls: round {number} of {rounds}")
        for server, for_file in zip(pages, files):
            found = results[server.key]
            program = server.start()
            try:
                for version, option in VERSIONS.items():
                    found[version].append(1e6 / handshakes(program, option, seconds)[1])
                before = processor_time(program.pid)
                turn = run_wrk(server, program.port, CONNECTIONS, seconds, scheme="https")
                found["processor"].append(1e6 * (processor_time(program.pid) - before) / turn["requests"])
                found["rate"].append(turn["rate"])
            finally:
                program.kill()
            program = for_file.start()
            try:
                found["octets"].append(octets(program))
            finally:
                program.kill()
    for server in pages:
        results[server.key]["memory"] = measure_memory(server)
    return results
