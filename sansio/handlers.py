"""Handlers: what an application registers for a name, looked at once, when it is registered.

This module does not know what the names mean, nor who calls.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from math import inf
from typing import Any, Final, TypeGuard, TypeVar

Function = Callable[..., Any]
F = TypeVar("F", bound=Function)

POSITIONAL: Final = (
    inspect.Parameter.POSITIONAL_ONLY,
    inspect.Parameter.POSITIONAL_OR_KEYWORD,
)


class Handler:
    """One function, and what its signature says.

    `special` is the annotation of a parameter that is not an argument of the event
    but something of ours, and `special_at` its place.

    Raises TypeError for what is no function, for a generator function, and for one with a
    parameter that it must have and no event can give.
    """

    __slots__ = ("concurrency", "function", "is_async", "least", "most", "once", "special_at")

    def __init__(
        self,
        function: Function,
        special: type | None = None,
        *,
        once: bool = False,
        concurrency: int = 1,
    ) -> None:
        if not callable(function):
            raise TypeError(f"expected a function, got {function!r}")
        if concurrency < 1:
            raise ValueError(f"concurrency: expected 1 or more, got {concurrency!r}")
        self.once: bool = once
        """Whether it is called for one event only."""
        self.concurrency: int = concurrency
        """How many events of one socket may be in it at the same time."""
        called = underlying(function)
        if any(is_generator_function(each) for each in (function, called)):
            raise TypeError(f"expected a function, got the generator function {function!r}")
        self.function: Function = function
        self.is_async: bool = any(
            inspect.iscoroutinefunction(each) for each in (function, called, inspect.unwrap(called))
        )
        """Whether it is a coroutine function, or wraps one (`functools.wraps`)."""
        self.special_at: int | None = None
        self.least: float = 0
        self.most: float = 0
        names: dict[str, object] = getattr(inspect.unwrap(called), "__globals__", {})
        for place, parameter in enumerate(signature(function).parameters.values()):
            if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
                self.most = inf
            elif parameter.kind in POSITIONAL:
                self.most += 1
                if parameter.default is inspect.Parameter.empty:
                    self.least += 1
                if special is not None and is_written(parameter.annotation, special, names):
                    self.special_at = place
            elif parameter.default is inspect.Parameter.empty and parameter.kind is (
                inspect.Parameter.KEYWORD_ONLY
            ):
                raise TypeError(f"{function!r}: {parameter.name} cannot be given by position")

    @property
    def is_simple(self) -> bool:
        """Whether it is called for every event, and with no more than arguments."""
        return not self.once and self.special_at is None

    def wraps(self, function: Function | None) -> bool:
        """Whether it is for this function; for None it always is."""
        return function is None or self.function == function

    def takes(self, count: int) -> bool:
        """Whether it can be called with so many positional arguments."""
        return self.least <= count <= self.most


class Handlers:
    """The handlers of one thing, by the names that they were registered for.

    Found by dictionary look-up, never by attribute (security rule 17); those of one
    name are called in the order of their registration.
    """

    __slots__ = ("_by_name", "_special", "only")

    def __init__(self, special: type | None = None) -> None:
        self._by_name: dict[str, list[Handler]] = {}
        self._special = special
        self.only: dict[str, Handler] = {}
        """Of the names that have one handler: that one, where to call it is all there is to do."""

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self._by_name)

    def add(
        self, name: str, function: Function, *, once: bool = False, concurrency: int = 1
    ) -> None:
        """Register; raises TypeError for what is no function with a usable signature."""
        handler = Handler(function, self._special, once=once, concurrency=concurrency)
        # A new list, for one that is being gone through stays as it was.
        self._keep(name, [*self._by_name.get(name, ()), handler])

    def remove(self, name: str | None = None, function: Function | None = None) -> None:
        """Forget a function for a name, all for a name, or all there are."""
        for found in list(self._by_name) if name is None else [name]:
            self._keep(found, [each for each in self.get(found) if not each.wraps(function)])

    def take(self, name: str, handler: Handler) -> bool:
        """Forget one that is called once; whether it was still there to be called."""
        handlers = self.get(name)
        if handler not in handlers:
            return False
        self._keep(name, [each for each in handlers if each is not handler])
        return True

    def copy(self) -> Handlers:
        """The same handlers, apart from these from now on."""
        copy = Handlers(self._special)
        copy._by_name = dict(self._by_name)
        copy.only = dict(self.only)
        return copy

    def get(self, name: str) -> list[Handler]:
        """The handlers for this name; not to be changed."""
        return self._by_name.get(name, NONE)

    def names(self) -> list[str]:
        """The names that something is registered for, in the order of their registration."""
        return list(self._by_name)

    def _keep(self, name: str, handlers: list[Handler]) -> None:
        if handlers:
            self._by_name[name] = handlers
        else:
            self._by_name.pop(name, None)
        if len(handlers) == 1 and handlers[0].is_simple:
            self.only[name] = handlers[0]
        else:
            self.only.pop(name, None)

    def wait(self, *names: str) -> bool:
        """Whether a handler for any of these names is a coroutine function."""
        return any(handler.is_async for name in names for handler in self.get(name))


NONE: Final[list[Handler]] = []


class KnownHandlers(Handlers):
    """Handlers of known events: their names, and how many arguments each may have."""

    __slots__ = ("_events",)

    def __init__(self, events: Mapping[str, tuple[int, ...]]) -> None:
        super().__init__()
        self._events = events

    def check(self, name: str) -> None:
        """Raise ValueError for an event that there is not."""
        if name not in self._events:
            raise ValueError(f"expected one of {sorted(self._events)}, got {name!r}")

    def add(
        self, name: str, function: Function, *, once: bool = False, concurrency: int = 1
    ) -> None:
        """Register; raises ValueError for another event, and TypeError for what cannot be called
        so."""
        self.check(name)
        takes = Handler(function).takes
        if not any(takes(count) for count in self._events[name]):
            raise TypeError(f"{name}: {function!r} takes other arguments")
        super().add(name, function, once=once, concurrency=concurrency)

    def remove(self, name: str | None = None, function: Function | None = None) -> None:
        """Forget a handler, all of an event, or all there are; raises ValueError."""
        if name is not None:
            self.check(name)
        super().remove(name, function)

    def functions_of(self, event: str) -> list[Function]:
        """Those of an event, in their order; raises ValueError for one that there is not."""
        self.check(event)
        return [handler.function for handler in self.get(event)]


def is_generator_function(function: Function) -> bool:
    """Whether calling it would run nothing of it, and nothing that could be awaited comes out."""
    return inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function)


def awaits(value: object) -> TypeGuard[Awaitable[Any]]:
    """Whether what a function has returned is to be awaited: a lambda may return a coroutine."""
    return hasattr(type(value), "__await__")


def check_plain(name: str, function: Function, count: int) -> None:
    """Raise TypeError for what is no plain function of so many arguments; `name` is for whom."""
    handler = Handler(function)
    if handler.is_async:
        raise TypeError(f"{name}: expected a plain function, got the coroutine {function!r}")
    if not handler.takes(count):
        raise TypeError(f"{name}: {function!r} takes other arguments")


def signature(function: Function) -> inspect.Signature:
    """The signature, or one that takes anything where Python knows none (a C function)."""
    try:
        return inspect.signature(function)
    except ValueError:
        anything = inspect.Parameter("args", inspect.Parameter.VAR_POSITIONAL)
        return inspect.Signature([anything])


def underlying(function: Function) -> Function:
    """The function or method that does the work of a partial, or of an object that is called."""
    called: Function = function
    while isinstance(called, partial):
        called = called.func
    return called if inspect.isroutine(called) else type(called).__call__


def is_written(annotation: object, special: type, names: dict[str, object]) -> bool:
    """Whether an annotation is `special`, as an object or as the text of its name.

    `names` are the function's globals. A text is never evaluated: it may stand beside
    others that cannot be, and be imported for type checkers only or inside a function;
    then the name alone has to do.
    """
    if not isinstance(annotation, str):
        return annotation is special
    first, *rest = annotation.strip("'\"").split(".")
    if first not in names:
        return (rest or [first])[-1] == special.__name__
    found = names[first]
    for name in rest:
        found = getattr(found, name, None)
    return found is special
