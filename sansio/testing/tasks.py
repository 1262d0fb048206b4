"""Coroutines that are stepped without an event loop.

Which of several that can go on does so first is drawn by lot, for no event loop promises an
order. This module knows neither servers nor clients.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Generator
from random import Random
from typing import Any, Protocol

from ..runtime import TaskFunction
from .clock import Clock
from .errors import Cancelled


def nothing() -> None:
    """Nobody wants to know."""


class Owner(Protocol):
    """The process that a task runs in."""

    @property
    def resumes_at(self) -> float:
        """When it goes on: a time that is past, unless it stands still."""
        ...


class Parking(Awaitable[None]):
    """What a task awaits until it is resumed: the only thing that one may await in the end."""

    def __init__(self) -> None:
        self.task: Task | None = None
        self.over: bool = False

    def __await__(self) -> Generator[Any, Any, None]:
        while not self.over:
            yield self

    def resume(self) -> None:
        """Let the task go on."""
        self.over = True
        if self.task is not None:
            self.task.resume()


class Task:
    """A coroutine, and what is to be done when it has ended, however it does."""

    def __init__(
        self,
        tasks: Tasks,
        function: TaskFunction,
        owner: Owner,
        done: Callable[[], None],
    ) -> None:
        self.owner = owner
        self.over: bool = False
        self._tasks = tasks
        self._function = function
        # Made when it begins: Python warns of one that is dropped before.
        self._coroutine: Coroutine[Any, Any, None] | None = None
        self._done = done
        self._cancelled = False
        self._running = False

    def resume(self) -> None:
        """It can go on."""
        if not self.over:
            self._tasks.ready[self] = None

    def cancel(self) -> None:
        """Raise `Cancelled` in it where it waits, soon; no effect once it is over."""
        self._cancelled = True
        self.resume()

    def kill(self) -> None:
        """End it where it waits, at once, as when its process is killed."""
        if self.over or self._running:
            return
        if self._coroutine is not None:
            self._coroutine.close()
        self.end()

    def step(self) -> None:
        """Let it go on until it waits again; raises what it raises."""
        self._running = True
        try:
            if self._cancelled:
                self._cancelled = False
                if self._coroutine is None:
                    raise Cancelled
                waits_for = self._coroutine.throw(Cancelled())
            else:
                self._coroutine = self._coroutine or self._function()
                waits_for = self._coroutine.send(None)
        except (StopIteration, Cancelled):
            self.end()
        except BaseException:
            self.end()
            raise
        else:
            self._running = False
            if not isinstance(waits_for, Parking):
                self.kill()
                raise TypeError(
                    f"a coroutine in a simulation may wait for nothing else, got {waits_for!r}"
                )
            waits_for.task = self

    def end(self) -> None:
        """It has ended."""
        self.over = True
        self._tasks.forget(self)
        self._done()


class Tasks:
    """Every task of a simulation."""

    def __init__(self, clock: Clock, random: Random) -> None:
        self.ready: dict[Task, None] = {}
        """Those that can go on."""
        self._clock = clock
        self._random = random
        self._alive: dict[Task, None] = {}

    def __len__(self) -> int:
        return len(self._alive)

    def spawn(
        self,
        function: TaskFunction,
        owner: Owner,
        done: Callable[[], None] = nothing,
    ) -> Task:
        """Run a coroutine function; `done` is called when it has ended, also unbegun."""
        task = Task(self, function, owner, done)
        self._alive[task] = None
        task.resume()
        return task

    def of(self, owner: Owner) -> list[Task]:
        """The tasks of a process."""
        return [task for task in self._alive if task.owner is owner]

    def forget(self, task: Task) -> None:
        """It has ended."""
        self._alive.pop(task, None)
        self.ready.pop(task, None)

    def step(self) -> None:
        """Let one that can go on do so; raises what it raises."""
        ready = list(self.ready)
        task = ready[0] if len(ready) == 1 else self._random.choice(ready)
        del self.ready[task]
        if task.owner.resumes_at > self._clock.now:
            self._clock.at(task.owner.resumes_at, task.resume)
        else:
            task.step()
