"""What the server tells its driver: a client wants in, has sent an event, is gone.

Whoever takes what happened to a socket calls `socket.handled(size)` once it has been
handled: its client is not read from while too many wait (rule 98).
Final: code outside may match on these classes, and may not subclass them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from .socket import Socket

if TYPE_CHECKING:
    from .connection import Connection


class ConnectRequested(msgspec.Struct, frozen=True):
    """A client asks for a namespace: answer with `socket.accept()` or `socket.refuse(...)`."""

    socket: Socket
    auth: dict[str, Any]


class EventReceived(msgspec.Struct, frozen=True):
    """A client has sent an event."""

    socket: Socket
    name: str
    args: tuple[Any, ...]
    ack: int | None
    """What `socket.reply` takes as the number, where the client wants an answer."""
    size: int = 0
    """The bytes that it has come in: what `socket.handled` takes."""


class Disconnected(msgspec.Struct, frozen=True):
    """A socket that had been accepted is gone; the last that is told of it."""

    socket: Socket
    reason: str


class NamespaceRequested(msgspec.Struct, frozen=True):
    """A client asks for a namespace that there is not, and that a parent may make.

    Answer with `connection.enter(name, namespace)` or `connection.deny(name)`.
    """

    connection: Connection
    name: str
    auth: dict[str, Any]


Event = ConnectRequested | EventReceived | Disconnected
"""What happens to a socket, in the order in which it happens."""
