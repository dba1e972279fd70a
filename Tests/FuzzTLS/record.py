"""Records what clients send to the fuzzing program of TLS, as inputs for it.

    python3 Tests/FuzzTLS/record.py PROGRAM FOLDER
"""

import os
import socket
import ssl
import subprocess
import sys
from pathlib import Path

CLIENTS = {
    "tls13": {},
    "tls12-chacha": {"maximum": ssl.TLSVersion.TLSv1_2, "suites": "ECDHE-ECDSA-CHACHA20-POLY1305"},
    "tls12-aes": {"maximum": ssl.TLSVersion.TLSv1_2, "suites": "ECDHE-ECDSA-AES128-GCM-SHA256"},
    "tls11": {"maximum": ssl.TLSVersion.TLSv1_1, "suites": "ALL:@SECLEVEL=0"},
    "no-suite": {"maximum": ssl.TLSVersion.TLSv1_2, "suites": "ECDHE-ECDSA-AES256-GCM-SHA384"},
    "p256": {"curve": "prime256v1"},
    "no-alpn": {"protocols": []},
    "h2": {"protocols": ["h2"]},
}


def context(maximum=None, suites=None, curve=None, protocols=("http/1.1",)):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    if maximum:
        made.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED if maximum < ssl.TLSVersion.TLSv1_2 else maximum
        made.maximum_version = maximum
    if suites:
        made.set_ciphers(suites)
    if curve:
        made.set_ecdh_curve(curve)
    if protocols:
        made.set_alpn_protocols(list(protocols))
    return made


def record(program, path, options):
    server = subprocess.Popen([program], stdout=subprocess.PIPE, text=True,
                              env={**os.environ, "MARTLET_TLS_RECORD": str(path)})
    port = int(server.stdout.readline())
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
            with context(**options).wrap_socket(plain, server_hostname="a.local") as client:
                client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                client.recv(100)
                client.sendall(b"x" * 1500)
                client.recv(100)
                client.unwrap()
    except (ssl.SSLError, OSError):
        pass  # Some are refused, as they should be.
    server.wait(timeout=20)


def main(program, folder):
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, options in CLIENTS.items():
        record(program, folder / name, options)
        # The same, some octets at a time.
        (folder / (name + "-pieces")).write_bytes(bytes([7]) + (folder / name).read_bytes()[1:])


if __name__ == "__main__":
    main(*sys.argv[1:])
