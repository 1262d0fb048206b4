"""Who broke the protocol: the caller, or the peer.

This module knows no transport and no packet; every other module of the core may
import it.
"""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Why a session or a socket ended: what a `disconnect` handler is told.

    The spellings are those of the reference implementation, so that an
    application moved from JavaScript compares with the same strings.
    """

    TRANSPORT_ERROR = "transport error"
    TRANSPORT_CLOSE = "transport close"
    PING_TIMEOUT = "ping timeout"
    PARSE_ERROR = "parse error"
    FORCED_CLOSE = "forced close"
    SERVER_SHUTTING_DOWN = "server shutting down"
    CLIENT_NAMESPACE_DISCONNECT = "client namespace disconnect"
    SERVER_NAMESPACE_DISCONNECT = "server namespace disconnect"
    SEND_BUFFER_FULL = "send buffer full"
    RECEIVE_BUFFER_FULL = "receive buffer full"
    IO_SERVER_DISCONNECT = "io server disconnect"
    """What a client is told when the server has disconnected a namespace."""
    IO_CLIENT_DISCONNECT = "io client disconnect"
    """What a client is told when it has done so itself."""


class ProtocolError(Exception):
    """A violation of the protocol, by the caller or by the peer; never raised itself."""


class LocalProtocolError(ProtocolError):
    """The caller asked for something that the protocol forbids; nothing was changed or sent."""


class RemoteProtocolError(ProtocolError):
    """The peer broke the protocol, and the error knows what to answer.

    `status` is the HTTP status of the answer where the peer still speaks HTTP,
    `close_code` the WebSocket close code (RFC 6455, section 7.4.1) where it does
    not, `reason` what the application is told.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        reason: Reason = Reason.PARSE_ERROR,
        close_code: int = 1002,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.close_code = close_code


class TransportError(Exception):
    """A client's connection to its server could not be made, or broke.

    `message` names what failed in the reference's terms ("xhr poll error", "websocket error"),
    `description` says what was expected and what came, `status` is that of the HTTP answer
    where there was one, and `context` what else there is to look at: the body of the answer,
    or the exception of the driver.
    """

    def __init__(
        self,
        message: str,
        description: str = "",
        *,
        status: int | None = None,
        context: object = None,
    ) -> None:
        super().__init__(f"{message}: {description}" if description else message)
        self.message = message
        self.description = description
        self.status = status
        self.context = context


class ConnectionRefused(Exception):
    """Raised by middleware: the client is told why, and is not connected.

    `message` and `data` are what its `connect_error` handler gets (rule 60).
    """

    def __init__(self, message: str = "not authorized", data: object = None) -> None:
        super().__init__(message)
        self.message = message
        self.data = data


class EventRefused(Exception):
    """Raised for an event that is not to be handled: the client is told why.

    `message` and `data` are what its acknowledgement gets, where it asked for one. After a
    middleware for events no handler is called; a handler that raises it has simply refused.
    """

    def __init__(self, message: str = "not authorized", data: object = None) -> None:
        super().__init__(message)
        self.message = message
        self.data = data


class RequestRejected(Exception):
    """Raised by a middleware of the engine: the request is answered so, and not served.

    `status` is the HTTP status, from 400 to 599; `message` is in the body, which is JSON.
    """

    def __init__(self, status: int = 403, message: str = "Forbidden") -> None:
        if not 400 <= status <= 599:
            raise ValueError(f"expected an HTTP status from 400 to 599, got {status!r}")
        super().__init__(message)
        self.status = status
        self.message = message


class Disconnected(Exception):
    """What was waited for cannot come any more: the socket is gone, for this `reason`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotSent(Exception):
    """A volatile event was dropped, for its client could not take it: no answer will come."""


class AckTimeout(TimeoutError):
    """Not every acknowledgement came in time; `responses` has those that did."""

    def __init__(self, responses: list[object]) -> None:
        super().__init__("operation has timed out")
        self.responses = responses
