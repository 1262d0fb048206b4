"""Why a socket is disconnected, with every server: features.md, section 15."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from clients.cutter import Cutter
from clients.loops import Loop, Noted, on_every_loop
from clients.programs import SERVERS, ServerProgram, program

from sansocket.sansio.engineio.client.session import PONG, ClientSession
from sansocket.sansio.engineio.encoded import Encoded, encode_message
from sansocket.sansio.socketio.client.socket import ClientSocket


class End(NamedTuple):
    """What a `disconnect` listener sees."""

    reason: str
    active: bool


GONE = End("transport close", True)
BROKEN = End("transport error", True)

CAUSES = {
    "disconnect": (End("io server disconnect", False), "server namespace disconnect"),
    "disconnect and close": (End("io server disconnect", False), "server namespace disconnect"),
    "close the session": (GONE, "forced close"),
    "send garbage": (End("parse error", True), "transport close"),
    "close the server": (GONE, "server shutting down"),
}
"""What each is to the client, and to the server."""

CARELESS = {("close the server", "npm"), ("close the session", "python-socketio")}
"""Where a server may close the connections of polls before they have an answer."""


@pytest.fixture(params=["polling", "websocket"])
def transport(request: pytest.FixtureRequest) -> str:
    """What carries the session."""
    name: str = request.param
    return name


@pytest.fixture(scope="module", params=SERVERS)
def mortal(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServerProgram]:
    """A server that may be killed, with a quick heartbeat."""
    # python-socketio tells whole seconds.
    interval = 1.0 if request.param == "python-socketio" else 0.2
    complaints = tmp_path_factory.mktemp("server") / "stderr"
    server = program(request.param, complaints, interval, timeout=0.5)
    yield server
    server.close()


def noting(socket: ClientSocket) -> Noted:
    """What its `disconnect` listener sees."""
    noted = Noted(socket.client.runtime)
    socket.on("disconnect", lambda reason: noted.note(End(reason, socket.active)))
    return noted


class Watched:
    """A socket whose end is noted on both sides."""

    def __init__(self, server: ServerProgram, socket: ClientSocket) -> None:
        self.noted = noting(socket)
        self.connected = Noted(socket.client.runtime)
        socket.on("connect", lambda: self.connected.note(None))
        self._server = server
        self._socket = socket
        self._id = ""

    async def begin(self) -> Watched:
        """Have the server print why it ends; python-socketio has other words for that."""
        assert self._socket.id is not None
        self._id = self._socket.id
        if self._server.name != "python-socketio":
            await self._socket.call("report")
        return self

    async def again(self) -> None:
        """Wait until it is connected anew."""
        await self.connected.count(1)

    def told(self, *expected: str) -> None:
        """The reason of the server is one of these."""
        if self._server.name != "python-socketio":
            while True:
                who, _, reason = self._server.line().rstrip().partition(" ")
                if who == self._id:
                    break
            assert reason in expected


@pytest.mark.parametrize("cause", CAUSES)
@on_every_loop
async def test_the_server_ends_it(
    loop: Loop, server: ServerProgram, way: dict[str, Any], cause: str
) -> None:
    """Also in the midst of an upgrade, which is let finish."""
    expected, to_the_server = CAUSES[cause]
    async with loop.connect(server.url, reconnection_delay=0.01, **way) as socket:
        watched = await Watched(server, socket).begin()
        socket.emit("provoke", cause)
        [end] = await watched.noted.count(1)
        if (cause, server.name) in CARELESS:
            assert end in (GONE, BROKEN)
        else:
            assert end == expected
        if cause == "send garbage":
            await watched.again()  # by then the server has been told that this is the end
    watched.told(to_the_server)
    if cause == "close the server":
        server.restart()


@on_every_loop
async def test_leaving_at_once_after_a_parse_error(
    loop: Loop, server: ServerProgram, way: dict[str, Any]
) -> None:
    """The server is told before the block is over, as by npm's client: not by its heartbeat."""
    async with loop.connect(server.url, **way) as socket:
        watched = await Watched(server, socket).begin()
        socket.emit("provoke", "send garbage")
        assert await watched.noted.count(1) == [End("parse error", True)]
    watched.told("transport close")
    assert not socket.client.links


@on_every_loop
async def test_the_server_dies(loop: Loop, mortal: ServerProgram, transport: str) -> None:
    async with loop.connect(mortal.url, transports=(transport,)) as socket:
        noted = noting(socket)
        mortal.stop()
        [end] = await noted.count(1)
        assert end == (GONE if transport == "websocket" else BROKEN)
    mortal.restart()


@on_every_loop
async def test_the_server_freezes(loop: Loop, mortal: ServerProgram, transport: str) -> None:
    """Rule 21: without a ping the client knows it by itself."""
    async with loop.connect(mortal.url, transports=(transport,), close_timeout=0.2) as socket:
        noted = noting(socket)
        mortal.freeze()
        assert await noted.count(1) == [End("ping timeout", True)]
        socket.disconnect()
    mortal.restart()


@on_every_loop
async def test_the_client_ends_it(loop: Loop, server: ServerProgram, way: dict[str, Any]) -> None:
    async with loop.connect(server.url, **way) as socket:
        watched = await Watched(server, socket).begin()
        socket.disconnect()
        assert await watched.noted.count(1) == [End("io client disconnect", False)]
    watched.told("client namespace disconnect")
    async with loop.connect(server.url, **way) as socket:
        watched = await Watched(server, socket).begin()
        socket.client.engine.close()
        assert await watched.noted.count(1) == [End("forced close", True)]
    watched.told("transport close")


@on_every_loop
async def test_the_connection_is_cut(loop: Loop, mortal: ServerProgram, transport: str) -> None:
    """By a reset, at both ends at once. Between two polls there is nothing to be cut: then the
    server has only its heartbeat."""
    with Cutter(mortal.port) as cutter:
        async with loop.connect(cutter.url, transports=(transport,)) as socket:
            watched = await Watched(mortal, socket).begin()
            cutter.cut()
            [end] = await watched.noted.count(1)
            assert end == (GONE if transport == "websocket" else BROKEN)
    silence = ("ping timeout",) if transport == "polling" else ()
    watched.told("transport close", "transport error", *silence)


@on_every_loop
async def test_the_client_answers_no_pings(
    loop: Loop, mortal: ServerProgram, transport: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rule 22: the server gives it up."""
    queue: Callable[[ClientSession, Encoded], None] = vars(ClientSession)["_queue"]

    def speechless(session: ClientSession, encoded: Encoded) -> None:
        if encoded is not PONG:
            queue(session, encoded)

    monkeypatch.setattr(ClientSession, "_queue", speechless)
    if mortal.name != "python-socketio":
        # That the client is the last to lose patience is sure then, however busy the machine is.
        monkeypatch.setattr(ClientSession, "_patience", 1000.0)
    async with loop.connect(mortal.url, transports=(transport,)) as socket:
        watched = await Watched(mortal, socket).begin()
        [end] = await watched.noted.count(1)
        if mortal.name == "python-socketio":
            # It looks now and then only, and leaves a poll without an answer.
            assert end in (GONE, End("ping timeout", True))
        else:
            assert end == GONE
    watched.told("ping timeout")


@pytest.mark.parametrize(
    ("garbage", "to_the_server"),
    [(Encoded(b"9", (), 1), "parse error"), (encode_message(["9"]), "forced close")],
    ids=["Engine.IO", "Socket.IO"],
)
@on_every_loop
async def test_the_client_sends_garbage(
    loop: Loop, server: ServerProgram, transport: str, garbage: Encoded, to_the_server: str
) -> None:
    """Rules 13 and 44. Our server says which of the two sides broke the protocol, npm's says only
    that it closed."""
    if server.name == "python-socketio":
        return  # it goes on as if nothing had been sent
    async with loop.connect(server.url, transports=(transport,)) as socket:
        watched = await Watched(server, socket).begin()
        for link in socket.client.links:
            link.engine.send(garbage)
        [end] = await watched.noted.count(1)
        # The answer to the POST that had the garbage may come before that of the poll.
        assert end in ((GONE, BROKEN) if transport == "polling" else (GONE,))
    watched.told(to_the_server if server.name == "npm" else "parse error")


@on_every_loop
async def test_leaving_the_block_ends_it(loop: Loop, server: ServerProgram, transport: str) -> None:
    ends: list[Any] = []
    async with loop.connect(server.url, transports=(transport,)) as socket:
        noted = noting(socket)
        ends = noted.seen
    assert ends == [End("io client disconnect", False)]
