"""Events that are sent again until they are acknowledged (rule 88)."""

from __future__ import annotations

from typing import Any

import pytest
from support.fake_engine import Rig

from sansocket.sansio.errors import AckTimeout, Disconnected, LocalProtocolError


def rig_with(retries: int = 2, **options: Any) -> Rig:
    """A client that sends again, after a second."""
    return Rig(retries=retries, ack_timeout=1.0, **options)


def test_one_is_under_way_and_the_order_is_kept() -> None:
    """Rule 88: the next goes when the one before is acknowledged; all ask for that."""
    rig = rig_with()
    socket = rig.joined()
    for number in range(3):
        socket.emit("x", number)
    rig.settle()
    assert rig.engine.take() == ['20["x",0]']
    assert rig.receive("30[]") == ['21["x",1]']
    assert rig.receive("30[]", "32[]") == []
    assert rig.receive("31[]") == ['22["x",2]']
    assert rig.receive("32[]") == []
    rig.advance(100)
    assert rig.engine.take() == []
    assert rig.client.next_deadline() is None


def test_it_is_sent_again_and_then_given_up() -> None:
    """Rule 88: retries + 1 tries in all; then its ack fails, and the next has its turn."""
    rig = rig_with(retries=2)
    socket = rig.joined()
    answers: list[tuple[Any, ...]] = []
    socket.timeout(0.5).emit("x", ack=lambda *args: answers.append(args))
    socket.emit("y")
    for _ in range(3):
        assert rig.engine.take() == ['20["x"]']
        assert answers == []
        rig.advance(0.5)
    [[error]] = answers
    assert isinstance(error, AckTimeout)
    assert rig.engine.take() == ['21["y"]']


def test_a_late_answer_counts() -> None:
    """All tries have one number, for it is the same event."""
    rig = rig_with()
    socket = rig.joined()
    task = rig.task(socket.call("x"))
    rig.advance(1.0)
    assert rig.engine.take() == ['20["x"]', '20["x"]']
    rig.receive('30["late"]')
    assert task.result == "late"
    assert rig.receive('30["twice"]') == []


def test_the_connection_is_lost_meanwhile() -> None:
    """Rule 88: sent again at once when it is back, before what was emitted later."""
    rig = rig_with()
    socket = rig.joined()
    socket.emit("x")
    socket.emit("y")
    rig.settle()
    rig.engine.take()
    rig.lose()
    socket.emit("z")
    rig.advance(1)
    assert rig.rejoin() == ['20["x"]']
    assert rig.receive("30[]") == ['21["y"]']
    assert rig.receive("31[]") == ['22["z"]']


def test_a_lost_connection_is_a_try() -> None:
    """Rule 88: with the last one the event is given up, and its ack fails."""
    rig = rig_with(retries=1)
    socket = rig.joined()
    errors: list[Any] = []
    socket.timeout(0.5).emit("x", ack=errors.append)
    rig.lose()
    rig.advance(1)
    assert rig.rejoin() == ['20["x"]']
    assert errors == []
    rig.lose()
    [error] = errors
    assert isinstance(error, Disconnected)
    rig.advance(1)
    assert rig.rejoin() == []


def test_volatile_events_pass_by() -> None:
    """They wait for nobody, and nobody waits for them."""
    rig = rig_with()
    socket = rig.joined()
    socket.emit("x")
    socket.volatile.emit("now")
    rig.settle()
    assert rig.engine.take() == ['20["x"]', '2["now"]']


def test_the_bound() -> None:
    """Rule 98: the caller is told, and the number is not used up."""
    rig = rig_with(max_send_buffer=2)
    socket = rig.joined()
    socket.emit("x")
    socket.emit("y")
    with pytest.raises(LocalProtocolError, match="2 events"):
        socket.emit("z")
    rig.receive("30[]", "31[]")
    socket.emit("z")
    rig.settle()
    assert rig.engine.take() == ['22["z"]']


def test_a_task_that_waits_when_nothing_is_done_any_more() -> None:
    """It fails; what no task waits for is sent when the application connects again."""
    rig = rig_with(reconnection=False)
    socket = rig.client.socket()
    socket.connect()
    task = rig.task(socket.call("asks"))
    socket.emit("tells")
    rig.fail()
    with pytest.raises(Disconnected):
        _ = task.result
    socket.connect()
    rig.open()
    assert rig.accept() == ['21["tells"]']


def test_a_task_that_waits_no_more_takes_its_event_back() -> None:
    """Rule 87: the next one has its turn."""
    rig = rig_with()
    socket = rig.joined()
    first, second = rig.task(socket.call("x")), rig.task(socket.call("y"))
    socket.emit("z")
    assert rig.engine.take() == ['20["x"]']
    second.cancel()
    first.cancel()
    rig.settle()
    assert rig.engine.take() == ['22["z"]']
