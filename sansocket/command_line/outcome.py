"""How `connect` and `emit` end: exit codes, and why in one line.

This module does not know who connects.
"""

from __future__ import annotations

import re
import socket
import ssl
import sys
from enum import IntEnum
from typing import Final

from sansocket.sansio.engineio.client.url import without_password
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

OF_OPENSSL: Final = re.compile(r"^\[[^\]]*\] | \(_ssl\.c:\d+\)$")
"""What it adds for those who look into its source."""


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
    url = without_password(url)
    if isinstance(error, ConnectionRefused):
        data = "" if error.data is None else f" {dump(error.data)}"
        return Failure(Outcome.REFUSED, f"refused: {escaped(error.message)}{data}")
    if isinstance(error, TransportError):
        return Failure(Outcome.UNREACHABLE, f"cannot reach {url}: {escaped(cause_of(error))}")
    if isinstance(error, RemoteProtocolError):
        return Failure(Outcome.UNREACHABLE, f"{url} breaks the protocol: {escaped(str(error))}")
    if isinstance(error, Disconnected):
        return Failure(Outcome.DISCONNECTED, f"disconnected: {escaped(error.reason)}")
    if isinstance(error, AckTimeout | TimeoutError):
        return Failure(Outcome.TIMEOUT, "no acknowledgement came in time")
    if isinstance(error, LocalProtocolError):
        return Failure(Outcome.WRONG_ARGUMENTS, escaped(str(error)))
    raise error


def cause_of(error: TransportError) -> str:
    """Why there is no connection, without the words that only programmers know."""
    cause = error.context
    if isinstance(cause, ssl.SSLError):
        # As "[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)".
        return "TLS: " + OF_OPENSSL.sub("", str(cause.strerror))
    if isinstance(cause, ConnectionRefusedError):
        return "connection refused: nobody listens there"
    if isinstance(cause, socket.gaierror):
        return str(cause.strerror)
    return error.description or error.message


def tell(failure: Failure) -> int:
    """Say why on stderr; returns the exit code."""
    print(f"sansocket: {failure}", file=sys.stderr)
    return failure.outcome
