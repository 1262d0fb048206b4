"""Who is told of what happens: plain functions, called at once, which cannot do harm.

This module does not know what the events are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeVar

from .handlers import Function, check_plain
from .portions import Portions
from .runtime import Log

T = TypeVar("T")


class Observer(NamedTuple):
    """One function, and whether it is told once only."""

    function: Function
    once: bool


class Observers:
    """The functions that are told, by the names of the events.

    `events` are the names, with how many arguments each has. They are those of one subject,
    and do not get it, where `of_one` is true: what is told has it as the first argument. What
    concerns many at once they are told in `portions`, where there are any.
    """

    __slots__ = ("_above", "_events", "_known", "_log", "_portions", "functions")

    def __init__(
        self,
        events: Mapping[str, int],
        log: Log,
        portions: Portions | None = None,
        *,
        of_one: bool = False,
    ) -> None:
        self.functions: dict[str, tuple[Observer, ...]] = {}
        """Empty where nobody listens to anything: all that is looked at on a hot path."""
        self._events = events
        self._log = log
        self._portions = portions
        self._known = 1 if of_one else 0
        self._above: Observers | None = None

    def below(self, events: Mapping[str, int]) -> Observers:
        """For functions that are told of one subject only, before these are told as well."""
        if self._above is not None:
            return self
        below = Observers(events, self._log, self._portions, of_one=True)
        below._above = self
        # Whoever looks at its functions alone must not miss those above.
        below.functions = dict.fromkeys(events, ())
        return below

    def check(self, event: str) -> None:
        """Raise ValueError for an event that there is not."""
        if event not in self._events:
            raise ValueError(f"expected one of {sorted(self._events)}, got {event!r}")

    def add(self, event: str, function: Function, *, once: bool = False) -> None:
        """Register a plain function; those of one event are called in their order.

        Raises ValueError for an event that there is not, and TypeError for a function that
        cannot be called so, or would have to be awaited.
        """
        self.check(event)
        check_plain(event, function, self._events[event])
        # A new tuple, for one that is being gone through stays as it was.
        self.functions[event] = (*self.functions.get(event, ()), Observer(function, once))

    def remove(self, event: str | None = None, function: Function | None = None) -> None:
        """Forget a function, all of an event, or all there are; raises ValueError."""
        if event is not None:
            self.check(event)
        for name in list(self.functions) if event is None else [event]:
            found = self.functions.get(name, ())
            self._keep(
                name,
                tuple(each for each in found if function is not None and each.function != function),
            )

    def functions_of(self, event: str) -> list[Function]:
        """Those of an event, in their order; raises ValueError for one that there is not."""
        self.check(event)
        return [observer.function for observer in self.functions.get(event, ())]

    def names(self) -> list[str]:
        """The events that have a function."""
        return [event for event, observers in self.functions.items() if observers]

    def listens(self, event: str) -> bool:
        """Whether anybody is told of it."""
        if self.functions.get(event):
            return True
        return self._above is not None and self._above.listens(event)

    def tell(self, event: str, *args: object) -> None:
        """Call the functions; what they raise is logged, and ends here."""
        for observer in self.functions.get(event, ()):
            if observer.once and not self._take(event, observer):
                continue
            try:
                observer.function(*args[self._known :])
            except Exception as error:
                self._log(f"an observer of {event!r} failed", error)
        if self._above is not None:
            self._above.tell(event, *args)

    def in_turn(self, work: Callable[[Sequence[T]], object], items: Sequence[T]) -> None:
        """Have `work` tell of all these, behind whatever waits to be told."""
        if self._portions is None:
            work(items)
        else:
            self._portions.do(work, items, weight=2)

    def later(self, work: Callable[[Sequence[T]], object], item: T) -> None:
        """The same for one, but not before this has returned."""
        assert self._portions is not None
        self._portions.later(work, item, weight=2)

    def _take(self, event: str, observer: Observer) -> bool:
        """Forget one that is told once; whether it was still there to be told."""
        found = self.functions.get(event, ())
        kept = tuple(each for each in found if each is not observer)
        self._keep(event, kept)
        return len(kept) < len(found)

    def _keep(self, event: str, observers: tuple[Observer, ...]) -> None:
        if observers or self._above is not None:
            self.functions[event] = observers
        else:
            self.functions.pop(event, None)
