"""What happens to a client and its sockets: what their mailboxes hold, and what is iterated over.

Final: code outside may match on these classes, and may not subclass them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from ..acks import Ack, Values

if TYPE_CHECKING:
    from ..intake import Intake
    from .socket import ClientSocket


class Event(msgspec.Struct, frozen=True):
    """An event of the server, as `async for event in socket` gives it."""

    name: str
    args: Values
    ack: Ack
    """Called to acknowledge it; `ack.wanted` says whether the server asks for that."""


class Stay(msgspec.Struct, eq=False):
    """One time that a socket is connected: from the server's answer to the disconnect.

    What belongs to one stay is nothing to the next: an acknowledgement that a handler owes to
    one session would be a wrong one in another.
    """

    intake: Intake[Any]
    """Of the session that it is part of."""
    left: bool = False
    """Whether it ended because the application disconnected: what had come before and was not
    handled yet is not handled any more."""


class EventReceived(msgspec.Struct, frozen=True, eq=False):
    """The server has sent an event."""

    socket: ClientSocket
    name: str
    args: Values
    ack: int | None
    stay: Stay
    size: int = 0
    """The bytes that it has come in."""


class Connected(msgspec.Struct, frozen=True):
    """The server has let the socket in."""

    socket: ClientSocket


class ConnectFailed(msgspec.Struct, frozen=True):
    """An attempt to connect the socket has failed, or the server has refused it."""

    socket: ClientSocket
    error: Exception
    final: bool
    """Whether nothing is done about it any more."""


class Disconnected(msgspec.Struct, frozen=True):
    """The socket had been connected, and is not any more."""

    socket: ClientSocket
    reason: str
    details: Exception | None
    """What broke the connection, where something did."""
    final: bool


SocketEvent = EventReceived | Connected | ConnectFailed | Disconnected
"""What happens to a socket, in the order in which it happens."""


class Happened(msgspec.Struct, frozen=True):
    """One of the events of the client itself."""

    name: str
    args: tuple[Any, ...] = ()
