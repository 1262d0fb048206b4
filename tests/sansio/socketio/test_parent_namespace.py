"""Namespaces made when clients ask for them (rule 66, security rule 27, features 84 to 87)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from support.runtime import Gate
from support.socketio import Member
from support.transcript import socketio

from sansocket.sansio.socketio.namespace import Namespace
from sansocket.sansio.socketio.socket import Socket


def test_a_pattern_makes_namespaces_with_the_handlers_of_the_parent() -> None:
    app, driver = socketio()
    parent = app.of(re.compile(r"/dyn-\d+"))
    parent.on("where", lambda socket: socket.namespace.name)
    made: list[str] = []
    app.on_new_namespace(lambda namespace: made.append(namespace.name))
    one, two = Member(driver, app, "/dyn-1"), Member(driver, app, "/dyn-2")
    assert one.ask("where") == ["/dyn-1"]
    assert two.ask("where") == ["/dyn-2"]
    assert made == ["/dyn-1", "/dyn-2"]
    assert set(parent.children) == {"/dyn-1", "/dyn-2"}
    assert all(child.parent is parent for child in parent.children.values())


@pytest.mark.parametrize("name", ["/dyn-", "/dyn-1x", "/x/dyn-1", "/other"])
def test_a_pattern_matches_the_whole_name(name: str) -> None:
    """What does not match is refused, and nothing is remembered of it (security rule 27)."""
    app, driver = socketio()
    app.of(re.compile(r"/dyn-\d+"))
    member = Member(driver, app, name)
    assert member.answer == f'44{name},{{"message":"Invalid namespace"}}'
    assert set(app.core.namespaces) == {"/"}


def test_there_is_a_namespace_before_there_is_a_parent() -> None:
    """Rule 66: existing names win; then each parent in the order in which they were made."""
    app, driver = socketio()
    app.of("/dyn-1").on("who", lambda socket: "static")
    app.of(re.compile(r"/dyn-\d+")).on("who", lambda socket: "first")
    app.of(re.compile(r"/dyn-\w+")).on("who", lambda socket: "second")
    answers = [Member(driver, app, f"/dyn-{end}").ask("who") for end in ("1", "2", "x")]
    assert answers == [["static"], ["first"], ["second"]]


def test_a_function_decides_by_name_and_auth() -> None:
    """Feature 85."""
    app, driver = socketio()

    @app.of
    def members_only(name: str, auth: dict[str, Any]) -> bool:
        return auth.get("member") is True

    assert Member(driver, app, "/club", '{"member":true}').id
    assert not Member(driver, app, "/pub", '{"member":false}').id


def test_a_coroutine_function_may_take_its_time() -> None:
    """The name is taken meanwhile: a second CONNECT is an error (rule 61)."""
    app, driver = socketio()
    gate = Gate()

    async def later(name: str, auth: dict[str, Any]) -> bool:
        await gate.wait()
        return True

    app.of(later)
    websocket, hasty = driver.websocket(), driver.websocket()
    for each in (websocket, hasty):
        each.take()
        each.send("40/slow,")
        assert each.take() == []
    hasty.send("40/slow,")
    assert hasty.close_code is None
    hasty.take()
    assert hasty.close_code == 1002
    gate.open()
    driver.settle()
    [answer] = websocket.take()
    assert str(answer).startswith("40/slow,")
    assert len(app.core.namespaces["/slow"].sockets) == 1


@pytest.mark.parametrize("goes", ["41/slow,", "1"])
def test_a_client_may_go_while_the_function_decides(goes: str) -> None:
    """Nothing is left of it (security rule T13)."""
    app, driver = socketio()
    gate = Gate()

    async def later(name: str, auth: dict[str, Any]) -> bool:
        await gate.wait()
        return True

    app.of(later)
    websocket = driver.websocket()
    websocket.send("40/slow,")
    websocket.send(goes)
    gate.open()
    driver.settle()
    assert set(app.core.namespaces) == {"/"}
    assert driver.runtime.tasks == []


def test_a_failing_function_refuses_and_is_logged() -> None:
    app, driver = socketio()

    def fails(name: str, auth: dict[str, Any]) -> bool:
        raise RuntimeError("details")

    app.of(fails)
    member = Member(driver, app, "/x")
    assert member.answer == '44/x,{"message":"Invalid namespace"}'
    [(_, error)] = driver.runtime.logged
    assert isinstance(error, RuntimeError)


def test_an_empty_child_is_forgotten() -> None:
    """Security rule 27, feature 72; also when the only client was refused."""
    app, driver = socketio()
    parent = app.of(re.compile(r"/dyn-\d+"))
    one, two = Member(driver, app, "/dyn-1"), Member(driver, app, "/dyn-1")
    one.websocket.send("41/dyn-1,")
    assert set(parent.children) == {"/dyn-1"}
    two.websocket.pipe.lose()
    assert not parent.children
    assert set(app.core.namespaces) == {"/"}

    @parent.use
    def nobody(socket: Socket, auth: dict[str, Any]) -> None:
        raise ValueError("no")

    assert not Member(driver, app, "/dyn-2").id
    assert not parent.children


def test_a_child_is_kept_when_it_is_said_so() -> None:
    app, driver = socketio(cleanup_empty_child_namespaces=False)
    parent = app.of(re.compile(r"/dyn-\d+"))
    Member(driver, app, "/dyn-1").websocket.pipe.lose()
    assert set(parent.children) == {"/dyn-1"}


def test_children_are_bounded() -> None:
    """Rule 66: clients cannot make namespaces without end."""
    app, driver = socketio(max_child_namespaces=2)
    app.of(re.compile(r"/a-\d+"))
    app.of(re.compile(r"/b-\d+"))
    names = ["/a-1", "/b-1", "/a-2", "/a-1"]
    assert [bool(Member(driver, app, name).id) for name in names] == [True, True, False, True]


def test_a_parent_emits_to_all_children() -> None:
    """Feature 87, with the modifiers of a broadcast and its acknowledgements."""
    app, driver = socketio()
    parent = app.of(re.compile(r"/dyn-\d+"))
    members = [Member(driver, app, f"/dyn-{i}") for i in (1, 1, 2)]
    parent.except_(members[0].id).emit("news", 1)
    assert [member.events() for member in members] == [[], [["news", 1]], [["news", 1]]]
    answers: list[object] = []
    parent.timeout(1).emit("ask", ack=lambda error, got: answers.append((error, got)))
    driver.settle()
    for member, number in zip(members, ("0", "0", "0"), strict=True):
        member.websocket.send(f"43{member.prefix}{number}[{member.name[-1]}]")
    assert answers == [(None, [1, 1, 2])]
    parent.disconnect_sockets()
    assert not parent.children


def test_a_parent_without_children_answers_at_once() -> None:
    app, _ = socketio()
    answers: list[object] = []
    app.of(re.compile("/x")).emit("ask", ack=lambda error, got: answers.append((error, got)))
    assert answers == [(None, [])]


def test_partial_answers_of_children_come_with_the_timeout() -> None:
    app, driver = socketio()
    parent = app.of(re.compile(r"/dyn-\d+"))
    members = [Member(driver, app, f"/dyn-{i}") for i in (1, 2)]
    answers: list[tuple[object, list[object]]] = []
    parent.timeout(5).emit("ask", ack=lambda error, got: answers.append((error, got)))
    driver.settle()
    members[0].websocket.send('43/dyn-1,0["first"]')
    driver.advance(5)
    [(error, got)] = answers
    assert isinstance(error, TimeoutError)
    assert got == ["first"]


def test_what_is_no_namespace_is_refused() -> None:
    app, _ = socketio()
    for wrong in ("admin", "/a,b"):
        with pytest.raises(ValueError, match="namespace"):
            app.of(wrong)
    no_rule: Any = 3
    with pytest.raises(TypeError, match="pattern"):
        app.of(no_rule)


def test_a_failing_hook_for_new_namespaces_is_logged() -> None:
    app, driver = socketio()
    app.of(re.compile("/x"))

    @app.on_new_namespace
    def fails(namespace: Namespace) -> None:
        raise RuntimeError("details")

    assert Member(driver, app, "/x").id
    assert len(driver.runtime.logged) == 1
