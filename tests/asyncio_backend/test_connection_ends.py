"""The ends of connections, over TCP and TLS: whoever ends it, and at every stage."""

from __future__ import annotations

import errno
import socket
import struct
from typing import Unpack

import pytest
from support.asyncio_client import (
    HOST,
    Books,
    HttpClient,
    Stream,
    open_stream,
    polling,
    websocket,
)
from support.asyncio_server import echo_server
from support.loops import on_both_loops, turns, until
from support.servers import complaints, disconnect_reasons
from support.tls import Contexts
from support.transcript import masked_text, request_bytes, websocket_request_bytes

from sansocket.asyncio_backend import Server, Socket, StaticFile
from sansocket.sansio.config import ServerOptions

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


@on_both_loops
@pytest.mark.parametrize("how", ["reset", "closed", "half-closed"])
@pytest.mark.parametrize("stage", STAGES)
async def test_at_every_stage(
    stage: str, how: str, either: Contexts, caplog: pytest.LogCaptureFixture
) -> None:
    """However a client goes, nothing of it stays (security rule T13), and nobody is told."""
    io = echo_server(ping_interval=0.05, ping_timeout=0.05)

    @io.on("work")
    async def work(socket: Socket) -> None:
        await turns()

    async with io.listening(HOST, 0, ssl_context=either.server) as bound:
        books = Books(io)
        async with (
            polling(bound.port, either.client) as poller,
            await open_stream(bound.port, either.client) as stream,
        ):
            for piece in STAGES[stage]:
                await stream.send_all(piece.replace(b"SID", poller.sid.encode()))
                await turns()
            if how == "reset":
                stream.reset()
            elif how == "half-closed":
                stream.send_eof()
                await stream.read_raw_to_end()
        await books.balanced()
    assert complaints(caplog) == []


class TestHalfClosed:
    """Who sends a request and shuts its side down still reads what it asked for, if it does."""

    @on_both_loops
    async def test_it_reads(self, either: Contexts) -> None:
        io = big_file()
        async with io.listening(HOST, 0, ssl_context=either.server) as bound:
            books = Books(io)
            async with await open_stream(bound.port, either.client) as stream:
                await stream.send_all(request_bytes("GET", path="/big"))
                stream.send_eof()
                await turns()
                assert len(await stream.read_to_end()) > 8_000_000
            await books.balanced()

    @on_both_loops
    async def test_it_ends_in_tls(self, tls: Contexts) -> None:
        """TLS has an end of its own, apart from that of TCP."""
        io = big_file()
        async with io.listening(HOST, 0, ssl_context=tls.server) as bound:
            books = Books(io)
            async with await open_stream(bound.port, tls.client) as stream:
                await stream.send_all(request_bytes("GET", path="/big"))
                stream.sock.send(stream.close_notify())
                await turns()
                assert len(await stream.read_to_end()) > 8_000_000
            await books.balanced()

    @on_both_loops
    async def test_it_goes(self, either: Contexts) -> None:
        io = big_file()
        async with io.listening(HOST, 0, ssl_context=either.server) as bound:
            books = Books(io)
            stream = await open_stream(bound.port, either.client)
            await stream.send_all(request_bytes("GET", path="/big"))
            stream.send_eof()
            await turns()
            stream.reset()
            await books.balanced()

    @on_both_loops
    async def test_it_stays_and_does_not_read(self, either: Contexts) -> None:
        """Security rule 10: it is cut off when it is idle for too long."""
        io = big_file(keep_alive_timeout=0.05)
        async with io.listening(HOST, 0, ssl_context=either.server) as bound:
            books = Books(io)
            stream = await open_stream(bound.port, either.client, receive_buffer=4096)
            async with stream:
                await stream.send_all(request_bytes("GET", path="/big"))
                stream.send_eof()
                await books.balanced(own=1)

    @on_both_loops
    async def test_what_still_waits_in_the_core_is_sent(self, either: Contexts) -> None:
        """A WebSocket, too, is written to for as long as something waits for it."""
        io = echo_server()
        async with (
            io.listening(HOST, 0, ssl_context=either.server) as bound,
            websocket(bound.port, either.client, receive_buffer=4096) as client,
        ):
            await client.join()
            await client.emit("flood")
            await until(lambda: sum(each.backlog for each in io.engine.sessions.values()))
            client.stream.send_eof()
            await turns()
            numbers = [(await client.event())[1] for _ in range(200)]
            assert numbers == list(range(200))
            assert await client.close_code() == 1006


def big_file(**options: Unpack[ServerOptions]) -> Server:
    """A server with a file that is more than the kernel takes."""
    io = Server(**options)
    io.static["/big"] = StaticFile(bytes(8_000_000), "application/octet-stream")
    return io


class TestTheMomentOfTheEnd:
    """The peer may be gone already when it is written to, or told of the end: nobody is told."""

    @on_both_loops
    @pytest.mark.parametrize("path", ["/small", "/big"])
    async def test_it_cannot_be_told(
        self,
        path: str,
        either: Contexts,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """The operating system says so when the connection is shut down."""

        def not_connected(sock: socket.socket, how: int) -> None:
            raise OSError(errno.ENOTCONN, "not connected")

        io = big_file()
        io.static["/small"] = StaticFile(b"", "application/octet-stream")
        async with io.listening(HOST, 0, ssl_context=either.server) as bound:
            books = Books(io)
            async with await open_stream(bound.port, either.client) as stream:
                monkeypatch.setattr(socket.socket, "shutdown", not_connected)
                await stream.send_all(request_bytes("GET", path=path, Connection="close"))
                answer = b""
                while b"\r\n\r\n" not in answer or (path == "/big" and len(answer) < 8_000_000):
                    answer += await stream.receive_some()
            await books.balanced()
        assert complaints(caplog) == []

    @on_both_loops
    async def test_it_is_gone(self, either: Contexts, caplog: pytest.LogCaptureFixture) -> None:
        """And who emits to it does not see it yet."""
        io = Server()
        streams: list[Stream] = []

        @io.on("go")
        async def go(socket: Socket) -> None:
            streams[0].reset()
            for number in range(20):
                socket.emit("gone", number)

        async with io.listening(HOST, 0, ssl_context=either.server) as bound:
            books = Books(io)
            async with websocket(bound.port, either.client) as client:
                await client.join()
                streams.append(client.stream)
                await client.emit("go")
                await books.balanced()
        assert complaints(caplog) == []


class TestAnswersAreReadable:
    """A refusal is readable although the client is still sending: no reset overtakes it."""

    async def refusal(self, contexts: Contexts, request: bytes) -> bytes:
        """Send all of it, then read."""
        io = Server()
        async with io.listening(HOST, 0, ssl_context=contexts.server) as bound:
            books = Books(io)
            async with await open_stream(bound.port, contexts.client) as stream:
                await stream.send_all(request)
                await turns()
                await stream.send_all(bytes(3_000_000))
                answer = await stream.read_to_end()
            await books.balanced()
        return answer

    @on_both_loops
    async def test_413(self, either: Contexts) -> None:
        """Rule 19, security rule T4."""
        head = f"POST /socket.io/?{POLL} HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n"
        answer = await self.refusal(either, head.encode())
        assert answer.startswith(b"HTTP/1.1 413 ")

    @on_both_loops
    async def test_400(self, either: Contexts) -> None:
        """Security rule T30."""
        assert (await self.refusal(either, b"\0\r\n\r\n")).startswith(b"HTTP/1.1 400 ")

    @on_both_loops
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

    @on_both_loops
    async def test_a_client_whose_messages_wait(self, either: Contexts) -> None:
        """Reading had been paused, and goes on until the client has seen the end."""
        io = Server(max_inbound=1, ping_interval=1000, close_timeout=1000)

        @io.on("work")
        async def work(socket: Socket) -> None:
            await turns()
            socket.disconnect(close=True)

        async with io.listening(HOST, 0, ssl_context=either.server) as bound:
            books = Books(io)
            async with websocket(bound.port, either.client) as client:
                await client.join()
                await client.emit("work")
                await client.emit("work", "x" * 500_000)
                assert await client.receive() == "41"
                assert await client.close_code() == 1000
                await client.stream.read_raw_to_end()
            await books.balanced()


class TestSilence:
    """Security rule 10: who says nothing is closed, and costs nothing meanwhile."""

    @on_both_loops
    @pytest.mark.parametrize("start", [b"", UPGRADE[:40]], ids=["nothing", "half a head"])
    async def test_head(self, either: Contexts, start: bytes) -> None:
        io = Server(head_timeout=0.05)
        async with io.listening(HOST, 0, ssl_context=either.server) as bound:
            books = Books(io)
            async with await open_stream(bound.port, either.client) as stream:
                await stream.send_all(start)
                answer = await stream.read_to_end()
            assert answer.startswith(b"HTTP/1.1 408 " if start else b"")
            await books.balanced()

    @on_both_loops
    async def test_never_tls(self, tls: Contexts, caplog: pytest.LogCaptureFixture) -> None:
        """Who connects to an encrypted port and does not begin a handshake."""
        io = Server(head_timeout=0.05)
        async with io.listening(HOST, 0, ssl_context=tls.server) as bound:
            books = Books(io)
            async with await open_stream(bound.port) as stream:
                assert await stream.read_to_end() == b""
            await books.balanced()
        assert complaints(caplog) == []

    @on_both_loops
    async def test_idle(self, either: Contexts) -> None:
        """Between two requests a connection may wait longer, but not for ever."""
        io = Server(head_timeout=1000, keep_alive_timeout=0.05, ping_interval=1000)
        async with (
            io.listening(HOST, 0, ssl_context=either.server) as bound,
            await open_stream(bound.port, either.client) as stream,
        ):
            assert (await HttpClient(stream).request("GET", POLL)).status == 200
            assert await stream.read_to_end() == b""

    @on_both_loops
    async def test_after_the_end(self, either: Contexts) -> None:
        """Security rule T6: who does not close after our end is cut off."""
        io = Server(close_timeout=0.05)
        async with io.listening(HOST, 0, ssl_context=either.server) as bound:
            books = Books(io)
            async with await open_stream(bound.port, either.client) as stream:
                await stream.send_all(b"\0\r\n\r\n")
                await books.balanced(own=1)

    @on_both_loops
    async def test_heartbeat(self, either: Contexts) -> None:
        """Rule 25: a ping that is not answered ends the session."""
        io = Server(ping_interval=0.03, ping_timeout=0.5)
        reasons = disconnect_reasons(io)
        async with (
            io.listening(HOST, 0, ssl_context=either.server) as bound,
            websocket(bound.port, either.client) as client,
        ):
            await client.join()
            for _ in range(3):
                assert await client.message() == "2"
                await client.send("3")
            assert await client.message() == "2"
            await until(lambda: reasons)
            assert reasons == ["ping timeout"]
            assert await client.close_code() == 1000
