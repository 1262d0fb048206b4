"""The pump between asyncio and the core: tasks, one timer, and waiting.

What it does not know: packets, sessions, transports.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Protocol, TypeVar

from sansocket.sansio.engineio.server import Engine
from sansocket.sansio.runtime import Start

logger = logging.getLogger("sansocket")

T = TypeVar("T")


class Core(Protocol):
    """A server of the core: `App` or `EngineApp`."""

    @property
    def engine(self) -> Engine:
        """What carries the connections, and knows the deadlines."""
        ...

    def deliver(self) -> None:
        """Hand the events that have come to their handlers."""


class Home:
    """Where the handlers of one `serve` run: tasks that end with it."""

    def __init__(self) -> None:
        self.told_to_end = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    def run(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Start a task, and hold it until it is done: the loop alone would not."""
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def others(self) -> list[asyncio.Task[None]]:
        """The tasks, but for the one that asks."""
        return [task for task in self._tasks if task is not asyncio.current_task()]

    async def cancel(self) -> None:
        """Cancel the tasks, and wait until they have ended."""
        others = self.others()
        for task in others:
            task.cancel()
        if others:
            await asyncio.wait(others)


class AsyncioRuntime:
    """What the core asks of an event loop, in asyncio's terms.

    The timer is the loop's own: one `call_at` for the next deadline of the whole server.
    """

    def __init__(self) -> None:
        self.core: Core
        self._handle: asyncio.Handle | None = None
        self._looking = False

    def rearm(self) -> None:
        """Look at the next deadline as soon as the core has returned."""
        if not self._looking:
            self._looking = True
            asyncio.get_running_loop().call_soon(self._look)

    def _look(self) -> None:
        self._looking = False
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        deadline = self.core.engine.next_deadline()
        if deadline is not None:
            loop = asyncio.get_running_loop()
            self._handle = loop.call_at(max(deadline, loop.time()), self._fire, deadline)

    def _fire(self, deadline: float) -> None:
        # A loop may call a hair before the time, by the resolution of its clock.
        now = max(deadline, asyncio.get_running_loop().time())
        self.core.engine.handle_timeout(now)
        self.core.deliver()
        self._look()

    def spawn(self, function: Callable[[], Coroutine[Any, Any, None]], home: object) -> None:
        """Run a handler as a task of the server."""
        assert isinstance(home, Home)
        home.run(function())

    def spawn_cancellable(
        self,
        function: Callable[[], Coroutine[Any, Any, None]],
        home: object,
        done: Callable[[], None],
    ) -> Callable[[], None]:
        """Run a handler as a task that can be cancelled alone."""
        assert isinstance(home, Home)
        task = home.run(function())
        task.add_done_callback(lambda _: done())

        def cancel() -> None:
            task.cancel()

        return cancel

    def log(self, message: str, error: Exception | None) -> None:
        """Write to the log: see `Runtime.log`."""
        if error is None:
            logger.info(message)
        else:
            logger.error(message, exc_info=error)

    async def wait(self, start: Start[T], timeout: float | None) -> T:
        """Wait for what `start` promises; raises TimeoutError after `timeout` seconds."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()

        def resolve(result: T | Exception) -> None:
            if future.done():
                return
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)

        forget = start(resolve)
        try:
            async with asyncio.timeout(timeout):
                return await future
        finally:
            forget()
