"""python-socketio on uvicorn with uvloop: what Python has had so far."""

from __future__ import annotations

import argparse
import importlib
import socket
from typing import Any

HOST = "127.0.0.1"


def main() -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ping-interval", type=float, default=25.0, help="seconds")
    arguments = parser.parse_args()
    # They belong to the dependency group `bench`, so they have no types where it is not installed.
    socketio: Any = importlib.import_module("socketio")
    uvicorn: Any = importlib.import_module("uvicorn")
    io = socketio.AsyncServer(async_mode="asgi", ping_interval=arguments.ping_interval)

    async def echo(sid: str, value: object) -> None:
        await io.emit("echo", value, to=sid)

    async def ack(sid: str, value: object) -> object:
        return value

    async def broadcast(sid: str, value: object) -> None:
        await io.emit("broadcast", value)

    for handler in (echo, ack, broadcast):
        io.on(handler.__name__, handler)
    config = uvicorn.Config(
        socketio.ASGIApp(io),
        loop="uvloop",
        log_level="warning",
        access_log=False,
        lifespan="off",
        ws_ping_interval=None,  # the heartbeat of Engine.IO is enough, as with the others
    )
    with socket.create_server((HOST, 0), backlog=2048) as listener:
        print("READY", listener.getsockname()[1], flush=True)
        uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
