"""Handlers: what an application registers for a name, looked at once, when it is registered.

This module does not know what the names mean, nor who calls.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from math import inf
from typing import Any, Final, TypeVar

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

    Raises TypeError for what is no function, or has a parameter that it must have
    and no event can give.
    """

    __slots__ = ("function", "is_async", "least", "most", "special_at")

    def __init__(self, function: Function, special: type | None = None) -> None:
        if not callable(function):
            raise TypeError(f"expected a function, got {function!r}")
        called = underlying(function)
        self.function = function
        self.is_async = inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(called)
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

    def takes(self, count: int) -> bool:
        """Whether it can be called with so many positional arguments."""
        return self.least <= count <= self.most


class Handlers:
    """The handlers of one thing, by the names that they were registered for.

    Found by dictionary look-up, never by attribute (security rule 17); those of one
    name are called in the order of their registration.
    """

    __slots__ = ("_by_name", "_special")

    def __init__(self, special: type | None = None) -> None:
        self._by_name: dict[str, list[Handler]] = {}
        self._special = special

    def add(self, name: str, function: Function) -> None:
        """Register; raises TypeError for what is no function with a usable signature."""
        # A new list, for one that is being gone through stays as it was.
        self._by_name[name] = [*self._by_name.get(name, ()), Handler(function, self._special)]

    def get(self, name: str) -> list[Handler]:
        """The handlers for this name; not to be changed."""
        return self._by_name.get(name, NONE)

    def wait(self, *names: str) -> bool:
        """Whether a handler for any of these names is a coroutine function."""
        return any(handler.is_async for name in names for handler in self.get(name))


NONE: Final[list[Handler]] = []


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
