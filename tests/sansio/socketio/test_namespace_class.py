"""Handlers as methods of a class (feature 91)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from support.socketio import Member
from support.transcript import socketio

from sansocket.sansio.socketio.event_methods import event
from sansocket.sansio.socketio.namespace_class import NamespaceClass
from sansocket.sansio.socketio.socket import Socket


class Chat(NamespaceClass):
    """A namespace with a method for each event."""

    name = "/chat"

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def on_connect(self, socket: Socket) -> None:
        self.seen.append("connect")

    async def on_echo(self, socket: Socket, value: Any) -> Any:
        return value

    @event("chat message")
    def said(self, socket: Socket, text: str) -> None:
        self.namespace.emit("chat message", text)

    def on_disconnect(self, socket: Socket, reason: str) -> None:
        self.seen.append(reason)

    def helper(self) -> None:
        """No handler."""


def test_methods_handle_the_events_of_their_names() -> None:
    app, driver = socketio()
    chat = Chat()
    assert app.register(chat) is app.of("/chat")
    member = Member(driver, app, "/chat")
    assert member.ask("echo", 5) == [5]
    member.emit("chat message", "hi")
    assert member.events() == [["chat message", "hi"]]
    member.websocket.send("41/chat,")
    assert chat.seen == ["connect", "client namespace disconnect"]


def test_one_class_for_the_namespaces_of_a_pattern() -> None:
    """Feature 92: with `.*` for every name that a client may ask for."""
    app, driver = socketio()

    class Rooms(NamespaceClass):
        name = re.compile(r"/rooms/.*")

        def on_said(self, socket: Socket, text: str) -> None:
            self.namespace.emit("said", text, socket.namespace.name)

    rooms = Rooms()
    assert app.register(rooms) is rooms.namespace
    members = [Member(driver, app, name) for name in ("/rooms/a", "/rooms/b")]
    members[0].emit("said", "hi")
    assert [member.events() for member in members] == [[["said", "hi", "/rooms/a"]]] * 2


@pytest.mark.parametrize("name", ["helper", "said", "handlers", "__init__", "namespace", "seen"])
def test_no_name_that_a_client_sends_is_looked_up_in_the_object(name: str) -> None:
    """Security rule 17."""
    app, driver = socketio()
    app.register(Chat())
    member = Member(driver, app, "/chat")
    assert member.ask(name) is None
    assert driver.runtime.logged == []


def test_a_method_that_can_be_no_handler_is_refused_at_registration() -> None:
    class Wrong(NamespaceClass):
        def on_disconnect(self) -> None:
            """Takes neither the socket nor the reason."""

    app, _ = socketio()
    with pytest.raises(TypeError, match="disconnect"):
        app.register(Wrong())
