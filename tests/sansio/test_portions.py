"""Much to do: a portion in every turn, in the order of asking, and each once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sansocket.sansio.portions import AT_ONCE, Portions
from sansocket.sansio.timers import Timers


class Bench:
    """Portions, what has been done, and a driver that takes one turn after another."""

    def __init__(self) -> None:
        self.timers = Timers(rearm=lambda: None)
        self.portions = Portions(self.timers)
        self.done: list[int] = []

    def work(self, items: Sequence[int]) -> None:
        """Note for whom it was done."""
        self.done.extend(items)

    def turn(self) -> bool:
        """What a backend does at a deadline; whether there is another one."""
        self.timers.fire(0.0)
        return self.timers.next_deadline() is not None


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9), st.booleans()), max_size=9))
def test_so_many_in_a_turn_and_in_order(jobs: list[tuple[int, int, bool]]) -> None:
    """Whatever job they belong to, and however many each counts for; all of it in the end."""
    bench = Bench()
    bench.portions.at_once = 4
    heavy: list[int] = []
    for number, (count, weight, turns) in enumerate(jobs):
        before = len(bench.done)
        idle = not bench.portions
        heavy += [weight] * count
        bench.portions.do(bench.work, [number] * count, weight)
        at_once = idle and count * weight <= 4
        assert len(bench.done) - before == (count if at_once else 0)
        if turns:
            bench.turn()
    while True:
        before = len(bench.done)
        going_on = bench.turn()
        taken = heavy[before : len(bench.done)]
        assert sum(taken[:-1]) < 4
        assert going_on == bool(bench.portions)
        if not going_on:
            break
        assert taken or not heavy[before:]
    assert bench.done == [number for number, job in enumerate(jobs) for _ in range(job[0])]
    assert len(bench.portions) == 0
    assert len(bench.timers) == 0


def test_never_more_than_so_many() -> None:
    bench = Bench()
    bench.portions.do(bench.work, range(2 * AT_ONCE + 1))
    assert (bench.done, len(bench.portions)) == ([], 2 * AT_ONCE + 1)
    counts = [len(bench.done) for _ in iter(bench.turn, False)]
    assert [*counts, len(bench.done)] == [AT_ONCE, 2 * AT_ONCE, 2 * AT_ONCE + 1]
    assert bench.done == [*range(2 * AT_ONCE + 1)]


def test_what_is_asked_for_meanwhile_comes_after() -> None:
    """Also where there is nothing else; and in the same turn, while that has room."""
    bench = Bench()
    said: list[str] = []

    def outer(items: Sequence[str]) -> None:
        said.append("begins")
        bench.portions.do(said.extend, ["inner"])
        bench.portions.later(said.extend, "later")
        said.append("ends")

    bench.portions.do(outer, ["outer"])
    assert said == ["begins", "ends", "inner", "later"]
    assert len(bench.timers) == 0


def test_later_is_not_at_once() -> None:
    bench = Bench()
    bench.portions.later(bench.work, 1)
    bench.portions.do(bench.work, [2])
    assert bench.done == []
    assert not bench.turn()
    assert bench.done == [1, 2]


def test_what_is_asked_for_one_after_another_is_one_job() -> None:
    """While none of it is done, and nothing else comes between; and in its order all the same."""
    bench = Bench()
    bench.portions.at_once = 2
    portions: list[list[int]] = []

    def work(items: Sequence[int]) -> None:
        portions.append(list(items))

    for item in (1, 2, 3):
        bench.portions.later(work, item)
    bench.turn()
    bench.portions.later(work, 4)
    bench.portions.do(bench.work, [5])
    bench.portions.later(work, 6)
    bench.portions.later(work, 7)
    while bench.turn():
        pass
    assert portions == [[1, 2], [3], [4], [6], [7]]
    assert bench.done == [5]
    assert len(bench.portions) == 0


def test_beyond_the_bound_it_is_done_on_the_spot() -> None:
    """Nothing is lost, and nothing is done out of its order."""
    bench = Bench()
    bench.portions.at_once, bench.portions.most = 2, 5
    bench.portions.do(bench.work, [1, 2, 3])
    assert bench.done == []
    for item in (4, 5, 6, 7, 8):
        bench.portions.later(bench.work, item)
    assert bench.done == [1, 2, 3, 4]
    while bench.turn():
        pass
    assert bench.done == [1, 2, 3, 4, 5, 6, 7, 8]


def test_whoever_asks_for_too_much_in_the_midst_of_it_waits_too() -> None:
    bench = Bench()
    bench.portions.most = 1
    bench.portions.do(lambda _: bench.portions.do(bench.work, [1, 2, 3]), [0])
    assert bench.done == [1, 2, 3]


@pytest.mark.parametrize("turned", [False, True])
def test_what_is_cut_short_leaves_the_rest(turned: bool) -> None:
    """A KeyboardInterrupt comes anywhere: the others have their turn all the same."""
    bench = Bench()

    def interrupted(items: Sequence[int]) -> None:
        raise KeyboardInterrupt

    if turned:
        bench.portions.later(interrupted, 0)
        bench.portions.do(bench.work, [1])
        act = partial(bench.timers.fire, 0.0)
    else:
        act = partial(bench.portions.do, interrupted, [0])
    with pytest.raises(KeyboardInterrupt):
        act()
    bench.portions.do(bench.work, [2])
    bench.turn()
    assert bench.done == ([1, 2] if turned else [2])
