"""Listening, serving and closing on asyncio: the same for Socket.IO and for Engine.IO alone."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any, Final

from sansocket.sansio.backend import GRACE, Bound, Core, abandon, shut_down

from .handover import receive_from
from .home import Home
from .runtime import AsyncioRuntime
from .server_connection import open_connection
from .tls import Tls

ARRIVING: Final = 4
"""Turns of the loop from accepting a connection to telling its protocol, and one to spare.

asyncio accepts in one, begins a task in the next, which has the protocol told in the third.
"""


class Serving:
    """What a server does that needs asyncio; mixed into the core's `App` and `EngineApp`."""

    def _set_up(self, core: Core, runtime: AsyncioRuntime) -> None:
        runtime.core = core
        self._core = core
        self._loop = runtime
        self._listeners: dict[Home, asyncio.Server | None] = {}
        """Every `serve`, also one that does not listen yet."""
        self._elsewhere = Home()
        """Where connections live whose listener is not ours."""
        self._closers: set[asyncio.Task[Any]] = set()
        """The tasks that wait in `aclose`: they do not wait for one another."""

    async def serve(
        self, host: str | None, port: int, *, ssl_context: ssl.SSLContext | None = None
    ) -> None:
        """Listen on `host` (None for every interface) and `port` (0 for a free one), and serve.

        With `ssl_context` the connections are encrypted. Returns after `aclose`, and raises
        OSError when it cannot listen or the context is no server's. Cancelled, it closes
        every connection at once and cancels the handlers.
        """
        async with self._listen(host, port, ssl_context) as (_, home):
            await home.closing.wait()

    @asynccontextmanager
    async def listening(
        self, host: str | None, port: int, *, ssl_context: ssl.SSLContext | None = None
    ) -> AsyncGenerator[Bound]:
        """Serve in the background for as long as the block runs; gives the Bound.

        Leaving the block closes the connections at once and cancels the handlers, unless
        `aclose` has been called: then it waits for that graceful end. Raises and is
        cancelled like `serve`.
        """
        async with self._listen(host, port, ssl_context) as (listener, _):
            names: list[tuple[str, int]] = [sock.getsockname() for sock in listener.sockets]
            yield Bound(tuple((name[0], name[1]) for name in names))

    def protocol_factory(self, ssl_context: ssl.SSLContext | None = None) -> asyncio.BaseProtocol:
        """A protocol for one connection, for a listener of your own: `loop.create_server`.

        For TLS give `ssl_context` here, by `functools.partial`, and not to the listener,
        which would not let a client read why it was refused while it is still sending.
        `aclose` closes such connections too, but not their listener.
        """
        self._loop.rearm()
        return open_connection(self._core, self._elsewhere, ssl_context)

    async def aclose(self, grace: float = GRACE) -> None:
        """Stop accepting, tell the clients, let handlers finish, close.

        What has not ended after `grace` seconds is cancelled, and then it returns. Called by
        a handler, it does not wait for that one. Cancelled, it waits no longer; all the rest
        takes its course.
        """
        elsewhere, self._elsewhere = self._elsewhere, Home()
        homes = [*self._listeners, elsewhere]
        listeners = [listener for listener in self._listeners.values() if listener is not None]
        for listener in listeners:
            stop(listener)
        self._alone()
        shut_down(self._core)
        closer = asyncio.current_task()
        assert closer is not None
        self._closers.add(closer)
        try:
            for home in homes:
                home.close(grace)
                home.look()
            await arrivals()
            for listener in listeners:
                listener.close()
            for home in homes:
                await home.empty(self._closers)
                abandon(self._core, home)
        finally:
            self._closers.discard(closer)

    def _alone(self) -> None:
        """Take nothing more from other workers."""
        neighbours = self._core.engine.neighbours
        if neighbours is not None and neighbours.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(neighbours.fileno())
            neighbours.close()

    @asynccontextmanager
    async def _listen(
        self, host: str | None, port: int, context: ssl.SSLContext | None
    ) -> AsyncGenerator[tuple[asyncio.Server, Home]]:
        loop = asyncio.get_running_loop()
        if context is not None:
            Tls(context)  # raises for one that would fail with every client
        home = Home()
        self._listeners[home] = listener = None
        try:
            # TLS is ours, and comes later: see tls.py. The server starts when it can be closed:
            # cancelled while it starts one, `create_server` would leave it listening.
            factory = partial(open_connection, self._core, home, context)
            neighbours = self._core.engine.neighbours
            listener = await loop.create_server(
                factory, host, port, start_serving=False, reuse_port=neighbours is not None or None
            )
            self._listeners[home] = listener
            if not home.closing.is_set():
                await listener.start_serving()
                if neighbours is not None:
                    made = partial(open_connection, self._core, home, None)
                    loop.add_reader(neighbours.fileno(), receive_from, neighbours, home, made)
            self._loop.rearm()
            yield listener, home
            if home.closing.is_set():
                await home.empty()
        finally:
            del self._listeners[home]
            if listener is not None:
                stop(listener)
            self._alone()
            home.end()
            abandon(self._core, home)
            try:
                await arrivals()
            finally:
                if listener is not None:
                    listener.close()
            await home.empty()


def stop(listener: asyncio.Server) -> None:
    """Accept no more, but do not close yet.

    A connection that asyncio has just accepted would hang, open and unknown to anybody
    (CPython's issue 109564): it is let in, and closed by its home.
    """
    for sock in listener.sockets:
        with suppress(NotImplementedError):  # of a loop without readers, which has no such gap
            asyncio.get_running_loop().remove_reader(sock.fileno())


async def arrivals() -> None:
    """Wait until every connection that has been accepted is known."""
    for _ in range(ARRIVING):
        await asyncio.sleep(0)
