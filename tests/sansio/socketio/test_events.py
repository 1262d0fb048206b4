"""What a driver is told, and in which order (protocol rules 64, 67 and 98)."""

from __future__ import annotations

import pytest
from support.socketio_client import SocketIOClient
from support.socketio_core import Bare

from sansocket.sansio.config import ServerConfig, Transport
from sansocket.sansio.errors import LocalProtocolError
from sansocket.sansio.socketio.events import ConnectRequested, Disconnected, EventReceived


@pytest.mark.parametrize("transport", ["polling", "websocket"])
def test_the_life_of_a_socket(transport: Transport) -> None:
    """In the order in which it happened; numbers and bytes where the client sent them."""
    bare = Bare()
    client = SocketIOClient(bare.driver, transport)
    client.connect(auth={"a": 1})
    [socket] = bare.main.sockets.values()
    asks, header = '20["asks",1]', '51-["binary",{"_placeholder":true,"num":0}]'
    client.send(asks, header, b"x", "1")
    assert bare.taken() == [
        ConnectRequested(socket, {"a": 1}),
        EventReceived(socket, "asks", (1,), 0, len(asks)),
        EventReceived(socket, "binary", (b"x",), None, len(header) + 1),
        Disconnected(socket, "client namespace disconnect"),
    ]


def test_who_was_never_let_in_is_not_told_of_again() -> None:
    """Protocol rule 64: a refused or unanswered socket has no end of its own."""
    bare = Bare()
    bare.welcome = False
    client = SocketIOClient(bare.driver)
    client.send("0")
    [asked] = bare.taken()
    assert isinstance(asked, ConnectRequested)
    asked.socket.refuse("no", {"code": 1})
    assert client.take() == ['4{"message":"no","data":{"code":1}}']
    for function in (asked.socket.accept, lambda: asked.socket.refuse("again")):
        with pytest.raises(LocalProtocolError):
            function()
    client.send("0")
    client.leave()
    [again] = bare.taken()
    assert isinstance(again, ConnectRequested)
    with pytest.raises(LocalProtocolError):
        again.socket.accept()
    assert bare.taken() == []
    assert client.take() == []


def test_a_reply_of_the_drivers_own() -> None:
    """Protocol rule 48: positional values under the client's number; none after the end."""
    bare = Bare()
    client = SocketIOClient(bare.driver)
    client.connect()
    client.send('27["asks"]')
    [_, event] = bare.taken()
    assert isinstance(event, EventReceived)
    assert event.ack == 7
    event.socket.reply(7, (1, b"two"))
    assert client.take() == ['61-7[1,{"_placeholder":true,"num":0}]', b"two"]
    event.socket.disconnect()
    event.socket.reply(7, ())
    assert client.take() == ["1"]


def test_what_nobody_handles_stops_the_reading() -> None:
    """Protocol rule 98: whatever the kind of event, until enough of them are handled."""
    bare = Bare(ServerConfig(max_inbound=4))
    bare.idle = True
    client = SocketIOClient(bare.driver)
    wire = client.pipe.wire
    client.send("0")
    client.send('2["x"]', "1")
    assert not wire.paused
    client.send("0")
    assert wire.paused
    kinds = [type(event) for event in bare.events]
    assert kinds == [ConnectRequested, EventReceived, Disconnected, ConnectRequested]
    bare.events[0].socket.handled()
    assert not wire.paused


def test_events_are_values() -> None:
    """They cannot be changed, and can be matched."""
    bare = Bare()
    SocketIOClient(bare.driver).connect()
    [event] = bare.taken()
    match event:
        case ConnectRequested(socket, auth):
            assert auth == {}
        case _:
            raise AssertionError("another event")
    for told in (event, EventReceived(socket, "x", (), None), Disconnected(socket, "")):
        for field in told.__struct_fields__:
            with pytest.raises(AttributeError):
                setattr(told, field, None)


def test_an_end_is_told_at_once() -> None:
    """The driver is asked to look, though no bytes have come: the application did it."""
    bare = Bare()
    SocketIOClient(bare.driver).connect()
    [socket] = bare.main.sockets.values()
    bare.taken()
    rearmed = bare.driver.runtime.rearmed
    socket.disconnect()
    assert bare.driver.runtime.rearmed == rearmed + 1
    deadline = bare.server.next_deadline()
    assert deadline is not None
    assert deadline <= bare.driver.now
    bare.driver.settle()
    assert bare.taken() == [Disconnected(socket, "server namespace disconnect")]
