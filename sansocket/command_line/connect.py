"""`sansocket connect`: a client in the terminal, and for scripts.

It runs on asyncio, which needs no extra. What a line says, how things are shown and what is done
are their own modules' matter; this one brings them together, and decides when it is over.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Generator
from pathlib import Path
from typing import Any, Final

from sansocket.asyncio_backend import Client

from . import reports, target
from .completion import Completion
from .history import History, default_path
from .json_lines import parse_json_line
from .json_reports import json_report
from .line_grammar import LineError, parse_line
from .outcome import Failure, Outcome, failure_of, tell
from .presentation import Presentation, takes_colours, takes_marks
from .prompts import PipedLines, PlainPrompt, Prompt
from .reports import Report
from .session import Session
from .session_commands import COMMANDS, Quit, perform
from .terminal_prompt import TerminalPrompt
from .values import escaped

NAME: Final = "connect"
HELP: Final = "be a client: type events, and see what comes"

LAST_ACKS: Final = 10.0
"""For how many seconds the acknowledgements that a script has asked for are awaited at the end."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments of the command."""
    target.add_arguments(parser)
    parser.add_argument(
        "--once",
        action="store_true",
        help="send what stdin has, and end with its acknowledgements; where it asks for none, with"
        " the first event that comes",
    )
    parser.add_argument(
        "--json", action="store_true", help="for scripts: one JSON object a line, both ways"
    )
    parser.add_argument(
        "--timeout",
        type=target.seconds,
        metavar="SECONDS",
        help="how long the connection, each acknowledgement, and with --once the event may take"
        " (default: 20 for the connection; for the others no limit)",
    )
    parser.add_argument(
        "--retry", action="store_true", help="try again also when the first attempt fails"
    )
    parser.add_argument(
        "--no-reconnect",
        dest="reconnect",
        action="store_false",
        help="end when the connection is lost",
    )
    parser.add_argument(
        "--no-history", dest="history", action="store_false", help="remember no lines in a file"
    )


def run(arguments: argparse.Namespace) -> int:
    """Be a client until the end of input; returns the exit code, as `outcome.py` has it."""
    try:
        chosen = target.target(arguments, timeout=arguments.timeout)
        if not (arguments.reconnect or arguments.retry):
            chosen.options["reconnection"] = False
        return asyncio.run(Running(arguments, chosen).run())
    except Failure as failure:
        return tell(failure)
    except asyncio.CancelledError:
        return Outcome.INTERRUPTED


class Running:
    """One run of the command."""

    def __init__(self, arguments: argparse.Namespace, chosen: target.Target) -> None:
        self._target = chosen
        self._once: bool = arguments.once
        self._json: bool = arguments.json
        self._retry: bool = arguments.retry
        self._timeout: float | None = arguments.timeout
        self._completion = Completion(COMMANDS)
        self._prompt = self._choose_prompt(arguments.history)
        self._interrupted = asyncio.Event()
        self._leaving = False
        """Whether nothing is waited for any more but the end of the connection."""
        self._awaits = True
        """Whether it is an error to be interrupted: something is waited for."""
        self._deaf = False
        """Whether nobody reads what is reported."""
        colours = takes_colours(sys.stdout)
        self._presentation = Presentation(colours=colours, marks=takes_marks(sys.stdout))

    def _choose_prompt(self, remember: bool) -> Prompt:
        """Somebody types where both ends are a terminal; `--json` and `--once` are scripts'."""
        if self._json or self._once or not (sys.stdin.isatty() and sys.stdout.isatty()):
            return PipedLines(sys.stdin.fileno())
        history = History(default_path() if remember else None)
        colours = takes_colours(sys.stdout)
        try:
            return TerminalPrompt(history, self._completion, colours=colours)
        except ModuleNotFoundError:
            return PlainPrompt(history, self._completion)

    def _report(self, report: Report) -> None:
        if self._deaf:
            return
        line = json_report(report) if self._json else self._presentation.line(report)
        try:
            self._prompt.show(line)
        except BrokenPipeError:
            # Nobody reads any more. Python would complain of what is left when it ends.
            self._deaf = True
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            self._interrupted.set()

    async def run(self) -> int:
        """Connect, and do what the lines say; raises Failure.

        A signal ends it in good order, and one more at once: then it is cancelled.
        """
        main = asyncio.current_task()
        assert main is not None

        def stop() -> None:
            if self._leaving:
                main.cancel()
            self._interrupted.set()

        with signals(stop), self._prompt.open():
            async with (
                asyncio.TaskGroup() as tasks,
                Client(self._target.url, **self._target.options) as client,
            ):
                session = Session(
                    client,
                    self._report,
                    tasks,
                    self._completion,
                    auth=self._target.auth,
                    acks_within=self._timeout,
                    quiet=not self._json,
                )
                failure = await self._until_interrupted(self._play(session))
                self._leaving = True
        if failure is not None:
            raise failure
        if self._interrupted.is_set() and self._awaits:
            return Outcome.INTERRUPTED
        return Outcome.DONE

    async def _until_interrupted(
        self, playing: Coroutine[Any, Any, Failure | None]
    ) -> Failure | None:
        """Run it, unless a signal comes first."""
        task = asyncio.ensure_future(playing)
        interrupted = asyncio.ensure_future(self._interrupted.wait())
        await asyncio.wait([task, interrupted], return_when=asyncio.FIRST_COMPLETED)
        interrupted.cancel()
        if not task.done():
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            return None
        return task.result()

    async def _play(self, session: Session) -> Failure | None:
        """The whole of it; a failure is returned, so that the connection ends in good order."""
        typed = self._prompt.is_terminal
        try:
            wait = not (typed and self._retry)
            await session.start(self._target.namespaces, retry=self._retry, wait=wait)
            self._awaits = self._once
            if typed:
                await self._converse(session)
            else:
                await self._feed(session)
                await self._finish(session)
        except Failure as failure:
            return failure
        except Exception as error:
            return failure_of(error, self._target.url)
        return None

    async def _converse(self, session: Session) -> None:
        """Do what somebody types, until the end."""
        self._report(reports.Remark("/help says what you can type; Ctrl-D ends."))
        with contextlib.suppress(Quit):
            while (line := await self._prompt.line(lambda: prompt(session))) is not None:
                self._obey(session, line)

    def _obey(self, session: Session, line: str) -> None:
        """Do what a line says; raises Quit."""
        try:
            what = parse_json_line(line) if self._json else parse_line(line, read_file)
        except LineError as error:
            session.problem(str(error))
        else:
            perform(session, what, read_file)

    async def _feed(self, session: Session) -> None:
        """Do what a script has written, until its end; raises Failure when we are thrown out."""
        thrown_out = asyncio.ensure_future(session.until(lambda: session.thrown_out))
        try:
            while True:
                line = asyncio.ensure_future(self._prompt.line(str))
                await asyncio.wait([line, thrown_out], return_when=asyncio.FIRST_COMPLETED)
                if not line.done():
                    line.cancel()
                    raise disconnected(session)
                text = line.result()
                if text is None:
                    return
                self._obey(session, text)
                await session.drain()
        except Quit:
            pass
        finally:
            thrown_out.cancel()

    async def _finish(self, session: Session) -> None:
        """Wait for what the script wants to see; raises Failure when it does not come."""
        if self._once and not session.problems:
            await self._until_answered(session)
        elif not self._once:
            await self._until_acknowledged(session, LAST_ACKS if self._timeout is None else None)
        if session.problems:
            lines = "a line" if session.problems == 1 else f"{session.problems} lines"
            raise Failure(Outcome.WRONG_ARGUMENTS, f"{lines} of input could not be followed")
        if session.failed_ack is not None:
            raise failure_of(session.failed_ack, self._target.url)

    async def _until_answered(self, session: Session) -> None:
        """For `--once`: the acknowledgements that are asked for, or else an event."""
        if session.asked:
            await self._until_acknowledged(session, None)
            return
        try:
            async with asyncio.timeout(self._timeout):
                await session.until(lambda: bool(session.events) or not session.active)
        except TimeoutError:
            message = f"no event came within {self._timeout} s"
            raise Failure(Outcome.TIMEOUT, message) from None
        if not session.events:
            raise disconnected(session)

    async def _until_acknowledged(self, session: Session, seconds: float | None) -> None:
        """Each has its own `--timeout`, where there is one; `seconds` is for all."""
        try:
            async with asyncio.timeout(seconds):
                await session.until(lambda: not (session.pending and session.active))
        except TimeoutError:
            message = f"no acknowledgement came within {seconds} s"
            raise Failure(Outcome.TIMEOUT, message) from None


def prompt(session: Session) -> str:
    """What stands before a line that is typed: where it goes, and whether it goes now."""
    words = [] if session.namespace == "/" else [escaped(session.namespace)]
    if not session.connected:
        words.append("(not connected)")
    return " ".join([*words, "> "]) if words else "> "


def disconnected(session: Session) -> Failure:
    """Nothing can come any more."""
    return Failure(Outcome.DISCONNECTED, f"disconnected: {session.reason}")


def read_file(path: str) -> bytes:
    """The bytes of a file; raises OSError."""
    return Path(path).expanduser().read_bytes()


@contextlib.contextmanager
def signals(stop: Callable[[], object]) -> Generator[None]:
    """Ctrl-C and SIGTERM call `stop`, where the loop can do that."""
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGINT, signal.SIGTERM)
    with contextlib.suppress(NotImplementedError):  # on Windows Ctrl-C cancels the main task
        for number in numbers:
            loop.add_signal_handler(number, stop)
    try:
        yield
    finally:
        with contextlib.suppress(NotImplementedError):
            for number in numbers:
                loop.remove_signal_handler(number)
