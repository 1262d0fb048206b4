"""Security rule T13: two thousand clients come and go in every way, and leave nothing behind."""

from __future__ import annotations

import asyncio
import gc
import json
import tracemalloc
from collections.abc import Awaitable, Callable, Iterator

from support.asyncio_client import HOST, Books, HttpClient, Stream, open_stream
from support.loops import on_both_loops
from support.transcript import masked_binary, masked_text, request_bytes, websocket_request_bytes

from sansocket.asyncio_backend import Disconnected, Server, Socket

CYCLES = 1000
"""Twice: tracing the memory makes it three times as slow, so only the second half is traced."""

POLL = "EIO=4&transport=polling"
UPGRADE = websocket_request_bytes(query="EIO=4&transport=websocket")
HEADER = masked_text('451-["file",{"_placeholder":true,"num":0}]')
ATTACHMENT = masked_binary(b"attachment")
CLOSE = b"\x88\x02\x03"
"""The beginning of every close frame with a code."""

Ending = Callable[[Stream], Awaitable[None]]


async def read_until(stream: Stream, what: bytes) -> None:
    """Read until these bytes have come."""
    data = b""
    while what not in data:
        piece = await stream.receive_some(65_536)
        assert piece, f"the connection ended before {what!r}: {data!r}"
        data += piece


async def join(stream: Stream) -> None:
    """Open a WebSocket, enter the namespace, and have an attachment echoed."""
    await stream.send_all(UPGRADE + masked_text("40"))
    await read_until(stream, b'40{"sid"')
    await stream.send_all(HEADER + ATTACHMENT)
    await read_until(stream, b"attachment")


async def nothing(stream: Stream) -> None:
    """It is gone at once."""


async def gone(stream: Stream) -> None:
    """It is gone at once, by a reset."""
    stream.reset()


async def close_frame(stream: Stream) -> None:
    """The client closes in good order."""
    await stream.send_all(bytes((0x88, 0x82, 0, 0, 0, 0, 0x03, 0xE8)))
    await stream.read_to_end()


async def broken_frame(stream: Stream) -> None:
    """Not masked: the server closes."""
    await stream.send_all(b"\x81\x00")
    await stream.read_to_end()


async def missing_attachment(stream: Stream) -> None:
    """Half of a packet."""
    await stream.send_all(HEADER)
    stream.reset()


async def wrong_packet(stream: Stream) -> None:
    """What no client may send (rule 44)."""
    await stream.send_all(masked_text("44{}"))
    await read_until(stream, CLOSE)


async def leaving(stream: Stream) -> None:
    """First the namespace, then the connection."""
    await stream.send_all(masked_text("41"))


async def dismissed(stream: Stream) -> None:
    """The server ends it."""
    await stream.send_all(masked_text('42["dismiss"]'))
    await read_until(stream, CLOSE)


async def not_answering(stream: Stream) -> None:
    """A handler waits for its acknowledgement."""
    await stream.send_all(masked_text('42["ask"]'))
    await read_until(stream, b'["answer me"]')


async def not_reading(stream: Stream) -> None:
    """It is owed more than the kernel keeps."""
    await stream.send_all(masked_text('42["flood"]'))
    await stream.receive_some(1)
    stream.reset()


BY_WEBSOCKET = (
    nothing,
    gone,
    close_frame,
    broken_frame,
    missing_attachment,
    wrong_packet,
    leaving,
    dismissed,
    not_answering,
    not_reading,
)


async def by_websocket(port: int, ending: Ending) -> None:
    """One client on a WebSocket."""
    async with await open_stream(port) as stream:
        await join(stream)
        await ending(stream)


async def by_polling(port: int, number: int) -> None:
    """One client that polls, with an attachment too, and goes in one of five ways."""
    async with await open_stream(port) as stream, await open_stream(port) as other:
        client = HttpClient(stream)
        sid = json.loads((await client.request("GET", POLL)).body[1:])["sid"]
        query = f"{POLL}&sid={sid}"
        await client.request("POST", query, "40")
        await client.request("GET", query)
        packets = '451-["file",{"_placeholder":true,"num":0}]\x1ebYXR0YWNobWVudA=='
        await client.request("POST", query, packets)
        assert "bYXR0YWNobWVudA==" in (await client.request("GET", query)).body
        if number == 0:
            await other.send_all(request_bytes("GET", query=query))
            other.reset()
        elif number == 1:
            await client.request("POST", query, "1")
        elif number == 2:
            assert (await client.request("POST", query, "nonsense")).status == 400
        elif number == 3:
            await other.send_all(
                UPGRADE.replace(b"&transport", b"&sid=" + sid.encode() + b"&transport")
            )
            await other.send_all(masked_text("2probe"))
            await read_until(other, b"3probe")
            await other.send_all(masked_text("5"))
        # The last one only stays away, and is missed by the heartbeat.


async def refused(port: int) -> None:
    """Three that never become a client."""
    for request in (b"nonsense\r\n\r\n", UPGRADE[:60], UPGRADE.replace(b"EIO=4", b"EIO=3")):
        async with await open_stream(port) as stream:
            await stream.send_all(request)


@on_both_loops
async def test_two_thousand_cycles() -> None:
    """No descriptor, no task, no session, no timer; and less than 5 kB of memory for each."""
    asyncio.get_running_loop().set_debug(False)  # it keeps where everything came from
    io = Server(ping_interval=1.0, ping_timeout=2.0)

    @io.on("file")
    def file(socket: Socket, data: bytes) -> None:
        socket.join(f"room of {socket.id}")
        socket.emit("file", data)

    @io.on("ask")
    async def ask(socket: Socket) -> None:
        await socket.call("answer me")

    @io.on("dismiss")
    def dismiss(socket: Socket) -> None:
        socket.disconnect(close=True)

    @io.on("flood")
    def flood(socket: Socket) -> None:
        socket.emit("piece", bytes(5_000_000))

    @io.on_error
    def on_error(error: Exception, *where: object) -> None:
        assert isinstance(error, Disconnected), error

    async with io.listening(HOST, 0) as bound:
        books = Books(io)
        timers = len(io.engine.timers)

        async def visit(number: int) -> None:
            if number % 16 < 10:
                await by_websocket(bound.port, BY_WEBSOCKET[number % 16])
            elif number % 16 < 15:
                await by_polling(bound.port, number % 16 - 10)
            else:
                await refused(bound.port)

        async def visits(numbers: Iterator[int]) -> None:
            for number in numbers:
                await visit(number)

        async def cycles(number: int) -> None:
            numbers = iter(range(number))
            async with asyncio.TaskGroup() as group:
                for _ in range(8):
                    group.create_task(visits(numbers))
            await books.balanced()
            gc.collect()

        await cycles(CYCLES)
        tracemalloc.start()
        try:
            await cycles(CYCLES)
            growth, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert growth / CYCLES < 500  # bytes; the rule allows ten times as much
        assert len(io.engine.timers) == timers
        assert not io.sockets
