"""Every client of one server as one state machine (rules 94 and 95, security rules T1, T13, 20)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.socketio_client import SocketIOClient, rooms_of
from support.socketio_core import Bare
from support.transcript import socketio, websocket_request_bytes

from sansocket.sansio.config import ServerConfig, Transport
from sansocket.sansio.engineio.session import Peer
from sansocket.sansio.socketio.events import ConnectRequested
from sansocket.sansio.socketio.namespace import Namespace
from sansocket.sansio.socketio.socket import Socket


def test_driven_by_hand() -> None:
    """Bytes and the time go in; bytes, events and the next deadline come out."""
    bare = Bare(ServerConfig(connect_timeout=30.0, ping_interval=20.0, ping_timeout=5.0))
    server = bare.server
    woken: list[None] = []
    assert server.next_deadline() is None
    wire = server.open(lambda: woken.append(None), 100.0, Peer(address="192.0.2.9"))
    wire.receive_data(websocket_request_bytes(query="EIO=4&transport=websocket"), 100.0)
    assert woken
    assert b"".join(wire.data_to_send()).startswith(b"HTTP/1.1 101 ")
    assert server.next_deadline() == 120.0
    wire.receive_data(masked("40"), 101.0)
    event = server.next_event()
    assert isinstance(event, ConnectRequested)
    assert event.socket.handshake.address == "192.0.2.9"
    assert server.next_event() is None
    event.socket.accept()
    assert event.socket.id.encode() in b"".join(wire.data_to_send())
    server.handle_timeout(120.0)
    server.handle_timeout(120.0)
    assert b"".join(wire.data_to_send()) == b"\x81\x012"
    assert server.next_deadline() == 125.0


def test_without_a_peer() -> None:
    """A driver that knows nothing of the other end may say so."""
    bare = Bare()
    wire = bare.server.open(lambda: None, 0.0)
    wire.receive_data(websocket_request_bytes(query="EIO=4&transport=websocket"), 0.0)
    wire.receive_data(masked("40"), 0.0)
    bare.deliver()
    [socket] = bare.main.sockets.values()
    assert socket.handshake.address == ""


# Whatever comes

PIECES = [
    *("0", "1", "2", "3", "4", "5", "6", "7", "/a", "/slow", "/nope", ",", "-", " ", "\x1e", "é"),
    *("[", "]", "{", "}", '"x"', '"disconnect"', "null", "true", "-1", "1e999", "\\ud800"),
    '{"_placeholder":true,"num":0}',
]
VALID = [
    *("0", "0/a,", "0/slow,", "0/nope", '0{"a":1}', "1", "1/a,", '2["x"]', '2/a,["x"]', '20["x"]'),
    *('2["ask"]', "30[]", "31[1]", "30[1,2]", '51-["x",{"_placeholder":true,"num":0}]'),
    *('2["leave"]', '2["close"]', '2["fail"]', '2/a,1["join"]'),
]
frames = (
    st.sampled_from(VALID)
    | st.lists(st.sampled_from(PIECES), max_size=8).map("".join)
    | st.text(max_size=10)
    | st.binary(max_size=10)
)


def serve_anything(namespace: Namespace) -> None:
    """Handlers that do all that handlers do."""

    @namespace.on("x")
    def echo(socket: Socket, *args: Any) -> Any:
        socket.emit("x", *args)
        return args

    @namespace.on("ask")
    async def ask(socket: Socket) -> Any:
        return await socket.call("ask")

    @namespace.on("join")
    def join(socket: Socket, *rooms: Any) -> None:
        socket.join("room")
        socket.to("room").emit("joined", ack=lambda error, answers: None)

    @namespace.on("leave")
    def leave(socket: Socket) -> None:
        socket.disconnect()

    @namespace.on("close")
    def close(socket: Socket) -> None:
        socket.disconnect(close=True)

    @namespace.on("fail")
    def fail(socket: Socket) -> None:
        raise RuntimeError("secret")

    @namespace.on("disconnect")
    async def gone(socket: Socket, reason: str) -> None:
        namespace.emit("gone", socket.id, sorted(socket.rooms))


@pytest.mark.parametrize("transport", ["polling", "websocket"])
@given(sent=st.lists(st.lists(frames, max_size=4), max_size=6))
def test_whatever_comes(transport: Transport, sent: list[list[str | bytes]]) -> None:
    """Protocol rule 95: nothing is raised; an end is an end, and nobody else is affected."""
    app, driver = socketio()
    for namespace in (app, app.of("/a"), app.of("/slow")):
        serve_anything(namespace)

    @app.of("/slow").use
    async def slow(socket: Socket, auth: object) -> None:
        await socket.namespace.runtime.wait(lambda resolve: lambda: None, None)

    bystander = SocketIOClient(driver)
    bystander.connect()
    client = SocketIOClient(driver, transport)
    for chunk in sent:
        client.send(*chunk)
        answers = client.take()
        assert all("secret" not in str(answer) for answer in answers)
        if client.over:
            break
        assert client.sid in app.engine.sessions
    else:
        client.leave()
    assert list(app.engine.sessions) == [bystander.sid]
    bystander.send('20["x","still here"]')
    assert bystander.take()[-2:] == ['2["x","still here"]', '30["still here"]']
    assert list(rooms_of(app)) == list(app.sockets)
    assert not app.of("/a").sockets
    assert not rooms_of(app.of("/a"))
    assert not app.of("/slow").sockets
    assert all(isinstance(error, RuntimeError) for _, error in driver.runtime.logged)
    driver.runtime.cancel()


def masked(text: str) -> bytes:
    """A WebSocket frame of a client, masked with zeros."""
    data = text.encode()
    return bytes((0x81, 0x80 | len(data))) + bytes(4) + data


@given(sent=st.lists(st.sampled_from(VALID), max_size=5))
def test_the_same_input_gives_the_same_output(sent: list[str]) -> None:
    """No clock and no chance of its own: a transcript can be played again, cut differently."""
    outputs: list[list[str | bytes]] = []
    for step in (1, 1000):
        app, driver = socketio()
        for namespace in (app, app.of("/a"), app.of("/slow")):
            serve_anything(namespace)
        websocket = driver.websocket()
        got = websocket.take()
        for packet in ["0", *sent]:
            data = masked(f"4{packet}")
            for start in range(0, len(data), step):
                websocket.pipe.send(data[start : start + step])
            got += websocket.take()
        outputs.append([*got, str(websocket.close_code)])
        driver.runtime.cancel()
    assert outputs[0] == outputs[1]


def test_namespaces_that_clients_make() -> None:
    """Protocol rule 66, security rule 27: bounded, and forgotten when the last client has gone."""
    app, driver = socketio(max_child_namespaces=2)
    app.of(re.compile("/[a-z]"))
    clients = [SocketIOClient(driver) for _ in range(2)]
    for client in clients:
        client.connect("/a")
        client.connect("/b")
        client.send("0/c")
        assert client.take() == ['4/c,{"message":"Invalid namespace"}']
    clients[0].leave()
    assert set(app.core.namespaces) == {"/", "/a", "/b"}
    clients[1].send("1/a")
    clients[1].connect("/c")
    clients[1].leave()
    assert set(app.core.namespaces) == {"/"}


def test_namespaces_that_are_kept() -> None:
    """Where the application wants them to stay."""
    app, driver = socketio(cleanup_empty_child_namespaces=False)
    app.of(re.compile("/[a-z]"))
    client = SocketIOClient(driver)
    client.connect("/a")
    client.leave()
    assert set(app.core.namespaces) == {"/", "/a"}
