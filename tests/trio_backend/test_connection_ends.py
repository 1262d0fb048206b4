"""The ends of connections, over TCP and TLS: whoever ends it, and at every stage."""

from __future__ import annotations

import socket
import struct

import pytest
import trio
from support.tls import Contexts
from support.transcript import masked_text, request_bytes, websocket_request_bytes
from support.trio_client import (
    HOST,
    Books,
    HttpClient,
    open_stream,
    polling,
    read_to_end,
    reset,
    transport_of,
    websocket,
)
from support.trio_server import complaints, echo_server
from trio.testing import MockClock, wait_all_tasks_blocked

from sansocket.trio_backend import Server, Socket, StaticFile

POLL = "EIO=4&transport=polling"
UPGRADE = websocket_request_bytes(query="EIO=4&transport=websocket")
JOINED = UPGRADE + masked_text("40")
PROBE = websocket_request_bytes(query="EIO=4&transport=websocket&sid=SID")


# What is sent, piece after piece; a session by polling was opened before, for those that need one.
STAGES = {
    "connected": (b"",),
    "half a head": (UPGRADE[:50],),
    "handshake": (request_bytes("GET", query=POLL),),
    "parked": (request_bytes("GET", query=POLL + "&sid=SID"),),
    "half a body": (request_bytes("POST", query=POLL + "&sid=SID", body="4" * 1000)[:-500],),
    "websocket": (UPGRADE,),
    "half a frame": (JOINED, masked_text('42["echo"]')[:-3]),
    "joined": (JOINED,),
    "an attachment is missing": (
        JOINED,
        masked_text('451-["echo",{"_placeholder":true,"num":0}]'),
    ),
    "in a handler": (JOINED, masked_text('42["work"]')),
    "unread": (JOINED, masked_text('42["flood"]')),
    "offered": (PROBE,),
    "probing": (PROBE, masked_text("2probe")),
}


class TestEnds:
    """However a client goes, nothing of it stays (security rule T13), and nobody is told."""

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
                for piece in STAGES[stage]:
                    await stream.send_all(piece.replace(b"SID", poller.sid.encode()))
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
        assert complaints(caplog) == []

    async def test_before_it_is_accepted(
        self, either: Contexts, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A connection that is gone when the server takes it from the kernel (rule T1)."""
        io = Server()
        async with io.listening(HOST, 0, ssl_context=either.server) as bound:
            books = Books(io)
            for _ in range(3):
                sock = socket.create_connection((HOST, bound.port))
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                sock.close()
            async with websocket(bound.port, either.client) as client:
                await client.join()
            await books.balanced()
        assert complaints(caplog) == []

    async def test_a_half_closed_client_reads_its_answer(self, either: Contexts) -> None:
        """Who sends a request and shuts its side down still reads what it asked for, if it does."""
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
            stream = await open_stream(bound.port, either.client)
            await stream.send_all(request_bytes("GET", path="/big"))
            await transport_of(stream).send_eof()
            await wait_all_tasks_blocked()
            reset(stream)
            await books.balanced()


class TestAnswersAreReadable:
    """A refusal is readable although the client is still sending: no reset overtakes it."""

    async def refusal(self, contexts: Contexts, request: bytes) -> bytes:
        """Send all of it, then read."""
        io = Server()
        async with io.listening(HOST, 0, ssl_context=contexts.server) as bound:
            books = Books(io)
            async with await open_stream(bound.port, contexts.client) as stream:
                await stream.send_all(request)
                await wait_all_tasks_blocked()
                await stream.send_all(bytes(3_000_000))
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
    async def test_head(self, either: Contexts, start: bytes, autojump_clock: MockClock) -> None:
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
