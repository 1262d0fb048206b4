"""The server that npm's client is tested against; run as a program, it prints its ports.

It offers what tests/interop/reference_server.mjs offers with npm's socket.io: both programs
must be changed together. Some handlers are coroutine functions and some are not, since a
server has to do with both.
"""

from __future__ import annotations

import json
from contextlib import suppress
from itertools import count
from typing import Any

import trio

from sansocket.trio_backend import (
    Ack,
    AckTimeout,
    ConnectionRefused,
    Disconnected,
    Namespace,
    Server,
    Socket,
)


def listed(answer: Any) -> list[Any]:
    """What `call` returns, as the list of values that the client acknowledged with."""
    if answer is None:
        return []
    return [*answer] if isinstance(answer, tuple) else [answer]


def report_disconnect(io: Namespace, socket: Socket, reason: str) -> None:
    """Tell those who watch the client, by the name that it gave itself."""
    name = socket.handshake.auth.get("name")
    if name:
        io.to(f"watching {name}").emit("gone", reason)


def serve_main_namespace(io: Server, nursery: trio.Nursery) -> None:
    """Register everything that `/` offers."""

    @io.use
    async def authenticate(socket: Socket, auth: dict[str, Any]) -> None:
        if auth.get("token") == "wrong":
            raise ConnectionRefused("not authorized", data={"code": 401})

    @io.use
    def authenticate_without_waiting(socket: Socket, auth: dict[str, Any]) -> None:
        if auth.get("token") == "unexplained":
            raise ConnectionRefused("go away")

    @io.on("connect")
    async def connected(socket: Socket) -> None:
        auth = socket.handshake.auth
        socket.emit("auth", auth)
        if "watch" in auth:
            socket.join(f"watching {auth['watch']}")
        if auth.get("unwelcome"):
            socket.disconnect(close=True)

    @io.on("disconnect")
    async def disconnected(socket: Socket, reason: str) -> None:
        report_disconnect(io, socket, reason)

    serve_messages(io)
    serve_acknowledgements(io)
    serve_questions(io)
    serve_rooms(io)
    serve_streams(io, nursery)


def serve_messages(io: Server) -> None:
    """Events that are answered by events."""

    @io.on("echo")
    @io.on("événement 🎉")
    def echo(socket: Socket, *args: object) -> None:
        socket.emit("echo back", *args)

    @io.on("message")
    async def message(socket: Socket, *args: object) -> None:
        socket.send(*args)

    @io.on("generate")
    async def generate(socket: Socket, kind: str, size: int) -> None:
        socket.emit("generated", b"\7" * size if kind == "binary" else "x" * size)

    @io.on("volatile")
    async def volatile(socket: Socket, value: object) -> None:
        socket.volatile.emit("volatile", value)

    @io.on("fail")
    async def fail(socket: Socket) -> None:
        raise RuntimeError("a handler that fails")

    @io.on("disconnect me")
    async def disconnect_me(socket: Socket, close: bool) -> None:
        socket.disconnect(close)


def serve_acknowledgements(io: Server) -> None:
    """Events that are answered by acknowledgements."""

    @io.on("acknowledge")
    async def acknowledge(socket: Socket, *args: object) -> tuple[object, ...]:
        return args

    @io.on("single")
    def single(socket: Socket, value: object) -> object:
        # What one None means, the documentation of the interface says.
        return (None,) if value is None else value

    @io.on("nothing")
    async def nothing(socket: Socket) -> None:
        return None

    @io.on("twice")
    async def twice(socket: Socket, value: object, ack: Ack) -> None:
        socket.emit("before")
        ack(value, "first")
        ack(value, "second")

    @io.on("transport")
    async def transport(socket: Socket) -> str:
        return socket.transport

    @io.on("handshake")
    async def handshake(socket: Socket) -> tuple[str | None, str | None, str]:
        query, headers = socket.handshake.query, socket.handshake.headers
        return query.get("lang"), headers.get("x-client"), socket.namespace.name


def serve_questions(io: Server) -> None:
    """Events that the client is to acknowledge."""

    @io.on("ask")
    async def ask(socket: Socket, event: str, *args: object) -> None:
        with suppress(Disconnected):
            socket.emit("answer", listed(await socket.call(event, *args, timeout=5)))

    @io.on("ask twice")
    async def ask_twice(socket: Socket) -> None:
        answers: dict[int, list[object]] = {}

        async def ask_once(number: int) -> None:
            answers[number] = listed(await socket.call("question", number, timeout=5))

        async with trio.open_nursery() as nursery:
            for number in (1, 2):
                nursery.start_soon(ask_once, number)
        socket.emit("answer", [answers[1], answers[2]])

    @io.on("ask in vain")
    async def ask_in_vain(socket: Socket) -> None:
        try:
            answer = listed(await socket.call("question", timeout=0.05))
        except trio.TooSlowError:
            answer = None
        socket.emit("answer", answer)

    @io.on("collect")
    async def collect(
        socket: Socket, room: str, milliseconds: float, event: str
    ) -> tuple[str, list[object]]:
        try:
            answers = await io.to(room).timeout(milliseconds / 1000).emit_with_ack(event)
        except AckTimeout as late:
            return "some", late.responses
        return "all", answers


def serve_rooms(io: Server) -> None:
    """Rooms, and broadcasts to them."""

    @io.on("join")
    async def join(socket: Socket, rooms: list[str]) -> None:
        for room in rooms:
            socket.join(room)

    @io.on("leave")
    async def leave(socket: Socket, room: str) -> None:
        socket.leave(room)

    @io.on("rooms")
    async def rooms(socket: Socket) -> list[str]:
        return sorted(set(socket.rooms) - {socket.id})

    @io.on("send to")
    async def send_to(
        socket: Socket, rooms: list[str], excepted: list[str], event: str, *args: object
    ) -> None:
        io.to(*rooms).except_(*excepted).emit(event, *args)

    @io.on("send to others in")
    async def send_to_others_in(
        socket: Socket, rooms: list[str], event: str, *args: object
    ) -> None:
        socket.broadcast.to(*rooms).emit(event, *args)

    @io.on("broadcast")
    async def broadcast(socket: Socket, event: str, *args: object) -> None:
        socket.broadcast.emit(event, *args)

    @io.on("send to all")
    async def send_to_all(socket: Socket, event: str, *args: object) -> None:
        io.emit(event, *args)


def serve_streams(io: Server, nursery: trio.Nursery) -> None:
    """Numbered events, both ways at once."""

    @io.on("number")
    async def number(socket: Socket, value: int, *padding: object) -> None:
        socket.data.setdefault("numbers", []).append(value)

    @io.on("numbers")
    async def numbers(socket: Socket) -> list[int]:
        received: list[int] = socket.data.get("numbers", [])
        return received

    async def push_numbers(socket: Socket) -> None:
        for value in count():
            if socket.data.get("enough") or not socket.connected:
                socket.emit("pushed in all", value)
                return
            socket.emit("pushed", value, "text" if value % 5 else b"\1\2\3")
            await trio.sleep(0.001)

    @io.on("push")
    async def push(socket: Socket) -> None:
        # Not in the handler itself: while that runs, the client's next events wait for it.
        nursery.start_soon(push_numbers, socket)

    @io.on("enough")
    async def enough(socket: Socket) -> None:
        socket.data["enough"] = True


def serve_other_namespaces(io: Server) -> None:
    """Register what `/chat`, `/news` and `/admin` offer."""
    admin = io.of("/admin")

    @admin.use
    async def authenticate(socket: Socket, auth: dict[str, Any]) -> None:
        if auth.get("token") != "secret":
            raise ConnectionRefused("admins only")

    for namespace in (io.of("/chat"), io.of("/news"), admin):

        @namespace.on("connect")
        async def connected(socket: Socket) -> None:
            socket.emit("welcome", socket.namespace.name)

        @namespace.on("echo")
        async def echo(socket: Socket, *args: object) -> None:
            socket.emit("echo back", *args)

        @namespace.on("send to all")
        async def send_to_all(socket: Socket, event: str, *args: object) -> None:
            socket.namespace.emit(event, *args)

        @namespace.on("disconnect me")
        async def disconnect_me(socket: Socket, close: bool) -> None:
            socket.disconnect(close)

        @namespace.on("disconnect")
        async def disconnected(socket: Socket, reason: str) -> None:
            report_disconnect(io, socket, reason)


async def main() -> None:
    """Serve, once for each way in which a server can be set up, until ended."""
    servers = {
        "json": Server(),
        "msgpack": Server(parser="msgpack"),
        "heartbeat": Server(ping_interval=0.1, ping_timeout=0.4),
    }
    ports: dict[str, int] = {}
    async with trio.open_nursery() as nursery:
        for name, io in servers.items():
            serve_main_namespace(io, nursery)
            serve_other_namespaces(io)
            bound = await nursery.start(io.serve, "127.0.0.1", 0)
            ports[name] = bound.port
        print(json.dumps(ports), flush=True)


if __name__ == "__main__":
    trio.run(main)
