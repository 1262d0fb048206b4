"""By a table from one state to the next, or to an error of whoever caused it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum, auto
from typing import Final

import pytest

from sansocket.sansio.errors import LocalProtocolError, ProtocolError, RemoteProtocolError
from sansocket.sansio.transitions import Key, next_state


class Lamp(Key):
    """What begins and ends dark."""

    DARK = auto()
    LIT = auto()
    BROKEN = auto()


class Touch(Key):
    """What may happen to it."""

    PRESS = auto()
    DROP = auto()


TABLE: Final[Mapping[Lamp, Mapping[Touch, Lamp]]] = {
    Lamp.DARK: {Touch.PRESS: Lamp.LIT, Touch.DROP: Lamp.BROKEN},
    Lamp.LIT: {Touch.PRESS: Lamp.DARK, Touch.DROP: Lamp.BROKEN},
    Lamp.BROKEN: {},
}


@pytest.mark.parametrize("error", [LocalProtocolError, RemoteProtocolError])
@pytest.mark.parametrize("state", Lamp)
@pytest.mark.parametrize("what", Touch)
def test_every_state_and_input(
    state: Lamp, what: Touch, error: Callable[[str], ProtocolError]
) -> None:
    """A transition of the table, or the error that was asked for, which names both."""
    if what in TABLE[state]:
        assert next_state(TABLE, state, what, error) is TABLE[state][what]
    else:
        with pytest.raises(ProtocolError) as raised:
            next_state(TABLE, state, what, error)
        assert type(raised.value) is error
        assert str(raised.value) == f"{what.name} in state {state.name}"
        assert raised.value.__suppress_context__


def test_keys_are_hashed_without_python() -> None:
    """A table is asked some six times a connection: the hash of an Enum is Python code."""
    assert isinstance(Lamp.DARK, Enum)
    assert type(Lamp.__hash__) is type(object.__hash__)
    assert len({*Lamp, *Touch, *Lamp}) == len(Lamp) + len(Touch)
