"""Cancelled at any point, `serve` leaves no task, no descriptor and no session (rule T13)."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

import pytest
from support.asyncio_client import HOST, Books, polling, websocket
from support.asyncio_server import server_with_work, serving
from support.loops import on_both_loops, turns

from sansocket.asyncio_backend import Disconnected, Server, Socket


@on_both_loops
@pytest.mark.parametrize("steps", range(12))
async def test_while_it_starts(steps: int) -> None:
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
async def test_while_it_starts_without_a_look_up(steps: int) -> None:
    io = Server()
    books = Books(io)
    task = asyncio.create_task(io.serve(HOST, 0))
    await turns(steps)
    task.cancel()
    await asyncio.wait([task])
    assert books.held()[1:] == (1, 0)
    await books.balanced()


@on_both_loops
@pytest.mark.parametrize("steps", range(0, 60, 3))
async def test_while_clients_come(steps: int) -> None:
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
async def test_twice() -> None:
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
async def test_what_waits_in_handlers_is_cancelled() -> None:
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
async def test_a_handler_that_needs_no_time_is_still_called() -> None:
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
import asyncio, signal, sys
from sansocket.asyncio_backend import Server

signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in a shell's background
io = Server()

@io.on("connect")
async def connected(socket):
    try:
        print("connected", flush=True)
        await asyncio.Event().wait()
    finally:
        print("cancelled", flush=True)

async def main():
    asyncio.get_running_loop().slow_callback_duration = 60  # a stalled machine is no complaint
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
