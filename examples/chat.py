"""A chat with rooms, for a server of either backend: see chat_trio.py and chat_asyncio.py.

    const socket = io("http://127.0.0.1:3000", { auth: { name: "Ada" } });
    socket.on("message", (room, name, text) => console.log(`${name} in ${room}: ${text}`));
    await socket.emitWithAck("join", "lobby");             // { ok: true, value: ["Ada"] }
    await socket.emitWithAck("message", "lobby", "hi");    // { ok: true, value: null }

The server sends `message` as above, and `joined` and `left` with a room and a name. Whoever
loses the connection has left. The client connects again by itself; on "connect" it joins again.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Annotated, Final

import msgspec
from checked import Refused, checked

from sansocket.sansio.errors import ConnectionRefused
from sansocket.sansio.socketio.namespace import Namespace
from sansocket.sansio.socketio.socket import Socket

MAX_ROOMS: Final = 10  # that one person may be in
PREFIX: Final = "room:"  # a socket is in a room named after itself, too

Label = Annotated[str, msgspec.Meta(pattern=r"\A\w(?:[\w .'-]{0,22}\w)?\Z")]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=2_000)]


class Introduction(msgspec.Struct):
    """What a client gives as `auth`."""

    name: Label


def add_chat(io: Namespace) -> None:
    """Register the chat with a server, or with one of its namespaces."""
    people: defaultdict[str, dict[str, str]] = defaultdict(dict)  # by room and socket id: the name

    @io.use
    def introduce(socket: Socket, auth: dict[str, object]) -> None:
        try:
            socket.data["name"] = msgspec.convert(auth, Introduction).name
        except msgspec.ValidationError as error:
            raise ConnectionRefused(str(error)) from error

    def rooms_of(socket: Socket) -> list[str]:
        return [room.removeprefix(PREFIX) for room in socket.rooms if room.startswith(PREFIX)]

    def remove(socket: Socket, room: str) -> None:
        name = people[room].pop(socket.id)
        if not people[room]:
            del people[room]
        socket.leave(PREFIX + room)
        io.to(PREFIX + room).emit("left", room, name)

    @io.on("join")
    @checked
    def join(socket: Socket, room: Label) -> list[str]:
        joined = rooms_of(socket)
        if room not in joined:
            if len(joined) >= MAX_ROOMS:
                raise Refused("Leave another room first")
            people[room][socket.id] = socket.data["name"]
            socket.join(PREFIX + room)
            socket.to(PREFIX + room).emit("joined", room, socket.data["name"])
        return list(people[room].values())

    @io.on("message")
    @checked
    def message(socket: Socket, room: Label, text: Text) -> None:
        if room not in rooms_of(socket):
            raise Refused("Join the room first")
        socket.to(PREFIX + room).emit("message", room, socket.data["name"], text)

    @io.on("leave")
    @checked
    def leave(socket: Socket, room: Label) -> None:
        if room in rooms_of(socket):
            remove(socket, room)

    @io.on("disconnect")
    def gone(socket: Socket, reason: str) -> None:
        for room in rooms_of(socket):
            remove(socket, room)
