"""One TCP or TLS connection on asyncio: a protocol, which the loop calls when there is data.

What it does not know: which side of the connection is the server.
"""

from __future__ import annotations

import asyncio
import ssl
from abc import abstractmethod
from collections.abc import Callable
from contextlib import suppress
from typing import cast

from sansocket.sansio.backend import PULL, Driven, Wire, lost

from .home import Home, logger
from .tls import Tls


class Connection(asyncio.Protocol):
    """Carries the bytes of one connection to and from its wire.

    The transport is written to until it asks to pause; what is not pulled meanwhile
    waits in the core, where it is bounded. Nothing that the peer does leaves this object:
    it is the boundary around one connection (security rule T1).
    """

    __slots__ = (
        "_deaf",
        "_deliver",
        "_driven",
        "_ended",
        "_half_closed",
        "_home",
        "_over",
        "_resting",
        "_time",
        "_tls",
        "_transport",
        "_wire",
        "_writable",
    )

    def __init__(self, core: Driven, home: Home) -> None:
        self._driven = core
        self._deliver = core.deliver
        self._time: Callable[[], float]
        self._home = home
        self._tls: Tls | None = None
        self._transport: asyncio.Transport
        self._wire: Wire
        self._writable = True
        """Whether the transport takes more."""
        self._resting = False
        """Whether nothing is read for now."""
        self._deaf = False
        """Whether the peer sends nothing more."""
        self._ended = False
        """Whether nothing more is sent to the peer than what the transport has already."""
        self._half_closed = False
        """Whether the peer was told so."""
        self._over = False
        """Whether the transport was aborted, or lost."""

    # Called by the loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """There is a connection."""
        # uvloop's transports are no subclasses of asyncio's, but do the same.
        self._transport = cast("asyncio.Transport", transport)
        self._time = asyncio.get_running_loop().time
        try:
            self._open()
        except Exception:
            logger.exception("connection failed")
            transport.set_protocol(asyncio.Protocol())  # for this one has no wire
            self.abort()

    @abstractmethod
    def _open(self) -> None:
        """Have a wire, which calls `_wake`, and enter the home."""

    def data_received(self, data: bytes) -> None:
        """Bytes have come."""
        if not self._ended:
            self._take(data)

    def _take(self, data: bytes) -> None:
        try:
            if self._tls is not None:
                data = self._decrypt(self._tls, data)
            if data:
                self._wire.receive_data(data, self._time())
                self._deliver()
        except Exception as error:
            self._fail(error)
        self._home.wake(self)

    def get_buffer(self, sizehint: int) -> memoryview:
        """Where a loop that asks for it puts what it reads."""
        return self._home.buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Bytes have come there."""
        self.data_received(bytes(self._home.buffer[:nbytes]))

    def eof_received(self) -> bool:
        """The peer sends nothing more; one that has only shut its side down still reads.

        Returns whether the transport has to stay open for that.
        """
        self._deaf = True
        self.flush()
        return self._transport.can_write_eof() and not self._transport.is_closing()

    def pause_writing(self) -> None:
        """The transport has enough to write."""
        self._writable = False

    def resume_writing(self) -> None:
        """The transport has written what it had, or nearly."""
        self._writable = True
        # Not at once: asyncio calls this in the midst of a write, and a transport that is
        # closed meanwhile calls `connection_lost` twice.
        if self._wire.destination is None:
            self._home.wake(self)
        else:
            asyncio.get_running_loop().call_soon(self._leave)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over, whoever ended it."""
        self._over = True
        try:
            lost(self._driven, self._wire)
        except Exception:
            logger.exception("connection failed")
        self._home.leave(self)

    # Called by its home

    def finish(self) -> None:
        """Serve nothing more, and close when all is sent."""
        try:
            self._wire.finish()
        except Exception as error:
            self._fail(error)

    def abort(self) -> None:
        """Close now, whatever waits."""
        self._over = True
        self._transport.abort()

    # Between the wire and the transport

    def _wake(self) -> None:
        """The wire has something, or should be read from again, or is to be closed."""
        self._home.wake(self)

    def flush(self) -> None:
        """Write what the wire has, or do what else it asks for."""
        wire, transport = self._wire, self._transport
        try:
            if wire.closed and not self._over:
                self.abort()
            if self._over or transport.is_closing():
                return
            if not self._ended:
                while self._writable and (pieces := wire.data_to_send()):
                    data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
                    transport.write(data if self._tls is None else self._tls.encrypt(data))
                    # A transport that has found the peer gone takes all that it is given.
                    if len(data) < PULL or transport.is_closing():
                        break
                if wire.calm and not (self._resting or self._deaf):
                    return
                self._look()
            if self._ended and self._writable:
                self._half_close()
        except Exception as error:
            # The caller may be anybody who sends to this peer, and is not to pay for it.
            self._fail(error)

    def _look(self) -> None:
        """Do what the wire asks for besides."""
        wire = self._wire
        if wire.successor is not None:
            self._wire = wire = wire.successor
        if self._writable and (wire.closing or self._deaf):
            self._end()
        elif self._resting is not (paused := wire.paused):
            self._rest(paused)

    def _decrypt(self, tls: Tls, data: bytes) -> bytes:
        plain = tls.receive_data(data)
        if answer := tls.data_to_send():
            self._transport.write(answer)
        self._deaf = tls.ended
        return plain

    def _rest(self, paused: bool) -> None:
        self._resting = paused
        if paused:
            self._transport.pause_reading()
            if self._wire.destination is not None:
                # Not at once: the wire may still be at work.
                asyncio.get_running_loop().call_soon(self._leave)
        else:
            self._transport.resume_reading()

    def _leave(self) -> None:
        """Give the connection to the worker that it has to go to, if there is one."""

    def _end(self) -> None:
        """Nothing more comes from the wire; read on until the peer has seen it and closes too.

        A connection closed with bytes unread is reset, and the peer may lose what was written.
        """
        self._ended = True
        if self._resting:
            self._rest(False)
        if self._tls is not None:
            self._tls.send_end()
            self._transport.write(self._tls.data_to_send())
        # From now on `resume_writing` comes when all is out. (With a bound of 0 the loops' own TLS
        # holds it for reached when nothing waits, and never comes back to that.)
        self._transport.set_write_buffer_limits(high=1, low=0)

    def _half_close(self) -> None:
        if self._deaf or self._wire.complete or not self._transport.can_write_eof():
            self._transport.close()
        elif not self._half_closed:
            self._half_closed = True
            # The peer may have gone just now; the loop would log that, had it to wait first.
            with suppress(OSError):
                self._transport.write_eof()

    def _fail(self, error: Exception) -> None:
        """Close the connection because of an error, which is ours unless TLS says otherwise."""
        if self._tls is None or not isinstance(error, ssl.SSLError):
            logger.error("connection failed", exc_info=error)
            self.abort()
        else:
            logger.debug("connection broken", exc_info=error)
            self._ended = self._deaf = True
            self._transport.write(self._tls.data_to_send())
            self._transport.close()
