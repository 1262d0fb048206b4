"""How many messages may wait, and how far is read on while an answer is owed (rule 98)."""

from __future__ import annotations

from typing import Any

import pytest
from support.fake_engine import FakeEngine, FakeIntake, Rig, record
from support.runtime import Gate

from sansocket.sansio.errors import Reason, RemoteProtocolError

HEADER = '52-["x",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]'


def intake(**options: Any) -> tuple[FakeIntake, FakeEngine]:
    """One of a session whose receiver does not matter."""
    engine = FakeEngine(None)  # type: ignore[arg-type]  # nothing is received here
    return FakeIntake(engine, **options), engine


def test_each_that_waits_holds_the_session() -> None:
    """But while anyone owes."""
    messages, engine = intake()
    for _ in range(3):
        messages.wait(10)
    messages.handled(10)
    assert (messages.waiting, engine.held) == (2, 2)
    assert (messages.waiting_bytes, engine.held_bytes) == (20, 20)
    messages.owe(True)
    messages.owe(True)
    assert (engine.held, engine.held_bytes) == (0, 0)
    messages.wait(10)
    messages.owe(False)
    assert engine.held == 0
    messages.owe(False)
    assert (engine.held, engine.held_bytes) == (3, 30)
    for _ in range(3):
        messages.handled(10)
    assert (engine.held, engine.held_bytes) == (0, 0)


@pytest.mark.parametrize(
    "bounds",
    [
        {"max_inbound": 2, "max_surplus": 2},
        {"max_inbound_bytes": 20, "max_surplus_bytes": 20},
    ],
    ids=["messages", "bytes"],
)
def test_the_second_bound(bounds: dict[str, Any]) -> None:
    """It is for whoever owes; another is not read from, but for what came in one piece."""
    messages, _ = intake(**bounds)
    for _ in range(5):
        assert messages.feed('2["12345"]', 0.0) is not None
        messages.wait(messages.size)
    assert messages.feed('2["12345"]', 0.0) is not None
    messages.owe(True)
    with pytest.raises(RemoteProtocolError) as raised:
        messages.feed('2["12345"]', 0.0)
    assert raised.value.reason == Reason.RECEIVE_BUFFER_FULL
    messages.handled(10)
    assert messages.feed('2["12345"]', 0.0) is not None


@pytest.mark.parametrize(("text", "size"), [("abc", 7), ("\u20ac", 7)])
def test_the_size_of_a_text(text: str, size: int) -> None:
    """Its bytes, whatever it says."""
    messages, _ = intake()
    assert messages.feed(f'2["{text}"]', 0.0) is not None
    assert messages.size == size + 1


def test_the_size_of_a_packet_with_attachments() -> None:
    messages, _ = intake()
    assert messages.feed(HEADER, 0.0) is None
    assert messages.feed(b"1234", 1.0) is None
    assert messages.feed("\xff".encode(), 2.0) is not None
    assert messages.size == len(HEADER) + 6
    assert len(messages.timers) == 0


def test_attachments_that_do_not_come() -> None:
    """Security rule T5: the time is that of all together, and each packet has its own."""
    messages, _ = intake(attachment_timeout=9.0)
    for begun in (0.0, 5.0):
        messages.feed(HEADER, begun)
        messages.feed(b"", begun + 1)
        if not begun:
            messages.feed(b"", begun + 2)
    messages.timers.fire(13.9)
    assert messages.late == []
    messages.timers.fire(14.0)
    [error] = messages.late
    assert "9.0 seconds" in str(error)


def test_attachments_that_may_not_come() -> None:
    messages, _ = intake()
    messages.attaches = False
    with pytest.raises(RemoteProtocolError, match="before a namespace"):
        messages.feed(HEADER, 0.0)
    assert len(messages.timers) == 0


def test_it_is_shut() -> None:
    """Nothing of a packet that has begun is left."""
    messages, _ = intake()
    messages.feed(HEADER, 0.0)
    messages.shut()
    assert len(messages.timers) == 0


@pytest.mark.parametrize("namespace", ["", "/late,"])
def test_a_server_whose_attachments_do_not_come(namespace: str) -> None:
    """The same deadline on the side of a client: its connection is broken, and tried again."""
    rig = Rig(attachment_timeout=9.0)
    told = record(rig.joined(), "disconnect")
    rig.client.socket("/late").connect()
    rig.receive(f'51-{namespace}["x",{{"_placeholder":true,"num":0}}]')
    rig.advance(8.9)
    assert told == []
    rig.advance(0.1)
    [(_, reason, details)] = told
    assert reason == "parse error"
    assert isinstance(details, RemoteProtocolError)
    assert rig.client.next_attempt is not None


def test_attachments_from_a_server_that_was_asked_for_nothing() -> None:
    """It has no business to send anything."""
    rig = Rig()
    rig.client.socket(auth=lambda: Gate().wait()).connect()
    rig.open()
    rig.receive(HEADER)
    assert rig.engine.ended is not None
    assert rig.engine.ended[0] == "parse error"


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
