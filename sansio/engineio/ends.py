"""The ends of a session: what carries it, what wants to, and what stands on it."""

from __future__ import annotations

from typing import Final, Protocol

from ..errors import Reason
from ..runtime import Call


class Carrier(Protocol):
    """A connection that can take a session's packets: a parked poll, or the WebSocket."""

    @property
    def ready(self) -> Call:
        """Called when the outbox has something; it is pulled when the connection can take it."""
        ...

    def finish(self, close_code: int) -> None:
        """The session is over; what the outbox holds is the last."""


class Prober(Protocol):
    """The WebSocket that may take a session over."""

    def withdraw(self) -> None:
        """It may not any more, and closes."""


class Receiver(Protocol):
    """What stands on a session: a Socket.IO client, or an application's Engine.IO socket."""

    def short_message(self, text: bytes) -> bool:
        """A text packet has come in one short frame, type and all: take it, or say no.

        Then it comes the plain way, and nothing was done. It may be no MESSAGE, and no UTF-8.
        """
        ...

    def message(self, data: str | bytes, now: float) -> None:
        """A message has come; raises RemoteProtocolError for one that breaks the protocol."""

    def closed(self, reason: Reason) -> None:
        """The session is over; called once, and nothing comes after it."""


class Nobody:
    """The receiver of a session that is over: the one it had may be freed."""

    def short_message(self, text: bytes) -> bool:
        """Nobody is there to take it."""
        return False

    def message(self, data: str | bytes, now: float) -> None:
        """Nobody is there to take it."""

    def closed(self, reason: Reason) -> None:
        """Nobody is told twice."""


NOBODY: Final = Nobody()
