"""Certificates for the loopback address, made for each run."""

from __future__ import annotations

import ssl
from dataclasses import dataclass

import trustme


@dataclass(frozen=True)
class Contexts:
    """Both sides' contexts; None and None are plain TCP."""

    server: ssl.SSLContext | None = None
    client: ssl.SSLContext | None = None


def make_contexts(host: str) -> Contexts:
    """An authority of our own, a certificate for `host` from it, and the contexts for both."""
    authority = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with authority.issue_cert(host).private_key_and_cert_chain_pem.tempfile() as path:
        server.load_cert_chain(path)
    client = ssl.create_default_context(cadata=authority.cert_pem.bytes().decode())
    return Contexts(server, client)
