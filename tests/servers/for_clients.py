"""The server that our clients are tested against, on Trio or asyncio; it prints its port.

It offers what tests/interop/server_for_clients.mjs offers with npm's socket.io, and
python_socketio.py with python-socketio: the three must be changed together.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import trio

from sansocket import asyncio_backend, trio_backend
from sansocket.sansio.engineio.encoded import encode_message
from sansocket.sansio.socketio.app import App
from sansocket.trio_backend import ConnectionRefused, Socket

HOST = "127.0.0.1"


def offer(io: App, close: Callable[[], Awaitable[None]]) -> None:
    """Register all that the tests ask for."""

    @io.use
    async def authenticate(socket: Socket, auth: dict[str, Any]) -> None:
        if auth.get("token") == "wrong":
            raise ConnectionRefused("not authorized", data={"code": 401})

    @io.on("echo")
    def echo(socket: Socket, *args: object) -> None:
        socket.emit("echo back", *args)

    @io.on("acknowledge")
    async def acknowledge(socket: Socket, *args: object) -> tuple[object, ...]:
        return args

    @io.on("ask")
    def ask(socket: Socket, value: object) -> None:
        socket.emit("question", value, ack=lambda *values: socket.emit("answer", [*values]))

    @io.on("handshake")
    def handshake(socket: Socket) -> tuple[str | None, ...]:
        headers, query = socket.handshake.headers, socket.handshake.query
        return headers.get("x-client"), query.get("lang"), headers.get("cookie")

    @io.on("report")
    def report(socket: Socket) -> None:
        def gone(reason: str) -> None:
            print(socket.id, reason, flush=True)

        socket.on("disconnect", gone)

    @io.on("provoke")
    async def provoke(socket: Socket, cause: str) -> None:
        if cause == "disconnect":
            socket.disconnect()
        elif cause == "disconnect and close":
            socket.disconnect(close=True)
        elif cause == "close the session":
            socket.conn.close()
        elif cause == "send garbage":
            socket.connection.session.send(encode_message(["9"]))
        else:
            await close()

    chat = io.of("/chat")

    @chat.on("connect")
    def welcome(socket: Socket) -> None:
        socket.emit("welcome", socket.namespace.name)

    @chat.on("echo")
    def echo_in_chat(socket: Socket, *args: object) -> None:
        socket.emit("echo back", *args)


async def main_on_trio(port: int, options: dict[str, Any]) -> None:
    """Serve until ended, or closed by a client."""
    io = trio_backend.Server(**options)
    async with trio.open_nursery() as nursery:

        async def close() -> None:
            nursery.start_soon(io.aclose)

        offer(io, close)
        bound = await nursery.start(io.serve, HOST, port)
        print(bound.port, flush=True)
        await trio.sleep_forever()


async def main_on_asyncio(port: int, options: dict[str, Any]) -> None:
    """Serve until ended, or closed by a client."""
    io = asyncio_backend.Server(**options)
    closing: list[asyncio.Task[None]] = []

    async def close() -> None:
        closing.append(asyncio.create_task(io.aclose()))

    offer(io, close)
    async with io.listening(HOST, port) as bound:
        print(bound.port, flush=True)
        await asyncio.Event().wait()


def main() -> None:
    """Read the arguments, and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("backend", choices=["trio", "asyncio"])
    parser.add_argument("port", type=int)
    parser.add_argument("ping_interval", type=float)
    parser.add_argument("ping_timeout", type=float)
    given = parser.parse_args()
    options = {
        "ping_interval": given.ping_interval,
        "ping_timeout": given.ping_timeout,
        "cookie": "io",
    }
    if given.backend == "trio":
        trio.run(main_on_trio, given.port, options)
    else:
        asyncio.run(main_on_asyncio(given.port, options))


if __name__ == "__main__":
    main()
