"""The client of the core against the server of the core, over every transport."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from support.engineio_client import ALL_WAYS, BOTH
from support.fake_engine import record
from support.socketio_client import record as record_server
from support.socketio_network import SocketNetwork

from sansocket.sansio.engineio.encoded import encode_message
from sansocket.sansio.errors import ConnectionRefused, Reason, TransportError
from sansocket.sansio.socketio.acks import Ack
from sansocket.sansio.socketio.client.socket import ClientSocket
from sansocket.sansio.socketio.socket import Socket


@ALL_WAYS
@pytest.mark.parametrize("parser", ["json", "msgpack"])
def test_events_and_answers_both_ways(options: dict[str, Any], parser: str) -> None:
    """Text, bytes and everything JSON has, with and without acknowledgements, in order."""
    network = SocketNetwork(parser=parser)
    app = network.app
    got: list[Any] = []

    @app.on("up")
    def up(socket: Socket, *args: Any) -> tuple[Any, ...]:
        got.append(args)
        return args

    socket = network.joined(parser=parser, **options)
    told = record(socket, "down")
    [server] = app.sockets.values()
    assert (socket.id, server.handshake.auth) == (server.id, {})
    for number in range(50):
        socket.emit("up", number, b"\x00\xff" * number, {"deep": ["é\u2028", None, 1.5]})
        server.emit("down", number, [b"x" * number])
    call = network.task(socket.client, socket.call("up", b"1", 2))
    assert call.result == (b"1", 2)
    assert [args[0] for args in got[:-1]] == list(range(50))
    assert got[3] == (3, b"\x00\xff" * 3, {"deep": ["é\u2028", None, 1.5]})
    assert told == [("down", number, [b"x" * number]) for number in range(50)]
    answers: list[Any] = []
    server.emit("ask", 7, ack=answers.append)
    socket.on("ask", lambda number: number + 1)
    network.settle()
    assert answers == [8]
    assert network.logged() == []


@BOTH
def test_refused_by_middleware(options: dict[str, Any]) -> None:
    """Rule 60: with a message and data; nothing stays of either side."""
    network = SocketNetwork()

    @network.app.use
    def refuse(socket: Socket, auth: dict[str, Any]) -> None:
        if auth != {"token": "secret"}:
            raise ConnectionRefused("not authorized", data={"code": 401})

    client = network.new_client(**options)
    task = network.task(client, client.connect())
    with pytest.raises(ConnectionRefused) as raised:
        _ = task.result
    assert (raised.value.message, raised.value.data) == ("not authorized", {"code": 401})
    network.advance(60)
    assert network.nothing_is_left()
    task = network.task(client, client.connect(auth={"token": "secret"}))
    assert task.result.connected


@ALL_WAYS
def test_namespaces_come_and_go_over_one_connection(options: dict[str, Any]) -> None:
    """Rows 163 and 164, rule 90."""
    network = SocketNetwork()
    for name in ("/a", "/b"):
        network.app.of(name)
    first = network.joined("/a", **options)
    client = first.client
    second = network.task(client, client.connect("/b")).result
    assert len(network.app.engine.sessions) == 1
    first.disconnect()
    network.settle()
    assert second.connected
    assert not network.app.of("/a").sockets
    third = network.task(client, client.connect("/")).result
    second.disconnect()
    third.disconnect()
    network.advance(30)
    assert network.nothing_is_left()
    assert not network.app.of("/b").sockets


def test_a_namespace_that_there_is_not() -> None:
    """Rule 59."""
    network = SocketNetwork()
    client = network.new_client()
    task = network.task(client, client.connect("/nope"))
    with pytest.raises(ConnectionRefused, match="Invalid namespace"):
        _ = task.result


# Each disconnect reason of section 15 of the features


def by_server(network: SocketNetwork, socket: ClientSocket, server: Socket) -> None:
    server.disconnect()


def by_server_with_connection(network: SocketNetwork, socket: ClientSocket, server: Socket) -> None:
    server.disconnect(close=True)


def by_client(network: SocketNetwork, socket: ClientSocket, server: Socket) -> None:
    socket.disconnect()


def by_clients_engine(network: SocketNetwork, socket: ClientSocket, server: Socket) -> None:
    assert socket.client.link is not None
    socket.client.link.engine.close()


def by_servers_engine(network: SocketNetwork, socket: ClientSocket, server: Socket) -> None:
    server.conn.close()


def by_silence(network: SocketNetwork, socket: ClientSocket, server: Socket) -> None:
    for link in network.links:
        link.held = True
    network.unreachable = True
    network.advance(44.9)
    assert socket.connected
    network.advance(0.2)


def by_garbage(network: SocketNetwork, socket: ClientSocket, server: Socket) -> None:
    [session] = network.app.engine.sessions.values()
    session.send(encode_message(["2garbage"]))


def by_cut(network: SocketNetwork, socket: ClientSocket, server: Socket) -> None:
    network.cut()


def by_shutdown(network: SocketNetwork, socket: ClientSocket, server: Socket) -> None:
    network.app.engine.close(Reason.SERVER_SHUTTING_DOWN)


Cause = Callable[[SocketNetwork, ClientSocket, Socket], None]


@pytest.mark.parametrize("transport", ["polling", "websocket"])
@pytest.mark.parametrize(
    ("cause", "at_server", "at_client", "active"),
    [
        (by_server, "server namespace disconnect", "io server disconnect", False),
        (by_server_with_connection, "server namespace disconnect", "io server disconnect", False),
        (by_client, "client namespace disconnect", "io client disconnect", False),
        (by_clients_engine, "transport close", "forced close", True),
        (by_servers_engine, "forced close", "transport close", True),
        (by_silence, "ping timeout", "ping timeout", True),
        (by_garbage, "transport close", "parse error", True),
        (by_cut, "", "", True),
        (by_shutdown, "server shutting down", "transport close", True),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_reasons(
    transport: str, cause: Cause, at_server: str, at_client: str, active: bool
) -> None:
    """What each side is told, and whether the client comes back."""
    network = SocketNetwork()
    server_told = record_server(network.app, "disconnect")
    socket = network.joined(transports=(transport,))
    told = record(socket, "disconnect", "connect")
    [server] = network.app.sockets.values()
    cause(network, socket, server)
    network.settle()
    [(_, reason, *_)] = told
    assert socket.active is active
    lost = "transport error" if transport == "polling" else "transport close"
    assert reason == (at_client or lost)
    network.unreachable = False
    network.advance(60)
    assert server_told[0] == ("disconnect", at_server or lost)
    assert socket.connected is active
    assert told[1:] == [("connect",)] * active
    assert network.logged() == []


# Coming back


@ALL_WAYS
def test_what_is_emitted_while_the_server_is_away(options: dict[str, Any]) -> None:
    """Row 148: it waits, and goes in its order."""
    network = SocketNetwork()
    got = record_server(network.app, "x")
    socket = network.joined(**options)
    socket.emit("x", 0)
    network.settle()
    network.refuse = ConnectionRefusedError()
    network.cut()
    for number in range(1, 10):
        socket.emit("x", number)
        network.advance(1)
    assert not socket.connected
    network.refuse = None
    network.advance(10)
    assert socket.connected
    assert got == [("x", number) for number in range(10)]


@ALL_WAYS
def test_retries_lose_nothing(options: dict[str, Any]) -> None:
    """Rule 88: whatever breaks, each event arrives, and the first arrivals are in order."""
    network = SocketNetwork()
    got: list[int] = []
    arrivals = 0

    @network.app.on("x")
    def up(socket: Socket, number: int, ack: Ack) -> None:
        nonlocal arrivals
        arrivals += 1
        if number not in got:  # the server has to tell by itself
            got.append(number)
        if arrivals % 3:
            ack()

    socket = network.joined(retries=50, ack_timeout=2.0, **options)
    for number in range(20):
        socket.emit("x", number)
        if number % 4 == 0:
            network.advance(1.3)
            network.cut()
    drained = network.task(socket.client, socket.drain())
    network.advance(120)
    assert drained.result is None
    assert got == list(range(20))
    assert arrivals > 20


def test_an_attempt_that_the_server_refuses() -> None:
    """The error says what came."""
    network = SocketNetwork(path="/elsewhere/")
    client = network.new_client()
    task = network.task(client, client.connect())
    with pytest.raises(TransportError) as raised:
        _ = task.result
    assert raised.value.status == 404
    network.advance(30)
    assert network.nothing_is_left()


@ALL_WAYS
def test_aclose(options: dict[str, Any]) -> None:
    """What was emitted goes out, both sides are told, and nothing is left."""
    network = SocketNetwork()
    got = record_server(network.app, "x", "disconnect")
    socket = network.joined(**options)
    for number in range(5):
        socket.emit("x", number, b"x" * 1000)
    task = network.task(socket.client, socket.client.aclose())
    network.advance(1)
    assert task.result is None
    assert got == [
        *(("x", number, b"x" * 1000) for number in range(5)),
        ("disconnect", "client namespace disconnect"),
    ]
    network.advance(60)
    assert network.nothing_is_left()
    assert network.logged() == []


@ALL_WAYS
def test_iteration_holds_the_server_back(options: dict[str, Any]) -> None:
    """Rule 98: the server's backlog grows instead; nothing is lost."""
    network = SocketNetwork()
    socket = network.joined(max_inbound=10, **options)
    [server] = network.app.sockets.values()
    iterator = aiter(socket)
    for number in range(200):
        server.emit("x", number)
        network.settle()
    assert len(socket.membership.inbox) < 200
    numbers = [network.task(socket.client, anext(iterator)).result.args[0] for _ in range(200)]
    assert numbers == list(range(200))


def test_many_clients_in_a_byte_at_a_time() -> None:
    """Every parse of both sides, bytewise."""
    network = SocketNetwork()
    network.bytewise = True
    network.app.on("x", lambda socket, value: value)
    for transports in (("polling",), ("websocket",), ("polling", "websocket")):
        socket = network.joined(transports=transports)
        task = network.task(socket.client, socket.call("x", [b"bytes", "é"]))
        assert task.result == [b"bytes", "é"]
