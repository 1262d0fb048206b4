"""What is said of a broadcast before it is made: to whom, and how."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from ..runtime import Resolve
from .adapter import Selection

if TYPE_CHECKING:
    from .namespace import Namespace
    from .socket import Socket


class Broadcast:
    """Sockets of a namespace, chosen by their rooms; each modifier makes a new one (rule 74).

    A socket is in a room of its own id, so ids may stand where rooms do (rule 77).
    """

    __slots__ = ("_namespace", "_selection")

    def __init__(self, namespace: Namespace, selection: Selection) -> None:
        self._namespace = namespace
        self._selection = selection

    def _with(self, **changes: Any) -> Broadcast:
        return Broadcast(self._namespace, msgspec.structs.replace(self._selection, **changes))

    def to(self, *rooms: str) -> Broadcast:
        """Those in any of these rooms too, each once; a room without members reaches nobody.

        Nor does a list of rooms that is empty: `to(*rooms)` is never everyone (rule 77).
        Raises TypeError for what is no name of a room.
        """
        return self._with(rooms=(self._selection.rooms or frozenset()) | names(rooms))

    in_ = to

    def except_(self, *rooms: str) -> Broadcast:
        """Not those in any of these rooms; raises what `to` raises."""
        return self._with(but=self._selection.but | names(rooms))

    @property
    def local(self) -> Broadcast:
        """Only those on this server."""
        return self._with(local=True)

    @property
    def volatile(self) -> Broadcast:
        """Not to those who cannot take it now (rule 72)."""
        return self._with(volatile=True)

    def compress(self, compress: bool) -> Broadcast:
        """With False not compressed, even where a transport could do so."""
        return self._with(compress=compress)

    def timeout(self, seconds: float) -> Broadcast:
        """The acknowledgements must come within `seconds`."""
        return self._with(seconds=seconds)

    def emit(
        self,
        event: str,
        *args: Any,
        ack: Callable[[Exception | None, list[Any]], None] | None = None,
    ) -> None:
        """Send an event to all of them, encoded once.

        `ack` is called once with None and the answers when every recipient has answered
        or gone, or with an AckTimeout and the answers that came within the timeout; what
        it raises goes to the log. A volatile event waits for those alone to whom it was sent.
        Raises LocalProtocolError for a reserved event name, or
        arguments that no packet can carry.
        """
        adapter = self._namespace.adapter
        if ack is None:
            adapter.emit(self._selection, event, args)
            return
        callback = ack

        def done(result: list[Any] | Exception) -> None:
            if isinstance(result, Exception):
                answers: list[Any] = getattr(result, "responses", [])
                self._namespace.call_back(None, event, callback, result, answers)
            else:
                self._namespace.call_back(None, event, callback, None, result)

        adapter.collect(self._selection, event, args, done)

    def send(self, *args: Any) -> None:
        """Send the event `message` to all of them."""
        self.emit("message", *args)

    async def emit_with_ack(self, event: str, *args: Any) -> list[Any]:
        """Send an event to all of them and wait for their answers, in the order they come.

        Raises AckTimeout, whose `responses` are the answers that came within the timeout (it
        is a TimeoutError on every loop, also on Trio, where `call` has another one), and what
        `emit` raises. Without a timeout, and without the server's `ack_timeout`, it waits for
        everyone; who disconnects is waited for
        no more, nor whoever a volatile event was not sent to. Cancelled, it forgets the
        acknowledgements.
        """

        selection = self._selection
        if selection.seconds is None:
            selection = msgspec.structs.replace(selection, seconds=self._namespace.ack_timeout)

        def start(resolve: Resolve[list[Any]]) -> Callable[[], None]:
            return self._namespace.adapter.collect(selection, event, args, resolve)

        return await self._namespace.runtime.wait(start, None)

    async def fetch_sockets(self) -> list[Socket]:
        """Those whom it reaches now; does not wait while there is one server only."""
        return await self._namespace.adapter.fetch_sockets(self._selection)

    def sockets_join(self, *rooms: str) -> None:
        """Make all of them enter these rooms; raises what `Socket.join` raises."""
        self._namespace.adapter.sockets_join(self._selection, names(rooms))

    def sockets_leave(self, *rooms: str) -> None:
        """Make all of them leave these rooms."""
        self._namespace.adapter.sockets_leave(self._selection, names(rooms))

    def disconnect_sockets(self, close: bool = False) -> None:
        """Disconnect all of them, or with `close` their whole connections."""
        self._namespace.adapter.disconnect_sockets(self._selection, close)


def names(rooms: tuple[str, ...]) -> frozenset[str]:
    """The rooms; raises TypeError for a name that is none, or a list of them given as one."""
    for room in rooms:
        if not isinstance(room, str):
            raise TypeError(f"expected the name of a room, got {room!r}")
    return frozenset(rooms)
