"""Where a namespace's rooms are kept, and how a broadcast reaches those who are in them.

This one knows one server. The adapter of a cluster derives from it, and adds what the other
servers have to hear; what crosses between servers is in these methods, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import msgspec

from ..observable import Observable
from ..observers import Observers
from .packet import EVENT
from .question import Done, LocalQuestion, Question
from .rooms import Rooms

if TYPE_CHECKING:
    from .namespace import Namespace
    from .socket import Socket

ROOM_EVENTS: Final = {"create_room": 1, "delete_room": 1, "join_room": 2, "leave_room": 2}
"""What can be listened to on an adapter, and how many arguments it has."""


class Selection(msgspec.Struct, frozen=True):
    """Whom a broadcast is for, and how it is sent."""

    rooms: frozenset[str] | None = None
    """In any of these; None for everyone (rule 77)."""
    but: frozenset[str] = frozenset()
    """In none of these, and of none of these ids."""
    volatile: bool = False
    local: bool = False
    """Only on this server."""
    seconds: float | None = None
    """For how long acknowledgements are waited for."""
    compress: bool = True
    """Whether transports that can compress do so."""


class Adapter(Observable):
    """The rooms of one namespace, in memory, on one server.

    Its events are `create_room` and `delete_room` (the room), `join_room` and `leave_room` (the
    room and the id of the socket), for plain functions; what they raise is logged.
    """

    def __init__(self, namespace: Namespace) -> None:
        self.namespace = namespace
        self._rooms: Rooms[Socket] = Rooms()
        self._observers = Observers(ROOM_EVENTS, namespace.runtime.log)

    def _registered(self) -> Observers:
        return self._observers

    # Rooms

    def enter(self, socket: Socket, room: str) -> None:
        """Put a socket of this server into a room."""
        if self._observers.functions:
            if not self._rooms.members((room,)):
                self._observers.tell("create_room", room)
            if room not in self._rooms.of(socket):
                self._observers.tell("join_room", room, socket.id)
        self._rooms.join(socket, room)

    def leave(self, socket: Socket, room: str) -> None:
        """Take a socket of this server out of a room."""
        was_in = room in self._rooms.of(socket)
        self._rooms.leave(socket, room)
        if was_in and self._observers.functions:
            self._told_left(socket, room)

    def forget(self, socket: Socket) -> None:
        """A socket of this server is gone."""
        if not self._observers.functions:
            self._rooms.forget(socket)
            return
        rooms = self._rooms.of(socket)
        self._rooms.forget(socket)
        for room in rooms:
            self._told_left(socket, room)

    def rooms_of(self, socket: Socket) -> frozenset[str]:
        """The rooms that a socket of this server is in."""
        return self._rooms.of(socket)

    def count_of(self, socket: Socket) -> int:
        """In how many rooms it is."""
        return self._rooms.count(socket)

    def rooms(self) -> frozenset[str]:
        """Every room that has a member on this server."""
        return self._rooms.names()

    def _told_left(self, socket: Socket, room: str) -> None:
        self._observers.tell("leave_room", room, socket.id)
        if not self._rooms.members((room,)):
            self._observers.tell("delete_room", room)

    # Broadcasts

    def recipients(self, selection: Selection) -> list[Socket]:
        """The sockets of this server that are meant, each once."""
        sockets = self.namespace.sockets
        rooms = selection.rooms
        chosen = sockets.values() if rooms is None else self._rooms.members(rooms)
        if not selection.but:
            return list(chosen)
        excluded = self._rooms.members(selection.but)
        # Also those who have left the room of their own id.
        excluded.update(sockets[name] for name in selection.but if name in sockets)
        return [socket for socket in chosen if socket not in excluded]

    def emit(self, selection: Selection, event: str, args: tuple[Any, ...]) -> None:
        """Send an event to those who are meant, encoded once."""
        encoded = self.namespace.encode(EVENT, (event, *args))
        encoded.compress = selection.compress
        sockets = self.recipients(selection)
        self.namespace.send_to_all(sockets, encoded, event, args, volatile=selection.volatile)

    def collect(
        self, selection: Selection, event: str, args: tuple[Any, ...], done: Done
    ) -> Callable[[], None]:
        """Send an event, and call `done` once with the answers, or with an AckTimeout.

        What is returned forgets the acknowledgements (rule 78). Raises LocalProtocolError,
        with nothing sent, where a recipient owes too many already.
        """
        question = self.ask(selection, event, args, done)
        question.send()
        return question.forget

    def ask(self, selection: Selection, event: str, args: tuple[Any, ...], done: Done) -> Question:
        """Prepare what `collect` sends; raises LocalProtocolError where it cannot be."""
        return LocalQuestion(
            self.namespace, self.recipients(selection), selection, event, args, done
        )

    async def fetch_sockets(self, selection: Selection) -> list[Socket]:
        """Those who are meant; does not wait while there is one server only."""
        return self.recipients(selection)

    def sockets_join(self, selection: Selection, rooms: frozenset[str]) -> None:
        """Make them enter rooms; raises what `Socket.join` raises."""
        for socket in self.recipients(selection):
            for room in rooms:
                socket.join(room)

    def sockets_leave(self, selection: Selection, rooms: frozenset[str]) -> None:
        """Make them leave rooms."""
        for socket in self.recipients(selection):
            for room in rooms:
                socket.leave(room)

    def disconnect_sockets(self, selection: Selection, close: bool) -> None:
        """Disconnect them, or with `close` their whole connections."""
        for socket in self.recipients(selection):
            socket.disconnect(close)

    # Other servers

    async def server_count(self) -> int:
        """How many servers there are, this one among them."""
        return 1

    def server_side_emit(self, event: str, args: tuple[Any, ...]) -> None:
        """Tell the other servers; there are none."""

    async def server_side_emit_with_ack(
        self, event: str, args: tuple[Any, ...], seconds: float | None
    ) -> list[Any]:
        """Tell the other servers and wait for their answers; there are none, and so at once."""
        return []
