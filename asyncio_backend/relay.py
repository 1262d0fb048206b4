"""What is encrypted, carried between its client and another worker that serves it.

The keys of TLS cannot be handed over with a connection; so the worker that has them stays
between the two, and the other one gets an end of a pair of sockets. This module does not know
what the bytes mean.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import cast

from .home import Home, logger
from .tls import Tls


class Outer(asyncio.Protocol):
    """The client's side, which takes over a transport that rests; `start` lets it go on."""

    def __init__(self, transport: asyncio.Transport, tls: Tls, home: Home) -> None:
        self._transport = transport
        self._tls = tls
        self._home = home
        self._inner: asyncio.Transport | None = None
        self._deaf = False
        self._dumb = False
        transport.set_protocol(self)

    def start(self, inner: asyncio.Transport) -> None:
        """The other side is there."""
        self._inner = inner
        if self._transport.is_closing():
            inner.abort()
        else:
            self._transport.set_write_buffer_limits()
            self._transport.resume_reading()

    # From the client

    def data_received(self, data: bytes) -> None:
        """Decrypt, and pass on."""
        assert self._inner is not None
        if self._dumb:
            return  # it is only waited for that it closes too
        try:
            plain = self._tls.receive_data(data)
        except ssl.SSLError:
            logger.debug("connection broken", exc_info=True)
            self._transport.write(self._tls.data_to_send())
            self._close()
            return
        self._transport.write(self._tls.data_to_send())
        if plain and not self._inner.is_closing():
            self._inner.write(plain)
        if self._tls.ended:
            self.eof_received()

    def eof_received(self) -> bool:
        """The client sends nothing more, and may read on."""
        if not self._deaf and self._inner is not None:
            self._deaf = True
            if self._dumb:
                self._close()
            elif not self._inner.is_closing():
                self._inner.write_eof()
        return True

    def pause_writing(self) -> None:
        """The client does not read: neither do we."""
        if self._inner is not None:
            self._inner.pause_reading()

    def resume_writing(self) -> None:
        """The client has read."""
        if self._inner is not None and not self._inner.is_closing():
            self._inner.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        if self._inner is not None:
            self._inner.abort()
        self._home.leave(self)

    # From the other worker

    def send(self, data: bytes) -> None:
        """Encrypt, and pass on."""
        if not self._transport.is_closing():
            self._transport.write(self._tls.encrypt(data))

    def send_end(self) -> None:
        """The other worker sends nothing more, and may read on."""
        if not self._dumb and not self._transport.is_closing():
            self._dumb = True
            self._tls.send_end()
            self._transport.write(self._tls.data_to_send())
            if self._deaf:
                self._close()
            else:
                self._transport.write_eof()

    def rest(self, paused: bool) -> None:
        """The other worker takes no more for now, or does again."""
        if paused:
            self._transport.pause_reading()
        elif not self._transport.is_closing():
            self._transport.resume_reading()

    def lose(self) -> None:
        """The other worker's side is gone."""
        self._transport.close()

    def _close(self) -> None:
        self._transport.close()
        if self._inner is not None:
            self._inner.close()

    # As a guest of the home

    def finish(self) -> None:
        """It ends when the other worker ends it, which is told at the same time."""

    def abort(self) -> None:
        """End now."""
        self._transport.abort()


class Inner(asyncio.Protocol):
    """The other worker's side."""

    def __init__(self, outer: Outer) -> None:
        self._outer = outer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Both sides are there."""
        # uvloop's transports are no subclasses of asyncio's, but do the same.
        self._outer.start(cast("asyncio.Transport", transport))

    def data_received(self, data: bytes) -> None:
        """The other worker answers."""
        self._outer.send(data)

    def eof_received(self) -> bool:
        """The other worker sends nothing more."""
        self._outer.send_end()
        return True

    def pause_writing(self) -> None:
        """The other worker does not read."""
        self._outer.rest(True)

    def resume_writing(self) -> None:
        """The other worker has read."""
        self._outer.rest(False)

    def connection_lost(self, exc: Exception | None) -> None:
        """The other worker has closed, or is gone."""
        self._outer.lose()
