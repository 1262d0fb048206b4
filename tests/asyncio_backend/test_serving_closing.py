"""The graceful end: `aclose` stops accepting, tells the clients, waits, and closes (api.md)."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from math import inf
from typing import Final

import pytest
from support.asyncio_client import HOST, Books, open_stream, polling, websocket
from support.asyncio_server import server_with_work, serving
from support.loops import on_both_loops, turns, until
from support.servers import disconnect_reasons
from support.transcript import masked_text, request_bytes, websocket_request_bytes

from sansocket.asyncio_backend import EngineServer, Server, Socket

POLL: Final = request_bytes("GET", query="EIO=4&transport=polling")
UPGRADE: Final = websocket_request_bytes(query="EIO=4&transport=websocket")
JOIN: Final = masked_text("40")
CLOSE: Final = b"\x88\x02\x03\xe8"
"""The server's close frame, code 1000."""

LONG: Final = 1000
"""Seconds of grace that no test has the time to wait for."""


@on_both_loops
async def test_clients_are_told() -> None:
    """A WebSocket gets a close frame, a parked poll the close packet `1` (rule 31)."""
    io = Server()
    reasons = disconnect_reasons(io)
    books = Books(io)
    async with serving(io) as (port, task):
        async with websocket(port) as client, polling(port) as poller:
            await client.join()
            await poller.join()
            await poller.park()
            await until(lambda: io.engine.sessions[poller.sid].carrier)
            closing = asyncio.create_task(io.aclose(LONG))
            assert await client.close_code() == 1000
            assert (await poller.gets.answer()).body == "1"
            for http in (poller.gets, poller.posts):
                assert await http.stream.receive_some() == b""
            with pytest.raises(OSError, match="Connect call failed"):
                await open_stream(port)
        await closing
        await task
    assert reasons == ["server shutting down"] * 2
    await books.balanced()


@on_both_loops
async def test_it_returns_when_all_is_closed() -> None:
    """Nothing is left to wait for, and `serve` has returned as well."""
    io, begun, go_on, happened = server_with_work()
    books = Books(io)
    async with serving(io) as (port, task):
        async with websocket(port) as client:
            await client.join()
            await client.emit("work")
            await begun.wait()
            closing = asyncio.create_task(io.aclose(LONG))
            assert await client.close_code() == 1000
        await turns()
        assert not closing.done()
        go_on.set()
        await closing
        assert happened == ["worked", "server shutting down"]
        assert not io.engine.sessions
        await task
    assert books.held()[1:] == (1, 0)
    await books.balanced()


@on_both_loops
async def test_serve_can_be_called_again() -> None:
    io = Server()
    for _ in range(2):
        async with serving(io) as (port, task):
            async with websocket(port) as client:
                await client.join()
            await io.aclose(LONG)
            await task


@on_both_loops
async def test_what_takes_too_long_is_cancelled() -> None:
    """Security rule 36: closing is bounded, whatever handlers and clients do."""
    io, begun, _, happened = server_with_work()
    books = Books(io)
    async with (
        serving(io) as (port, task),
        websocket(port) as client,
        await open_stream(port),
    ):
        await client.join()
        await client.emit("work")
        await begun.wait()
        await io.aclose(grace=0.02)
        assert happened == ["cancelled", "server shutting down"]
        assert not io.engine.sessions
        await task
    await books.balanced()


@on_both_loops
async def test_the_shortest_grace_counts() -> None:
    """Whoever asks again grants no more time than was granted before."""
    io, begun, _, happened = server_with_work()
    async with serving(io) as (port, task), websocket(port) as client:
        await client.join()
        await client.emit("work")
        await begun.wait()
        graces = (inf, 0.02, LONG)
        await asyncio.gather(*(io.aclose(grace) for grace in graces))
        assert happened == ["cancelled", "server shutting down"]
        await task


@on_both_loops
async def test_cancelled_it_waits_no_longer() -> None:
    """But the clients have been told, and what was granted is still granted, and bounded."""
    io, begun, _, happened = server_with_work()
    async with serving(io) as (port, task), websocket(port) as client:
        await client.join()
        await client.emit("work")
        await begun.wait()
        closing = asyncio.create_task(io.aclose(grace=0.05))
        assert await client.close_code() == 1000
        closing.cancel()
        await asyncio.wait([closing])
        assert closing.cancelled()
        assert happened == []
        await task
        assert happened == ["cancelled", "server shutting down"]


@on_both_loops
async def test_cancelled_serve_ends_at_once() -> None:
    """Also while it waits for the end that `aclose` has granted."""
    io, begun, _, happened = server_with_work()
    async with serving(io) as (port, task), websocket(port) as client:
        await client.join()
        await client.emit("work")
        await begun.wait()
        closing = asyncio.create_task(io.aclose(LONG))
        assert await client.close_code() == 1000
        task.cancel()
        await closing
        assert happened == ["cancelled", "server shutting down"]


@on_both_loops
async def test_in_the_block_of_listening() -> None:
    """Leaving the block then waits for the graceful end, whoever has asked for it."""
    io, begun, go_on, happened = server_with_work()

    async def let_go() -> None:
        await turns()
        go_on.set()

    async with asyncio.TaskGroup() as group:
        async with io.listening(HOST, 0) as bound, websocket(bound.port) as client:
            await client.join()
            await client.emit("work")
            await begun.wait()
            group.create_task(io.aclose(LONG))
            assert await client.close_code() == 1000
            group.create_task(let_go())
        assert happened == ["worked", "server shutting down"]


@on_both_loops
async def test_from_handlers() -> None:
    """Handlers may close the server that they run in; they wait for no other that does."""
    io = Server()
    done: list[int] = []

    @io.on("stop")
    async def stop(socket: Socket, number: int) -> None:
        await io.aclose(LONG)
        await turns()
        done.append(number)

    async with serving(io) as (port, task):
        async with websocket(port) as one, websocket(port) as two:
            await one.join()
            await two.join()
            await one.emit("stop", 1)
            await two.emit("stop", 2)
            assert await one.close_code() == 1000
            assert await two.close_code() == 1000
        await task
    assert sorted(done) == [1, 2]


@on_both_loops
@pytest.mark.parametrize("steps", range(0, 40, 2))
async def test_while_clients_come(steps: int) -> None:
    """Who is half inside is told as well: no time has to pass until it returns."""
    io = Server()
    books = Books(io)
    async with asyncio.TaskGroup() as clients, serving(io) as (port, task):
        for request in (b"", b"GET /", POLL, UPGRADE, POLL + POLL, UPGRADE + JOIN):
            clients.create_task(visit(port, request))
        await turns(steps)
        await io.aclose(LONG)
        await task
    await books.balanced()


@on_both_loops
async def test_without_serve() -> None:
    """Nothing to close is no error."""
    await Server().aclose()
    await EngineServer().aclose()


async def visit(port: int, request: bytes) -> None:
    """Send bytes, and read until the server has said that it is over."""
    with suppress(OSError):
        async with await open_stream(port) as stream:
            await stream.send_all(request)
            data = b""
            while not data.endswith(CLOSE) and (piece := await stream.receive_some()):
                data += piece
