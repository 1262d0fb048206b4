"""The pump between Trio and the core: tasks, one timer, and waiting.

What it does not know: packets, sessions, transports.
"""

from __future__ import annotations

import logging
import math
from contextlib import AbstractContextManager, nullcontext
from typing import TypeVar

import trio

from sansocket.sansio.backend import (
    Begin,
    Callback,
    Driven,
    Start,
    TaskFunction,
    fire,
    next_deadline,
)

from .home import Home

logger: logging.Logger = logging.getLogger("sansocket")

T = TypeVar("T")


class TrioRuntime:
    """What the core asks of an event loop, in Trio's terms.

    A session's `home` is that of the `serve` which its connection came through: its
    handlers run there, and end with it.
    """

    def __init__(self) -> None:
        self.rearmed: trio.Event = trio.Event()

    def rearm(self) -> None:
        """Wake the timer."""
        self.rearmed.set()

    def home_of(self, home: object) -> Home:
        """The nursery that a task is for."""
        assert isinstance(home, Home)
        return home

    def spawn(self, function: Begin, home: object) -> None:
        """Run a handler in a task of the server."""
        self.home_of(home).handle(function)

    def workers(self, home: object) -> None:
        """Trio lets nobody run in the name of a task that sleeps."""

    def spawn_cancellable(self, function: TaskFunction, home: object, done: Callback) -> Callback:
        """Run a handler as a task that can be cancelled alone."""
        scope = trio.CancelScope()

        async def run() -> None:
            try:
                with scope:
                    await function()
            finally:
                done()

        self.home_of(home).nursery.start_soon(run)
        return scope.cancel

    def log(self, message: str, error: Exception | None) -> None:
        """Write to the log: see `Runtime.log`."""
        logger.log(logging.INFO if error is None else logging.ERROR, message, exc_info=error)

    async def wait(self, start: Start[T], timeout: float | None) -> T:
        """Wait for what `start` promises; raises trio.TooSlowError after `timeout` seconds."""
        done = trio.Event()
        results: list[T | Exception] = []

        def resolve(result: T | Exception) -> None:
            if not results:
                results.append(result)
                done.set()

        limit: AbstractContextManager[object] = (
            nullcontext() if timeout is None else trio.fail_after(timeout)
        )
        forget = start(resolve)
        try:
            with limit:
                await done.wait()
        finally:
            forget()
        [result] = results
        if isinstance(result, Exception):
            raise result
        return result


async def keep_time(core: Driven, runtime: TrioRuntime, lock: trio.Lock) -> None:
    """Be the one timer of a server or a client, for as long as this task lives.

    Every `serve` has such a task; the lock lets one of them work, and another take over
    when that one's `serve` ends.
    """
    async with lock:
        while True:
            deadline = due(core)
            with trio.move_on_at(deadline):
                # A scope for each change would cost 15 us (Trio 0.35): one that ends too early
                # does no harm, and so it stays while nothing is due before.
                while due(core) >= deadline:
                    await runtime.rearmed.wait()
                    runtime.rearmed = trio.Event()
                    fire_all(core)
            fire_all(core)


def due(core: Driven) -> float:
    """When `fire` is due (seconds)."""
    deadline = next_deadline(core)
    return math.inf if deadline is None else deadline


def fire_all(core: Driven) -> None:
    """Do all that is due now; raises no Exception."""
    try:
        fire(core, trio.current_time())
    except Exception:
        # What else is due stays due, and comes at once (security rule T1).
        logger.exception("timer failed")
