"""The heartbeat of a session: pings, pongs, and what happens without them."""

from __future__ import annotations

import pytest
from support.sessions import OPEN, Bench, FakeCarrier, messages, text

from sansocket.sansio.engineio.states import State
from sansocket.sansio.errors import Reason


def beating(state: State = State.POLLING, **options: float) -> Bench:
    """A session that pings every 25 s and waits 20 s for the answer."""
    return Bench(state, ping_interval=25.0, ping_timeout=20.0, **options)


@pytest.mark.parametrize("state", OPEN)
def test_heartbeat(state: State) -> None:
    """Protocol rule 22: a ping after the interval, and the next an interval after the pong."""
    bench = beating(state)
    bench.advance(24.9)
    assert messages(bench.session) == []
    bench.advance(0.1)
    assert messages(bench.session) == ["2"]
    bench.advance(7.0)
    bench.receive("3")
    bench.advance(24.9)
    assert messages(bench.session) == []
    bench.advance(0.1)
    assert messages(bench.session) == ["2"]


@pytest.mark.parametrize("data", ["4a", b"a"])
@pytest.mark.parametrize("state", OPEN)
def test_no_pong(state: State, data: str | bytes) -> None:
    """Security rule 25: only a pong counts, whatever else comes; then it is over."""
    bench = beating(state)
    carrier = bench.carrier()
    bench.advance(44.9)
    bench.receive(data)
    assert bench.receiver.reasons == []
    bench.advance(0.1)
    assert bench.receiver.reasons == [Reason.PING_TIMEOUT]
    assert len(bench.forgotten) == 1
    assert carrier.take() == (["2"] if state is State.WEBSOCKET else ["2", "1"])


def test_pong_at_the_last_moment() -> None:
    bench = beating()
    bench.advance(44.9)
    bench.receive("3")
    bench.advance(24.9)
    assert bench.receiver.reasons == []
    bench.advance(0.1 + 20.0)
    assert bench.receiver.reasons == [Reason.PING_TIMEOUT]


@pytest.mark.parametrize("when", [1.0, 24.9, 25.1])
def test_unsolicited_pongs(when: float) -> None:
    """Security rule 11: they put no ping off, and are no answer to a later one."""
    bench = beating()
    bench.advance(when)
    for data in ("3", "3", "3probe"):
        bench.receive(data)
    bench.advance(25.0 - when if when < 25.0 else 25.0)
    assert messages(bench.session) == ["2"] * (1 if when < 25.0 else 2)
    bench.advance(20.0)
    assert bench.receiver.reasons == [Reason.PING_TIMEOUT]


def test_pong_that_we_do_not_read() -> None:
    """While its handlers lag its client is not read from, so the pong may be there unread."""
    bench = beating(max_inbound=1)
    bench.session.hold()
    bench.advance(500.0)
    assert bench.receiver.reasons == []
    # A ping every 20 seconds, for it waits for them and would give us up.
    assert messages(bench.session) == ["2"] * 24
    bench.session.release()
    bench.advance(20.0)
    assert bench.receiver.reasons == [Reason.PING_TIMEOUT]


def test_pong_behind_a_backlog() -> None:
    """Security rules T6 and 25: a client that we do not read, for it reads too little itself.

    When its time is over it is read from for once, however much waits; its pong keeps it.
    """
    bench = beating(pause_backlog=3)
    relieved: list[float] = []
    bench.carrier().take()
    bench.session.send(text("ab"))
    bench.advance(44.9)
    assert bench.session.congested
    bench.session.when_relieved(lambda: relieved.append(bench.now))
    bench.advance(0.1)
    assert relieved == [45.0]
    assert not bench.session.congested
    bench.receive("3")
    # And then it has to read again, as before.
    assert bench.session.congested
    bench.advance(44.9)
    assert bench.receiver.reasons == []


def test_client_that_reads_nothing() -> None:
    """Security rules T6 and 25: one extension, and then it is dead all the same."""
    bench = beating(pause_backlog=3)
    bench.session.send(text("ab"))
    bench.advance(64.9)
    assert bench.receiver.reasons == []
    bench.advance(0.1)
    assert bench.receiver.reasons == [Reason.PING_TIMEOUT]
    assert len(bench.timers) == 0


def test_lagging_handlers_of_a_client_that_is_heard_once_more() -> None:
    """Protocol rule 98: the bound of what waits for handlers holds then as well."""
    bench = beating(pause_backlog=3, max_inbound=1)
    bench.session.send(text("ab"))
    bench.advance(45.0)
    assert not bench.session.congested
    bench.session.hold()
    assert bench.session.congested
    bench.advance(100.0)
    assert bench.receiver.reasons == []


def test_heartbeat_across_the_upgrade() -> None:
    """Protocol rule 25: a ping that was under way keeps its deadline."""
    bench = beating(upgrade_timeout=60.0)
    poll = bench.carrier()
    bench.advance(25.0)
    assert poll.take() == ["2"]
    bench.offer()
    bench.session.probe()
    bench.session.upgrade(FakeCarrier(bench.session))
    bench.advance(19.9)
    assert bench.receiver.reasons == []
    bench.advance(0.1)
    assert bench.receiver.reasons == [Reason.PING_TIMEOUT]


def test_ping_that_finds_no_room() -> None:
    """Security rule T6: the ping counts as any message does."""
    bench = beating(max_backlog=3)
    bench.session.send(text("ab"))
    bench.advance(25.0)
    assert bench.receiver.reasons == [Reason.SEND_BUFFER_FULL]
    assert len(bench.timers) == 0
