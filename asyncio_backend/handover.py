"""Connections that go to another worker, and those that come from one, on asyncio."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from typing import Final

from sansocket.sansio.backend import Neighbours, Peer, ServerWire, decode_handover

from .home import Home, logger
from .relay import Inner, Outer
from .tls import Tls

RETRY: Final = 0.005
"""Seconds until a worker that takes no more for now is asked again."""

Made = Callable[[Peer, bytes], asyncio.BaseProtocol]


def receive_from(neighbours: Neighbours, home: Home, made: Made) -> None:
    """Take in what the other workers hand over, each with a protocol that `made` makes."""
    for arrival in neighbours.receive():
        try:
            peer, data = decode_handover(arrival.message, home)
            sock = socket.socket(fileno=arrival.connection)
        except Exception:
            # One connection alone ends here (security rules T1 and T35).
            os.close(arrival.connection)
            logger.exception("connection failed")
        else:
            home.run(adopt(sock, made(peer, data)))


async def adopt(sock: socket.socket, protocol: asyncio.BaseProtocol) -> None:
    """Have the loop serve a connection that was accepted elsewhere."""
    try:
        await asyncio.get_running_loop().connect_accepted_socket(lambda: protocol, sock)
    except OSError:
        sock.close()
        logger.debug("connection broken", exc_info=True)


def leave(
    transport: asyncio.Transport,
    tls: Tls | None,
    neighbours: Neighbours,
    wire: ServerWire,
    home: Home,
) -> bool:
    """Hand a connection over to where its wire says; returns False where it has to be tried again.

    With TLS, of which the keys cannot be handed over, this worker stays between the client and
    the other one. Without, the transport is to be aborted. Raises OSError where there is no
    such worker.
    """
    assert wire.destination is not None
    if tls is None:
        connection: int = transport.get_extra_info("socket").fileno()
        return neighbours.hand_over(wire.destination, connection, wire.handover)
    ours, theirs = socket.socketpair()
    with theirs:
        gone = neighbours.hand_over(wire.destination, theirs.fileno(), wire.handover)
    if not gone:
        ours.close()
        return False
    outer = Outer(transport, tls, home)
    home.enter(outer)
    home.run(adopt(ours, Inner(outer)))
    return True
