"""One side of a connection: it does what a backend does with a socket (see "Driving the core").

This module does not know what befalls a connection on its way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from .faults import Faults
from .pipe import Pipe
from .process import Process


class CarriedWire(Protocol):
    """A `ClientWire`, a `ServerWire`, or its successor."""

    @property
    def closing(self) -> bool: ...

    @property
    def closed(self) -> bool: ...

    @property
    def paused(self) -> bool: ...

    def receive_data(self, data: bytes, now: float) -> None:
        """Take bytes of the peer; `b""` is its end."""
        ...

    def data_to_send(self) -> list[bytes]:
        """Give the bytes that the peer is to have, once."""
        ...

    def lost(self) -> None:
        """There is no connection any more."""
        ...


class End:
    """One side of a connection: it does what a backend does with a socket."""

    def __init__(
        self,
        process: Process,
        wire: CarriedWire,
        number: int,
        incoming: Pipe,
        outgoing: Pipe,
        faults: Callable[[], Faults],
        written: Callable[[bytes], None],
    ) -> None:
        self.process = process
        self.wire: CarriedWire = wire
        self.number = number
        """Of the connection."""
        self.over: bool = False
        self.connected = False
        self.peer: End | None = None
        """The other side, once there is one."""
        self.incoming = incoming
        self.outgoing = outgoing
        self._at_end = False
        self._faults = faults
        self._written = written
        incoming.target = outgoing.source = self
        process.ends[self] = None

    def __str__(self) -> str:
        return f"{self.process.name}#{self.number}"

    @property
    def paused(self) -> bool:
        """Whether its wire is not to be read from."""
        return self.wire.paused

    @property
    def resumes_at(self) -> float:
        """Until when its process stands still."""
        return self.process.resumes_at

    def wake(self) -> None:
        """As the wire's `wake`."""
        if not self.over:
            self.process.wake(self)

    def receive(self, data: bytes) -> None:
        """Bytes have arrived."""
        self.wire.receive_data(data, self.process.world.clock.now)
        self.process.deliver()
        self.flush()

    def flush(self) -> None:
        """Write what the wire has, or do what else it asks for."""
        if self.over or self.process.frozen:
            return
        if self.wire.closed:
            self.close()
            return
        if not self.connected:
            return
        empty = False
        while self.outgoing.room and not empty:
            data = b"".join(self.wire.data_to_send())
            successor = getattr(self.wire, "successor", None)
            if successor is not None:
                self.wire = successor
            empty = not data
            if data:
                self.outgoing.write(data)
                self._written(data)
        if self.wire.closed or (empty and (self._at_end or getattr(self.wire, "complete", False))):
            self.close()
            return
        if empty and self.wire.closing:
            self.outgoing.finish()
        if not self.wire.paused:
            self.incoming.go_on()
        self.process.touch()

    def end(self) -> None:
        """The other side sends nothing more: what is to be sent goes out, and we close too."""
        self._at_end = True
        self.flush()

    def close(self) -> None:
        """Close, as one's own wire asks for; what was written still arrives, or is reset."""
        if self.over:
            return
        world = self.process.world
        peer = self.peer
        unread = len(self.incoming) > 0
        self.forget("closes")
        if unread and world.random.random() < self._faults().reset:
            self.outgoing.drop()
            if peer is not None and not peer.over:
                world.clock.after(0.0, lambda: peer.lose("reset"))
        else:
            self.outgoing.finish()

    def lose(self, why: str) -> None:
        """The connection is gone, and this side is told."""
        if self.over:
            return
        if self.process.frozen:
            self.process.world.clock.at(self.process.resumes_at, lambda: self.lose(why))
            return
        self.forget(why)

    def forget(self, why: str) -> None:
        """It is over for this side."""
        self.over = True
        self.process.ends.pop(self, None)
        self.process.world.note(f"{self} {why}")
        self.wire.lost()
        self.process.deliver()


class Waker:
    """The `wake` of a server's wire, which is asked for before there is an end to wake."""

    def __init__(self) -> None:
        self.end: End | None = None

    def __call__(self) -> None:
        if self.end is not None:
            self.end.wake()
