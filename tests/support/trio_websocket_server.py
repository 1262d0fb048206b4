"""Serving with trio-websocket, and clients that nobody can wait for."""

from __future__ import annotations

import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial

import trio
from trio.testing import wait_all_tasks_blocked
from trio_websocket import ConnectionClosed, WebSocketRequest, WebSocketServer, serve_websocket

from sansocket.trio_backend import Server
from support.transcript import websocket_request_bytes
from support.trio_client import (
    HOST,
    Stream,
    open_stream,
)

QUERY = "EIO=4&transport=websocket"
UPGRADE = websocket_request_bytes(query=QUERY)

Handler = Callable[[WebSocketRequest], Awaitable[None]]


def accepting(io: Server) -> Handler:
    """An application that accepts the request itself."""

    async def handle(request: WebSocketRequest) -> None:
        with suppress(ConnectionClosed):
            connection = await request.accept()
            await io.websocket_handler(connection)

    return handle


@asynccontextmanager
async def serving(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncGenerator[int]:
    """Serve with trio-websocket; gives the port."""
    serve = partial(serve_websocket, handler, HOST, 0, tls)
    async with trio.open_nursery() as nursery:
        server: WebSocketServer = await nursery.start(serve)
        yield server.port
        nursery.cancel_scope.cancel()


async def open_raw(port: int) -> Stream:
    """A WebSocket that nobody reads from."""
    stream = await open_stream(port, receive_buffer=4096)
    await stream.send_all(UPGRADE)
    await wait_all_tasks_blocked()
    return stream
