"""Broadcasts whose recipients are not all of a room: none, some, or those who can take it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from support.runtime import Task
from support.socketio import Member
from support.socketio_client import join, reached_by
from support.transcript import socketio

from sansocket.sansio.errors import AckTimeout, LocalProtocolError


def test_no_rooms_are_not_everyone() -> None:
    """Protocol rule 77: an empty list that was computed reaches nobody, like a room without
    members; everyone is who is meant where `to` is not called."""
    app, driver = socketio()
    _, socket = join(app, driver)
    rooms: list[str] = []
    assert reached_by(driver, app.to(*rooms)) == []
    assert reached_by(driver, app.in_(*rooms).except_("x")) == []
    assert reached_by(driver, app.to(*rooms).to(socket.id)) == [socket]
    assert reached_by(driver, app.except_(*rooms)) == [socket]


def test_who_has_left_its_own_room_is_excluded_all_the_same() -> None:
    """Features 109 and 130: whom `broadcast` means does not depend on rooms."""
    app, driver = socketio()
    (_, first), (_, second), (_, third) = (join(app, driver) for _ in range(3))
    first.leave(first.id)
    assert first.rooms == frozenset()
    assert set(reached_by(driver, first.broadcast)) == {second, third}
    assert set(reached_by(driver, first.except_(second.id))) == {third}
    assert set(reached_by(driver, app.except_(first.id, "nobody"))) == {second, third}


@pytest.mark.parametrize("asked", ["emit", "emit_with_ack"])
def test_a_volatile_broadcast_waits_for_those_whom_it_reached(asked: str) -> None:
    """Protocol rules 72 and 73."""
    app, driver = socketio()
    (reader, _), (_, busy) = join(app, driver), join(app, driver, "polling")
    busy.emit("takes the GET")
    came: list[Any] = []
    if asked == "emit":
        app.volatile.timeout(5.0).emit("x", ack=lambda error, answers: came.append(answers))
        reader.send("30[1]")
    else:
        task = Task(driver.runtime, app.volatile.emit_with_ack("x"))
        reader.send("30[1]")
        driver.settle()
        came.append(task.result)
    assert came == [[1]]
    timers = len(app.engine.timers)
    driver.advance(5.0)
    assert len(app.engine.timers) <= timers
    assert came == [[1]]


def test_a_server_may_have_a_timeout_for_all_questions() -> None:
    """Feature 75: `ack_timeout` holds where a broadcast says nothing else."""
    app, driver = socketio(ack_timeout=3.0)
    join(app, driver)
    usual = Task(driver.runtime, app.emit_with_ack("x"))
    longer = Task(driver.runtime, app.timeout(5.0).emit_with_ack("x"))
    driver.advance(2.9)
    assert not usual.done
    driver.advance(0.2)
    with pytest.raises(AckTimeout):
        print(usual.result)
    assert not longer.done
    driver.advance(2.0)
    with pytest.raises(AckTimeout):
        print(longer.result)


def test_a_volatile_broadcast_that_reaches_nobody() -> None:
    app, driver = socketio()
    _, busy = join(app, driver, "polling")
    busy.emit("takes the GET")
    came: list[Any] = []
    app.volatile.emit("x", ack=lambda error, answers: came.append((error, answers)))
    assert came == [(None, [])]


def test_a_parent_asks_all_of_its_children_or_nobody() -> None:
    """At the bound of one socket nothing was sent in any namespace, and nobody is waited for."""
    app, driver = socketio(max_pending_acks=1)
    parent = app.of(re.compile(r"/dyn-\d+"))
    members = [Member(driver, app, f"/dyn-{number}") for number in (1, 2, 3)]
    members[2].socket.emit("owes", ack=lambda *answer: None)
    members[2].events()
    came: list[Any] = []
    with pytest.raises(LocalProtocolError, match="pending"):
        parent.emit("x", ack=lambda error, answers: came.append(answers))
    assert [member.events() for member in members] == [[], [], []]
    members[2].websocket.send("43/dyn-3,0[]")
    parent.emit("x", ack=lambda error, answers: came.append(answers))
    assert came == []
    for member in members:
        [message] = member.websocket.take()
        number = re.sub(r".*,(\d+)\[.*", r"\1", str(message))
        member.websocket.send(f"43{member.prefix}{number}[7]")
    assert came == [[7, 7, 7]]
