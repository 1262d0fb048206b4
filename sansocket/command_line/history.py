"""The lines that were typed, in a file, so that they are there the next time.

They may hold secrets: nobody else may read the file. It keeps the last lines alone. This module
does not know what a line means, nor who shows it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

MOST_LINES: Final = 1_000
MOST_CHARACTERS: Final = 10_000
"""A longer line is not kept."""


def default_path(environment: Mapping[str, str] = os.environ) -> Path:
    """Where the file is: as the XDG base directory specification has it, for state."""
    if named := environment.get("SANSOCKET_HISTORY"):
        return Path(named)
    state = environment.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(state) / "sansocket" / "history"


class History:
    """What was typed before, the oldest first; without a path it lasts as long as the program.

    A file that cannot be read or written is no error: then nothing is remembered.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self.lines: list[str] = []
        with contextlib.suppress(OSError):
            if path is not None:
                self.lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        if len(self.lines) > MOST_LINES:
            self.lines = self.lines[-MOST_LINES:]
            self._write("w", self.lines)

    def add(self, line: str) -> None:
        """Remember a line, but an empty one, one that is too long, and the same again."""
        line = line.strip()
        if not line or len(line) > MOST_CHARACTERS or line in self.lines[-1:]:
            return
        self.lines.append(line)
        del self.lines[:-MOST_LINES]
        self._write("a", [line])

    def _write(self, mode: str, lines: list[str]) -> None:
        if self._path is None:
            return
        text = "".join(f"{line}\n" for line in lines)
        flags = os.O_WRONLY | os.O_CREAT | (os.O_APPEND if mode == "a" else os.O_TRUNC)
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with open(os.open(self._path, flags, 0o600), mode, encoding="utf-8") as file:
                file.write(text.encode("utf-8", "replace").decode())
