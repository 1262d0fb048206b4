"""Security rule T1: what fails for one client ends at that client, and is logged.

The failures are put into the core by hand; there is nothing that a client could send for them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from support.asyncio_client import HOST, Books, WebSocketClient, open_stream, websocket
from support.asyncio_server import echo_server
from support.loops import on_both_loops, turns
from support.servers import MANY, PIECE, complaints
from support.tls import Contexts

from sansocket.asyncio_backend import Server, Socket
from sansocket.sansio.engineio.server import Engine
from sansocket.sansio.engineio.websocket_wire import WebSocketWire
from sansocket.sansio.engineio.wire import ServerWire


class InjectedError(Exception):
    """What is put into the core."""


LOGGED = ["connection failed: InjectedError()"]


async def works(client: WebSocketClient) -> None:
    """The client is served as if nothing had happened."""
    await client.emit("echo", "still here")
    assert await client.event() == ["echo", "still here"]


def poison(
    monkeypatch: pytest.MonkeyPatch, owner: type, name: str, when: Callable[..., bool]
) -> None:
    """Let a method raise, after its work, when the condition holds of its result and arguments."""
    method = getattr(owner, name)

    def poisoned(*args: Any) -> Any:
        result = method(*args)
        if when(result, *args):
            raise InjectedError
        return result

    monkeypatch.setattr(owner, name, poisoned)


@on_both_loops
async def test_while_reading(
    either: Contexts, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The bytes of one client raise in the core."""
    io = echo_server()
    poison(monkeypatch, ServerWire, "receive_data", lambda _, wire, data, now: b"POISON" in data)
    async with (
        io.listening(HOST, 0, ssl_context=either.server) as bound,
        websocket(bound.port, either.client) as other,
    ):
        await other.join()
        books = Books(io)
        async with await open_stream(bound.port, either.client) as victim:
            await victim.send_all(b"POISON")
            assert await victim.read_to_end() == b""
        await books.balanced()
        await works(other)
    assert complaints(caplog) == LOGGED


@on_both_loops
@pytest.mark.parametrize("busy", [False, True], ids=["idle", "writing"])
async def test_while_writing(
    busy: bool,
    either: Contexts,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What another client has caused to be written raises: it does not pay for that."""
    io = echo_server()

    @io.on("poison")
    async def poisons(socket: Socket) -> str:
        io.to("victims").emit("POISON")
        return "sent"

    @io.on("victim")
    async def enter(socket: Socket) -> None:
        socket.join("victims")
        if busy:
            for number in range(MANY):
                socket.emit("piece", number, PIECE)

    def poisonous(pieces: list[bytes], wire: WebSocketWire) -> bool:
        return any(b"POISON" in piece for piece in pieces)

    poison(monkeypatch, WebSocketWire, "data_to_send", poisonous)
    async with (
        io.listening(HOST, 0, ssl_context=either.server) as bound,
        websocket(bound.port, either.client) as other,
    ):
        await other.join()
        books = Books(io)
        async with websocket(bound.port, either.client) as victim:
            await victim.join()
            await victim.emit("victim")
            await turns()
            await other.emit("poison", ack=7)
            assert await other.receive() == '437["sent"]'
            assert await victim.close_code() == 1006
        await books.balanced()
        await works(other)
    assert complaints(caplog) == LOGGED


@on_both_loops
@pytest.mark.parametrize("name", ["lost", "data_to_send"])
async def test_at_the_end(
    name: str,
    either: Contexts,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Closing one connection raises: its descriptor is given back all the same."""
    io = echo_server()
    async with (
        io.listening(HOST, 0, ssl_context=either.server) as bound,
        websocket(bound.port, either.client) as other,
    ):
        await other.join()
        books = Books(io)
        async with websocket(bound.port, either.client) as victim:
            await victim.join()
            with monkeypatch.context() as patch:
                poison(patch, WebSocketWire, name, lambda *_: True)
                await victim.close()
                victim.stream.sock.close()
                await books.balanced()
        await works(other)
    assert complaints(caplog) == LOGGED


@on_both_loops
async def test_at_the_beginning(
    either: Contexts, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A connection cannot even be opened in the core."""
    io = echo_server()
    async with (
        io.listening(HOST, 0, ssl_context=either.server) as bound,
        websocket(bound.port, either.client) as other,
    ):
        await other.join()
        books = Books(io)
        with monkeypatch.context() as patch:
            poison(patch, Engine, "open", lambda *_: True)
            async with await open_stream(bound.port) as victim:
                assert await victim.read_to_end() == b""
        await books.balanced()
        await works(other)
    assert complaints(caplog) == LOGGED


@on_both_loops
async def test_while_closing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """One client cannot be told of the end: the others are, and `aclose` has its end."""
    io = echo_server()
    async with io.listening(HOST, 0) as bound:
        async with await open_stream(bound.port) as one, await open_stream(bound.port) as two:
            for stream in (one, two):
                await stream.send_all(b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n")
                await stream.receive_some()
            failed: list[ServerWire] = []

            def once(_: None, wire: ServerWire) -> bool:
                failed.append(wire)
                return len(failed) == 1

            poison(monkeypatch, ServerWire, "finish", once)
            closing = asyncio.create_task(io.aclose(grace=1000))
            assert await one.read_to_end() == await two.read_to_end() == b""
        await closing
    assert complaints(caplog) == LOGGED


@on_both_loops
async def test_in_a_timer(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A deadline raises: the others are kept, and the heartbeat goes on."""
    io = Server(ping_interval=0.02)
    failed: list[float] = []

    def once(_: None, engine: Engine, now: float) -> bool:
        failed.append(now)
        return len(failed) == 1

    async with io.listening(HOST, 0) as bound, websocket(bound.port) as client:
        poison(monkeypatch, Engine, "handle_timeout", once)
        for _ in range(3):
            assert await client.message() == "2"
            await client.send("3")
    assert complaints(caplog) == ["timer failed: InjectedError()"]


@on_both_loops
async def test_in_a_task(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """What leaves the task of a handler is logged at once, and the server goes on."""
    io = echo_server()

    @io.on("work")
    async def work(socket: Socket) -> None:
        raise GeneratorExit  # no Exception, and nothing that the core would look at

    async with (
        io.listening(HOST, 0) as bound,
        websocket(bound.port) as client,
        websocket(bound.port) as other,
    ):
        await other.join()
        await client.join()
        await client.emit("work")
        await turns()
        assert complaints(caplog) == ["task failed: GeneratorExit()"]
        await works(other)


@on_both_loops
async def test_failing_handlers(caplog: pytest.LogCaptureFixture) -> None:
    """A handler's exception is logged once, and disturbs neither its client nor any other."""
    io = echo_server()

    @io.on("plain")
    def plain(socket: Socket) -> None:
        raise ZeroDivisionError

    @io.on("waiting")
    async def waiting(socket: Socket) -> None:
        await asyncio.sleep(0)
        raise ExceptionGroup("", [ZeroDivisionError()])

    async with (
        io.listening(HOST, 0) as bound,
        websocket(bound.port) as client,
        websocket(bound.port) as other,
    ):
        await client.join()
        await other.join()
        for event in ("plain", "waiting"):
            await client.emit(event, ack=1)
            assert await client.receive() == '431[{"message":"Internal server error"}]'
            await works(client)
            await works(other)
            [complaint] = complaints(caplog)
            assert "ZeroDivisionError()" in complaint
            caplog.clear()


@on_both_loops
async def test_a_handler_whose_future_is_cancelled(caplog: pytest.LogCaptureFixture) -> None:
    """It ends as if it had been cancelled itself; its client is served on."""
    io = echo_server()

    @io.on("wait")
    async def wait(socket: Socket) -> None:
        future = asyncio.get_running_loop().create_future()
        future.cancel()
        await future

    async with io.listening(HOST, 0) as bound, websocket(bound.port) as client:
        await client.join()
        await client.emit("wait")
        while not complaints(caplog):
            await turns(1)
        await works(client)
        assert complaints(caplog)[0].startswith("task cancelled from within")
