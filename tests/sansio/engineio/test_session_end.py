"""The one end of a session, however it comes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support.sessions import CLOSING, OPEN, Bench, FakeCarrier, messages, text

from sansocket.sansio.engineio.states import State
from sansocket.sansio.errors import Reason

ENDS: dict[str, tuple[Callable[[Bench], None], str, Reason]] = {
    # what the client is told by polling, and the application anyway
    "client": (lambda bench: bench.receive("1"), "6", Reason.TRANSPORT_CLOSE),
    "error": (
        lambda bench: bench.session.abort(Reason.TRANSPORT_ERROR),
        "1",
        Reason.TRANSPORT_ERROR,
    ),
}


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("state", OPEN)
def test_end_with_a_carrier(state: State, end: str) -> None:
    """Protocol rules 29, 30 and 31: at once; a parked poll is told, a WebSocket closes."""
    finish, farewell, reason = ENDS[end]
    bench = Bench(state)
    carrier = bench.carrier()
    bench.session.send(text("last"))
    finish(bench)
    assert bench.session.state is State.CLOSED
    assert bench.session.over
    assert carrier.close_codes == [1000]
    assert carrier.take() == ["4last", *([] if state is State.WEBSOCKET else [farewell])]
    assert bench.receiver.reasons == [reason]
    assert bench.forgotten == [bench.session]
    assert len(bench.timers) == 0


@pytest.mark.parametrize("state", OPEN)
def test_close_with_an_idle_carrier(state: State) -> None:
    """Protocol rule 31: at once; a parked poll is told, a WebSocket closes."""
    bench = Bench(state)
    carrier = bench.carrier()
    bench.session.close(Reason.FORCED_CLOSE)
    assert bench.session.state is State.CLOSED
    assert carrier.close_codes == [1000]
    assert carrier.take() == ([] if state is State.WEBSOCKET else ["1"])
    assert bench.receiver.reasons == [Reason.FORCED_CLOSE]
    assert len(bench.timers) == 0


@pytest.mark.parametrize("state", CLOSING)
def test_close_is_alone_in_its_payload(state: State) -> None:
    """Protocol rule 69: the reference's client closes on it before it looks beside it."""
    bench = Bench(state)
    carrier = bench.carrier()
    bench.session.send(text("last"))
    bench.session.close(Reason.FORCED_CLOSE)
    assert (bench.session.state, bench.session.over) == (CLOSING[state], True)
    assert bench.receiver.reasons == [Reason.FORCED_CLOSE]
    assert carrier.take() == ["4last"]


@pytest.mark.parametrize("state", CLOSING)
def test_close_without_a_poll(state: State) -> None:
    """Protocol rule 31: the next poll brings what was sent, and the close."""
    bench = Bench(state)
    session = bench.session
    session.send(text("last"))
    session.close(Reason.SERVER_SHUTTING_DOWN)
    assert (session.state, session.over) == (CLOSING[state], True)
    assert bench.receiver.reasons == [Reason.SERVER_SHUTTING_DOWN]
    assert bench.forgotten == []
    bench.advance(29.9)
    poll = bench.carrier()
    session.abort(Reason.FORCED_CLOSE)
    assert poll.close_codes == [1000]
    assert poll.take() == ["4last", "1"]
    assert bench.forgotten == [session]
    assert bench.receiver.reasons == [Reason.SERVER_SHUTTING_DOWN]
    assert len(bench.timers) == 0


def test_nobody_comes_for_the_close() -> None:
    """Protocol rule 31, security rule T13: it waits for `linger_timeout`, and then is gone."""
    bench = Bench(linger_timeout=30.0, ping_interval=5.0, ping_timeout=5.0)
    bench.advance(1.0)
    bench.session.send(text("last"))
    bench.session.close(Reason.FORCED_CLOSE)
    bench.timers.fire(bench.now)
    bench.advance(29.9)
    assert bench.forgotten == []
    bench.advance(0.1)
    assert bench.session.state is State.CLOSED
    assert bench.forgotten == [bench.session]
    assert bench.receiver.reasons == [Reason.FORCED_CLOSE]
    assert (messages(bench.session), bench.session.backlog) == ([], 0)
    assert len(bench.timers) == 0


@pytest.mark.parametrize("probed", [False, True])
@pytest.mark.parametrize("parked", [False, True])
def test_abort_during_an_upgrade(probed: bool, parked: bool) -> None:
    """Security rule T13: the WebSocket that probes goes with its session."""
    bench = Bench()
    if parked:
        bench.carrier()
    prober = bench.offer()
    if probed:
        bench.session.probe()
    bench.session.abort(Reason.FORCED_CLOSE)
    assert (prober.withdrawn, bench.session.prober) == (1, None)
    bench.advance(100.0)
    assert prober.withdrawn == 1
    assert len(bench.timers) == 0


@pytest.mark.parametrize("probed", [False, True])
@pytest.mark.parametrize("poll", [False, True])
def test_close_during_an_upgrade(probed: bool, poll: bool) -> None:
    """Protocol rules 34 and 39: the WebSocket takes over all the same, brings the rest, closes."""
    bench = Bench()
    session = bench.session
    told: list[str] = []
    for event in ("upgrading", "upgrade"):
        session.on(event, told.append)
    prober = bench.offer()
    if probed:
        session.probe()
        told.clear()
    parked = bench.carrier() if poll else None
    session.send(text("last"))
    session.close(Reason.FORCED_CLOSE)
    session.send(text("too late"))
    if not probed:
        session.probe()
    websocket = FakeCarrier(session)
    session.upgrade(websocket)
    assert (session.state, session.carrier, session.prober) == (State.CLOSED, websocket, None)
    assert (websocket.close_codes, prober.withdrawn) == ([1000], 0)
    assert websocket.take() == ["4last"]
    assert parked is None or parked.calls == 2  # it has its answer, with none of this
    assert bench.forgotten == [session]
    assert bench.receiver.reasons == [Reason.FORCED_CLOSE]
    # The application heard of the close, and hears of nothing after it.
    bench.timers.fire(bench.now)
    assert told == []
    assert len(bench.timers) == 0


@pytest.mark.parametrize("probed", [False, True])
@pytest.mark.parametrize("late", [False, True])
def test_close_during_an_upgrade_that_fails(probed: bool, late: bool) -> None:
    """Protocol rules 31 and 37, security rule T13: the next poll brings the rest, or nobody."""
    bench = Bench(upgrade_timeout=10.0, linger_timeout=30.0)
    session = bench.session
    prober = bench.offer()
    if probed:
        session.probe()
    session.send(text("last"))
    session.close(Reason.FORCED_CLOSE)
    bench.timers.fire(bench.now)
    if late:
        bench.advance(10.0)
    else:
        session.withdraw()
    assert (session.state, prober.withdrawn) == (State.CLOSING, 1)
    assert bench.carrier().take() == ["4last"]
    session.carrier = None
    bench.advance(30.0)
    assert (session.state, bench.forgotten) == (State.CLOSED, [session])
    assert len(bench.timers) == 0


def test_linger_is_over_before_the_upgrade() -> None:
    """Security rule T13: whichever of the two bounds is the shorter."""
    bench = Bench(upgrade_timeout=40.0, linger_timeout=30.0)
    prober = bench.offer()
    bench.session.close(Reason.FORCED_CLOSE)
    bench.timers.fire(bench.now)
    bench.advance(30.0)
    assert (bench.session.state, prober.withdrawn) == (State.CLOSED, 1)
    assert len(bench.timers) == 0


@pytest.mark.parametrize("state", OPEN)
@pytest.mark.parametrize("first", ["close", "abort"])
@pytest.mark.parametrize("second", ["close", "abort"])
def test_ends_once(state: State, first: str, second: str) -> None:
    """Security rule T13: the end is idempotent, and the first reason is the reason."""
    bench = Bench(state)
    carrier = bench.carrier()
    getattr(bench.session, first)(Reason.PING_TIMEOUT)
    getattr(bench.session, second)(Reason.FORCED_CLOSE)
    assert bench.receiver.reasons == [Reason.PING_TIMEOUT]
    assert len(bench.forgotten) == 1
    assert len(carrier.close_codes) == 1


def test_abort_without_a_carrier() -> None:
    """Nobody will come for what was sent: it is let go."""
    bench = Bench()
    bench.session.send(text("last"))
    bench.session.abort(Reason.TRANSPORT_ERROR)
    assert (messages(bench.session), bench.session.backlog) == ([], 0)


def test_close_code_of_an_error() -> None:
    """Security rule 21: the WebSocket closes with the code of what went wrong."""
    bench = Bench(State.WEBSOCKET)
    carrier = bench.carrier()
    bench.session.abort(Reason.PARSE_ERROR, close_code=1002)
    assert carrier.close_codes == [1002]
