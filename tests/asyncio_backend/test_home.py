"""Where connections and tasks live: asyncio_backend/home.py, without a network."""

from __future__ import annotations

import asyncio
from math import inf

import pytest
from support.loops import on_both_loops, turns
from support.servers import complaints

from sansocket.asyncio_backend.home import Home


class Visitor:
    """A connection that notes what it is told, and does nothing about it."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def finish(self) -> None:
        """Note it."""
        self.told.append("finish")

    def abort(self) -> None:
        """Note it."""
        self.told.append("abort")


async def for_ever(ended: list[str]) -> None:
    """A task that ends when it is cancelled."""
    try:
        await asyncio.Event().wait()
    finally:
        ended.append("ended")


@on_both_loops
async def test_empty_waits_for_tasks_and_connections() -> None:
    """Also for those that come while it waits (security rule T13)."""
    home, visitor, go_on = Home(), Visitor(), asyncio.Event()

    async def task() -> None:
        await go_on.wait()
        home.run(another())

    async def another() -> None:
        await turns(3)

    home.enter(visitor)
    started = home.run(task())
    waiting = asyncio.create_task(home.empty())
    await turns(5)
    home.leave(visitor)
    await turns(5)
    assert not waiting.done()
    go_on.set()
    await waiting
    assert started.done()
    await home.empty()


@on_both_loops
async def test_empty_but_for_some() -> None:
    """Who waits in a task of the home says so; and may say so of others, later."""
    home, ended, patient = Home(), list[str](), set[asyncio.Task[None]]()
    one, two = home.run(for_ever(ended)), home.run(for_ever(ended))
    patient.add(one)
    waiting = asyncio.create_task(home.empty(patient))
    await turns(5)
    assert not waiting.done()
    patient.add(two)
    home.look()
    await waiting
    home.end()
    await home.empty()
    assert ended == ["ended"] * 2


@on_both_loops
async def test_end() -> None:
    """All are told at once; those that come too late as well."""
    home, ended, before, after = Home(), list[str](), Visitor(), Visitor()
    home.enter(before)
    home.run(for_ever(ended))
    home.end()
    home.run(for_ever(ended))
    home.enter(after)
    assert before.told == after.told == ["abort"]
    home.leave(before)
    home.leave(after)
    await home.empty()
    assert ended == ["ended"] * 2


@on_both_loops
async def test_a_task_begins_before_it_is_cancelled() -> None:
    """What it does before its first `await` is done, however late it comes."""
    home, order = Home(), list[str]()

    async def task(name: str) -> None:
        order.append(f"{name} begins")
        await asyncio.sleep(0)
        order.append(f"{name} goes on")

    home.run(task("first"))
    home.end()
    home.run(task("second"))
    await home.empty()
    assert order == ["first begins", "second begins"]


@on_both_loops
async def test_close() -> None:
    """All may finish, for as long as was granted first."""
    home, ended, before, after = Home(), list[str](), Visitor(), Visitor()
    home.enter(before)
    home.run(for_ever(ended))
    home.close(inf)
    home.close(0.01)
    home.close(1000)
    home.enter(after)
    assert home.closing.is_set()
    assert before.told == ["finish"] * 3
    assert after.told == ["finish"]
    home.leave(before)
    home.leave(after)
    await home.empty()
    assert ended == ["ended"]


@on_both_loops
async def test_close_does_not_outlive_the_end() -> None:
    """A timer that nobody waits for is no reason to stay."""
    home, visitor, later = Home(), Visitor(), asyncio.Event()
    home.close(0)
    home.end()
    home.enter(visitor)
    asyncio.get_running_loop().call_later(0, later.set)
    await later.wait()
    assert visitor.told == ["abort"]


@on_both_loops
async def test_a_failing_task_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """At once, and not when it is collected (security rule T1)."""
    home = Home()

    async def fail() -> None:
        raise ZeroDivisionError

    home.run(fail())
    await home.empty()
    assert complaints(caplog) == ["task failed: ZeroDivisionError()"]


@on_both_loops
async def test_a_task_whose_future_is_cancelled_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """It ends like one that was cancelled, but nobody has asked for that."""
    home = Home()

    async def wait() -> None:
        future = asyncio.get_running_loop().create_future()
        future.cancel()
        await future

    home.run(wait())
    await home.empty()
    [complaint] = complaints(caplog)
    assert complaint.startswith("task cancelled from within: <Task cancelled ")
