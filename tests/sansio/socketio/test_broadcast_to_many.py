"""One event to more than are worked on in one turn of the loop."""

from __future__ import annotations

import pytest
from support.socketio import Member
from support.transcript import socketio

from sansocket.sansio.engineio.packet import Packet
from sansocket.sansio.engineio.session import Session
from sansocket.sansio.portions import AT_ONCE


def test_a_broadcast_to_many_keeps_the_order_of_each() -> None:
    """What is emitted between the portions comes after, and nobody is missed."""
    app, driver = socketio()
    members = [Member(driver, app) for _ in range(AT_ONCE + 2)]
    for member in members:
        member.websocket.take()
    app.emit("first")
    members[0].socket.emit("alone")
    app.to(members[1].id, members[2].id).emit("few")
    members[3].socket.disconnect()
    app.emit("last")
    driver.settle()
    got = [[name for name, *_ in member.events()] for member in members]
    assert got[0] == ["first", "alone", "last"]
    assert got[1] == got[2] == ["first", "few", "last"]
    assert got[3] == ["first"]
    assert got[4:] == [["first", "last"]] * (AT_ONCE - 2)


def test_listeners_of_one_socket_do_not_change_what_the_others_get() -> None:
    """Only who listens is told, and everyone has the event."""
    app, driver = socketio()
    members = [Member(driver, app) for _ in range(3)]
    told: list[str] = []
    members[1].socket.on_any_outgoing(lambda event, *args: told.append(event))
    app.emit("news", 1)
    assert told == ["news"]
    assert [member.events() for member in members] == [[["news", 1]]] * 3


@pytest.mark.parametrize("whose", ["namespace", "sockets"])
def test_listeners_are_told_in_portions_and_in_order(whose: str) -> None:
    """Each hears of the events of a socket in the order in which they go out, and once."""
    app, driver = socketio()
    count = 2 * AT_ONCE + 1
    members = [Member(driver, app) for _ in range(count)]
    told: dict[str, list[str]] = {member.id: [] for member in members}
    if whose == "namespace":
        app.on_any_outgoing(lambda socket, event: told[socket.id].append(event))
    else:
        for member in members:
            member.socket.on_any_outgoing(told[member.id].append)
    first, second, last = members[0], members[1], members[-1]
    app.emit("many")
    last.socket.emit("alone")
    assert set(map(len, told.values())) == {0}
    turns: list[int] = []
    while app.engine.portions:
        before = sum(map(len, told.values()))
        app.engine.handle_timeout(driver.now)
        turns.append(sum(map(len, told.values())) - before)
        if told[first.id] == ["many"]:
            first.socket.emit("alone")
            second.socket.emit("none")
            second.socket.disconnect()
            told[first.id].append("emitted")
    assert max(turns) == AT_ONCE
    assert told.pop(first.id) == ["many", "emitted", "alone"]
    assert told.pop(second.id) == ["many"]
    assert told.pop(last.id) == ["many", "alone"]
    assert all(events == ["many"] for events in told.values())
    last.socket.emit("at once")


def test_observers_are_told_in_portions_and_in_order() -> None:
    """Of what is queued before what has left the queue, also for who is gone by then."""
    app, driver = socketio()
    count = AT_ONCE + 1
    members = [Member(driver, app) for _ in range(count)]
    told: dict[str, list[str]] = {member.id: [] for member in members}
    ids = {member.socket.session: member.id for member in members}

    def created(session: Session, packet: Packet) -> None:
        told[ids[session]].append(str(packet.data))

    def flushed(session: Session, packets: list[Packet]) -> None:
        told[ids[session]].append(f"{len(packets)} flushed")

    app.engine.on("packet_create", created)
    app.engine.on("flush", flushed)
    app.emit("many")
    members[1].socket.disconnect(close=True)
    members[0].socket.emit("alone")
    turns: list[int] = []
    while app.engine.portions:
        before = sum(map(len, told.values()))
        app.engine.handle_timeout(driver.now)
        turns.append(sum(map(len, told.values())) - before)
    assert max(turns) <= AT_ONCE
    assert told.pop(members[0].id) == ['2["many"]', '2["alone"]', "2 flushed"]
    assert told.pop(members[1].id) == ['2["many"]', "1", "2 flushed"]
    assert all(events == ['2["many"]', "1 flushed"] for events in told.values())
