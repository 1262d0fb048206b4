"""The server that npm's client is tested against; run as a program, it prints its ports.

`--backend` is trio, asyncio or uvloop; the handlers are the same on all of them.

It offers what tests/interop/reference_server.mjs offers with npm's socket.io: both programs
must be changed together. Some handlers are coroutine functions and some are not, since a
server has to do with both.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from itertools import count
from typing import Any

import trio
import uvloop

from sansocket import asyncio_backend, trio_backend
from sansocket.sansio.socketio.app import App
from sansocket.trio_backend import (
    Ack,
    AckTimeout,
    ConnectionRefused,
    Disconnected,
    Namespace,
    Socket,
)

Start = Callable[[Callable[[], Awaitable[None]]], object]
"""Runs a function in the background."""
Sleep = Callable[[float], Awaitable[None]]


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


def serve_main_namespace(io: App, start: Start, sleep: Sleep) -> None:
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
        if "unwelcomeAfter" in auth:
            start(lambda: dismiss(socket, auth["unwelcomeAfter"] / 1000))

    async def dismiss(socket: Socket, seconds: float) -> None:
        socket.emit("last", 0)
        await sleep(seconds)
        for number in (1, 2, 3):
            socket.emit("last", number)
        socket.disconnect(close=True)

    @io.on("disconnect")
    async def disconnected(socket: Socket, reason: str) -> None:
        report_disconnect(io, socket, reason)

    serve_messages(io)
    serve_acknowledgements(io)
    serve_questions(io)
    serve_rooms(io)
    serve_streams(io, start, sleep)


def serve_messages(io: App) -> None:
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


def serve_acknowledgements(io: App) -> None:
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


def serve_questions(io: App) -> None:
    """Events that the client is to acknowledge."""

    @io.on("ask")
    async def ask(socket: Socket, event: str, *args: object) -> None:
        with suppress(Disconnected):
            socket.emit("answer", listed(await socket.call(event, *args, timeout=5)))

    @io.on("ask twice")
    async def ask_twice(socket: Socket) -> None:
        answers: dict[int, list[object]] = {}

        def answered(number: int, *values: object) -> None:
            answers[number] = [*values]
            if len(answers) == 2:
                socket.emit("answer", [answers[1], answers[2]])

        for number in (1, 2):
            socket.emit("question", number, ack=partial(answered, number))

    @io.on("ask in vain")
    async def ask_in_vain(socket: Socket) -> None:
        try:
            answer = listed(await socket.call("question", timeout=0.05))
        except (TimeoutError, trio.TooSlowError):
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


def serve_rooms(io: App) -> None:
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


def serve_streams(io: App, start: Start, sleep: Sleep) -> None:
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
            await sleep(0.001)

    @io.on("push")
    async def push(socket: Socket) -> None:
        # Not in the handler itself: while that runs, the client's next events wait for it.
        start(lambda: push_numbers(socket))

    @io.on("enough")
    async def enough(socket: Socket) -> None:
        socket.data["enough"] = True


def serve_other_namespaces(io: App) -> None:
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


OPTIONS: dict[str, dict[str, Any]] = {
    "json": {},
    "msgpack": {"parser": "msgpack"},
    "heartbeat": {"ping_interval": 0.1, "ping_timeout": 0.4},
}
"""The ways in which a server can be set up: one server for each."""


async def main_on_trio() -> None:
    """Serve until ended."""
    ports: dict[str, int] = {}
    async with trio.open_nursery() as nursery:
        for name, options in OPTIONS.items():
            io = trio_backend.Server(**options)
            serve_main_namespace(io, nursery.start_soon, trio.sleep)
            serve_other_namespaces(io)
            bound = await nursery.start(io.serve, "127.0.0.1", 0)
            ports[name] = bound.port
        print(json.dumps(ports), flush=True)


async def main_on_asyncio() -> None:
    """Serve until ended."""
    async with asyncio.TaskGroup() as group:

        async def run(function: Callable[[], Awaitable[None]]) -> None:
            await function()

        async def serve(options: dict[str, Any], port: asyncio.Future[int]) -> None:
            io = asyncio_backend.Server(**options)
            serve_main_namespace(
                io, lambda function: group.create_task(run(function)), asyncio.sleep
            )
            serve_other_namespaces(io)
            async with io.listening("127.0.0.1", 0) as bound:
                port.set_result(bound.port)
                await asyncio.Event().wait()

        ports = {name: asyncio.get_running_loop().create_future() for name in OPTIONS}
        for name, options in OPTIONS.items():
            group.create_task(serve(options, ports[name]))
        print(json.dumps({name: await port for name, port in ports.items()}), flush=True)


def main() -> None:
    """Read the arguments, and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backend", choices=["trio", "asyncio", "uvloop"], default="trio")
    backend = parser.parse_args().backend
    if backend == "trio":
        trio.run(main_on_trio)
    else:
        factory = uvloop.new_event_loop if backend == "uvloop" else asyncio.new_event_loop
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(main_on_asyncio())


if __name__ == "__main__":
    main()
