"""A runtime without a loop: coroutines are stepped by hand, and nothing waits for a clock."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextvars import Context
from itertools import count
from typing import Any, Generic, TypeVar

from sansocket.sansio.runtime import Begin, Start, run
from sansocket.sansio.workers import Workers

T = TypeVar("T")


class Pause(Awaitable[None]):
    """One step: whoever awaits it goes on when the runtime is run again."""

    def __await__(self) -> Generator[Any, Any, None]:
        yield


class Gate:
    """What a handler of a test waits for until the test opens it."""

    def __init__(self) -> None:
        self.is_open = False

    def open(self) -> None:
        """Let everybody through at the runtime's next run."""
        self.is_open = True

    async def wait(self) -> None:
        """Wait until it is open."""
        while not self.is_open:
            await Pause()


class LoopFree:
    """The core's `Runtime`; `run` steps every task until none can go on at once."""

    def __init__(self) -> None:
        self.tasks: list[Coroutine[Any, Any, None]] = []
        self.homes: list[object] = []
        self.logged: list[tuple[str, Exception | None]] = []
        self.rearmed = 0

    def rearm(self) -> None:
        """Count the calls."""
        self.rearmed += 1

    def spawn(self, function: Begin, home: object) -> None:
        """Keep the task for `run`."""
        self.tasks.append(run(function))
        self.homes.append(home)

    def workers(self, home: object) -> Workers | None:
        """Nobody is lent."""
        return None

    def spawn_cancellable(
        self,
        function: Callable[[], Coroutine[Any, Any, None]],
        home: object,
        done: Callable[[], None],
    ) -> Callable[[], None]:
        """The same; cancelled, the task ends where it waits."""

        async def run() -> None:
            try:
                await function()
            finally:
                done()

        task = run()
        self.tasks.append(task)
        self.homes.append(home)

        def cancel() -> None:
            if task in self.tasks:
                self.tasks.remove(task)
                not_begun = is_fresh(task)
                task.close()
                if not_begun:
                    done()

        return cancel

    def log(self, message: str, error: Exception | None) -> None:
        """Keep what is logged."""
        self.logged.append((message, error))

    async def wait(self, start: Start[T], timeout: float | None) -> T:
        """Wait for what `start` promises; no time passes here, so `timeout` is nothing."""
        results: list[T | Exception] = []
        forget = start(results.append)
        try:
            while not results:
                await Pause()
        finally:
            forget()
        result = results[0]
        if isinstance(result, Exception):
            raise result
        return result

    def run(self) -> None:
        """Step every task twice: once for what has come, once for what that has brought.

        Those that have been spawned meanwhile are begun, and so on until there are no more.
        """
        for _ in range(2):
            self._step(self.tasks)
        while fresh := [task for task in self.tasks if is_fresh(task)]:
            self._step(fresh)

    def _step(self, tasks: list[Coroutine[Any, Any, None]]) -> None:
        for task in list(tasks):
            try:
                task.send(None)
            except StopIteration:
                self.tasks.remove(task)

    def cancel(self) -> None:
        """End every task where it waits, as a backend does when it is cancelled."""
        for task in self.tasks:
            task.close()
        self.tasks.clear()


class Lending(LoopFree):
    """The same, with workers that are lent to begin a handler at once."""

    def __init__(self) -> None:
        super().__init__()
        self._bed = Bed()
        self._workers = Workers(self._start, self._bed, lambda: True, self._bed)
        self._workers.run(lambda: None)

    def _start(self, work: Callable[[], Coroutine[Any, Any, None]], context: Context) -> None:
        self.tasks.append(work())

    def spawn(self, function: Begin, home: object) -> None:
        """Let a worker do it."""
        self._workers.run(function)

    def workers(self, home: object) -> Workers:
        """The same for everybody."""
        return self._workers


class Bed:
    """Where the worker sleeps, and what may be done meanwhile in its name."""

    def __init__(self) -> None:
        self._sleeps = 0
        self._entered = False

    async def sleep(self) -> None:
        """Wait to be woken; another one may sleep here before this one goes on."""
        self._sleeps += 1
        number = self._sleeps
        while self._sleeps == number:
            await Pause()

    def wake(self) -> None:
        """Let it go on."""
        self._sleeps += 1

    go_on = wake

    def enter(self) -> None:
        """Nobody else may, until `leave`."""
        if self._entered:
            raise RuntimeError("there is a current task")
        self._entered = True

    def leave(self) -> None:
        """It sleeps on."""
        self._entered = False


def is_fresh(task: Coroutine[Any, Any, None]) -> bool:
    """Whether it has not begun."""
    return inspect.getcoroutinestate(task) == inspect.CORO_CREATED


def counting_entropy() -> Callable[[int], bytes]:
    """Bytes that count up: each id is new, and the same in every run."""
    numbers = count(1)
    return lambda size: next(numbers).to_bytes(size, "big")


class Task(Generic[T]):
    """A coroutine that is stepped with the handlers, and what has come of it."""

    def __init__(self, runtime: LoopFree, coroutine: Coroutine[Any, Any, T]) -> None:
        self._runtime = runtime
        self._coroutine = coroutine
        self._results: list[T | Exception] = []
        self.runner = self._run()
        runtime.tasks.append(self.runner)
        runtime.homes.append(None)
        runtime.run()

    async def _run(self) -> None:
        try:
            self._results.append(await self._coroutine)
        except Exception as error:
            self._results.append(error)

    @property
    def done(self) -> bool:
        """Whether it has come to its end."""
        return bool(self._results)

    @property
    def result(self) -> T:
        """What it returned; raises what it raised."""
        [result] = self._results
        if isinstance(result, Exception):
            raise result
        return result

    def cancel(self) -> None:
        """End it where it waits."""
        self._runtime.tasks.remove(self.runner)
        self.runner.close()
