"""The Socket.IO client on asyncio and uvloop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import ClassVar, Final

from sansocket.sansio.backend import (
    GRACE,
    ClientWire,
    Driven,
    MakesRuntime,
    ScopedClient,
)

from .client_connection import client_protocol
from .dialing import open_connection, through_socks
from .home import Home
from .runtime import AsyncioRuntime


class ClientRuntime(AsyncioRuntime):
    """The runtime of one client: its listeners and connections live in its block."""

    def __init__(self, client: ScopedClient) -> None:
        super().__init__()
        self.core: Driven = client
        self._client = client
        self._socks = through_socks(client.proxy)
        self._place: Home

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Drive the client for as long as a block runs, and close it then."""
        place = self._place = Home()
        try:
            try:
                yield
            except asyncio.CancelledError:
                raise
            except BaseException:
                await self._leave(place)
                raise
            else:
                await self._leave(place)
        finally:
            self._client.abandon()
            self._client.deliver()
            place.end()
            await place.empty()

    async def _leave(self, place: Home) -> None:
        """Close in good order; what has not ended after `GRACE` seconds is ended."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + GRACE
        await self._client.aclose()
        place.close(deadline - loop.time())
        await place.empty()

    def place_of(self, home: object) -> Home:
        """That of the block, whatever was asked for."""
        return self._place

    def dial(self, wire: ClientWire) -> None:
        """Connect, and carry the bytes of the wire."""
        task = self._place.run(self._open(wire))

        def look() -> None:
            if wire.closed:
                task.cancel()

        wire.wake = look

    async def _open(self, wire: ClientWire) -> None:
        client = self._client
        protocol = client_protocol(client, self._place, wire)
        try:
            await open_connection(lambda: protocol, wire.target, client.proxy, self._socks)
        except asyncio.CancelledError:
            # uvloop may have told the protocol of a connection, and does not tell of its end.
            protocol.connection_lost(None)
            raise
        except Exception as error:
            wire.failed(error, asyncio.get_running_loop().time())
            client.deliver()


class Client(ScopedClient):
    """A client of one server on asyncio or uvloop: `async with Client(url) as client`.

    What `ScopedClient` says of the url, the options (seconds and bytes) and their errors holds
    here. No task that it starts is left behind when the block is over: it leaves every namespace
    and closes its connection, for `GRACE` seconds at most, but is cut at once when the task is
    cancelled in the block. A timeout is TimeoutError.
    """

    runtime_type: ClassVar[MakesRuntime] = ClientRuntime


connect: Final = Client.connecting
