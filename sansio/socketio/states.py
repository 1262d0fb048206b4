"""The states of a socket, and the table that is the only way from one to another.

This module does not know what is done on the way; the diagram in the documentation
is made from the table.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING, Final


class State(Enum):
    """Where a socket stands: its name is taken from CONNECTING on (security rule 26)."""

    if not TYPE_CHECKING:  # for which this is no method of the same type as that of Enum
        __hash__ = object.__hash__  # that of Enum is in Python, and takes 0.2 us

    CONNECTING = auto()
    CONNECTED = auto()
    DISCONNECTED = auto()


# `State.CONNECTED` costs 65 ns on Python 3.11, a global 10 ns, and every packet is asked.
CONNECTED: Final = State.CONNECTED


class Input(Enum):
    """What can happen to a socket's state."""

    if not TYPE_CHECKING:  # for which this is no method of the same type as that of Enum
        __hash__ = object.__hash__  # that of Enum is in Python, and takes 0.2 us

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
