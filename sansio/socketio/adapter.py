"""Where a namespace's rooms are kept, and how a broadcast reaches those who are in them.

This one knows one server. The adapter of a cluster derives from it, and adds what the other
servers have to hear; what crosses between servers is in these methods, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
        self._observers = Observers(ROOM_EVENTS, namespace.runtime.log, namespace.portions)

    def _registered(self) -> Observers:
        return self._observers

    # Rooms

    def enter(self, socket: Socket, room: str) -> None:
        """Put a socket of this server into a room."""
        if self._observers.functions:
            self.enter_all([socket], frozenset({room}))
        else:
            self._rooms.join(socket, room)

    def enter_all(self, sockets: Sequence[Socket], rooms: frozenset[str]) -> None:
        """Put sockets of this server into rooms, each into all."""
        told: list[tuple[str, ...]] = []
        if self._observers.functions:
            for room in rooms:
                if not self._rooms.exists(room):
                    told.append(("create_room", room))
                told += [
                    ("join_room", room, socket.id)
                    for socket in sockets
                    if not self._rooms.has(room, socket)
                ]
        self._rooms.join_all(sockets, rooms)
        self._tell(told)

    def leave(self, socket: Socket, room: str) -> None:
        """Take a socket of this server out of a room."""
        if self._observers.functions:
            self.leave_all([socket], frozenset({room}))
        else:
            self._rooms.leave(socket, room)

    def leave_all(self, sockets: Sequence[Socket], rooms: frozenset[str]) -> None:
        """Take sockets of this server out of rooms, each out of all."""
        told: list[tuple[str, ...]] = []
        if self._observers.functions:
            for room in rooms:
                told += [
                    ("leave_room", room, socket.id)
                    for socket in sockets
                    if self._rooms.has(room, socket)
                ]
        rooms = frozenset(filter(self._rooms.exists, rooms))
        self._rooms.leave_all(sockets, rooms)
        self._tell_left(told, rooms)

    def forget(self, socket: Socket) -> None:
        """A socket of this server is gone."""
        if not self._observers.functions:
            self._rooms.forget(socket)
            return
        rooms = self._rooms.of(socket)
        self._rooms.forget(socket)
        self._tell_left([("leave_room", room, socket.id) for room in rooms], rooms)

    def rooms_of(self, socket: Socket) -> frozenset[str]:
        """The rooms that a socket of this server is in."""
        return self._rooms.of(socket)

    def count_of(self, socket: Socket) -> int:
        """In how many rooms it is."""
        return self._rooms.count(socket)

    def most_rooms(self, sockets: Sequence[Socket]) -> int:
        """In how many rooms that one of them is which is in most."""
        return max(map(self._rooms.count, sockets), default=0)

    def rooms(self) -> frozenset[str]:
        """Every room that has a member on this server."""
        return self._rooms.names()

    def _tell_left(self, told: list[tuple[str, ...]], rooms: frozenset[str]) -> None:
        if self._observers.functions:
            told += [("delete_room", room) for room in rooms if not self._rooms.exists(room)]
        self._tell(told)

    def _tell(self, told: list[tuple[str, ...]]) -> None:
        """Tell of these, in portions where they are many, and in their order."""
        if told:
            self._observers.in_turn(self._tell_portion, told)

    def _tell_portion(self, told: Sequence[tuple[str, ...]]) -> None:
        for event, *args in told:
            self._observers.tell(event, *args)

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
        """Make them enter rooms; raises what `Socket.join` raises, before anybody has."""
        self.namespace.join_all(self.recipients(selection), rooms)

    def sockets_leave(self, selection: Selection, rooms: frozenset[str]) -> None:
        """Make them leave rooms."""
        self.leave_all(self.recipients(selection), rooms)

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
