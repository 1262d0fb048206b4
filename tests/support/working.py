"""Tasks stepped by hand, for workers without a loop; with a stage or without."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from contextvars import Context
from typing import Any

from sansocket.sansio.runtime import Begin
from sansocket.sansio.workers import Workers
from support.first_step import begun

TaskFunction = Callable[[], Coroutine[Any, Any, None]]


class Trap:
    """What a task waits for: it goes on with what it is given."""

    def __await__(self) -> Generator[Trap, Any, Any]:
        return (yield self)


class Sleep:
    """Where the loop below lets a worker sleep."""

    def __init__(self) -> None:
        self.trap: Trap | None = None

    async def sleep(self) -> None:
        self.trap = Trap()
        await self.trap

    def wake(self) -> None:
        assert self.trap is not None
        self.trap = None


class Loop:
    """Tasks, stepped by hand: each stands where it waits."""

    def __init__(self) -> None:
        self.bed = Sleep()
        self.fresh: list[Coroutine[Any, Any, None]] = []
        self.waiting: dict[Coroutine[Any, Any, None], Trap] = {}
        self.started = 0
        self.contexts: dict[Coroutine[Any, Any, None], Context] = {}
        self.keeps = True
        self.workers = Workers(self._start, self.bed, lambda: self.keeps)

    def _start(self, work: TaskFunction, context: Context) -> None:
        self.started += 1
        task = work()
        self.contexts[task] = context
        self.fresh.append(task)

    def step(self, task: Coroutine[Any, Any, None], answer: object = None) -> None:
        """Let a task go on to where it waits next."""
        try:
            if isinstance(answer, BaseException):
                self.waiting[task] = self.contexts[task].run(task.throw, answer)
            else:
                self.waiting[task] = self.contexts[task].run(task.send, answer)
        except StopIteration:
            self.waiting.pop(task, None)

    def run(self) -> None:
        """Begin the tasks that have been started, and wake the sleeper that was called."""
        for task, trap in list(self.waiting.items()):
            if self.asleep(task) and trap is not self.bed.trap:
                self.step(task)
        while self.fresh:
            self.step(self.fresh.pop(0))

    def asleep(self, task: Coroutine[Any, Any, None]) -> bool:
        return "Sleep.sleep" in str(getattr(task, "cr_await", ""))

    @property
    def handling(self) -> list[Coroutine[Any, Any, None]]:
        """The tasks in whose handlers something waits."""
        return [task for task in self.waiting if not self.asleep(task)]


class Stage:
    """Lends the sleeper of a `Loop`, unless something is being done in its name."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self.entered = False
        self.went_on = 0

    def enter(self) -> None:
        if self.entered:
            raise RuntimeError("there is a current task")
        self.entered = True

    def leave(self) -> None:
        self.entered = False

    def go_on(self) -> None:
        self.went_on += 1
        self._loop.bed.wake()


class Lending(Loop):
    """The same, whose worker can be lent."""

    def __init__(self) -> None:
        super().__init__()
        self.stage = Stage(self)
        self.workers = Workers(self._start, self.bed, lambda: self.keeps, self.stage)

    def rest(self) -> None:
        """Have a worker that sleeps."""
        self.workers.run(lambda: None)
        self.run()

    def lend(self, job: Begin) -> bool:
        """Begin a job by this name."""
        return self.workers.lend(lambda job, _: job(), lambda job, rest: rest, job, None)


def stepped(job: Begin) -> Coroutine[Any, Any, None] | None:
    """Begin a job as a handler is begun: what is left after its first step."""
    coroutine = job()
    return None if coroutine is None else begun(coroutine)
