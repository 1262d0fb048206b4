"""What is said of a broadcast before it is made: to whom, and how."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..errors import LocalProtocolError
from ..runtime import Resolve
from .acks import Collection, Pending

if TYPE_CHECKING:
    from .namespace import Namespace
    from .socket import Socket


class Broadcast:
    """Sockets of a namespace, chosen by their rooms; each modifier makes a new one (rule 74).

    A socket is in a room of its own id, so ids may stand where rooms do (rule 77).
    """

    __slots__ = ("_but", "_namespace", "_rooms", "_seconds", "_volatile")

    def __init__(
        self,
        namespace: Namespace,
        *,
        rooms: frozenset[str] = frozenset(),
        but: frozenset[str] = frozenset(),
        volatile: bool = False,
        seconds: float | None = None,
    ) -> None:
        self._namespace = namespace
        self._rooms = rooms
        self._but = but
        self._volatile = volatile
        self._seconds = seconds

    def _with(
        self,
        *,
        rooms: frozenset[str] = frozenset(),
        but: frozenset[str] = frozenset(),
        volatile: bool = False,
        seconds: float | None = None,
    ) -> Broadcast:
        return Broadcast(
            self._namespace,
            rooms=self._rooms | rooms,
            but=self._but | but,
            volatile=self._volatile or volatile,
            seconds=self._seconds if seconds is None else seconds,
        )

    def to(self, *rooms: str) -> Broadcast:
        """Those in any of these rooms too, each once; a room without members reaches nobody."""
        return self._with(rooms=frozenset(rooms))

    in_ = to

    def except_(self, *rooms: str) -> Broadcast:
        """Not those in any of these rooms."""
        return self._with(but=frozenset(rooms))

    @property
    def local(self) -> Broadcast:
        """Only those on this server; there is no other server yet, so these are all."""
        return self._with()

    @property
    def volatile(self) -> Broadcast:
        """Not to those who cannot take it now (rule 72)."""
        return self._with(volatile=True)

    def timeout(self, seconds: float) -> Broadcast:
        """The acknowledgements must come within `seconds`."""
        return self._with(seconds=seconds)

    def recipients(self) -> list[Socket]:
        """Those whom it reaches now."""
        return self._namespace.targets(self._rooms, self._but)

    def emit(
        self,
        event: str,
        *args: Any,
        ack: Callable[[Exception | None, list[Any]], None] | None = None,
    ) -> None:
        """Send an event to all of them, encoded once.

        `ack` is called once with None and the answers when every recipient has answered
        or gone, or with an AckTimeout and the answers that came within the timeout.
        Raises LocalProtocolError for a reserved event name, or arguments that no packet
        can carry.
        """
        if ack is None:
            encoded = self._namespace.encode_event(event, args, None)
            for socket in self.recipients():
                socket.deliver(encoded, self._volatile)
            return
        called = ack

        def done(result: list[Any] | Exception) -> None:
            if isinstance(result, Exception):
                called(result, getattr(result, "responses", []))
            else:
                called(None, result)

        self._collect(event, args, done)

    def send(self, *args: Any) -> None:
        """Send the event `message` to all of them."""
        self.emit("message", *args)

    async def emit_with_ack(self, event: str, *args: Any) -> list[Any]:
        """Send an event to all of them and wait for their answers, in the order they come.

        Raises AckTimeout, whose `responses` are the answers that came within the timeout,
        and what `emit` raises. Without a timeout it waits for everyone; who disconnects is
        waited for no more. Cancelled, it forgets the acknowledgements.
        """

        def start(resolve: Resolve[list[Any]]) -> Callable[[], None]:
            return self._collect(event, args, resolve)

        return await self._namespace.runtime.wait(start, None)

    async def fetch_sockets(self) -> list[Socket]:
        """Those whom it reaches now; does not wait while there is one server only."""
        return self.recipients()

    def sockets_join(self, *rooms: str) -> None:
        """Make all of them enter these rooms; raises what `Socket.join` raises."""
        for socket in self.recipients():
            for room in rooms:
                socket.join(room)

    def sockets_leave(self, *rooms: str) -> None:
        """Make all of them leave these rooms."""
        for socket in self.recipients():
            for room in rooms:
                socket.leave(room)

    def disconnect_sockets(self, close: bool = False) -> None:
        """Disconnect all of them, or with `close` their whole connections."""
        for socket in self.recipients():
            socket.disconnect(close)

    def _collect(
        self, event: str, args: tuple[Any, ...], done: Callable[[list[Any] | Exception], None]
    ) -> Callable[[], None]:
        """Send, and call `done` with the answers; what is returned forgets them (rule 78)."""
        namespace = self._namespace
        number = namespace.next_ack()
        encoded = namespace.encode_event(event, args, number)
        sockets = self.recipients()
        collection = Collection(len(sockets), done)

        def forget() -> None:
            collection.cancel()
            for socket in sockets:
                socket.unexpect(number)

        pending = Pending(collection.answered, collection.failed)
        try:
            for socket in sockets:
                socket.expect(number, pending)
        except LocalProtocolError:
            forget()
            raise
        if self._seconds is not None:
            collection.timer = namespace.after(self._seconds, collection.expire)
        for socket in sockets:
            socket.deliver(encoded, self._volatile)
        collection.settle()
        return forget
