"""One session, whatever carries it: heartbeat, upgrade, backlog, and its one end."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from support.sessions import Bench, FakeCarrier, FakeProber, messages

from sansocket.sansio.engineio.encoded import Encoded, encode_message
from sansocket.sansio.engineio.packet import Packet, Type, decode_packet
from sansocket.sansio.engineio.states import OVER, TRANSITIONS, Input, State
from sansocket.sansio.errors import Reason, RemoteProtocolError

POLLED = [State.POLLING, State.OFFERED, State.PROBING]
OPEN = [*POLLED, State.WEBSOCKET]


def text(data: str) -> Encoded:
    return encode_message([data])


# The table


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("what", Input)
def test_every_state_and_input(state: State, what: Input) -> None:
    """A step is a transition of the table, or the error of whoever caused it."""
    session = Bench(state).session
    after = TRANSITIONS[state].get(what)
    if after is None:
        with pytest.raises(RemoteProtocolError, match=what.name):
            session.step(what)
        assert session.state is state
    else:
        session.step(what)
        assert session.state is after
        assert session.over is (after in OVER)


def test_transport() -> None:
    """The one that it began with, until an upgrade."""
    assert Bench(State.WEBSOCKET).session.transport == "websocket"
    bench = Bench()
    seen = [bench.session.transport]
    bench.offer()
    bench.session.probe()
    seen.append(bench.session.transport)
    bench.session.upgrade(FakeCarrier(bench.session))
    seen.append(bench.session.transport)
    assert seen == ["polling", "polling", "websocket"]


# Packets in

PACKETS: st.SearchStrategy[str | bytes] = st.one_of(
    st.text(st.characters()),
    st.binary(),
    st.builds(str.__add__, st.sampled_from("0123456b4"), st.text(st.characters(), max_size=5)),
    st.sampled_from(
        ["4 a\n", "4\x1e", "4", "1", "2", "3", "3probe", "b", "bAQ==", "bAB==", "", b""]
    ),
)


def outcome(bench: Bench, receive: Callable[[], None]) -> object:
    """Everything that can be seen of a session after it has received something."""
    raised: object = None
    try:
        receive()
    except RemoteProtocolError as error:
        raised = (type(error), str(error), error.reason, error.close_code)
    return (
        raised,
        bench.receiver.messages,
        bench.receiver.reasons,
        bench.session.state,
        messages(bench.session),
        bench.timers.next_deadline(),
        len(bench.timers),
        len(bench.forgotten),
    )


@given(PACKETS, st.sampled_from(OPEN), st.booleans(), st.booleans(), st.booleans())
def test_short_way_for_messages(
    data: str | bytes, state: State, pinged: bool, refused: bool, over: bool
) -> None:
    """A message takes a short way, and to the same end as every packet."""

    def bench() -> Bench:
        made = Bench(state)
        made.carrier()
        made.advance(made.config.ping_interval if pinged else 1.0)
        made.receiver.error = RemoteProtocolError("refused") if refused else None
        if over:
            made.session.abort(Reason.FORCED_CLOSE)
        return made

    short, plain = bench(), bench()
    assert outcome(short, lambda: short.receive(data)) == outcome(
        plain,
        # once it is over nothing is read any more
        lambda: None if over else plain.session.receive_packet(decode_packet(data), plain.now),
    )


@pytest.mark.parametrize("data", ["4", "4a", "4 a\n", "4é\x1e4", "44", b"", b"4a", "bAQI="])
def test_message(data: str | bytes) -> None:
    """Protocol rules 10 and 14."""
    bench = Bench()
    bench.receive(data)
    assert bench.receiver.messages == [decode_packet(data).data]


@pytest.mark.parametrize("data", ["2", "2probe"])
@pytest.mark.parametrize("state", OPEN)
def test_ping_from_a_client(state: State, data: str) -> None:
    """Protocol rule 21: the server pings."""
    bench = Bench(state)
    with pytest.raises(RemoteProtocolError, match="invalid heartbeat direction") as raised:
        bench.receive(data)
    assert raised.value.reason is Reason.TRANSPORT_ERROR


@pytest.mark.parametrize("data", ['0{"sid":"x"}', "0", "5", "6", "7", "", "b!"])
@pytest.mark.parametrize("state", OPEN)
def test_what_no_client_may_send(state: State, data: str) -> None:
    """Security rule 20: the connection that carries it ends it, with a parse error."""
    bench = Bench(state)
    with pytest.raises(RemoteProtocolError) as raised:
        bench.receive(data)
    assert raised.value.reason is Reason.PARSE_ERROR
    assert bench.receiver.messages == []


@pytest.mark.parametrize("state", OPEN)
def test_nothing_is_heard_after_the_end(state: State) -> None:
    """Protocol rule 71: neither messages, nor what would have been an error."""
    bench = Bench(state)
    bench.carrier()
    bench.session.abort(Reason.FORCED_CLOSE)
    for data in ("4a", b"a", "1", "2", "3", "7", ""):
        bench.receive(data)
    bench.session.receive_packet(Packet(Type.PING), bench.now)
    assert (bench.receiver.messages, bench.receiver.reasons) == ([], [Reason.FORCED_CLOSE])


# Packets out


def test_outbox_is_the_backlog() -> None:
    """What is sent waits for a carrier, and for the carrier's own time; in its order."""
    bench = Bench()
    session = bench.session
    session.send(text("a"))
    assert session.backlog == 2
    carrier = bench.carrier()
    session.send(encode_message(["b", b"cd"]))
    assert carrier.calls == 1
    assert session.backlog == 6
    assert carrier.take() == ["4a", "4b", b"cd"]
    assert (carrier.take(), session.backlog) == ([], 0)


def test_shared_message_is_handed_on_as_it_is() -> None:
    """A broadcast is encoded once: every outbox has the same object."""
    benches = [Bench(), Bench(State.WEBSOCKET)]
    message = text("to all")
    for bench in benches:
        bench.session.send(message)
        [taken] = bench.session.pull()
        assert taken is message


@pytest.mark.parametrize("state", OPEN)
def test_sending_after_the_end(state: State) -> None:
    bench = Bench(state)
    carrier = bench.carrier()
    bench.session.abort(Reason.FORCED_CLOSE)
    carrier.take()
    calls = carrier.calls
    bench.session.send(text("a"))
    assert (carrier.take(), bench.session.backlog, carrier.calls) == ([], 0, calls)


def test_writable() -> None:
    """Protocol rule 72: a volatile emit goes where it goes out at once."""
    bench = Bench()
    assert not bench.session.writable
    carrier = bench.carrier()
    assert bench.session.writable
    bench.session.send(text("a"))
    assert not bench.session.writable
    carrier.take()
    assert bench.session.writable


@pytest.mark.parametrize(
    ("options", "fits"),
    [
        ({"max_backlog": 10}, ["123456789"]),
        ({"max_backlog": 10}, ["1234", "1234"]),
        ({"max_backlog_messages": 3}, ["", "", ""]),
    ],
)
@pytest.mark.parametrize("state", OPEN)
def test_full(state: State, options: dict[str, int], fits: list[str]) -> None:
    """Protocol rule 98, security rule T6: at the bound all is well, one more and it is over."""
    bench = Bench(state, **options)
    carrier = bench.carrier()
    for data in fits:
        bench.session.send(text(data))
    assert not bench.session.over
    bench.session.send(text(""))
    assert bench.session.state is State.CLOSED
    assert bench.receiver.reasons == [Reason.SEND_BUFFER_FULL]
    assert carrier.close_codes == [1008]
    # What waited is not sent: the client that does not read would never take it.
    assert carrier.take() == ([] if state is State.WEBSOCKET else ["1"])
    assert bench.session.backlog == 0


def test_full_again_and_again() -> None:
    """The bound is on what waits, not on what was ever sent."""
    bench = Bench(max_backlog=10, max_backlog_messages=2)
    for _ in range(10):
        bench.session.send(text("1234"))
        bench.session.send(text("1234"))
        assert messages(bench.session) == ["41234", "41234"]
    assert bench.receiver.reasons == []


# Flow control


def test_congested_by_its_handlers() -> None:
    """Protocol rule 98: while that many messages wait, its client is not read from."""
    bench = Bench(max_inbound=2)
    bench.session.hold()
    assert not bench.session.congested
    bench.session.hold()
    assert bench.session.congested
    bench.session.release()
    assert not bench.session.congested


def test_congested_by_its_backlog() -> None:
    """Security rule T6: who does not read what it gets is not read from."""
    bench = Bench(pause_backlog=10)
    bench.session.send(text("12345678"))
    assert not bench.session.congested
    bench.session.send(text(""))
    assert bench.session.congested
    bench.session.pull()
    assert not bench.session.congested


RELIEFS: dict[str, Callable[[Bench], object]] = {
    "pulled": lambda bench: bench.session.pull(),
    "handled": lambda bench: bench.session.release(),
    "closed": lambda bench: bench.session.close(Reason.FORCED_CLOSE),
    "aborted": lambda bench: bench.session.abort(Reason.TRANSPORT_ERROR),
    "too late": lambda bench: bench.advance(100.0),
}


@pytest.mark.parametrize("relief", RELIEFS.values(), ids=RELIEFS)
def test_when_relieved(relief: Callable[[Bench], object]) -> None:
    """Who waits is called once, and may ask again from there."""
    bench = Bench()
    bench.session.hold()
    calls: list[str] = []

    def again() -> None:
        calls.append("again")
        bench.session.when_relieved(lambda: calls.append("next"))

    bench.session.when_relieved(lambda: calls.append("once"))
    bench.session.when_relieved(again)
    assert calls == []
    relief(bench)
    assert calls == ["once", "again"]
    bench.session.pull()
    bench.session.pull()
    assert calls == ["once", "again", "next"]


# Heartbeat


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
    assert messages(bench.session) == ["2"]
    bench.session.release()
    bench.advance(20.0)
    assert bench.receiver.reasons == [Reason.PING_TIMEOUT]


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


# Upgrade


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


@pytest.mark.parametrize("state", [State.OFFERED, State.PROBING, State.WEBSOCKET, State.CLOSING])
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


# The end

ENDS: dict[str, tuple[Callable[[Bench], None], str, Reason]] = {
    # what the client is told by polling, and the application anyway
    "server": (lambda bench: bench.session.close(Reason.FORCED_CLOSE), "1", Reason.FORCED_CLOSE),
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


@pytest.mark.parametrize("state", POLLED)
def test_close_without_a_poll(state: State) -> None:
    """Protocol rule 31: the next poll brings what was sent, and the close."""
    bench = Bench(state)
    session = bench.session
    session.send(text("last"))
    session.close(Reason.SERVER_SHUTTING_DOWN)
    assert (session.state, session.over) == (State.CLOSING, True)
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


@pytest.mark.parametrize("end", ["close", "abort"])
@pytest.mark.parametrize("probed", [False, True])
@pytest.mark.parametrize("parked", [False, True])
def test_end_during_an_upgrade(end: str, probed: bool, parked: bool) -> None:
    """Protocol rule 39, security rule T13: the WebSocket that probes goes with its session."""
    bench = Bench()
    if parked:
        bench.carrier()
    prober = bench.offer()
    if probed:
        bench.session.probe()
    getattr(bench.session, end)(Reason.FORCED_CLOSE)
    assert (prober.withdrawn, bench.session.prober) == (1, None)
    bench.advance(100.0)
    assert prober.withdrawn == 1
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


# All of it, in any order


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
        upgrading = self.session.state in (State.OFFERED, State.PROBING)
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
        if not self.session.over:
            waiting = [message for one in self.session.outbox for message in one.messages]
            assert [*arrived, *(item for item in waiting if item not in ("2", "6"))] == self.sent


TestSessionMachine = SessionMachine.TestCase
