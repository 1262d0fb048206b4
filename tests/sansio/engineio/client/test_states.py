"""The table of a client's session, as a whole; the documentation's diagram is made from it."""

from __future__ import annotations

from sansocket.sansio.engineio.client.states import TRANSITIONS, ClientInput, ClientState


def reachable(states: set[ClientState]) -> set[ClientState]:
    """The states that can be reached from these, which are among them."""
    found = set(states)
    while more := {after for state in found for after in TRANSITIONS[state].values()} - found:
        found |= more
    return found


def test_total() -> None:
    """Every state has its row, every input has a use, and nothing else is in the table."""
    assert set(TRANSITIONS) == set(ClientState)
    assert {what for row in TRANSITIONS.values() for what in row} == set(ClientInput)
    assert reachable({ClientState.IDLE}) == set(ClientState)


def test_closed_is_final_and_always_near() -> None:
    """Protocol rule 95: from anywhere one step ends it, and none leads back."""
    assert TRANSITIONS[ClientState.CLOSED] == {}
    for state in set(ClientState) - {ClientState.CLOSED}:
        assert TRANSITIONS[state][ClientInput.END] is ClientState.CLOSED


def test_upgrade_takes_a_probe_and_a_pause() -> None:
    """Protocol rule 33: probe, pause, and only then the upgrade."""
    ways = [
        (state, what, after)
        for state, row in TRANSITIONS.items()
        for what, after in row.items()
        if what in (ClientInput.PROBE, ClientInput.PAUSE, ClientInput.UPGRADE)
    ]
    assert ways == [
        (ClientState.POLLING, ClientInput.PROBE, ClientState.PROBING),
        (ClientState.PROBING, ClientInput.PAUSE, ClientState.PAUSING),
        (ClientState.PAUSING, ClientInput.UPGRADE, ClientState.WEBSOCKET),
    ]


def test_no_way_back_from_a_websocket() -> None:
    assert ClientState.POLLING not in reachable({ClientState.WEBSOCKET})


def test_an_upgrade_that_fails_leaves_polling_and_one_that_runs_is_not_cut() -> None:
    """Protocol rules 37, 38 and 39."""
    for state in (ClientState.PROBING, ClientState.PAUSING):
        assert TRANSITIONS[state][ClientInput.WITHDRAW] is ClientState.POLLING
        assert ClientInput.CLOSE not in TRANSITIONS[state]
