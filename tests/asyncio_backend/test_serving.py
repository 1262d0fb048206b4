"""Listening and serving: asyncio_backend/serving.py, over real loopback sockets."""

from __future__ import annotations

import asyncio
import socket
import ssl
from functools import partial
from pathlib import Path

import pytest
import uvloop
from support.asyncio_client import (
    HOST,
    Books,
    HttpClient,
    Stream,
    open_stream,
    polling,
    websocket,
)
from support.asyncio_server import echo_server, serving
from support.loops import LOOPS, PATIENCE, LoopFactory, on_both_loops, turns, until
from support.servers import complaints, disconnect_reasons
from support.tls import Contexts

from sansocket.asyncio_backend import EngineServer, EngineSocket, Server, Socket

POLL = "EIO=4&transport=polling"


@on_both_loops
async def test_serve() -> None:
    """api.md: `await io.serve(host, port)` serves until it is cancelled."""
    io = Server()
    books = Books(io)
    async with serving(io) as (port, task):
        async with websocket(port) as client:
            assert await client.join() in io.sockets
            task.cancel()
            await asyncio.wait([task])
            assert task.cancelled()
            assert not io.sockets
            assert await client.close_code() == 1006
        with pytest.raises(OSError, match="Connect call failed"):
            await open_stream(port)
    await books.balanced()


@on_both_loops
async def test_listening_serves_for_as_long_as_the_block_runs() -> None:
    """api.md: port 0 is a free one; after the block nobody listens, and nothing is left."""
    io = Server()
    books = Books(io)
    async with io.listening(HOST, 0) as bound, websocket(bound.port) as client:
        assert bound.host == HOST
        assert bound.port > 0
        assert bound.addresses == ((HOST, bound.port),)
        await client.join()
    assert books.held()[1:] == (1, 0)
    await books.balanced()
    with pytest.raises(OSError, match="Connect call failed"):
        await open_stream(bound.port)
    with socket.create_server((HOST, bound.port)):
        """The port is free again."""


@on_both_loops
async def test_a_taken_port_is_an_os_error() -> None:
    """`serve` and `listening` raise OSError itself, in no group, and leave nothing behind."""
    io = Server()
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        books = Books(io)
        with pytest.raises(OSError, match="in use"):
            await io.serve(HOST, port)
        with pytest.raises(OSError, match="in use"):
            async with io.listening(HOST, port):
                pytest.fail("nothing can be served here")
        await books.balanced()


@on_both_loops
async def test_a_context_that_is_no_servers() -> None:
    """What would fail with every client fails at once."""
    with pytest.raises(ssl.SSLError):
        await Server().serve(HOST, 0, ssl_context=ssl.create_default_context())


@on_both_loops
async def test_an_exception_in_the_block_of_listening_stays_itself() -> None:
    """What is behind `listening` is nobody else's business: no group around the exception."""
    io = Server()
    books = Books(io)

    async def fail() -> None:
        async with io.listening(HOST, 0) as bound, websocket(bound.port) as client:
            await client.join()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    await books.balanced()


@on_both_loops
async def test_no_host_is_every_interface() -> None:
    """`host=None` listens on both families, and the Bound has them all."""
    io = Server()
    async with io.listening(None, 0) as bound:
        for host, port in bound.addresses:
            address = HOST if host == "0.0.0.0" else "::1"
            async with await open_stream(port, host=address) as stream:
                assert (await HttpClient(stream).request("GET", POLL)).status == 200


@on_both_loops
async def test_engineio_alone() -> None:
    """api.md: an `EngineServer` has the same `listening`."""
    engine = EngineServer(path="/engine.io/")

    @engine.on("message")
    def message(socket: EngineSocket, data: str | bytes) -> None:
        socket.send(data)

    async with (
        engine.listening(HOST, 0) as bound,
        websocket(bound.port, path="/engine.io/") as client,
    ):
        await client.send("4hi", b"\0")
        assert await client.receive() == "4hi"
        assert await client.receive() == b"\0"


@on_both_loops
async def test_two_ports_of_one_server() -> None:
    """One Server on two ports: its clients meet, and one port may end without the other.

    The heartbeat goes on, whichever of the two came first (rule 22).
    """
    io = Server(ping_interval=0.02)
    async with io.listening(HOST, 0) as stays:
        async with serving(io) as (port, task):
            async with websocket(stays.port) as one, websocket(port) as two:
                await one.join()
                await two.join()
                io.emit("to", "all")
                assert await one.event() == await two.event() == ["to", "all"]
                task.cancel()
                assert await two.close_code() == 1006
                assert await one.message() == "2"
            with pytest.raises(OSError, match="Connect call failed"):
                await open_stream(port)
        async with websocket(stays.port) as other:
            assert await other.message() == "2"


@on_both_loops
async def test_the_first_port_ends_and_the_second_keeps_time() -> None:
    """The timer is the server's, not that of the `serve` which came first."""
    io = Server(ping_interval=0.02)
    async with (
        serving(io) as (_, task),
        io.listening(HOST, 0) as second,
        websocket(second.port) as client,
    ):
        task.cancel()
        for _ in range(3):
            assert await client.message() == "2"
            await client.send("3")


@on_both_loops
async def test_a_session_does_not_outlive_its_serve() -> None:
    """A session's handlers run in the `serve` that it came through, and it ends with it.

    Its client may poll through another port: it is told there (security rule T13).
    """
    io = Server()
    reasons = disconnect_reasons(io)
    async with io.listening(HOST, 0) as stays, await open_stream(stays.port) as stream:
        async with io.listening(HOST, 0) as ends, polling(ends.port) as client:
            await client.join()
            elsewhere = HttpClient(stream)
            await elsewhere.send("GET", client.query)
            await until(lambda: io.engine.sessions[client.sid].carrier)
        assert (await elsewhere.answer()).body == "1"
        assert not io.engine.sessions
        assert reasons == ["server shutting down"]


@pytest.mark.parametrize("first", LOOPS)
def test_one_server_on_one_loop_after_another(first: LoopFactory) -> None:
    """A Server belongs to no loop: what it has left in one that was closed stops nothing."""
    io = echo_server(ping_interval=0.02)

    async def visit() -> None:
        async with io.listening(HOST, 0) as bound, websocket(bound.port) as client:
            await client.join()
            await client.emit("echo", 1)
            assert await client.event() == ["echo", 1]
            assert await client.message() == "2"
        io.engine.timers.soon()

    for factory in (first, asyncio.new_event_loop, uvloop.new_event_loop):
        loop = factory()
        try:
            loop.run_until_complete(asyncio.wait_for(visit(), PATIENCE))
        finally:
            loop.close()


class TestOwnListener:
    """api.md: `protocol_factory` is for a listener of the application's own."""

    @on_both_loops
    async def test_it_serves(self, either: Contexts) -> None:
        io = echo_server()
        factory = partial(io.protocol_factory, either.server)
        listener = await asyncio.get_running_loop().create_server(factory, HOST, 0)
        async with listener:
            port = listener.sockets[0].getsockname()[1]
            async with websocket(port, either.client) as client:
                await client.join()
                await client.emit("echo", "hi")
                assert await client.event() == ["echo", "hi"]
            async with polling(port, either.client) as poller:
                await poller.join()
        await io.aclose()
        assert not io.engine.sessions

    @on_both_loops
    async def test_heartbeat(self) -> None:
        """Nothing else has to run."""
        io = echo_server(ping_interval=0.02)
        listener = await asyncio.get_running_loop().create_server(io.protocol_factory, HOST, 0)
        async with listener, websocket(listener.sockets[0].getsockname()[1]) as client:
            assert await client.message() == "2"
        await io.aclose()

    @on_both_loops
    async def test_a_unix_socket(self, tmp_path: Path) -> None:
        """A client may have no address."""
        io = Server()
        addresses: list[str] = []

        @io.on("connect")
        def connected(socket: Socket) -> None:
            addresses.append(socket.handshake.address)

        path = str(tmp_path / "socket")
        loop = asyncio.get_running_loop()
        async with await loop.create_unix_server(io.protocol_factory, path):
            sock = socket.socket(socket.AF_UNIX)
            sock.setblocking(False)
            async with Stream(sock, None) as stream:
                await loop.sock_connect(sock, path)
                client = HttpClient(stream)
                opened = await client.request("GET", POLL)
                sid = opened.body.split('"')[3]
                assert (await client.request("POST", f"{POLL}&sid={sid}", "40")).body == "ok"
        await io.aclose()
        assert addresses == [""]

    @on_both_loops
    async def test_tls_of_the_loop(self, tls: Contexts) -> None:
        """A listener may also do TLS itself; after the closing handshake nothing is waited for."""
        io = echo_server(close_timeout=1000)
        secure: list[bool] = []

        @io.on("connect")
        def connected(socket: Socket) -> None:
            secure.append(socket.handshake.secure)

        listener = await asyncio.get_running_loop().create_server(
            io.protocol_factory, HOST, 0, ssl=tls.server
        )
        async with listener:
            port = listener.sockets[0].getsockname()[1]
            books = Books(io)
            async with websocket(port, tls.client) as client:
                await client.join()
                await client.emit("flood")
                for number in range(200):
                    assert (await client.event())[1] == number
                closing = asyncio.create_task(io.aclose(grace=1000))
                assert await client.close_code() == 1000
                await client.stream.read_to_end()
            await closing
            await books.balanced()
        assert secure == [True]

    @on_both_loops
    async def test_tls_of_the_loop_ends(
        self, tls: Contexts, caplog: pytest.LogCaptureFixture
    ) -> None:
        """It has no end of one direction alone: who sends nothing more reads nothing more."""
        io = echo_server()
        listener = await asyncio.get_running_loop().create_server(
            io.protocol_factory, HOST, 0, ssl=tls.server
        )
        async with listener:
            books = Books(io)
            port = listener.sockets[0].getsockname()[1]
            async with websocket(port, tls.client, receive_buffer=4096) as client:
                await client.join()
                await client.emit("flood")
                await until(lambda: sum(each.backlog for each in io.engine.sessions.values()))
                client.stream.send_eof()
                await turns()
            await books.balanced()
        # uvloop has not yet told that it is closed, and writes this when it is written to.
        assert set(complaints(caplog)) <= {"SSL connection is closed"}

    @on_both_loops
    async def test_aclose(self) -> None:
        """`aclose` ends what came through such listeners, but they are not its own."""
        io = echo_server()
        listener = await asyncio.get_running_loop().create_server(io.protocol_factory, HOST, 0)
        async with listener:
            port = listener.sockets[0].getsockname()[1]
            for _ in range(2):
                async with websocket(port) as client:
                    await client.join()
                    closing = asyncio.create_task(io.aclose(grace=1000))
                    assert await client.close_code() == 1000
                await closing
                assert not io.engine.sessions
