"""A server that says what a test tells it to, in a thread of its own: right, wrong, or without end.

A test says what each request is answered with: `str` is the body of an answer with status 200,
`bytes` go out as they are, and of an iterator of bytes each goes out by itself. Where there is
nothing left to say it is silent, and keeps the connection open. A POST is answered with "ok".
"""

from __future__ import annotations

import socket
import socketserver
import time
from collections.abc import Iterator, Sequence
from typing import Final

from wsproto.utilities import generate_accept_token

from support.proxy import HEAD_END, Listening

Said = str | bytes | Iterator[bytes]

DRIP: Final = 0.02
"""Seconds between the pieces of what has no end."""


def answer(body: str | bytes, *headers: str, status: str = "200 OK") -> bytes:
    """A whole answer."""
    data = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(data)}", *headers]
    return "\r\n".join(lines).encode("latin-1") + HEAD_END + data


def endless(first: bytes, piece: bytes) -> Iterator[bytes]:
    """Something, and then more and more of it."""
    yield first
    while True:
        yield piece


class HostileServer(Listening):
    """Answers the GETs with what it is given, in their order; the 101 of a WebSocket is one."""

    def __init__(self, said: Sequence[Said]) -> None:
        self.said = list(said)
        super().__init__(Conversation)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"


class Conversation(socketserver.BaseRequestHandler):
    """One connection of a client."""

    request: socket.socket

    def handle(self) -> None:
        """Read requests, and answer them, until the client has closed."""
        server = self.server
        assert isinstance(server, HostileServer)
        try:
            while head := self._head():
                if head.startswith("POST"):
                    self.request.sendall(answer("ok"))
                elif server.said:
                    self._say(server.said.pop(0), head)
        except OSError:
            pass

    def _head(self) -> str:
        """The head of the next request, whose body is read too; empty at the end."""
        data = b""
        while HEAD_END not in data:
            if not (piece := self.request.recv(1)):
                return ""
            data += piece
        head = data.decode("latin-1")
        left = int(found.split("\r\n")[0]) if (found := after(head, "content-length: ")) else 0
        while left > 0 and (piece := self.request.recv(left)):
            left -= len(piece)
        return head

    def _say(self, said: Said, head: str) -> None:
        if isinstance(said, str):
            self.request.sendall(answer(said))
        elif isinstance(said, bytes):
            key = after(head, "sec-websocket-key: ").split("\r\n")[0]
            # Where a test writes this, the one that belongs to the key of the request stands.
            self.request.sendall(said.replace(b"ACCEPT", generate_accept_token(key.encode())))
        else:
            for piece in said:
                self.request.sendall(piece)
                time.sleep(DRIP)


def after(head: str, name: str) -> str:
    """What stands behind the name of a header, or nothing."""
    at = head.lower().find(name)
    return "" if at < 0 else head[at + len(name) :]
