"""Why a socket is disconnected, with every server: features.md, section 15."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from clients.loops import Loop, Noted, on_every_loop
from clients.programs import SERVERS, ServerProgram, program

from sansocket.sansio.socketio.client.socket import ClientSocket


class End(NamedTuple):
    """What a `disconnect` listener sees."""

    reason: str
    active: bool


GONE = End("transport close", True)
BROKEN = End("transport error", True)

CAUSES = {
    "disconnect": End("io server disconnect", False),
    "disconnect and close": End("io server disconnect", False),
    "close the session": GONE,
    "send garbage": End("parse error", True),
    "close the server": GONE,
}


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
    server.stop()


def noting(socket: ClientSocket) -> Noted:
    """What its `disconnect` listener sees."""
    noted = Noted(socket.client.runtime)
    socket.on("disconnect", lambda reason: noted.note(End(reason, socket.active)))
    return noted


@pytest.mark.parametrize("cause", CAUSES)
@on_every_loop
async def test_the_server_ends_it(
    loop: Loop, server: ServerProgram, transport: str, cause: str
) -> None:
    async with loop.connect(server.url, transports=(transport,)) as socket:
        noted = noting(socket)
        socket.emit("provoke", cause)
        [end] = await noted.count(1)
        expected = CAUSES[cause]
        if cause == "close the server":
            # npm's closes the connections of polls before they have an answer.
            assert end in (GONE, BROKEN) if server.name == "npm" else end == GONE
        else:
            assert end == expected
    if cause == "close the server":
        server.restart()


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
async def test_the_client_ends_it(loop: Loop, server: ServerProgram, transport: str) -> None:
    async with loop.connect(server.url, transports=(transport,)) as socket:
        noted = noting(socket)
        socket.disconnect()
        assert await noted.count(1) == [End("io client disconnect", False)]
    async with loop.connect(server.url, transports=(transport,)) as socket:
        noted = noting(socket)
        socket.client.engine.close()
        assert await noted.count(1) == [End("forced close", True)]


@on_every_loop
async def test_leaving_the_block_ends_it(loop: Loop, server: ServerProgram, transport: str) -> None:
    ends: list[Any] = []
    async with loop.connect(server.url, transports=(transport,)) as socket:
        noted = noting(socket)
        ends = noted.seen
    assert ends == [End("io client disconnect", False)]
