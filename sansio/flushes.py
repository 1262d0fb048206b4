"""Which connections are to be written to, and how many of them before others have their turn.

A broadcast to ten thousand clients wakes ten thousand wires; to write to them takes some 50 ms,
and for so long nobody else would be served. This module does not know how one is written to.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

AT_ONCE: Final = 512
"""How many connections are written to at a stretch: some 3 ms."""


class Flushable(Protocol):
    """A connection of a backend."""

    def flush(self) -> None:
        """Write what its wire has, or do what else it asks for."""


class Flushes:
    """The connections that have been woken, in that order.

    `begin` has the backend call `flush` soon, and again for as long as that returns True.
    """

    __slots__ = ("_begin", "_begun", "_woken")

    def __init__(self, begin: Callable[[], None]) -> None:
        self._begin = begin
        self._begun = False
        self._woken: list[Flushable] = []

    def wake(self, connection: Flushable) -> None:
        """Write to a connection soon: once, whatever is sent to it until then."""
        self._woken.append(connection)
        if not self._begun:
            self._begun = True
            self._begin()

    def flush(self) -> bool:
        """Write to some of them; whether others wait, for which it is to be called again."""
        woken = self._woken
        if len(woken) <= AT_ONCE:
            self._woken = []
        else:
            self._woken = woken[AT_ONCE:]
            del woken[AT_ONCE:]
        for connection in woken:
            connection.flush()
        self._begun = bool(self._woken)
        return self._begun
