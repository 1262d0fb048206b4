"""Coroutines without a loop."""

from __future__ import annotations

from collections.abc import Awaitable, Generator
from functools import partial
from random import Random
from typing import Any

import pytest

from sansocket.sansio.testing.clock import Clock
from sansocket.sansio.testing.errors import Cancelled
from sansocket.sansio.testing.tasks import Parking, Tasks


class Awake:
    """The owner of a task, which stands still until `resumes_at`."""

    resumes_at = 0.0


class Foreign(Awaitable[None]):
    """What some event loop would understand."""

    def __await__(self) -> Generator[Any, Any, None]:
        yield "something"


def run(tasks: Tasks) -> None:
    while tasks.ready:
        tasks.step()


def test_parking() -> None:
    """A task waits until it is resumed, also where that came before; and then it is forgotten."""
    tasks, told, parking, before = Tasks(Clock(), Random(1)), list[str](), Parking(), Parking()
    before.resume()

    async def wait() -> None:
        await before
        told.append("begun")
        await parking
        told.append("ended")

    tasks.spawn(wait, Awake(), lambda: told.append("done"))
    run(tasks)
    assert (told, len(tasks)) == (["begun"], 1)
    parking.resume()
    run(tasks)
    assert (told, len(tasks)) == (["begun", "ended", "done"], 0)


@pytest.mark.parametrize("begun", [False, True])
@pytest.mark.parametrize("how", ["cancel", "kill"])
def test_ends(how: str, begun: bool) -> None:
    """Cancelled, it may clean up; in both cases its end is told, also when it has not begun."""
    tasks, told = Tasks(Clock(), Random(1)), list[str]()

    async def wait() -> None:
        try:
            await Parking()
        except Cancelled:
            told.append("cancelled")
            raise
        finally:
            told.append("cleaned up")

    task = tasks.spawn(wait, Awake(), lambda: told.append("done"))
    if begun:
        run(tasks)
    getattr(task, how)()
    run(tasks)
    cleaned = [*(["cancelled"] if how == "cancel" else []), "cleaned up"]
    assert told == [*(cleaned if begun else []), "done"]
    task.cancel()
    task.kill()
    run(tasks)
    assert len(tasks) == 0


def test_order_is_drawn() -> None:
    """No loop promises one; but the seed decides it."""

    def order(seed: int) -> list[int]:
        tasks, told = Tasks(Clock(), Random(seed)), list[int]()

        async def tell(number: int) -> None:
            told.append(number)

        for number in range(5):
            tasks.spawn(partial(tell, number), Awake())
        run(tasks)
        return told

    orders = [order(seed) for seed in range(20)]
    assert len({tuple(each) for each in orders}) > 5
    assert orders == [order(seed) for seed in range(20)]


def test_owner_that_stands_still() -> None:
    """Its tasks go on when it does."""
    clock, told, owner = Clock(), list[float](), Awake()
    tasks = Tasks(clock, Random(1))

    async def tell() -> None:
        told.append(clock.now)

    owner.resumes_at = 3.0
    tasks.spawn(tell, owner)
    run(tasks)
    assert told == []
    clock.step()
    run(tasks)
    assert told == [3.0]


def test_what_a_task_raises() -> None:
    """It goes to whoever steps it; to wait for something of a loop is an error."""
    tasks = Tasks(Clock(), Random(1))

    async def fail() -> None:
        raise KeyError("x")

    async def wait() -> None:
        await Foreign()

    tasks.spawn(fail, Awake())
    with pytest.raises(KeyError):
        run(tasks)
    tasks.spawn(wait, Awake())
    with pytest.raises(TypeError, match="may wait for nothing else, got 'something'"):
        run(tasks)
    assert len(tasks) == 0
