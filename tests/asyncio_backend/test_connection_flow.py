"""Flow control of one connection: backpressure, drained and slow clients, over TCP and TLS."""

from __future__ import annotations

import asyncio
from itertools import count

from support.asyncio_client import HOST, Books, open_stream, websocket
from support.asyncio_server import echo_server
from support.loops import on_both_loops, turns, until
from support.servers import MANY, PIECE, disconnect_reasons
from support.tls import Contexts
from support.transcript import masked_text, websocket_request_bytes

from sansocket.asyncio_backend import Server, Socket

JOINED = websocket_request_bytes(query="EIO=4&transport=websocket") + masked_text("40")


@on_both_loops
async def test_a_client_that_sends_all_before_it_reads(either: Contexts) -> None:
    """Reading pauses at `max_inbound` and at `pause_backlog`, and goes on when it may.

    Neither may wait for the next heartbeat (rule 98).
    """
    io = Server(ping_interval=1000, max_inbound=3, pause_backlog=300_000)

    @io.on("echo")
    async def echo(socket: Socket, number: int) -> None:
        await asyncio.sleep(0)
        socket.emit("echo", number, PIECE)

    async with (
        io.listening(HOST, 0, ssl_context=either.server) as bound,
        websocket(bound.port, either.client) as client,
    ):
        await client.join()
        for number in range(2 * MANY):
            await client.emit("echo", number)
        await turns()
        for number in range(2 * MANY):
            assert await client.event() == ["echo", number, PIECE]


@on_both_loops
async def test_backpressure(either: Contexts) -> None:
    """At `max_inbound` the connection is read no more; handled messages let it go on."""
    io = Server(max_inbound=5)
    go_on = asyncio.Event()
    handled: list[int] = []

    @io.on("work")
    async def work(socket: Socket, number: int, piece: str) -> None:
        await go_on.wait()
        handled.append(number)

    sent: list[int] = []
    async with (
        io.listening(HOST, 0, ssl_context=either.server) as bound,
        websocket(bound.port, either.client) as client,
        asyncio.TaskGroup() as group,
    ):
        await client.join()

        async def send() -> None:
            for number in range(4 * MANY):
                await client.emit("work", number, PIECE)
                sent.append(number)

        group.create_task(send())
        await turns(20 * MANY)
        assert len(sent) < 4 * MANY
        assert handled == []
        go_on.set()
        await until(lambda: len(handled) == 4 * MANY)
    assert handled == sent


@on_both_loops
async def test_reading_goes_on_while_the_client_does_not_read(either: Contexts) -> None:
    """What paused the reading is over: it goes on, although nothing can be written."""
    io = echo_server(ping_interval=1000, max_inbound=3, pause_backlog=50_000_000)
    go_on, heard = asyncio.Event(), asyncio.Event()

    @io.on("work")
    async def work(socket: Socket) -> None:
        await go_on.wait()
        socket.emit("worked")

    @io.on("last")
    def last(socket: Socket) -> None:
        heard.set()

    async with (
        io.listening(HOST, 0, ssl_context=either.server) as bound,
        websocket(bound.port, either.client) as client,
    ):
        await client.join()
        await client.emit("flood")
        for _ in range(3):
            await client.emit("work")
        await turns()
        await client.emit("last")
        await turns()
        assert not heard.is_set()
        go_on.set()
        await heard.wait()


@on_both_loops
async def test_what_is_not_read_waits_in_the_core(either: Contexts) -> None:
    """The transport is given little more than it takes: the rest stays where it is bounded."""
    io = Server()
    async with (
        io.listening(HOST, 0, ssl_context=either.server) as bound,
        websocket(bound.port, either.client, receive_buffer=4096) as client,
    ):
        socket = io.sockets[await client.join()]
        [session] = io.engine.sessions.values()
        for number in range(MANY):
            socket.emit("piece", number, PIECE)
            await turns(3)
        assert session.backlog > MANY * len(PIECE) / 3
        for number in range(MANY):
            assert await client.event() == ["piece", number, PIECE]
        assert session.backlog == 0


@on_both_loops
async def test_volatile_events_are_dropped_while_the_client_does_not_read(either: Contexts) -> None:
    """Rule 72: what cannot go out now is not kept."""
    io = Server()
    async with (
        io.listening(HOST, 0, ssl_context=either.server) as bound,
        websocket(bound.port, either.client, receive_buffer=4096) as client,
    ):
        socket = io.sockets[await client.join()]
        for number in range(2 * MANY):
            socket.volatile.emit("volatile", number, PIECE)
            await turns(3)
        io.emit("end")
        numbers: list[int] = []
        while (event := await client.event())[0] == "volatile":
            numbers.append(event[1])
        assert numbers == sorted(numbers)
        assert 0 < len(numbers) < 2 * MANY


@on_both_loops
async def test_drain(either: Contexts) -> None:
    """`drain` after each message holds back who sends to a client that does not read."""
    io = Server()
    sent: list[int] = []

    @io.on("flood")
    async def flood(socket: Socket) -> None:
        for number in range(2 * MANY):
            socket.emit("piece", number, PIECE)
            await socket.drain()
            sent.append(number)

    async with (
        io.listening(HOST, 0, ssl_context=either.server) as bound,
        websocket(bound.port, either.client, receive_buffer=4096) as client,
    ):
        await client.join()
        await client.emit("flood")
        await turns(20 * MANY)
        assert len(sent) < 2 * MANY
        for number in range(2 * MANY):
            assert await client.event() == ["piece", number, PIECE]
        await until(lambda: len(sent) == 2 * MANY)


@on_both_loops
async def test_a_slow_consumer(either: Contexts) -> None:
    """Security rule T6: who does not read is closed at `max_backlog`, and delays nobody."""
    io = Server(max_backlog=1_000_000)
    reasons = disconnect_reasons(io)
    async with (
        io.listening(HOST, 0, ssl_context=either.server) as bound,
        websocket(bound.port, either.client, receive_buffer=4096) as slow,
        websocket(bound.port, either.client) as quick,
    ):
        await slow.join()
        await quick.join()
        for number in count():
            io.emit("piece", number, PIECE)
            assert await quick.event() == ["piece", number, PIECE]
            if reasons:
                break
        assert reasons == ["send buffer full"]
        assert len(io.sockets) == 1
        assert await slow.close_code() == 1008


@on_both_loops
async def test_a_black_hole(either: Contexts) -> None:
    """Security rule T6: who never reads and never closes is cut off, and nothing is kept."""
    io = Server(ping_interval=0.2, ping_timeout=0.2, close_timeout=0.02)
    reasons = disconnect_reasons(io)

    @io.on("flood")
    def flood(socket: Socket) -> None:
        socket.emit("piece", PIECE * MANY)

    async with io.listening(HOST, 0, ssl_context=either.server) as bound:
        books = Books(io)
        stream = await open_stream(bound.port, either.client, receive_buffer=4096)
        async with stream:
            await stream.send_all(JOINED)
            await until(lambda: io.sockets)
            await stream.send_all(masked_text('42["flood"]'))
            await until(lambda: reasons)
            assert reasons == ["ping timeout"]
            await books.balanced(own=1)
