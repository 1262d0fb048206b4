"""What an application adds to JSON: how values of its own are written, and read again.

This module does not know packets; `parser.py` says which part of one is the application's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from ..errors import RemoteProtocolError
from .json import Attachments

Default = Callable[[Any], object]
"""Gives something that JSON can carry for what it cannot; raises TypeError where there is none."""
Revive = Callable[[dict[str, Any]], object]
"""Gives, for an object that was read, what stands for it in the arguments: itself, or another."""


class Converted(Attachments):
    """Attachments, and the application's word on all that is neither JSON nor binary."""

    __slots__ = ("_default",)

    def __init__(self, default: Default) -> None:
        super().__init__()
        self._default = default

    def __call__(self, thing: Any) -> object:
        """Keep what is binary, and ask the application about the rest."""
        if isinstance(thing, bytes | bytearray | memoryview):
            return super().__call__(thing)
        return self._default(thing)


def revived(value: object, revive: Revive) -> Any:
    """`value` with what `revive` gives in the place of each object, the innermost first.

    `value` is as deep as JSON may be, at most (security rule T2). Raises RemoteProtocolError
    for what `revive` refuses by whatever exception: the peer has sent it (rule 95).
    """
    kind = type(value)
    if kind is list:
        items = cast("list[Any]", value)
        for index, item in enumerate(items):
            items[index] = revived(item, revive)
        return items
    if kind is dict:
        members = cast("dict[str, Any]", value)
        for key, item in members.items():
            members[key] = revived(item, revive)
        try:
            return revive(members)
        except Exception as error:
            raise RemoteProtocolError("an object that cannot be revived") from error
    return value
