"""Listening, serving and closing on asyncio: the same for Socket.IO and for Engine.IO alone."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

from sansocket.sansio.bound import Bound
from sansocket.sansio.errors import Reason

from .connection import Connection
from .runtime import AsyncioRuntime, Core, Home

GRACE: Final = 10.0
"""For how many seconds `aclose` waits for clients and handlers, unless told (security rule 36)."""


class Serving:
    """What a server does that needs asyncio; mixed into the core's `App` and `EngineApp`."""

    def _set_up(self, core: Core, runtime: AsyncioRuntime) -> None:
        runtime.core = core
        self._core = core
        self._connections: set[Connection] = set()
        self._listeners: dict[asyncio.Server, Home] = {}
        self._elsewhere = Home()

    async def serve(
        self, host: str | None, port: int, *, ssl_context: ssl.SSLContext | None = None
    ) -> None:
        """Listen on `host` (None for every interface) and `port` (0 for a free one), and serve.

        With `ssl_context` the connections are encrypted. Returns after `aclose`, and raises
        OSError when it cannot listen. Cancelled, it closes every connection at once and
        cancels the handlers.
        """
        async with self._listen(host, port, ssl_context) as (_, home):
            await home.told_to_end.wait()

    @asynccontextmanager
    async def listening(
        self, host: str | None, port: int, *, ssl_context: ssl.SSLContext | None = None
    ) -> AsyncGenerator[Bound]:
        """Serve in the background for as long as the block runs; gives the Bound.

        Leaving the block closes the connections at once and cancels the handlers: call
        `aclose` in it for a graceful end. Raises and is cancelled like `serve`.
        """
        async with self._listen(host, port, ssl_context) as (listener, _):
            names: list[tuple[str, int]] = [sock.getsockname() for sock in listener.sockets]
            yield Bound(tuple((name[0], name[1]) for name in names))

    def protocol_factory(self) -> asyncio.Protocol:
        """A protocol for one connection, for a listener of your own: `loop.create_server`.

        Handlers of such connections run until they end, or `aclose` cancels them.
        """
        return Connection(self._core, self._elsewhere, self._connections)

    async def aclose(self, grace: float = GRACE) -> None:
        """Stop accepting, tell the clients, let handlers finish, close.

        What still runs after `grace` seconds is cancelled; then it returns. Called by a
        handler, it does not wait for that one. Cancelled, it has told the clients, and
        waits no more.
        """
        for listener in self._listeners:
            listener.close()
        self._core.engine.close(Reason.SERVER_SHUTTING_DOWN)
        self._core.deliver()
        for connection in list(self._connections):
            connection.wire.finish()
        homes = [*self._listeners.values(), self._elsewhere]
        ends = [connection.lost for connection in self._connections]
        handlers = [task for home in homes for task in home.others()]
        if ends or handlers:
            await asyncio.wait([*ends, *handlers], timeout=grace)
        for home in homes:
            home.told_to_end.set()
            await self._end(home)

    @asynccontextmanager
    async def _listen(
        self, host: str | None, port: int, ssl_context: ssl.SSLContext | None
    ) -> AsyncGenerator[tuple[asyncio.Server, Home]]:
        home = Home()
        listener = await asyncio.get_running_loop().create_server(
            lambda: Connection(self._core, home, self._connections), host, port, ssl=ssl_context
        )
        self._listeners[listener] = home
        try:
            yield listener, home
        finally:
            del self._listeners[listener]
            listener.close()
            await self._end(home)

    async def _end(self, home: Home) -> None:
        """Close what came through this home, and wait until nothing of it is left."""
        mine = [connection for connection in self._connections if connection.home is home]
        for connection in mine:
            connection.abort()
        if mine:
            await asyncio.wait([connection.lost for connection in mine])
        for session in list(self._core.engine.sessions.values()):
            if session.peer.home is home:
                session.abort(Reason.SERVER_SHUTTING_DOWN)
        self._core.deliver()
        await home.cancel()
