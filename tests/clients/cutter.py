"""Between clients and a server: connections that can be cut, as when a machine is switched off.

This module does not know what travels over them.
"""

from __future__ import annotations

import os
import selectors
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final

RESET: Final = struct.pack("ii", 1, 0)
CHUNK: Final = 65_536


class Cutter:
    """Passes on what comes, in a thread of its own, for as long as a block runs."""

    def __init__(self, port: int) -> None:
        self._server = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._selector = selectors.DefaultSelector()
        self._bell, self._rope = os.pipe()
        self._selector.register(self._listener, selectors.EVENT_READ, self._accept)
        self._selector.register(self._bell, selectors.EVENT_READ, self._told)
        self._others: dict[socket.socket, socket.socket] = {}
        self._over = False
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Cutter:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        os.write(self._rope, b"q")
        self._thread.join()
        self._listener.close()
        self._selector.close()
        os.close(self._bell)
        os.close(self._rope)

    @property
    def url(self) -> str:
        """The server, by way of this."""
        return f"http://127.0.0.1:{self.port}"

    def cut(self) -> None:
        """Reset every connection, at both ends."""
        os.write(self._rope, b"c")

    def _run(self) -> None:
        while not self._over:
            for key, _ in self._selector.select():
                act: Callable[[], None] = key.data
                act()

    def _told(self) -> None:
        self._over = b"q" in os.read(self._bell, 100)
        for each in list(self._others):
            each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            self._close(each)

    def _accept(self) -> None:
        one, _ = self._listener.accept()
        other = socket.create_connection(self._server)
        for each, further in ((one, other), (other, one)):
            self._others[each] = further
            self._selector.register(each, selectors.EVENT_READ, lambda each=each: self._pass(each))

    def _pass(self, sock: socket.socket) -> None:
        other = self._others.get(sock)
        if other is None:
            return  # closed in the same round
        data = b""
        with suppress(OSError):
            if data := sock.recv(CHUNK):
                other.sendall(data)
        if not data:
            self._close(sock)
            self._close(other)

    def _close(self, sock: socket.socket) -> None:
        if self._others.pop(sock, None) is not None:
            self._selector.unregister(sock)
            sock.close()
