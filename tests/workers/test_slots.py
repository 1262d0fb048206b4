"""Which worker is started when: a loop of crashes costs little, and each has its own number."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sansocket.workers.slots import FIRST_PAUSE, LONGEST_PAUSE, SETTLED, Slots


def test_all_are_started_at_once() -> None:
    slots = Slots(3, 10.0)
    assert slots.next_deadline() == 10.0
    assert slots.start(10.0) == [1, 2, 3]
    assert slots.start(10.0) == []
    assert slots.next_deadline() is None


def test_one_that_worked_is_replaced_soon() -> None:
    slots = Slots(2, 0.0)
    slots.start(0.0)
    assert slots.ended(1, SETTLED) == FIRST_PAUSE
    assert slots.next_deadline() == SETTLED + FIRST_PAUSE
    assert slots.start(SETTLED) == []
    assert slots.start(SETTLED + FIRST_PAUSE) == [3]


def test_the_pauses_double_up_to_a_bound_and_begin_anew() -> None:
    slots = Slots(1, 0.0)
    now, pauses = 0.0, list[float]()
    for number in range(1, 13):
        assert slots.start(now) == [number]
        pauses.append(slots.ended(number, now))
        now += pauses[-1]
    assert pauses[:3] == [0.1, 0.2, 0.4]
    assert pauses[-1] == LONGEST_PAUSE
    (number,) = slots.start(now)
    assert slots.ended(number, now + SETTLED) == FIRST_PAUSE


@given(st.lists(st.tuples(st.floats(0, 50), st.integers(0, 3)), max_size=40))
def test_numbers_are_never_given_twice(steps: list[tuple[float, int]]) -> None:
    """A session's id names its worker for good (rule 1 of neighbours.py)."""
    slots, now, seen = Slots(3, 0.0), 0.0, list[int]()
    running: list[int] = []
    for wait, which in steps:
        now += wait
        started = slots.start(now)
        seen += started
        running += started
        if which < len(running):
            assert FIRST_PAUSE <= slots.ended(running.pop(which), now) <= LONGEST_PAUSE
        deadline = slots.next_deadline()
        assert (deadline is None) is (len(running) == 3)
    assert len(set(seen)) == len(seen)
