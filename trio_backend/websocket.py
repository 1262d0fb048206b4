"""Sessions over a WebSocket that trio-websocket frames: the message seam of the core."""

from __future__ import annotations

import time
from urllib.parse import parse_qsl

import trio
from trio_websocket import ConnectionClosed, WebSocketConnection, WebSocketRequest

from sansocket.sansio.engineio.http import Request
from sansocket.sansio.engineio.session import Peer
from sansocket.sansio.engineio.websocket_transport import WebSocketTransport
from sansocket.sansio.errors import RemoteProtocolError

from .runtime import Core


async def carry(
    core: Core, source: WebSocketRequest | WebSocketConnection, home: trio.Nursery
) -> None:
    """Serve one client until its WebSocket ends; raises nothing for what the peer does."""
    await Carriage(core, home).run(source)


class Carriage:
    """One WebSocket of trio-websocket and the transport that it carries messages for."""

    def __init__(self, core: Core, home: trio.Nursery) -> None:
        self._core = core
        self._home = home
        self._woken = trio.Event()

    async def run(self, source: WebSocketRequest | WebSocketConnection) -> None:
        """Accept the request, if it is one, and serve."""
        request = read_request(source)
        remote = source.remote
        address = remote if isinstance(remote, str) else str(remote.address)
        secure = not isinstance(remote, str) and remote.is_ssl
        transport = WebSocketTransport(
            self._core.engine, self._wake, Peer(address, secure, time.time(), self._home)
        )
        try:
            session = transport.verify(request)
        except RemoteProtocolError as error:
            if isinstance(source, WebSocketRequest):
                await source.reject(error.status, body=str(error).encode())
            else:
                await source.aclose(error.close_code)
            return
        connection = source
        if isinstance(connection, WebSocketRequest):
            connection = await connection.accept()
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._write, connection, transport, nursery.cancel_scope)
                transport.open(request, session, trio.current_time())
                self._core.deliver()
                await self._read(connection, transport)
                nursery.cancel_scope.cancel()
        finally:
            transport.lost()
            self._core.deliver()

    def _wake(self) -> None:
        self._woken.set()

    async def _read(self, connection: WebSocketConnection, transport: WebSocketTransport) -> None:
        while True:
            relieved = trio.Event()
            while transport.congested:
                transport.when_relieved(relieved.set)
                await relieved.wait()
                relieved = trio.Event()
            try:
                message = await connection.get_message()
            except ConnectionClosed:
                return
            transport.receive_bounded(message, trio.current_time())
            self._core.deliver()

    async def _write(
        self,
        connection: WebSocketConnection,
        transport: WebSocketTransport,
        scope: trio.CancelScope,
    ) -> None:
        try:
            while True:
                for encoded in transport.outgoing():
                    for message in encoded.messages:
                        await connection.send_message(message)
                if transport.close_code is not None:
                    with trio.move_on_after(self._core.engine.config.close_timeout):
                        await connection.aclose(transport.close_code)
                    break
                await self._woken.wait()
                self._woken = trio.Event()
        except ConnectionClosed:
            pass
        scope.cancel()


def read_request(source: WebSocketRequest | WebSocketConnection) -> Request:
    """The handshake as the core takes it.

    trio-websocket keeps the headers of the handshake itself, so they are put back: the
    address that the server listens on stands for the Host.
    """
    path, _, query = (source.path or "").partition("?")
    given = source.headers if isinstance(source, WebSocketRequest) else source.handshake_headers
    headers = [(bytes(name).lower(), bytes(value)) for name, value in given]
    local = source.local
    if not isinstance(local, str):
        host = f"[{local.address}]" if ":" in str(local.address) else str(local.address)
        headers.append((b"host", f"{host}:{local.port}".encode()))
    headers.append((b"upgrade", b"websocket"))
    fields = dict(reversed(parse_qsl(query, keep_blank_values=True, errors="replace")))
    return Request("GET", path, fields, tuple(headers))
