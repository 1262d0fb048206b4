"""Where the connections and the handlers of one `serve` live, and how they end with it.

What it does not know: what a connection carries, and what a handler does.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Set
from contextvars import Context
from functools import partial
from math import inf
from typing import Any, Protocol

from sansocket.sansio.backend import CHUNK, Begin, Call, Flushable, Flushes, TaskFunction, Workers

logger: logging.Logger = logging.getLogger("sansocket")


class Guest(Protocol):
    """A connection, as its home sees it."""

    def finish(self) -> None:
        """End in good order."""

    def abort(self) -> None:
        """End now."""


class Bed:
    """Where a worker sleeps: on a future."""

    enter: Call
    leave: Call

    def __init__(self) -> None:
        self._future: asyncio.Future[None] | None = None
        self._going_on: asyncio.Future[None] | None = None
        """That of a sleeper in whose name something was begun."""

    async def sleep(self) -> None:
        """Wait for `wake`."""
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        # What asyncio's documentation has, under "Extending", for other kinds of tasks.
        self.enter = partial(asyncio._enter_task, loop, task)
        self.leave = partial(asyncio._leave_task, loop, task)
        self._future = future = loop.create_future()
        try:
            await future
        except asyncio.CancelledError:
            if self._going_on is not future:
                raise
            # It is meant for what was begun: asyncio throws it in where that awaits next.
            task.uncancel()
            task.cancel()

    def wake(self) -> None:
        """Let the worker go on."""
        if self._future is not None and not self._future.done():
            self._future.set_result(None)

    def go_on(self) -> None:
        """The same, with what was begun in its name."""
        self._going_on = self._future
        self.wake()


class Home:
    """Holds connections and tasks, and lets nothing outlive it."""

    def __init__(self) -> None:
        self.buffer: memoryview = memoryview(bytearray(CHUNK))
        """What is read comes in here: one for all connections, for it is emptied at once."""
        self.closing: asyncio.Event = asyncio.Event()
        """Set when what lives here has been told to end in good order."""
        self._guests: set[Guest] = set()
        self._flushes = Flushes(self._flush_soon)
        self.wake: Callable[[Flushable], None] = self._flushes.wake
        """Write to a connection soon."""
        bed = Bed()
        self.workers: Workers = Workers(self._start, bed, self._wanted, bed)
        self.handle: Callable[[Begin], None] = self.workers.run
        """Run a handler."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._deadline = inf
        self._timer: asyncio.TimerHandle | None = None
        self._over = False

    def enter(self, guest: Guest) -> None:
        """A connection has come; one that comes too late ends at once."""
        self._guests.add(guest)
        if self._over:
            guest.abort()
        elif self.closing.is_set():
            guest.finish()

    def leave(self, guest: Guest) -> None:
        """A connection is gone."""
        self._guests.discard(guest)
        if not self._guests:
            self.workers.dismiss()
        self.look()

    def _flush_soon(self) -> None:
        asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        if self._flushes.flush():
            self._flush_soon()

    def _wanted(self) -> bool:
        return bool(self._guests) and not self.closing.is_set() and not self._over

    def _start(self, work: TaskFunction, context: Context) -> None:
        self.run(work(), context)

    def run(
        self, coroutine: Coroutine[Any, Any, None], context: Context | None = None
    ) -> asyncio.Task[None]:
        """Start a task, and hold it until it is done: the loop alone would not."""
        task = asyncio.get_running_loop().create_task(coroutine, context=context)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        if self._over:
            cancel_soon(task)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self.look()
        if not task.cancelled():
            if (error := task.exception()) is not None:
                # No Exception leaves a handler; this is one of ours, or of another kind.
                logger.error("task failed", exc_info=error)
        elif not task.cancelling():
            # Nobody has cancelled the task itself, but what it waited for.
            logger.error("task cancelled from within: %r", task)

    # The end

    def close(self, grace: float) -> None:
        """Tell all that lives here to end, and end what still does after `grace` seconds.

        Called again it can only shorten what was granted before.
        """
        self.closing.set()
        self.workers.dismiss()
        for guest in list(self._guests):
            guest.finish()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + grace
        if deadline < self._deadline:
            self._deadline = deadline
            if self._timer is not None:
                self._timer.cancel()
            self._timer = loop.call_at(deadline, self.end)

    def end(self) -> None:
        """Abort the connections and cancel the tasks, also those that are still to come."""
        self._over = True
        self.workers.dismiss()
        if self._timer is not None:
            self._timer.cancel()
        for guest in list(self._guests):
            guest.abort()
        for task in self._tasks:
            cancel_soon(task)

    async def empty(self, but: Set[asyncio.Task[Any]] = frozenset()) -> None:
        """Wait until nothing lives here any more, apart from these tasks.

        `but` may change meanwhile; `look` tells so. Cancelled, it waits no longer.
        """
        while self._guests or not self._tasks <= but:
            self._changed.clear()
            await self._changed.wait()

    def look(self) -> None:
        """Who waits for the end has to look again."""
        self._changed.set()


def cancel_soon(task: asyncio.Task[None]) -> None:
    """Cancel a task; one that has just been started comes to its first `await` before.

    So the handler of a disconnect that needs no time is called even when all ends at once.
    """
    asyncio.get_running_loop().call_soon(task.cancel)
