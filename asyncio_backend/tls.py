"""TLS on one connection: what the peer sends in, what it means out, and the other way round.

The loops have TLS of their own, but tell nothing of a connection until its handshake is
done, cannot close one direction alone, and differ in what they do with a peer that sends
on. Here a TLS connection is a TCP connection whose bytes pass through this object.
"""

from __future__ import annotations

import ssl
from contextlib import suppress
from typing import Final

RECORD: Final = 16_384
"""Bytes of plain text in one record, at most."""


class Tls:
    """One side of TLS: the client's where it knows the name of its server, else the server's.

    Raises ValueError or ssl.SSLError for a context that this side cannot use.
    """

    def __init__(self, context: ssl.SSLContext, server_name: str | None = None) -> None:
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._object = context.wrap_bio(
            self._incoming, self._outgoing, server_name is None, server_name
        )
        self.established: bool = False
        """Whether the handshake is done."""
        self.ended: bool = False
        """Whether the peer has said that it sends nothing more."""

    def receive_data(self, data: bytes | memoryview) -> bytes:
        """Take what the peer sent; returns what it means. Raises ssl.SSLError for what is no TLS.

        Nothing is what a client takes first, for it is the one that begins.
        Afterwards `data_to_send` may have something, also when it has raised.
        """
        self._incoming.write(data)
        plain: list[bytes] = []
        with suppress(ssl.SSLWantReadError):
            if not self.established:
                self._object.do_handshake()
                self.established = True
            while piece := self._object.read(RECORD):
                plain.append(piece)
            self.ended = True
        return b"".join(plain)

    def send(self, data: bytes) -> None:
        """Encrypt; raises ssl.SSLError where there is no connection to send it on."""
        self._object.write(data)

    def encrypt(self, data: bytes) -> bytes:
        """The same, and the bytes to write."""
        self.send(data)
        return self.data_to_send()

    def send_end(self) -> None:
        """Say that nothing more comes; no effect where there is nobody to say it to."""
        with suppress(ssl.SSLError):
            self._object.unwrap()

    def data_to_send(self) -> bytes:
        """The bytes to write; drained."""
        return self._outgoing.read()
