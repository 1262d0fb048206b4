"""The tables of states of a client and of its sockets."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

import pytest
from support.fake_engine import Rig

from sansocket.sansio.errors import LocalProtocolError
from sansocket.sansio.socketio.client.states import (
    CLIENT_TRANSITIONS,
    SOCKET_TRANSITIONS,
    ClientInput,
    ClientState,
    SocketInput,
    SocketState,
)


@pytest.mark.parametrize(
    ("table", "states", "inputs", "first"),
    [
        (CLIENT_TRANSITIONS, ClientState, ClientInput, ClientState.CLOSED),
        (SOCKET_TRANSITIONS, SocketState, SocketInput, SocketState.INACTIVE),
    ],
)
def test_tables(
    table: Mapping[Enum, Mapping[Enum, Enum]],
    states: type[Enum],
    inputs: type[Enum],
    first: Enum,
) -> None:
    """Every state is reached from the first, and leads back to it; every input is of use."""
    assert set(table) == set(states)
    assert {what for row in table.values() for what in row} == set(inputs)
    for begin in states:
        reached, fresh = {begin}, [begin]
        while fresh:
            for after in table[fresh.pop()].values():
                if after not in reached:
                    reached.add(after)
                    fresh.append(after)
        assert first in reached
        assert begin is not first or reached == set(states)


def test_what_the_table_lacks_is_the_callers_fault() -> None:
    """And nothing is changed."""
    rig = Rig()
    with pytest.raises(LocalProtocolError, match="DUE in state CLOSED"):
        rig.client.step(ClientInput.DUE)
    assert rig.client.state is ClientState.CLOSED
    member = rig.client.socket().membership
    with pytest.raises(LocalProtocolError, match="ACCEPT in state INACTIVE"):
        member.step(SocketInput.ACCEPT)
    assert member.state is SocketState.INACTIVE
