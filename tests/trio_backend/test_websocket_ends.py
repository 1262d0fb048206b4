"""How sessions end that `websocket_handler` carries (trio_backend/websocket.py)."""

from __future__ import annotations

import pytest
import trio
from support.transcript import masked_text
from support.trio_client import (
    Books,
    open_stream,
    reset,
    until,
    websocket,
)
from support.trio_server import MANY, PIECE, complaints, disconnect_reasons
from support.trio_websocket_server import UPGRADE, accepting, open_raw, serving
from trio.testing import wait_all_tasks_blocked

from sansocket.trio_backend import Server, Socket


class TestEnds:
    """Whoever ends it, nothing stays (security rule T13)."""

    async def test_by_the_server(self) -> None:
        """The client gets what was sent before, and a close frame."""
        io = Server()

        @io.on("dismiss")
        def dismiss(socket: Socket) -> None:
            socket.emit("farewell")
            socket.disconnect(close=True)

        async with serving(io.websocket_handler) as port:
            books = Books(io)
            async with websocket(port) as client:
                await client.join()
                await client.emit("dismiss")
                assert await client.event() == ["farewell"]
                assert await client.receive() == "41"
                assert await client.close_code() == 1000
            await books.balanced()

    @pytest.mark.parametrize("how", ["close frame", "closed", "reset", "half-closed"])
    async def test_by_the_client(self, how: str) -> None:
        io = Server()
        reasons = disconnect_reasons(io)
        async with serving(io.websocket_handler) as port:
            books = Books(io)
            async with websocket(port) as client:
                await client.join()
                if how == "close frame":
                    await client.websocket.aclose(1001)
                elif how == "reset":
                    reset(client.stream)
                elif how == "half-closed":
                    assert isinstance(client.stream, trio.SocketStream)
                    await client.stream.send_eof()
                    await until(lambda: reasons)
            await books.balanced()
        assert reasons == ["transport close"]

    @pytest.mark.parametrize("accepted", [False, True], ids=["request", "accepted"])
    @pytest.mark.parametrize("steps", range(0, 30, 2))
    async def test_while_it_begins(
        self, steps: int, accepted: bool, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A client that is gone at any moment of its handshake raises nothing (rule T1)."""
        io = Server()
        async with serving(accepting(io) if accepted else io.websocket_handler) as port:
            books = Books(io)
            for request in (UPGRADE + masked_text("40"), UPGRADE.replace(b"EIO=4", b"EIO=3")):
                stream = await open_stream(port)
                await stream.send_all(request)
                for _ in range(steps):
                    await trio.lowlevel.checkpoint()
                reset(stream)
            await books.balanced()
            async with websocket(port) as client:
                await client.join()
        assert complaints(caplog) == []

    @pytest.mark.parametrize("reading", [True, False], ids=["reading", "black hole"])
    async def test_by_the_heartbeat(self, reading: bool) -> None:
        """Security rule T6: who does not answer is cut off, also one who does not even read."""
        io = Server(ping_interval=0.2, ping_timeout=0.2, close_timeout=0.02)
        reasons = disconnect_reasons(io)

        @io.on("flood")
        def flood(socket: Socket) -> None:
            for number in range(MANY):
                socket.emit("piece", number, PIECE)

        async with serving(io.websocket_handler) as port:
            books = Books(io)
            stream = await open_raw(port)
            await stream.send_all(masked_text("40"))
            await until(lambda: io.sockets)
            if not reading:
                await stream.send_all(masked_text('42["flood"]'))
            await books.balanced(own=1)
            await trio.aclose_forcefully(stream)
        assert reasons == ["ping timeout"]

    async def test_while_it_is_not_read(self) -> None:
        """What is written to it tells that it has gone: its handlers are not waited for."""
        io = Server(max_inbound=1)
        reasons = disconnect_reasons(io)
        started = trio.Event()

        @io.on("work")
        async def work(socket: Socket) -> None:
            started.set()
            await until(lambda: not socket.connected)

        async with serving(io.websocket_handler) as port, websocket(port) as client:
            await client.join()
            await client.emit("work")
            await started.wait()
            await client.emit("work")
            await wait_all_tasks_blocked()
            reset(client.stream)
            io.emit("are you there")
            await until(lambda: reasons)
        assert reasons == ["transport close"]

    async def test_refused_and_silent(self) -> None:
        """Refused after it was accepted, a client has `close_timeout` to close, too."""
        io = Server(close_timeout=0.02)
        async with serving(accepting(io)) as port:
            books = Books(io)
            stream = await open_stream(port)
            await stream.send_all(UPGRADE.replace(b"EIO=4", b"EIO=3"))
            while b"\x88\x02" not in await stream.receive_some():
                pass  # its close frame
            await books.balanced(own=1)
            await trio.aclose_forcefully(stream)

    async def test_by_cancellation(self) -> None:
        """The session ends at once, and its handlers are cancelled."""
        io = Server()
        reasons = disconnect_reasons(io)
        started = trio.Event()
        ended: list[str] = []

        @io.on("work")
        async def work(socket: Socket) -> None:
            started.set()
            try:
                await trio.sleep_forever()
            finally:
                ended.append("cancelled")

        books = Books(io)
        async with serving(io.websocket_handler) as port, websocket(port) as client:
            await client.join()
            await client.emit("work")
            await started.wait()
        await books.balanced()
        assert ended == ["cancelled"]
        assert reasons == ["transport close"]

    async def test_by_aclose(self) -> None:
        """The client is told, and a running handler finishes."""
        io = Server()
        reasons = disconnect_reasons(io)
        started, go_on = trio.Event(), trio.Event()
        done: list[str] = []

        @io.on("work")
        async def work(socket: Socket) -> None:
            started.set()
            await go_on.wait()
            done.append("worked")

        async with serving(io.websocket_handler) as port, websocket(port) as client:
            await client.join()
            await client.emit("work")
            await started.wait()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(io.aclose)
                assert await client.close_code() == 1000
                assert done == []
                go_on.set()
            assert done == ["worked"]
        assert reasons == ["server shutting down"]
