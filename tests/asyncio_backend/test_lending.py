"""A handler that was begun while its task slept: to the handler it is a task like any other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest
from support.first_step import begun
from support.loops import on_both_loops

from sansocket.asyncio_backend.home import Home


class Guest:
    """A connection, for which a home keeps a worker."""

    def finish(self) -> None: ...

    def abort(self) -> None: ...


@asynccontextmanager
async def resting() -> AsyncGenerator[Home]:
    """A home whose worker sleeps."""
    home, guest, done = Home(), Guest(), asyncio.Event()
    home.enter(guest)
    home.workers.run(done.set)
    await done.wait()
    await asyncio.sleep(0)
    yield home
    home.leave(guest)
    await home.empty()


async def lend(home: Home, handler: Callable[[], Awaitable[None]]) -> None:
    """Begin a handler as the loop does when something is read, and wait until it has ended."""
    ended = asyncio.Event()

    async def handle() -> None:
        try:
            await handler()
        finally:
            ended.set()

    def begin(first: object, second: object) -> Coroutine[Any, Any, None] | None:
        return begun(handle())

    lent: list[bool] = []
    asyncio.get_running_loop().call_soon(
        lambda: lent.append(home.workers.lend(begin, occupy, 1, 2))
    )
    await ended.wait()
    assert lent == [True]


def occupy(first: object, rest: Coroutine[Any, Any, None]) -> Coroutine[Any, Any, None]:
    """Nobody has to know."""
    return rest


@on_both_loops
async def test_its_task_is_the_current_one() -> None:
    async with resting() as home:
        tasks: list[asyncio.Task[Any] | None] = []

        async def handler() -> None:
            tasks.append(asyncio.current_task())
            assert tasks[0] in asyncio.all_tasks()
            await asyncio.sleep(0)
            tasks.append(asyncio.current_task())

        await lend(home, handler)
        assert tasks[0] is not None
        assert tasks[0] is tasks[1]


@on_both_loops
async def test_not_within_a_task() -> None:
    """Where another task is the current one, nobody else can be."""
    async with resting() as home:
        before = asyncio.current_task()
        assert not home.workers.lend(lambda *_: None, occupy, 1, 2)
        assert asyncio.current_task() is before


@pytest.mark.parametrize("when", ["at once", "soon"])
@on_both_loops
async def test_cancelled_before_it_goes_on(when: str) -> None:
    """What it waits for is cancelled, as for any task, and so it learns of it, once."""
    async with resting() as home:
        inner = asyncio.ensure_future(asyncio.Event().wait())
        seen: list[object] = []

        async def handler() -> None:
            task = asyncio.current_task()
            assert task is not None
            if when == "at once":
                task.cancel()
            else:
                asyncio.get_running_loop().call_soon(task.cancel)
            try:
                await inner
            except asyncio.CancelledError:
                seen.append(task.cancelling())
                task.uncancel()
            await asyncio.sleep(0)
            seen.append(task.cancelling())

        await lend(home, handler)
        assert seen == [1, 0]
        assert inner.cancelled()


@on_both_loops
async def test_a_timeout_that_is_over_already() -> None:
    async with resting() as home:
        seen: list[str] = []

        async def handler() -> None:
            try:
                async with asyncio.timeout(-1):
                    await asyncio.Event().wait()
            except TimeoutError:
                seen.append("over")

        await lend(home, handler)
        assert seen == ["over"]


@on_both_loops
async def test_a_group_of_tasks() -> None:
    """One that fails cancels the handler, which was begun outside its task."""
    async with resting() as home:
        seen: list[object] = []

        async def fail() -> None:
            raise ZeroDivisionError

        async def handler() -> None:
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(fail())
                    await asyncio.Event().wait()
            except* ZeroDivisionError as errors:
                seen.append(len(errors.exceptions))

        await lend(home, handler)
        assert seen == [1]


@on_both_loops
async def test_others_are_worked_off_meanwhile() -> None:
    """The worker that has gone on with one handler is replaced."""
    async with resting() as home:
        gate, done = asyncio.Event(), asyncio.Event()

        async def handler() -> None:
            home.workers.run(job)
            await gate.wait()

        def job() -> None:
            done.set()
            gate.set()

        await lend(home, handler)
        assert done.is_set()
