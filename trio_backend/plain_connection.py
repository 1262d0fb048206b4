"""One TCP connection to a server on Trio, without TLS and without a task of its own.

A task writes what the kernel could not take, and another gives the connection to the worker
that it has to go to; otherwise all is done when something comes, or is to be written.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from functools import partial

import trio

from sansocket.sansio.backend import CHUNK, Core, Peer, ServerWire, Wire, lost

from .connection import BROKEN, send_now, write_now
from .handover import RETRY
from .home import Home
from .reading import Reading

logger: logging.Logger = logging.getLogger("sansocket")


class PlainConnection:
    """Carries the bytes of one connection to and from its wire.

    Nothing that the peer does leaves this object: it is the boundary around one connection
    (security rule T1). `sock` does not block, and is closed here; `left` is called then.
    Raises OSError where `reading` takes no more.
    """

    # Idle, with a task and Trio's stream it takes 6.9 KiB more; and to come and go 310 us of CPU
    # in all instead of 80 (CPython 3.11, Trio 0.35).

    __slots__ = (
        "_context",
        "_core",
        "_deaf",
        "_home",
        "_leaving",
        "_left",
        "_over",
        "_reading",
        "_resting",
        "_sock",
        "_wire",
        "_writing",
    )

    def __init__(
        self,
        core: Core,
        home: Home,
        reading: Reading,
        sock: socket.socket,
        peer: Peer,
        left: Callable[[PlainConnection], None],
    ) -> None:
        self._context = copy_context()
        """Where its handlers run: what those of one client set there is not for others."""
        self._core = core
        self._home = home
        self._reading = reading
        self._sock = sock
        self._left = left
        self._writing = False
        """Whether a task writes, and nothing more is pulled."""
        self._resting = False
        """Whether it is not read from for now."""
        self._deaf = False
        """Whether the peer sends nothing more."""
        self._leaving = False
        """Whether a task gives it to another worker."""
        self._over = False
        # The wire is not asked whether it has something: it wakes who has to know.
        wake = partial(home.wake, self)
        self._wire: Wire = core.engine.open(wake, trio.current_time(), peer)
        try:
            reading.add(sock.fileno(), self._read)
        except OSError:
            self._wire.lost()
            raise

    # What comes

    def _read(self) -> None:
        """Called when there is something to read, also the end."""
        try:
            data = self._sock.recv(CHUNK)
        except BlockingIOError:
            return
        except OSError:
            self._broken()
            return
        if data:
            self.take(data)
            return
        self._deaf = True
        self._rest()
        if not self._writing:
            # What came just before may have an answer, which one who has only shut its side
            # down still reads.
            self.flush()

    def take(self, data: bytes) -> None:
        """Take what was read; raises no Exception."""
        self._context.run(self._take, data)

    def _take(self, data: bytes) -> None:
        try:
            self._wire.receive_data(data, trio.current_time())
            self._core.deliver()
            if self._wire.destination is not None:
                # At once: were its end read as well, it would not leave any more.
                self._rest()
        except Exception:
            self._fail()

    def _rest(self) -> None:
        if not (self._resting or self._over):
            self._resting = True
            self._reading.remove(self._sock.fileno())

    # What goes

    def flush(self) -> None:
        """Write what the wire has, or do what else it asks for."""
        if self._over:
            return
        if self._wire.closed:
            self.close()
        elif self._writing or self._send():
            self._look()

    def _send(self) -> bool:
        """Write what the kernel takes; whether anything else has to be looked at."""
        data = b""
        try:
            data = write_now(self._sock, self._pull)
        except OSError:
            self._broken()
        if self._over or (self._wire.calm and not (data or self._resting)):
            return False
        if data:
            self._writing = True
            self._home.nursery.start_soon(self._write, data)
        elif self._deaf or self._wire.complete:
            self.close()
        elif self._wire.closing:
            # Tell the peer, and read on until it has seen it and closes too: a connection
            # closed with bytes unread is reset, and the peer may lose what was written.
            with suppress(OSError):
                self._sock.shutdown(socket.SHUT_WR)
        return not self._over

    def _look(self) -> None:
        """Read on, or no more for now, as the wire wants it."""
        wire = self._wire
        if self._deaf:
            return
        if wire.destination is not None:
            self._rest()
            if not self._writing and not self._leaving:
                self._leaving = True
                self._home.nursery.start_soon(self._leave)
        elif wire.paused:
            self._rest()
        elif self._resting:
            self._resting = False
            self._reading.add(self._sock.fileno(), self._read)

    def _pull(self) -> bytes:
        try:
            pieces = self._wire.data_to_send()
            if self._wire.successor is not None:
                self._wire = self._wire.successor
            return pieces[0] if len(pieces) == 1 else b"".join(pieces)
        except Exception:
            # The caller sends to this peer, and is anybody: it is not to pay for the failure.
            self._fail()
            return b""

    async def _write(self, data: bytes) -> None:
        """Write until nothing is left; runs as a task of its own."""
        try:
            while data:
                rest = memoryview(data)
                while rest:
                    if self._over:
                        return
                    await trio.lowlevel.wait_writable(self._sock)
                    rest = rest[send_now(self._sock, rest) :]
                data = self._pull()
        except BROKEN:
            self._broken()
            return
        self._writing = False
        self.flush()

    # Another worker

    async def _leave(self) -> None:
        """Give the connection to another worker; runs as a task of its own."""
        try:
            while not self._over and isinstance(self._wire, ServerWire) and self._wire.destination:
                if self._gone(self._wire, self._wire.destination):
                    self.close()
                else:
                    await trio.sleep(RETRY)
        except Exception:
            self._fail()
        self._leaving = False
        self.flush()

    def _gone(self, wire: ServerWire, destination: str) -> bool:
        """Whether another worker has it now; where there is no such worker, it stays here."""
        neighbours = self._core.engine.neighbours
        assert neighbours is not None
        try:
            return neighbours.hand_over(destination, self._sock.fileno(), wire.handover)
        except OSError:
            wire.keep(trio.current_time())
            self._core.deliver()
            return False

    # The end

    def _broken(self) -> None:
        logger.debug("connection broken", exc_info=True)
        self.close()

    def _fail(self) -> None:
        """Close the connection because of an error of ours."""
        logger.exception("connection failed")
        self.close()

    def finish(self) -> None:
        """Serve nothing more, and close when all is sent."""
        try:
            self._wire.finish()
        except Exception:
            self._fail()

    def close(self) -> None:
        """Close the connection now, whatever waits; idempotent."""
        if self._over:
            return
        self._over = True
        try:
            # A copy, for this may happen while a handler runs there.
            self._context.copy().run(lost, self._core, self._wire)
        except Exception:
            logger.exception("connection failed")
        finally:
            self._reading.remove(self._sock.fileno())
            if self._writing:
                trio.lowlevel.notify_closing(self._sock)
            self._sock.close()
            self._left(self)
