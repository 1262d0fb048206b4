"""What is no packet that a client may send (protocol rules 43 to 57, 63, 92 and 95)."""

from __future__ import annotations

import msgspec
import pytest
from support.socketio_client import SocketIOClient, assert_gone, record, rooms_of
from support.transcript import socketio

from sansocket.sansio.config import Transport
from sansocket.sansio.socketio.packet import RESERVED
from sansocket.sansio.socketio.socket import Socket

on_both_transports = pytest.mark.parametrize("transport", ["polling", "websocket"])

HEADER = '51-["x",{"_placeholder":true,"num":0}]'


# Packets that break the protocol

FIRST = ['2["x"]', '20["x"]', "30[]", "1", '4{"message":"no"}', HEADER, "", " ", "9", "hello"]

WRONG = [
    # rule 43
    "2", "2{}", "2[]", "2null", '2"x"', "2[null]", "2[[]]", "3[]", "30", "30{}",
    "0[]", "0null", '0"x"', "1{}", "1[]", "0/a,[]",
    # rule 44
    "4abc", "2{}", "2abc", '2["x"', '2["x"]]', "2[NaN]", "\ufeff" + '2["x"]',
    # rules 42 and 14
    "", " ", "7", "-1", "٢" + '["x"]',
    # rule 45
    '2 ["x"]', '2\n5["x"]', '29007199254740992["x"]', '2' + "1" * 400 + '["x"]', '2-1["x"]',
    # rules 49 to 51
    '50-["x"]', '5-["x"]', '5 1-["x"]', '511-["x"]', '51-["x"]', '5-1-["x"]',
    '51-["x",{"_placeholder":true,"num":1}]', '51-["x",{"_placeholder":true,"num":true}]',
    # rule 57
    '2/other,["x"]', "3/other,0[]", "1/other,", '2/nope,["x"]',
    # rule 63
    '4{"message":"no"}', '4"no"', '4/other,{"message":"no"}',
]  # fmt: skip


@on_both_transports
@pytest.mark.parametrize("packet", FIRST, ids=ascii)
def test_anything_but_a_connect_first(packet: str, transport: Transport) -> None:
    """Protocol rule 57, security rules T5 and T22."""
    app, driver = socketio()
    told = record(app, "x", "connect", "disconnect")
    client = SocketIOClient(driver, transport)
    client.send(packet)
    assert_gone(app, client)
    assert told == []


@on_both_transports
@pytest.mark.parametrize("packet", WRONG, ids=ascii)
def test_a_wrong_packet(packet: str, transport: Transport) -> None:
    """Protocol rules 43 to 49, 57, 63 and 95, security rule 20: the whole connection closes."""
    app, driver = socketio()
    app.of("/a")
    other = app.of("/other")
    told = record(app, "x", "disconnecting", "disconnect")
    told_a = record(app.of("/a"), "disconnect")
    bystander = SocketIOClient(driver)
    bystander.connect("/other")
    client = SocketIOClient(driver, transport)
    client.connect()
    client.connect("/a")
    client.send(packet)
    client.take()
    assert client.over
    assert told == [("disconnecting", "parse error"), ("disconnect", "parse error")]
    assert told_a == [("disconnect", "parse error")]
    assert list(app.engine.sessions) == [bystander.sid]
    assert not app.sockets
    assert not rooms_of(app)
    assert len(other.sockets) == 1
    assert driver.runtime.logged == []


def test_acknowledgements() -> None:
    """Protocol rules 45, 47 and 57: for a joined namespace only, and unknown ones are ignored."""
    app, driver = socketio()
    client = SocketIOClient(driver)
    client.connect()
    told: list[object] = []

    def answered(error: Exception | None, answers: list[object]) -> None:
        told.append(answers)

    app.emit("x", ack=answered)
    client.send("39007199254740991[]", "30[1]", "30[2]")
    assert told == [[1]]
    client.send("3/a,0[]")
    client.take()
    assert client.over


def test_packets_behind_a_wrong_one_are_not_read() -> None:
    """Security rule 20: what stands before it is delivered, nothing after it."""
    app, driver = socketio()
    told = record(app, "x")
    client = SocketIOClient(driver)
    client.connect()
    client.send('2["x",1]', "bad", '2["x",2]')
    assert told == [("x", 1)]


@on_both_transports
@pytest.mark.parametrize("name", sorted(RESERVED))
@pytest.mark.parametrize("parser", ["json", "msgpack"])
def test_a_reserved_name(name: str, parser: str, transport: Transport) -> None:
    """Protocol rule 92, security rule 17: the client's own words reach no lifecycle handler."""
    app, driver = socketio(parser=parser)
    told = record(app, "connect", "disconnecting", "disconnect")
    client = SocketIOClient(driver, transport)
    frames: list[str | bytes] = ["0", f'2["{name}","words"]']
    if parser == "msgpack":
        connect = {"type": 0, "nsp": "/"}
        event = {"type": 2, "nsp": "/", "data": [name, "words"]}
        frames = [msgspec.msgpack.encode(connect), msgspec.msgpack.encode(event)]
    for frame in frames:
        client.send(frame)
    assert_gone(app, client)
    reason = "parse error"
    assert told == [("connect",), ("disconnecting", reason), ("disconnect", reason)]


@pytest.mark.parametrize("name", ["error", "connection", "message", "", "__class__", "join"])
def test_a_name_that_is_not_reserved(name: str) -> None:
    """Protocol rule 43; security rule 17: found among the handlers, never as an attribute."""
    app, driver = socketio()
    told = record(app, "error", "message", "")
    heard: list[str] = []

    @app.on_any
    def hear(socket: Socket, event: str, *args: object) -> None:
        heard.append(event)

    client = SocketIOClient(driver)
    socket = app.sockets[client.connect()]
    client.send(f'20["{name}","room"]')
    known = name in ("error", "message", "")
    assert heard == [name]
    assert told == ([(name, "room")] if known else [])
    assert client.take() == (["30[]"] if known else [])
    assert socket.rooms == {socket.id}


@pytest.mark.parametrize(("sent", "name"), [("5", "5"), ("-1", "-1"), ("1.5", "1.5")])
def test_a_number_as_a_name(sent: str, name: str) -> None:
    """Protocol rule 43: tolerated, as the text that JavaScript makes of it."""
    app, driver = socketio()
    told = record(app, name)
    client = SocketIOClient(driver)
    client.connect()
    client.send(f'2[{sent},"value"]')
    assert told == [(name, "value")]


@on_both_transports
def test_one_payload_brings_them_all(transport: Transport) -> None:
    """Protocol rules 49 and 94: all are delivered, the attachment with its own event."""
    app, driver = socketio()
    told = record(app, "x")
    client = SocketIOClient(driver, transport)
    client.connect()
    client.send('2["x",1]', HEADER, b"two", '2["x",3]')
    assert told == [("x", 1), ("x", b"two"), ("x", 3)]


def test_other_clients_do_not_notice() -> None:
    """Security rule T1: one client's end is nobody else's."""
    app, driver = socketio()
    told = record(app, "disconnect")
    clients = [SocketIOClient(driver) for _ in range(3)]
    for client in clients:
        client.connect()
    clients[1].send("bad")
    assert told == [("disconnect", "parse error")]
    app.emit("still here")
    assert [client.take() for client in clients] == [['2["still here"]'], [], ['2["still here"]']]
