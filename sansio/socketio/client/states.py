"""The states of a client and of its sockets, and the tables that are the only ways between them.

Rule 1. Everything that changes the state of a client is in `CLIENT_TRANSITIONS`, and of a
socket in `SOCKET_TRANSITIONS`.
Rule 2. What a state has no entry for is an error of whoever caused it.
Rule 3. A socket is active when something is being done for its connection: a client is
CLOSED exactly when none of its sockets is.

This module does not know what is done on the way. The diagrams in the documentation are made
from the tables.
"""

from __future__ import annotations

from enum import auto
from typing import Final

from ...transitions import Key


class ClientState(Key):
    """Where a client stands with its connection."""

    CLOSED = auto()
    OPENING = auto()
    """An attempt is under way."""
    OPEN = auto()
    WAITING = auto()
    """For the time of the next attempt."""


class ClientInput(Key):
    """What can happen to a client."""

    START = auto()
    """A socket wants to be connected."""
    OPENED = auto()
    RETRY = auto()
    """The connection is lost, or the attempt has failed, and there will be another one."""
    DUE = auto()
    """It is time for the next attempt."""
    STOP = auto()
    """Nobody wants the connection any more, or there will be no other attempt."""


CLIENT_TRANSITIONS: Final[dict[ClientState, dict[ClientInput, ClientState]]] = {
    ClientState.CLOSED: {ClientInput.START: ClientState.OPENING},
    ClientState.OPENING: {
        ClientInput.OPENED: ClientState.OPEN,
        ClientInput.RETRY: ClientState.WAITING,
        ClientInput.STOP: ClientState.CLOSED,
    },
    ClientState.OPEN: {
        ClientInput.RETRY: ClientState.WAITING,
        ClientInput.STOP: ClientState.CLOSED,
    },
    ClientState.WAITING: {
        ClientInput.DUE: ClientState.OPENING,
        ClientInput.STOP: ClientState.CLOSED,
    },
}


class SocketState(Key):
    """Where a socket of a client stands."""

    INACTIVE = auto()
    """Nothing is done for it: it was never connected, was refused or disconnected, or the
    client has given up."""
    WAITING = auto()
    """For the connection."""
    CONNECTING = auto()
    """For the server's answer to its CONNECT."""
    CONNECTED = auto()


class SocketInput(Key):
    """What can happen to a socket of a client."""

    CONNECT = auto()
    """The application wants it connected."""
    ASK = auto()
    """There is a connection: the server is asked."""
    ACCEPT = auto()
    LOSE = auto()
    """The connection is lost, and there will be another one."""
    LEAVE = auto()
    """It is refused, or disconnected by either side, or there will be no other connection."""


SOCKET_TRANSITIONS: Final[dict[SocketState, dict[SocketInput, SocketState]]] = {
    SocketState.INACTIVE: {SocketInput.CONNECT: SocketState.WAITING},
    SocketState.WAITING: {
        SocketInput.ASK: SocketState.CONNECTING,
        SocketInput.LEAVE: SocketState.INACTIVE,
    },
    SocketState.CONNECTING: {
        SocketInput.ACCEPT: SocketState.CONNECTED,
        SocketInput.LOSE: SocketState.WAITING,
        SocketInput.LEAVE: SocketState.INACTIVE,
    },
    SocketState.CONNECTED: {
        SocketInput.LOSE: SocketState.WAITING,
        SocketInput.LEAVE: SocketState.INACTIVE,
    },
}
