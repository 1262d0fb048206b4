"""A server that goes and comes back, and one that does not."""

from __future__ import annotations

from typing import Any

import pytest
from clients.loops import Loop, Noted, on_every_loop
from clients.programs import ServerProgram

from sansocket.sansio.errors import Disconnected, TransportError

QUICK: dict[str, Any] = {"reconnection_delay": 0.05, "reconnection_delay_max": 0.2}


@on_every_loop
async def test_it_comes_back(loop: Loop, server: ServerProgram, way: dict[str, Any]) -> None:
    """Rules 84 and 86: every namespace asks again; what was emitted meanwhile goes out then."""
    told: list[int] = []

    def words() -> dict[str, int]:
        told.append(len(told))
        return {"time": told[-1]}

    async with loop.client(server.url, **QUICK, **way) as client:
        noted = Noted(client.runtime)
        for name in ("reconnect_attempt", "reconnect", "reconnect_error", "reconnect_failed"):
            client.on(name, noted.named(name))
        main = await client.connect(auth=words)
        chat = await client.connect("/chat")
        seen = Noted(client.runtime)
        main.on("connect", lambda: seen.note("connect"))
        main.on("disconnect", lambda reason: seen.note("disconnect"))
        main.on("echo back", seen.note)
        before = main.id
        server.stop()
        await seen.count(1)
        assert (main.connected, main.active, main.id) == (False, True, None)
        for number in range(3):
            main.emit("echo", number)
        await noted.until(lambda seen: any(each[0] == "reconnect_error" for each in seen))
        server.restart()
        await main.until_connected(retry=True)
        await chat.until_connected(retry=True)
        await seen.count(5)
        assert seen.seen == ["disconnect", "connect", 0, 1, 2]
        assert main.id != before
        assert told == [0, 1]
        attempts = [each[1] for each in noted.seen if each[0] == "reconnect_attempt"]
        assert attempts == [*range(1, len(attempts) + 1)]
        assert noted.seen[-1] == ("reconnect", attempts[-1])


@on_every_loop
async def test_nobody_is_there(loop: Loop, server: ServerProgram) -> None:
    """The first attempt is told; with `retry` it goes on until there are no more attempts."""
    server.stop()
    with pytest.raises(TransportError) as caught:
        async with loop.connect(server.url):
            raise AssertionError("nobody is there")
    assert isinstance(caught.value.context, OSError)
    options = {**QUICK, "reconnection_attempts": 2}
    async with loop.client(server.url, **options) as client:
        noted = Noted(client.runtime)
        client.on("reconnect_failed", lambda: noted.note("failed"))
        client.on("reconnect_attempt", noted.note)
        with pytest.raises((TransportError, Disconnected)):
            await client.connect(retry=True)
        assert await noted.count(3) == [1, 2, "failed"]
    server.restart()


@on_every_loop
async def test_it_may_be_left_while_it_tries(loop: Loop, server: ServerProgram) -> None:
    """Row 176: leaving the block ends the attempts."""
    async with loop.connect(server.url, **QUICK) as socket:
        noted = Noted(socket.client.runtime)
        socket.client.on("reconnect_attempt", noted.note)
        server.stop()
        await noted.count(2)
    assert not socket.active
    server.restart()
