"""The in-memory adapter: rooms, their events, and what a cluster's adapter will take over."""

from __future__ import annotations

import pytest
from support.runtime import LoopFree, counting_entropy
from support.socketio import Member
from support.transcript import Driver, socketio

from sansocket.sansio.errors import LocalProtocolError
from sansocket.sansio.socketio.adapter import Adapter, Selection
from sansocket.sansio.socketio.app import App


def test_rooms_tell_when_they_come_and_go() -> None:
    """Feature 144: create, join, leave and delete, each once and in this order."""
    app, driver = socketio()
    member = Member(driver, app)
    told: list[tuple[str, ...]] = []
    for event in ("create_room", "delete_room"):
        app.adapter.on(event, lambda room, event=event: told.append((event, room)))
    for event in ("join_room", "leave_room"):
        app.adapter.on(event, lambda room, who, event=event: told.append((event, room, who)))
    member.socket.join("a")
    member.socket.join("a")
    other = Member(driver, app)
    other.socket.join("a")
    member.socket.leave("a")
    member.socket.leave("a")
    other.websocket.send("41")
    assert [each for each in told if each[1] == "a"] == [
        ("create_room", "a"),
        ("join_room", "a", member.id),
        ("join_room", "a", other.id),
        ("leave_room", "a", member.id),
        ("leave_room", "a", other.id),
        ("delete_room", "a"),
    ]
    assert app.adapter.rooms() == {member.id}


def test_other_events_and_wrong_functions_are_refused() -> None:
    app, _ = socketio()
    with pytest.raises(ValueError, match="create_room"):
        app.adapter.on("create-room", print)
    with pytest.raises(TypeError, match="join_room"):
        app.adapter.on("join_room", lambda room: None)

    async def waits(room: str) -> None:
        """An adapter waits for nobody."""

    with pytest.raises(TypeError, match="create_room"):
        app.adapter.on("create_room", waits)


def test_sockets_of_a_selection_join_leave_and_disconnect() -> None:
    """Feature 138."""
    app, driver = socketio()
    members = [Member(driver, app) for _ in range(3)]
    app.to(members[0].id, members[1].id).sockets_join("a", "b")
    assert [sorted(m.socket.rooms - {m.id}) for m in members] == [["a", "b"], ["a", "b"], []]
    app.to("a").except_(members[0].id).sockets_leave("b")
    assert members[1].socket.rooms == {members[1].id, "a"}
    app.in_("a").disconnect_sockets()
    assert set(app.sockets) == {members[2].id}
    app.disconnect_sockets(close=True)
    driver.settle()
    assert members[2].websocket.take() == ["41"]
    assert members[2].websocket.close_code == 1000


def test_all_join_or_nobody() -> None:
    """At the bound of one socket, and for the room of one, nobody has joined anything."""
    app, driver = socketio(max_rooms=3)
    members = [Member(driver, app) for _ in range(3)]
    members[1].socket.join("a")
    members[1].socket.join("b")
    with pytest.raises(LocalProtocolError, match="3 rooms"):
        app.sockets_join("b", "c")
    with pytest.raises(LocalProtocolError, match="another socket"):
        app.sockets_join("c", members[0].id)
    assert [len(member.socket.rooms) for member in members] == [1, 3, 1]
    assert "c" not in app.adapter.rooms()
    app.sockets_join("a", "b")
    app.to(members[0].id).sockets_join(members[0].id)
    app.to("nobody").sockets_join("x")
    app.sockets_join()
    assert [member.socket.rooms for member in members] == [{m.id, "a", "b"} for m in members]
    assert "x" not in app.adapter.rooms()


def test_many_join_and_leave_at_once_and_are_told_of_in_portions() -> None:
    """Whoever is emitted to next is in the room; the functions come in their order."""
    app, driver = socketio()
    members = [Member(driver, app) for _ in range(3)]
    app.engine.portions.at_once = 4  # two of them, for each counts twice
    told: list[tuple[str, ...]] = []
    app.adapter.on("create_room", lambda room: told.append(("create", room)))
    app.adapter.on("join_room", lambda room, who: told.append(("join", who)))
    app.adapter.on("leave_room", lambda room, who: told.append(("leave", who)))
    app.adapter.on("delete_room", lambda room: told.append(("delete", room)))
    members[0].socket.join("a")
    told.clear()
    app.sockets_join("a", "a")
    app.to("a").emit("x")
    app.sockets_leave("a", "nowhere")
    members[0].socket.join("b")
    assert len(told) == 2
    turns: list[int] = []
    while app.engine.portions:
        before = len(told)
        app.engine.handle_timeout(driver.now)
        turns.append(len(told) - before)
    driver.settle()
    assert max(turns) == 2
    one, two, three = (member.id for member in members)
    assert told[:2] == [("join", two), ("join", three)]
    assert sorted(told[2:5]) == sorted(("leave", who) for who in (one, two, three))
    assert told[5:] == [("delete", "a"), ("create", "b"), ("join", one)]
    assert [member.events() for member in members] == [[["x"]]] * 3


def test_one_server_has_no_others_to_tell() -> None:
    """Feature 139 through the in-memory adapter: nobody answers, and nobody is waited for."""
    app, _ = socketio()
    app.server_side_emit("news", 1)
    answers = app.server_side_emit_with_ack("news", 1)
    with pytest.raises(StopIteration) as stop:
        answers.send(None)
    assert stop.value.value == []
    count = app.adapter.server_count()
    with pytest.raises(StopIteration) as stop:
        count.send(None)
    assert stop.value.value == 1


def test_a_server_may_be_given_an_adapter_of_its_own() -> None:
    """Feature 69: one for each namespace, with the methods that cross between servers."""
    told: list[tuple[str, Selection, tuple[object, ...]]] = []

    class Telling(Adapter):
        def emit(self, selection: Selection, event: str, args: tuple[object, ...]) -> None:
            told.append((event, selection, args))
            super().emit(selection, event, args)

        def server_side_emit(self, event: str, args: tuple[object, ...]) -> None:
            told.append((event, Selection(), args))

    runtime = LoopFree()
    app = App(runtime, entropy=counting_entropy(), adapter=Telling)
    driver = Driver(app, runtime)
    member = Member(driver, app)
    app.to("a").local.volatile.emit("x", 1)
    app.server_side_emit("y", 2)
    app.of("/other").emit("z")
    assert told == [
        ("x", Selection(rooms=frozenset({"a"}), local=True, volatile=True), (1,)),
        ("y", Selection(), (2,)),
        ("z", Selection(), ()),
    ]
    app.emit("all")
    assert member.events() == [["all"]]
