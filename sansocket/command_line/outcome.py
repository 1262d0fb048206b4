"""How `connect` and `emit` end: exit codes, and why in one line.

This module does not know who connects.
"""

from __future__ import annotations

import sys
from enum import IntEnum

from sansocket.sansio.errors import (
    AckTimeout,
    ConnectionRefused,
    Disconnected,
    LocalProtocolError,
    RemoteProtocolError,
    TransportError,
)

from .json_lines import dump
from .values import escaped


class Outcome(IntEnum):
    """The exit codes."""

    DONE = 0
    WRONG_ARGUMENTS = 2
    """Of the command line, as argparse has it."""
    UNREACHABLE = 3
    """There is no connection: nobody listens, or whoever does speaks no Socket.IO."""
    REFUSED = 4
    """The server has turned us away."""
    TIMEOUT = 5
    """There was a connection, and what was waited for has not come in time."""
    DISCONNECTED = 6
    """The connection was lost, or ended by the server, while something was waited for."""
    INTERRUPTED = 130
    """By a signal, while something was waited for; as shells have it."""


class Failure(Exception):
    """Why a command cannot go on; the text is one line."""

    def __init__(self, outcome: Outcome, message: str) -> None:
        super().__init__(message)
        self.outcome = outcome


def failure_of(error: Exception, url: str) -> Failure:
    """What an exception of the client means to whoever has called the program."""
    if isinstance(error, ConnectionRefused):
        data = "" if error.data is None else f" {dump(error.data)}"
        return Failure(Outcome.REFUSED, f"refused: {escaped(error.message)}{data}")
    if isinstance(error, TransportError):
        return Failure(Outcome.UNREACHABLE, f"cannot reach {url}: {escaped(str(error))}")
    if isinstance(error, RemoteProtocolError):
        return Failure(Outcome.UNREACHABLE, f"{url} breaks the protocol: {escaped(str(error))}")
    if isinstance(error, Disconnected):
        return Failure(Outcome.DISCONNECTED, f"disconnected: {escaped(error.reason)}")
    if isinstance(error, AckTimeout | TimeoutError):
        return Failure(Outcome.TIMEOUT, "no acknowledgement came in time")
    if isinstance(error, LocalProtocolError):
        return Failure(Outcome.WRONG_ARGUMENTS, escaped(str(error)))
    raise error


def tell(failure: Failure) -> int:
    """Say why on stderr; returns the exit code."""
    print(f"sansocket: {failure}", file=sys.stderr)
    return failure.outcome
