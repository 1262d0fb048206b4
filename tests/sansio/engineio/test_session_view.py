"""What an application sees of a session, whatever stands on it."""

from __future__ import annotations

import pytest
from support.sessions import Bench, FakeCarrier

from sansocket.sansio.engineio.session_view import SessionView
from sansocket.sansio.engineio.states import State
from sansocket.sansio.errors import Reason


def test_what_it_shows() -> None:
    """The transport of the moment, the request of the handshake, and whether it is over."""
    bench = Bench()
    view = SessionView(bench.session)
    assert (view.transport, view.connected, view.protocol) == ("polling", True, 4)
    assert view.request is bench.session.request
    bench.offer()
    bench.session.probe()
    bench.session.upgrade(FakeCarrier(bench.session))
    assert view.transport == "websocket"
    bench.session.abort(Reason.TRANSPORT_ERROR)
    assert (view.transport, view.connected) == ("websocket", False)


@pytest.mark.parametrize("state", [State.POLLING, State.WEBSOCKET])
def test_close(state: State) -> None:
    """In good order, and once."""
    bench = Bench(state)
    view = SessionView(bench.session)
    view.close()
    view.close()
    assert bench.receiver.reasons == [Reason.FORCED_CLOSE]
    assert not view.connected


def test_its_observers_are_its_own() -> None:
    """They are told before those of the engine, and know the session without an argument."""
    bench = Bench()
    told: list[object] = []
    bench.session.observers.add("close", lambda session, reason: told.append((session, reason)))
    view = SessionView(bench.session)
    view.on("close", told.append)
    view.close()
    assert told == ["forced close", (bench.session, "forced close")]
