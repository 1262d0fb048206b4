"""The states of a socket, and the table that is the only way from one to another.

This module does not know what is done on the way; the diagram in the documentation
is made from the table.
"""

from __future__ import annotations

from enum import auto
from typing import Final

from ..transitions import Key


class State(Key):
    """Where a socket stands: its name is taken from CONNECTING on (security rule 26)."""

    CONNECTING = auto()
    CONNECTED = auto()
    DISCONNECTED = auto()


# `State.CONNECTED` costs 65 ns on Python 3.11, a global 10 ns, and every packet is asked.
CONNECTED: Final = State.CONNECTED


class Input(Key):
    """What can happen to a socket's state."""

    ACCEPT = auto()
    REFUSE = auto()
    LEAVE = auto()


TRANSITIONS: Final[dict[State, dict[Input, State]]] = {
    State.CONNECTING: {
        Input.ACCEPT: State.CONNECTED,
        Input.REFUSE: State.DISCONNECTED,
        Input.LEAVE: State.DISCONNECTED,
    },
    State.CONNECTED: {Input.LEAVE: State.DISCONNECTED},
    State.DISCONNECTED: {},
}
