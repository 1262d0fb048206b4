"""The library trio-websocket, without Socket.IO: what the messages themselves cost there."""

from __future__ import annotations

import argparse
from functools import partial

import trio
from trio_websocket import (
    ConnectionClosed,
    WebSocketConnection,
    WebSocketRequest,
    WebSocketServer,
    serve_websocket,
)

HOST = "127.0.0.1"
BROADCAST = '42["broadcast"'

connected: set[WebSocketConnection] = set()


async def handle(request: WebSocketRequest) -> None:
    """Send every message back, or to everyone when it begins as a broadcast does."""
    websocket = await request.accept()
    connected.add(websocket)
    try:
        while True:
            message = await websocket.get_message()
            if isinstance(message, str) and message.startswith(BROADCAST):
                for other in list(connected):
                    await other.send_message(message)
            else:
                await websocket.send_message(message)
    except ConnectionClosed:
        pass
    finally:
        connected.discard(websocket)


async def serve() -> None:
    """Serve until the program is ended."""
    async with trio.open_nursery() as nursery:
        listen = partial(serve_websocket, handle, HOST, 0, ssl_context=None)
        server: WebSocketServer = await nursery.start(listen)
        print("READY", server.port, flush=True)


def main() -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ping-interval", type=float, help="has no meaning here")
    parser.parse_args()
    trio.run(serve)


if __name__ == "__main__":
    main()
