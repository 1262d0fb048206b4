"""What a client may send when, and what it is answered (protocol rules 43 to 67)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.runtime import Gate
from support.socketio_client import SocketIOClient, assert_gone, record, rooms_of
from support.transcript import socketio

from sansocket.sansio.config import Transport
from sansocket.sansio.errors import ConnectionRefused
from sansocket.sansio.socketio.namespace import Namespace
from sansocket.sansio.socketio.socket import Socket

on_both_transports = pytest.mark.parametrize("transport", ["polling", "websocket"])

PLAIN = '{"message":"not authorized"}'
ERROR = '{"message":"Internal server error"}'
HEADER = '51-["x",{"_placeholder":true,"num":0}]'


def waiting_middleware(namespace: Namespace) -> Gate:
    """Make every client wait for this gate before it is let in."""
    gate = Gate()

    @namespace.use
    async def wait(socket: Socket, auth: dict[str, object]) -> None:
        await gate.wait()

    return gate


# CONNECT


@on_both_transports
def test_connect(transport: Transport) -> None:
    """Protocol rules 57 and 58: the answer has the public id, and nothing else."""
    app, driver = socketio()
    client = SocketIOClient(driver, transport)
    assert not app.sockets
    client.send('0{"token":"secret"}')
    [answer] = client.take()
    assert isinstance(answer, str)
    assert json.loads(answer[1:]).keys() == {"sid"}
    [(socket_id, socket)] = app.sockets.items()
    assert answer == f'0{{"sid":"{socket_id}"}}'
    assert socket.handshake.auth == {"token": "secret"}


@on_both_transports
def test_the_id_of_the_session_stays_secret(transport: Transport) -> None:
    """Protocol rule 97, security rule 32."""
    app, driver = socketio()
    client = SocketIOClient(driver, transport)
    socket = app.sockets[client.connect()]
    assert socket.id != client.sid
    assert client.sid not in f"{socket!r} {socket.rooms!r} {socket.handshake!r}"


def test_namespaces_share_a_connection() -> None:
    """Protocol rules 41 and 57: each is asked for on its own; the main one is not implied."""
    app, driver = socketio()
    admin = app.of("/admin")
    told = record(admin, "x")
    client = SocketIOClient(driver)
    first = client.connect("/admin")
    assert list(admin.sockets) == [first]
    assert not app.sockets
    second = client.connect()
    assert list(app.sockets) == [second]
    assert first != second
    client.send('2/admin,["x",1]')
    assert told == [("x", 1)]


def test_an_unknown_namespace() -> None:
    """Protocol rule 59, security rule 27: refused exactly so, not remembered, and not fatal."""
    app, driver = socketio()
    client = SocketIOClient(driver)
    for number in range(50):
        client.send(f'0/nope-{number},{{"token":1}}')
        assert client.take() == [f'4/nope-{number},{{"message":"Invalid namespace"}}']
    assert list(app.core.namespaces) == ["/"]
    client.connect()


@on_both_transports
def test_a_refusal(transport: Transport) -> None:
    """Protocol rules 59, 60 and 62: exactly these objects; it may try again."""
    app, driver = socketio()
    no_text: Any = ValueError("secret")
    refusals: list[Exception] = [
        ConnectionRefused("no", {"code": 401}),
        ConnectionRefused("no"),
        ConnectionRefused("no", object()),
        ConnectionRefused(no_text),
        RuntimeError("secret"),
    ]

    @app.use
    def refuse(socket: Socket, auth: object) -> None:
        if refusals:
            raise refusals.pop(0)

    client = SocketIOClient(driver, transport)
    for answer in ('{"message":"no","data":{"code":401}}', *['{"message":"no"}'] * 2, PLAIN, ERROR):
        client.send("0")
        assert client.take() == [f"4{answer}"]
    client.connect()


def test_the_bound_on_namespaces() -> None:
    """Protocol rule 98: more are refused as if they did not exist."""
    app, driver = socketio(max_namespaces=2)
    app.of("/a")
    app.of("/b")
    client = SocketIOClient(driver)
    client.connect()
    client.connect("/a")
    client.send("0/b")
    assert client.take() == ['4/b,{"message":"Invalid namespace"}']
    client.send("1/a")
    client.connect("/b")


def test_the_answer_is_one_too_many() -> None:
    """Protocol rules 64 and 98, security rule T13: it ends the connection, and leaves nothing."""
    app, driver = socketio(max_backlog_messages=1)
    told = record(app, "disconnect")
    other = record(app.of("/other"), "disconnect")
    client = SocketIOClient(driver)
    client.pipe.writable = False
    client.send("0", "0/other")
    assert not app.engine.sessions
    for namespace in (app, app.of("/other")):
        assert not namespace.sockets
        assert not rooms_of(namespace)
    assert told == other == [("disconnect", "send buffer full")]


@on_both_transports
@pytest.mark.parametrize("path", ["joined", "pipelined", "while it waits"])
def test_a_second_connect(path: str, transport: Transport) -> None:
    """Protocol rule 61, security rule 26: also before the first is answered."""
    app, driver = socketio()
    told = record(app, "connect")
    if path == "while it waits":
        waiting_middleware(app)
    client = SocketIOClient(driver, transport)
    if path == "pipelined":
        client.send("0", "0")
    else:
        client.send("0")
        client.send("0")
    assert_gone(app, client)
    assert told == ([("connect",)] if path == "joined" else [])
    driver.runtime.cancel()


def test_connect_to_others_while_one_waits() -> None:
    """Protocol rule 61 is about one namespace."""
    app, driver = socketio()
    app.of("/quick")
    gate = waiting_middleware(app)
    client = SocketIOClient(driver)
    client.send("0")
    assert client.take() == []
    client.connect("/quick")
    gate.open()
    driver.settle()
    [answer] = client.take()
    assert answer == f'0{{"sid":"{next(iter(app.sockets))}"}}'


@on_both_transports
@pytest.mark.parametrize("packet", ['2["x"]', "30[]", "1"])
def test_a_packet_before_the_answer(packet: str, transport: Transport) -> None:
    """Protocol rules 57 and 61: the namespace is not joined yet; no handler hears of it."""
    app, driver = socketio()
    told = record(app, "connect", "x", "disconnecting", "disconnect")
    gate = waiting_middleware(app)
    client = SocketIOClient(driver, transport)
    client.send("0")
    client.send(packet)
    gate.open()
    driver.settle()
    assert_gone(app, client)
    assert told == []
    assert driver.runtime.logged == []


@pytest.mark.parametrize("waits", [True, False])
def test_gone_before_it_was_asked_in(waits: bool) -> None:
    """Protocol rule 64: the connection may end in the very bytes that ask for the namespace."""
    app, driver = socketio()
    told = record(app, "connect", "disconnect")
    if waits:
        waiting_middleware(app).open()
    client = SocketIOClient(driver)
    client.send("0", "not a packet")
    assert_gone(app, client)
    assert told == []
    assert driver.runtime.logged == []


@on_both_transports
def test_gone_while_the_middleware_waits(transport: Transport) -> None:
    """Protocol rule 64, security rule T13: no handler is called, and no entry is left."""
    app, driver = socketio()
    told = record(app, "connect", "disconnecting", "disconnect")
    gate = waiting_middleware(app)
    client = SocketIOClient(driver, transport)
    client.send("0")
    client.leave()
    gate.open()
    driver.settle()
    assert not app.engine.sessions
    assert not app.sockets
    assert not rooms_of(app)
    assert told == []
    assert driver.runtime.logged == []


# What must come in time


@pytest.mark.parametrize("sends", [[], ["0/nope"], ["0/refusing"], ["0/slow"]])
def test_no_namespace_in_time(sends: list[str]) -> None:
    """Protocol rule 65, security rule T22: whatever was refused, or waits, meanwhile."""
    app, driver = socketio(connect_timeout=45.0, ping_interval=1000.0)
    waiting_middleware(app.of("/slow"))
    client = SocketIOClient(driver)
    driver.advance(40.0)
    client.send(*sends)
    driver.advance(4.9)
    client.take()
    assert not client.over
    driver.advance(0.2)
    assert_gone(app, client)
    driver.runtime.cancel()


def test_a_namespace_in_time() -> None:
    """Protocol rule 65: the first success counts, though the client leaves again."""
    _, driver = socketio(connect_timeout=45.0, ping_interval=1000.0)
    client = SocketIOClient(driver)
    client.connect()
    client.send("1")
    driver.advance(100.0)
    client.take()
    assert not client.over
    client.connect()


# Namespaces that a parent makes


@pytest.mark.parametrize("packet", ["", "0/dyn", '2/dyn,["x"]', "1/dyn", "bad"])
def test_a_packet_while_a_parent_is_asked(packet: str) -> None:
    """Protocol rules 57, 61 and 66: the name is taken, and nothing else may come for it yet."""
    app, driver = socketio()
    gate = Gate()

    async def decide(name: str, auth: object) -> bool:
        await gate.wait()
        return name == "/dyn"

    app.of(decide)
    client = SocketIOClient(driver)
    client.send("0/dyn", "0/nope")
    assert client.take() == []
    if packet:
        client.send(packet)
    gate.open()
    driver.settle()
    answers = client.take()
    if packet:
        assert_gone(app, client)
        assert list(app.core.namespaces) == ["/"]
    else:
        [(socket_id, _)] = app.core.namespaces["/dyn"].sockets.items()
        assert set(answers) == {
            f'0/dyn,{{"sid":"{socket_id}"}}',
            '4/nope,{"message":"Invalid namespace"}',
        }


def test_those_that_are_asked_for_count() -> None:
    """Protocol rule 98: the bound on namespaces is also one on what is asked at the same time."""
    app, driver = socketio(max_namespaces=2)
    gate = Gate()

    async def decide(name: str, auth: object) -> bool:
        await gate.wait()
        return True

    app.of(decide)
    client = SocketIOClient(driver)
    client.send("0/a", "0/b", "0/c")
    assert client.take() == ['4/c,{"message":"Invalid namespace"}']
    gate.open()
    driver.settle()
    assert len(client.take()) == 2
