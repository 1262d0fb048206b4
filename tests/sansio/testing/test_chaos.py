"""The scenario finds nothing wrong; and it would, for each kind of fault in the core.

`tests/command_line/test_simulate.py` runs a thousand seeds of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from sansocket.sansio.engineio.ends import Carrier
from sansocket.sansio.engineio.session import Session
from sansocket.sansio.socketio.acks import Acks, Values
from sansocket.sansio.socketio.adapter import Adapter
from sansocket.sansio.socketio.client.backoff import Backoff
from sansocket.sansio.socketio.client.link import Link
from sansocket.sansio.socketio.client.membership import Membership
from sansocket.sansio.socketio.client.retries import Retries
from sansocket.sansio.socketio.client.send_buffer import Outgoing, SendBuffer
from sansocket.sansio.socketio.connection import Connection
from sansocket.sansio.socketio.socket import Socket
from sansocket.sansio.testing import Simulation, SimulationError
from sansocket.sansio.testing.chaos import Chaos, Size

SEEDS = range(12)
SIZE = Size(clients=4, seconds=25.0)


def play(seed: int, size: Size = SIZE) -> Chaos:
    """Run one seed."""
    chaos = Chaos(Simulation(seed), size)
    chaos.run()
    return chaos


@pytest.mark.parametrize("seed", SEEDS)
def test_a_seed(seed: int) -> None:
    """Nothing is wrong, and something has happened."""
    chaos = play(seed)
    assert chaos.deliveries > 10
    assert chaos.questions.answered > 0
    assert sum(chaos.simulation.network.counts.values()) > 5


def test_hundreds_of_clients() -> None:
    """Against three servers, through thousands of faults."""
    chaos = play(1, Size(clients=200, servers=3, seconds=60.0))
    assert sum(chaos.simulation.network.counts.values()) > 2_000
    assert chaos.deliveries > 4_000


def wrong() -> str:
    """What is wrong with the first seed that fails."""
    for seed in SEEDS:
        try:
            play(seed)
        except SimulationError as error:
            return error.message
    return ""


# Breaking the core, one way at a time


def delivered_twice(patch: pytest.MonkeyPatch) -> None:
    """Every thirtieth event of a client is taken for two."""
    before, count = Connection.message, 0

    def message(self: Connection, data: str | bytes, now: float) -> None:
        nonlocal count
        before(self, data, now)
        if isinstance(data, str) and data.startswith('2["up"'):
            count += 1
            if count % 30 == 0:
                before(self, data, now)

    patch.setattr(Connection, "message", message)


def reordered_by_the_upgrade(patch: pytest.MonkeyPatch) -> None:
    """What has waited for it goes out in the other order."""
    before = Session.upgrade

    def upgrade(self: Session, carrier: Carrier) -> None:
        self.outbox.reverse()
        before(self, carrier)

    patch.setattr(Session, "upgrade", upgrade)


def lost_by_the_upgrade(patch: pytest.MonkeyPatch) -> None:
    """The first message that has waited for it."""
    before = Session.upgrade

    def upgrade(self: Session, carrier: Carrier) -> None:
        del self.outbox[:1]
        before(self, carrier)

    patch.setattr(Session, "upgrade", upgrade)


def kept_for_the_next_stay(patch: pytest.MonkeyPatch) -> None:
    """What a client has heard last comes first when it is let in again."""
    received, accepted = Membership.received, Membership.accepted
    last: dict[Membership, tuple[str, Values, int | None, int]] = {}

    def keep(self: Membership, name: str, args: Values, ack: int | None, size: int) -> None:
        received(self, name, args, ack, size)
        if name == "down":
            last[self] = (name, args, ack, size)

    def accept(self: Membership, link: Link, sid: str, pid: str | None) -> None:
        accepted(self, link, sid, pid)
        if self in last:
            received(self, *last[self])

    patch.setattr(Membership, "received", keep)
    patch.setattr(Membership, "accepted", accept)


def acknowledged_twice(patch: pytest.MonkeyPatch) -> None:
    """Whoever waits is told so again."""

    def answer(self: Acks, number: int, values: Values) -> None:
        pending = self.drop(number)
        if pending is not None:
            pending.answered(values)
            pending.answered(values)

    patch.setattr(Acks, "answer", answer)


def acknowledged_to_another(patch: pytest.MonkeyPatch) -> None:
    """An answer is taken for that of the question after it."""
    before = Acks.answer
    patch.setattr(Acks, "answer", lambda self, number, values: before(self, number + 1, values))


def never_acknowledged(patch: pytest.MonkeyPatch) -> None:
    """Whoever waits is not told that the connection has gone."""
    patch.setattr(Acks, "fail_all", lambda self, error, but=(): None)


def rooms_kept(patch: pytest.MonkeyPatch) -> None:
    """A socket that has gone stays in its rooms."""
    patch.setattr(Adapter, "forget", lambda self, socket: None)


def numbered_events_lost(patch: pytest.MonkeyPatch) -> None:
    """What was under way when the connection broke is not sent again."""
    before = Retries.lost

    def lost(self: Retries, reason: str) -> None:
        before(self, reason)
        self._buffer.pop()  # pyright: ignore[reportPrivateUsage] - to break it

    patch.setattr(Retries, "lost", lost)


def numbered_events_out_of_order(patch: pytest.MonkeyPatch) -> None:
    """All are under way at once."""

    def drain(self: SendBuffer) -> Outgoing | None:
        return next(reversed(list(self._events.values())), None)  # pyright: ignore[reportPrivateUsage] - to break it

    patch.setattr(SendBuffer, "first", property(drain))


def never_back(patch: pytest.MonkeyPatch) -> None:
    """A client waits for ever before it tries again."""
    patch.setattr(Backoff, "next_delay", lambda self: 1e9)


def never_told(patch: pytest.MonkeyPatch) -> None:
    """A session that is dead is not noticed."""
    patch.setattr(Session, "abort", lambda self, reason, **how: None)


def an_error_of_ours(patch: pytest.MonkeyPatch) -> None:
    """A traceback from inside."""

    def acknowledged(self: Socket, number: int, values: Values) -> None:
        raise KeyError(number)

    patch.setattr(Socket, "acknowledged", acknowledged)


@pytest.mark.parametrize(
    ("fault", "found"),
    [
        (delivered_twice, "has arrived twice"),
        (reordered_by_the_upgrade, "in one stay|CONNECT"),
        (lost_by_the_upgrade, "in one stay|not every"),
        (kept_for_the_next_stay, "hears in one stay what was sent to another"),
        (acknowledged_twice, "was answered twice"),
        (acknowledged_to_another, "was answered with"),
        (never_acknowledged, "for ever|left over"),
        (rooms_kept, "left over: .* rooms of|news"),
        (numbered_events_lost, "not everything has arrived|before"),
        (numbered_events_out_of_order, "has arrived before"),
        (never_back, "not everybody is connected again"),
        (never_told, "the servers have|left over"),
        (an_error_of_ours, "KeyError"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_each_check_can_fail(
    fault: Callable[[pytest.MonkeyPatch], None], found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each fault of the core is found, and named for what it is."""
    fault(monkeypatch)
    assert re.search(found, wrong())
