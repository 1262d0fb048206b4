"""Tasks for handlers: one works them off in turn, for as long as none of them waits.

A task for every handler costs more than most handlers do. So the first step of each is taken
by a worker that takes the next when the handler has ended; one in whose handler something
waits stays with that handler to its end, and another takes over. To the handler that is a
task like any other.

This module does not know the event loop: a backend starts tasks, and lets one sleep.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context, copy_context
from typing import Any, Protocol, TypeVar

from .first_step import Rest
from .runtime import Begin, Call, TaskFunction

A = TypeVar("A")
B = TypeVar("B")


class Bed(Protocol):
    """Where one task of a backend sleeps."""

    async def sleep(self) -> None:
        """Wait until `wake` is called; cancelled, it is forgotten."""

    def wake(self) -> None:
        """Let the task that sleeps go on; there is one."""


class Stage(Protocol):
    """Where something is done in the name of a task that sleeps, while it does."""

    @property
    def enter(self) -> Call:
        """To the loop that task is the current one from now on; raises RuntimeError where there is
        another."""
        ...

    @property
    def leave(self) -> Call:
        """It is no longer."""
        ...

    def go_on(self) -> None:
        """Wake it. Cancelled from now on, `sleep` returns, and its next await is cancelled."""


class Worker:
    """One task."""

    __slots__ = ("context", "error", "rest")

    def __init__(self, context: Context) -> None:
        self.context: Context = context
        """That in which it runs."""
        self.rest: Coroutine[Any, Any, None] | None = None
        """What is left of a handler that was begun in its name while it slept."""
        self.error: BaseException | None = None
        """What came out of that one, which no handler should raise."""


class Workers:
    """The tasks that work off the handlers of one home, in the order in which they come.

    `start` starts a task in a context; `keep` says whether a worker may wait for jobs to come, and
    is asked when it has none. Every handler begins in a context equal to that in which the workers
    were made: a worker in whose context a handler has set a variable takes no other.
    """

    # On asyncio a handler that does not wait costs 0.5 us so, and 2.4 us with a task of its
    # own; on Trio 0.6 us and 6 us (CPython 3.11). test_workers.py holds both ways equal.

    __slots__ = (
        "_bed",
        "_context",
        "_jobs",
        "_keep",
        "_looks",
        "_sleeper",
        "_stage",
        "_start",
        "_working",
    )

    def __init__(
        self,
        start: Callable[[TaskFunction, Context], object],
        bed: Bed,
        keep: Callable[[], bool],
        stage: Stage | None = None,
    ) -> None:
        self._start = start
        self._keep = keep
        self._bed = bed
        self._stage = stage
        self._context: Context = copy_context()
        self._jobs: deque[Begin] = deque()
        self._working: Worker | None = None
        """The worker that takes the next job."""
        self._sleeper: Worker | None = None
        """The same, where it has none and waits for one."""
        self._looks = False
        """Whether `keep` has to be asked again."""

    def run(self, job: Begin) -> None:
        """Run a handler, after those that came before it have ended or wait."""
        self._jobs.append(job)
        if self._sleeper is not None:
            self._sleeper = None
            self._bed.wake()
        elif self._working is None:
            self._hire()

    def lend(
        self,
        begin: Callable[[A, B], Coroutine[Any, Any, None] | None],
        occupy: Callable[[A, Coroutine[Any, Any, None]], Coroutine[Any, Any, None]],
        first: A,
        second: B,
    ) -> bool:
        """Begin a handler at once, in the name of the worker that sleeps, if there may be one.

        Where something is left to do, `occupy` says what that worker goes on with, and another
        takes over.
        """
        # By way of the queue an echo costs 1.1 us more, and the dozen objects that are kept for it
        # have the garbage collector run where a hundred wait (CPython 3.11).
        worker, stage = self._sleeper, self._stage
        if worker is None or stage is None:
            return False
        try:
            stage.enter()
        except RuntimeError:
            return False
        self._sleeper = None
        try:
            rest = worker.context.run(begin, first, second)
            if rest is not None:
                worker.rest = occupy(first, rest)
        except BaseException as error:
            worker.error = error
        stage.leave()
        if worker.rest is not None or worker.error is not None or worker.context != self._context:
            self._leave(worker)
            stage.go_on()
        elif self._jobs or self._looks:
            self._bed.wake()
        else:
            self._sleeper = worker
        return True

    def dismiss(self) -> None:
        """`keep` says something else now: the worker that waits for jobs looks again."""
        self._looks = True
        if self._sleeper is not None:
            self._sleeper = None
            self._bed.wake()

    def _hire(self) -> None:
        self._working = worker = Worker(self._context.copy())
        self._start(lambda: self._work(worker), worker.context)

    async def _work(self, worker: Worker) -> None:
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
                self._looks = False
                if not self._keep():
                    return
                self._sleeper = worker
                try:
                    await self._bed.sleep()
                finally:
                    if self._sleeper is worker:
                        self._sleeper = None
            if worker.rest is not None:
                await worker.rest
            elif worker.error is not None:
                raise worker.error
        finally:
            self._leave(worker)

    def _leave(self, worker: Worker) -> None:
        """Another one takes the next job, if there is any."""
        if self._working is worker:
            self._working = None
            if self._jobs:
                self._hire()
