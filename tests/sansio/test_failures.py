"""Where exceptions of handlers end (security rules T1 and 34)."""

from __future__ import annotations

from typing import Any

from support.runtime import LoopFree

from sansocket.sansio.errors import Reason
from sansocket.sansio.failures import Failures, WrongArguments
from sansocket.sansio.runtime import Runtime

EVIL = "evil\r\nERROR: all is lost\x1b[2J"


def failures() -> tuple[Failures[str], LoopFree]:
    loop = LoopFree()
    runtime: Runtime = loop  # what the core asks for, as a type checker sees it
    return Failures(runtime), loop


def test_exception_is_logged_with_itself() -> None:
    reporter, loop = failures()
    error = KeyError("x")
    reporter.report(error, "socket", "chat", ("hi",))
    [(message, logged)] = loop.logged
    assert "chat" in message
    assert "socket" in message
    assert logged is error


def test_what_a_client_causes_is_no_error() -> None:
    """Security rule 34: wrong arguments are logged as INFO, without a traceback."""
    reporter, loop = failures()
    reporter.report(WrongArguments("'chat' came with 9 arguments"), "socket", "chat", (1,))
    assert loop.logged == [("'chat' came with 9 arguments: 'socket'", None)]
    assert WrongArguments("x").reason is Reason.PARSE_ERROR


def test_names_from_outside_are_escaped() -> None:
    """Security rule 34: no event's name can write lines of the log, or control a terminal."""
    reporter, loop = failures()
    reporter.report(KeyError(), "socket", EVIL, ())
    reporter.hook = fail
    reporter.report(KeyError(), "socket", EVIL, ())
    assert len(loop.logged) == 2
    assert all(message.isprintable() for message, _ in loop.logged)


def test_hook_gets_everything_and_the_log_nothing() -> None:
    reporter, loop = failures()
    got: list[tuple[Any, ...]] = []

    def hook(error: Exception, socket: str, event: str, args: tuple[Any, ...]) -> None:
        got.append((error, socket, event, args))

    reporter.hook = hook
    errors = [KeyError("x"), WrongArguments("y")]
    for error in errors:
        reporter.report(error, "socket", "chat", ("hi", 2))
    assert got == [(error, "socket", "chat", ("hi", 2)) for error in errors]
    assert loop.logged == []


def fail(error: Exception, socket: str, event: str, args: tuple[Any, ...]) -> None:
    """An application's hook that is broken itself."""
    raise OSError("disk full")


def test_hook_that_fails() -> None:
    """Security rule T1: it ends in the log, and the error that it was told of is in its context."""
    reporter, loop = failures()
    reporter.hook = fail
    error = KeyError("x")
    try:
        raise error
    except KeyError as raised:
        reporter.report(raised, "socket", "chat", ())
    [(message, logged)] = loop.logged
    assert "on_error" in message
    assert "chat" in message
    assert isinstance(logged, OSError)
    assert logged.__context__ is error
