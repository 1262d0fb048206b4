"""The states of a client's session, and the table that is the only way from one to another.

Rule 1. Everything that changes the state of a client's session is in `TRANSITIONS`.
Rule 2. What a state has no entry for is an error of whoever caused it.

This module does not know what is done on the way; the diagram in the documentation is made
from the table. The states of a server's session are in `states.py`.
"""

from __future__ import annotations

from enum import auto
from typing import Final

from ...transitions import Key


class ClientState(Key):
    """Where a client's session stands between its attempt and its end."""

    IDLE = auto()
    """Nothing has been asked of it yet."""
    OPENING = auto()
    """The handshake is under way, by whichever transport."""
    POLLING = auto()
    """Carried by polls."""
    PROBING = auto()
    """Carried by polls; a WebSocket is being connected, or has probed."""
    PAUSING = auto()
    """The probe was answered: no request is begun any more, those that are under way finish."""
    WEBSOCKET = auto()
    """Carried by a WebSocket."""
    CLOSING = auto()
    """Closed by us, in good order: what waits is sent, then the server is told."""
    CLOSED = auto()


class ClientInput(Key):
    """What can happen to the state of a client's session."""

    START = auto()
    OPEN_POLLING = auto()
    """The server has shaken hands, in the answer to a GET."""
    OPEN_WEBSOCKET = auto()
    """The server has shaken hands, over a WebSocket."""
    PROBE = auto()
    PAUSE = auto()
    """`3probe` has come."""
    UPGRADE = auto()
    """No request is under way, and `5` is sent (rule 33)."""
    WITHDRAW = auto()
    """The WebSocket is gone, wrong or late: polling goes on (rules 37 and 38)."""
    CLOSE = auto()
    END = auto()


TRANSITIONS: Final[dict[ClientState, dict[ClientInput, ClientState]]] = {
    ClientState.IDLE: {
        ClientInput.START: ClientState.OPENING,
        ClientInput.END: ClientState.CLOSED,
    },
    ClientState.OPENING: {
        ClientInput.OPEN_POLLING: ClientState.POLLING,
        ClientInput.OPEN_WEBSOCKET: ClientState.WEBSOCKET,
        ClientInput.END: ClientState.CLOSED,
    },
    ClientState.POLLING: {
        ClientInput.PROBE: ClientState.PROBING,
        ClientInput.CLOSE: ClientState.CLOSING,
        ClientInput.END: ClientState.CLOSED,
    },
    # A close waits for the upgrade that is under way (rule 39), so these two have none.
    ClientState.PROBING: {
        ClientInput.PAUSE: ClientState.PAUSING,
        ClientInput.WITHDRAW: ClientState.POLLING,
        ClientInput.END: ClientState.CLOSED,
    },
    ClientState.PAUSING: {
        ClientInput.UPGRADE: ClientState.WEBSOCKET,
        ClientInput.WITHDRAW: ClientState.POLLING,
        ClientInput.END: ClientState.CLOSED,
    },
    ClientState.WEBSOCKET: {
        ClientInput.CLOSE: ClientState.CLOSING,
        ClientInput.END: ClientState.CLOSED,
    },
    ClientState.CLOSING: {ClientInput.END: ClientState.CLOSED},
    ClientState.CLOSED: {},
}
