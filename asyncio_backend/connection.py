"""One TCP or TLS connection on asyncio: a protocol, which the loop calls when there is data."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import cast

from sansocket.sansio.engineio.session import Peer
from sansocket.sansio.engineio.wire import ServerWire

from .runtime import Core, Home

logger = logging.getLogger("sansocket")


class Connection(asyncio.Protocol):
    """Carries the bytes of one connection to and from its wire.

    The transport is written to while it does not ask to pause; what is not pulled meanwhile
    waits in the core, where it is bounded.
    """

    def __init__(self, core: Core, home: Home, connections: set[Connection]) -> None:
        self.home = home
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when the connection is over."""
        self._core = core
        self._connections = connections
        self._transport: asyncio.Transport
        self._receiving = False
        self._writable = True
        self._resting = False
        self._half_closed = False
        self._ended = False
        self.wire: ServerWire

    # Called by the loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has come."""
        # uvloop's transports are no subclasses of asyncio's, but do the same.
        self._transport = cast("asyncio.Transport", transport)
        name: tuple[str, int] | str | None = transport.get_extra_info("peername")
        address = name[0] if isinstance(name, tuple) else ""
        secure = transport.get_extra_info("ssl_object") is not None
        peer = Peer(address, secure, time.time(), self.home)
        self.wire = self._core.engine.open(self._wake, self._now(), peer)
        self._connections.add(self)

    def data_received(self, data: bytes) -> None:
        """Bytes have come; what they cause ends here (security rule T1)."""
        self._receiving = True
        try:
            self.wire.receive_data(data, self._now())
            self._core.deliver()
        except Exception:
            logger.exception("connection failed")
            self._transport.abort()
        finally:
            self._receiving = False
        self._flush()

    def pause_writing(self) -> None:
        """The peer does not read as fast as we write."""
        self._writable = False

    def resume_writing(self) -> None:
        """The peer has caught up."""
        self._writable = True
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over, whoever ended it."""
        self._ended = True
        self._connections.discard(self)
        self.wire.lost()
        self._core.deliver()
        self.lost.set_result(None)

    # Called by the core

    def _wake(self) -> None:
        # While a chunk is read, its answers wait for one another, and go out in one piece.
        if not self._receiving:
            self._flush()

    def _flush(self) -> None:
        if self._ended:
            return
        if self.wire.closed:
            self._transport.abort()
            return
        if self._writable and (data := b"".join(self.wire.data_to_send())):
            self._transport.write(data)
        if self.wire.closing and self._writable:
            self._say_end()
        elif self._resting is not (paused := self.wire.paused):
            self._resting = paused
            if paused:
                self._transport.pause_reading()
            else:
                self._transport.resume_reading()

    def _say_end(self) -> None:
        """Tell the peer that nothing more comes, and read on until it closes too."""
        if not self._transport.can_write_eof():
            self._transport.close()
        elif not self._half_closed:
            self._half_closed = True
            self._transport.write_eof()

    def eof_received(self) -> bool:
        """The peer sends nothing more; a request that waits is one that nobody waits for."""
        return False

    def abort(self) -> None:
        """End it now."""
        if not self._ended:
            self._transport.abort()

    def _now(self) -> float:
        return asyncio.get_running_loop().time()
