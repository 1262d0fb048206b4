"""Events and acknowledgements, both ways, with every server on every loop and transport."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from clients.loops import Loop, Noted, on_every_loop
from clients.programs import ServerProgram

from sansocket.sansio.errors import Disconnected

VALUES: list[Any] = ["é 🎉", 1, 2.5, True, None, [1, [2]], {"a": {"b": []}}, "x" * 100_000]


@on_every_loop
async def test_events_come_back_in_order(
    loop: Loop, server: ServerProgram, way: dict[str, Any]
) -> None:
    """Rule 50: attachments arrive as bytes, wherever they stand."""
    sent: list[Any] = [*VALUES, b"bytes", {"in": [b"\0\xff", {"x": b""}]}, *range(50)]
    async with loop.connect(server.url, **way) as socket:
        noted = Noted(socket.client.runtime)
        socket.on("echo back", noted.note)
        for value in sent:
            socket.emit("echo", value)
        socket.emit("echo", "several", b"at", 1)
        await noted.count(len(sent) + 1)
        assert noted.seen == [*sent, ("several", b"at", 1)]


@on_every_loop
async def test_they_can_be_iterated_over(
    loop: Loop, server: ServerProgram, way: dict[str, Any]
) -> None:
    async with loop.connect(server.url, **way) as socket:
        for number in range(10):
            socket.emit("echo", number)
        await socket.drain()
        seen: list[Any] = []
        async for event in socket:
            seen.append(event.args[0])
            if len(seen) == 10:
                socket.disconnect()
        assert seen == [*range(10)]
        assert socket.reason == "io client disconnect"


@on_every_loop
async def test_what_is_emitted_is_acknowledged(
    loop: Loop, server: ServerProgram, way: dict[str, Any]
) -> None:
    async with loop.connect(server.url, **way) as socket:
        assert await socket.call("acknowledge", "one", timeout=10) == "one"
        assert await socket.call("acknowledge", 1, b"two", timeout=10) == (1, b"two")
        noted = Noted(socket.client.runtime)
        for number in range(20):
            socket.emit("acknowledge", number, ack=noted.note)
        assert await noted.count(20) == [*range(20)]


@on_every_loop
async def test_what_comes_is_acknowledged(
    loop: Loop, server: ServerProgram, way: dict[str, Any]
) -> None:
    """By a plain listener, a coroutine function, and an iteration."""
    async with loop.connect(server.url, **way) as socket:
        noted = Noted(socket.client.runtime)
        socket.on("answer", noted.note)

        @socket.on("question")
        def answer(value: int) -> tuple[int, bytes]:
            return value, b"plain"

        socket.emit("ask", 1)
        await noted.count(1)
        socket.off("question", answer)

        @socket.on("question")
        async def answer_later(value: int) -> Any:
            return await socket.call("acknowledge", value, timeout=10)

        socket.emit("ask", 2)
        await noted.count(2)
        socket.off("question", answer_later)
        socket.emit("ask", 3)
        async for event in socket:
            assert (event.name, event.args, event.ack.wanted) == ("question", (3,), True)
            event.ack("iterated", event.args[0])
            break
        assert await noted.count(3) == [[1, b"plain"], [2], ["iterated", 3]]


@on_every_loop
async def test_an_acknowledgement_that_does_not_come(
    loop: Loop, server: ServerProgram, way: dict[str, Any]
) -> None:
    """The loop's own timeout; and the end of the socket, which is told at once."""
    async with loop.connect(server.url, **way) as socket:
        with pytest.raises((TimeoutError, trio.TooSlowError)):
            await socket.call("nobody listens", timeout=0.05)
        assert await socket.call("acknowledge", "still there", timeout=10) == "still there"
        socket.emit("provoke", "disconnect")
        with pytest.raises(Disconnected):
            await socket.call("nobody listens")
