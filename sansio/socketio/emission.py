"""What is said of one emission to one socket before it is made."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .acks import Pending
from .broadcast import Broadcast

if TYPE_CHECKING:
    from .socket import Socket


class Emission:
    """An emission to a socket with modifiers; each modifier makes a new one.

    Nothing is remembered in the socket, so what is awaited between a modifier and the
    emission cannot give the modifier to another one (rule 74).
    """

    __slots__ = ("_compress", "_seconds", "_socket", "_volatile")

    def __init__(
        self,
        socket: Socket,
        *,
        volatile: bool = False,
        seconds: float | None = None,
        compress: bool = True,
    ) -> None:
        self._socket = socket
        self._volatile = volatile
        self._seconds = seconds
        self._compress = compress

    @property
    def volatile(self) -> Emission:
        """Dropped when the client cannot take it now (rule 72)."""
        return Emission(self._socket, volatile=True, seconds=self._seconds, compress=self._compress)

    def timeout(self, seconds: float) -> Emission:
        """The acknowledgement must come within `seconds`."""
        return Emission(
            self._socket, volatile=self._volatile, seconds=seconds, compress=self._compress
        )

    def compress(self, compress: bool) -> Emission:
        """With False not compressed, even where the transport could do so."""
        return Emission(
            self._socket, volatile=self._volatile, seconds=self._seconds, compress=compress
        )

    @property
    def broadcast(self) -> Broadcast:
        """The same to everyone in the namespace but this socket."""
        broadcast = self._socket.broadcast.compress(self._compress)
        if self._volatile:
            broadcast = broadcast.volatile
        return broadcast if self._seconds is None else broadcast.timeout(self._seconds)

    def to(self, *rooms: str) -> Broadcast:
        """The same to everyone in any of the rooms but this socket."""
        return self.broadcast.to(*rooms)

    in_ = to

    def except_(self, *rooms: str) -> Broadcast:
        """The same to everyone but those in the rooms, and this socket."""
        return self.broadcast.except_(*rooms)

    def emit(self, event: str, *args: Any, ack: Callable[..., None] | None = None) -> None:
        """Send an event; raises what `Socket.emit` raises.

        `ack` is called with None and what the client acknowledged, or with an AckTimeout
        or Disconnected alone; what it raises is reported as from a handler.
        """
        pending = None
        if ack is not None:
            callback = ack

            def call(error: Exception | None, *values: Any) -> None:
                self._socket.namespace.call_back(self._socket, event, callback, error, *values)

            pending = Pending(lambda values: call(None, *values), call)
        self._socket.emit_packet(
            event,
            args,
            pending,
            volatile=self._volatile,
            timeout=self._seconds,
            compress=self._compress,
        )

    def send(self, *args: Any) -> None:
        """Send the event `message`."""
        self.emit("message", *args)

    async def emit_with_ack(self, event: str, *args: Any) -> Any:
        """Send an event and wait for what the client acknowledges: see `Socket.call`."""
        return await self._socket.answer(
            event, args, self._seconds, volatile=self._volatile, compress=self._compress
        )
