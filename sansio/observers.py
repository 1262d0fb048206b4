"""Who is told of what happens: plain functions, called at once, which cannot do harm.

This module does not know what the events are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from .handlers import Function, check_plain
from .runtime import Log

F = TypeVar("F", bound=Function)


class Observers:
    """The functions that are told, by the names of the events.

    `events` are the names, with how many arguments each has.
    """

    __slots__ = ("_above", "_events", "_log", "functions")

    def __init__(self, events: Mapping[str, int], log: Log) -> None:
        self.functions: dict[str, tuple[Function, ...]] = {}
        """Empty where nobody listens to anything: all that is looked at on a hot path."""
        self._events = events
        self._log = log
        self._above: Observers | None = None

    def below(self, events: Mapping[str, int]) -> Observers:
        """For functions that are told of one subject only, before these are told as well.

        What the subject tells has itself as the first argument; its own functions know it.
        """
        if self._above is not None:
            return self
        below = Observers(events, self._log)
        below._above = self
        return below

    def on(self, event: str, function: F) -> F:
        """Register a plain function; those of one event are called in their order.

        Raises ValueError for an event that there is not, and TypeError for a function that
        cannot be called so, or would have to be awaited.
        """
        self._check(event)
        check_plain(event, function, self._events[event])
        # A new tuple, for one that is being gone through stays as it was.
        self.functions[event] = (*self.functions.get(event, ()), function)
        return function

    def off(self, event: str, function: Function) -> None:
        """Forget a function; no effect for one that is not registered. Raises ValueError."""
        self._check(event)
        if event in self.functions:
            kept = tuple(each for each in self.functions[event] if each != function)
            # Whoever looks here only must not miss those above: an empty tuple stays.
            if kept or self._above is not None:
                self.functions[event] = kept
            else:
                del self.functions[event]

    def listens(self, event: str) -> bool:
        """Whether anybody is told of it."""
        if self.functions.get(event):
            return True
        return self._above is not None and self._above.listens(event)

    def tell(self, event: str, *args: object) -> None:
        """Call the functions; what they raise is logged, and ends here."""
        known = 0 if self._above is None else 1
        for function in self.functions.get(event, ()):
            try:
                function(*args[known:])
            except Exception as error:
                self._log(f"an observer of {event!r} failed", error)
        if self._above is not None:
            self._above.tell(event, *args)

    def _check(self, event: str) -> None:
        if event not in self._events:
            raise ValueError(f"expected one of {sorted(self._events)}, got {event!r}")
