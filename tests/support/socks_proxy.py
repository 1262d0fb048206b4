"""A proxy of SOCKS 5 (RFC 1928) that opens tunnels, in a thread of its own."""

from __future__ import annotations

import socket
import socketserver
import struct
import threading

from support.proxy import Listening, carry


class SocksProxy(Listening):
    """Wants `word` for the user "me"."""

    def __init__(self, word: str) -> None:
        self.word = word
        self.asked: list[str] = []
        """The hosts that it was asked for, as they were named."""
        super().__init__(Conversation)


class Conversation(socketserver.StreamRequestHandler):
    """One connection of a client."""

    request: socket.socket

    def handle(self) -> None:
        """Greet, ask for name and word (RFC 1929), connect, and carry bytes both ways."""
        proxy = self.server
        assert isinstance(proxy, SocksProxy)
        _, count = self.rfile.read(2)
        assert 2 in self.rfile.read(count)
        self.request.sendall(b"\5\2")
        name, word = (self.rfile.read(self.rfile.read(1 + first)[-1]) for first in (1, 0))
        right = (name, word) == (b"me", proxy.word.encode())
        self.request.sendall(b"\1\0" if right else b"\1\1")
        if not right:
            return
        _, _, _, kind = self.rfile.read(4)
        if kind == 1:
            host = socket.inet_ntoa(self.rfile.read(4))
        else:
            host = self.rfile.read(self.rfile.read(1)[0]).decode()
        (port,) = struct.unpack("!H", self.rfile.read(2))
        proxy.asked.append(host)
        with socket.create_connection((host, port)) as target:
            self.request.sendall(b"\5\0\0\1\0\0\0\0\0\0")
            threading.Thread(target=carry, args=(target, self.request), daemon=True).start()
            carry(self.request, target)
