"""One connection: asyncio_backend/connection.py, over TCP and TLS."""

from __future__ import annotations

import asyncio

import pytest
from support.asyncio_client import HOST, Books, open_stream, polling, websocket
from support.asyncio_server import echo_server
from support.loops import on_both_loops, turns, until
from support.servers import MANY, PIECE, complaints
from support.tls import Contexts
from support.transcript import websocket_request_bytes

from sansocket.asyncio_backend import Socket

UPGRADE = websocket_request_bytes(query="EIO=4&transport=websocket")


@on_both_loops
async def test_both_transports(either: Contexts) -> None:
    """Bytes in, bytes out; and the handshake says whence they came, and whether encrypted."""
    io = echo_server()
    seen: list[tuple[str, bool]] = []

    @io.on("connect")
    def connected(socket: Socket) -> None:
        seen.append((socket.handshake.address, socket.handshake.secure))

    async with io.listening(HOST, 0, ssl_context=either.server) as bound:
        async with websocket(bound.port, either.client) as client:
            await client.join()
            await client.emit("echo", "hi", 1)
            assert await client.event() == ["echo", "hi", 1]
        async with polling(bound.port, either.client) as poller:
            await poller.join()
            assert (await poller.post('42["echo","hi"]')).body == "ok"
            assert await poller.get() == '42["echo","hi"]'
    assert seen == [(HOST, either.server is not None)] * 2


@on_both_loops
async def test_more_than_the_kernel_takes(either: Contexts) -> None:
    """What the kernel refuses is written later, whole and in order."""
    io = echo_server()
    async with (
        io.listening(HOST, 0, ssl_context=either.server) as bound,
        websocket(bound.port, either.client) as client,
    ):
        await client.join()
        await client.emit("flood")
        await turns()
        for number in range(MANY):
            assert await client.event() == ["piece", number, PIECE]
        await client.emit("echo")
        assert await client.event() == ["echo"]


@on_both_loops
async def test_many_connections(either: Contexts) -> None:
    """200 clients at once, each with its own answers."""
    io = echo_server()
    books = Books(io)

    async def visit(port: int, number: int) -> None:
        async with websocket(port, either.client) as client:
            await client.join()
            for step in range(3):
                await client.emit("echo", number, step)
                assert await client.event() == ["echo", number, step]

    async with io.listening(HOST, 0, ssl_context=either.server) as bound:
        await asyncio.gather(*(visit(bound.port, number) for number in range(200)))
        await until(lambda: not io.sockets)
    await books.balanced()


@on_both_loops
@pytest.mark.parametrize(
    "garbage",
    [b"\x16\x03\x01\x02\x00\x01\x00", bytes(100), b"\r\n" * 50, b"\xff" * 20_000, UPGRADE],
    ids=["tls", "zeros", "lines", "long", "http"],
)
async def test_garbage(either: Contexts, garbage: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """What is not even HTTP, or not even TLS, ends that connection and no other."""
    io = echo_server(head_timeout=0.1)
    async with io.listening(HOST, 0, ssl_context=either.server) as bound:
        books = Books(io)
        async with await open_stream(bound.port) as stream:
            await stream.send_all(garbage)
            if garbage is not UPGRADE or either.server:
                await stream.read_to_end()
        await books.balanced()
        async with websocket(bound.port, either.client) as client:
            await client.join()
    assert complaints(caplog) == []


@on_both_loops
async def test_no_tls(tls: Contexts) -> None:
    """Who begins a handshake that leads nowhere is told so: an alert, in the clear."""
    io = echo_server()
    async with (
        io.listening(HOST, 0, ssl_context=tls.server) as bound,
        await open_stream(bound.port) as stream,
    ):
        await stream.send_all(b"\x16\x03\x01\x00\x05hello")
        assert (await stream.read_to_end()).startswith(b"\x15\x03")
