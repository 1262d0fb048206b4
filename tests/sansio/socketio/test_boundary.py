"""Handlers and their acknowledgements, whoever's socket it is (rules 47 and 48)."""

from __future__ import annotations

from typing import Any

import pytest
from support.runtime import LoopFree, Pause, Task

from sansocket.sansio.failures import WrongArguments
from sansocket.sansio.handlers import Handler
from sansocket.sansio.socketio.acks import Ack, Values
from sansocket.sansio.socketio.boundary import INTERNAL_ERROR, Answer, Boundary
from sansocket.sansio.socketio.listeners import Registry

ERROR = ({"message": INTERNAL_ERROR},)


class Called:
    """Two registries, of which the first gives its handlers the socket, and the peer's answers."""

    def __init__(self) -> None:
        self.runtime = LoopFree()
        self.boundary: Boundary[str] = Boundary(self.runtime)
        self.first, self.second = Registry(), Registry()
        self.answers: list[Values] = []
        self.reported: list[tuple[type[Exception], str, str, Values]] = []
        self.boundary.failures.hook = self._report

    def _report(self, error: Exception, socket: str, event: str, args: Values) -> None:
        self.reported.append((type(error), socket, event, args))

    def event(self, *args: Any, asked: bool = True) -> None:
        """Handle the event `x`."""
        callers = [(self.first, ("socket",)), (self.second, ())]
        answer = Answer(self.answers.append if asked else None)
        handled = self.boundary.handle_event(callers, "socket", "x", args, answer)
        assert Task(self.runtime, handled).result is None


def test_order_and_arguments() -> None:
    """Those for any event first; those of a namespace before those of a socket."""
    called, told = Called(), list[Values]()
    called.second.events.add("x", lambda *args: told.append(("second", *args)))
    called.first.events.add("x", lambda *args: told.append(("first", *args)))
    called.second.any = (Handler(lambda *args: told.append(("any second", *args))),)
    called.first.any = (Handler(lambda *args: told.append(("any first", *args))),)
    called.event(1)
    assert told == [
        ("any first", "socket", "x", 1),
        ("any second", "x", 1),
        ("first", "socket", 1),
        ("second", 1),
    ]


@pytest.mark.parametrize("asked", [True, False])
def test_the_first_value_that_is_not_none_counts(asked: bool) -> None:
    """Rules 47 and 48: one answer, and none where the peer has not asked."""
    called = Called()
    for value in (None, (1, 2), 3):
        called.second.events.add("x", lambda value=value: value)
    called.event(asked=asked)
    assert called.answers == ([(1, 2)] if asked else [])


def test_nobody_answers() -> None:
    """An event without a handler, or with one for any event only, stays without an answer."""
    called = Called()
    called.first.any = (Handler(lambda *args: "no answer"),)
    called.event()
    assert called.answers == []


def test_a_handler_that_fails() -> None:
    """Security rule T1: it is reported, answered with an error, and the next is called."""
    called, told = Called(), list[str]()

    async def fails(value: int) -> None:
        await Pause()
        raise ValueError(value)

    called.second.events.add("x", fails)
    called.second.events.add("x", lambda value: told.append("called"))
    called.event(1)
    assert (called.answers, told) == ([ERROR], ["called"])
    assert called.reported == [(ValueError, "socket", "x", (1,))]


def test_an_answer_that_cannot_be_sent() -> None:
    """It is reported too, and an error is sent instead."""
    called = Called()
    sent: list[Values] = []

    def reply(values: Values) -> None:
        if values == (1,):
            raise ValueError("cannot be encoded")
        sent.append(values)

    called.second.events.add("x", lambda: 1)
    callers = [(called.second, ())]
    handled = called.boundary.handle_event(callers, "socket", "x", (), Answer(reply))
    assert Task(called.runtime, handled).result is None
    assert sent == [ERROR]
    assert called.reported == [(ValueError, "socket", "x", ())]


def test_an_ack_is_given_where_it_is_asked_for() -> None:
    """Its handler's value is not used, and a second call has no effect (rule 47)."""
    called = Called()

    def answers(value: int, ack: Ack) -> str:
        ack(value, "by hand")
        ack("twice")
        return "unused"

    called.second.events.add("x", answers)
    called.event(7)
    assert called.answers == [(7, "by hand")]
    called.event()
    assert called.answers[1:] == [ERROR]
    assert [error for error, *_ in called.reported] == [WrongArguments]


def test_once_is_once() -> None:
    """A handler that one event has taken is not called by another."""
    called, told = Called(), list[int]()
    called.second.events.add("x", told.append, once=True)
    called.event(1)
    called.event(2)
    assert told == [1]


def test_lifecycle() -> None:
    """Handlers of what happens to the socket itself; they answer nothing."""
    called, told = Called(), list[Values]()
    called.first.events.add("gone", lambda *args: told.append(args), once=True)
    called.second.events.add("gone", lambda: told.append(("takes nothing",)))
    callers = [(called.first, ("socket",)), (called.second, ())]
    for reason in ("a", "b"):
        done = called.boundary.lifecycle(callers, "socket", "gone", reason)
        assert Task(called.runtime, done).result is None
    assert told == [("socket", "a")]
    assert [error for error, *_ in called.reported] == [WrongArguments, WrongArguments]
