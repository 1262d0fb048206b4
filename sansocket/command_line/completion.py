"""What may complete a line that is being typed: commands, and the names of events seen so far.

This module does not know who asks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from .line_grammar import write_name

MOST_NAMES: Final = 500
"""Names of events that are remembered; the one that was seen longest ago makes room."""
LONGEST_NAME: Final = 100
"""A longer one, in characters, is not."""


class Completion:
    """The beginnings of lines that make sense; `commands` are named without their slash."""

    def __init__(self, commands: Iterable[str]) -> None:
        self._commands = tuple(commands)
        self._names: dict[str, None] = {}
        self.namespaces: set[str] = set()
        """Those that have been joined, for the commands that take one."""

    def saw(self, event: str) -> None:
        """An event has come, or was sent."""
        name = write_name(event)
        if len(name) > LONGEST_NAME:
            return
        self._names.pop(name, None)
        self._names[name] = None
        if len(self._names) > MOST_NAMES:
            del self._names[next(iter(self._names))]

    def beginnings(self) -> Iterator[str]:
        """Everything that a line may begin with: the event that was seen last comes first."""
        yield from reversed(self._names)
        for command in self._commands:
            yield f"/{command}"
            if command in ("namespace", "leave"):
                yield from (f"/{command} {name}" for name in sorted(self.namespaces))

    def matching(self, line: str) -> list[str]:
        """Those that go on from what has been typed."""
        return [beginning for beginning in self.beginnings() if beginning.startswith(line)]
