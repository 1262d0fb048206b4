"""Programs that wait: for one event, for the end, with their listeners in a class."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import trio
from clients.loops import Loop, on_every_loop
from clients.programs import ServerProgram

from sansocket.sansio.errors import Disconnected
from sansocket.sansio.socketio.client.namespace_class import ClientNamespaceClass
from sansocket.sansio.socketio.event_methods import event


@on_every_loop
async def test_receive(loop: Loop, server: ServerProgram, way: dict[str, Any]) -> None:
    """Row 177: connect, emit, receive with a timeout, disconnect."""
    async with loop.connect(server.url, **way) as socket:
        socket.emit("echo", "a", b"b")
        received = await socket.receive(timeout=10)
        assert (received.name, received.args) == ("echo back", ("a", b"b"))
        with pytest.raises((TimeoutError, asyncio.TimeoutError, trio.TooSlowError)):
            await socket.receive(timeout=0.01)
        socket.emit("echo", 1)
        assert (await socket.receive(timeout=10)).args == (1,)
        socket.disconnect()
        with pytest.raises(Disconnected, match="io client disconnect"):
            await socket.receive(timeout=10)


class Chat(ClientNamespaceClass):
    """Listens to what the test servers say in a namespace, and leaves."""

    name = "/chat"

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def on_connect(self) -> None:
        self.seen.append("connect")

    async def on_welcome(self, namespace: str) -> None:
        self.seen.append(namespace)
        self.socket.emit("echo", 1)

    @event("echo back")
    def echoed(self, number: int) -> None:
        self.seen.append(number)
        self.socket.disconnect()

    def on_disconnect(self, reason: str) -> None:
        self.seen.append(reason)


@on_every_loop
async def test_a_class_and_its_end(loop: Loop, server: ServerProgram) -> None:
    """Rows 65 and 178."""
    async with loop.client(server.url) as client:
        chat = Chat()
        socket = client.register(chat)
        socket.connect()
        await socket.until_disconnected()
        assert chat.seen == ["connect", "/chat", 1, "io client disconnect"]
