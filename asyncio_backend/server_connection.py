"""One connection of a client to a server on asyncio, which may have to leave for another worker."""

from __future__ import annotations

import asyncio
import ssl
import time
from functools import partial

from sansocket.sansio.backend import Core, Peer, ServerWire, lost

from .connection import Connection
from .handover import RETRY, leave
from .home import Home
from .tls import Tls


class ServerConnection(Connection):
    """A connection that was accepted; with its peer and its first bytes if it was elsewhere."""

    __slots__ = ("_came", "_context", "_core")

    def __init__(
        self,
        core: Core,
        home: Home,
        context: ssl.SSLContext | None,
        peer: Peer | None = None,
        data: bytes = b"",
    ) -> None:
        super().__init__(core, home)
        self._came = peer, data
        """From another worker, if it has handed the connection over."""
        self._core = core
        self._context = context

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has come, or was sent here by another worker."""
        super().connection_made(transport)
        if self._came[1] and not self._over:
            self._take(self._came[1])

    def data_received(self, data: bytes) -> None:
        """Bytes have come."""
        if self._ended:
            return
        if self._tls is not None:
            self._take(data)
            return
        # Here the wire is not asked whether it has something: it wakes who has to know.
        try:
            self._wire.receive_data(data, self._time())
            self._deliver()
        except Exception as error:
            self._fail(error)

    def _open(self) -> None:
        if self._context is not None:
            self._tls = Tls(self._context)
        peer = self._came[0] or self._peer()
        self._wire = self._core.engine.open(partial(self._home.wake, self), self._time(), peer)
        self._home.enter(self)

    def _peer(self) -> Peer:
        name: tuple[str, int] | str | None = self._transport.get_extra_info("peername")
        address = name[0] if isinstance(name, tuple) else ""
        secure = self._tls is not None or self._transport.get_extra_info("ssl_object") is not None
        return Peer(address, secure, time.time(), self._home)

    def _leave(self) -> None:
        """Give the connection to the worker that it has to go to, once all is written."""
        wire, neighbours = self._wire, self._core.engine.neighbours
        if not isinstance(wire, ServerWire) or wire.destination is None:
            return
        if neighbours is None or self._over:
            return
        if self._transport.get_write_buffer_size():
            # From now on `resume_writing` comes when all is out.
            self._transport.set_write_buffer_limits(high=0)
            return
        try:
            gone = leave(self._transport, self._tls, neighbours, wire, self._home)
        except OSError:
            # There is no such worker, or not any more.
            self._transport.set_write_buffer_limits()
            wire.keep(self._time())
            self._core.deliver()
            self.flush()
        except Exception as error:
            self._fail(error)
        else:
            if not gone:
                asyncio.get_running_loop().call_later(RETRY, self._leave)
            elif self._tls is None:
                self.abort()
            else:
                self._over = True
                lost(self._core, wire)
                self._home.leave(self)


class BufferedServerConnection(ServerConnection, asyncio.BufferedProtocol):
    """The same for asyncio's own loop: that allocates 256 KiB for each reading of the other."""

    # There an echo costs 6 us so, and 23 us with `data_received`; on uvloop 4.9 us and 4.2.

    __slots__ = ()


def open_connection(
    core: Core,
    home: Home,
    context: ssl.SSLContext | None,
    came_from: Peer | None = None,
    first: bytes = b"",
) -> ServerConnection:
    """A connection, in the form that the running loop reads best."""
    own = isinstance(asyncio.get_running_loop(), asyncio.BaseEventLoop)
    kind = BufferedServerConnection if own else ServerConnection
    return kind(core, home, context, came_from, first)
