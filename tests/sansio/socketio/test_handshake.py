"""What an application learns of the request that opened the session."""

from __future__ import annotations

import pytest
from support.socketio_client import SocketIOClient, record
from support.transcript import WebSocketPipe, request_bytes, socketio, websocket_request_bytes

from sansocket.sansio.engineio.session import Peer
from sansocket.sansio.socketio.handshake import Handshake

PEER = Peer(address="192.0.2.7", secure=True, since=1_700_000_000.5)


def test_by_websocket() -> None:
    """Headers by lower-cased name, the query, and what the driver knows of the connection."""
    app, driver = socketio(cors_allowed_origins="*")
    pipe = driver.connect(PEER)
    query = "EIO=4&transport=websocket&who=fr%20%C3%A9%26%3D"
    pipe.send(websocket_request_bytes(query=query, X_Custom="Value", Origin="http://a.example"))
    WebSocketPipe(pipe).send('40{"token":"secret","deep":[1]}')
    [socket] = app.sockets.values()
    handshake = socket.handshake
    assert handshake.headers["x-custom"] == "Value"
    assert handshake.headers["origin"] == "http://a.example"
    assert handshake.query == {"EIO": "4", "transport": "websocket", "who": "fr é&="}
    assert (handshake.address, handshake.secure, handshake.time) == (
        "192.0.2.7",
        True,
        1_700_000_000.5,
    )
    assert handshake.auth == {"token": "secret", "deep": [1]}


def test_by_polling() -> None:
    """It stays that of the first request, whatever the later ones bring, and wherever from."""
    app, driver = socketio()
    pipe = driver.connect(PEER)
    pipe.send(request_bytes("GET", query="EIO=4&transport=polling&a=1", X_First="yes"))
    answer = pipe.answer()
    assert answer is not None
    sid = answer.body.partition('"sid":"')[2].partition('"')[0]
    other = driver.connect(Peer(address="198.51.100.1"))
    query = f"EIO=4&transport=polling&sid={sid}"
    other.request("POST", query=query, body="40", X_Later="yes")
    [socket] = app.sockets.values()
    assert socket.handshake.address == "192.0.2.7"
    assert socket.handshake.headers["x-first"] == "yes"
    assert "x-later" not in socket.handshake.headers
    assert socket.handshake.query == {"EIO": "4", "transport": "polling", "a": "1"}


def test_headers_of_one_name() -> None:
    """They are joined as RFC 9110 (section 5.3) says; bytes that are no ASCII come as Latin-1."""
    app, driver = socketio()
    pipe = driver.connect()
    head = websocket_request_bytes(query="EIO=4&transport=websocket")
    more = "X-Many: one\r\nx-many: two\r\nX-Latin: \xe9\r\n\r\n".encode("latin-1")
    pipe.send(head.removesuffix(b"\r\n") + more)
    WebSocketPipe(pipe).send("40")
    [socket] = app.sockets.values()
    assert socket.handshake.headers["x-many"] == "one, two"
    assert socket.handshake.headers["x-latin"] == "é"


def test_no_header_says_where_it_came_from() -> None:
    """Security rule T31: proxies are not trusted unasked."""
    app, driver = socketio()
    client = driver.websocket(X_Forwarded_For="203.0.113.9", Forwarded="for=203.0.113.9")
    client.send("40")
    [socket] = app.sockets.values()
    assert socket.handshake.address == "192.0.2.1"
    assert not socket.handshake.secure


def test_auth_of_each_namespace() -> None:
    """It is what the client gave for that namespace; none is an empty one."""
    app, driver = socketio()
    app.of("/other")
    told = record(app.of("/other"), "connect")
    client = SocketIOClient(driver)
    socket = app.sockets[client.connect(auth={"a": 1})]
    [other] = [app.of("/other").sockets[client.connect("/other")]]
    assert told == [("connect",)]
    assert socket.handshake.auth == {"a": 1}
    assert other.handshake.auth == {}
    assert socket.handshake.headers == other.handshake.headers


def test_it_cannot_be_changed() -> None:
    handshake = Handshake({}, {}, "192.0.2.1", False, 0.0, {})
    for field in ("headers", "query", "address", "secure", "time", "auth"):
        with pytest.raises(AttributeError):
            setattr(handshake, field, None)
