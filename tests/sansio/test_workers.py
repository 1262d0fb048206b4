"""One worker works off the handlers that do not wait; to a handler it is a task like any other."""

from __future__ import annotations

from contextvars import ContextVar

import pytest
from support.working import Loop, TaskFunction, Trap

NAME: ContextVar[str] = ContextVar("NAME", default="none")


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
