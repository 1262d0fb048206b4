"""Listening, serving and closing: trio_backend/serving.py, over real loopback sockets."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import pytest
import trio
from support.transcript import request_bytes, websocket_request_bytes
from support.trio_client import (
    HOST,
    Books,
    HttpClient,
    open_stream,
    polling,
    read_to_end,
    until,
    websocket,
)
from trio.testing import MockClock

from sansocket.trio_backend import Bound, Disconnected, EngineServer, Server, Socket


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


class TestClosing:
    """`aclose`: stop accepting, tell the clients, let handlers finish, close (api.md)."""

    async def test_clients_are_told(self) -> None:
        """A WebSocket gets a close frame, a parked poll the close packet `1` (rule 31)."""
        io = Server()
        reasons = disconnect_reasons(io)
        async with trio.open_nursery() as nursery:
            bound: Bound = await nursery.start(io.serve, HOST, 0)
            async with websocket(bound.port) as client, polling(bound.port) as poller:
                await client.join()
                await poller.join()
                await poller.park()
                await until(lambda: io.engine.sessions[poller.sid].carrier)
                await io.aclose()
                assert await client.close_code() == 1000
                assert (await poller.gets.answer()).body == "1"
                assert await read_to_end(poller.gets.stream) == b""
                assert await read_to_end(poller.posts.stream) == b""
                with pytest.raises(OSError, match="refused"):
                    await open_stream(bound.port)
        assert reasons == ["server shutting down"] * 2
        assert not io.engine.sessions

    async def test_serve_returns(self) -> None:
        """`serve` returns when all is done, and can be called again."""
        io = Server()
        for _ in range(2):
            async with trio.open_nursery() as nursery:
                bound: Bound = await nursery.start(io.serve, HOST, 0)
                async with websocket(bound.port) as client:
                    await client.join()
                await io.aclose()

    async def test_a_running_handler_finishes(self) -> None:
        """Within the grace period handlers go on, and what they do still counts."""
        io = Server()
        order: list[str] = []
        started, go_on = trio.Event(), trio.Event()

        @io.on("work")
        async def work(socket: Socket) -> None:
            started.set()
            await go_on.wait()
            order.append("worked")

        @io.on("disconnect")
        async def gone(socket: Socket, reason: str) -> None:
            order.append(reason)

        async with trio.open_nursery() as nursery:
            bound: Bound = await nursery.start(io.serve, HOST, 0)
            async with websocket(bound.port) as client:
                await client.join()
                await client.emit("work")
                await started.wait()
                await io.aclose()
                assert await client.close_code() == 1000
            assert order == []
            go_on.set()
        assert order == ["worked", "server shutting down"]

    async def test_what_takes_too_long_is_cancelled(self, mock_clock: MockClock) -> None:
        """Security rule 36: closing is bounded, whatever handlers and clients do."""
        io = Server()
        books = Books(io)
        started = trio.Event()
        ended: list[str] = []

        @io.on("work")
        async def work(socket: Socket) -> None:
            started.set()
            try:
                await trio.sleep_forever()
            finally:
                ended.append("cancelled")

        async with trio.open_nursery() as nursery:
            bound: Bound = await nursery.start(io.serve, HOST, 0)
            silent = await open_stream(bound.port)
            async with websocket(bound.port) as client:
                await client.join()
                await client.emit("work")
                await started.wait()
                await io.aclose(grace=5)
                await io.aclose(grace=50)  # does not prolong what was granted
                mock_clock.jump(4.9)
                await trio.testing.wait_all_tasks_blocked()
                assert ended == []
                mock_clock.jump(0.2)
            await silent.aclose()
        assert ended == ["cancelled"]
        await books.balanced()

    async def test_listening_ends_gracefully_after_aclose(self) -> None:
        """`aclose` in the block of `listening` is the graceful end that its docstring promises."""
        io = Server()
        done: list[str] = []
        started = trio.Event()

        @io.on("work")
        async def work(socket: Socket) -> None:
            started.set()
            await trio.testing.wait_all_tasks_blocked()
            done.append("worked")

        async with io.listening(HOST, 0) as bound, websocket(bound.port) as client:
            await client.join()
            await client.emit("work")
            await started.wait()
            await io.aclose()
        assert done == ["worked"]

    async def test_from_a_handler(self) -> None:
        """A handler may close the server that it runs in."""
        io = Server()

        @io.on("stop")
        async def stop(socket: Socket) -> str:
            await io.aclose()
            return "stopped"

        async with trio.open_nursery() as nursery:
            bound: Bound = await nursery.start(io.serve, HOST, 0)
            async with websocket(bound.port) as client:
                await client.join()
                await client.emit("stop")
                assert await client.close_code() == 1000

    @pytest.mark.parametrize("steps", range(0, 40, 2))
    async def test_while_clients_come(self, steps: int, mock_clock: MockClock) -> None:
        """Who is half inside is told as well: no time has to pass until `serve` returns."""
        io = Server()
        books = Books(io)
        async with trio.open_nursery() as clients, trio.open_nursery() as nursery:
            bound: Bound = await nursery.start(io.serve, HOST, 0)
            for request in (b"", b"GET /", POLL, UPGRADE, POLL + POLL, UPGRADE + JOIN):
                clients.start_soon(visit, bound.port, request)
            for _ in range(steps):
                await trio.lowlevel.checkpoint()
            await io.aclose()
        await books.balanced()

    async def test_without_serve(self) -> None:
        """Nothing to close is no error."""
        await Server().aclose()
        await EngineServer().aclose()


def disconnect_reasons(io: Server) -> list[str]:
    """The reasons that disconnect handlers were told, as they come."""
    reasons: list[str] = []

    @io.on("disconnect")
    def gone(socket: Socket, reason: str) -> None:
        reasons.append(reason)

    return reasons


POLL: Final = request_bytes("GET", query="EIO=4&transport=polling")
UPGRADE: Final = websocket_request_bytes(query="EIO=4&transport=websocket")
JOIN: Final = b"\x81\x82\0\0\0\x0040"


CLOSE: Final = b"\x88\x02\x03\xe8"
"""The server's close frame, code 1000."""


async def visit(port: int, request: bytes) -> None:
    """Send bytes, and read until the server has said that it is over."""
    with suppress(OSError, trio.BrokenResourceError):
        async with await open_stream(port) as stream:
            await stream.send_all(request)
            data = b""
            while not data.endswith(CLOSE) and (piece := await stream.receive_some()):
                data += piece


class TestCancellation:
    """Cancelled at any point, `serve` leaves no task, no descriptor and no session (T13)."""

    @pytest.mark.parametrize("steps", range(12))
    async def test_while_it_starts(self, steps: int) -> None:
        io = Server()
        books = Books(io)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(io.serve, HOST, 0)
            for _ in range(steps):
                await trio.lowlevel.checkpoint()
            nursery.cancel_scope.cancel()
        await books.balanced()

    @pytest.mark.parametrize("steps", range(0, 60, 3))
    async def test_while_clients_come(self, steps: int) -> None:
        """At every moment of a handshake, of a join and of a handler."""
        io = Server()

        @io.on("connect")
        async def connected(socket: Socket) -> None:
            await socket.call("who", timeout=5)

        books = Books(io)
        async with trio.open_nursery() as clients:
            async with trio.open_nursery() as nursery:
                bound: Bound = await nursery.start(io.serve, HOST, 0)
                for visit in (by_websocket, by_polling, by_upgrade):
                    clients.start_soon(tolerant, visit, bound.port)
                for _ in range(steps):
                    await trio.lowlevel.checkpoint()
                nursery.cancel_scope.cancel()
            assert not io.engine.sessions
            assert not io.sockets
            clients.cancel_scope.cancel()
        await books.balanced()

    async def test_what_waits_in_handlers_is_cancelled(self) -> None:
        """Handlers run in the server's nursery: `call` and `drain` in them end with it."""
        io = Server()
        ended: list[str] = []

        @io.on("connect")
        async def connected(socket: Socket) -> None:
            try:
                await socket.call("who")
            except trio.Cancelled:
                ended.append("cancelled")
                raise
            except Disconnected:
                ended.append("disconnected")

        async with io.listening(HOST, 0) as bound, websocket(bound.port) as client:
            await client.send("40")
            assert str(await client.receive()).startswith("40")
            assert await client.receive() == '420["who"]'
        assert len(ended) == 1


async def by_websocket(port: int) -> None:
    """A client that joins and stays."""
    async with websocket(port) as client:
        await client.join()
        await trio.sleep_forever()


async def by_polling(port: int) -> None:
    """A client that polls."""
    async with polling(port) as client:
        await client.join()
        while True:
            await client.get()


async def by_upgrade(port: int) -> None:
    """A client that changes its transport."""
    async with polling(port) as client, websocket(port, sid=client.sid) as probe:
        await probe.send("2probe")
        await probe.receive()
        await probe.send("5", "40")
        await probe.receive()
        await trio.sleep_forever()


async def tolerant(visit: Callable[[int], Any], port: int) -> None:
    """A client whose server may go at any time."""
    try:
        await visit(port)
    except Exception:
        return
