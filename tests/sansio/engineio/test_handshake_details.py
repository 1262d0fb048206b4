"""What an application learns of the request that opened a session."""

from __future__ import annotations

import pytest
from support.engineio import Serve, only_socket
from support.transcript import WebSocketPipe, request_bytes, websocket_request_bytes

from sansocket.sansio.engineio.handshake_details import HandshakeDetails
from sansocket.sansio.engineio.peer import Peer

PEER = Peer("192.0.2.7", secure=True, since=1_700_000_000.5)


@pytest.mark.parametrize("transport", ["polling", "websocket"])
def test_details(serve: Serve, transport: str) -> None:
    """Feature row 38: headers by lower-cased name, the query, the address, secure, the time."""
    app, driver = serve()
    pipe = driver.connect(PEER)
    query = f"EIO=4&transport={transport}&who=a%20%C3%A9"
    if transport == "websocket":
        pipe.send(websocket_request_bytes(query=query, X_Custom="Value"))
    else:
        pipe.send(request_bytes("GET", query=query, X_Custom="Value"))
    socket = only_socket(app)
    details = socket.handshake
    assert details.headers["x-custom"] == "Value"
    assert details.headers["host"] == "server.example"
    assert details.query == {"EIO": "4", "transport": transport, "who": "a é"}
    assert (details.address, details.secure, details.time) == ("192.0.2.7", True, 1_700_000_000.5)
    assert socket.handshake is details
    assert (socket.protocol, socket.transport, socket.request.method) == (4, transport, "GET")


def test_they_stay_those_of_the_first_request(serve: Serve) -> None:
    """Whatever comes later, and wherever from (security rule T31: no header is trusted)."""
    app, driver = serve()
    sid = driver.poll_handshake(X_Forwarded_For="203.0.113.9")
    pipe = driver.connect(Peer("198.51.100.1"))
    query = f"EIO=4&transport=websocket&sid={sid}"
    pipe.send(websocket_request_bytes(query=query, X_Later="yes"))
    WebSocketPipe(pipe).send("2probe", "5")
    socket = only_socket(app)
    assert socket.transport == "websocket"
    assert socket.handshake.query["transport"] == "polling"
    assert socket.handshake.address == "192.0.2.1"
    assert "x-later" not in socket.handshake.headers


def test_headers_of_one_name(serve: Serve) -> None:
    """They are one list (RFC 9110, section 5.3); bytes that are no ASCII come as Latin-1."""
    app, driver = serve()
    head = request_bytes("GET", query="EIO=4&transport=polling").removesuffix(b"\r\n")
    driver.connect().send(head + b"X-Many: one\r\nx-many: two\r\nX-Latin: \xe9\r\n\r\n")
    headers = only_socket(app).handshake.headers
    assert (headers["x-many"], headers["x-latin"]) == ("one, two", "é")


def test_they_cannot_be_changed() -> None:
    details = HandshakeDetails({}, {}, "", False, 0.0)
    for field in ("headers", "query", "address", "secure", "time"):
        with pytest.raises(AttributeError):
            setattr(details, field, None)
