"""Observers: told in order, at once, and unable to do harm."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from sansocket.sansio.observers import Observers

EVENTS = {"nothing": 0, "one": 1, "two": 2}


def observers() -> tuple[Observers, list[tuple[str, Exception | None]]]:
    """Observers, and what they have logged."""
    logged: list[tuple[str, Exception | None]] = []
    return Observers(EVENTS, lambda message, error: logged.append((message, error))), logged


def ignore(value: object) -> None:
    """Listen to one argument."""


def test_told_in_order_of_registration() -> None:
    told: list[object] = []
    everyone, logged = observers()
    everyone.on("one", lambda value: told.append(("first", value)))
    everyone.on("one", lambda value: told.append(("second", value)))
    everyone.on("nothing", lambda: told.append("nothing"))
    everyone.tell("one", 1)
    everyone.tell("two", 1, 2)
    everyone.tell("nothing")
    assert told == [("first", 1), ("second", 1), "nothing"]
    assert logged == []


def test_what_they_raise_ends_there() -> None:
    """Security rule T1: it is logged, and the next one is told all the same."""
    told: list[object] = []
    everyone, logged = observers()
    error = RuntimeError("broken")

    def broken(value: object) -> None:
        raise error

    everyone.on("one", broken)
    everyone.on("one", told.append)
    everyone.tell("one", 1)
    assert told == [1]
    assert logged == [("an observer of 'one' failed", error)]


def test_nobody_listens() -> None:
    """Where nobody listens there is nothing to look at."""
    everyone, _ = observers()
    assert not everyone.functions
    assert not everyone.listens("one")
    function = everyone.on("one", ignore)
    assert everyone.functions
    assert everyone.listens("one")
    assert not everyone.listens("two")
    everyone.off("one", function)
    assert not everyone.functions
    assert not everyone.listens("one")


def test_off() -> None:
    """Each call forgets the function; another one stays, and who is not there is no error."""
    told: list[object] = []
    everyone, _ = observers()

    def other(value: object) -> None:
        told.append(("other", value))

    everyone.on("one", told.append)
    everyone.on("one", other)
    everyone.off("one", told.append)
    everyone.off("one", told.append)
    everyone.off("two", other)
    everyone.tell("one", 1)
    assert told == [("other", 1)]


def test_changes_while_one_is_told() -> None:
    """Those who were there when it happened are told."""
    told: list[str] = []
    everyone, _ = observers()

    def first() -> None:
        told.append("first")
        everyone.off("nothing", first)
        everyone.on("nothing", lambda: told.append("late"))

    everyone.on("nothing", first)
    everyone.on("nothing", lambda: told.append("second"))
    everyone.tell("nothing")
    assert told == ["first", "second"]


async def coroutine() -> None:
    """What would have to be awaited."""


@pytest.mark.parametrize(
    ("event", "function", "error"),
    [
        ("three", lambda: None, ValueError),
        ("one", coroutine, TypeError),
        ("nothing", coroutine, TypeError),
        ("nothing", partial(coroutine), TypeError),
        ("one", lambda: None, TypeError),
        ("two", lambda one: None, TypeError),
        ("one", None, TypeError),
    ],
)
def test_refused(event: str, function: Callable[..., object], error: type[Exception]) -> None:
    everyone, _ = observers()
    with pytest.raises(error):
        everyone.on(event, function)
    assert not everyone.functions


def test_off_of_an_event_that_there_is_not() -> None:
    everyone, _ = observers()
    with pytest.raises(ValueError, match="three"):
        everyone.off("three", lambda: None)


def test_of_one_subject() -> None:
    """Its own functions know whom they are told of; those above learn it, and come after."""
    told: list[object] = []
    everyone, logged = observers()
    everyone.on("two", lambda subject, value: told.append((subject, value)))
    own = everyone.below({"own": 1, "two": 1})
    assert own.below({}) is own
    own.on("two", told.append)
    own.tell("two", "subject", 1)
    everyone.tell("two", "another", 2)
    assert told == [1, ("subject", 1), ("another", 2)]
    assert logged == []


def test_of_one_subject_while_others_are_told_of_all() -> None:
    """Who looks at a subject's functions alone does not miss those above."""
    everyone, _ = observers()
    own = everyone.below({"two": 1})
    function = own.on("two", ignore)
    assert own.listens("two")
    own.off("two", function)
    assert own.functions
    assert not own.listens("two")
    everyone.on("two", lambda subject, value: None)
    assert own.listens("two")
