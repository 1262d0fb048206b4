"""Listening, serving and closing: trio_backend/serving.py, over real loopback sockets."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
import trio
from support.trio_client import (
    HOST,
    Books,
    HttpClient,
    open_stream,
    polling,
    until,
    websocket,
)
from support.trio_server import disconnect_reasons

from sansocket.trio_backend import Bound, Server


async def test_start_returns_the_bound() -> None:
    """api.md: `await nursery.start(io.serve, host, port)`; port 0 is a free one."""
    io = Server()
    async with trio.open_nursery() as nursery:
        bound: Bound = await nursery.start(io.serve, HOST, 0)
        assert bound.host == HOST
        assert bound.port > 0
        assert bound.addresses == ((HOST, bound.port),)
        async with websocket(bound.port) as client:
            assert await client.join() in io.sockets
        nursery.cancel_scope.cancel()


async def test_listening_serves_for_as_long_as_the_block_runs() -> None:
    """api.md: after the block nobody listens, and nothing is left."""
    io = Server()
    books = Books(io)
    async with io.listening(HOST, 0) as bound, websocket(bound.port) as client:
        await client.join()
    await books.balanced()
    with pytest.raises(OSError, match="refused"):
        await open_stream(bound.port)


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
        async with trio.open_nursery() as nursery:
            with pytest.raises(OSError, match="in use"):
                await nursery.start(io.serve, HOST, port)
        await books.balanced()


async def test_an_exception_in_the_block_of_listening_stays_itself() -> None:
    """The nursery behind `listening` is nobody else's business: no group around the exception."""
    with pytest.raises(ZeroDivisionError):
        async with Server().listening(HOST, 0):
            raise ZeroDivisionError


async def test_no_host_is_every_interface() -> None:
    """`host=None` listens on both families, and the Bound has them all."""
    io = Server()
    async with io.listening(None, 0) as bound:
        for host, port in bound.addresses:
            address = HOST if host == "0.0.0.0" else "::1"
            async with await open_stream(port, host=address) as stream:
                answer = await HttpClient(stream).request("GET", "EIO=4&transport=polling")
                assert answer.status == 200


async def test_own_listeners() -> None:
    """api.md: `serve_listeners` serves what is open already, and closes it at the end."""
    io = Server()
    books = Books(io)
    listeners = await trio.open_tcp_listeners(0, host=HOST)
    listeners += await trio.open_tcp_listeners(0, host=HOST)
    async with trio.open_nursery() as nursery:
        bound: Bound = await nursery.start(io.serve_listeners, listeners)
        assert len(bound.addresses) == 2
        for _, port in bound.addresses:
            async with websocket(port) as client:
                await client.join()
        nursery.cancel_scope.cancel()
    await books.balanced()


async def test_a_unix_listener(tmp_path: Path) -> None:
    """A listener without host and port serves as well; its path stands for the host."""
    io = Server()
    path = str(tmp_path / "socket")
    sock = trio.socket.socket(socket.AF_UNIX)
    await sock.bind(path)
    sock.listen()
    async with trio.open_nursery() as nursery:
        bound: Bound = await nursery.start(io.serve_listeners, [trio.SocketListener(sock)])
        assert bound.addresses == ((path, 0),)
        async with await trio.open_unix_socket(path) as stream:
            answer = await HttpClient(stream).request("GET", "EIO=4&transport=polling")
            assert answer.status == 200
        nursery.cancel_scope.cancel()


async def test_two_ports_of_one_server() -> None:
    """One Server on two ports: its clients meet, and one port may end without the other.

    The heartbeat goes on, whichever of the two kept the time before (rule 22).
    """
    io = Server(ping_interval=0.02)
    async with io.listening(HOST, 0) as stays:
        for _ in range(2):
            async with trio.open_nursery() as nursery:
                first: Bound = await nursery.start(io.serve, HOST, 0)
                second: Bound = await nursery.start(io.serve, HOST, 0)
                async with websocket(stays.port) as one, websocket(second.port) as two:
                    await one.join()
                    await two.join()
                    io.emit("to", "all")
                    assert await one.event() == await two.event() == ["to", "all"]
                    nursery.cancel_scope.cancel()
                    with trio.CancelScope(shield=True):
                        assert await two.close_code() == 1006
                        assert await one.websocket.get_message() == "2"
            with pytest.raises(OSError, match="refused"):
                await open_stream(first.port)
        async with websocket(stays.port) as other:
            assert await other.websocket.get_message() == "2"


async def test_the_first_port_ends_and_the_second_keeps_time() -> None:
    """The `serve` that kept the time is cancelled: another takes it over."""
    io = Server(ping_interval=0.02)
    async with trio.open_nursery() as nursery:
        first = trio.CancelScope()

        async def serve(task_status: trio.TaskStatus[Bound]) -> None:
            with first:
                await io.serve(HOST, 0, task_status=task_status)

        await nursery.start(serve)
        second: Bound = await nursery.start(io.serve, HOST, 0)
        async with websocket(second.port) as client:
            first.cancel()
            for _ in range(3):
                assert await client.websocket.get_message() == "2"
                await client.send("3")
        nursery.cancel_scope.cancel()


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
