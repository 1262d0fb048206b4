"""What the core asks of an event loop, in asyncio's terms: tasks, one timer, and waiting.

What it does not know: packets, sessions, transports.
"""

from __future__ import annotations

import asyncio
from math import inf
from typing import TypeVar

from sansocket.sansio.backend import (
    Begin,
    Callback,
    Driven,
    Start,
    TaskFunction,
    Workers,
    fire,
    next_deadline,
)

from .home import Home, logger

T = TypeVar("T")


class AsyncioRuntime:
    """The pump between the loop and the core; one server or client has one.

    The timer is the loop's own: one `call_at`, for the next deadline of the whole server or client.
    """

    def __init__(self) -> None:
        self.core: Driven
        self._looking: asyncio.AbstractEventLoop | None = None
        """The loop that will look at the next deadline; the one before may have been closed."""
        self._timer: asyncio.TimerHandle | None = None
        self._timed: asyncio.AbstractEventLoop | None = None
        """The loop that has the timer."""
        self._due = inf
        """When it comes (seconds)."""

    def rearm(self) -> None:
        """Look at the next deadline as soon as the core has returned."""
        loop = asyncio.get_running_loop()
        if self._looking is not loop:
            self._looking = loop
            loop.call_soon(self._look, loop)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        """Do what is due already; the core asks for that too, by a deadline of now."""
        self._looking = None
        deadline = next_deadline(self.core)
        if deadline is not None and deadline <= loop.time():
            self._fire(loop, deadline)
        else:
            self._set(loop, deadline)

    def _set(self, loop: asyncio.AbstractEventLoop, deadline: float | None) -> None:
        if self._timer is not None:
            # One that comes too early looks again. Deadlines are given up more often than met,
            # and to set the timer for each would cost a connection 2 us (CPython 3.11).
            if deadline is not None and self._timed is loop and self._due <= deadline:
                return
            self._timer.cancel()
            self._timer = None
        if deadline is not None:
            self._timed, self._due = loop, deadline
            self._timer = loop.call_at(max(deadline, loop.time()), self._rung, loop, deadline)

    def _rung(self, loop: asyncio.AbstractEventLoop, deadline: float) -> None:
        self._timer = None
        self._fire(loop, deadline)

    def _fire(self, loop: asyncio.AbstractEventLoop, deadline: float) -> None:
        try:
            # A loop may call a hair early, by the resolution of its clock.
            fire(self.core, max(deadline, loop.time()))
        except Exception:
            # One deadline is one client's; the others' are still to come (security rule T1).
            logger.exception("timer failed")
        self._set(loop, next_deadline(self.core))

    def place_of(self, home: object) -> Home:
        """Where a task lives, and ends."""
        assert isinstance(home, Home)
        return home

    def spawn(self, function: Begin, home: object) -> None:
        """Run a handler in a task of the server."""
        self.place_of(home).handle(function)

    def workers(self, home: object) -> Workers | None:
        """Those who can be lent, to begin a handler at once."""
        assert isinstance(home, Home)
        return home.workers

    def spawn_cancellable(self, function: TaskFunction, home: object, done: Callback) -> Callback:
        """Run a handler as a task that can be cancelled alone."""
        task = self.place_of(home).run(function())
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
