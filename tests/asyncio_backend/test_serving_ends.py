"""The ends of a server: by `aclose`, by cancellation at every point, by the keyboard."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from math import inf
from typing import Final

import pytest
from support.asyncio_client import HOST, Books, open_stream, polling, websocket
from support.asyncio_server import serving
from support.loops import on_both_loops, turns, until
from support.servers import disconnect_reasons
from support.transcript import masked_text, request_bytes, websocket_request_bytes

from sansocket.asyncio_backend import Disconnected, EngineServer, Server, Socket

POLL: Final = request_bytes("GET", query="EIO=4&transport=polling")
UPGRADE: Final = websocket_request_bytes(query="EIO=4&transport=websocket")
JOIN: Final = masked_text("40")
CLOSE: Final = b"\x88\x02\x03\xe8"
"""The server's close frame, code 1000."""

LONG: Final = 1000
"""Seconds of grace that no test has the time to wait for."""


def server_with_work() -> tuple[Server, asyncio.Event, asyncio.Event, list[str]]:
    """A server whose handler of `work` begins, and goes on when it may; what has happened."""
    io = Server()
    begun, go_on = asyncio.Event(), asyncio.Event()
    happened: list[str] = []

    @io.on("work")
    async def work(socket: Socket) -> None:
        begun.set()
        try:
            await go_on.wait()
        except asyncio.CancelledError:
            happened.append("cancelled")
            raise
        happened.append("worked")

    @io.on("disconnect")
    async def gone(socket: Socket, reason: str) -> None:
        happened.append(reason)

    return io, begun, go_on, happened


class TestClosing:
    """`aclose`: stop accepting, tell the clients, let handlers finish, close (api.md)."""

    @on_both_loops
    async def test_clients_are_told(self) -> None:
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
    async def test_it_returns_when_all_is_closed(self) -> None:
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
        assert books.held() == (books.held()[0], 1, 0)
        await books.balanced()

    @on_both_loops
    async def test_serve_can_be_called_again(self) -> None:
        io = Server()
        for _ in range(2):
            async with serving(io) as (port, task):
                async with websocket(port) as client:
                    await client.join()
                await io.aclose(LONG)
                await task

    @on_both_loops
    async def test_what_takes_too_long_is_cancelled(self) -> None:
        """Security rule 36: closing is bounded, whatever handlers and clients do."""
        io, begun, _, happened = server_with_work()
        books = Books(io)
        async with serving(io) as (port, task):
            async with websocket(port) as client, await open_stream(port):
                await client.join()
                await client.emit("work")
                await begun.wait()
                await io.aclose(grace=0.02)
                assert happened == ["cancelled"]
                assert not io.engine.sessions
                await task
        await books.balanced()

    @on_both_loops
    async def test_the_shortest_grace_counts(self) -> None:
        """Whoever asks again grants no more time than was granted before."""
        io, begun, _, happened = server_with_work()
        async with serving(io) as (port, task), websocket(port) as client:
            await client.join()
            await client.emit("work")
            await begun.wait()
            graces = (inf, 0.02, LONG)
            await asyncio.gather(*(io.aclose(grace) for grace in graces))
            assert happened == ["cancelled"]
            await task

    @on_both_loops
    async def test_cancelled_it_waits_no_longer(self) -> None:
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
            assert happened == ["cancelled"]

    @on_both_loops
    async def test_cancelled_serve_ends_at_once(self) -> None:
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
            assert happened == ["cancelled"]

    @on_both_loops
    async def test_in_the_block_of_listening(self) -> None:
        """Leaving the block then waits for the graceful end, whoever has asked for it."""
        io, begun, go_on, happened = server_with_work()
        async with asyncio.TaskGroup() as group:
            async with io.listening(HOST, 0) as bound, websocket(bound.port) as client:
                await client.join()
                await client.emit("work")
                await begun.wait()
                group.create_task(io.aclose(LONG))
                assert await client.close_code() == 1000
                asyncio.get_running_loop().call_later(0.02, go_on.set)
            assert happened == ["worked", "server shutting down"]

    @on_both_loops
    async def test_from_handlers(self) -> None:
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
    async def test_while_clients_come(self, steps: int) -> None:
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
    async def test_without_serve(self) -> None:
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


class TestCancellation:
    """Cancelled at any point, `serve` leaves no task, no descriptor and no session (T13)."""

    @on_both_loops
    @pytest.mark.parametrize("steps", range(12))
    async def test_while_it_starts(self, steps: int) -> None:
        io = Server()
        books = Books(io)
        task = asyncio.create_task(io.serve("localhost", 0))
        await turns(steps)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        await books.balanced()

    @on_both_loops
    @pytest.mark.parametrize("steps", range(12))
    async def test_while_it_starts_without_a_look_up(self, steps: int) -> None:
        io = Server()
        books = Books(io)
        task = asyncio.create_task(io.serve(HOST, 0))
        await turns(steps)
        task.cancel()
        await asyncio.wait([task])
        assert books.held() == (books.held()[0], 1, 0)
        await books.balanced()

    @on_both_loops
    @pytest.mark.parametrize("steps", range(0, 60, 3))
    async def test_while_clients_come(self, steps: int) -> None:
        """At every moment of a handshake, of a join and of a handler."""
        io = Server()

        @io.on("connect")
        async def connected(socket: Socket) -> None:
            await socket.call("who", timeout=5)

        books = Books(io)
        async with serving(io) as (port, task):
            visits = (by_websocket, by_polling, by_upgrade)
            clients = [asyncio.create_task(tolerant(visit, port)) for visit in visits]
            await turns(steps)
            task.cancel()
            await asyncio.wait([task])
            assert not io.engine.sessions
            assert not io.sockets
            assert asyncio.all_tasks() <= {asyncio.current_task(), *clients}
            for client in clients:
                client.cancel()
            await asyncio.wait(clients)
        await books.balanced()

    @on_both_loops
    async def test_twice(self) -> None:
        """Who is impatient gets no more than a `serve` that waits no longer."""
        io, begun, _, happened = server_with_work()
        books = Books(io)
        async with serving(io) as (port, task), websocket(port) as client:
            await client.join()
            await client.emit("work")
            await begun.wait()
            task.cancel()
            await turns(1)
            task.cancel()
            await asyncio.wait([task])
        await books.balanced()
        assert happened[0] == "cancelled"

    @on_both_loops
    async def test_what_waits_in_handlers_is_cancelled(self) -> None:
        """Handlers run in the `serve` of their client: `call` and `drain` in them end with it."""
        io = Server()
        ended: list[str] = []

        @io.on("connect")
        async def connected(socket: Socket) -> None:
            try:
                await socket.call("who")
            except asyncio.CancelledError:
                ended.append("cancelled")
                raise
            except Disconnected:
                ended.append("disconnected")

        async with io.listening(HOST, 0) as bound, websocket(bound.port) as client:
            await client.send("40")
            assert str(await client.receive()).startswith("40")
            assert await client.receive() == '420["who"]'
        assert len(ended) == 1

    @on_both_loops
    async def test_a_handler_that_needs_no_time_is_still_called(self) -> None:
        """Those of the disconnect come to their first `await`, as on Trio."""
        io = Server()
        happened: list[str] = []

        @io.on("disconnect")
        async def gone(socket: Socket, reason: str) -> None:
            happened.append(reason)
            await asyncio.sleep(0)
            happened.append("too late")

        async with io.listening(HOST, 0) as bound, websocket(bound.port) as client:
            await client.join()
        assert happened == ["server shutting down"]


async def by_websocket(port: int) -> None:
    """A client that joins and stays."""
    async with websocket(port) as client:
        await client.join()
        await asyncio.Event().wait()


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
        await asyncio.Event().wait()


async def tolerant(visit: Callable[[int], Awaitable[None]], port: int) -> None:
    """A client whose server may go at any time."""
    with suppress(Exception):
        await visit(port)


PROGRAM: Final = """
import asyncio, sys
from sansocket.asyncio_backend import Server

io = Server()

@io.on("connect")
async def connected(socket):
    try:
        print("connected", flush=True)
        await asyncio.Event().wait()
    finally:
        print("cancelled", flush=True)

async def main():
    async with io.listening("127.0.0.1", 0) as bound:
        print(bound.port, flush=True)
        await asyncio.Event().wait()

factory = asyncio.new_event_loop
if sys.argv[1] == "uvloop":
    import uvloop
    factory = uvloop.new_event_loop

try:
    with asyncio.Runner(debug=True, loop_factory=factory) as runner:
        runner.run(main())
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_ctrl_c(loop: str) -> None:
    """A KeyboardInterrupt ends a program at once and in good order: no warning, nothing lost."""
    command = [sys.executable, "-X", "dev", "-W", "error", "-c", PROGRAM, loop]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8"
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        port = int(process.stdout.readline())

        async def visit() -> None:
            async with websocket(port) as client:
                await client.join()
                assert process.stdout is not None
                assert process.stdout.readline() == "connected\n"
                process.send_signal(signal.SIGINT)
                await client.close_code()

        asyncio.run(visit())
        assert process.stdout.read() == "cancelled\ninterrupted\n"
        assert process.stderr.read() == ""
