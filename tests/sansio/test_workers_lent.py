"""Handlers that are begun at once, in the name of a worker that sleeps."""

from __future__ import annotations

from collections.abc import Coroutine
from contextvars import ContextVar
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.working import Lending, Loop, Trap, stepped

from sansocket.sansio.runtime import Begin

NAME: ContextVar[str] = ContextVar("NAME", default="none")


def test_lent() -> None:
    """What needs no time is done at once, in the name of the one task, one after another."""
    loop, done = Lending(), list[str]()
    assert not loop.lend(lambda: done.append("nobody there"))
    loop.rest()
    for name in "ab":
        assert loop.lend(partial(done.append, name))
    assert done == ["a", "b"]
    assert (loop.started, loop.stage.went_on, loop.stage.entered) == (1, 0, False)


def test_nobody_is_lent_without_a_stage() -> None:
    loop = Loop()
    loop.workers.run(lambda: None)
    loop.run()
    assert not loop.workers.lend(lambda *_: None, lambda job, rest: rest, 1, 2)


def test_lent_within_what_is_lent() -> None:
    """Who comes meanwhile is worked off by the same task, later."""
    loop, done = Lending(), list[str]()
    loop.rest()

    def outer() -> None:
        assert not loop.lend(lambda: done.append("inner at once"))
        loop.workers.run(lambda: done.append("inner"))
        done.append("outer")

    assert loop.lend(outer)
    assert not loop.lend(lambda: done.append("passes"))
    loop.run()
    assert done == ["outer", "inner"]
    assert loop.started == 1


def test_a_task_is_current_already() -> None:
    """Then it is not done at once."""
    loop, done = Lending(), list[str]()
    loop.rest()
    loop.stage.entered = True
    assert not loop.lend(lambda: done.append("at once"))
    loop.stage.entered = False
    assert loop.lend(lambda: done.append("later"))
    assert done == ["later"]


def test_lent_and_left_to_go_on() -> None:
    """What waits goes on in the task that it was begun in, and another takes over."""
    loop, done = Lending(), list[object]()
    loop.rest()
    [task] = loop.waiting

    async def rest() -> None:
        done.append(await Trap())

    def begin() -> Coroutine[Any, Any, None]:
        NAME.set("lent")
        loop.workers.run(lambda: done.append(NAME.get()))
        return rest()

    assert loop.lend(begin)
    assert loop.stage.went_on == 1
    loop.run()
    assert loop.handling == [task]
    assert loop.contexts[task][NAME] == "lent"
    loop.step(task, "answered")
    assert sorted(map(str, done)) == ["answered", "none"]
    assert loop.started == 2


def test_lent_to_one_that_sets_a_variable() -> None:
    """That worker takes no other, and ends."""
    loop = Lending()
    loop.rest()

    def sets() -> None:
        NAME.set("set")

    seen = list[str]()
    assert loop.lend(sets)
    loop.run()
    assert loop.waiting == {}
    loop.rest()
    assert loop.lend(lambda: seen.append(NAME.get()))
    assert seen == ["none"]


def test_lent_to_one_that_raises() -> None:
    """It is raised in the task, as if it had been done there."""
    loop = Lending()
    loop.rest()

    def fail() -> None:
        raise KeyboardInterrupt

    assert loop.lend(fail)
    with pytest.raises(KeyboardInterrupt):
        loop.run()
    assert not loop.stage.entered
    loop.waiting.clear()
    loop.rest()
    assert loop.lend(lambda: None)


def test_dismissed_by_what_is_lent() -> None:
    """The worker looks whether it may wait for more."""
    loop = Lending()
    loop.rest()

    def dismiss() -> None:
        loop.keeps = False
        loop.workers.dismiss()

    assert loop.lend(dismiss)
    loop.run()
    assert loop.waiting == {}


@given(
    st.lists(st.none() | st.integers(0, 3), max_size=8),
    st.randoms(use_true_random=False),
    st.booleans(),
)
def test_like_a_task_each(waits: list[int | None], chance: Any, lends: bool) -> None:
    """However often each waits, and whoever is woken first: all are begun in order, and end."""
    loop, begun, ended = Lending() if lends else Loop(), list[int](), list[int]()

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
        before = len(begun)
        each = job(number, times)
        if not (isinstance(loop, Lending) and loop.lend(partial(stepped, each))):
            loop.workers.run(each)
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
