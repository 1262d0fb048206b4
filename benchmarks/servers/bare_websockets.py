"""The library websockets on uvloop, without Socket.IO: what the messages themselves cost there."""

from __future__ import annotations

import argparse
import asyncio
import importlib
from typing import Any

import uvloop

HOST = "127.0.0.1"
BROADCAST = '42["broadcast"'


async def serve() -> None:
    """Send every message back, or to everyone when it begins as a broadcast does."""
    # They belong to the dependency group `bench`, so they have no types where it is not installed.
    broadcast: Any = importlib.import_module("websockets.asyncio.server").broadcast
    listen: Any = importlib.import_module("websockets.asyncio.server").serve
    connected: set[Any] = set()

    async def handle(websocket: Any) -> None:
        connected.add(websocket)
        try:
            async for message in websocket:
                if isinstance(message, str) and message.startswith(BROADCAST):
                    broadcast(connected, message)
                else:
                    await websocket.send(message)
        finally:
            connected.discard(websocket)

    async with listen(handle, HOST, 0, ping_interval=None, compression=None) as server:
        print("READY", server.sockets[0].getsockname()[1], flush=True)
        await asyncio.Event().wait()


def main() -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ping-interval", type=float, help="has no meaning here")
    parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve())


if __name__ == "__main__":
    main()
