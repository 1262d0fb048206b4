"""A proxy of HTTP that opens tunnels, in a thread of its own; it keeps what it was asked."""

from __future__ import annotations

import socket
import socketserver
import threading
from typing import Final

HEAD_END: Final = b"\r\n\r\n"


class Listening(socketserver.ThreadingTCPServer):
    """Listens from when it is made until the end of its block; `handler` has each connection."""

    daemon_threads = True

    def __init__(self, handler: type[socketserver.BaseRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def port(self) -> int:
        """Where it listens."""
        port: int = self.server_address[1]
        return port

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class Proxy(Listening):
    """`status` is what it answers."""

    def __init__(self, status: str = "200 Connection established") -> None:
        self.status = status
        self.heads: list[str] = []
        """What came before each tunnel."""
        super().__init__(Tunnel)


class Tunnel(socketserver.BaseRequestHandler):
    """One connection of a client."""

    request: socket.socket

    def handle(self) -> None:
        """Read what is asked, answer, and carry bytes both ways."""
        proxy = self.server
        assert isinstance(proxy, Proxy)
        head = b""
        while HEAD_END not in head:
            if not (data := self.request.recv(1)):
                return
            head += data
        proxy.heads.append(head.decode())
        self.request.sendall(f"HTTP/1.1 {proxy.status}\r\n\r\n".encode())
        if not proxy.status.startswith("200"):
            return
        host, _, port = head.split()[1].decode().rpartition(":")
        with socket.create_connection((host, int(port))) as target:
            threading.Thread(target=carry, args=(target, self.request), daemon=True).start()
            carry(self.request, target)


def carry(source: socket.socket, target: socket.socket) -> None:
    """Carry bytes one way, and their end."""
    try:
        while data := source.recv(65_536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass
