"""What a heap of deadlines keeps: as much as is alive (security rule T13), by counting objects."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from sansocket.sansio.timers import Timer, Timers


def nothing(now: float) -> None:
    """Do nothing when it is due."""


def growth(work: Callable[[], Any]) -> int:
    """How many more objects there are after some work than before it."""
    work()  # what is made once, such as free lists, is no growth
    gc.collect()
    before = len(gc.get_objects())
    kept = work()
    gc.collect()
    after = len(gc.get_objects())
    del kept
    return after - before


def move_later(timers: Timers, timer: Timer) -> None:
    """As a heartbeat is on every pong."""
    for n in range(10_000):
        timer.move(1000.0 + n)


def move_earlier(timers: Timers, timer: Timer) -> None:
    for n in range(10_000):
        timer.move(-1.0 * n)


def move_to_and_fro(timers: Timers, timer: Timer) -> None:
    """Its entry comes up early, and another one for the same deadline is there already."""
    for n in range(10_000):
        timer.move(float(n))
        timer.move(20_000.0)
        timers.fire(float(n))


def move_many(timers: Timers, timer: Timer) -> list[Timer]:
    others = [timers.at(float(n), nothing) for n in range(100)]
    for n in range(100):
        for other in others:
            other.move(5_000.0 - n)
    for other in others:
        other.cancel()
    return others


def cancel_each(timers: Timers, timer: Timer) -> None:
    for n in range(10_000):
        timers.at(1000.0 + n, nothing).cancel()


def cancel_all(timers: Timers, timer: Timer) -> None:
    for other in [timers.at(float(n), nothing) for n in range(10_000)]:
        other.cancel()


def cancel_before_the_time_is_told(timers: Timers, timer: Timer) -> None:
    for _ in range(10_000):
        timers.after(1000.0, nothing).cancel()
        timers.fire(0.0)


@pytest.mark.parametrize(
    "work",
    [
        move_later,
        move_earlier,
        move_to_and_fro,
        move_many,
        cancel_each,
        cancel_all,
        cancel_before_the_time_is_told,
    ],
)
def test_does_not_grow(work: Callable[[Timers, Timer], Any]) -> None:
    """However often timers are moved or cancelled, what is kept depends on how many are alive."""

    def run() -> object:
        timers = Timers(rearm=lambda: None)
        timer = timers.at(0.0, nothing)
        return timers, timer, work(timers, timer)

    assert growth(run) < 500


def test_moving_later_costs_an_assignment() -> None:
    """A heartbeat is moved on every pong, so the heap must not hear of it."""

    def move() -> object:
        timers = Timers(rearm=lambda: None)
        timer = timers.at(0.0, nothing)
        for n in range(60):  # few enough that nothing would be cleared yet
            timer.move(float(n))
        return timers, timer

    assert growth(move) < 30


def test_cancelled_action_is_let_go() -> None:
    """Security rule T13: a session that is over is not kept until its deadline would come."""
    timers = Timers(rearm=lambda: None)
    timers.at(1.0, nothing)

    def action(now: float) -> None:
        raise AssertionError

    timer, alive = timers.at(2.0, action), weakref.ref(action)
    del action
    assert alive() is not None
    timer.cancel()
    assert alive() is None
