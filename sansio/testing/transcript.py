"""What has happened in a simulation, line by line, and a digest of all of it.

Two runs of one seed have the same digest. This module does not know what the lines mean.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable

KEPT = 60
"""How many of the last lines a transcript keeps."""


class Transcript:
    """The last lines; `write`, where it is given, gets every line."""

    def __init__(self, write: Callable[[str], None] | None = None) -> None:
        self.write: Callable[[str], None] | None = write
        self.lines: int = 0
        """How many lines there have been."""
        self._last: deque[str] = deque(maxlen=KEPT)
        self._digest = hashlib.blake2b(digest_size=16)

    def note(self, now: float, what: str) -> None:
        """Add a line, at `now` (seconds)."""
        line = f"{now:11.4f} {what}"
        self.lines += 1
        self._last.append(line)
        self._digest.update(line.encode("utf-8", "surrogatepass") + b"\n")
        if self.write is not None:
            self.write(line)

    @property
    def last(self) -> list[str]:
        """The last lines."""
        return list(self._last)

    @property
    def digest(self) -> str:
        """Of all the lines: equal for equal transcripts."""
        return self._digest.hexdigest()
