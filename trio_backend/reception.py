"""How the connections of one `serve` come in, and how they are told to end."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Sequence

import trio

from sansocket.sansio.backend import Core, Peer

from .accepting import accept_from
from .connection import Stream
from .handover import receive_from
from .home import Bed, Home
from .listeners import Listener
from .plain_connection import PlainConnection
from .server_connection import ServerConnection

logger: logging.Logger = logging.getLogger("sansocket")


class Reception:
    """Lets connections in, from listeners and from other workers, until `accepting` is cancelled.

    What one connection does ends with it alone (security rule T1). TLS takes a task for each
    connection; others share one, where there is an epoll.
    """

    def __init__(self, core: Core, home: Home, accepting: trio.CancelScope) -> None:
        self._core = core
        self._home = home
        self._accepting = accepting
        self._connections: set[ServerConnection] = set()
        """Those that have a task each."""
        self._guests: set[PlainConnection] = set()
        """The others, which the task `_hold` has."""
        self._bed = Bed()
        self._open = True
        """Whether more of them may come."""
        self._finishing = False
        """Whether those who come are to end."""
        if home.reading is not None:
            home.nursery.start_soon(self._hold)

    async def accept(self, listeners: Sequence[Listener]) -> None:
        """Accept, and close the listeners at the end; raises OSError for one that is none."""
        neighbours = self._core.engine.neighbours
        with self._accepting:
            async with trio.open_nursery() as nursery:
                if neighbours is not None:
                    nursery.start_soon(receive_from, neighbours, self._home, self._adopt)
                others: list[Listener] = []
                for listener in listeners:
                    if self._home.reading is not None and isinstance(listener, trio.SocketListener):
                        nursery.start_soon(accept_from, listener, self._taken)
                    else:
                        others.append(listener)
                if others:
                    tasks = self._home.nursery
                    await trio.serve_listeners(self._handle, others, handler_nursery=tasks)
        self._open = False
        self._bed.wake()

    def finish(self) -> None:
        """Let all that have come end in good order."""
        self._finishing = True
        for connection in list(self._connections):
            connection.wire.finish()
        for guest in list(self._guests):
            guest.finish()

    async def _hold(self) -> None:
        """Keep the home open for those without a task; cancelled, it closes them at once."""
        try:
            while self._open or self._guests:
                await self._bed.sleep()
        finally:
            self._open = False
            for guest in list(self._guests):
                guest.close()

    def _left(self, guest: PlainConnection) -> None:
        self._guests.discard(guest)
        if not self._open and not self._guests:
            self._bed.wake()

    def _taken(self, sock: socket.socket, address: str) -> None:
        self._adopt(sock, Peer(address, False, time.time(), self._home), b"")

    def _adopt(self, sock: socket.socket, peer: Peer, data: bytes) -> None:
        """Serve a connection without TLS, of which `data` was read; raises no Exception."""
        reading = self._home.reading
        if reading is None:
            stream = trio.SocketStream(trio.socket.from_stdlib_socket(sock))
            self._home.nursery.start_soon(self._handle, stream, peer, data)
        elif not self._open:
            sock.close()  # all are being closed
        else:
            try:
                guest = PlainConnection(self._core, self._home, reading, sock, peer, self._left)
            except Exception:
                logger.exception("connection failed")
                sock.close()
                return
            self._guests.add(guest)
            if self._finishing:
                # It was accepted just before `aclose`, which could not know it.
                guest.finish()
            if data:
                guest.take(data)

    async def _handle(self, stream: Stream, peer: Peer | None = None, data: bytes = b"") -> None:
        """Serve a connection in this task."""
        try:
            connection = ServerConnection(self._core, stream, self._home, peer)
        except Exception:
            # Trio closes the stream when this returns.
            logger.exception("connection failed")
            return
        self._connections.add(connection)
        if self._finishing:
            connection.wire.finish()
        try:
            await connection.run(data)
        finally:
            self._connections.discard(connection)
