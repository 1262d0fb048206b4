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
    everyone.add("one", lambda value: told.append(("first", value)))
    everyone.add("one", lambda value: told.append(("second", value)))
    everyone.add("nothing", lambda: told.append("nothing"))
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

    everyone.add("one", broken)
    everyone.add("one", told.append)
    everyone.tell("one", 1)
    assert told == [1]
    assert logged == [("an observer of 'one' failed", error)]


def test_nobody_listens() -> None:
    """Where nobody listens there is nothing to look at."""
    everyone, _ = observers()
    assert not everyone.functions
    assert not everyone.listens("one")
    everyone.add("one", ignore)
    assert everyone.functions
    assert everyone.listens("one")
    assert not everyone.listens("two")
    everyone.remove("one", ignore)
    assert not everyone.functions
    assert not everyone.listens("one")


def test_off() -> None:
    """Each call forgets the function; another one stays, and who is not there is no error."""
    told: list[object] = []
    everyone, _ = observers()

    def other(value: object) -> None:
        told.append(("other", value))

    everyone.add("one", told.append)
    everyone.add("one", other)
    everyone.remove("one", told.append)
    everyone.remove("one", told.append)
    everyone.remove("two", other)
    everyone.tell("one", 1)
    assert told == [("other", 1)]


def test_forgetting_several() -> None:
    """All of an event, a function wherever it is, and all there are."""
    everyone, _ = observers()

    def fill() -> None:
        everyone.remove()
        everyone.add("one", ignore)
        everyone.add("one", print)
        everyone.add("nothing", print)

    fill()
    assert everyone.names() == ["one", "nothing"]
    assert everyone.functions_of("one") == [ignore, print]
    everyone.remove("one")
    assert everyone.names() == ["nothing"]
    fill()
    everyone.remove(None, print)
    assert [everyone.functions_of(name) for name in EVENTS] == [[], [ignore], []]
    fill()
    everyone.remove()
    assert not everyone.functions
    with pytest.raises(ValueError, match="three"):
        everyone.functions_of("three")


def test_once() -> None:
    """Told of the next one only, wherever it stands among the others, and whatever it raises."""
    told: list[object] = []
    everyone, logged = observers()

    def fails(value: object) -> None:
        told.append("fails")
        raise ValueError

    everyone.add("one", fails, once=True)
    everyone.add("one", told.append)
    everyone.add("one", told.append, once=True)
    everyone.tell("one", 1)
    everyone.tell("one", 2)
    assert told == ["fails", 1, 1, 2]
    assert len(logged) == 1
    everyone.remove()
    everyone.add("one", told.append, once=True)
    everyone.remove("one", told.append)
    everyone.tell("one", 3)
    assert told == ["fails", 1, 1, 2]


def test_once_while_one_is_told() -> None:
    """It is forgotten before it is called, and one that another has forgotten is not called."""
    told: list[str] = []
    everyone, _ = observers()

    def again() -> None:
        told.append("again")
        everyone.tell("nothing")

    def never() -> None:
        told.append("never")

    everyone.add("nothing", lambda: everyone.remove("nothing", never), once=True)
    everyone.add("nothing", again, once=True)
    everyone.add("nothing", never, once=True)
    everyone.tell("nothing")
    assert told == ["again"]
    assert not everyone.functions


def test_changes_while_one_is_told() -> None:
    """Those who were there when it happened are told."""
    told: list[str] = []
    everyone, _ = observers()

    def first() -> None:
        told.append("first")
        everyone.remove("nothing", first)
        everyone.add("nothing", lambda: told.append("late"))

    everyone.add("nothing", first)
    everyone.add("nothing", lambda: told.append("second"))
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
        everyone.add(event, function)
    assert not everyone.functions


def test_off_of_an_event_that_there_is_not() -> None:
    everyone, _ = observers()
    with pytest.raises(ValueError, match="three"):
        everyone.remove("three", lambda: None)


def test_of_one_subject() -> None:
    """Its own functions know whom they are told of; those above learn it, and come after."""
    told: list[object] = []
    everyone, logged = observers()
    everyone.add("two", lambda subject, value: told.append((subject, value)))
    own = everyone.below({"own": 1, "two": 1})
    assert own.below({}) is own
    own.add("two", told.append)
    own.tell("two", "subject", 1)
    everyone.tell("two", "another", 2)
    assert told == [1, ("subject", 1), ("another", 2)]
    assert logged == []


def test_of_one_subject_while_others_are_told_of_all() -> None:
    """Who looks at a subject's functions alone does not miss those above."""
    everyone, _ = observers()
    own = everyone.below({"two": 1})
    own.add("two", ignore)
    assert own.listens("two")
    own.remove("two", ignore)
    assert own.functions
    assert not own.listens("two")
    everyone.add("two", lambda subject, value: None)
    assert own.listens("two")


def test_of_one_subject_without_functions_of_its_own() -> None:
    """That anybody has looked for its own does not hide those above."""
    everyone, _ = observers()
    own = everyone.below({"two": 1})
    assert own.functions
    assert own.names() == []
    assert own.functions_of("two") == []
    own.remove()
    assert own.functions


def test_of_one_subject_once() -> None:
    """It is forgotten; those above are told all the same, then and later."""
    told: list[object] = []
    everyone, _ = observers()
    everyone.add("two", lambda subject, value: told.append((subject, value)))
    own = everyone.below({"two": 1})
    own.add("two", told.append, once=True)
    own.tell("two", "subject", 1)
    own.tell("two", "subject", 2)
    assert told == [1, ("subject", 1), ("subject", 2)]
    assert own.functions


def test_of_one_subject_with_nobody_above() -> None:
    """Its functions are not told whose they are, and where there are none nothing is looked at."""
    told: list[object] = []
    own = Observers({"two": 1}, lambda message, error: None, of_one=True)
    assert not own.functions
    own.add("two", told.append, once=True)
    own.tell("two", "subject", 1)
    assert told == [1]
    assert not own.functions
