"""Tasks for handlers: one works them off in turn, for as long as none of them waits.

A task for every handler costs more than most handlers do. So the first step of each is taken
by a worker that takes the next when the handler has ended; one in whose handler something
waits stays with that handler to its end, and another takes over. To the handler that is a
task like any other.

This module does not know the event loop: a backend starts tasks, and lets one sleep.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextvars import Context, copy_context
from typing import Protocol

from .first_step import Rest
from .runtime import Begin, TaskFunction


class Bed(Protocol):
    """Where one task of a backend sleeps."""

    async def sleep(self) -> None:
        """Wait until `wake` is called; cancelled, it is forgotten."""

    def wake(self) -> None:
        """Let the task that sleeps go on; there is one."""


class Workers:
    """The tasks that work off the handlers of one home, in the order in which they come.

    `start` starts a task, in the context in which it is called; `keep` says whether a worker
    may wait for jobs to come, and is asked when it has none. Every handler begins in a
    context equal to that in which the workers were made: a worker in whose context a handler
    has set a variable takes no other.
    """

    # On asyncio a handler that does not wait costs 0.5 us so, and 2.4 us with a task of its
    # own; on Trio 0.6 us and 6 us (CPython 3.11). test_workers.py holds both ways equal.

    __slots__ = ("_bed", "_context", "_jobs", "_keep", "_sleeping", "_start", "_working")

    def __init__(
        self, start: Callable[[TaskFunction], None], bed: Bed, keep: Callable[[], bool]
    ) -> None:
        self._start = start
        self._keep = keep
        self._bed = bed
        self._context: Context = copy_context()
        self._jobs: deque[Begin] = deque()
        self._working: object = None
        """The worker that takes the next job."""
        self._sleeping = False
        """Whether it has none, and waits for one."""

    def run(self, job: Begin) -> None:
        """Run a handler, after those that came before it have ended or wait."""
        self._jobs.append(job)
        if self._sleeping:
            self._sleeping = False
            self._bed.wake()
        elif self._working is None:
            self._hire()

    def dismiss(self) -> None:
        """`keep` says something else now: the worker that waits for jobs looks again."""
        if self._sleeping:
            self._sleeping = False
            self._bed.wake()

    def _hire(self) -> None:
        self._working = worker = object()
        self._context.copy().run(self._start, lambda: self._work(worker))

    async def _work(self, worker: object) -> None:
        """The life of one worker; raises what no handler should."""
        jobs = self._jobs
        try:
            while self._working is worker:
                while jobs:
                    coroutine = jobs.popleft()()
                    if coroutine is not None:
                        try:
                            trap = coroutine.send(None)
                        except StopIteration:
                            pass
                        else:
                            self._leave(worker)
                            await Rest(coroutine, trap)
                            return
                    if copy_context() != self._context:
                        return
                if not self._keep():
                    return
                self._sleeping = True
                try:
                    await self._bed.sleep()
                finally:
                    self._sleeping = False
        finally:
            self._leave(worker)

    def _leave(self, worker: object) -> None:
        """Another one takes the next job, if there is any."""
        if self._working is worker:
            self._working = None
            if self._jobs:
                self._hire()
