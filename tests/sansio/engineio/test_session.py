"""One session, whatever carries it: its packets and their backlog."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.sessions import OPEN, Bench, FakeCarrier, messages, text

from sansocket.sansio.engineio.encoded import encode_message
from sansocket.sansio.engineio.packet import Packet, Type, decode_packet
from sansocket.sansio.engineio.states import OVER, TRANSITIONS, Input, State
from sansocket.sansio.errors import Reason, RemoteProtocolError

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
