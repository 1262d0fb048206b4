"""Our server on one of its loops, with handlers that are plain or coroutine functions."""

from __future__ import annotations

import argparse
import asyncio
from typing import Any

import trio
import uvloop

from sansocket import asyncio_backend, trio_backend
from sansocket.sansio.socketio.app import App
from sansocket.sansio.socketio.socket import Socket

HOST = "127.0.0.1"


def add_plain_handlers(io: App) -> None:
    """Register handlers that are called on the spot."""

    @io.on("echo")
    def echo(socket: Socket, value: Any) -> None:
        socket.emit("echo", value)

    @io.on("ack")
    def ack(socket: Socket, value: Any) -> Any:
        return value

    @io.on("broadcast")
    def broadcast(socket: Socket, value: Any) -> None:
        io.emit("broadcast", value)


def add_async_handlers(io: App) -> None:
    """Register handlers that may wait, though they do not."""

    @io.on("echo")
    async def echo(socket: Socket, value: Any) -> None:
        socket.emit("echo", value)

    @io.on("ack")
    async def ack(socket: Socket, value: Any) -> Any:
        return value

    @io.on("broadcast")
    async def broadcast(socket: Socket, value: Any) -> None:
        io.emit("broadcast", value)


async def serve_trio(io: trio_backend.Server) -> None:
    """Serve until the program is ended."""
    async with io.listening(HOST, 0) as bound:
        print("READY", bound.port, flush=True)
        await trio.sleep_forever()


async def serve_asyncio(io: asyncio_backend.Server) -> None:
    """Serve until the program is ended."""
    async with io.listening(HOST, 0) as bound:
        print("READY", bound.port, flush=True)
        await asyncio.Event().wait()


def main() -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--loop", choices=["trio", "asyncio", "uvloop"], default="trio")
    parser.add_argument("--handlers", choices=["plain", "async"], default="plain")
    parser.add_argument("--ping-interval", type=float, default=25.0, help="seconds")
    arguments = parser.parse_args()
    add_handlers = add_plain_handlers if arguments.handlers == "plain" else add_async_handlers
    interval: float = arguments.ping_interval
    if arguments.loop == "trio":
        on_trio = trio_backend.Server(ping_interval=interval)
        add_handlers(on_trio)
        trio.run(serve_trio, on_trio)
    else:
        on_asyncio = asyncio_backend.Server(ping_interval=interval)
        add_handlers(on_asyncio)
        factory = uvloop.new_event_loop if arguments.loop == "uvloop" else None
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(serve_asyncio(on_asyncio))


if __name__ == "__main__":
    main()
