"""What a socket of a client sends, and when its acknowledgements fail (rules 46, 47, 87, 98)."""

from __future__ import annotations

from typing import Any

import pytest
from support.fake_engine import Rig

from sansocket.sansio.errors import AckTimeout, Disconnected, LocalProtocolError, NotSent


class Called:
    """What a callback got."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def __call__(self, *args: Any) -> None:
        self.calls.append(args)


def test_events_wait_for_the_connection() -> None:
    """Row 148: in their order, from before the first connection and between two."""
    rig = Rig()
    socket = rig.client.socket()
    socket.emit("a")
    socket.connect()
    socket.send("b", b"c")
    rig.open()
    socket.emit("d")
    assert rig.accept() == [
        '2["a"]',
        '51-["message","b",{"_placeholder":true,"num":0}]',
        b"c",
        '2["d"]',
    ]
    rig.lose()
    socket.emit("e")
    rig.advance(1)
    assert rig.rejoin() == ['2["e"]']


def test_numbers_begin_at_zero_and_go_on() -> None:
    """Rule 46: one counter for a socket, over all of its connections."""
    rig = Rig()
    socket = rig.joined()
    called = Called()
    socket.emit("a", ack=called)
    socket.emit("b")
    rig.lose()
    socket.emit("c", ack=called)
    rig.advance(1)
    assert rig.rejoin() == ['21["c"]']
    assert rig.receive("31[1,2]", "31[3]", "30[4]", "39[]") == []
    assert called.calls == [(1, 2)]


def test_the_buffer_is_bounded() -> None:
    """Rule 98: the caller is told; nothing is dropped."""
    rig = Rig(max_send_buffer=2, max_send_buffer_bytes=20)
    socket = rig.client.socket()
    with pytest.raises(LocalProtocolError, match="20 bytes"):
        socket.emit("x" * 30)
    socket.emit("a")
    socket.emit("b", ack=Called())
    with pytest.raises(LocalProtocolError, match="2 events"):
        socket.emit("c", ack=Called())
    socket.connect()
    rig.open()
    assert rig.accept() == ['2["a"]', '20["b"]']


def test_pending_acknowledgements_are_bounded() -> None:
    """Rule 98: also those of events that wait."""
    rig = Rig(max_pending_acks=1)
    socket = rig.client.socket()
    socket.emit("a", ack=Called())
    with pytest.raises(LocalProtocolError, match="1 acknowledgements"):
        socket.emit("b", ack=Called())
    socket.connect()
    rig.open()
    assert rig.accept() == ['20["a"]']
    with pytest.raises(LocalProtocolError):
        socket.emit("c", ack=Called())
    assert rig.engine.take() == []


@pytest.mark.parametrize("args", [({1, 2},), (float, 1)])
def test_what_no_packet_can_carry(args: tuple[Any, ...]) -> None:
    """The caller is told at once, connected or not, and the number is not used up."""
    rig = Rig()
    socket = rig.client.socket()
    for _ in range(2):
        with pytest.raises(LocalProtocolError):
            socket.emit("x", *args, ack=Called())
        with pytest.raises(LocalProtocolError):
            socket.emit("disconnect")
        socket.connect()
        rig.settle()
    rig.open()
    rig.accept()
    socket.emit("x", ack=Called())
    assert rig.engine.take() == ['20["x"]']


def test_acks_of_sent_events_fail_when_the_connection_is_lost() -> None:
    """Rule 87: those of events that wait are still to come."""
    rig = Rig()
    socket = rig.joined()
    sent, waits, plain = Called(), Called(), Called()
    socket.timeout(60).emit("sent", ack=sent)
    socket.emit("sent", ack=plain)
    rig.lose()
    socket.timeout(60).emit("waits", ack=waits)
    [(error,)] = sent.calls
    assert isinstance(error, Disconnected)
    assert error.reason == "transport close"
    rig.advance(1)
    assert rig.rejoin() == ['22["waits"]']
    rig.receive('32["ok"]', '30["of another session"]')
    assert waits.calls == [(None, "ok")]
    assert len(sent.calls) == 1
    assert plain.calls == []


def test_an_ack_that_times_out() -> None:
    """Rule 87: once, and what comes after it is nobody's."""
    rig = Rig()
    socket = rig.joined()
    called = Called()
    socket.timeout(2.0).emit("x", ack=called)
    rig.advance(1.9)
    assert called.calls == []
    rig.advance(0.1)
    [(error,)] = called.calls
    assert isinstance(error, AckTimeout)
    rig.receive("30[]")
    assert len(called.calls) == 1
    assert len(rig.client.timers) == 0


def test_an_event_whose_ack_has_timed_out_is_not_sent() -> None:
    """Rule 87: it is taken out of the buffer."""
    rig = Rig()
    socket = rig.joined()
    rig.lose()
    called = Called()
    socket.timeout(0.5).emit("late", ack=called)
    socket.emit("kept")
    rig.advance(1)
    assert len(called.calls) == 1
    assert rig.rejoin() == ['2["kept"]']


def test_the_default_for_acknowledgements() -> None:
    """`ack_timeout`, where the emission does not say otherwise."""
    rig = Rig(ack_timeout=1.0)
    socket = rig.joined()
    plain, longer = Called(), Called()
    task = rig.task(socket.call("x"))
    socket.timeout(3.0).emit("x", ack=longer)
    socket.emit("x", ack=plain)
    rig.advance(1)
    with pytest.raises(AckTimeout):
        _ = task.result
    assert (plain.calls, longer.calls) == ([], [])
    rig.advance(2)
    assert len(longer.calls) == 1


def test_volatile_events_go_now_or_not_at_all() -> None:
    """Dropped while there is no connection, or it cannot take them; not kept."""
    rig = Rig()
    socket = rig.joined()
    called = Called()
    socket.volatile.emit("goes")
    rig.engine.writable = False
    socket.volatile.emit("dropped")
    socket.volatile.timeout(1).emit("dropped", ack=called)
    rig.engine.writable = True
    assert rig.engine.take() == ['2["goes"]']
    rig.lose()
    socket.volatile.emit("dropped")
    socket.volatile.timeout(9).emit("dropped", ack=called)
    rig.advance(1)
    assert rig.rejoin() == []
    assert [type(error) for (error,) in called.calls] == [NotSent, NotSent]


def test_who_is_told_of_an_event_may_disconnect() -> None:
    """What was sent before goes before, and what waits goes on waiting."""
    rig = Rig()
    rig.joined("/a")
    socket = rig.client.socket()
    told: list[tuple[Any, ...]] = []

    def listener(name: str, *args: Any) -> None:
        told.append((name, *args))
        if name == "last":
            socket.disconnect()

    socket.on_any_outgoing(listener)
    sent, kept = Called(), Called()
    socket.emit("first")
    socket.timeout(60).emit("last", ack=sent)
    socket.timeout(60).emit("kept", ack=kept)
    socket.connect()
    rig.settle()
    rig.engine.take()
    assert rig.accept() == ['2["first"]', '20["last"]', "1"]
    assert told == [("first",), ("last",)]
    assert [type(error) for (error,) in sent.calls] == [Disconnected]
    socket.connect()
    rig.settle()
    rig.engine.take()
    assert rig.accept() == ['21["kept"]']
    rig.receive("31[]")
    assert kept.calls == [(None,)]


def test_compression() -> None:
    """What is said of an emission reaches its session."""
    rig = Rig()
    socket = rig.joined()
    seen: list[bool] = []
    engine = rig.engine
    engine.send = lambda encoded: seen.append(encoded.compress)  # type: ignore[method-assign]  # spied on
    socket.compress(False).emit("x")
    socket.emit("x")
    assert seen == [False, True]
