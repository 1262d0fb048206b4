"""One TCP or TLS connection on Trio: a reader, and a writer while the kernel is full.

What it does not know: which side of the connection is the server.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import trio

from sansocket.sansio.backend import CHUNK, PULL, Driven, Wire, lost

from .home import Bed, Home

logger: logging.Logger = logging.getLogger("sansocket")

BROKEN: Final = (trio.BrokenResourceError, trio.ClosedResourceError, OSError)

Stream = trio.SocketStream | trio.SSLStream[trio.SocketStream]


class Connection:
    """Carries the bytes of one connection to and from its wire.

    What the wire has to send goes straight to the socket. A task writes what the kernel
    could not take, and all of it for TLS; while it works, nothing more is pulled. Whoever
    makes it has the wire call `wake`.
    """

    def __init__(self, core: Driven, stream: Stream, home: Home, wire: Wire) -> None:
        self.wire = wire
        self._driven = core
        self._stream = stream
        self._home = home
        self._scope = trio.CancelScope()
        self._bed = Bed()
        """Where the connection's own task waits for a writer, a handler, or the end."""
        self._resting = False
        """Whether that waits for a writer or a handler, and nothing is read for now."""
        self._deaf = False
        """Whether the peer sends nothing more."""
        self._writing = False
        self._over = False
        self._transport = transport_of(stream)
        self._socket: socket.socket | None = None
        if self._transport is stream:
            # Trio's socket has no `send` that does not also checkpoint, which costs 2.7 us.
            self._socket = socket.socket(fileno=self._transport.socket.fileno())
            self._socket.setblocking(False)

    async def run(self, data: bytes = b"") -> None:
        """Serve the connection until it ends, or is another worker's; `data` was read before.

        Nothing that the peer does leaves this task: it is the boundary around one
        connection (security rule T1). Cancelled, it closes the connection at once.
        """
        try:
            await self._serve(data)
        except BROKEN:
            logger.debug("connection broken", exc_info=True)
        except Exception:
            self._fail()
        finally:
            self._over = True
            try:
                lost(self._driven, self.wire)
            except Exception:
                self._fail()
            finally:
                if self._socket is not None:
                    self._socket.detach()
                await trio.aclose_forcefully(self._stream)

    async def _serve(self, data: bytes) -> None:
        with self._scope:
            await self._read(data)

    async def _read(self, data: bytes) -> None:
        if data:
            self._take(data)
        while not (wire := self.wire).closed:
            while wire.paused:
                if await self._rest():
                    return
            await self._receive()
            if self._deaf:
                # A peer that has only shut its side down still reads its answer.
                self.flush()
                while self._writing:
                    await self._wait()
                return

    def _take(self, data: bytes) -> None:
        self.wire.receive_data(data, trio.current_time())
        self._driven.deliver()
        self._home.wake(self)

    async def _rest(self) -> bool:
        """Wait until the wire may be read from again; whether there is nothing more to read."""
        await self._wait()
        return False

    async def _receive(self) -> None:
        """Read: a chunk, or all there is until the wire or the peer has enough."""
        reading = self._home.reading
        if self._socket is None or reading is None:
            data = bytes(await self._stream.receive_some(CHUNK))
            if data:
                self._take(data)
                # At once: a stream of Trio's that has found the end of TLS takes nothing more.
                self.flush()
            self._deaf = not data
            return
        descriptor = self._socket.fileno()
        reading.add(descriptor, self._read_now)
        try:
            await self._bed.sleep()
        finally:
            reading.remove(descriptor)

    def _read_now(self) -> None:
        """Called when there is something to read, also the end."""
        if self._socket is None or self._over:
            return
        try:
            if data := self._socket.recv(CHUNK):
                self._take(data)
            else:
                self._deaf = True
                self._bed.wake()
        except BlockingIOError:
            pass
        except OSError:
            logger.debug("connection broken", exc_info=True)
            self._break()
        except Exception:
            self._fail()

    async def _wait(self) -> None:
        self._resting = True
        try:
            await self._bed.sleep()
        finally:
            self._resting = False

    def wake(self) -> None:
        """The wire has something, or should be read from again, or is to be closed."""
        self._home.wake(self)

    def flush(self) -> None:
        """Write what the wire has, or do what else it asks for."""
        if self._resting:
            self._bed.wake()
        if self.wire.closed:
            self._scope.cancel()
        if self._writing or self._over:
            return
        if self._socket is None:
            data = self._pull()
        else:
            try:
                data = write_now(self._socket, self._pull)
            except OSError:
                self._break()
                return
        if self.wire.calm and not data:
            return
        if self.wire.paused:
            self._bed.wake()
        if data:
            self._writing = True
            self._home.nursery.start_soon(self._write, data)
        elif self.wire.complete:
            self._scope.cancel()
        elif self.wire.closing:
            # Tell the peer, and read on until it has seen it and closes too: a connection
            # closed with bytes unread is reset, and the peer may lose what was written.
            with suppress(OSError):
                self._transport.socket.shutdown(socket.SHUT_WR)

    def _pull(self) -> bytes:
        try:
            pieces = self.wire.data_to_send()
            if self.wire.successor is not None:
                self.wire = self.wire.successor
            return pieces[0] if len(pieces) == 1 else b"".join(pieces)
        except Exception:
            # The caller sends to this peer, and is anybody: it is not to pay for the failure.
            self._fail()
            return b""

    def _fail(self) -> None:
        """Close the connection because of an error of ours."""
        logger.exception("connection failed")
        self._break()

    def _break(self) -> None:
        """Nothing can be written any more; the reader may be resting, and is not to miss it."""
        self._over = True
        self._scope.cancel()

    async def _write(self, data: bytes) -> None:
        """Write until nothing is left; runs as a task of its own."""
        try:
            while data:
                await self._stream.send_all(data)
                data = self._pull()
        except BROKEN:
            self._break()
        self._writing = False
        self.flush()


def transport_of(stream: Stream) -> trio.SocketStream:
    """The TCP connection under a stream."""
    return stream.transport_stream if isinstance(stream, trio.SSLStream) else stream


def write_now(sock: socket.socket, pull: Callable[[], bytes]) -> bytes:
    """Write all that can be pulled, and return what the kernel did not take of it.

    Raises OSError for a connection that is broken.
    """
    while data := pull():
        rest = data[send_now(sock, data) :]
        if rest or len(data) < PULL:
            return rest
    return b""


def send_now(sock: socket.socket, data: bytes | memoryview) -> int:
    """Give the kernel what it takes at once, and return how many bytes that is.

    Raises OSError for a connection that is broken.
    """
    try:
        return sock.send(data)
    except BlockingIOError:
        return 0
