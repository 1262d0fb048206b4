"""A terminal that somebody sits at: a pseudo-terminal with a program in it, and its screen."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from command_line.clients import environment
from command_line.program import PATIENCE

pytest.importorskip("pty")
pyte: Any = pytest.importorskip("pyte")

# A session of its own with the terminal as its own, so that Ctrl-C becomes a signal.
TAKE_TERMINAL = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
EXEC = "os.execv(sys.argv[1], sys.argv[1:])"

LINES, COLUMNS = 40, 100


class Terminal:
    """A program in a terminal."""

    def __init__(self, *arguments: str, **changes: str) -> None:
        self._outer, self._inner = os.openpty()
        termios.tcsetwinsize(self._inner, (LINES, COLUMNS))
        self.before = termios.tcgetattr(self._inner)
        self._screen = pyte.Screen(COLUMNS, LINES)
        # It answers when it is asked where its cursor stands.
        self._screen.write_process_input = lambda data: os.write(self._outer, data.encode())
        self._stream = pyte.ByteStream(self._screen)
        self.written = b""
        self._process = subprocess.Popen(
            [sys.executable, "-c", f"{TAKE_TERMINAL}{EXEC}", sys.executable, *arguments],
            stdin=self._inner,
            stdout=self._inner,
            stderr=self._inner,
            env=environment(TERM="xterm-256color", **changes),
            start_new_session=True,
        )

    @property
    def lines(self) -> list[str]:
        """What is on the screen, without the blanks at the ends."""
        shown: Sequence[str] = self._screen.display
        return [line.rstrip() for line in shown if line.strip()]

    @property
    def attributes(self) -> list[Any]:
        """How the terminal is set."""
        return termios.tcgetattr(self._inner)

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._outer, keys.encode())

    def until(self, ready: Callable[[list[str]], bool]) -> list[str]:
        """Look at the screen until this holds for its lines."""
        deadline = time.monotonic() + PATIENCE
        while not ready(self.lines):
            self._read(deadline)
        return self.lines

    def until_shown(self, text: str) -> list[str]:
        """Look at the screen until this is on it."""
        return self.until(lambda lines: any(text in line for line in lines))

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the program."""
        self._process.send_signal(number)

    def end(self) -> int:
        """Wait until the program has ended; returns its exit code."""
        deadline = time.monotonic() + PATIENCE
        while self._process.poll() is None:
            # What is written last is read too: a program waits until it can write.
            if select.select([self._outer], [], [], 0.05)[0]:
                self._read(deadline)
        while select.select([self._outer], [], [], 0)[0]:
            self._read(deadline)
        return self._process.returncode

    def close(self) -> None:
        """Throw it away."""
        self._process.kill()
        self._process.wait()
        os.close(self._outer)
        os.close(self._inner)

    def _read(self, deadline: float) -> None:
        left = max(deadline - time.monotonic(), 0)
        if not select.select([self._outer], [], [], left)[0]:
            pytest.fail("in vain:\n" + "\n".join(self.lines))
        piece = os.read(self._outer, 65_536)
        self.written += piece
        self._stream.feed(piece)
