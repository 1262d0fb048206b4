"""The methods of a class as the handlers of events, on either side.

This module does not know what is registered where: `namespace_class.py` does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from ..handlers import Function

F = TypeVar("F", bound=Function)

MARK: Final = "sansocket_event"
PREFIX: Final = "on_"


def event(name: str) -> Callable[[F], F]:
    """Make a method the handler of an event whose name is not that of a method."""

    def mark(method: F) -> F:
        setattr(method, MARK, name)
        return method

    return mark


class EventMethods:
    """`on_EVENT` handles the event, and so does a method marked with `event`.

    The methods are looked at once, when an instance is registered; no name that the peer sends
    is ever looked up in the object (security rule 17).
    """

    def handlers(self) -> dict[str, Function]:
        """Its handlers, by the events that they are for."""
        found: dict[str, Function] = {}
        for attribute in dir(type(self)):
            method = getattr(self, attribute)
            marked: str | None = getattr(method, MARK, None)
            if marked is not None:
                found[marked] = method
            elif attribute.startswith(PREFIX) and callable(method):
                found[attribute.removeprefix(PREFIX)] = method
        return found
