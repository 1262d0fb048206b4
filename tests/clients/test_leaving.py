"""A client lives in its block: what happens at its end, whatever the cause."""

from __future__ import annotations

import socket as network
from typing import Any

import pytest
from backends.hosts import host_on
from clients.loops import Loop, Noted, on_every_loop
from clients.programs import ServerProgram

from sansocket.sansio.errors import Disconnected, LocalProtocolError
from sansocket.sansio.socketio.client.socket import ClientSocket


class OurOwn(Exception):
    """Raised by a block."""


def nothing_is_left(socket: ClientSocket) -> None:
    """No connection, no deadline, no socket."""
    client = socket.client
    assert not client.links
    assert not client.sockets
    assert not socket.active


@on_every_loop
async def test_what_was_emitted_goes_out(loop: Loop, way: dict[str, Any]) -> None:
    """And then the server is told: "client namespace disconnect"."""
    host = host_on("asyncio")
    seen: list[Any] = []
    host.io.on("number", lambda socket, value, data: seen.append(value))
    host.io.on("disconnect", lambda socket, reason: seen.append(reason))
    host.start()
    try:
        async with loop.connect(f"http://127.0.0.1:{host.port}", **way) as socket:
            for number in range(100):
                socket.emit("number", number, b"x" * 10_000)
        nothing_is_left(socket)
        host.see(lambda: seen[-1:], ["client namespace disconnect"])
        assert seen[:-1] == [*range(100)]
        host.see(lambda: len(host.engine.sessions), 0)
    finally:
        host.stop()


@on_every_loop
async def test_listeners_finish(loop: Loop, our_server: ServerProgram) -> None:
    """One that awaits what cannot come any more is told; the others end by themselves."""
    noted: list[str] = []
    async with loop.connect(our_server.url) as socket:
        begun = Noted(socket.client.runtime)

        @socket.on("echo back")
        async def listener(value: int) -> None:
            begun.note(value)
            try:
                await socket.call("nobody listens")
            finally:
                noted.append("ended")

        socket.client.on_error(lambda *_: None)
        socket.emit("echo", 1)
        await begun.count(1)
    assert noted == ["ended"]


@on_every_loop
async def test_an_exception_comes_out_as_it_is(
    loop: Loop, our_server: ServerProgram, way: dict[str, Any]
) -> None:
    sockets: list[ClientSocket] = []

    async def block() -> None:
        async with loop.connect(our_server.url, **way) as socket:
            sockets.append(socket)
            raise OurOwn

    with pytest.raises(OurOwn):
        await block()
    nothing_is_left(sockets[0])
    assert sockets[0].reason == "io client disconnect"


@on_every_loop
async def test_a_block_that_is_cancelled(
    loop: Loop, our_server: ServerProgram, way: dict[str, Any]
) -> None:
    """Whatever it waits for: the connections are cut, and no task is left."""
    waits = ("call", "drain", "iterate", "listener")
    for what in waits:
        sockets: list[ClientSocket] = []
        ready = Noted(loop.client("http://server.invalid").runtime)

        async def block(what: str = what, sockets: Any = sockets, ready: Noted = ready) -> None:
            async with loop.connect(our_server.url, **way) as socket:
                sockets.append(socket)
                if what == "listener":

                    @socket.on("echo back")
                    async def listener(value: int) -> None:
                        ready.note("listens")
                        await socket.call("nobody listens")

                    socket.emit("echo", 1)
                else:
                    ready.note("ready")
                if what == "drain":
                    socket.disconnect()
                    socket.connect()
                    socket.emit("echo", "x" * 1_000_000)
                    await socket.drain()
                if what == "iterate":
                    async for _ in socket:
                        pass
                await socket.call("nobody listens")

        async def begun(ready: Noted = ready) -> None:
            await ready.count(1)

        await loop.cancelled_when(block, begun)
        nothing_is_left(sockets[0])


@on_every_loop
async def test_connecting_that_is_cancelled(loop: Loop, way: dict[str, Any]) -> None:
    """At a server that says nothing: the dial, and the attempt, end with the caller."""
    with network.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        clients: list[Any] = []
        ready = Noted(loop.client(url).runtime)

        async def block() -> None:
            async with loop.client(url, **way) as client:
                clients.append(client)
                ready.note("begins")
                await client.connect()

        async def begun() -> None:
            await ready.count(1)

        await loop.cancelled_when(block, begun)
        assert not clients[0].links
        assert not clients[0].sockets


@on_every_loop
async def test_a_client_runs_once(loop: Loop, our_server: ServerProgram) -> None:
    """The caller's fault is told, where it is one, and nothing is sent."""
    client = loop.client(our_server.url)
    with pytest.raises(LocalProtocolError, match="async with"):
        await client.connect()
    async with client:
        socket = await client.connect()
        await client.aclose()
        assert not socket.active
    for again in (client.__aenter__, client.connect):
        with pytest.raises(LocalProtocolError):
            await again()
    socket.emit("echo", 1)
    with pytest.raises(Disconnected):
        await socket.call("acknowledge", 1)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"transports": ("carrier pigeon",)}, ValueError),
        ({"timeout": "soon"}, TypeError),
        ({"proxy": "ftp://proxy"}, ValueError),
        ({"proxy": 3128}, TypeError),
        ({"namespace": "nowhere"}, ValueError),
        ({"auth": 1}, TypeError),
    ],
)
@on_every_loop
async def test_an_option_that_makes_no_sense(
    loop: Loop, options: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        async with loop.connect("http://server.invalid", **options):
            raise AssertionError("it was taken")
