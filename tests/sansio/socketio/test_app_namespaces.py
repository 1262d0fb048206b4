"""The namespaces of a running server: which there are, and one that is deleted (feature 93)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from support.engineio import text
from support.runtime import Gate
from support.socketio import Member
from support.transcript import socketio


def test_all_namespaces() -> None:
    """Those that the application has made, and those that clients have asked for."""
    app, driver = socketio()
    namespaces = app.namespaces
    admin = app.of("/admin")
    parent = app.of(re.compile(r"/dyn-\d+"))
    assert namespaces == {"/": app, "/admin": admin}
    Member(driver, app, "/dyn-1")
    assert namespaces == {"/": app, "/admin": admin, "/dyn-1": parent.children["/dyn-1"]}
    with pytest.raises(TypeError):
        namespaces["/x"] = admin  # type: ignore[index]  # what is tested


def test_a_deleted_namespace() -> None:
    """Its sockets are disconnected by the server, and who asks for it is refused (rule 66)."""
    app, driver = socketio()
    admin = app.of("/admin")
    reasons: list[str] = []
    admin.on("disconnect", lambda socket, reason: reasons.append(reason))
    member = Member(driver, app, "/admin")
    elsewhere = Member(driver, app, "/")
    app.delete_namespace("/admin")
    driver.settle()
    assert member.websocket.take() == ["41/admin,"]
    assert reasons == ["server namespace disconnect"]
    assert not admin.sockets
    assert elsewhere.websocket.take() == []
    late = Member(driver, app, "/admin")
    assert late.answer == '44/admin,{"message":"Invalid namespace"}'
    assert set(app.namespaces) == {"/"}
    app.delete_namespace("/admin")


def test_a_name_may_be_used_again() -> None:
    """The new one knows nothing of what was registered on the old one, which stays deleted."""
    app, driver = socketio()
    old = app.of("/admin")
    old.on("who", lambda socket: "old")
    app.delete_namespace("/admin")
    new = app.of("/admin")
    assert new is not old
    new.on("who", lambda socket: "new")
    assert Member(driver, app, "/admin").ask("who") == ["new"]
    assert not old.sockets


def test_who_is_not_accepted_yet_is_refused() -> None:
    """Deleted while its middleware waits: nobody enters a namespace that there is not."""
    app, driver = socketio()
    admin = app.of("/admin")
    gate = Gate()
    connected: list[Any] = []

    @admin.use
    async def wait(socket: Any, auth: dict[str, Any]) -> None:
        await gate.wait()

    admin.on("connect", connected.append)
    waiting = driver.websocket()
    waiting.send("40/admin,")
    waiting.take()
    app.delete_namespace("/admin")
    gate.open()
    driver.settle()
    assert waiting.take() == ['44/admin,{"message":"Invalid namespace"}']
    assert (connected, dict(admin.sockets)) == ([], {})


def test_deleted_just_before_it_is_entered() -> None:
    """The handler of an event that came in the same piece as the CONNECT deletes the namespace."""
    app, driver = socketio()
    admin = app.of("/admin")
    app.on("delete", lambda socket: app.delete_namespace("/admin"))
    client = Member(driver, app).websocket
    client.pipe.send(text('42["delete"]') + text("40/admin,"))
    assert client.take() == ['44/admin,{"message":"Invalid namespace"}']
    assert not admin.sockets


def test_a_child_is_deleted() -> None:
    """Its last socket finds it gone; asked for again, the parent makes another."""
    app, driver = socketio()
    parent = app.of(re.compile(r"/dyn-\d+"))
    member = Member(driver, app, "/dyn-1")
    old = parent.children["/dyn-1"]
    app.delete_namespace("/dyn-1")
    assert (set(parent.children), set(app.namespaces)) == (set(), {"/"})
    driver.settle()
    assert member.websocket.take() == ["41/dyn-1,"]
    Member(driver, app, "/dyn-1")
    assert parent.children["/dyn-1"] is app.namespaces["/dyn-1"] is not old


def test_a_name_is_taken_anew_while_sockets_of_the_old_one_wait() -> None:
    """When the last of them has gone the new namespace stays as it is."""
    app, driver = socketio()
    parent = app.of(re.compile(r"/dyn-\d+"))
    gate = Gate()

    async def wait(socket: Any, auth: dict[str, Any]) -> None:
        await gate.wait()

    parent.use(wait)
    waiting = driver.websocket()
    waiting.send("40/dyn-1,")
    waiting.take()
    app.delete_namespace("/dyn-1")
    new = app.of("/dyn-1")
    gate.open()
    driver.settle()
    assert waiting.take() == ['44/dyn-1,{"message":"Invalid namespace"}']
    assert app.namespaces["/dyn-1"] is new
    assert Member(driver, app, "/dyn-1").id in new.sockets


def test_the_main_namespace_cannot_be_deleted() -> None:
    app, driver = socketio()
    with pytest.raises(ValueError, match="main namespace"):
        app.delete_namespace("/")
    assert Member(driver, app, "/").id
