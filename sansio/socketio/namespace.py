"""A namespace: its sockets, its rooms, its handlers and its middleware."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, TypeVar, overload

from ..engineio.encoded import Encoded, encode_message
from ..errors import LocalProtocolError
from ..handlers import Function, Handler, Handlers
from ..mailbox import Mailbox
from ..runtime import Runtime
from ..timers import Action, Timer
from .acks import Ack
from .broadcast import Broadcast
from .events import Event
from .packet import RESERVED, Packet, Type
from .rooms import Rooms
from .socket import Socket, State

if TYPE_CHECKING:
    from .dispatch import Dispatch
    from .server import Server

F = TypeVar("F", bound=Function)

LIFECYCLE: Final = {"connect": 1, "disconnecting": 2, "disconnect": 2}
"""Names that no client can send (rule 92), and how many arguments their handlers take."""


class Namespace(Broadcast):
    """The sockets that have joined one name; as a broadcast, it reaches them all.

    What it emits is lost on those who connect later.
    """

    __slots__ = (
        "_ack_numbers",
        "_dispatch",
        "_server",
        "_sockets",
        "handlers",
        "middleware",
        "name",
        "rooms",
        "runtime",
    )

    def __init__(self, server: Server, name: str, runtime: Runtime, dispatch: Dispatch) -> None:
        super().__init__(self)
        self.name = name
        self.rooms: Rooms[Socket] = Rooms()
        self.handlers = Handlers(special=Ack)
        self.middleware: list[Handler] = []
        self.runtime = runtime
        self._dispatch = dispatch
        self._server = server
        self._sockets: dict[str, Socket] = {}
        self._ack_numbers = 0

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name} with {len(self._sockets)} sockets>"

    # For the application

    @property
    def sockets(self) -> Mapping[str, Socket]:
        """The connected sockets, by their ids; it changes as they come and go."""
        return MappingProxyType(self._sockets)

    @overload
    def on(self, event: str) -> Callable[[F], F]: ...
    @overload
    def on(self, event: str, handler: F) -> F: ...
    def on(self, event: str, handler: F | None = None) -> F | Callable[[F], F]:
        """Register a handler, as a decorator or with the handler as second argument.

        `connect` gets the socket, `disconnecting` and `disconnect` the socket and the
        reason, all others the socket and the arguments of the event. What a handler
        returns acknowledges the event, where the client asks: a tuple for several
        values, None for none. Raises ValueError for an event that cannot happen, and
        TypeError for what cannot be called so.
        """
        if event in RESERVED - LIFECYCLE.keys():
            raise ValueError(f"{event!r} is a reserved name, and never happens on a server")

        def register(function: F) -> F:
            if event in LIFECYCLE and not Handler(function).takes(LIFECYCLE[event]):
                raise TypeError(f"{event}: {function!r} takes other arguments")
            self.handlers.add(event, function)
            return function

        return register if handler is None else register(handler)

    def use(self, function: F) -> F:
        """Register a middleware: called with the socket and `auth` before it is connected.

        In the order of registration; one that raises ConnectionRefused turns the client
        away. Raises TypeError for what cannot be called so.
        """
        middleware = Handler(function)
        if not middleware.takes(2):
            raise TypeError(f"{function!r}: a middleware takes a socket and auth")
        self.middleware.append(middleware)
        return function

    @property
    def middleware_waits(self) -> bool:
        """Whether any middleware is a coroutine function."""
        return any(middleware.is_async for middleware in self.middleware)

    # For its sockets and its broadcasts

    def targets(self, rooms: frozenset[str], but: frozenset[str]) -> list[Socket]:
        """The sockets in any of the rooms (or all, for no rooms), without those in `but`."""
        chosen = self.rooms.members(rooms) if rooms else self._sockets.values()
        if not but:
            return list(chosen)
        excluded = self.rooms.members(but)
        return [socket for socket in chosen if socket not in excluded]

    def enter(self, socket: Socket) -> None:
        """It is connected: in the namespace, and in a room of its own."""
        self._sockets[socket.id] = socket
        self.rooms.join(socket, socket.id)

    def forget(self, socket: Socket) -> None:
        """It is gone; no effect on one that never entered."""
        self._sockets.pop(socket.id, None)
        self.rooms.forget(socket)

    def join(self, socket: Socket, room: str) -> None:
        """Put a socket into a room: see `Socket.join`."""
        if socket.state is State.CONNECTING:
            raise LocalProtocolError("a socket joins rooms once it is accepted")
        if socket.connected:
            if room in self._sockets and room != socket.id:
                raise LocalProtocolError("the room of another socket cannot be joined")
            if self.rooms.count(socket) >= self._server.config.max_rooms:
                raise LocalProtocolError(
                    f"a socket may be in {self._server.config.max_rooms} rooms"
                )
            self.rooms.join(socket, room)

    def next_ack(self) -> int:
        """A number for an acknowledgement: one counter for all, from zero (rule 46)."""
        number = self._ack_numbers
        self._ack_numbers += 1
        return number

    def encode_event(self, event: str, args: tuple[Any, ...], number: int | None) -> Encoded:
        """An event for this namespace; raises LocalProtocolError for one that cannot be."""
        packet = Packet(Type.EVENT, self.name, [event, *args], number)
        return encode_message(self._server.parser.encode(packet))

    def mailbox(self, home: object) -> Mailbox[Event]:
        """The mailbox of a new socket."""
        return Mailbox(self._dispatch, self.runtime, home)

    def after(self, seconds: float, action: Action) -> Timer:
        """A deadline for an acknowledgement."""
        return self._server.engine.timers.after(seconds, action)
