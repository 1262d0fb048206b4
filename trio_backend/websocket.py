"""Sessions over a WebSocket that trio-websocket frames: the message seam of the core."""

from __future__ import annotations

import logging
import time
from collections.abc import Generator
from contextlib import contextmanager
from urllib.parse import parse_qsl

import trio
from trio_websocket import ConnectionClosed, WebSocketConnection, WebSocketRequest

from sansocket.sansio.backend import Core, Peer
from sansocket.sansio.engineio.cors import Headers
from sansocket.sansio.engineio.http import Request
from sansocket.sansio.engineio.websocket_transport import WebSocketTransport
from sansocket.sansio.errors import RemoteProtocolError

from .home import Home

logger: logging.Logger = logging.getLogger("sansocket")


async def carry(core: Core, source: WebSocketRequest | WebSocketConnection, home: Home) -> None:
    """Serve one client until its WebSocket ends; raises nothing for what the peer does."""
    try:
        request, peer = read_request(source), read_peer(source, home)
    except OSError:
        return  # it is gone already, and nobody knows any more where it came from
    await Carriage(core, request, peer).run(source)


class Carriage:
    """One WebSocket of trio-websocket and the transport that it carries messages for."""

    def __init__(self, core: Core, request: Request, peer: Peer) -> None:
        self._core = core
        self._request = request
        self._woken = trio.Event()
        self._scope = trio.CancelScope()
        self._transport = WebSocketTransport(core.engine, self._wake, peer)

    async def run(self, source: WebSocketRequest | WebSocketConnection) -> None:
        """Accept the request, if it is one, and serve until the end.

        When nothing more can be done in good order, the connection is closed at once.
        """
        connection = source if isinstance(source, WebSocketConnection) else None
        try:
            with self._scope, self._boundary():
                connection = await self._open(source)
                if connection is not None:
                    await self._serve(connection)
        finally:
            with self._boundary():
                self._transport.lost()
                self._core.deliver()
            if self._scope.cancel_called and connection is not None:
                await trio.aclose_forcefully(connection)

    @contextmanager
    def _boundary(self) -> Generator[None]:
        """What the peer does, and what fails here, ends this connection alone (rule T1)."""
        try:
            yield
        except (ConnectionClosed, OSError):
            logger.debug("connection broken", exc_info=True)
        except Exception:
            logger.exception("connection failed")
            self._scope.cancel()

    def _wake(self) -> None:
        """The transport has something, or is to be closed, for which its peer has little time."""
        self._woken.set()
        if self._transport.close_code is not None:
            limit = trio.current_time() + self._core.engine.config.close_timeout
            self._scope.deadline = min(self._scope.deadline, limit)

    async def _open(
        self, source: WebSocketRequest | WebSocketConnection
    ) -> WebSocketConnection | None:
        """Let the client in, or refuse it and return None."""
        transport, request = self._transport, self._request
        try:
            await self._ask()
            session = transport.verify(request)
            transport.open(request, session, trio.current_time())
        except RemoteProtocolError as error:
            self._core.engine.refused(request, error)
            with trio.move_on_after(self._core.engine.config.close_timeout):
                if isinstance(source, WebSocketRequest):
                    added = encoded(transport.added)
                    await source.reject(error.status, extra_headers=added, body=str(error).encode())
                else:
                    await source.aclose(error.close_code)
            return None
        if isinstance(source, WebSocketConnection):
            return source
        return await source.accept(extra_headers=encoded(transport.headers(request, session)))

    async def _ask(self) -> None:
        """Wait until the application has decided about the request."""
        decided = trio.Event()
        now = trio.current_time()
        if not self._transport.admit(self._request, now, lambda now: decided.set()):
            await decided.wait()

    async def _serve(self, connection: WebSocketConnection) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._write, connection, nursery.cancel_scope)
            with self._boundary():
                self._core.deliver()
                await self._read(connection)
            if self._transport.close_code is None:
                nursery.cancel_scope.cancel()

    async def _read(self, connection: WebSocketConnection) -> None:
        """Read until the WebSocket ends, which raises ConnectionClosed."""
        transport = self._transport
        while True:
            relieved = trio.Event()
            while transport.congested:
                transport.when_relieved(relieved.set)
                await relieved.wait()
                relieved = trio.Event()
            message = await connection.get_message()
            transport.receive_bounded(message, trio.current_time())
            self._core.deliver()

    async def _write(self, connection: WebSocketConnection, scope: trio.CancelScope) -> None:
        """Write until the WebSocket ends, or has to; then the reading ends too."""
        transport = self._transport
        with self._boundary():
            while True:
                for message in transport.outgoing():
                    for frame in message.messages:
                        await connection.send_message(frame)
                if transport.close_code is not None:
                    await connection.aclose(transport.close_code)
                    break
                await self._woken.wait()
                self._woken = trio.Event()
        scope.cancel()


def encoded(headers: Headers) -> list[tuple[bytes, bytes]]:
    """Headers as trio-websocket takes them."""
    return [(name.encode("ascii"), value.encode("latin-1")) for name, value in headers]


def read_peer(source: WebSocketRequest | WebSocketConnection, home: Home) -> Peer:
    """The other end as the core takes it; raises OSError when it is gone."""
    remote = source.remote
    if isinstance(remote, str):
        return Peer(remote, False, time.time(), home)
    return Peer(str(remote.address), remote.is_ssl, time.time(), home)


def read_request(source: WebSocketRequest | WebSocketConnection) -> Request:
    """The handshake as the core takes it; raises OSError when the peer is gone.

    trio-websocket keeps the headers of the handshake itself, so they are put back: the
    address that the server listens on stands for the Host. Of a connection that has been
    accepted already it keeps no headers at all.
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
