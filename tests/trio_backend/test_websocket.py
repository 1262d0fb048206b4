"""Clients on a WebSocket of trio-websocket: `websocket_handler` (trio_backend/websocket.py)."""

from __future__ import annotations

import struct

import pytest
import trio
from support.tls import Contexts
from support.transcript import masked_text, websocket_request_bytes
from support.trio_client import (
    HOST,
    PATIENCE,
    Books,
    WebSocketClient,
    open_stream,
    polling,
    read_to_end,
    reset,
    until,
    websocket,
)
from support.trio_server import MANY, PIECE, complaints, disconnect_reasons, echo_server
from support.trio_websocket_server import QUERY, UPGRADE, accepting, open_raw, serving
from trio.testing import wait_all_tasks_blocked

from sansocket.sansio.engineio.websocket_transport import WebSocketTransport
from sansocket.trio_backend import EngineServer, EngineSocket, Server, Socket


@pytest.mark.parametrize("accepted", [False, True], ids=["request", "accepted"])
async def test_echo(accepted: bool, either: Contexts) -> None:
    """Text, bytes, namespaces and acknowledgements, for both kinds of what a handler is given."""
    io = Server()
    admin = io.of("/admin")
    seen: list[tuple[str, bool, str]] = []

    @io.on("connect")
    def connected(socket: Socket) -> None:
        handshake = socket.handshake
        seen.append((handshake.address, handshake.secure, handshake.query["EIO"]))

    @io.on("echo")
    @admin.on("echo")
    async def echo(socket: Socket, *args: object) -> tuple[object, ...]:
        return args

    handler = accepting(io) if accepted else io.websocket_handler
    async with (
        serving(handler, either.server) as port,
        websocket(port, either.client) as client,
    ):
        await client.join()
        await client.join("/admin")
        await client.emit("echo", "text", ack=1)
        assert await client.receive() == '431["text"]'
        await client.send('451-/admin,2["echo",{"_placeholder":true,"num":0}]', b"bytes")
        assert await client.receive() == '461-/admin,2[{"_placeholder":true,"num":0}]'
        assert await client.receive() == b"bytes"
    assert seen == [(HOST, either.server is not None, "4")]


@pytest.mark.parametrize(
    ("query", "origin", "status"),
    [
        ("EIO=3&transport=websocket", "", 400),
        ("EIO=4&transport=polling", "", 400),
        ("EIO=4", "", 400),
        (QUERY + "&sid=unknown", "", 400),
        (QUERY, "http://elsewhere.example", 403),
    ],
)
async def test_refusals(query: str, origin: str, status: int) -> None:
    """Rules 2 and 4, security rule T31: with an HTTP status, and before the upgrade."""
    io = Server()
    headers = {"Origin": origin} if origin else {}
    request = websocket_request_bytes(query=query, **headers)
    async with serving(io.websocket_handler) as port:
        async with await open_stream(port) as stream:
            await stream.send_all(request)
            assert bytes(await stream.receive_some()).startswith(b"HTTP/1.1 %d " % status)
        assert not io.engine.sessions
    if origin:
        return  # of a connection that was accepted before, trio-websocket tells no headers
    async with serving(accepting(io)) as port, await open_stream(port) as stream:
        await stream.send_all(request)
        answer = b""
        while b"\x88\x02" not in answer:
            piece = await stream.receive_some()
            assert piece
            answer += piece
        assert answer.endswith(b"\x03\xea")  # 1002, where HTTP is over already


async def test_a_page_of_its_own_origin() -> None:
    """The address that the server listens on is an origin that may connect."""
    io = Server()
    async with serving(io.websocket_handler) as port, await open_stream(port) as stream:
        await stream.send_all(websocket_request_bytes(query=QUERY, Origin=f"http://{HOST}:{port}"))
        assert bytes(await stream.receive_some()).startswith(b"HTTP/1.1 101 ")


async def test_too_large() -> None:
    """Security rule T4: exactly `max_payload` passes, a byte more is a 1009."""
    io = Server(max_payload=100_000)
    reasons = disconnect_reasons(io)

    @io.on("size")
    def size(socket: Socket, data: str) -> int:
        return len(data)

    async with serving(io.websocket_handler) as port:
        async with websocket(port) as client:
            await client.join()
            start, end = '421["size","', '"]'
            await client.send(start + "x" * (100_000 - len(start + end)) + end)
            assert await client.receive() == f"431[{100_000 - len(start + end)}]"
            await client.send(start + "ä" * 60_000 + end)
            assert await client.close_code() == 1009
        await until(lambda: reasons)
    assert reasons == ["transport error"]


async def test_a_close_frame_is_readable() -> None:
    """The client is still sending: no reset overtakes the close frame."""
    io = Server(max_payload=100_000)
    async with serving(io.websocket_handler) as port, await open_raw(port) as stream:
        frame = struct.pack("!BBQI", 0x82, 0x80 | 127, 200_000, 0) + bytes(200_000)
        for _ in range(30):
            await stream.send_all(frame)
            await wait_all_tasks_blocked()
        answer = b""
        while not answer.endswith(b"\x88\x02" + struct.pack("!H", 1009)):
            piece = await stream.receive_some()
            assert piece
            answer += piece


class TestBoundaries:
    """Security rule T1: what fails for one client ends at that client, and is logged."""

    @pytest.mark.parametrize("name", ["verify", "open", "receive_bounded", "outgoing", "lost"])
    @pytest.mark.parametrize("accepted", [False, True], ids=["request", "accepted"])
    async def test_in_the_core(
        self,
        name: str,
        accepted: bool,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        io = echo_server()
        async with (
            serving(accepting(io) if accepted else io.websocket_handler) as port,
            websocket(port) as other,
        ):
            await other.join()
            books = Books(io)
            with monkeypatch.context() as patch:
                method = getattr(WebSocketTransport, name)

                def failing(*args: object) -> None:
                    method(*args)
                    raise ZeroDivisionError

                patch.setattr(WebSocketTransport, name, failing)
                async with await open_stream(port) as victim:
                    await victim.send_all(UPGRADE)
                    await wait_all_tasks_blocked()
                    await victim.send_all(masked_text("40"))
                    if name == "lost":
                        await wait_all_tasks_blocked()
                        reset(victim)
                    else:
                        await read_to_end(victim)
                await books.balanced()
            await other.emit("echo", "still here")
            assert await other.event() == ["echo", "still here"]
        assert complaints(caplog) == ["connection failed: ZeroDivisionError()"]


async def test_one_server_on_every_door() -> None:
    """A broadcast reaches the clients of `serve` and those of `websocket_handler`."""
    io = echo_server()
    async with (
        io.listening(HOST, 0) as bound,
        serving(io.websocket_handler) as port,
        websocket(bound.port) as one,
        websocket(port) as two,
        polling(bound.port) as three,
    ):
        await one.join()
        await two.join()
        await three.join()
        io.emit("to", "all")
        assert await one.event() == await two.event() == ["to", "all"]
        assert await three.get() == '42["to","all"]'
        async with websocket(port, sid=three.sid) as probe:
            await probe.send("2probe")
            assert await probe.receive() == "3probe"
            await probe.send("5")
            await probe.emit("echo", "upgraded")
            assert await probe.event() == ["echo", "upgraded"]


async def test_heartbeat() -> None:
    """Time passes for the clients of a handler alone, too."""
    io = Server(ping_interval=0.02)
    async with serving(io.websocket_handler) as port, websocket(port) as client:
        for _ in range(3):
            assert await client.websocket.get_message() == "2"
            await client.send("3")


async def test_backpressure() -> None:
    """At `max_inbound` nothing more is read; handled messages let it go on, in order."""
    io = Server(max_inbound=5)
    go_on = trio.Event()
    handled: list[int] = []

    @io.on("work")
    async def work(socket: Socket, number: int, piece: str) -> None:
        await go_on.wait()
        handled.append(number)

    sent: list[int] = []

    async def send(client: WebSocketClient) -> None:
        for number in range(4 * MANY):
            await client.emit("work", number, PIECE)
            sent.append(number)

    async with (
        serving(io.websocket_handler) as port,
        websocket(port) as client,
        trio.open_nursery() as nursery,
    ):
        await client.join()
        nursery.start_soon(send, client)
        await wait_all_tasks_blocked(0.01)
        assert len(sent) < 4 * MANY
        go_on.set()
        with trio.fail_after(PATIENCE):
            await until(lambda: len(handled) == 4 * MANY)
    assert handled == sent


async def test_engine_server() -> None:
    """Engine.IO alone has the same handler."""
    engine = EngineServer()

    @engine.on("connection")
    def connection(socket: EngineSocket) -> None:
        socket.send("welcome")

    @engine.on("message")
    def message(socket: EngineSocket, data: str | bytes) -> None:
        socket.send(data)

    async with (
        serving(engine.websocket_handler) as port,
        websocket(port, path="/engine.io/") as client,
    ):
        assert await client.receive() == "4welcome"
        await client.send("4text", b"bytes")
        assert await client.receive() == "4text"
        assert await client.receive() == b"bytes"
