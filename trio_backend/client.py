"""The Socket.IO client on Trio."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from typing import ClassVar, Final

import trio

from sansocket.sansio.backend import GRACE, ClientWire, MakesRuntime, ScopedClient

from .connection import Connection, Stream
from .dialing import open_stream, socks_proxy
from .home import Home, open_home
from .runtime import TrioRuntime, keep_time


class ClientRuntime(TrioRuntime):
    """The runtime of one client: its listeners and connections live in its block."""

    def __init__(self, client: ScopedClient) -> None:
        super().__init__()
        self._client = client
        self._socks = socks_proxy(client.proxy)
        self._home: Home

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Drive the client for as long as a block runs, and close it then."""
        client = self._client
        failure: Exception | None = None
        async with open_home(partial(keep_time, client, self, trio.Lock())) as home:
            self._home = home
            try:
                yield
            except Exception as error:
                failure = error
            finally:
                home.nursery.cancel_scope.deadline = trio.current_time() + GRACE
                await client.aclose()
        if failure is not None:
            raise failure

    def home_of(self, home: object) -> Home:
        """The nursery of the block, for all."""
        return self._home

    def dial(self, wire: ClientWire) -> None:
        """Connect, and carry the bytes of the wire."""
        self._home.nursery.start_soon(self._carry, wire)

    async def _carry(self, wire: ClientWire) -> None:
        """Dial, and serve the connection until it ends."""
        client = self._client
        scope = trio.CancelScope()

        def look() -> None:
            if wire.closed:
                scope.cancel()

        wire.wake = look
        look()
        stream: Stream | None = None
        try:
            with scope:
                stream = await open_stream(client, self._socks, wire.target)
        except Exception as error:
            # Trio's own word for a connection that breaks: what broke it says more.
            cause = error.__cause__ if isinstance(error, trio.BrokenResourceError) else None
            wire.failed(cause if isinstance(cause, OSError) else error, trio.current_time())
            client.deliver()
            return
        if stream is None:
            wire.lost()
            return
        connection = Connection(client, stream, self._home, wire)
        wire.wake = connection.wake
        wire.connected(trio.current_time())
        client.deliver()
        connection.flush()
        await connection.run()


class Client(ScopedClient):
    """A client of one server on Trio: `async with Client(url) as client`.

    The url, the options and what they raise are those of `ScopedClient`, times in seconds and
    sizes in bytes. Its tasks are in a nursery of the block, which ends with them; a timeout is
    trio.TooSlowError. A cancelled block cuts the connections at once, and any other end of it
    leaves the namespaces first, within `GRACE` seconds.
    """

    runtime_type: ClassVar[MakesRuntime] = ClientRuntime


connect: Final = Client.connecting
