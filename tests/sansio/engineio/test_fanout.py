"""Many recipients: queued at once, told in portions, else as if each were sent to alone."""

from __future__ import annotations

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.sessions import Bench, FakeCarrier, text

from sansocket.sansio.config import EngineConfig
from sansocket.sansio.engineio.encoded import Encoded
from sansocket.sansio.engineio.fanout import Fanout
from sansocket.sansio.engineio.session import Session
from sansocket.sansio.engineio.states import State
from sansocket.sansio.errors import Reason
from sansocket.sansio.portions import AT_ONCE, Portions
from sansocket.sansio.timers import Timers


class Crowd:
    """Sessions that are carried by WebSockets, and what sends to all of them."""

    def __init__(self, count: int) -> None:
        self.timers = Timers(rearm=lambda: None)
        self.fanout = Fanout(EngineConfig(), Portions(self.timers))
        self.benches = [Bench(State.WEBSOCKET) for _ in range(count)]
        self.sessions = [bench.session for bench in self.benches]
        self.carriers = [bench.carrier() for bench in self.benches]

    @property
    def told(self) -> int:
        """How many carriers have been told that there is something."""
        return sum(carrier.calls > 0 for carrier in self.carriers)

    def step(self) -> bool:
        """What a backend does at a deadline; whether there is another one."""
        self.timers.fire(0.0)
        return self.timers.next_deadline() is not None


@given(st.integers(0, 3 * AT_ONCE + 1))
def test_never_more_than_so_many_at_a_stretch(count: int) -> None:
    """All have it at once; carriers are told in portions, each once, and the first come first."""
    crowd = Crowd(count)
    crowd.fanout.send(crowd.sessions, text("a"))
    assert all(len(session.outbox) == 1 for session in crowd.sessions)
    assert crowd.told == (count if count <= AT_ONCE else 0)
    before = crowd.told
    while crowd.timers.next_deadline() is not None:
        crowd.step()
        assert crowd.told - before <= AT_ONCE
        before = crowd.told
        assert [carrier.calls for carrier in crowd.carriers] == [1] * before + [0] * (
            count - before
        )
    assert crowd.told == count
    assert len(crowd.timers) == 0


def test_a_second_message_tells_nobody_again() -> None:
    """Who has been told, or is about to be, pulls all there is, in the order of sending."""
    crowd = Crowd(2 * AT_ONCE)
    crowd.fanout.send(crowd.sessions, text("a"))
    crowd.step()
    crowd.fanout.send(crowd.sessions, text("b"))
    assert crowd.told == AT_ONCE
    crowd.sessions[-1].send(text("c"))
    while crowd.step():
        pass
    assert [carrier.calls for carrier in crowd.carriers] == [1] * (2 * AT_ONCE - 1) + [2]
    taken = [carrier.take() for carrier in crowd.carriers]
    assert taken == [["4a", "4b"]] * (2 * AT_ONCE - 1) + [["4a", "4b", "4c"]]


def test_who_has_what_waits_already_or_is_gone_is_left_out() -> None:
    """Emptied, ended, or carried by nothing meanwhile: nobody is told for nothing."""
    crowd = Crowd(AT_ONCE + 4)
    emptied, aborted, bare, other = crowd.sessions[:4]
    crowd.fanout.send(crowd.sessions, text("a"))
    emptied.pull()
    aborted.abort(Reason.FORCED_CLOSE)
    bare.carrier = None
    carrier = FakeCarrier(other)
    other.carrier = carrier
    while crowd.step():
        pass
    assert [each.calls for each in crowd.carriers[:4]] == [0, 0, 0, 0]
    assert carrier.calls == 1
    assert all(each.calls == 1 for each in crowd.carriers[4:])
    assert crowd.carriers[1].close_codes == [1000]
    assert bare.pull() != []


def test_a_session_that_closes_in_order_is_told_what_it_was_sent() -> None:
    """Its poll waits for what was sent before the close (rule 31)."""
    crowd = Crowd(AT_ONCE)
    bench = Bench(State.POLLING)
    carrier = bench.carrier()
    crowd.fanout.send([*crowd.sessions, bench.session], text("a"))
    bench.session.close(Reason.FORCED_CLOSE)
    assert carrier.calls == 0
    while crowd.step():
        pass
    assert carrier.calls == 1
    assert carrier.take() == ["4a"]


def note(told: list[str], packet: object) -> None:
    """An observer of what is sent."""
    told.append(repr(packet))


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("send"), st.integers(1, 4)),
        st.sampled_from(["pull", "close", "abort", "carry", "bare", "observe"]),
    ),
    max_size=12,
)


def outline(session: Session, told: list[str], carrier: FakeCarrier | None) -> tuple[object, ...]:
    """What can be seen of a session."""
    return (
        session.state,
        session.backlog,
        [encoded.text for encoded in session.outbox],
        session.writable,
        told,
        None if carrier is None else (carrier.calls > 0, carrier.close_codes),
    )


@given(STEPS, st.sampled_from([State.POLLING, State.WEBSOCKET]))
def test_equal_to_sending_to_each(steps: list[object], state: State) -> None:
    """Whatever happens between: states, bounds, observers and order (rules 76 and 98)."""
    seen: list[tuple[object, ...]] = []
    for together in (True, False):
        bench = Bench(state, max_backlog=10, max_backlog_messages=3)
        fanout = Fanout(bench.config, Portions(bench.timers))
        carrier: FakeCarrier | None = bench.carrier()
        told: list[str] = []
        created = partial(note, told)
        trace: list[tuple[object, ...]] = []
        for step in steps:
            session = bench.session
            match step:
                case ("send", int(size)):
                    message: Encoded = text("x" * size)
                    if together:
                        fanout.send([session], message)
                    else:
                        session.send(message)
                case "pull":
                    session.pull()
                case "close":
                    session.close(Reason.FORCED_CLOSE)
                case "abort":
                    session.abort(Reason.FORCED_CLOSE)
                case "carry" if session.state is not State.CLOSED:
                    carrier = bench.carrier()
                    if session.outbox:
                        carrier.ready()
                case "bare":
                    session.carrier = carrier = None
                case "observe":
                    session.on("packet_create", created)
                case _:
                    pass
            trace.append(outline(session, list(told), carrier))
        seen.append((trace, bench.receiver.reasons, len(bench.forgotten)))
    assert seen[0] == seen[1]


@pytest.mark.parametrize("observed", [False, True])
def test_beyond_the_bounds_it_closes(observed: bool) -> None:
    """Rule 98, and the others have their message all the same."""
    benches = [Bench(State.WEBSOCKET, max_backlog=3) for _ in range(3)]
    carriers = [bench.carrier() for bench in benches]
    if observed:
        benches[1].session.on("packet_create", lambda packet: None)
    fanout = Fanout(benches[0].config, Portions(benches[0].timers))
    benches[1].session.send(text("aa"))
    fanout.send([bench.session for bench in benches], text("bb"))
    assert [bench.receiver.reasons for bench in benches] == [[], [Reason.SEND_BUFFER_FULL], []]
    assert [carrier.close_codes for carrier in carriers] == [[], [1008], []]
    assert [carrier.take() for carrier in carriers] == [["4bb"], [], ["4bb"]]
