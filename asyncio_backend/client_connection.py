"""One connection of a client to its server on asyncio: the way through a proxy, TLS, the wire."""

from __future__ import annotations

import asyncio
import ssl

from sansocket.sansio.backend import ClientWire, ScopedClient, TransportError, Tunnel

from .connection import Connection
from .home import Home
from .tls import Tls


class ClientConnection(Connection):
    """A connection that was dialled: to a proxy of HTTP, if there is one, or to the server."""

    __slots__ = ("_carries", "_dialled", "_next", "_tunnel")

    def __init__(self, client: ScopedClient, home: Home, wire: ClientWire) -> None:
        super().__init__(client, home)
        self._wire = self._dialled = wire
        self._carries = False
        """Whether the wire has been told that there is a connection."""
        proxy, target = client.proxy, wire.target
        self._tunnel: Tunnel | None = None
        """The way through the proxy, until it is done."""
        if proxy is not None and proxy.speaks_http:
            self._tunnel = Tunnel(proxy, target)
        self._next: Tls | None = None
        """What comes then."""
        if target.secure:
            context = client.ssl_context = client.ssl_context or ssl.create_default_context()
            self._next = Tls(context, target.server_name)

    def _open(self) -> None:
        self._home.enter(self)
        self._dialled.wake = self._wake
        if self._tunnel is not None:
            self._transport.write(self._tunnel.request)
        else:
            self._begin()
        self.flush()

    def _begin(self) -> None:
        """The connection is one to the server."""
        self._tls = self._next
        if self._tls is None:
            self._carry()
        else:
            self._take(b"")

    def _carry(self) -> None:
        self._carries = True
        self._dialled.connected(self._time())
        self._deliver()

    def _take(self, data: bytes) -> None:
        if self._tunnel is None:
            super()._take(data)
            return
        try:
            if self._tunnel.receive_data(data):
                self._tunnel = None
                self._begin()
        except TransportError as error:
            self._failed(error)
            self.abort()
        self.flush()

    def _decrypt(self, tls: Tls, data: bytes) -> bytes:
        plain = super()._decrypt(tls, data)
        if tls.established and not self._carries:
            self._carry()
        return plain

    def _fail(self, error: Exception) -> None:
        if not self._carries and isinstance(error, ssl.SSLError):
            self._failed(error)
        super()._fail(error)

    def _failed(self, error: Exception) -> None:
        """There is no connection to the server, and why."""
        self._dialled.failed(error, self._time())
        self._deliver()


class BufferedClientConnection(ClientConnection, asyncio.BufferedProtocol):
    """The same for asyncio's own loop: see `BufferedServerConnection`."""

    __slots__ = ()


def client_protocol(client: ScopedClient, home: Home, wire: ClientWire) -> ClientConnection:
    """A connection, in the form that the running loop reads best."""
    own = isinstance(asyncio.get_running_loop(), asyncio.BaseEventLoop)
    return (BufferedClientConnection if own else ClientConnection)(client, home, wire)
