"""Connections that go to another worker, and those that come from one, on Trio."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import trio

from sansocket.sansio.backend import CHUNK, Arrival, Neighbours, Peer, decode_handover

from .connection import Stream
from .home import Home

logger: logging.Logger = logging.getLogger("sansocket")

RETRY: Final = 0.005
"""Seconds until a worker that takes no more for now is asked again."""

Adopt = Callable[[socket.socket, Peer, bytes], None]
"""Serve a connection that does not block; what was read of it comes first."""


async def receive_from(neighbours: Neighbours, home: Home, adopt: Adopt) -> None:
    """Take in what the other workers hand over, until cancelled."""
    try:
        while True:
            await trio.lowlevel.wait_readable(neighbours.fileno())
            for arrival in neighbours.receive():
                take_in(arrival, home, adopt)
    finally:
        neighbours.close()


def take_in(arrival: Arrival, home: Home, adopt: Adopt) -> None:
    """Serve a connection that has come; what is wrong with it ends it alone (rules T1, T35)."""
    try:
        sock = socket.socket(fileno=arrival.connection)
    except OSError:
        os.close(arrival.connection)
        logger.exception("connection failed")
        return
    try:
        peer, data = decode_handover(arrival.message, home)
        sock.setblocking(False)
        adopt(sock, peer, data)
    except Exception:
        sock.close()
        logger.exception("connection failed")


async def relay(stream: trio.SSLStream[trio.SocketStream], end: socket.socket) -> None:
    """Carry what is encrypted between its client and another worker, until both have ended.

    The keys cannot be handed over; so this worker stays between them. Afterwards, also when it
    is cancelled, both are to be closed; it raises nothing for connections that break.
    """
    end.setblocking(False)
    inner = trio.SocketStream(trio.socket.from_stdlib_socket(end))

    async def copy(source: Stream, target: Stream, done: Callable[[], object]) -> None:
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError, OSError):
            while data := await source.receive_some(CHUNK):
                await target.send_all(data)
            done()
            return
        nursery.cancel_scope.cancel()

    def shut(stream: trio.SocketStream) -> Callable[[], None]:
        return lambda: stream.socket.shutdown(socket.SHUT_WR)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(copy, stream, inner, shut(inner))
        nursery.start_soon(copy, inner, stream, shut(stream.transport_stream))
