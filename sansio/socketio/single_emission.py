"""What is said of one emission to one peer before it is made, by a server or a client.

This module does not know whose socket it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Protocol, Self, TypeVar

from .acks import Pending, Values


class Emitter(Protocol):
    """A socket that an emission is made on."""

    def emit_packet(
        self,
        event: str,
        args: Values,
        pending: Pending | None = None,
        *,
        volatile: bool = False,
        timeout: float | None = None,
        compress: bool = True,
    ) -> int | None:
        """Send an event; returns the number of the acknowledgement that is awaited."""
        ...

    async def answer(
        self,
        event: str,
        args: Values,
        timeout: float | None,
        *,
        volatile: bool = False,
        compress: bool = True,
    ) -> Any:
        """Send an event and wait for its acknowledgement."""


S = TypeVar("S", bound=Emitter)


class SingleEmission(Generic[S]):
    """An emission on a socket with modifiers; each modifier makes a new one.

    Nothing is remembered in the socket, so what is awaited between a modifier and the
    emission cannot give the modifier to another one (rule 74).
    """

    __slots__ = ("_compress", "_seconds", "_socket", "_volatile")

    def __init__(
        self,
        socket: S,
        *,
        volatile: bool = False,
        seconds: float | None = None,
        compress: bool = True,
    ) -> None:
        self._socket = socket
        self._volatile = volatile
        self._seconds = seconds
        self._compress = compress

    def _call_back(self, event: str, callback: Callable[..., None], *args: Any) -> None:
        """Call what the application gave; raises no Exception."""
        raise NotImplementedError

    @property
    def volatile(self) -> Self:
        """Dropped when the peer cannot take it now (rule 72)."""
        return type(self)(
            self._socket, volatile=True, seconds=self._seconds, compress=self._compress
        )

    def timeout(self, seconds: float) -> Self:
        """The acknowledgement must come within `seconds`."""
        return type(self)(
            self._socket, volatile=self._volatile, seconds=seconds, compress=self._compress
        )

    def compress(self, compress: bool) -> Self:
        """With False not compressed, even where the transport could do so."""
        return type(self)(
            self._socket, volatile=self._volatile, seconds=self._seconds, compress=compress
        )

    def emit(self, event: str, *args: Any, ack: Callable[..., None] | None = None) -> None:
        """Send an event; raises what the socket's `emit` raises.

        `ack` is called with None and what the peer acknowledged, or with an AckTimeout,
        Disconnected or NotSent alone; what it raises is reported as from a handler.
        """
        pending = None
        if ack is not None:
            callback = ack

            def call(error: Exception | None, *values: Any) -> None:
                self._call_back(event, callback, error, *values)

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
        """Send an event and wait for what the peer acknowledges: see the socket's `call`.

        In time, or it raises what `call` raises: TimeoutError on asyncio, trio.TooSlowError on
        Trio. (For a broadcast, which has answers that came, that is AckTimeout on both.) Raises
        NotSent at once where a volatile event was dropped.
        """
        return await self._socket.answer(
            event, args, self._seconds, volatile=self._volatile, compress=self._compress
        )
