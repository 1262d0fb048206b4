"""Clients on asyncio for the tests of a server: HTTP by h11, WebSocket by wsproto.

They stand on sockets, not on transports: nothing is read or written that a test did not ask
for. What a test waits for is the thing itself; `Books` knows what a server must have given back.
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import struct
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from types import TracebackType
from typing import Final, Protocol, Self

from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, TextMessage

from sansocket.sansio.engineio.server import Engine
from support.loops import until
from support.network_client import HOST as HOST
from support.network_client import HttpClient as HttpClient
from support.network_client import MessageClient, Poller
from support.servers import is_resting
from support.transcript import websocket_request_bytes

GIVEN_UP: Final = 5
"""Seconds until what is still held is said to be leaked."""


class Stream:
    """A TCP connection to the server, encrypted or not."""

    def __init__(self, sock: socket.socket, tls: ssl.SSLContext | None) -> None:
        self.sock = sock
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls: ssl.SSLObject | None = None
        if tls is not None:
            self._tls = tls.wrap_bio(self._incoming, self._outgoing, server_hostname=HOST)

    async def shake_hands(self) -> None:
        """Come to an agreement about the encryption, if there is to be one."""
        while self._tls is not None:
            with suppress(ssl.SSLWantReadError):
                self._tls.do_handshake()
                await self._send_raw(self._outgoing.read())
                return
            await self._send_raw(self._outgoing.read())
            self._incoming.write(await self._receive_raw())

    async def send_all(self, data: bytes) -> None:
        """Send all of it; raises OSError when the server has gone."""
        if self._tls is not None and data:
            self._tls.write(data)
            data = self._outgoing.read()
        await self._send_raw(data)

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """What has come, or wait for it; empty at the end. Raises OSError for a reset."""
        while self._tls is not None:
            try:
                return self._tls.read(max_bytes or 65_536)
            except ssl.SSLZeroReturnError:
                return b""  # both sides have said that they send nothing more
            except ssl.SSLWantReadError:
                pass
            if not (data := await self._receive_raw()):
                return b""
            self._incoming.write(data)
        return await self._receive_raw()

    async def read_to_end(self) -> bytes:
        """All that comes until the server closes."""
        data = bytearray()
        while piece := await self.receive_some():
            data += piece
        return bytes(data)

    async def read_raw_to_end(self) -> None:
        """Wait for the end of the TCP connection, whatever it still brings."""
        while await self._receive_raw():
            pass

    def send_eof(self) -> None:
        """Send nothing more, and stay; of TLS, too, this is all that is said."""
        self.sock.shutdown(socket.SHUT_WR)

    def close_notify(self) -> bytes:
        """What says in TLS that nothing more is sent."""
        assert self._tls is not None
        with suppress(ssl.SSLWantReadError):
            self._tls.unwrap()
        return self._outgoing.read()

    def reset(self) -> None:
        """Go as a killed process goes: the server's next read or write fails."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    async def _send_raw(self, data: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self.sock, data)

    async def _receive_raw(self) -> bytes:
        # What has come already is returned at once, and the server's turn would never come.
        await asyncio.sleep(0)
        return await asyncio.get_running_loop().sock_recv(self.sock, 65_536)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.sock.close()


async def open_stream(
    port: int, tls: ssl.SSLContext | None = None, *, host: str = HOST, receive_buffer: int = 0
) -> Stream:
    """Connect; with `receive_buffer` (bytes) the kernel keeps little of what is not read."""
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    sock.setblocking(False)
    if receive_buffer:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    try:
        await asyncio.get_running_loop().sock_connect(sock, (host, port))
        stream = Stream(sock, tls)
        await stream.shake_hands()
    except BaseException:
        sock.close()
        raise
    return stream


class Core(Protocol):
    """A server of either kind."""

    @property
    def engine(self) -> Engine: ...


class Books:
    """What a server holds for its connections: descriptors, tasks and sessions.

    Without the worker that waits for handlers to run: a server keeps one, connections or not.
    """

    def __init__(self, server: Core) -> None:
        self._server = server
        self._before = self.held()

    def held(self) -> tuple[int, int, int]:
        """What the process holds now, the test's own connections included."""
        return (
            len(os.listdir("/proc/self/fd")),
            sum(not is_resting(task.get_coro()) for task in asyncio.all_tasks()),
            len(self._server.engine.sessions),
        )

    async def balanced(self, *, own: int = 0) -> None:
        """Wait until all is given back but `own` descriptors, the test's; fails with the counts."""
        descriptors, tasks, sessions = self._before
        wanted = (descriptors + own, tasks, sessions)
        with suppress(TimeoutError):
            async with asyncio.timeout(GIVEN_UP):
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


class Closed(Exception):
    """The server has closed the WebSocket."""


class WebSocketClient(MessageClient):
    """An Engine.IO session on a WebSocket, framed by wsproto."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.closed = 0
        """The code of the server's close frame, 1006 where it sent none, 0 while it is open."""
        self._frames = Connection(ConnectionType.CLIENT)
        self._message: list[str | bytes] = []
        self._messages: list[str | bytes] = []

    async def open(self, query: str, path: str) -> None:
        """Ask for the WebSocket, and get it."""
        await self.stream.send_all(websocket_request_bytes(query=query, path=path))
        head = b""
        while b"\r\n\r\n" not in head:
            piece = await self.stream.receive_some()
            assert piece, head
            head += piece
        head, _, rest = head.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 "), head
        self._read(rest)

    async def send(self, *messages: str | bytes) -> None:
        """Send messages as they are."""
        for message in messages:
            if isinstance(message, str):
                frame = self._frames.send(TextMessage(message))
            else:
                frame = self._frames.send(BytesMessage(message))
            await self.stream.send_all(frame)

    async def message(self) -> str | bytes:
        """The next message, whatever it is; raises Closed where none comes any more."""
        while not self._messages:
            if self.closed:
                raise Closed(self.closed)
            try:
                data = await self.stream.receive_some()
            except ConnectionError:
                data = b""
            if data:
                self._read(data)
            else:
                self.closed = 1006
        return self._messages.pop(0)

    async def receive(self) -> str | bytes:
        """The next message; a ping is answered on the way."""
        while (message := await self.message()) == "2":
            await self.send("3")
        return message

    async def close(self) -> None:
        """Close in good order."""
        await self.stream.send_all(self._frames.send(CloseConnection(1000)))
        while not self.closed:
            with suppress(Closed):
                await self.message()

    async def close_code(self) -> int:
        """Read until the WebSocket closes, and answer; the code of the server's close frame."""
        try:
            while True:
                await self.receive()
        except Closed:
            if self.closed != 1006:
                with suppress(OSError):
                    await self.stream.send_all(self._frames.send(CloseConnection(self.closed)))
            return self.closed

    def _read(self, data: bytes) -> None:
        self._frames.receive_data(data)
        for event in self._frames.events():
            if isinstance(event, CloseConnection):
                self.closed = int(event.code)
            elif isinstance(event, TextMessage | BytesMessage):
                assert event.message_finished or event.frame_finished or event.data
                self._message.append(
                    event.data if isinstance(event, TextMessage) else bytes(event.data)
                )
                if event.message_finished:
                    self._messages.append(joined(self._message))
                    self._message = []


def joined(pieces: list[str | bytes]) -> str | bytes:
    """The pieces of one message, which wsproto hands out as they come."""
    if isinstance(pieces[0], str):
        return "".join(piece for piece in pieces if isinstance(piece, str))
    return b"".join(piece for piece in pieces if isinstance(piece, bytes))


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

    When the block ends the connection breaks without a close frame.
    """
    async with await open_stream(port, tls, receive_buffer=receive_buffer) as stream:
        client = WebSocketClient(stream)
        await client.open("EIO=4&transport=websocket" + (f"&sid={sid}" if sid else ""), path)
        if not sid:
            opened = await client.receive()
            assert str(opened).startswith("0{"), opened
        yield client
