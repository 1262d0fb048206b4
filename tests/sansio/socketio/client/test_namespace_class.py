"""Listeners as methods of a class (row 178)."""

from __future__ import annotations

from typing import Any

import pytest
from support.fake_engine import Rig

from sansocket.sansio.socketio.client.namespace_class import ClientNamespaceClass
from sansocket.sansio.socketio.event_methods import event


class Chat(ClientNamespaceClass):
    """A namespace with a method for each event."""

    name = "/chat"

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def on_connect(self) -> None:
        self.seen.append(("connect", self.socket.id))

    async def on_double(self, number: int) -> int:
        return number * 2

    @event("chat message")
    def said(self, text: str) -> None:
        self.socket.emit("heard", text)

    def on_disconnect(self, reason: str) -> None:
        self.seen.append(reason)

    def on_connect_error(self, error: Exception) -> None:
        self.seen.append(str(error))


def test_methods_listen_to_the_events_of_their_names() -> None:
    """None is missed: not even the first `connect`."""
    rig, chat = Rig(), Chat()
    socket = rig.client.register(chat, auth={"token": "x"})
    assert (socket.namespace, chat.socket) == ("/chat", socket)
    assert not socket.active
    socket.connect()
    assert rig.open() == ['0/chat,{"token":"x"}']
    rig.accept("/chat", "sid")
    assert rig.receive('2/chat,7["double",21]') == ["3/chat,7[42]"]
    assert rig.receive('2/chat,["chat message","hi"]') == ['2/chat,["heard","hi"]']
    rig.receive("1/chat,")
    assert chat.seen == [("connect", "sid"), "io server disconnect"]


def test_a_refusal() -> None:
    rig, chat = Rig(), Chat()
    rig.client.register(chat).connect()
    rig.open()
    rig.receive('4/chat,{"message":"no"}')
    assert chat.seen == ["no"]


@pytest.mark.parametrize("name", ["said", "handlers", "__init__", "socket", "seen", "register"])
def test_no_name_that_a_server_sends_is_looked_up_in_the_object(name: str) -> None:
    """Security rule 17."""
    rig = Rig()
    rig.client.register(Chat()).connect()
    rig.open()
    rig.accept("/chat")
    assert rig.receive(f'2/chat,1["{name}"]') == []
    assert rig.runtime.logged == []


def test_a_method_that_can_be_no_listener_is_refused_at_registration() -> None:
    class Wrong(ClientNamespaceClass):
        def on_disconnect(self) -> None:
            """Does not take the reason."""

    with pytest.raises(TypeError, match="disconnect"):
        Rig().client.register(Wrong())

    class Nowhere(ClientNamespaceClass):
        name = "nowhere"

    with pytest.raises(ValueError, match="namespace"):
        Rig().client.register(Nowhere())
