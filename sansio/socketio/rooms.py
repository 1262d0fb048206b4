"""Who is in which room: two dictionaries, kept as mirror images of each other.

This module does not know what a socket is.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic, TypeVar

T = TypeVar("T")


class Rooms(Generic[T]):
    """The rooms and their members; joining and leaving cost the same in a room of a million.

    An empty room is no room: nothing is kept of it.
    """

    __slots__ = ("_members", "_rooms")

    def __init__(self) -> None:
        self._members: dict[str, set[T]] = {}
        self._rooms: dict[T, set[str]] = {}

    def join(self, who: T, room: str) -> None:
        """Put `who` into the room; no effect on a member."""
        self._members.setdefault(room, set()).add(who)
        self._rooms.setdefault(who, set()).add(room)

    def leave(self, who: T, room: str) -> None:
        """Take `who` out of the room; no effect on one who is not in it."""
        rooms = self._rooms.get(who)
        if rooms is None or room not in rooms:
            return
        rooms.remove(room)
        if not rooms:
            del self._rooms[who]
        self._remove(who, room)

    def forget(self, who: T) -> None:
        """Take `who` out of every room."""
        for room in self._rooms.pop(who, ()):
            self._remove(who, room)

    def of(self, who: T) -> frozenset[str]:
        """The rooms that `who` is in, as they are now."""
        return frozenset(self._rooms.get(who, ()))

    def count(self, who: T) -> int:
        """How many rooms `who` is in."""
        return len(self._rooms.get(who, ()))

    def members(self, rooms: Iterable[str]) -> set[T]:
        """The members of any of the rooms, each once; a room that does not exist has none."""
        found: set[T] = set()
        for room in rooms:
            found |= self._members.get(room, set())
        return found

    def names(self) -> frozenset[str]:
        """Every room that has a member."""
        return frozenset(self._members)

    def _remove(self, who: T, room: str) -> None:
        members = self._members[room]
        members.remove(who)
        if not members:
            del self._members[room]
