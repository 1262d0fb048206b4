"""A client that owes an acknowledgement is read from beyond `max_inbound`, to a second bound."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest
from support.runtime import Gate
from support.socketio_client import SocketIOClient, assert_gone
from support.transcript import Driver, socketio

from sansocket.sansio.config import Transport
from sansocket.sansio.errors import Disconnected
from sansocket.sansio.socketio.app import App
from sansocket.sansio.socketio.socket import Socket

SMALL: Final[dict[str, Any]] = {"max_inbound_bytes": 3_000}

on_both_transports = pytest.mark.parametrize("transport", ["polling", "websocket"])


def asking(transport: Transport, **options: Any) -> tuple[App, Driver, SocketIOClient, list[Any]]:
    """A server whose handler of `ask` waits for its client, and what has come of that."""
    app, driver = socketio(max_inbound=3, **options)
    told: list[Any] = []

    @app.on("ask")
    async def ask(socket: Socket) -> None:
        try:
            told.append(await socket.call("really?"))
        except Disconnected as gone:
            told.append(gone.reason)

    app.on("later", lambda socket, number: told.append(number))
    client = SocketIOClient(driver, transport)
    client.connect()
    client.send('2["ask"]')
    assert client.take() == ['20["really?"]']
    return app, driver, client, told


@on_both_transports
def test_the_answer_comes_though_much_waits_before_it(transport: Transport) -> None:
    """A handler waiting in `call` never blocks the reader; the order of events stays."""
    _, _, client, told = asking(transport)
    for number in range(30):
        client.send(f'2["later",{number}]')
    assert told == []
    client.send('30["yes"]')
    assert told == ["yes", *range(30)]


def test_nobody_reads_on_for_a_client_that_owes_nothing() -> None:
    """Protocol rule 98: with its last answer the first bound holds again."""
    app, driver = socketio(max_inbound=3)
    gate = Gate()

    @app.on("slow")
    async def slow(socket: Socket) -> None:
        await gate.wait()

    client = SocketIOClient(driver)
    socket = app.sockets[client.connect()]
    client.send('2["slow"]', '2["slow"]', '2["slow"]')
    assert client.pipe.wire.paused
    for name in ("first", "second"):
        socket.emit(name, ack=lambda *answer: None)
    assert not client.pipe.wire.paused
    client.send("30[]")
    assert not client.pipe.wire.paused
    client.send("31[]")
    assert client.pipe.wire.paused
    gate.open()
    driver.settle()
    assert not client.pipe.wire.paused


def test_bytes_that_wait_stop_the_reading() -> None:
    """Protocol rule 98: a bound in bytes too, or a thousand messages would be a gigabyte."""
    app, driver = socketio(max_inbound_bytes=3_000)
    gate = Gate()
    handled: list[str] = []

    @app.on("slow")
    async def slow(socket: Socket, text: str) -> None:
        await gate.wait()
        handled.append(text)

    client = SocketIOClient(driver)
    client.connect()
    [session] = app.engine.sessions.values()
    for _ in range(2):
        client.send('2["slow","' + "x" * 1_000 + '"]')
        assert not session.congested
    client.send('2["slow","' + "x" * 1_000 + '"]')
    assert client.pipe.wire.paused
    gate.open()
    driver.settle()
    assert len(handled) == 3
    assert not client.pipe.wire.paused
    assert (session.inbound, session.inbound_bytes) == (0, 0)


def test_attachments_count_with_their_packet() -> None:
    """What is held is what came, header and all; bytes of text are those of UTF-8."""
    app, driver = socketio()
    gate = Gate()

    @app.on("slow")
    async def slow(socket: Socket, value: object) -> None:
        await gate.wait()

    client = SocketIOClient(driver)
    client.connect()
    [session] = app.engine.sessions.values()
    header = '51-["slow",{"_placeholder":true,"num":0}]'
    client.send(header, b"x" * 100)
    assert session.inbound_bytes == len(header) + 100
    client.send('2["slow","\u20ac"]')
    assert session.inbound_bytes == len(header) + 100 + len('2["slow","..."]')
    gate.open()
    driver.settle()
    assert (session.inbound, session.inbound_bytes) == (0, 0)


@on_both_transports
@pytest.mark.parametrize(
    ("options", "event"),
    [
        ({"max_surplus": 20}, '2["later",1]'),
        ({**SMALL, "max_surplus_bytes": 18_000}, '2["later","' + "x" * 1000 + '"]'),
        ({**SMALL, "max_surplus_bytes": 18_000}, '2["later","' + "\u20ac" * 333 + '"]'),
    ],
    ids=["messages", "bytes", "bytes of text"],
)
def test_the_second_bound(transport: Transport, options: dict[str, Any], event: str) -> None:
    """Protocol rule 98: beyond it the client is closed, and told apart from others."""
    app, _, client, told = asking(transport, **options)
    reasons: list[str] = []
    app.on("disconnect", lambda socket, reason: reasons.append(reason))
    for _ in range(20):
        client.send(event)
    assert reasons == []
    for _ in range(5):
        client.send(event)
    assert told[0] == "receive buffer full"
    assert reasons == ["receive buffer full"]
    assert_gone(app, client)


def test_the_bytes_of_one_flood_are_not_those_of_the_next() -> None:
    """Only those count that wait."""
    app, driver, client, told = asking("websocket", **SMALL, max_surplus_bytes=5_000)
    event = '2["later","' + "x" * 1000 + '"]'
    for round in range(3):
        for _ in range(5):
            client.send(event)
        client.send(f"3{round}[]", '2["ask"]')
        assert client.take() == [f'2{round + 1}["really?"]']
    assert len(app.sockets) == 1
    assert told.count(None) == 3
    assert driver.runtime.logged == []


@pytest.mark.parametrize("waits", [True, False])
def test_a_client_that_vanishes_is_noticed(waits: bool) -> None:
    """The heartbeat judges whoever is read from; the pong of another may wait unread."""
    app, driver = socketio(max_inbound=3, ping_interval=25.0, ping_timeout=20.0)
    gate = Gate()
    ends: dict[bool, Callable[[Socket], Any]] = {
        True: lambda socket: socket.call("really?"),
        False: lambda socket: gate.wait(),
    }

    @app.on("ask")
    async def ask(socket: Socket) -> None:
        await ends[waits](socket)

    client = SocketIOClient(driver)
    client.connect()
    client.send(*['2["ask"]'] * 5)
    driver.advance(46.0)
    assert bool(app.sockets) is not waits
