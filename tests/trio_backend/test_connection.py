"""One connection: trio_backend/connection.py, over TCP and TLS, with clients of every kind."""

from __future__ import annotations

import struct
from itertools import count

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from sansocket.trio_backend import Server, Socket, StaticFile
from support.tls import Contexts
from support.transcript import masked_text, request_bytes, websocket_request_bytes
from support.trio_client import (
    HOST,
    PATIENCE,
    Books,
    HttpClient,
    open_stream,
    polling,
    read_to_end,
    reset,
    transport_of,
    until,
    websocket,
)

POLL = "EIO=4&transport=polling"
UPGRADE = websocket_request_bytes(query="EIO=4&transport=websocket")
JOINED = UPGRADE + masked_text("40")
PIECE = "x" * 50_000
MANY = 200
"""So many pieces are more than a kernel keeps for one connection."""


def echo_server(**options: float) -> Server:
    """A server that sends every `echo` back, and floods those who ask for it."""
    io = Server(**options)  # type: ignore[arg-type]

    @io.on("echo")
    def echo(socket: Socket, *args: object) -> None:
        socket.emit("echo", *args)

    @io.on("flood")
    def flood(socket: Socket) -> None:
        for number in range(MANY):
            socket.emit("piece", number, PIECE)

    return io


async def test_both_transports(either: Contexts) -> None:
    """Bytes in, bytes out; and the handshake says whether they were encrypted."""
    io = echo_server()
    secure: list[bool] = []

    @io.on("connect")
    def connected(socket: Socket) -> None:
        secure.append(socket.handshake.secure)

    async with io.listening(HOST, 0, ssl_context=either.server) as bound:
        async with websocket(bound.port, either.client) as client:
            await client.join()
            await client.emit("echo", "hi", 1)
            assert await client.event() == ["echo", "hi", 1]
        async with polling(bound.port, either.client) as poller:
            await poller.join()
            assert (await poller.post('42["echo","hi"]')).body == "ok"
            assert await poller.get() == '42["echo","hi"]'
    assert secure == [either.server is not None] * 2


async def test_more_than_the_kernel_takes(either: Contexts) -> None:
    """What the kernel refuses is written later, whole and in order."""
    io = echo_server()
    async with io.listening(HOST, 0, ssl_context=either.server) as bound:
        async with websocket(bound.port, either.client) as client:
            await client.join()
            await client.emit("flood")
            await wait_all_tasks_blocked()
            for number in range(MANY):
                assert await client.event() == ["piece", number, PIECE]
            await client.emit("echo")
            assert await client.event() == ["echo"]


async def test_a_client_that_sends_all_before_it_reads(either: Contexts) -> None:
    """Reading pauses at `max_inbound` and at `pause_backlog`, and goes on when it may.

    Neither may wait for the next heartbeat (rule 98).
    """
    io = Server(ping_interval=1000, max_inbound=3, pause_backlog=300_000)

    @io.on("echo")
    async def echo(socket: Socket, number: int) -> None:
        await trio.lowlevel.checkpoint()
        socket.emit("echo", number, PIECE)

    async with io.listening(HOST, 0, ssl_context=either.server) as bound:
        async with websocket(bound.port, either.client) as client:
            await client.join()
            for number in range(2 * MANY):
                await client.emit("echo", number)
            await wait_all_tasks_blocked()
            with trio.fail_after(PATIENCE):
                for number in range(2 * MANY):
                    assert await client.event() == ["echo", number, PIECE]


async def test_backpressure(either: Contexts) -> None:
    """At `max_inbound` the connection is read no more; handled messages let it go on."""
    io = Server(max_inbound=5)
    go_on = trio.Event()
    handled: list[int] = []

    @io.on("work")
    async def work(socket: Socket, number: int, piece: str) -> None:
        await go_on.wait()
        handled.append(number)

    sent: list[int] = []
    async with io.listening(HOST, 0, ssl_context=either.server) as bound:
        async with websocket(bound.port, either.client) as client, trio.open_nursery() as nursery:
            await client.join()

            async def send() -> None:
                for number in range(4 * MANY):
                    await client.emit("work", number, PIECE)
                    sent.append(number)

            nursery.start_soon(send)
            await wait_all_tasks_blocked(0.05)
            assert len(sent) < 4 * MANY
            assert handled == []
            go_on.set()
            await until(lambda: len(handled) == 4 * MANY)
    assert handled == sent


async def test_drain(either: Contexts) -> None:
    """`drain` waits while a client does not read, and no longer (api.md)."""
    io = Server(max_backlog=10 * MANY * len(PIECE))
    flooded, drained = trio.Event(), trio.Event()

    @io.on("flood")
    async def flood(socket: Socket) -> None:
        for number in range(4 * MANY):
            socket.emit("piece", number, PIECE)
        flooded.set()
        await socket.drain()
        drained.set()

    async with io.listening(HOST, 0, ssl_context=either.server) as bound:
        async with websocket(bound.port, either.client, receive_buffer=4096) as client:
            await client.join()
            await client.emit("flood")
            await flooded.wait()
            await wait_all_tasks_blocked()
            assert not drained.is_set()
            for number in range(4 * MANY):
                assert await client.event() == ["piece", number, PIECE]
            await drained.wait()


async def test_a_slow_consumer(either: Contexts) -> None:
    """Security rule T6: who does not read is closed at `max_backlog`, and delays nobody."""
    io = Server(max_backlog=1_000_000)
    reasons: list[str] = []

    @io.on("disconnect")
    def gone(socket: Socket, reason: str) -> None:
        reasons.append(reason)

    async with io.listening(HOST, 0, ssl_context=either.server) as bound:
        async with (
            websocket(bound.port, either.client, receive_buffer=4096) as slow,
            websocket(bound.port, either.client) as quick,
        ):
            await slow.join()
            await quick.join()
            for number in count():
                io.emit("piece", number, PIECE)
                assert await quick.event() == ["piece", number, PIECE]
                if reasons:
                    break
            assert reasons == ["send buffer full"]
            assert len(io.sockets) == 1


async def test_many_connections(either: Contexts) -> None:
    """200 clients at once, each with its own answers."""
    io = echo_server()
    books = Books(io)

    async def visit(port: int, number: int) -> None:
        async with websocket(port, either.client) as client:
            await client.join()
            for step in range(3):
                await client.emit("echo", number, step)
                assert await client.event() == ["echo", number, step]

    async with io.listening(HOST, 0, ssl_context=either.server) as bound:
        async with trio.open_nursery() as nursery:
            for number in range(200):
                nursery.start_soon(visit, bound.port, number)
        await until(lambda: not io.sockets)
    await books.balanced()


class TestEnds:
    """However a client goes, nothing of it stays (security rule T13), and nobody is told."""

    # Every stage begins with a session by polling, for those that need one.
    STAGES = {
        "connected": b"",
        "half a head": UPGRADE[:50],
        "handshake": request_bytes("GET", query=POLL),
        "parked": request_bytes("GET", query=POLL + "&sid=SID"),
        "half a body": request_bytes("POST", query=POLL + "&sid=SID", body="4" * 1000)[:-500],
        "websocket": UPGRADE,
        "half a frame": JOINED + masked_text('42["echo"]')[:-3],
        "joined": JOINED,
        "an attachment is missing": JOINED
        + masked_text('451-["echo",{"_placeholder":true,"num":0}]'),
        "in a handler": JOINED + masked_text('42["work"]'),
        "unread": JOINED + masked_text('42["flood"]'),
        "offered": websocket_request_bytes(query="EIO=4&transport=websocket&sid=SID"),
        "probing": websocket_request_bytes(query="EIO=4&transport=websocket&sid=SID")
        + masked_text("2probe"),
    }

    @pytest.mark.parametrize("how", ["reset", "closed", "half-closed"])
    @pytest.mark.parametrize("stage", STAGES)
    async def test_at_every_stage(
        self, stage: str, how: str, either: Contexts, caplog: pytest.LogCaptureFixture
    ) -> None:
        io = echo_server(ping_interval=0.05, ping_timeout=0.05)

        @io.on("work")
        async def work(socket: Socket) -> None:
            await wait_all_tasks_blocked()

        async with io.listening(HOST, 0, ssl_context=either.server) as bound:
            books = Books(io)
            async with polling(bound.port, either.client) as poller:
                stream = await open_stream(bound.port, either.client)
                await stream.send_all(self.STAGES[stage].replace(b"SID", poller.sid.encode()))
                await wait_all_tasks_blocked()
                if how == "reset":
                    reset(stream)
                elif how == "closed":
                    await trio.aclose_forcefully(stream)
                else:
                    await transport_of(stream).send_eof()
                    await read_to_end(transport_of(stream))
            await trio.aclose_forcefully(stream)
            await books.balanced()
        assert [record for record in caplog.records if record.levelname != "DEBUG"] == []

    async def test_a_half_closed_client_reads_its_answer(self, either: Contexts) -> None:
        """Who sends a request and shuts its side down still reads what it asked for."""
        io = Server()
        io.static["/big"] = StaticFile(bytes(8_000_000), "application/octet-stream")
        async with io.listening(HOST, 0, ssl_context=either.server) as bound:
            books = Books(io)
            async with await open_stream(bound.port, either.client) as stream:
                await stream.send_all(request_bytes("GET", path="/big"))
                await transport_of(stream).send_eof()
                await wait_all_tasks_blocked()
                assert len(await read_to_end(stream)) > 8_000_000
            await books.balanced()


class TestAnswersAreReadable:
    """A refusal is readable although the client is still sending: no reset overtakes it."""

    REST = bytes(3_000_000)

    async def refusal(self, contexts: Contexts, request: bytes) -> bytes:
        """Send all of it, then read."""
        io = Server()
        async with io.listening(HOST, 0, ssl_context=contexts.server) as bound:
            books = Books(io)
            async with await open_stream(bound.port, contexts.client) as stream:
                await stream.send_all(request)
                await wait_all_tasks_blocked()
                await stream.send_all(self.REST)
                answer = await read_to_end(stream)
            await books.balanced()
        return answer

    async def test_413(self, either: Contexts) -> None:
        """Rule 19, security rule T4."""
        head = f"POST /socket.io/?{POLL} HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n"
        answer = await self.refusal(either, head.encode())
        assert answer.startswith(b"HTTP/1.1 413 ")

    async def test_400(self, either: Contexts) -> None:
        """Security rule T30."""
        assert (await self.refusal(either, b"\0\r\n\r\n")).startswith(b"HTTP/1.1 400 ")

    @pytest.mark.parametrize(
        ("code", "start"),
        [
            (1009, struct.pack("!BBQI", 0x82, 0x80 | 127, 3_000_000, 0)),
            (1002, struct.pack("!BB", 0x82, 10)),
            (1002, masked_text("4[")),
        ],
        ids=["too large", "not masked", "no packet"],
    )
    async def test_close_frames(self, either: Contexts, code: int, start: bytes) -> None:
        """Rule 19, security rules T4 and 21."""
        answer = await self.refusal(either, JOINED + start)
        assert answer.endswith(struct.pack("!BBH", 0x88, 2, code))


class TestSilence:
    """Security rule 10: who says nothing is closed, and costs nothing meanwhile."""

    @pytest.mark.parametrize("start", [b"", UPGRADE[:40]], ids=["nothing", "half a head"])
    async def test_head(
        self, either: Contexts, start: bytes, autojump_clock: MockClock
    ) -> None:
        io = Server(head_timeout=10)
        async with io.listening(HOST, 0, ssl_context=either.server) as bound:
            books = Books(io)
            began = trio.current_time()
            async with await open_stream(bound.port, either.client) as stream:
                await stream.send_all(start)
                answer = await read_to_end(stream)
            assert answer.startswith(b"HTTP/1.1 408 " if start else b"")
            assert 10 <= trio.current_time() - began < 11
            await books.balanced()

    async def test_never_tls(self, tls: Contexts, autojump_clock: MockClock) -> None:
        """Who connects to an encrypted port and does not begin a handshake."""
        io = Server(head_timeout=10)
        async with io.listening(HOST, 0, ssl_context=tls.server) as bound:
            books = Books(io)
            async with await open_stream(bound.port) as stream:
                assert await read_to_end(stream) == b""
            assert 10 <= trio.current_time() < 11
            await books.balanced()

    async def test_idle(self, either: Contexts, autojump_clock: MockClock) -> None:
        """Between two requests a connection may wait longer."""
        io = Server(keep_alive_timeout=75, ping_interval=1000)
        async with io.listening(HOST, 0, ssl_context=either.server) as bound:
            async with await open_stream(bound.port, either.client) as stream:
                assert (await HttpClient(stream).request("GET", POLL)).status == 200
                assert await read_to_end(stream) == b""
            assert 75 <= trio.current_time() < 76

    @pytest.mark.parametrize(
        "garbage",
        [b"\x16\x03\x01\x02\x00\x01\x00", bytes(100), b"\r\n" * 50, b"\xff" * 20_000, UPGRADE],
        ids=["tls", "zeros", "lines", "long", "http"],
    )
    async def test_garbage(
        self, either: Contexts, garbage: bytes, caplog: pytest.LogCaptureFixture
    ) -> None:
        """What is not even HTTP, or not even TLS, ends that connection and no other."""
        io = echo_server(head_timeout=0.1)
        async with io.listening(HOST, 0, ssl_context=either.server) as bound:
            books = Books(io)
            async with await open_stream(bound.port) as stream:
                await stream.send_all(garbage)
                if garbage is not UPGRADE or either.server:
                    await read_to_end(stream)
            await books.balanced()
            async with websocket(bound.port, either.client) as client:
                await client.join()
        assert [record for record in caplog.records if record.levelname != "DEBUG"] == []
