"""Clients on Trio for the tests of a server: HTTP by h11, WebSocket by trio-websocket.

What a test waits for is the thing itself: `until` looks again and again, `Books` knows what a
server must have given back.
"""

from __future__ import annotations

import os
import socket
import ssl
import struct
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Final, Protocol

import trio
import trio_websocket

from sansocket.sansio.engineio.server import Engine
from support.network_client import HOST as HOST
from support.network_client import ByteStream, MessageClient, Poller
from support.network_client import HttpClient as HttpClient
from support.servers import is_resting

PATIENCE: Final = 60
"""Seconds: a machine with other work is slow."""

Stream = trio.SocketStream | trio.SSLStream[trio.SocketStream]


async def open_stream(
    port: int, tls: ssl.SSLContext | None = None, *, host: str = HOST, receive_buffer: int = 0
) -> Stream:
    """Connect; with `receive_buffer` (bytes) the kernel keeps little of what is not read."""
    sock = trio.socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    if receive_buffer:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    try:
        await sock.connect((host, port))
    except BaseException:
        sock.close()
        raise
    stream = trio.SocketStream(sock)
    if tls is None:
        return stream
    return trio.SSLStream(stream, tls, server_hostname=host, https_compatible=True)


def transport_of(stream: Stream) -> trio.SocketStream:
    """The TCP stream, under TLS or not."""
    return stream.transport_stream if isinstance(stream, trio.SSLStream) else stream


def reset(stream: Stream) -> None:
    """Go as a killed process goes: the server's next read or write fails."""
    sock = transport_of(stream).socket
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


async def read_to_end(stream: ByteStream) -> bytes:
    """All that comes until the server closes; a reset raises trio.BrokenResourceError."""
    data = bytearray()
    while piece := await stream.receive_some(65_536):
        data += piece
    return bytes(data)


async def until(condition: Callable[[], object]) -> None:
    """Wait until the condition holds."""
    with trio.fail_after(PATIENCE):
        while not condition():
            await trio.sleep(0.001)


class Core(Protocol):
    """A server of either kind."""

    @property
    def engine(self) -> Engine: ...


def living() -> Iterator[trio.lowlevel.Task]:
    """Every task there is."""
    root = trio.lowlevel.current_root_task()
    tasks = [] if root is None else [root]
    while tasks:
        task = tasks.pop()
        yield task
        for nursery in task.child_nurseries:
            tasks += nursery.child_tasks


class Books:
    """What a server holds for its connections: descriptors, tasks and sessions.

    Without the worker that waits for handlers to run: a server keeps one, connections or not.
    """

    def __init__(self, server: Core) -> None:
        self._server = server
        self.before = self.held()

    def held(self) -> tuple[int, int, int]:
        """What the process holds now, the test's own connections included."""
        tasks = sum(not is_resting(task.coro) for task in living())
        return len(os.listdir("/proc/self/fd")), tasks, len(self._server.engine.sessions)

    async def balanced(self, *, own: int = 0) -> None:
        """Wait until all is given back but `own` descriptors, the test's; fails with the counts."""
        descriptors, tasks, sessions = self.before
        wanted = (descriptors + own, tasks, sessions)
        with suppress(trio.TooSlowError):
            await until(lambda: self.held() == wanted)
        assert self.held() == wanted


@asynccontextmanager
async def polling(
    port: int, tls: ssl.SSLContext | None = None, path: str = "/socket.io/"
) -> AsyncGenerator[Poller]:
    """A session by polling, its handshake done."""
    async with await open_stream(port, tls) as gets, await open_stream(port, tls) as posts:
        client = Poller(HttpClient(gets), HttpClient(posts), path)
        await client.open()
        yield client


# WebSocket


class WebSocketClient(MessageClient):
    """An Engine.IO session on a WebSocket of trio-websocket, after its open packet."""

    def __init__(self, websocket: trio_websocket.WebSocketConnection, stream: Stream) -> None:
        self.websocket = websocket
        self.stream = stream

    async def send(self, *messages: str | bytes) -> None:
        """Send messages as they are."""
        for message in messages:
            await self.websocket.send_message(message)

    async def receive(self) -> str | bytes:
        """The next message; a ping is answered on the way."""
        while (message := await self.websocket.get_message()) == "2":
            await self.websocket.send_message("3")
        return message

    @property
    def closed(self) -> int:
        """The code of the server's close frame, 1006 where it sent none, 0 while it is open."""
        reason = self.websocket.closed
        return 0 if reason is None else reason.code

    async def close_code(self) -> int:
        """Read until the WebSocket closes; the code of the server's close frame."""
        try:
            while True:
                await self.receive()
        except trio_websocket.ConnectionClosed:
            return self.closed


@asynccontextmanager
async def websocket(
    port: int,
    tls: ssl.SSLContext | None = None,
    *,
    path: str = "/socket.io/",
    sid: str = "",
    receive_buffer: int = 0,
) -> AsyncGenerator[WebSocketClient]:
    """A WebSocket: of a session of its own, whose open packet was read, or for the one of `sid`.

    It reads two messages ahead of the test, and no more. When the block ends the connection
    breaks without a close frame.
    """
    stream = await open_stream(port, tls, receive_buffer=receive_buffer)
    resource = f"{path}?EIO=4&transport=websocket" + (f"&sid={sid}" if sid else "")
    async with stream, trio.open_nursery() as nursery:
        connection = await trio_websocket.wrap_client_stream(
            nursery, stream, f"{HOST}:{port}", resource
        )
        client = WebSocketClient(connection, stream)
        if not sid:
            opened = await client.receive()
            assert str(opened).startswith("0{"), opened
        yield client
        nursery.cancel_scope.cancel()
