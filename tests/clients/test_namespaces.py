"""Several namespaces on one connection, and servers that let nobody in."""

from __future__ import annotations

from typing import Any

import pytest
from clients.loops import Loop, Noted, on_every_loop
from clients.programs import ServerProgram

from sansocket.sansio.errors import ConnectionRefused, LocalProtocolError


@on_every_loop
async def test_namespaces_come_and_go(
    loop: Loop, server: ServerProgram, way: dict[str, Any]
) -> None:
    """Rule 90: with the last one the connection goes; a new one makes another."""
    async with loop.client(server.url, **way) as client:
        main = await client.connect()
        chat = await client.connect("/chat")
        noted = Noted(client.runtime)
        chat.on("welcome", noted.named("chat"))
        chat.on("echo back", noted.named("chat"))
        main.on("echo back", noted.named("main"))
        chat.emit("echo", b"1")
        await noted.count(2)
        main.emit("echo", 2)
        await noted.count(3)
        assert noted.seen == [("chat", "/chat"), ("chat", b"1"), ("main", 2)]
        with pytest.raises(LocalProtocolError, match="active"):
            await client.connect("/chat")
        chat.disconnect()
        assert (chat.connected, main.connected) == (False, True)
        assert await main.call("acknowledge", 3, timeout=10) == 3
        first = client.engine.session
        main.disconnect()
        again = await client.connect("/chat")
        assert client.engine.session is not first
        assert set(client.sockets) == {"/chat"}
        assert again.connected


@on_every_loop
async def test_the_namespace_may_stand_in_the_url(loop: Loop, server: ServerProgram) -> None:
    async with loop.connect(server.url + "/chat") as socket:
        assert socket.namespace == "/chat"
    async with loop.connect(server.url + "/chat", namespace="/") as socket:
        assert socket.namespace == "/"


@on_every_loop
async def test_a_server_may_turn_it_away(
    loop: Loop, server: ServerProgram, way: dict[str, Any]
) -> None:
    """Rules 60 and 84: why is told, and it is not tried again."""
    with pytest.raises(ConnectionRefused, match="not authorized") as caught:
        async with loop.connect(server.url, auth={"token": "wrong"}, **way):
            raise AssertionError("it was let in")
    assert caught.value.data == {"code": 401}
    async with loop.client(server.url, **way) as client:
        socket = client.socket(auth={"token": "wrong"})
        noted = Noted(client.runtime)
        socket.on("connect_error", noted.note)
        socket.connect()
        [error] = await noted.count(1)
        assert (error.message, error.data) == ("not authorized", {"code": 401})
        assert not socket.active
        # With other words it may come in.
        socket.auth = {"token": "right"}
        socket.connect()
        await socket.until_connected()


@on_every_loop
async def test_the_words_may_be_a_function(loop: Loop, server: ServerProgram) -> None:
    """Rule 86: plain or a coroutine function."""

    async def words() -> dict[str, str]:
        return {"token": "wrong"}

    for auth in (words, lambda: {"token": "wrong"}):
        with pytest.raises(ConnectionRefused):
            async with loop.connect(server.url, auth=auth):
                raise AssertionError("it was let in")
    async with loop.connect(server.url, auth=lambda: {"token": "right"}) as socket:
        assert socket.connected


@on_every_loop
async def test_there_is_no_such_namespace(loop: Loop, server: ServerProgram) -> None:
    with pytest.raises(ConnectionRefused):
        async with loop.connect(server.url, namespace="/nowhere"):
            raise AssertionError("it was let in")
