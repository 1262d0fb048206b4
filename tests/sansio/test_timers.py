"""Deadlines, against a plain model: a list of them (security rules 11 and T13)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from sansocket.sansio.timers import Action, Timer, Timers


def nothing(now: float) -> None:
    """Do nothing when it is due."""


def collect() -> tuple[list[str], Callable[[str], Action]]:
    """A list of names, and what makes an action that adds its name to it."""
    fired: list[str] = []
    return fired, lambda name: lambda now: fired.append(name)


# What an action may do when it is due: the kind of deed, which timer, how many seconds.
Deed = tuple[str, int, int]
PLACES = st.integers(0, 50)
SECONDS = st.integers(-5, 30)
AHEAD = st.integers(1, 30)  # an action that is due again at once would never end
DEEDS = st.tuples(st.sampled_from(["at", "after", "move", "cancel"]), PLACES, AHEAD)


class TimersMachine(RuleBasedStateMachine):
    """`expected` is the model: when each timer is due, by its number."""

    def __init__(self) -> None:
        super().__init__()
        self.timers = Timers(self._rearm)
        self.all: list[Timer] = []
        self.expected: dict[int, float] = {}
        self.fresh: dict[int, float] = {}
        self.now = 0.0
        self.asked = False
        self.rearmed = False
        self.alarm: float | None = None
        """When a driver would call `fire`, which looks only when it is told to, and then."""

    def _rearm(self) -> None:
        self.rearmed = True

    def _action(self, deed: Deed | None) -> Action:
        number = len(self.all)

        def action(now: float) -> None:
            assert now == self.now
            when = self.expected.pop(number)
            assert when <= self.now
            assert when <= min(self.expected.values(), default=when)
            if deed is not None:
                self._do(*deed)

        return action

    def _do(self, what: str, place: int, seconds: float, then: Deed | None = None) -> None:
        number = len(self.all)
        if what == "at":
            self.expected[number] = self.now + seconds
            self.all.append(self.timers.at(self.now + seconds, self._action(then)))
        elif what == "after":
            self.fresh[number] = max(seconds, 0)
            self.asked = True
            self.all.append(self.timers.after(max(seconds, 0), self._action(then)))
        elif number:
            place %= number
            if what == "cancel":
                self.all[place].cancel()
                self.expected.pop(place, None)
                self.fresh.pop(place, None)
            else:
                self.all[place].move(self.now + seconds)
                if place in self.expected or self.fresh.pop(place, None) is not None:
                    self.expected[place] = self.now + seconds

    @rule(seconds=SECONDS, then=st.none() | DEEDS)
    def at(self, seconds: int, then: Deed | None) -> None:
        self._do("at", 0, seconds, then)

    @rule(seconds=SECONDS, then=st.none() | DEEDS)
    def after(self, seconds: int, then: Deed | None) -> None:
        self._do("after", 0, seconds, then)

    @rule(place=PLACES, seconds=SECONDS)
    def move(self, place: int, seconds: int) -> None:
        self._do("move", place, seconds)

    @rule(place=PLACES)
    def cancel(self, place: int) -> None:
        self._do("cancel", place, 0)

    @rule()
    def soon(self) -> None:
        self.asked = True
        self.timers.soon()

    @rule(seconds=st.integers(0, 40))
    def fire(self, seconds: int) -> None:
        """Whatever is due happens, soonest first, and is then over."""
        self.now += seconds
        self._fire()

    @rule()
    def fire_all(self) -> None:
        """Time passes until the last that is known of."""
        self.now = max([self.now, *self.expected.values()])
        self._fire()

    @rule()
    def cancel_all(self) -> None:
        for place in range(len(self.all)):
            self._do("cancel", place, 0)

    def _fire(self) -> None:
        self.asked = False
        self.expected |= {number: self.now + after for number, after in self.fresh.items()}
        self.fresh.clear()
        self.timers.fire(self.now)
        assert all(when > self.now for when in self.expected.values())
        self.alarm = self.timers.next_deadline()
        assert self.asked or self.alarm is None or self.alarm > self.now

    @invariant()
    def the_driver_is_never_late(self) -> None:
        if self.rearmed:
            self.rearmed = False
            self.alarm = self.timers.next_deadline()
        due = self.timers.next_deadline()
        if due is not None:
            assert self.alarm is not None
            assert self.alarm <= due

    @invariant()
    def next_deadline_is_never_late(self) -> None:
        due = self.timers.next_deadline()
        assert due == self.timers.next_deadline()
        if self.asked:
            assert due is not None
            assert due <= self.now
        elif self.expected:
            assert due is not None
            assert due <= min(self.expected.values())
        else:
            assert due is None

    @invariant()
    def counts_what_is_alive(self) -> None:
        assert len(self.timers) == len(self.expected) + len(self.fresh)


TestTimersMachine = TimersMachine.TestCase


# The same in single sentences


def test_soonest_first() -> None:
    timers = Timers(rearm=lambda: None)
    fired, named = collect()
    for deadline in (3, 1, 2):
        timers.at(deadline, named(f"at {deadline}"))
    timers.fire(0.9)
    assert fired == []
    timers.fire(2.0)
    assert fired == ["at 1", "at 2"]
    timers.fire(2.0)
    assert fired == ["at 1", "at 2"]
    timers.fire(9.0)
    assert fired == ["at 1", "at 2", "at 3"]


def test_an_action_is_told_the_time() -> None:
    """Not its deadline: a driver may be late."""
    timers = Timers(rearm=lambda: None)
    told: list[float] = []
    timers.at(1.0, told.append)
    timers.fire(1.5)
    assert told == [1.5]


def test_time_never_goes_back() -> None:
    """A driver whose clock jumps back undoes nothing, and an action sees no earlier time."""
    timers = Timers(rearm=lambda: None)
    told: list[float] = []
    timers.fire(10.0)
    timers.at(9.0, told.append)
    timers.fire(5.0)
    assert told == [10.0]


def test_after_counts_from_the_time_that_is_told_next() -> None:
    timers = Timers(rearm=lambda: None)
    fired, named = collect()
    timers.fire(100.0)
    timers.after(5.0, named("late"))
    timers.after(0.0, named("soon"))
    due = timers.next_deadline()
    assert due is not None
    assert due <= 100.0
    timers.fire(103.0)
    assert (fired, timers.next_deadline()) == (["soon"], 108.0)


def test_moved_before_the_time_is_told() -> None:
    """What `move` says holds, whatever `after` said before."""
    timers = Timers(rearm=lambda: None)
    fired, named = collect()
    earlier = timers.after(50.0, named("earlier"))
    later = timers.after(1.0, named("later"))
    earlier.move(2.0)
    later.move(30.0)
    timers.fire(0.0)
    timers.fire(2.0)
    assert fired == ["earlier"]
    timers.fire(29.0)
    assert fired == ["earlier"]
    timers.fire(30.0)
    assert fired == ["earlier", "later"]


def test_what_is_over_stays_over() -> None:
    timers = Timers(rearm=lambda: None)
    fired, named = collect()
    done, cancelled, fresh = (
        timers.at(1.0, named("done")),
        timers.at(1.0, named("cancelled")),
        timers.after(1.0, named("fresh")),
    )
    cancelled.cancel()
    fresh.cancel()
    timers.fire(5.0)
    for timer in (done, cancelled, fresh):
        timer.move(6.0)
        timer.move(-1.0)
        timer.cancel()
    assert (len(timers), timers.next_deadline()) == (0, None)
    timers.fire(9.0)
    assert fired == ["done"]


def test_no_deadline_without_a_timer() -> None:
    """Wherever it once stood: a driver is not woken for nothing."""
    timers = Timers(rearm=lambda: None)
    timer = timers.at(30.0, nothing)
    timer.move(5.0)
    assert timers.next_deadline() == 5.0
    timers.fire(5.0)
    assert timers.next_deadline() is None
    timers.at(40.0, nothing).cancel()
    assert timers.next_deadline() is None


def test_cancelled_by_the_one_before() -> None:
    """Both are due at once, and the first to fire ends the other."""
    timers = Timers(rearm=lambda: None)
    both: list[Timer] = []
    fired: list[float] = []

    def cancel_both(now: float) -> None:
        fired.append(now)
        for timer in both:
            timer.cancel()

    both += [timers.at(1.0, cancel_both), timers.at(1.0, cancel_both)]
    timers.fire(1.0)
    assert (fired, len(timers)) == ([1.0], 0)


def test_an_exception_costs_no_other_timer() -> None:
    """It reaches the driver, and the next call goes on where it came (security rule T1)."""
    timers = Timers(rearm=lambda: None)
    fired, named = collect()

    def fail(now: float) -> None:
        raise KeyError("action")

    timers.at(1.0, fail)
    timers.at(2.0, named("other"))
    with pytest.raises(KeyError, match="action"):
        timers.fire(3.0)
    timers.fire(3.0)
    assert (fired, len(timers)) == (["other"], 0)


def test_rearmed_for_what_is_earlier_only() -> None:
    """The driver sets its timer again when it has to, and is not troubled else."""
    rearmed: list[str] = []
    timers = Timers(rearm=lambda: rearmed.append(doing))
    doing = "first"
    first = timers.at(10.0, nothing)
    doing = "later"
    second = timers.at(20.0, nothing)
    doing = "earlier"
    timers.at(5.0, nothing)
    doing = "moved later"
    first.move(30.0)
    doing = "moved to the front"
    second.move(1.0)
    doing = "cancelled"
    second.cancel()
    doing = "after"
    timers.after(100.0, nothing)
    doing = "asked for already"
    timers.soon()
    timers.after(1.0, nothing)
    timers.at(0.5, nothing)
    assert rearmed == ["first", "earlier", "moved to the front", "after"]


def test_moving_later_leaves_no_timer_behind() -> None:
    """`next_deadline` may be early, once; then it is what was asked for."""
    timers = Timers(rearm=lambda: None)
    fired, named = collect()
    timer = timers.at(10.0, named("timer"))
    timer.move(20.0)
    timer.move(30.0)
    timers.fire(10.0)
    assert (fired, timers.next_deadline()) == ([], 30.0)
    timers.fire(30.0)
    assert (fired, timers.next_deadline()) == (["timer"], None)
