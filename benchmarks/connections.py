"""Opening connections, many at once, and what is done with each that is open.

Raw non-blocking sockets and epoll: the load must be lighter than any server.
"""

from __future__ import annotations

import os
import select
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from time import perf_counter
from typing import Final

from . import frames

AT_ONCE: Final = 32  # connections that are being opened at the same time
PATIENCE: Final = 30.0  # seconds without an event until the server is given up
PORTS: Final = 20_000  # connections from one source address, before the next one is taken

Finished = Callable[[socket.socket, bytearray], None]
"""Is given a connection that is open, and what has come on it beyond that."""


class ServerFailed(Exception):
    """The server answered as none should, or not at all; the text says how."""


@dataclass
class Opening:
    """A connection on its way: what has come on it, and what to do with that."""

    sock: socket.socket
    stage: Callable[[Opening], bool]
    """Takes what it can off the buffer; returns whether the connection is open then."""
    buffer: bytearray = field(default_factory=bytearray)


@dataclass(frozen=True)
class Address:
    """Where a server listens, and whether it speaks Socket.IO or bare WebSocket."""

    port: int
    bare: bool = False

    def socket(self, number: int = 0) -> socket.socket:
        """Begin a TCP connection, from another address of the loopback every so many numbers."""
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if source := number // PORTS:
            # The port is chosen when the connection is made: by source and destination together.
            sock.setsockopt(socket.IPPROTO_IP, getattr(socket, "IP_BIND_ADDRESS_NO_PORT", 24), 1)
            sock.bind((f"127.0.{source // 250}.{2 + source % 250}", 0))
        with suppress(BlockingIOError):
            sock.connect(("127.0.0.1", self.port))
        return sock


def upgraded(opening: Opening) -> bool:
    """The answer to the WebSocket handshake; bare WebSocket is open then."""
    if (head := frames.take_head(opening.buffer)) is None:
        return False
    if b" 101 " not in head[:20]:
        raise ServerFailed(f"the handshake was answered with {head[:200]!r}")
    opening.stage = engine_opened
    return engine_opened(opening)


def upgraded_bare(opening: Opening) -> bool:
    """The same, where it is all."""
    if (head := frames.take_head(opening.buffer)) is None:
        return False
    if b" 101 " not in head[:20]:
        raise ServerFailed(f"the handshake was answered with {head[:200]!r}")
    return True


def engine_opened(opening: Opening) -> bool:
    """The open packet of Engine.IO; CONNECT is what follows it."""
    if (payload := frames.take_frame(opening.buffer)) is None:
        return False
    if not payload.startswith(b"0{"):
        raise ServerFailed(f"expected an open packet, got {payload[:200]!r}")
    opening.sock.send(frames.CONNECT)
    opening.stage = connected
    return connected(opening)


def connected(opening: Opening) -> bool:
    """The answer to CONNECT."""
    while (payload := frames.take_frame(opening.buffer)) is not None:
        if payload.startswith(b"40{"):
            return True
        if payload == b"2":
            opening.sock.send(frames.PONG)
        else:
            raise ServerFailed(f"expected an answer to CONNECT, got {payload[:200]!r}")
    return False


def open_connections(
    address: Address,
    finished: Finished,
    *,
    count: int | None = None,
    seconds: float = float("inf"),
    first: int = 0,
) -> int:
    """Open connections, some at once, until there are `count` or the seconds are over.

    Returns how many were finished. `first` numbers the first, for its source address. Raises
    ServerFailed.
    """
    loop = select.epoll()
    on_the_way: dict[int, Opening] = {}
    begun = done = 0
    end = perf_counter() + seconds
    stage = upgraded_bare if address.bare else upgraded
    try:
        while True:
            begin = perf_counter() < end
            while begin and len(on_the_way) < AT_ONCE and (count is None or begun < count):
                sock = address.socket(first + begun)
                on_the_way[sock.fileno()] = Opening(sock, stage)
                loop.register(sock, select.EPOLLOUT)
                begun += 1
            if not on_the_way:
                return done
            events = loop.poll(PATIENCE)
            if not events:
                raise ServerFailed(f"silent for {PATIENCE:.0f} s while connections were opened")
            for fd, _ in events:
                opening = on_the_way[fd]
                if not advance(loop, fd, opening):
                    continue
                del on_the_way[fd]
                finished(opening.sock, opening.buffer)
                done += 1
    except OSError as error:
        raise ServerFailed(f"a connection could not be opened: {error}") from error
    finally:
        for opening in on_the_way.values():
            opening.sock.close()
        loop.close()


def advance(loop: select.epoll, fd: int, opening: Opening) -> bool:
    """Do the next step of a connection that has news; return whether it is open."""
    try:
        data = os.read(fd, 4096)
    except BlockingIOError:  # it is there, and nothing was asked yet
        opening.sock.send(frames.HANDSHAKE)
        loop.modify(fd, select.EPOLLIN)
        return False
    if not data:
        raise ServerFailed("a connection was closed while it was opened")
    opening.buffer += data
    if not opening.stage(opening):
        return False
    loop.unregister(fd)
    return True


class Connections:
    """Connections that are open together; a context manager, which closes them."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self.sockets: list[socket.socket] = []

    def open(self, count: int) -> None:
        """Open so many more; raises ServerFailed."""
        open_connections(self.address, self._keep, count=count, first=len(self.sockets))

    def open_unasked(self, count: int) -> None:
        """Open so many TCP connections, on which nothing has been said yet."""
        for _ in range(count):
            sock = socket.create_connection(("127.0.0.1", self.address.port), PATIENCE)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setblocking(False)
            self.sockets.append(sock)

    def _keep(self, sock: socket.socket, rest: bytearray) -> None:
        self.sockets.append(sock)
        if rest:
            raise ServerFailed(f"unasked for: {bytes(rest[:200])!r}")

    def __enter__(self) -> Connections:
        return self

    def __exit__(self, *_: object) -> None:
        for sock in self.sockets:
            sock.close()
