"""The methods of whatever tells functions what happens to it.

This module does not know where the functions are kept, nor when they are called.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar, overload

from .handlers import Function

F = TypeVar("F", bound=Function)


class Registered(Protocol):
    """Where the functions are kept, by the names of the events."""

    def check(self, event: str, /) -> None:
        """Raise ValueError for an event that there is not."""

    def add(self, event: str, function: Function, /, *, once: bool = False) -> None:
        """Register; raises ValueError for an event that there is not, and TypeError."""

    def remove(self, event: str | None = None, function: Function | None = None, /) -> None:
        """Forget a function, all of an event, or all there are; raises ValueError."""

    def functions_of(self, event: str, /) -> list[Function]:
        """Those of an event, in their order; raises ValueError."""
        ...

    def names(self) -> list[str]:
        """The events that have a function."""
        ...


class Observable:
    """Something that tells what happens to it; its class says which events it has."""

    __slots__ = ()

    def _registered(self) -> Registered:
        raise NotImplementedError

    @overload
    def on(self, event: str) -> Callable[[F], F]: ...
    @overload
    def on(self, event: str, function: F) -> F: ...
    def on(self, event: str, function: F | None = None) -> F | Callable[[F], F]:
        """Register a function, as a decorator or with the function as second argument.

        Those of one event are called in the order of their registration. Raises ValueError for
        an event that there is not, and TypeError for what cannot be called so.
        """
        return self._register(event, function, once=False)

    @overload
    def once(self, event: str) -> Callable[[F], F]: ...
    @overload
    def once(self, event: str, function: F) -> F: ...
    def once(self, event: str, function: F | None = None) -> F | Callable[[F], F]:
        """Register a function for the next such event only; otherwise like `on`."""
        return self._register(event, function, once=True)

    def off(self, event: str | None = None, function: Function | None = None) -> None:
        """Forget a function, all of an event, or all there are; no effect where there is none.

        Raises ValueError for an event that there is not.
        """
        self._registered().remove(event, function)

    def listeners(self, event: str) -> list[Function]:
        """The functions of an event, in the order in which they are called; raises ValueError."""
        return self._registered().functions_of(event)

    def event_names(self) -> list[str]:
        """The events that have a function."""
        return self._registered().names()

    def _register(self, event: str, function: F | None, *, once: bool) -> F | Callable[[F], F]:
        def register(function: F) -> F:
            self._registered().add(event, function, once=once)
            return function

        self._registered().check(event)
        return register if function is None else register(function)
