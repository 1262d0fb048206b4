"""The chat of `sansocket serve`: rooms, names, messages, typing notices, presence.

It is also the example to begin with. Everything that a Socket.IO application needs is here:
handlers with and without an acknowledgement, rooms, a broadcast to all but the sender, a volatile
event, and requests from strangers that are checked before they are believed. The page in chat/
is the other end.

A request is acknowledged with `{"ok": True, ...}` or `{"ok": False, "error": "..."}`.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from typing import Final, TypedDict

from sansocket.trio_backend import Server, Socket

MAX_LABEL: Final = 24  # characters in the name of a person or of a room
MAX_TEXT: Final = 2_000  # characters in a message
MAX_KEY: Final = 64  # characters in the key of a message or of a page
MAX_HISTORY: Final = 50  # messages that a room remembers
MAX_ROOMS: Final = 100
MAX_PEOPLE: Final = 100  # in one room


class Refused(Exception):
    """A request that is not granted; the text is for the person who made it."""


class Message(TypedDict):
    """What was said: `key` is chosen by the sender's page, `time` is in milliseconds."""

    key: str
    name: str
    text: str
    time: int


@dataclass
class Room:
    """A room of the chat: who is in it, by socket id, and what was said there last."""

    name: str
    people: dict[str, str] = field(default_factory=dict[str, str])
    history: deque[Message] = field(default_factory=lambda: deque[Message](maxlen=MAX_HISTORY))

    @property
    def channel(self) -> str:
        """The Socket.IO room; the prefix keeps people out of the rooms named after a socket."""
        return f"room:{self.name}"

    def free_name(self, wish: str) -> str:
        """Return the name wished for, with a number behind it if somebody here has it."""
        taken = {name.casefold() for name in self.people.values()}
        names = (f"{wish} {number}" if number > 1 else wish for number in range(1, MAX_PEOPLE + 2))
        return next(name for name in names if name.casefold() not in taken)


def label(text: str) -> str:
    """Return the name of a person or a room as it is shown, or refuse it."""
    name = " ".join(text.split())
    if not name.isprintable() or not 1 <= len(name) <= MAX_LABEL:
        raise Refused(f"A name has 1 to {MAX_LABEL} visible characters.")
    return name


def answers(handler: Callable[..., dict[str, object]]) -> Callable[..., dict[str, object]]:
    """Turn what a handler returns or refuses into the acknowledgement."""

    @wraps(handler)
    def answer(socket: Socket, *args: object) -> dict[str, object]:
        try:
            return {"ok": True, **handler(socket, *args)}
        except Refused as refused:
            return {"ok": False, "error": str(refused)}

    return answer


def add_chat(io: Server) -> None:
    """Register the chat's handlers with a server."""
    lobby = Room("lobby")
    rooms = {lobby.name: lobby}
    seats: dict[str, Room] = {}  # the room that somebody is in, by socket id
    pages: dict[str, Socket] = {}  # the socket of each open page, by the page's secret

    def room_list() -> list[dict[str, object]]:
        shown = (room for room in rooms.values() if room.people or room is lobby)
        return [{"name": room.name, "people": len(room.people)} for room in shown]

    def room_of(socket: Socket) -> Room:
        if socket.id not in seats:
            raise Refused("Join a room first.")
        return seats[socket.id]

    def open_room(name: str) -> Room:
        if name not in rooms and len(rooms) >= MAX_ROOMS:
            empty = (room for room in rooms.values() if not room.people and room is not lobby)
            if (forgotten := next(empty, None)) is None:
                raise Refused("There are too many rooms already.")
            del rooms[forgotten.name]
        return rooms.setdefault(name, Room(name))

    def leave(socket: Socket) -> None:
        if (room := seats.pop(socket.id, None)) is None:
            return
        name = room.people.pop(socket.id)
        socket.leave(room.channel)
        io.to(room.channel).emit("left", name)
        io.emit("rooms", room_list())

    @io.on("connect")
    def connected(socket: Socket) -> None:
        match socket.handshake.auth:
            case {"page": str(page)} if 1 <= len(page) <= MAX_KEY:
                # A page whose network went away is back before the server missed it.
                if (ghost := pages.get(page)) is not None:
                    ghost.disconnect(close=True)
                pages[page] = socket
                socket.data["page"] = page
            case _:
                pass  # somebody who talks to the chat without the page
        socket.emit("rooms", room_list())

    @io.on("disconnect")
    def disconnected(socket: Socket, reason: str) -> None:
        leave(socket)
        if pages.get(page := socket.data.get("page", "")) is socket:
            del pages[page]

    @io.on("join")
    @answers
    def join(socket: Socket, *args: object) -> dict[str, object]:
        match args:
            case ({"name": str(wish), "room": str(place)},):
                wish, place = label(wish), label(place).lower()
            case _:
                raise Refused("join takes an object with name and room, two strings.")
        room = open_room(place)
        if len(room.people) >= MAX_PEOPLE and room is not seats.get(socket.id):
            raise Refused("The room is full.")
        leave(socket)
        name = room.free_name(wish)
        room.people[socket.id] = name
        seats[socket.id] = room
        socket.join(room.channel)
        socket.to(room.channel).emit("joined", name)
        io.emit("rooms", room_list())
        people, history = list(room.people.values()), list(room.history)
        return {"name": name, "room": room.name, "people": people, "history": history}

    @io.on("message")
    @answers
    def message(socket: Socket, *args: object) -> dict[str, object]:
        match args:
            case ({"key": str(key), "text": str(text)},) if 1 <= len(key) <= MAX_KEY:
                text = text.strip()
            case _:
                raise Refused("message takes an object with key and text, two strings.")
        if not 1 <= len(text) <= MAX_TEXT:
            raise Refused(f"A message has 1 to {MAX_TEXT} characters.")
        room = room_of(socket)
        for said in room.history:
            if said["key"] == key:  # sent again: only its acknowledgement was lost
                return {"message": said}
        said = Message(
            key=key, name=room.people[socket.id], text=text, time=round(time.time() * 1000)
        )
        room.history.append(said)
        socket.to(room.channel).emit("message", said)
        return {"message": said}

    @io.on("typing")
    @answers
    def typing(socket: Socket, *args: object) -> dict[str, object]:
        match args:
            case (bool(active),):
                room = room_of(socket)
            case _:
                raise Refused("typing takes true or false.")
        # Volatile: who cannot receive it now does not need it later.
        name = room.people[socket.id]
        socket.to(room.channel).volatile.emit("typing", name, active)
        return {}
