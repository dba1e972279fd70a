"""Which part of the panel holds what: by file, by the name of a symbol of C, by holder."""

import re

import capabilities
import pytest


@pytest.mark.parametrize("where, part", [
    ("MartletTLS/TLSTransport.swift", "library: TLS"),
    ("CMartletTLS", "library: TLS"),
    ("MartletServer/Server+Encryption.swift", "library: TLS"),
    ("MartletServer/Server+Send.swift", "library: connections"),
    ("MartletTLS/CertificateWriter.swift", "library: certificates"),
    ("Martlet/Program/Serve+TLS.swift", "library: TLS"),
    ("Martlet/Program/Serve.swift", "library: requests, routes, programs"),
    ("mbedTLS", "mbedTLS: TLS"),
    ("mbedtls_internal_sha256_process", "SHA-256, by mbedTLS and by instructions"),
    ("martlet_iterate_sha256", "SHA-256, by mbedTLS and by instructions"),
    ("Panel/HTTPSPage.swift", "page of the certificate"),
    ("alignment", "tables, alignment"),
])
def test_what_belongs_to_which_part(where, part):
    assert capabilities.part_of(where) == part


@pytest.mark.parametrize("name, goes", [("mbedtls_sha256_starts", True), ("mbedtls_internal_sha256_process", True),
                                        ("martlet_has_sha256", True), ("tls_prf_sha256", False),
                                        ("mbedtls_sha512_starts", False)])
def test_symbols_that_go_by_name(name, goes):
    assert bool(re.fullmatch(capabilities.BY_NAME, name)) == goes
