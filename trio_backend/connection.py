"""One TCP or TLS connection on Trio: a reader, and a writer while the kernel is full."""

from __future__ import annotations

import logging
import socket
import time
from contextlib import suppress
from typing import Final

import trio

from sansocket.sansio.engineio.session import Peer

from .runtime import Core

logger = logging.getLogger("sansocket")

Stream = trio.SocketStream | trio.SSLStream[trio.SocketStream]

CHUNK: Final = 65_536
"""How many bytes are read at once: it bounds what one reading can queue."""

CLOSE_NOTIFY: Final = 1.0
"""For how many seconds a TLS connection is given the time to end in good order."""

BROKEN: Final = (trio.BrokenResourceError, trio.ClosedResourceError, OSError)


class Connection:
    """Carries the bytes of one connection to and from its wire.

    What the wire has to send goes straight to the socket. A task writes what the kernel
    could not take, and all of it for TLS; while it works, nothing more is pulled.
    """

    def __init__(self, core: Core, stream: Stream, home: trio.Nursery) -> None:
        self._core = core
        self._stream = stream
        self._home = home
        self._scope = trio.CancelScope()
        self._woken = trio.Event()
        self._reading = False
        self._writing = False
        self._writer = trio.CancelScope()
        self._over = False
        secure = isinstance(stream, trio.SSLStream)
        transport = stream.transport_stream if isinstance(stream, trio.SSLStream) else stream
        self._socket: socket.socket | None = None
        if not secure:
            # Trio's socket has no `send` that does not also checkpoint, which costs 2.7 us.
            self._socket = socket.socket(fileno=transport.socket.fileno())
            self._socket.setblocking(False)
        peer = Peer(peer_address(transport), secure, time.time(), home)
        self.wire = core.engine.open(self._wake, trio.current_time(), peer)

    async def run(self) -> None:
        """Serve the connection until it ends.

        Nothing that the peer does leaves this task: it is the boundary around one
        connection (security rule T1). Cancelled, it closes the connection at once.
        """
        try:
            with self._scope:
                await self._read()
        except BROKEN:
            logger.debug("connection broken", exc_info=True)
        except Exception:
            logger.exception("connection failed")
        finally:
            self._over = True
            self._writer.cancel()
            self.wire.lost()
            self._core.deliver()
            await self._close()

    async def _close(self) -> None:
        if self._socket is not None:
            self._socket.detach()
        elif self.wire.closing and not self._scope.cancelled_caught:
            with suppress(*BROKEN), trio.move_on_after(CLOSE_NOTIFY):
                await self._stream.aclose()
        await trio.aclose_forcefully(self._stream)

    async def _read(self) -> None:
        wire, core = self.wire, self._core
        while not wire.closed:
            while wire.paused:
                await self._woken.wait()
                self._woken = trio.Event()
            data = await self._stream.receive_some(CHUNK)
            if not data:
                return
            self._reading = True
            try:
                wire.receive_data(bytes(data), trio.current_time())
                core.deliver()
            finally:
                self._reading = False
            self._flush()

    def _wake(self) -> None:
        """The wire has something, or should be read from again, or is to be closed."""
        self._woken.set()
        # While a chunk is read, its answers wait for one another, and go out in one piece.
        if not self._reading:
            self._flush()

    def _flush(self) -> None:
        if self.wire.closed:
            self._scope.cancel()
        if self._writing or self._over:
            return
        data = b"".join(self.wire.data_to_send())
        if self._socket is not None and data:
            data = data[send_now(self._socket, data) :]
        if data:
            self._writing = True
            self._home.start_soon(self._write, data)
        elif self.wire.closing:
            self._end()

    async def _write(self, data: bytes) -> None:
        """Write until nothing is left; runs as a task of its own."""
        with suppress(*BROKEN), self._writer:
            while data:
                await self._stream.send_all(data)
                data = b"".join(self.wire.data_to_send())
        self._writing = False
        self._flush()

    def _end(self) -> None:
        """All is written: tell the peer, and read on until it has seen it and closes too."""
        if self._socket is None:
            self._scope.cancel()
        else:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_WR)


def send_now(sock: socket.socket, data: bytes) -> int:
    """Give the kernel what it takes at once, and return how many bytes that is.

    A broken connection takes all of it; its reader will learn that it is broken.
    """
    try:
        return sock.send(data)
    except BlockingIOError:
        return 0
    except OSError:
        return len(data)


def peer_address(stream: trio.SocketStream) -> str:
    """The host that a connection comes from; empty for one that has none, or is gone."""
    try:
        name: tuple[str, int] | str = stream.socket.getpeername()
    except OSError:
        return ""
    return name[0] if isinstance(name, tuple) else ""
