"""One connection of a client to a server on Trio, which may have to leave for another worker."""

from __future__ import annotations

import socket
import time
from functools import partial

import trio

from sansocket.sansio.backend import Core, Peer, ServerWire, lost

from .connection import Connection, Stream, transport_of
from .handover import RETRY, relay
from .home import Home


class ServerConnection(Connection):
    """A connection that was accepted, or came from another worker: then its `peer` is known."""

    def __init__(self, core: Core, stream: Stream, home: Home, peer: Peer | None = None) -> None:
        self._core = core
        self._reading = False
        if peer is None:
            secure = isinstance(stream, trio.SSLStream)
            peer = Peer(peer_address(transport_of(stream)), secure, time.time(), home)
        # Here the wire is not asked whether it has something: it wakes who has to know.
        alone = core.engine.neighbours is None
        wake = partial(home.wake, self) if alone else self._wake_to_leave
        wire = core.engine.open(wake, trio.current_time(), peer)
        super().__init__(core, stream, home, wire)

    def _take(self, data: bytes) -> None:
        self._reading = True
        try:
            self.wire.receive_data(data, trio.current_time())
            self._core.deliver()
        finally:
            self._reading = False

    async def _serve(self, data: bytes) -> None:
        await super()._serve(data)
        while self.wire.destination is not None and not self._over:
            # It has to leave, which was decided while the reader waited for more to read.
            self._scope = trio.CancelScope()
            await super()._serve(b"")

    async def _rest(self) -> bool:
        wire = self.wire
        destination = wire.destination
        if destination is not None:
            self.flush()
        if destination is None or self._writing:
            await self._wait()
            return False
        return isinstance(wire, ServerWire) and await self._leave(wire, destination)

    async def _leave(self, wire: ServerWire, destination: str) -> bool:
        """Give the connection to another worker; returns whether it is there."""
        neighbours = self._core.engine.neighbours
        assert neighbours is not None
        encrypted = self._stream if isinstance(self._stream, trio.SSLStream) else None
        pair = None if encrypted is None else socket.socketpair()
        leaving = self._transport.socket if pair is None else pair[1]
        try:
            try:
                gone = neighbours.hand_over(destination, leaving.fileno(), wire.handover)
            except OSError:
                # There is no such worker, or not any more.
                wire.keep(trio.current_time())
                self._core.deliver()
                self.flush()
                return False
            if not gone:
                await trio.sleep(RETRY)
                return False
            lost(self._core, wire)
            if encrypted is not None and pair is not None:
                pair[1].close()
                await relay(encrypted, pair[0])
            return True
        finally:
            for end in pair or ():
                end.close()

    def _wake_to_leave(self) -> None:
        """`wake` among workers, where a connection may have to leave while it is read from."""
        self.wake()
        if self.wire.destination is not None and not self._reading:
            self._scope.cancel()


def peer_address(stream: trio.SocketStream) -> str:
    """The host that a connection comes from; empty for one that has none, or is gone."""
    try:
        name: tuple[str, int] | str = stream.socket.getpeername()
    except OSError:
        return ""
    return name[0] if isinstance(name, tuple) else ""
