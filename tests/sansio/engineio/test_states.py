"""The table of a session's states, as a whole; the documentation's diagram is made from it."""

from __future__ import annotations

import pytest

from sansocket.sansio.engineio.states import OVER, TRANSITIONS, Input, State

FIRST = {State.POLLING, State.WEBSOCKET}
"""Where a session begins: it is opened by either transport."""


def reachable(states: set[State]) -> set[State]:
    """The states that can be reached from these, which are among them."""
    found = set(states)
    while more := {after for state in found for after in TRANSITIONS[state].values()} - found:
        found |= more
    return found


def test_total() -> None:
    """Every state has its row, every input has a use, and nothing else is in the table."""
    assert set(TRANSITIONS) == set(State)
    assert {what for row in TRANSITIONS.values() for what in row} == set(Input)


def test_every_state_can_be_reached() -> None:
    assert reachable(FIRST) == set(State)


def test_closed_is_final_and_always_near() -> None:
    """Protocol rule 95: from anywhere one step ends it, and none leads back."""
    assert TRANSITIONS[State.CLOSED] == {}
    for state in set(State) - {State.CLOSED}:
        assert TRANSITIONS[state][Input.END] is State.CLOSED


def test_over_is_for_ever() -> None:
    """An application is told of the end once, and of nothing after it."""
    closing = {State.CLOSING, State.CLOSING_OFFERED, State.CLOSING_PROBING}
    assert closing | {State.CLOSED} == OVER
    assert reachable(set(OVER)) == OVER
    for state in FIRST:
        assert state not in OVER


def test_upgrade_takes_a_probe() -> None:
    """Security rule T24: `2probe`, then `5`, and nothing else leads from polling to WebSocket."""
    ways = [
        (state, what, after)
        for state, row in TRANSITIONS.items()
        for what, after in row.items()
        if what in (Input.OFFER, Input.PROBE, Input.UPGRADE)
    ]
    assert ways == [
        (State.POLLING, Input.OFFER, State.OFFERED),
        (State.OFFERED, Input.PROBE, State.PROBING),
        (State.PROBING, Input.UPGRADE, State.WEBSOCKET),
        (State.CLOSING_OFFERED, Input.PROBE, State.CLOSING_PROBING),
        (State.CLOSING_PROBING, Input.UPGRADE, State.CLOSED),
    ]


def test_no_way_back_from_a_websocket() -> None:
    """Protocol rule 35: after the upgrade there is no polling."""
    assert reachable({State.WEBSOCKET}) == {State.WEBSOCKET, State.CLOSED}


@pytest.mark.parametrize("state", [State.OFFERED, State.PROBING])
def test_failed_upgrade_leaves_polling(state: State) -> None:
    """Protocol rule 37."""
    assert TRANSITIONS[state][Input.WITHDRAW] is State.POLLING


@pytest.mark.parametrize("state", [State.OFFERED, State.PROBING])
def test_close_during_an_upgrade(state: State) -> None:
    """Protocol rule 39: the upgrade goes on, and may fail as it might have before."""
    closing = TRANSITIONS[state][Input.CLOSE]
    assert closing in OVER
    assert TRANSITIONS[closing][Input.WITHDRAW] is State.CLOSING
    assert set(TRANSITIONS[closing]) == set(TRANSITIONS[state]) - {Input.CLOSE}
