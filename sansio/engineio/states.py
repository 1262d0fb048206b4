"""The states of a session, and the table that is the only way from one to another.

Rule 1. Everything that changes the state of a session is in `TRANSITIONS`.
Rule 2. What a state has no entry for is an error of whoever caused it.

This module does not know what is done on the way; the diagram in the documentation
is made from the table.
"""

from __future__ import annotations

from enum import auto
from typing import Final

from ..transitions import Key


class State(Key):
    """Where a session stands between its transports and its end."""

    POLLING = auto()
    """Carried by polls."""
    OFFERED = auto()
    """Carried by polls; a WebSocket has come for it and has not probed yet."""
    PROBING = auto()
    """The WebSocket has probed; every poll is answered at once, so that the client can switch."""
    WEBSOCKET = auto()
    """Carried by a WebSocket."""
    CLOSING = auto()
    """Over for the application; the next poll will tell the client."""
    CLOSING_OFFERED = auto()
    """The same, and a WebSocket has come for it and has not probed yet."""
    CLOSING_PROBING = auto()
    """The same, and the WebSocket has probed: a client that has stopped polling for it will
    learn of the end by nothing else (rules 33 and 39)."""
    CLOSED = auto()


class Input(Key):
    """What can happen to a session's state."""

    OFFER = auto()
    PROBE = auto()
    UPGRADE = auto()
    WITHDRAW = auto()
    """The WebSocket that was to take over is gone, wrong or late: back to polling (rule 37)."""
    CLOSE = auto()
    """The application ends it while no poll waits that could say so (rule 31)."""
    END = auto()


TRANSITIONS: Final[dict[State, dict[Input, State]]] = {
    State.POLLING: {
        Input.OFFER: State.OFFERED,
        Input.CLOSE: State.CLOSING,
        Input.END: State.CLOSED,
    },
    State.OFFERED: {
        Input.PROBE: State.PROBING,
        Input.WITHDRAW: State.POLLING,
        Input.CLOSE: State.CLOSING_OFFERED,
        Input.END: State.CLOSED,
    },
    State.PROBING: {
        Input.UPGRADE: State.WEBSOCKET,
        Input.WITHDRAW: State.POLLING,
        Input.CLOSE: State.CLOSING_PROBING,
        Input.END: State.CLOSED,
    },
    State.WEBSOCKET: {Input.END: State.CLOSED},
    State.CLOSING: {Input.END: State.CLOSED},
    State.CLOSING_OFFERED: {
        Input.PROBE: State.CLOSING_PROBING,
        Input.WITHDRAW: State.CLOSING,
        Input.END: State.CLOSED,
    },
    State.CLOSING_PROBING: {
        Input.UPGRADE: State.CLOSED,
        Input.WITHDRAW: State.CLOSING,
        Input.END: State.CLOSED,
    },
    State.CLOSED: {},
}

OVER: Final = frozenset({State.CLOSING, State.CLOSING_OFFERED, State.CLOSING_PROBING, State.CLOSED})
