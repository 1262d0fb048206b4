"""No library but sockets and epoll: the least that a message costs a program in Python.

It reads what the load sends and nothing else: whole frames of less than 126 bytes.
"""

from __future__ import annotations

import argparse
import select
import socket
from collections.abc import Iterator
from typing import Final

HOST: Final = "127.0.0.1"
BROADCAST: Final = b'42["broadcast"'
ACCEPTED: Final = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\n"
MOST: Final = 65_536


def unmasked(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Take the frames off what was read: the payload of each, and the frame to send it in."""
    while data:
        size = data[1] & 0x7F
        if size >= 126:
            raise ValueError("frames of less than 126 bytes are all that is known here")
        key = (data[2:6] * (size // 4 + 1))[:size]
        number = int.from_bytes(data[6 : 6 + size], "big") ^ int.from_bytes(key, "big")
        payload = number.to_bytes(size, "big")
        yield payload, bytes([data[0], size]) + payload
        data = data[6 + size :]


def answer(client: socket.socket, data: bytes, everyone: dict[int, socket.socket]) -> None:
    """Send every message back, or to everyone when it begins as a broadcast does."""
    if data.startswith(b"GET "):
        client.send(ACCEPTED)
        return
    for payload, frame in unmasked(data):
        if payload.startswith(BROADCAST):
            for each in everyone.values():
                each.send(frame)
        else:
            client.send(frame)


def read(client: socket.socket) -> bytes:
    """What has come; nothing at the end, also of a client that has left answers unread."""
    try:
        return client.recv(MOST)
    except ConnectionResetError:
        return b""


def serve() -> None:
    """Serve until the program is ended."""
    listener = socket.create_server((HOST, 0), backlog=1024)
    poll = select.epoll()
    poll.register(listener, select.EPOLLIN)
    clients: dict[int, socket.socket] = {}
    print("READY", listener.getsockname()[1], flush=True)
    while True:
        for descriptor, _ in poll.poll():
            client = clients.get(descriptor)
            if client is None:
                client, _ = listener.accept()
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                client.setblocking(False)
                clients[client.fileno()] = client
                poll.register(client, select.EPOLLIN)
            elif data := read(client):
                answer(client, data, clients)
            else:
                poll.unregister(descriptor)
                clients.pop(descriptor).close()


def main() -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ping-interval", type=float, help="has no meaning here")
    parser.parse_args()
    serve()


if __name__ == "__main__":
    main()
