"""The way from one state to the next: by a table, which says all that may happen in each state.

What a state has no entry for is an error of whoever caused it, and changes nothing. This module
knows no state and no input.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import TYPE_CHECKING, TypeVar

from .errors import ProtocolError


class Key(Enum):
    """A state or an input, by which a table is asked."""

    if not TYPE_CHECKING:  # for which this is no method of the same type as that of Enum
        __hash__ = object.__hash__  # that of Enum is in Python, and takes 0.2 us


S = TypeVar("S", bound=Key)
W = TypeVar("W", bound=Key)


def next_state(
    table: Mapping[S, Mapping[W, S]],
    state: S,
    what: W,
    error: Callable[[str], ProtocolError],
) -> S:
    """The state that follows on `state` by the table, when `what` happens.

    Raises `error`, of whoever caused it, for an input that the state does not have.
    """
    try:
        return table[state][what]
    except KeyError:
        raise error(f"{what.name} in state {state.name}") from None
