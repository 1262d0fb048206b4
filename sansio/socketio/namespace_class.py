"""Handlers of one namespace as the methods of a class."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from ..handlers import Function
from .namespace import Namespace

F = TypeVar("F", bound=Function)

MARK: Final = "sansocket_event"
PREFIX: Final = "on_"


def event(name: str) -> Callable[[F], F]:
    """Make a method the handler of an event whose name is not that of a method."""

    def mark(method: F) -> F:
        setattr(method, MARK, name)
        return method

    return mark


class NamespaceClass:
    """A base class: `on_EVENT` handles the event, and so does a method marked with `event`.

    An instance becomes effective by `io.register(instance)`. The methods are looked at once,
    then; no name that a client sends is ever looked up in the object (security rule 17).
    """

    name: str = "/"
    """The namespace that it is for."""
    namespace: Namespace
    """That namespace itself, once the instance is registered."""

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
