"""How sockets and their connections end, and that nothing of them stays (rules 67 to 71)."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable

import pytest
from support.socketio_client import SocketIOClient, record, rooms_of, sessions_and_sockets
from support.transcript import Driver, socketio

from sansocket.sansio.config import Transport
from sansocket.sansio.errors import Reason
from sansocket.sansio.socketio.app import App
from sansocket.sansio.socketio.json_decoder import JsonDecoder
from sansocket.sansio.socketio.packet import Packet
from sansocket.sansio.socketio.parser import JsonParser
from sansocket.sansio.socketio.socket import Socket

on_both_transports = pytest.mark.parametrize("transport", ["polling", "websocket"])

TWO = '52-["x",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]'
HEADER = '51-["x",{"_placeholder":true,"num":0}]'


# One namespace


@on_both_transports
def test_the_client_leaves_a_namespace(transport: Transport) -> None:
    """Protocol rule 67: no answer, the connection stays, and it may come back."""
    app, driver = socketio()
    told = record(app, "disconnecting", "disconnect")
    other = record(app.of("/other"), "x", "disconnect")
    client = SocketIOClient(driver, transport)
    first = client.connect()
    client.connect("/other")
    client.send("1")
    assert client.take() == []
    reason = "client namespace disconnect"
    assert told == [("disconnecting", reason), ("disconnect", reason)]
    assert not app.sockets
    assert not rooms_of(app)
    client.send('2/other,["x"]')
    assert other == [("x",)]
    assert client.connect() != first


def test_the_client_has_left() -> None:
    """Protocol rule 57: unlike the server's disconnect, its own is known to the client."""
    app, driver = socketio()
    client = SocketIOClient(driver)
    client.connect()
    client.send("1", '2["x"]')
    client.take()
    assert client.over
    assert not app.engine.sessions


@on_both_transports
def test_the_server_disconnects_a_namespace(transport: Transport) -> None:
    """Protocol rule 67: the client is told, and what it sent before it knew is ignored."""
    app, driver = socketio()
    told = record(app, "x", "disconnect")
    other = record(app.of("/other"), "x", "disconnect")
    client = SocketIOClient(driver, transport)
    socket = app.sockets[client.connect()]
    client.connect("/other")
    socket.disconnect()
    assert not socket.connected
    client.send('21["x"]', "30[]", HEADER, b"bytes", "1")
    assert client.take() == ["1"]
    assert not client.over
    assert told == [("disconnect", "server namespace disconnect")]
    client.send('2/other,["x"]')
    assert other == [("x",)]
    client.connect()
    client.send('2["x"]')
    assert told[1:] == [("x",)]


def test_in_flight_when_the_last_namespace_went() -> None:
    """Protocol rule 67, security rule T5: also a packet with attachments, cut in two."""
    app, driver = socketio()
    told = record(app, "x")
    client = SocketIOClient(driver)
    socket = app.sockets[client.connect()]
    client.send(HEADER)
    socket.disconnect()
    client.send(b"bytes")
    client.send(HEADER, b"bytes", '2["x"]')
    assert client.take() == ["1"]
    assert not client.over
    assert told == []


def test_a_namespace_is_left_anew() -> None:
    """Protocol rules 57 and 61: after the next CONNECT everything counts again."""
    app, driver = socketio()
    client = SocketIOClient(driver)
    app.sockets[client.connect()].disconnect()
    client.take()
    client.connect()
    client.send("1", '2["x"]')
    client.take()
    assert client.over


def test_disconnect_is_told_after_what_was_sent() -> None:
    """Protocol rule 67: in order, and nothing after it."""
    app, driver = socketio()
    client = SocketIOClient(driver)
    socket = app.sockets[client.connect()]
    socket.emit("before")
    socket.disconnect()
    socket.emit("after")
    socket.disconnect()
    app.emit("to all")
    driver.settle()
    assert client.take() == ['2["before"]', "1"]


# The whole connection


@on_both_transports
def test_the_server_ends_the_connection(transport: Transport) -> None:
    """Protocol rule 69: every namespace is told, then the connection closes; one reason."""
    app, driver = socketio()
    told = record(app, "disconnect")
    other = record(app.of("/other"), "disconnect")
    client = SocketIOClient(driver, transport)
    socket = app.sockets[client.connect()]
    client.connect("/other")
    socket.disconnect(close=True)
    driver.settle()
    assert client.take() == ["1", "1/other,"]
    assert client.over
    assert told == other == [("disconnect", "server namespace disconnect")]
    assert not app.engine.sessions


def test_the_server_ends_it_while_no_get_waits() -> None:
    """Protocol rules 31 and 69: the next GET brings all, and then the close packet."""
    app, driver = socketio()
    told = record(app, "disconnect")
    client = SocketIOClient(driver, "polling")
    socket = app.sockets[client.connect()]
    socket.emit("taken by the GET that waits")
    socket.emit("last")
    socket.disconnect(close=True)
    driver.settle()
    assert told == [("disconnect", "server namespace disconnect")]
    assert client.take() == ['2["taken by the GET that waits"]', '2["last"]', "1"]
    assert client.over
    assert not app.engine.sessions


def test_a_namespace_that_waits_is_told_too() -> None:
    """Protocol rules 64 and 69: its middleware has not decided yet, and does not any more."""
    app, driver = socketio()
    slow = app.of("/slow")
    told = record(slow, "connect", "disconnect")
    slow.use(never)
    client = SocketIOClient(driver)
    socket = app.sockets[client.connect()]
    client.send("0/slow")
    socket.disconnect(close=True)
    assert client.take() == ["1", "1/slow,"]
    driver.runtime.cancel()
    assert told == []


async def never(socket: Socket, auth: object) -> None:
    """A middleware that waits for ever."""
    await socket.namespace.runtime.wait(lambda resolve: lambda: None, None)


def nothing(*values: object) -> None:
    """Take an acknowledgement."""


def ends() -> dict[str, Callable[[App, Driver, SocketIOClient], object]]:
    """Ways in which a connection ends, by the reason that is told."""

    def shut_down(app: App, driver: Driver, client: SocketIOClient) -> None:
        app.engine.close(Reason.SERVER_SHUTTING_DOWN)
        driver.settle()

    def overflow(app: App, driver: Driver, client: SocketIOClient) -> None:
        client.pipe.writable = False
        for _ in range(30):
            app.emit("x", "y" * 1000)
        driver.settle()

    return {
        "parse error": lambda app, driver, client: client.send("bad"),
        "ping timeout": lambda app, driver, client: driver.advance(46.0),
        "server shutting down": shut_down,
        "send buffer full": overflow,
        "transport close": lambda app, driver, client: client.send_raw("1"),
        "transport error": lambda app, driver, client: client.send_raw("2"),
    }


@on_both_transports
@pytest.mark.parametrize("reason", ends())
def test_every_socket_is_told_once(reason: str, transport: Transport) -> None:
    """Security rule T13: one reason for all, in order of `disconnecting` and `disconnect`."""
    app, driver = socketio(max_backlog=20_000)
    told = record(app, "disconnecting", "disconnect")
    other = record(app.of("/other"), "disconnecting", "disconnect")
    client = SocketIOClient(driver, transport)
    client.connect()
    client.connect("/other")
    ends()[reason](app, driver, client)
    assert told == other == [("disconnecting", reason), ("disconnect", reason)]
    assert driver.runtime.logged == []
    assert not app.engine.sessions or reason == "server shutting down"


@on_both_transports
def test_the_connection_breaks(transport: Transport) -> None:
    """Protocol rule 32: the reason says which transport it was."""
    app, driver = socketio()
    told = record(app, "disconnect")
    client = SocketIOClient(driver, transport)
    client.connect()
    client.leave()
    lost = "transport error" if transport == "polling" else "transport close"
    assert told == [("disconnect", lost)]


def test_shutting_down_sends_no_disconnect() -> None:
    """Protocol rule 70: so that clients reconnect."""
    app, driver = socketio()
    client = SocketIOClient(driver)
    client.connect()
    app.engine.close(Reason.SERVER_SHUTTING_DOWN)
    driver.settle()
    assert client.take() == []
    assert client.over


def test_the_last_words_are_too_many() -> None:
    """Protocol rule 98: the packet that tells of the end may be the one that is too many."""
    app, driver = socketio(max_backlog_messages=1)
    told = record(app, "disconnect")
    client = SocketIOClient(driver)
    socket = app.sockets[client.connect()]
    client.pipe.writable = False
    socket.emit("x")
    socket.disconnect()
    driver.settle()
    assert told == [("disconnect", "send buffer full")]


def test_what_is_called_back_at_the_end_ends_another_socket() -> None:
    """Security rules T1 and T13: each is told once all the same."""
    app, driver = socketio()
    other = app.of("/other")
    told, told_other = record(app, "disconnect"), record(other, "disconnect")
    client = SocketIOClient(driver)
    first = app.sockets[client.connect()]
    second = other.sockets[client.connect("/other")]

    def gone(error: Exception | None) -> None:
        second.disconnect()

    first.timeout(5.0).emit("x", ack=gone)
    client.leave()
    assert told == [("disconnect", "transport close")]
    assert told_other == [("disconnect", "server namespace disconnect")]


# Attachments


def test_attachments_that_do_not_come() -> None:
    """Security rule T5: 60 s for all of a packet, however they trickle in."""
    app, driver = socketio(ping_interval=1000.0)
    told = record(app, "x", "disconnect")
    client = SocketIOClient(driver)
    client.connect()
    client.send(TWO)
    driver.advance(59.0)
    client.send(b"one")
    driver.advance(0.9)
    assert told == []
    driver.advance(0.2)
    assert told == [("disconnect", "parse error")]
    client.take()
    assert client.over


def test_attachments_in_time() -> None:
    """Security rule T5: the time is each packet's own, and over with its last attachment."""
    app, driver = socketio(ping_interval=1000.0)
    told = record(app, "x", "disconnect")
    client = SocketIOClient(driver)
    client.connect()
    for _ in range(2):
        client.send(TWO)
        for attachment in (b"1", b"2"):
            driver.advance(25.0)
            client.send(attachment)
    driver.advance(200.0)
    assert told == [("x", b"1", b"2")] * 2


@on_both_transports
def test_attachments_before_the_answer(transport: Transport) -> None:
    """Security rule T5: who has not been let in makes the server keep nothing."""
    app, driver = socketio()
    app.use(never)
    client = SocketIOClient(driver, transport)
    client.send("0")
    client.send(HEADER)
    client.take()
    assert client.over
    driver.runtime.cancel()


class WatchedParser(JsonParser):
    """Its decoders can be seen going away."""

    def __init__(self) -> None:
        self.decoders: list[weakref.ref[WatchedDecoder]] = []

    def encode(self, packet: Packet) -> list[str | bytes]:
        return super().encode(packet)

    def decoder(
        self, *, max_attachments: int = 10, max_attachment_bytes: int = 10_000_000
    ) -> JsonDecoder:
        decoder = WatchedDecoder(
            max_attachments=max_attachments, max_attachment_bytes=max_attachment_bytes
        )
        self.decoders.append(weakref.ref(decoder))
        return decoder


class WatchedDecoder(JsonDecoder):
    """A decoder without slots."""


def test_attachments_are_freed() -> None:
    """Security rule T5: at the disconnect, though the application keeps the socket."""
    parser = WatchedParser()
    app, driver = socketio(parser=parser)
    client = SocketIOClient(driver)
    socket = app.sockets[client.connect()]
    client.send(HEADER)
    client.leave()
    gc.collect()
    assert not socket.connected
    assert [decoder() for decoder in parser.decoders] == [None]


# Nothing stays


@on_both_transports
@pytest.mark.parametrize("reason", [*ends(), "lost"])
@pytest.mark.parametrize("stage", ["opened", "waiting", "refused", "connected"])
def test_nothing_stays(stage: str, reason: str, transport: Transport) -> None:
    """Security rule T13: no session, socket, room, acknowledgement or timer, after any end."""
    others = {id(thing) for thing in sessions_and_sockets()}
    app, driver = socketio(max_backlog=20_000, connect_timeout=1000.0)
    if stage == "waiting":
        app.use(never)
    client = SocketIOClient(driver, transport)
    if stage == "refused":
        client.send("0/nope")
    elif stage == "waiting":
        client.send("0")
    elif stage == "connected":
        socket = app.sockets[client.connect()]
        socket.join("room")
        socket.timeout(500.0).emit("x", ack=nothing)
        app.timeout(500.0).emit("x", ack=nothing)
        client.send(HEADER)
        del socket
    if reason == "lost" or (reason == "send buffer full" and stage != "connected"):
        client.leave()
    else:
        ends()[reason](app, driver, client)
    assert not app.sockets
    assert not rooms_of(app)
    while driver.pipes:
        driver.pipes.pop().lose()
    del client
    driver.advance(31.0)
    driver.runtime.cancel()
    assert not app.engine.sessions
    assert len(app.engine.timers) == 0
    assert [thing for thing in sessions_and_sockets() if id(thing) not in others] == []
