"""One event to more than are told at once that it has come."""

from __future__ import annotations

from support.socketio import Member
from support.transcript import socketio

from sansocket.sansio.engineio.fanout import AT_ONCE


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
