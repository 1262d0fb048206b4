"""The ends of `serve`: by `aclose`, by cancellation, by the keyboard."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import pytest
import trio
from support.transcript import masked_text, request_bytes, websocket_request_bytes
from support.trio_client import (
    HOST,
    Books,
    open_stream,
    polling,
    read_to_end,
    until,
    websocket,
)
from support.trio_server import disconnect_reasons
from trio.testing import MockClock

from sansocket.trio_backend import Bound, Disconnected, EngineServer, Server, Socket

POLL: Final = request_bytes("GET", query="EIO=4&transport=polling")
UPGRADE: Final = websocket_request_bytes(query="EIO=4&transport=websocket")
JOIN: Final = masked_text("40")


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
                nursery.start_soon(io.aclose)
                assert await client.close_code() == 1000
                assert (await poller.gets.answer()).body == "1"
                assert await read_to_end(poller.gets.stream) == b""
                assert await read_to_end(poller.posts.stream) == b""
                with pytest.raises(OSError, match="refused"):
                    await open_stream(bound.port)
        assert reasons == ["server shutting down"] * 2
        assert not io.engine.sessions

    async def test_serve_returns(self) -> None:
        """`serve` returns when all is done, before `aclose` does, and can be called again."""
        io = Server()
        books = Books(io)
        for _ in range(2):
            async with trio.open_nursery() as nursery:
                bound: Bound = await nursery.start(io.serve, HOST, 0)
                async with websocket(bound.port) as client:
                    await client.join()
                await io.aclose()
                assert not nursery.child_tasks
        await books.balanced()

    async def test_a_running_handler_finishes(self) -> None:
        """Within the grace period handlers go on, what they do still counts, and it is awaited."""
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

        async def close() -> None:
            await io.aclose()
            order.append("closed")

        async with trio.open_nursery() as nursery:
            bound: Bound = await nursery.start(io.serve, HOST, 0)
            async with websocket(bound.port) as client:
                await client.join()
                await client.emit("work")
                await started.wait()
                nursery.start_soon(close)
                assert await client.close_code() == 1000
            assert order == []
            go_on.set()
        assert order == ["worked", "server shutting down", "closed"]

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
                for grace in (5, 50):  # the second does not prolong what was granted
                    nursery.start_soon(io.aclose, grace)
                    await trio.testing.wait_all_tasks_blocked()
                mock_clock.jump(4.9)
                await trio.testing.wait_all_tasks_blocked()
                assert ended == []
                mock_clock.jump(0.2)
            await silent.aclose()
        assert ended == ["cancelled"]
        await books.balanced()

    async def test_twice(self) -> None:
        """A second `aclose` waits as well, and may be less patient than the first."""
        io = Server()
        started = trio.Event()
        order: list[str] = []

        @io.on("work")
        async def work(socket: Socket) -> None:
            started.set()
            try:
                await trio.sleep_forever()
            finally:
                order.append("cancelled")

        async with trio.open_nursery() as nursery:
            bound: Bound = await nursery.start(io.serve, HOST, 0)
            async with websocket(bound.port) as client:
                await client.join()
                await client.emit("work")
                await started.wait()
                nursery.start_soon(io.aclose)
                await client.close_code()
            assert order == []
            await io.aclose(grace=0)
            order.append("closed")
        assert order == ["cancelled", "closed"]

    async def test_cancelled(self) -> None:
        """A cancelled `aclose` has told the clients, and waits no more."""
        io = Server()
        async with io.listening(HOST, 0) as bound, websocket(bound.port) as client:
            await client.join()
            with trio.CancelScope() as scope:
                scope.cancel()
                await io.aclose()
            assert await client.close_code() == 1000

    async def test_listening_ends_gracefully_after_aclose(self) -> None:
        """`aclose` in the block of `listening` is the graceful end that its docstring promises."""
        io = Server(close_timeout=0.1)
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

    @pytest.mark.parametrize("kind", ["handler", "task of a handler"])
    async def test_from_a_handler(self, kind: str) -> None:
        """A handler may close the server that it runs in: it does not wait for itself."""
        io = Server()
        closed: list[str] = []

        @io.on("stop")
        async def stop(socket: Socket) -> None:
            if kind == "handler":
                await io.aclose()
            else:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(io.aclose)
            closed.append("closed")

        async with trio.open_nursery() as nursery:
            bound: Bound = await nursery.start(io.serve, HOST, 0)
            async with websocket(bound.port) as client:
                await client.join()
                await client.emit("stop")
                assert await client.close_code() == 1000
        assert closed == ["closed"]

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


PROGRAM: Final = """
import trio
from sansocket.trio_backend import Server

io = Server()

@io.on("connect")
async def connected(socket):
    try:
        print("connected", flush=True)
        await trio.sleep_forever()
    finally:
        print("cancelled", flush=True)

async def main():
    async with trio.open_nursery() as nursery:
        print((await nursery.start(io.serve, "127.0.0.1", 0)).port, flush=True)

try:
    trio.run(main, strict_exception_groups=True)
except* KeyboardInterrupt:
    print("interrupted", flush=True)
"""


async def test_ctrl_c() -> None:
    """A KeyboardInterrupt ends a program at once and in good order: no warning, nothing lost."""
    command = [sys.executable, "-X", "dev", "-W", "error", "-c", PROGRAM]
    process = await trio.lowlevel.open_process(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    async with process.stdout, process.stderr:
        port = int(await line(process.stdout))
        async with websocket(port) as client:
            await client.join()
            assert await line(process.stdout) == b"connected\n"
            process.send_signal(signal.SIGINT)
            await client.close_code()
        assert await process.wait() == 0
        assert await line(process.stdout) == b"cancelled\n"
        assert await line(process.stdout) == b"interrupted\n"
        assert await process.stderr.receive_some() == b""


async def line(stream: trio.abc.ReceiveStream) -> bytes:
    """The next line, or what there is of it."""
    said = b""
    while not said.endswith(b"\n") and (byte := await stream.receive_some(1)):
        said += byte
    return said
