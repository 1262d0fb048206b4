"""The server that the conformance suites of both protocols expect; run it as a program.

`--shape engine` is an Engine.IO server on `/engine.io/` that sends every message back, and
nothing by itself. `--shape socket` is a Socket.IO server with the namespaces `/` and
`/custom`, which send `auth` to whoever connects and `message-back` for `message`, and
acknowledge `message-with-ack` with its arguments. Once it listens it prints READY and its
port. The suites count on the ping interval and timeout that are the defaults here.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import sys
from collections.abc import Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any

import trio

if TYPE_CHECKING:
    from sansocket.trio_backend import EngineSocket, Socket


class Loop:
    """An event loop by its name: its own module, and our backend for it."""

    def __init__(self, name: str) -> None:
        self.module = importlib.import_module(name)
        self.backend: ModuleType = importlib.import_module(f"sansocket.{name}_backend")
        if not hasattr(self.backend, "Server"):
            sys.exit(f"{self.backend.__name__} has no server yet")


def engine_server(loop: Loop, options: Mapping[str, float]) -> Any:
    """Engine.IO alone."""
    engine = loop.backend.EngineServer(path="/engine.io/", **options)

    # Not a coroutine function: it has answered every message of a payload before the POST is,
    # as the suite expects, which polls after that and wants all the answers at once.
    def message(socket: EngineSocket, data: str | bytes) -> None:
        socket.send(data)

    engine.on("message")(message)
    return engine


def socket_server(loop: Loop, options: Mapping[str, float]) -> Any:
    """Socket.IO."""
    # For a client that says nothing; the suite waits for its end, but not as long as 45 seconds.
    io = loop.backend.Server(connect_timeout=1.0, **options)

    async def connect(socket: Socket) -> None:
        # The suite awaits the CONNECT packet, and only then begins to listen for `auth`: were
        # both in one TCP segment, it would have missed it.
        await loop.module.sleep(0.01)
        socket.emit("auth", socket.handshake.auth)

    def message(socket: Socket, *args: object) -> None:
        socket.emit("message-back", *args)

    def message_with_ack(socket: Socket, *args: object) -> tuple[object, ...]:
        return args

    for namespace in (io, io.of("/custom")):
        namespace.on("connect")(connect)
        namespace.on("message")(message)
        namespace.on("message-with-ack")(message_with_ack)
    return io


async def serve(loop: Loop, server: Any, port: int) -> None:
    """Serve until the program is ended."""
    async with server.listening("127.0.0.1", port) as bound:
        print("READY", bound.port, flush=True)
        await loop.module.Event().wait()


def main() -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backend", choices=["trio", "asyncio"], default="trio")
    parser.add_argument("--shape", choices=["engine", "socket"], default="socket")
    parser.add_argument("--port", type=int, default=0, help="0 for a free one")
    parser.add_argument("--ping-interval", type=int, default=300, help="milliseconds")
    parser.add_argument("--ping-timeout", type=int, default=200, help="milliseconds")
    arguments = parser.parse_args()
    options = {
        "ping_interval": arguments.ping_interval / 1000,
        "ping_timeout": arguments.ping_timeout / 1000,
        "max_payload": 1_000_000,
    }
    loop = Loop(arguments.backend)
    shape = engine_server if arguments.shape == "engine" else socket_server
    server = shape(loop, options)
    if arguments.backend == "trio":
        trio.run(serve, loop, server, arguments.port)
    else:
        asyncio.run(serve(loop, server, arguments.port))


if __name__ == "__main__":
    main()
