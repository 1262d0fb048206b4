"""What is told of the connection itself: the names and the moments are the same for all servers."""

from __future__ import annotations

from clients.loops import Loop, Noted, on_every_loop
from clients.programs import ServerProgram

from sansocket.sansio.engineio.packet import Packet


@on_every_loop
async def test_what_happens_to_the_connection(loop: Loop, server: ServerProgram) -> None:
    """Rows 173 and 174: one registration for the connection of now and the one after it."""
    client = loop.client(server.url, reconnection_delay=0.05)
    noted = Noted(client.runtime)
    for event in ("open", "upgrading", "upgrade", "upgrade_error", "close"):
        client.engine.on(event, noted.named(event))
    packets = Noted(client.runtime)

    @client.engine.on("flush")
    def flushed(sent: list[Packet]) -> None:
        packets.note([packet.data for packet in sent])

    once = ["open", ("upgrading", "websocket"), ("upgrade", "websocket")]
    async with client:
        socket = await client.connect()
        assert await noted.count(3) == once
        assert client.engine.transport == "websocket"
        socket.emit("echo", 1)
        await packets.until(lambda seen: ['2["echo",1]'] in seen)
        client.engine.close()
        assert await noted.count(7) == [*once, ("close", "forced close"), *once]
    assert noted.seen[7:] == [("close", "forced close")]


@on_every_loop
async def test_told_of_the_next_time_only(loop: Loop, server: ServerProgram) -> None:
    """Row 117: the client, its engine and a socket have `once`, as in JavaScript."""
    client = loop.client(server.url, reconnection_delay=0.05)
    noted = Noted(client.runtime)
    client.once("open", noted.named("client"))
    client.engine.once("open", noted.named("engine"))
    async with client:
        socket = client.socket()
        connects = Noted(client.runtime)
        socket.on("connect", connects.named("connect"))
        socket.once("connect", noted.named("socket"))
        socket.once("echo back", noted.named("event"))
        socket.connect()
        for number in (1, 2):
            await connects.count(number)
            assert await socket.call("acknowledge", number, timeout=30) == number
            socket.emit("echo", number)
            if number == 1:
                assert await noted.count(4) == ["engine", "client", "socket", ("event", 1)]
                client.engine.close()
        assert (await socket.receive(timeout=30)).args == (2,)
    assert len(noted.seen) == 4
