"""Handlers: what an application registers for a name, looked at once, when it is registered.

This module does not know what the names mean, nor who calls.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
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
    """

    __slots__ = ("function", "is_async", "least", "most", "special_at")

    def __init__(self, function: Function, special: object = None) -> None:
        self.function = function
        self.is_async = inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
            getattr(function, "__call__", None)  # noqa: B004 - an object whose call is async
        )
        self.special_at: int | None = None
        self.least: float = 0
        self.most: float = 0
        hints = type_hints(function)
        for place, parameter in enumerate(signature(function).parameters.values()):
            if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
                self.most = inf
            elif parameter.kind in POSITIONAL:
                self.most += 1
                if parameter.default is inspect.Parameter.empty:
                    self.least += 1
                if special is not None and hints.get(parameter.name) is special:
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

    def __init__(self, special: object = None) -> None:
        self._by_name: dict[str, list[Handler]] = {}
        self._special = special

    def add(self, name: str, function: Function) -> None:
        """Register; raises TypeError for what is no function with a usable signature."""
        if not callable(function):
            raise TypeError(f"{name}: expected a function, got {function!r}")
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


def type_hints(function: Function) -> dict[str, object]:
    """The annotations as objects, or as they stand where a name in them cannot be found."""
    try:
        return typing.get_type_hints(function)
    except (NameError, TypeError, AttributeError):
        return dict(getattr(function, "__annotations__", {}))
