"""Where the connections and the handlers of one `serve` live, and how they end with it.

What it does not know: what a connection carries, and what a handler does.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager
from contextvars import Context
from typing import NoReturn

import trio

from sansocket.sansio.backend import Begin, Flushable, Flushes, TaskFunction, Workers

from .reading import AVAILABLE, Reading


class Bed:
    """Where one task sleeps. An Event would cost it a new one for each time."""

    def __init__(self) -> None:
        self._sleeper: trio.lowlevel.Task | None = None

    async def sleep(self) -> None:
        """Wait for `wake`; cancelled, it is forgotten."""
        self._sleeper = trio.lowlevel.current_task()
        await trio.lowlevel.wait_task_rescheduled(self._abort)

    def _abort(self, _: object) -> trio.lowlevel.Abort:
        self._sleeper = None
        return trio.lowlevel.Abort.SUCCEEDED

    def wake(self) -> None:
        """Let the task go on; no effect where none sleeps."""
        sleeper, self._sleeper = self._sleeper, None
        if sleeper is not None:
            trio.lowlevel.reschedule(sleeper)


class Home:
    """The nursery of one `serve`, with the tasks that read, write and handle.

    Between two checkpoints each of them reads from at most 256 connections, and writes to at most
    512, however many are ready: then what else the program does has its turn.
    """

    def __init__(self, nursery: trio.Nursery) -> None:
        self.nursery = nursery
        self._closed = False
        self.reading: Reading | None = Reading() if AVAILABLE else None
        """What reads from connections without encryption."""
        self._bed = Bed()
        self._flushes = Flushes(self._begin)
        self.wake: Callable[[Flushable], None] = self._flushes.wake
        """Write to a connection soon."""
        self._reads = False
        """Whether `keep_reading` is at its connections, and writes when it has been at all."""
        self._answers = False
        """Whether it has to."""
        self._workers = Workers(self._start, Bed(), lambda: not self._closed)
        self.handle: Callable[[Begin], None] = self._workers.run
        """Run a handler."""

    def _start(self, work: TaskFunction, context: Context) -> None:
        context.run(self.nursery.start_soon, work)

    def close(self) -> None:
        """Keep no task waiting for handlers: the nursery can end."""
        self._closed = True
        self._workers.dismiss()

    def _begin(self) -> None:
        if self._reads:
            self._answers = True
        else:
            self._bed.wake()

    async def keep_reading(self, reading: Reading) -> NoReturn:
        """Read, handle and write what has come of that, some connections at a time.

        It goes on until it is cancelled; what was read is handled then.
        """
        while True:
            await reading.wait()
            self._reads = True
            reading.read()
            self._reads = False
            if self._answers:
                # To wake `keep_writing` would take another turn of Trio's loop. Where that task
                # is at work already `_begin` is not called, and it goes on with these.
                self._answers = False
                if self._flushes.flush():
                    self._bed.wake()

    async def keep_writing(self) -> NoReturn:
        """Write to those that something else has woken, some at a time, until cancelled."""
        while True:
            if self._flushes.flush():
                await trio.lowlevel.checkpoint()
            else:
                await self._bed.sleep()


@asynccontextmanager
async def open_home(keep_time: Callable[[], Awaitable[None]]) -> AsyncGenerator[Home]:
    """A home, with the tasks that read, write and keep time for what lives in it.

    Leaving the block waits until nothing lives there any more, or is cancelled with what does.
    """
    with ExitStack() as ends:
        async with trio.open_nursery() as outer:
            outer.start_soon(keep_time)
            async with trio.open_nursery() as inner:
                home = Home(inner)
                outer.start_soon(home.keep_writing)
                if home.reading is not None:
                    ends.callback(home.reading.close)
                    outer.start_soon(home.keep_reading, home.reading)
                try:
                    yield home
                finally:
                    home.close()
            outer.cancel_scope.cancel()
