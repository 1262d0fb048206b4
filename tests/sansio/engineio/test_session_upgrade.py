"""A session that goes from polling to a WebSocket, or does not."""

from __future__ import annotations

import pytest
from support.sessions import CLOSING, Bench, FakeCarrier, text

from sansocket.sansio.engineio.states import State
from sansocket.sansio.errors import RemoteProtocolError


def test_upgrade() -> None:
    """Protocol rules 33 and 34: probe, release of the poll, then everything in order."""
    bench = Bench()
    session = bench.session
    poll = bench.carrier()
    prober = bench.offer()
    session.probe()
    assert poll.calls == 1
    assert poll.take() == ["6"]
    session.carrier = None
    session.send(text("a"))
    poll = bench.carrier()
    session.send(text("b"))
    assert poll.calls == 1
    websocket = FakeCarrier(session)
    session.upgrade(websocket)
    # The poll is told too: it is answered, but with none of this.
    assert poll.calls == 2
    assert session.carrier is websocket
    assert websocket.calls == 1
    assert websocket.take() == ["4a", "4b"]
    session.send(text("c"))
    assert websocket.take() == ["4c"]
    bench.advance(11.0)  # the upgrade's time is over, and matters no more
    assert (prober.withdrawn, bench.receiver.reasons) == (0, [])
    assert session.state is State.WEBSOCKET


def test_upgrade_with_nothing_to_say() -> None:
    bench = Bench()
    bench.offer()
    bench.session.probe()
    websocket = FakeCarrier(bench.session)
    bench.session.upgrade(websocket)
    assert websocket.calls == 0


def test_probe_finds_a_poll_that_has_its_answer() -> None:
    """What waits for the poll's connection already is answer enough (protocol rule 33)."""
    bench = Bench()
    poll = bench.carrier()
    bench.session.send(text("a"))
    bench.offer()
    bench.session.probe()
    assert poll.take() == ["4a"]


@pytest.mark.parametrize(
    "state", [State.OFFERED, State.PROBING, State.WEBSOCKET, *CLOSING.values()]
)
def test_second_websocket(state: State) -> None:
    """Protocol rule 35, security rule T24: it is refused, and the first knows nothing of it."""
    bench = Bench(state)
    with pytest.raises(RemoteProtocolError):
        bench.offer()
    assert bench.session.state is state
    assert bench.session.prober is None
    assert len(bench.timers) == 1


def test_probes_out_of_order() -> None:
    """Protocol rule 36, security rule T24: no upgrade without a probe, and one probe only."""
    bench = Bench()
    with pytest.raises(RemoteProtocolError):
        bench.session.probe()
    bench.offer()
    with pytest.raises(RemoteProtocolError):
        bench.session.upgrade(FakeCarrier(bench.session))
    bench.session.probe()
    with pytest.raises(RemoteProtocolError):
        bench.session.probe()
    bench.session.upgrade(FakeCarrier(bench.session))
    for step in (bench.session.probe, bench.session.withdraw):
        with pytest.raises(RemoteProtocolError):
            step()
    assert bench.session.state is State.WEBSOCKET


@pytest.mark.parametrize("probed", [False, True])
@pytest.mark.parametrize("late", [False, True])
def test_failed_upgrade(probed: bool, late: bool) -> None:
    """Protocol rule 37: polling goes on, nothing is lost, and another WebSocket may come."""
    bench = Bench(upgrade_timeout=10.0)
    session = bench.session
    for round_ in range(2):
        prober = bench.offer()
        if probed:
            session.probe()
        session.send(text(f"{round_}"))
        if late:
            bench.advance(9.9)
            assert session.prober is prober
            bench.advance(0.1)
        else:
            session.withdraw()
        assert session.state is State.POLLING
        assert (prober.withdrawn, session.prober) == (1, None)
        assert bench.carrier().take() == [f"4{round_}"]
        session.carrier = None
    assert bench.receiver.reasons == []
    assert len(bench.timers) == 1
