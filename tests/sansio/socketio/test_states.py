"""The table of a socket's states is the only door."""

from __future__ import annotations

import pytest
from support.socketio_client import connected

from sansocket.sansio.errors import LocalProtocolError
from sansocket.sansio.socketio.states import TRANSITIONS, Input, State


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("what", Input)
def test_the_table_is_the_only_door(state: State, what: Input) -> None:
    """What the table does not have is the caller's error, and changes nothing."""
    _, _, _, socket = connected()
    socket.state = state
    if what in TRANSITIONS[state]:
        socket.step(what)
        assert socket.state is TRANSITIONS[state][what]
    else:
        with pytest.raises(LocalProtocolError, match=f"{what.name} in state {state.name}"):
            socket.step(what)
        assert socket.state is state
