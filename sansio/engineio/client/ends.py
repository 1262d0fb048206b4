"""The ends of a client's session: what stands on it, and what stands on a connection of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from ...errors import Reason
from ..encoded import Encoded
from .http import Answer
from .websocket import Agreed


class EngineReceiver(Protocol):
    """A Socket.IO client, or an application of Engine.IO alone."""

    def opened(self, now: float) -> None:
        """The server has shaken hands; messages can be sent."""

    def message(self, data: str | bytes, now: float) -> None:
        """A message has come; raises RemoteProtocolError for one that breaks the protocol."""

    def pinged(self) -> None:
        """The server has sent a ping, which is answered."""

    def closed(self, reason: Reason, error: Exception | None) -> None:
        """The session is over; called once, and nothing comes after it.

        Before `opened` it means that the attempt has failed, and `error` is the
        `TransportError` that says why. After it `error` is what broke the session, where
        something did: a TransportError, or the RemoteProtocolError of a server that broke
        the protocol.
        """


class WireUser(Protocol):
    """Who has sent a request on a wire."""

    def answered(self, answer: Answer, now: float) -> None:
        """The answer has come; the wire may take another request."""

    def broken(self, error: Exception) -> None:
        """No answer will come, and the wire cannot be used any more."""


class WebSocketUser(WireUser, Protocol):
    """Who has asked for a WebSocket on a wire."""

    @property
    def close_code(self) -> int | None:
        """Set when the WebSocket is to be closed, after what `outgoing` still has."""
        ...

    @property
    def drained(self) -> bool:
        """Whether `outgoing` has nothing more."""
        ...

    @property
    def congested(self) -> bool:
        """Whether the server should not be read from."""
        ...

    def when_relieved(self, callback: Callable[[], None]) -> None:
        """Call back when `congested` may have changed."""

    def switched(self, agreed: Agreed, now: float) -> None:
        """The server has agreed; messages can be sent."""

    def receive(self, data: str | bytes, now: float) -> None:
        """A message has come."""

    def outgoing(self) -> list[Encoded]:
        """What the server is to be sent next; asked until it is nothing."""
        ...

    def disconnected(self) -> None:
        """The server has closed the WebSocket, or the connection is gone."""
