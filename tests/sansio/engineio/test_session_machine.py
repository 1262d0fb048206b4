"""A session between a client, a server and the time; Hypothesis makes the story."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from support.sessions import Bench, FakeCarrier, FakeProber, messages, text

from sansocket.sansio.engineio.states import OVER, State
from sansocket.sansio.errors import Reason, RemoteProtocolError

PACKETS: st.SearchStrategy[str | bytes] = st.one_of(
    st.text(st.characters()), st.binary(), st.sampled_from(["4", "4a", "1", "2", "6", ""])
)


UPGRADING = {
    State.OFFERED,
    State.PROBING,
    State.CLOSING_OFFERED,
    State.CLOSING_PROBING,
}


class SessionMachine(RuleBasedStateMachine):
    """A session between a client, a server and the time; whatever they do, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.bench = Bench(ping_interval=25.0, ping_timeout=20.0)
        self.session = self.bench.session
        self.sent: list[str] = []
        self.arrived: list[str | bytes] = []
        self.probers: list[FakeProber] = []

    def attempt(self, step: Callable[[], object]) -> None:
        """What the state does not allow changes nothing and is the peer's error."""
        before = (self.session.state, self.session.prober, self.session.transport)
        try:
            step()
        except RemoteProtocolError:
            after = (self.session.state, self.session.prober, self.session.transport)
            assert after == before

    @rule()
    def send(self) -> None:
        if not self.session.over:
            self.sent.append(f"4{len(self.sent)}")
        self.session.send(text(f"{len(self.sent) - 1}"))

    @rule(data=PACKETS)
    def receive(self, data: str | bytes) -> None:
        self.attempt(lambda: self.bench.receive(data))

    @rule()
    def pong(self) -> None:
        self.bench.receive("3")

    @precondition(lambda self: self.session.transport == "polling" and not self.session.over)
    @rule()
    def poll(self) -> None:
        if self.session.carrier is None:
            self.bench.carrier()

    @rule()
    def pull(self) -> None:
        """The carrier's connection can take what there is; for a poll, that was it."""
        if self.session.carrier is not None:
            self.arrived += messages(self.session)
            if self.session.transport == "polling":
                self.session.carrier = None

    @rule()
    def offer(self) -> None:
        prober = FakeProber()
        self.attempt(lambda: self.session.offer(prober, self.bench.now))
        if self.session.prober is prober:
            self.probers.append(prober)

    @rule()
    def probe(self) -> None:
        self.attempt(self.session.probe)

    @rule()
    def upgrade(self) -> None:
        self.attempt(lambda: self.session.upgrade(FakeCarrier(self.session)))

    @rule()
    def withdraw(self) -> None:
        self.attempt(self.session.withdraw)

    @rule(seconds=st.sampled_from([0.0, 1.0, 9.0, 20.0, 25.0, 31.0]))
    def advance(self, seconds: float) -> None:
        self.bench.advance(seconds)

    @rule()
    def close(self) -> None:
        self.session.close(Reason.FORCED_CLOSE)

    @precondition(lambda self: len(self.sent) > 2)
    @rule()
    def abort(self) -> None:
        self.session.abort(Reason.TRANSPORT_ERROR)

    @invariant()
    def ends_once(self) -> None:
        """Protocol rule 95: the application is told once, and the entry is gone at once."""
        assert len(self.bench.receiver.reasons) == self.session.over
        assert self.session.over is (self.session.state in OVER)
        assert len(self.bench.forgotten) == (self.session.state is State.CLOSED)

    @invariant()
    def has_its_timers_and_no_more(self) -> None:
        """Security rules 11 and T13: one heartbeat, and one upgrade while there is one."""
        upgrading = self.session.state in UPGRADING
        alive = self.session.state is not State.CLOSED
        assert len(self.bench.timers) == alive + upgrading
        assert (self.session.prober is not None) is upgrading

    @invariant()
    def lets_go_of_every_prober(self) -> None:
        """Protocol rule 37: all but the one that probes and the one that took over."""
        gone = [prober.withdrawn for prober in self.probers if prober is not self.session.prober]
        assert set(gone) <= {0, 1}
        assert gone.count(0) == (self.session.transport == "websocket")

    @invariant()
    def delivers_in_order(self) -> None:
        """Protocol rule 34: each message once, in its order, whatever carries it."""
        arrived = [message for message in self.arrived if str(message)[:1] == "4"]
        assert arrived == self.sent[: len(arrived)]
        # While it closes, too, until nobody may come for them any more.
        if self.session.state is not State.CLOSED:
            waiting = [message for one in self.session.outbox for message in one.messages]
            assert [*arrived, *(item for item in waiting if item not in ("2", "6"))] == self.sent


TestSessionMachine = SessionMachine.TestCase
