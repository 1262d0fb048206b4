"""One worker works off the handlers that do not wait; to a handler it is a task like any other."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from contextvars import Context, ContextVar, copy_context
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sansocket.sansio.runtime import Begin
from sansocket.sansio.workers import Workers

TaskFunction = Callable[[], Coroutine[Any, Any, None]]
NAME: ContextVar[str] = ContextVar("NAME", default="none")


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

    def _start(self, work: TaskFunction) -> None:
        self.started += 1
        task = work()
        self.contexts[task] = copy_context()
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


def test_one_task_for_many() -> None:
    """Handlers that do not wait are done in turn, by one task."""
    loop, done = Loop(), list[int]()

    def job(number: int) -> TaskFunction:
        async def handle() -> None:
            done.append(number)

        return handle

    for number in range(3):
        loop.workers.run(job(number))
    loop.run()
    for number in range(3, 6):
        loop.workers.run(job(number))
    loop.run()
    assert done == list(range(6))
    assert loop.started == 1


def test_another_takes_over() -> None:
    """Where one waits the others are not kept waiting, and it goes on with what it waited for."""
    loop, done = Loop(), list[object]()

    async def waits() -> None:
        done.append("begun")
        try:
            done.append(await Trap())
            await Trap()
        except ZeroDivisionError as error:
            done.append(type(error))

    async def follows() -> None:
        done.append("followed")

    loop.workers.run(waits)
    loop.workers.run(follows)
    loop.run()
    assert done == ["begun", "followed"]
    [task] = loop.handling
    loop.step(task, "answered")
    loop.step(task, ZeroDivisionError())
    assert done == ["begun", "followed", "answered", ZeroDivisionError]
    assert loop.handling == []
    assert loop.started == 2


def test_a_context_of_its_own() -> None:
    """What a handler sets is not seen by the next, whether it waits or not."""
    seen = list[str]()
    NAME.set("serve")
    loop = Loop()

    def job(name: str, *, waits: bool) -> TaskFunction:
        async def handle() -> None:
            seen.append(NAME.get())
            NAME.set(name)
            if waits:
                await Trap()

        return handle

    for waits in (False, True, False):
        loop.workers.run(job(f"set by {waits}", waits=waits))
    loop.run()
    NAME.set("none")
    loop.workers.run(job("", waits=False))
    loop.run()
    assert seen == ["serve"] * 4


@pytest.mark.parametrize("waits", [False, True])
def test_one_that_raises_ends_its_task_alone(waits: bool) -> None:
    """No Exception comes out of a handler; what does is the loop's, as from any task."""
    loop, done = Loop(), list[str]()

    async def fail() -> None:
        if waits:
            await Trap()
        raise KeyboardInterrupt

    async def follows() -> None:
        done.append("followed")

    loop.workers.run(fail)
    loop.workers.run(follows)
    if waits:
        loop.run()
        [task] = loop.handling
        with pytest.raises(KeyboardInterrupt):
            loop.step(task)
    else:
        with pytest.raises(KeyboardInterrupt):
            loop.run()
        loop.run()
    assert done == ["followed"]


def test_cancelled_asleep() -> None:
    """A worker that is cancelled leaves its jobs to another."""
    loop, done = Loop(), list[str]()

    async def job() -> None:
        done.append("done")

    loop.workers.run(job)
    loop.run()
    [task] = loop.waiting
    with pytest.raises(InterruptedError):
        loop.step(task, InterruptedError())
    loop.workers.run(job)
    loop.run()
    assert done == ["done"] * 2
    assert loop.started == 2


def test_one_that_is_no_coroutine() -> None:
    """A job may have done all by itself, in the task and in a context of its own."""
    loop, seen = Loop(), list[str]()

    def job() -> None:
        seen.append(NAME.get())
        NAME.set("set")

    for _ in range(3):
        loop.workers.run(job)
    loop.run()
    assert seen == ["none"] * 3
    assert loop.started == 3


def test_closed_where_it_waits() -> None:
    """Its handler ends with it."""
    loop, ended = Loop(), list[str]()

    async def job() -> None:
        try:
            await Trap()
        finally:
            ended.append("ended")

    loop.workers.run(job)
    loop.run()
    [task] = loop.handling
    task.close()
    assert ended == ["ended"]


def test_dismissed() -> None:
    """No task waits for jobs where none may, and those that come all the same are done."""
    loop, done = Loop(), list[str]()

    async def job() -> None:
        done.append("done")

    loop.workers.run(job)
    loop.run()
    loop.keeps = False
    loop.workers.dismiss()
    loop.run()
    assert loop.waiting == {}
    loop.workers.run(job)
    loop.run()
    loop.workers.dismiss()
    assert done == ["done"] * 2
    assert loop.waiting == {}


@given(st.lists(st.none() | st.integers(0, 3), max_size=8), st.randoms(use_true_random=False))
def test_like_a_task_each(waits: list[int | None], chance: Any) -> None:
    """However often each waits, and whoever is woken first: all are begun in order, and end."""
    loop, begun, ended = Loop(), list[int](), list[int]()

    def job(number: int, times: int | None) -> Begin:
        async def handle() -> None:
            begun.append(number)
            for turn in range(times or 0):
                assert await Trap() == (number, turn)
            ended.append(number)

        def at_once() -> None:
            begun.append(number)
            ended.append(number)

        return at_once if times is None else handle

    turns: dict[Coroutine[Any, Any, None], int] = {}
    owner: dict[Coroutine[Any, Any, None], int] = {}
    for number, times in enumerate(waits):
        loop.workers.run(job(number, times))
        before = len(begun)
        loop.run()
        for task in loop.handling:
            if task not in owner:
                owner[task], turns[task] = begun[before], 0
        if loop.handling and chance.random() < 0.5:
            task = chance.choice(loop.handling)
            loop.step(task, (owner[task], turns[task]))
            turns[task] += 1
    while loop.handling:
        task = chance.choice(loop.handling)
        loop.step(task, (owner[task], turns[task]))
        turns[task] += 1
    assert begun == list(range(len(waits)))
    assert sorted(ended) == begun
    assert len(loop.waiting) <= 1
