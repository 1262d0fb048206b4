"""Middleware, and the handlers of `connect`, `disconnecting` and `disconnect`; the order of all."""

from __future__ import annotations

from typing import Any

import pytest
from support.runtime import Gate, Pause
from support.socketio_client import SocketIOClient, connected, join, record, rooms_of
from support.transcript import socketio

from sansocket.sansio.config import Transport
from sansocket.sansio.errors import ConnectionRefused, LocalProtocolError
from sansocket.sansio.socketio.socket import Socket

on_both_transports = pytest.mark.parametrize("transport", ["polling", "websocket"])
plain_and_async = pytest.mark.parametrize("waits", [False, True])


# Middleware


def test_middleware_in_order() -> None:
    """Protocol rule 64: one after the other, before the answer; each has what the client gave."""
    app, driver = socketio()
    told: list[object] = []
    client = SocketIOClient(driver)

    @app.use
    def first(socket: Socket, auth: dict[str, Any]) -> None:
        told.append(("first", auth))
        auth["seen"] = True
        socket.data["user"] = "ann"

    @app.use
    async def second(socket: Socket, auth: dict[str, Any]) -> None:
        await Pause()
        told.append(("second", auth["seen"], socket.data["user"], client.take()))

    @app.on("connect")
    async def connect(socket: Socket) -> None:
        told.append(("connect", client.take()))

    client.send('0{"token":1}')
    driver.settle()
    [socket_id] = app.sockets
    assert told == [
        ("first", {"token": 1, "seen": True}),
        ("second", True, "ann", []),
        ("connect", [f'0{{"sid":"{socket_id}"}}']),
    ]


def test_middleware_is_of_one_namespace() -> None:
    app, driver = socketio()
    app.of("/open")

    @app.use
    def refuse(socket: Socket, auth: object) -> None:
        raise ConnectionRefused

    client = SocketIOClient(driver)
    client.connect("/open")
    client.send("0")
    assert client.take() == ['4{"message":"not authorized"}']


@plain_and_async
@on_both_transports
@pytest.mark.parametrize(
    ("refusal", "answer"),
    [
        (ConnectionRefused("go away"), '4/a,{"message":"go away"}'),
        (ConnectionRefused("no", {"code": 401}), '4/a,{"message":"no","data":{"code":401}}'),
        (ConnectionRefused("no", 0), '4/a,{"message":"no","data":0}'),
        (ConnectionRefused("é\ud800"), '4/a,{"message":"é\\ud800"}'),
    ],
    ids=repr,
)
def test_a_refusal(
    refusal: ConnectionRefused, answer: str, transport: Transport, waits: bool
) -> None:
    """Protocol rule 60: an object, `data` only where there is some; it may try again (rule 59)."""
    app, driver = socketio()
    namespace = app.of("/a")
    refusing = [True]
    told = record(namespace, "connect", "disconnect")

    @namespace.use
    async def async_one(socket: Socket, auth: object) -> None:
        if waits:
            await Pause()
            if refusing:
                raise refusal

    @namespace.use
    def plain_one(socket: Socket, auth: object) -> None:
        if refusing:
            raise refusal

    client = SocketIOClient(driver, transport)
    client.send("0/a")
    driver.settle()
    assert client.take() == [answer]
    assert not client.over
    assert not namespace.sockets
    assert not rooms_of(namespace)
    assert told == []
    assert driver.runtime.logged == []
    refusing.clear()
    client.send("0/a")
    driver.settle()
    assert told == [("connect",)]


@pytest.mark.parametrize("data", [object(), b"bytes", {"deep": [b"bytes"]}], ids=repr)
def test_a_refusal_with_data_that_cannot_be_sent(data: object) -> None:
    """Protocol rules 53 and 62: the client is answered without it, and the mistake reported."""
    app, driver = socketio()

    @app.use
    def refuse(socket: Socket, auth: object) -> None:
        raise ConnectionRefused("no", data)

    client = SocketIOClient(driver)
    client.send("0")
    assert client.take() == ['4{"message":"no"}']
    [(_, error)] = driver.runtime.logged
    assert isinstance(error, LocalProtocolError)


@plain_and_async
def test_a_middleware_that_fails(waits: bool) -> None:
    """Protocol rule 62, security rules 34 and T13: refused without details, reported once."""
    app, driver = socketio()
    told = record(app, "connect", "disconnect")

    @app.use
    def plain(socket: Socket, auth: object) -> None:
        if not waits:
            raise RuntimeError("secret")

    @app.use
    async def waiting(socket: Socket, auth: object) -> None:
        await Pause()
        raise RuntimeError("secret")

    client = SocketIOClient(driver)
    client.send("0")
    driver.settle()
    assert client.take() == ['4{"message":"Internal server error"}']
    [(message, error)] = driver.runtime.logged
    assert "'connect'" in message
    assert str(error) == "secret"
    assert not app.sockets
    assert not rooms_of(app)
    assert told == []


@pytest.mark.parametrize("raises", [None, ConnectionRefused("no"), RuntimeError("mine")])
def test_the_client_goes_while_the_middleware_waits(raises: Exception | None) -> None:
    """Protocol rule 64: nobody is answered, and the middleware behind it is not asked."""
    app, driver = socketio()
    gate = Gate()
    asked: list[int] = []

    @app.use
    async def waiting(socket: Socket, auth: object) -> None:
        await gate.wait()
        if raises is not None:
            raise raises

    @app.use
    def behind(socket: Socket, auth: object) -> None:
        asked.append(1)

    told = record(app, "connect", "disconnect")
    client = SocketIOClient(driver)
    client.send("0")
    client.leave()
    gate.open()
    driver.settle()
    assert told == []
    assert asked == []
    reported = [error for _, error in driver.runtime.logged]
    assert reported == ([raises] if isinstance(raises, RuntimeError) else [])


@pytest.mark.parametrize("close", [False, True])
def test_a_middleware_that_disconnects(close: bool) -> None:
    """Protocol rule 64: a middleware may say no in this way too."""
    app, driver = socketio()
    told = record(app, "connect", "disconnect")

    @app.use
    def send_away(socket: Socket, auth: object) -> None:
        socket.disconnect(close)

    client = SocketIOClient(driver)
    client.send("0")
    assert client.take() == ["1"]
    assert client.over is close
    assert not app.sockets
    assert told == []
    assert driver.runtime.logged == []


# Connect and disconnect


@plain_and_async
def test_a_connect_handler_that_fails(waits: bool) -> None:
    """Protocol rule 62, security rule T1: the client was let in, and stays; reported once."""
    app, driver = socketio()

    @app.on("connect")
    def plain(socket: Socket) -> None:
        if not waits:
            raise RuntimeError("mine")

    @app.on("connect")
    async def waiting(socket: Socket) -> None:
        await Pause()
        if waits:
            raise RuntimeError("mine")

    told = record(app, "connect", "x")
    client = SocketIOClient(driver)
    client.connect()
    client.send('20["x"]')
    assert told == [("connect",), ("x",)]
    [(message, error)] = driver.runtime.logged
    assert "'connect'" in message
    assert str(error) == "mine"
    assert client.take() == ["30[]"]


def test_events_wait_for_the_connect_handlers() -> None:
    """Protocol rule 64: the client is answered before; what it sends then is kept in order."""
    app, driver = socketio()
    gate = Gate()

    @app.on("connect")
    async def connect(socket: Socket) -> None:
        await gate.wait()
        socket.join("room")

    told = record(app, "connect", "x", "disconnect")
    client = SocketIOClient(driver)
    socket = app.sockets[client.connect()]
    client.send('2["x",1]', "1")
    assert told == []
    gate.open()
    driver.settle()
    assert told == [("connect",), ("x", 1), ("disconnect", "client namespace disconnect")]
    assert socket.rooms == {socket.id}


@plain_and_async
def test_a_disconnect_handler_that_fails(waits: bool) -> None:
    """Security rules T1 and T13: the other handlers are called, and no entry stays."""
    app, driver, client, _ = connected()

    @app.on("disconnecting")
    def plain(socket: Socket, reason: str) -> None:
        raise RuntimeError("mine")

    @app.on("disconnect")
    async def waiting(socket: Socket, reason: str) -> None:
        if waits:
            await Pause()
        raise RuntimeError("mine")

    told = record(app, "disconnecting", "disconnect")
    client.leave()
    assert told == [("disconnecting", "transport close"), ("disconnect", "transport close")]
    assert len(driver.runtime.logged) == 2
    assert not app.sockets


def test_a_disconnect_handler_may_speak_to_the_others() -> None:
    """Its own socket is no longer reached; its rooms are."""
    app, driver, client, socket = connected()
    other, _ = join(app, driver, "websocket", "room")
    socket.join("room")

    @app.on("disconnect")
    async def gone(socket: Socket, reason: str) -> None:
        socket.emit("into the void")
        socket.to(*socket.rooms).emit("gone", socket.id, reason)
        app.emit("all", len(app.sockets))

    client.leave()
    assert other.take() == [f'2["gone","{socket.id}","transport close"]', '2["all",1]']
    assert driver.runtime.logged == []


def test_a_handler_that_disconnects() -> None:
    """Its own event is not acknowledged any more; the end is told after it."""
    app, driver, client, _ = connected()

    @app.on("leave")
    def leave(socket: Socket) -> int:
        socket.disconnect()
        return 1

    told = record(app, "x", "disconnect")
    client.send('20["x"]', '21["leave"]')
    driver.settle()
    assert client.take() == ["30[]", "1"]
    assert told == [("x",), ("disconnect", "server namespace disconnect")]


# One at a time


def test_events_of_one_socket_come_in_order() -> None:
    """One after the other, plain or async, whatever they wait for."""
    app, driver, client, _ = connected()
    gate = Gate()
    told: list[object] = []

    @app.on("slow")
    async def slow(socket: Socket, number: int) -> None:
        told.append(("begins", number))
        await gate.wait()
        told.append(("ends", number))

    @app.on("plain")
    def plain(socket: Socket, number: int) -> None:
        told.append(number)

    client.send('2["plain",1]', '2["slow",2]', '2["plain",3]')
    client.send('2["slow",4]', '2["plain",5]')
    assert told == [1, ("begins", 2)]
    gate.open()
    driver.settle()
    assert told == [1, ("begins", 2), ("ends", 2), 3, ("begins", 4), ("ends", 4), 5]
    assert driver.runtime.tasks == []
    client.send('2["plain",6]')
    assert told[-1] == 6


def test_sockets_do_not_wait_for_each_other() -> None:
    """Neither another client nor another namespace of the same one."""
    app, driver, client, _ = connected()
    gate = Gate()

    @app.on("slow")
    async def slow(socket: Socket) -> None:
        await gate.wait()

    told, other = record(app, "x"), record(app.of("/other"), "x")
    client.connect("/other")
    second, _ = join(app, driver)
    client.send('2["slow"]', '2["x"]', '2/other,["x"]')
    second.send('2["x"]')
    assert other == [("x",)]
    assert told == [("x",)]
    gate.open()
    driver.settle()
    assert told == [("x",), ("x",)]


def test_a_handler_may_wait_for_its_own_client() -> None:
    """An acknowledgement is no event: it comes though the next events wait."""
    app, _, client, _ = connected()

    @app.on("ask back")
    async def ask_back(socket: Socket) -> Any:
        return await socket.call("really?")

    client.send('20["ask back"]', '21["ask back"]')
    assert client.take() == ['20["really?"]']
    client.send('30["yes"]')
    assert client.take() == ['30["yes"]', '21["really?"]']


# Nobody can pile up what is to be handled


def test_slow_handlers_stop_the_reading() -> None:
    """Protocol rule 98: connects and disconnects too; a client's reads wait, and go on."""
    app, driver = socketio(max_inbound=5)
    gate = Gate()

    @app.on("connect")
    async def connect(socket: Socket) -> None:
        await gate.wait()

    client = SocketIOClient(driver)
    for _ in range(2):
        client.connect()
        client.send("1")
    assert not client.pipe.wire.paused
    client.connect()
    assert client.pipe.wire.paused
    gate.open()
    driver.settle()
    assert not client.pipe.wire.paused
