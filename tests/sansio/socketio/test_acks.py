"""Acknowledgements (protocol rules 46, 47, 48 and 78; security rules T13 and 28)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from sansocket.sansio.errors import AckTimeout, Disconnected, LocalProtocolError
from sansocket.sansio.socketio.acks import (
    Ack,
    Acks,
    Collection,
    Pending,
    Values,
    one_or_several,
)
from sansocket.sansio.timers import Timers

GONE = Disconnected("transport close")


class Debtor:
    """Whoever owes acknowledgements, told only when that changes."""

    def __init__(self) -> None:
        self.owes = False

    def owe(self, owes: bool) -> None:
        """There are some now, or there are none any more."""
        assert owes is not self.owes
        self.owes = owes


class Waiting:
    """Somebody who waits for an acknowledgement, and what they were told."""

    def __init__(self) -> None:
        self.told: list[Values | Exception] = []
        self.pending = Pending(self.told.append, self.told.append)


def test_an_answer_comes_once() -> None:
    """Protocol rule 47, security rule 28: unknown and repeated numbers are ignored."""
    acks, waiting = Acks(10, Debtor()), Waiting()
    acks.expect(0, waiting.pending)
    acks.answer(1, ("unknown",))
    acks.answer(0, ("first", 2))
    acks.answer(0, ("second",))
    acks.fail(0, GONE)
    assert waiting.told == [("first", 2)]
    assert len(acks) == 0


def test_a_failure_comes_once() -> None:
    """Security rule 28."""
    acks, waiting = Acks(10, Debtor()), Waiting()
    acks.expect(0, waiting.pending)
    acks.fail(0, GONE)
    acks.fail(0, GONE)
    acks.answer(0, ())
    assert waiting.told == [GONE]


def test_who_does_not_wait_any_more_is_not_told() -> None:
    """Protocol rule 78."""
    acks, waiting = Acks(10, Debtor()), Waiting()
    acks.expect(0, waiting.pending)
    assert acks.drop(0) is waiting.pending
    assert acks.drop(0) is None
    acks.answer(0, ())
    acks.fail_all(GONE)
    assert waiting.told == []
    assert len(acks) == 0


def test_the_bound() -> None:
    """Protocol rule 98: one too many is the caller's error, and changes nothing."""
    acks, first, second = Acks(1), Waiting(), Waiting()
    acks.expect(0, first.pending)
    with pytest.raises(LocalProtocolError, match="1 acknowledgements"):
        acks.expect(1, second.pending)
    assert len(acks) == 1
    acks.answer(0, ())
    acks.expect(1, second.pending)
    acks.answer(1, ())
    assert (first.told, second.told) == ([()], [()])


@pytest.mark.parametrize("end", ["answer", "fail", "drop", "fail_all"])
def test_its_timer_goes_with_it(end: str) -> None:
    """Security rule T13: whatever ended it, no timer stays behind."""
    acks, waiting = Acks(10, Debtor()), Waiting()
    timers = Timers(lambda: None)
    waiting.pending.timer = timers.at(5.0, lambda now: acks.fail(7, AckTimeout([])))
    acks.expect(7, waiting.pending)
    ends: dict[str, Callable[[], object]] = {
        "answer": lambda: acks.answer(7, ()),
        "fail": lambda: acks.fail(7, GONE),
        "drop": lambda: acks.drop(7),
        "fail_all": lambda: acks.fail_all(GONE),
    }
    ends[end]()
    assert len(timers) == 0
    assert timers.next_deadline() is None


def test_all_fail_though_one_asks_for_more() -> None:
    """Whoever is told may do anything, also send the next event."""
    acks, other = Acks(10, Debtor()), Waiting()
    acks.expect(0, Pending(lambda values: None, lambda error: acks.fail(1, error)))
    acks.expect(1, other.pending)
    acks.fail_all(GONE)
    assert other.told == [GONE]


class AgainstDictionary(RuleBasedStateMachine):
    """Acks, held against a dictionary of who waits for what."""

    def __init__(self) -> None:
        super().__init__()
        self.debtor = Debtor()
        self.acks = Acks(3, self.debtor)
        self.model: dict[int, Waiting] = {}
        self.over: list[tuple[Waiting, list[Values | Exception]]] = []
        self.number = 0

    @rule()
    def expect(self) -> None:
        waiting = Waiting()
        if len(self.model) == 3:
            with pytest.raises(LocalProtocolError):
                self.acks.expect(self.number, waiting.pending)
            self.over.append((waiting, []))
        else:
            self.acks.expect(self.number, waiting.pending)
            self.model[self.number] = waiting
        self.number += 1

    @rule(number=st.integers(-1, 30), values=st.tuples(st.integers()))
    def answer(self, number: int, values: Values) -> None:
        self.acks.answer(number, values)
        if (waiting := self.model.pop(number, None)) is not None:
            self.over.append((waiting, [values]))

    @rule(number=st.integers(-1, 30))
    def fail(self, number: int) -> None:
        self.acks.fail(number, GONE)
        if (waiting := self.model.pop(number, None)) is not None:
            self.over.append((waiting, [GONE]))

    @rule(number=st.integers(-1, 30))
    def drop(self, number: int) -> None:
        dropped = self.acks.drop(number)
        waiting = self.model.pop(number, None)
        assert dropped is (None if waiting is None else waiting.pending)
        if waiting is not None:
            self.over.append((waiting, []))

    @rule()
    def fail_all(self) -> None:
        self.acks.fail_all(GONE)
        while self.model:
            self.over.append((self.model.popitem()[1], [GONE]))

    @invariant()
    def agree(self) -> None:
        assert len(self.acks) == len(self.model)
        assert self.debtor.owes is bool(self.model)
        assert not any(waiting.told for waiting in self.model.values())
        for waiting, told in self.over:
            assert waiting.told == told


TestAgainstDictionary = AgainstDictionary.TestCase
TestAgainstDictionary.settings = settings(stateful_step_count=30, deadline=None)


# One broadcast


class Results:
    """What a collection has come to."""

    def __init__(self, awaited: int) -> None:
        self.came: list[list[Any] | Exception] = []
        self.collection = Collection(awaited, self.came.append)

    @property
    def one(self) -> list[Any] | Exception:
        """The only result."""
        [result] = self.came
        return result


def test_a_collection_is_done_when_everyone_has_answered() -> None:
    """Protocol rules 46 and 48: in the order in which the answers came."""
    results = Results(3)
    results.collection.answered(("b",))
    results.collection.answered(())
    assert results.came == []
    results.collection.answered((1, 2))
    assert results.one == ["b", None, (1, 2)]


def test_who_has_gone_is_not_awaited() -> None:
    """Protocol rule 73: the others' answers do."""
    results = Results(2)
    results.collection.failed(GONE)
    assert results.came == []
    results.collection.answered(("a",))
    assert results.one == ["a"]


def test_nobody_to_wait_for() -> None:
    """Protocol rule 77: a broadcast to nobody has no answers."""
    results = Results(0)
    results.collection.settle()
    results.collection.settle()
    assert results.one == []


def test_a_collection_that_is_waited_for_is_not_settled() -> None:
    results = Results(1)
    results.collection.settle()
    assert results.came == []


def test_too_late() -> None:
    """Protocol rule 73: the answers that came are told with the timeout, once."""
    results = Results(2)
    results.collection.answered(("a",))
    results.collection.expire()
    results.collection.answered(("b",))
    results.collection.expire()
    error = results.one
    assert isinstance(error, AckTimeout)
    assert isinstance(error, TimeoutError)
    assert error.responses == ["a"]


def test_nobody_wants_the_answers() -> None:
    """Protocol rule 78, security rule T13: neither answers nor a timer after that."""
    timers = Timers(lambda: None)
    results = Results(1)
    results.collection.timer = timers.at(5.0, lambda now: results.collection.expire())
    results.collection.cancel()
    results.collection.answered(("a",))
    results.collection.expire()
    assert results.came == []
    assert len(timers) == 0


def test_the_timer_of_a_collection_goes_with_it() -> None:
    """Security rule T13."""
    timers = Timers(lambda: None)
    results = Results(1)
    results.collection.timer = timers.at(5.0, lambda now: results.collection.expire())
    results.collection.answered(("a",))
    assert len(timers) == 0


# What a handler owes


def test_a_second_call_has_no_effect() -> None:
    """Protocol rule 47."""
    sent: list[Values] = []
    ack = Ack(sent.append)
    assert ack.wanted
    ack(1, None)
    ack(2)
    assert sent == [(1, None)]
    assert not ack.wanted


def test_nobody_asked() -> None:
    ack = Ack(None)
    assert not ack.wanted
    ack(1)


def test_values_that_cannot_be_sent() -> None:
    """Nothing was sent, so the handler can still acknowledge with others."""
    sent: list[Values] = []

    def reply(values: Values) -> None:
        if values == ("bad",):
            raise LocalProtocolError("no form in JSON")
        sent.append(values)

    ack = Ack(reply)
    with pytest.raises(LocalProtocolError):
        ack("bad")
    assert ack.wanted
    ack("good")
    assert sent == [("good",)]


@pytest.mark.parametrize(
    ("values", "told"),
    [((), None), ((None,), None), ((1,), 1), (((),), ()), ((1, 2), (1, 2)), ((0,), 0)],
)
def test_one_or_several(values: Values, told: object) -> None:
    """Protocol rule 48: the value, a tuple of several, None for none."""
    assert one_or_several(values) == told
