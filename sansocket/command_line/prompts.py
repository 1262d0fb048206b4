"""Where the lines of a session come from without prompt_toolkit: a pipe or a file, or a terminal.

A thread reads, one line at a time and only when it is asked, for neither can be waited for
everywhere. This module does not know what a line means.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import queue
import sys
import threading
from collections.abc import Callable, Generator
from typing import Final, Protocol

from .completion import Completion
from .history import History

MOST_BYTES: Final = 100_000_000
"""A longer line is not waited for."""


class Prompt(Protocol):
    """Who gives the lines of a session, and shows what it reports beside them."""

    @property
    def is_terminal(self) -> bool:
        """Whether somebody types."""
        ...

    def open(self) -> contextlib.AbstractContextManager[None]:
        """The time in which it may be asked; afterwards the terminal is as it was."""
        ...

    async def line(self, prompt: Callable[[], str]) -> str | None:
        """The next line, or None at the end; `prompt` says what stands before it, from time to
        time. Cancelled, what has been typed of a line is lost."""
        ...

    def show(self, text: str) -> None:
        """Write lines above what is being typed."""


class Reading:
    """A thread that reads when it is asked."""

    def __init__(self, read: Callable[[str], str | None]) -> None:
        self._read = read
        self._asked: queue.SimpleQueue[tuple[str, Callable[[str | Exception | None], None]]]
        self._asked = queue.SimpleQueue()
        # It may wait for a line for ever: the program ends without it.
        self._thread = threading.Thread(target=self._run, name="lines", daemon=True)

    async def line(self, prompt: str) -> str | None:
        """The next line, or None at the end."""
        if not self._thread.is_alive():
            self._thread.start()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[str | None] = loop.create_future()

        def settle(result: str | Exception | None) -> None:
            if future.done():
                return
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)

        def resolve(result: str | Exception | None) -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(settle, result)

        self._asked.put((prompt, resolve))
        return await future

    def _run(self) -> None:
        while True:
            prompt, resolve = self._asked.get()
            try:
                resolve(self._read(prompt))
            except Exception as error:
                resolve(error)


class PipedLines:
    """Lines of a pipe or of a file."""

    is_terminal = False

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._buffer = bytearray()
        self._searched = 0
        self._reading = Reading(self._read)

    def open(self) -> contextlib.AbstractContextManager[None]:
        """Nothing is to be put back."""
        return contextlib.nullcontext()

    async def line(self, prompt: Callable[[], str]) -> str | None:
        """The next line, or None at the end."""
        return await self._reading.line("")

    def show(self, text: str) -> None:
        """Write lines to stdout."""
        print(text, flush=True)

    def _read(self, prompt: str) -> str | None:
        # Not by sys.stdin, whose lock would be held when the program ends.
        while (end := self._buffer.find(b"\n", self._searched)) < 0:
            self._searched = len(self._buffer)
            if self._searched > MOST_BYTES:
                raise ValueError(f"a line of input has more than {MOST_BYTES} bytes")
            piece = os.read(self._descriptor, 65_536)
            if not piece:
                end = len(self._buffer)
                break
            self._buffer += piece
        if not self._buffer:
            return None
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        self._searched = 0
        return line.decode("utf-8", "replace")


class PlainPrompt:
    """Lines that somebody types, edited by readline where Python has it."""

    is_terminal = True

    def __init__(self, history: History, completion: Completion) -> None:
        self._history = history
        self._completion = completion
        self._reading = Reading(self._read)
        self._prompt: str | None = None
        self._fresh = ""
        """Writes over a prompt that `show` has written just before."""

    @contextlib.contextmanager
    def open(self) -> Generator[None]:
        """Set readline up; afterwards put the terminal back, which readline has changed."""
        with restored_terminal():
            with contextlib.suppress(ImportError):
                import readline

                readline.set_completer_delims("")
                readline.set_completer(self._complete)
                readline.parse_and_bind("tab: complete")
                # Between the marks of readline for what takes no room.
                self._fresh = "\x01\r\x1b[K\x02"
                for line in self._history.lines:
                    readline.add_history(line)
            yield

    async def line(self, prompt: Callable[[], str]) -> str | None:
        """Ask for a line."""
        self._prompt = prompt()
        try:
            line = await self._reading.line(self._prompt)
        except asyncio.CancelledError:
            print(flush=True)
            raise
        finally:
            self._prompt = None
        if line is None:
            print(flush=True)
        else:
            self._history.add(line)
        return line

    def show(self, text: str) -> None:
        """Write lines, and under them again what was being typed."""
        if self._prompt is None:
            print(text, flush=True)
            return
        typed = ""
        with contextlib.suppress(ImportError):
            import readline

            typed = readline.get_line_buffer()
        print(f"\r\x1b[K{text}\n{self._prompt}{typed}", end="", flush=True)

    def _read(self, prompt: str) -> str | None:
        try:
            return input(self._fresh + prompt)
        except EOFError:
            return None

    def _complete(self, text: str, number: int) -> str | None:
        found = self._completion.matching(text)
        return found[number] + " " if number < len(found) else None


@contextlib.contextmanager
def restored_terminal() -> Generator[None]:
    """Whatever is done to the terminal of stdin is undone at the end."""
    try:
        import termios
    except ImportError:  # Windows has none
        yield
        return
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
