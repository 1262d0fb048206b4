"""A WebSocket of trio-websocket is asked about as any other is (trio_backend/websocket.py)."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
import trio
import trio.testing
import trio_websocket
from support.transcript import websocket_request_bytes
from support.trio_client import HOST, PATIENCE, open_stream, until
from trio_websocket import WebSocketRequest, WebSocketServer

from sansocket.trio_backend import EngineServer, Request

REQUEST = websocket_request_bytes(path="/engine.io/", query="EIO=4&transport=websocket")


@asynccontextmanager
async def serving(server: EngineServer, *, accepts: bool = False) -> AsyncGenerator[int]:
    """Serve with trio-websocket; gives the port. `accepts`: the application accepts itself."""

    async def handle(request: WebSocketRequest) -> None:
        await server.websocket_handler(await request.accept() if accepts else request)

    async with trio.open_nursery() as nursery:
        listener: WebSocketServer = await nursery.start(
            trio_websocket.serve_websocket, handle, HOST, 0, None
        )
        with trio.fail_after(PATIENCE):
            yield listener.port
        nursery.cancel_scope.cancel()


def client(port: int) -> AbstractAsyncContextManager[trio_websocket.WebSocketConnection]:
    """A client that is accepted."""
    return trio_websocket.open_websocket_url(
        f"ws://{HOST}:{port}/engine.io/?EIO=4&transport=websocket"
    )


async def refusal(port: int) -> bytes:
    """The answer to a client that is not, as far as a first piece of its body."""
    async with await open_stream(port) as stream:
        await stream.send_all(REQUEST)
        answer = b""
        while not answer.partition(b"\r\n\r\n")[2]:
            piece = await stream.receive_some()
            assert piece
            answer += piece
        return answer


@pytest.mark.parametrize("verdict", [True, "not today"])
async def test_verdict(verdict: bool | str) -> None:
    """Waited for before the WebSocket is accepted, with what middleware adds to the answer."""
    decided = trio.Event()

    async def allow(request: Request) -> bool | str:
        await decided.wait()
        return verdict

    server = EngineServer(allow_request=allow, initial_packet="welcome")
    server.engine.use(lambda request, headers: headers.append(("X-Mark", "here")))
    async with serving(server) as port, trio.open_nursery() as nursery:
        nursery.start_soon(release, decided)
        if verdict is True:
            async with client(port) as websocket:
                assert (await websocket.get_message())[:2] == "0{"
                assert await websocket.get_message() == "4welcome"
                assert (b"x-mark", b"here") in websocket.handshake_headers
        else:
            head, _, body = (await refusal(port)).partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 403 ")
            assert b"x-mark: here" in head.lower()
            assert b"not today" in body
    assert server.engine.clients_count == 0


async def release(decided: trio.Event) -> None:
    """Decide when nothing else can go on."""
    await trio.testing.wait_all_tasks_blocked(0.01)
    decided.set()


async def test_refused_after_it_was_accepted() -> None:
    """It is closed then, and no session is opened."""
    server = EngineServer(allow_request=lambda request: False)
    refused: list[object] = []
    server.engine.on("connection_error", refused.append)
    async with serving(server, accepts=True) as port, await open_stream(port) as stream:
        await stream.send_all(REQUEST)
        answer = b""
        while b"\x88\x02" not in answer:
            piece = await stream.receive_some()
            assert piece
            answer += piece
        assert answer.startswith(b"HTTP/1.1 101 ")
        assert answer.endswith(b"\x03\xea")  # 1002, where HTTP is over already
    assert len(refused) == 1
    assert server.engine.clients_count == 0


async def test_no_id_to_be_had() -> None:
    """What only shows when the session is opened refuses the WebSocket as well."""
    server = EngineServer(generate_id=lambda request: "same")
    async with serving(server) as port, client(port):
        assert (await refusal(port)).startswith(b"HTTP/1.1 400 ")
        assert server.engine.clients_count == 1


async def test_the_server_ends_meanwhile() -> None:
    """Security rule T13: the function is cancelled with what it was asked for."""
    calls: list[str] = []

    async def allow(request: Request) -> bool:
        calls.append("began")
        try:
            await trio.sleep_forever()
        finally:
            calls.append("ended")
        return True

    server = EngineServer(allow_request=allow, admission_timeout=60.0)
    async with serving(server) as port, trio.open_nursery() as nursery:
        nursery.start_soon(refusal, port)
        await until(lambda: calls)
        nursery.cancel_scope.cancel()
    await until(lambda: len(calls) == 2)
    assert calls == ["began", "ended"]
