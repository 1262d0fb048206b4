"""What stands on a client's session."""

from __future__ import annotations

from typing import Protocol

from ..errors import Reason


class EngineReceiver(Protocol):
    """A Socket.IO client, or an application of Engine.IO alone."""

    def opened(self, now: float) -> None:
        """The server has shaken hands; messages can be sent."""

    def message(self, data: str | bytes, now: float) -> None:
        """A message has come; raises RemoteProtocolError for one that breaks the protocol."""

    def closed(self, reason: Reason, error: Exception | None) -> None:
        """The session is over; called once, and nothing comes after it.

        Before `opened` it means that the attempt has failed, and `error` is the
        `TransportError` that says why. After it `error` is what broke the session, where
        something did: a TransportError, or the RemoteProtocolError of a server that broke
        the protocol.
        """
