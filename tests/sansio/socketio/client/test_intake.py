"""How many messages may wait, and how far is read on while an answer is owed (rule 98)."""

from __future__ import annotations

from typing import Any

import pytest
from support.fake_engine import FakeEngine, Rig
from support.runtime import Gate

from sansocket.sansio.errors import Reason, RemoteProtocolError
from sansocket.sansio.socketio.client.intake import Intake


def intake() -> tuple[Intake, FakeEngine]:
    """One of a session whose receiver does not matter."""
    engine = FakeEngine(None)  # type: ignore[arg-type]  # nothing is received here
    return Intake(engine, max_inbound=2, max_surplus=2, max_surplus_bytes=10), engine


def test_each_that_waits_holds_the_session() -> None:
    """But while anyone owes."""
    messages, engine = intake()
    for _ in range(3):
        messages.wait()
    messages.handled()
    assert (messages.waiting, engine.held) == (2, 2)
    messages.owe(True)
    messages.owe(True)
    assert engine.held == 0
    messages.wait()
    messages.owe(False)
    assert engine.held == 0
    messages.owe(False)
    assert engine.held == 3
    for _ in range(3):
        messages.handled()
    assert engine.held == 0


@pytest.mark.parametrize("data", ["x" * 5, "é\ud800", b"12345"])
def test_bytes_beyond_the_bound(data: str | bytes) -> None:
    """They are counted while too many wait, and anew when that is over."""
    messages, _ = intake()
    for _ in range(3):
        messages.read(data)
        messages.wait()
    messages.read(data)
    messages.read(data)
    messages.handled()
    messages.read(data)
    messages.wait()
    messages.read(data)
    messages.read(data)
    with pytest.raises(RemoteProtocolError) as raised:
        messages.read(data)
    assert raised.value.reason == Reason.RECEIVE_BUFFER_FULL


def test_messages_beyond_the_bound() -> None:
    messages, _ = intake()
    for _ in range(5):
        messages.read("")
        messages.wait()
    with pytest.raises(RemoteProtocolError):
        messages.read("")


def test_a_call_is_answered_though_much_waits() -> None:
    """What a listener, or who iterates, waits for may stand behind all that."""
    rig = Rig(max_inbound=3)
    socket = rig.joined()
    gate = Gate()

    @socket.on("slow")
    async def slow() -> None:
        await gate.wait()

    iterator = aiter(socket)
    rig.receive(*['2["slow"]', '2["x"]', '2["slow"]', '2["x"]'])
    assert rig.engine.held == 4
    task = rig.task(socket.call("y"))
    assert rig.engine.held == 0
    rig.receive("30[1]")
    assert task.result == 1
    assert rig.engine.held == 4
    rig.task(anext(iterator))
    gate.open()
    rig.settle()
    names: list[Any] = [rig.task(anext(iterator)).result.name]
    assert names == ["x"]
    assert rig.engine.held == 0


def test_who_leaves_owes_nothing_any_more() -> None:
    """Nor does an event that is sent again until it is acknowledged, when it is."""
    rig = Rig(retries=1, ack_timeout=9.0)
    other, socket = rig.joined("/a"), rig.joined("/b")
    other.on("x", lambda: None)
    gate = Gate()

    @other.on("slow")
    async def slow() -> None:
        await gate.wait()

    rig.receive('2/a,["slow"]')
    assert rig.engine.held == 1
    socket.emit("y")
    assert rig.engine.held == 0
    socket.disconnect()
    assert rig.engine.held == 1
    other.emit("y")
    assert rig.engine.held == 0
    rig.receive("3/a,0[]")
    assert rig.engine.held == 1
