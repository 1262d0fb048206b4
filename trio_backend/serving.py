"""Listening, serving and closing on Trio: the same for Socket.IO and for Engine.IO alone."""

from __future__ import annotations

import logging
import ssl
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from functools import partial

import trio
import trio_websocket

from sansocket.sansio.backend import GRACE, Bound, Core, abandon, shut_down

from .home import Home, open_home
from .listeners import Listener, bound_of, open_listeners
from .reception import Reception
from .runtime import TrioRuntime, keep_time
from .websocket import carry

logger: logging.Logger = logging.getLogger("sansocket")


class Serving:
    """What a server does that needs Trio; mixed into the core's `App` and `EngineApp`."""

    def _set_up(self, core: Core, runtime: TrioRuntime) -> None:
        self._core = core
        self._trio = runtime
        self._timekeeper = trio.Lock()
        self._receptions: dict[Home, Reception] = {}
        self._homes: dict[trio.Event, tuple[Home, trio.CancelScope]] = {}
        """By the event of their end, each with the scope of its accepting."""

    async def serve(
        self,
        host: str | None,
        port: int,
        *,
        ssl_context: ssl.SSLContext | None = None,
        task_status: trio.TaskStatus[Bound] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Listen on `host` (None for every interface) and `port` (0 for a free one), and serve.

        With `ssl_context` the connections are encrypted. Returns after `aclose`; until
        then it runs, and `nursery.start` returns the Bound. Raises OSError when it cannot
        listen. Cancelled, it closes every connection at once and cancels the handlers.
        """
        listeners = await self._open(host, port, ssl_context)
        await self.serve_listeners(listeners, task_status=task_status)

    async def serve_listeners(
        self,
        listeners: Sequence[Listener],
        *,
        task_status: trio.TaskStatus[Bound] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Serve connections from listeners that are open already, and close them at the end.

        Otherwise like `serve`.
        """
        await self._serve(listeners, trio.CancelScope(), task_status=task_status)

    async def _serve(
        self,
        listeners: Sequence[Listener],
        accepting: trio.CancelScope,
        *,
        task_status: trio.TaskStatus[Bound],
    ) -> None:
        async with self._home(accepting) as home:
            reception = Reception(self._core, home, accepting)
            self._receptions[home] = reception
            task_status.started(bound_of(listeners))
            await reception.accept(listeners)

    async def _open(
        self, host: str | None, port: int, ssl_context: ssl.SSLContext | None
    ) -> Sequence[Listener]:
        shared = self._core.engine.neighbours is not None
        return await open_listeners(host, port, ssl_context, shared=shared)

    @asynccontextmanager
    async def listening(
        self, host: str | None, port: int, *, ssl_context: ssl.SSLContext | None = None
    ) -> AsyncGenerator[Bound]:
        """Serve in the background for as long as the block runs; gives the Bound.

        Leaving the block closes the connections at once and cancels the handlers: call
        `aclose` in it for a graceful end, which leaving the block then waits for. An
        exception of the block comes out as it is, in no group. Raises and is cancelled
        like `serve`.
        """
        listeners = await self._open(host, port, ssl_context)
        accepting = trio.CancelScope()
        failure: Exception | None = None
        async with trio.open_nursery() as nursery:
            bound: Bound = await nursery.start(self._serve, listeners, accepting)
            try:
                yield bound
            except Exception as error:
                failure = error
            if failure is not None or not accepting.cancel_called:
                nursery.cancel_scope.cancel()
        if failure is not None:
            raise failure

    async def websocket_handler(
        self, source: trio_websocket.WebSocketRequest | trio_websocket.WebSocketConnection
    ) -> None:
        """Serve one client on a WebSocket of trio-websocket, until it ends.

        For `trio_websocket.serve_websocket(io.websocket_handler, ...)`, or with a
        connection that the application has accepted itself. trio-websocket does not tell
        the Host header, so a page's own origin is known only where it is the address that
        the server listens on: name others in `cors_allowed_origins`. Of a connection that
        was accepted before it tells no headers at all: who accepts it checks its Origin
        (security rule T31). Raises nothing for what the client does. Cancelled, it ends
        the session at once and cancels its handlers.
        """
        async with self._home(trio.CancelScope()) as home:
            await carry(self._core, source, home)

    async def aclose(self, grace: float = GRACE) -> None:
        """Stop accepting, tell the clients, let handlers finish, close.

        What still runs after `grace` seconds is cancelled; then it returns. Called by a
        handler, it does not wait for the `serve` that runs that one. Cancelled, it has told
        the clients, and waits no more.
        """
        deadline = trio.current_time() + grace
        homes = dict(self._homes)
        for home, accepting in homes.values():
            accepting.cancel()
            scope = home.nursery.cancel_scope
            scope.deadline = min(scope.deadline, deadline)
        shut_down(self._core)
        for reception in self._receptions.values():
            reception.finish()
        around = nurseries_around()
        for ended, (home, _) in homes.items():
            if home.nursery not in around:
                await ended.wait()
        await trio.lowlevel.checkpoint()

    @asynccontextmanager
    async def _home(self, accepting: trio.CancelScope) -> AsyncGenerator[Home]:
        """A home for connections and handlers, which `aclose` knows of."""
        ended = trio.Event()
        try:
            async with open_home(
                partial(keep_time, self._core, self._trio, self._timekeeper)
            ) as home:
                self._homes[ended] = home, accepting
                try:
                    yield home
                finally:
                    abandon(self._core, home)
        finally:
            found = self._homes.pop(ended, None)
            if found is not None:
                self._receptions.pop(found[0], None)
            ended.set()


def nurseries_around() -> set[trio.Nursery]:
    """The nurseries that the current task runs in."""
    found: set[trio.Nursery] = set()
    nursery = trio.lowlevel.current_task().parent_nursery
    while nursery is not None:
        found.add(nursery)
        nursery = nursery.parent_task.parent_nursery
    return found
