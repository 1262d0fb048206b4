"""Sessions on a WebSocket: who may have one, messages and their limits."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.engineio import WEBSOCKET, Serve, masked, only_socket, opened, record, text
from support.transcript import WebSocketPipe, engineio, websocket_request_bytes
from wsproto.events import BytesMessage, TextMessage

KNOWN = "known"
"""Stands for the id of a polling session in the table below."""


def test_open_packet(serve: Serve) -> None:
    """Protocol rule 17: five keys, and no upgrades, for there is nothing better."""
    app, driver = serve()
    events = record(app)
    websocket = driver.websocket()
    (message,) = websocket.take()
    assert isinstance(message, str)
    (sid,) = app.engine.sessions
    assert message[0] == "0"
    assert json.loads(message[1:]) == {
        "sid": sid,
        "upgrades": [],
        "pingInterval": 25000,
        "pingTimeout": 20000,
        "maxPayload": 1000000,
    }
    assert len(sid) == 20
    assert only_socket(app).transport == "websocket"
    assert events == [("connection",)]


def test_answer_to_the_request(serve: Serve) -> None:
    """RFC 6455, section 4.2.2: just these headers; the key is sixteen zero bytes."""
    _, driver = serve()
    pipe = driver.connect()
    pipe.send(websocket_request_bytes(query=WEBSOCKET))
    head, _, _ = pipe.take().partition(b"\r\n\r\n")
    assert head.split(b"\r\n")[:3] == [
        b"HTTP/1.1 101 Switching Protocols",
        b"Upgrade: websocket",
        b"Connection: Upgrade",
    ]
    assert head.endswith(b"\r\nSec-WebSocket-Accept: ICX+Yqv66kxgM0FcWaLWlFLwTAI=")


REFUSED: list[tuple[dict[str, Any], str, dict[str, str], int]] = [
    ({}, "", {}, 0),
    ({}, "EIO=4&transport=webtransport", {}, 0),
    ({"transports": ("polling",)}, WEBSOCKET, {}, 0),
    ({}, f"{WEBSOCKET}&sid=nobody", {}, 1),
    ({}, f"{WEBSOCKET}&sid=", {}, 1),
    ({}, f"{WEBSOCKET}&sid=__class__", {}, 1),
    ({}, "EIO=4&transport=polling", {}, 3),
    ({}, f"EIO=4&transport=polling&sid={KNOWN}", {}, 3),
    ({"allow_upgrades": False}, f"{WEBSOCKET}&sid={KNOWN}", {}, 3),
    ({}, WEBSOCKET, {"Origin": "https://stranger.example"}, 4),
    ({}, f"{WEBSOCKET}&sid={KNOWN}", {"Origin": "https://stranger.example"}, 4),
    ({}, "transport=websocket", {}, 5),
    ({}, "EIO=3&transport=websocket", {}, 5),
    ({}, "EIO=5&transport=websocket", {}, 5),
    ({}, WEBSOCKET, {"Content_Length": "1"}, 3),
    ({}, WEBSOCKET, {"Transfer_Encoding": "chunked"}, 3),
]


@pytest.mark.parametrize(("options", "query", "headers", "code"), REFUSED)
def test_refused(
    serve: Serve, options: dict[str, Any], query: str, headers: dict[str, str], code: int
) -> None:
    """Protocol rules 2 to 4, security rules T30 and T31: before the 101, and then closed."""
    app, driver = serve(**options)
    events = record(app)
    sid = driver.poll_handshake() if KNOWN in query else ""
    pipe = driver.connect()
    pipe.send(websocket_request_bytes(query=query.replace(KNOWN, sid), **headers))
    websocket = WebSocketPipe(pipe)
    assert websocket.status == (403 if code == 4 else 400)
    assert json.loads(websocket.refusal)["code"] == code
    assert pipe.wire.closing
    assert len(events) == len(app.engine.sessions) == bool(sid)
    if sid:
        assert driver.post(sid, "4hello").body == "ok"


@pytest.mark.parametrize(
    ("old", "new", "status"),
    [
        (b"GET", b"POST", 400),
        (b"Version: 13", b"Version: 8", 426),
        (b"Sec-WebSocket-Version: 13\r\n", b"", 400),
        (b"Key: AAAA", b"Key: ", 400),
        (b"Connection: Upgrade", b"Connection: keep-alive", 400),
        (b"HTTP/1.1", b"HTTP/1.0", 400),
    ],
)
@pytest.mark.parametrize("known", [True, False])
def test_handshake_that_is_none(
    serve: Serve, known: bool, old: bytes, new: bytes, status: int
) -> None:
    """RFC 6455, section 4.2.1: a session that is there is not touched, and no other opened."""
    app, driver = serve()
    sid = driver.poll_handshake() if known else ""
    query = WEBSOCKET + (f"&sid={sid}" if known else "")
    request = websocket_request_bytes(query=query)
    assert old in request
    pipe = driver.connect()
    pipe.send(request.replace(old, new))
    answer = pipe.answer()
    assert answer is not None
    assert answer.status == status
    assert answer.headers.get("sec-websocket-version") == ("13" if status == 426 else None)
    assert len(app.engine.sessions) == known
    if known:
        assert driver.websocket(sid).status == 101


# Messages


@pytest.mark.parametrize(
    ("message", "data"),
    [
        ("4hello", "hello"),
        ("4", ""),
        ("4é\x1e€", "é\x1e€"),
        (b"\x01\x02", b"\x01\x02"),
        (b"", b""),
        (b"4a", b"4a"),
        ("bAQIDBA==", b"\x01\x02\x03\x04"),
    ],
)
def test_message(serve: Serve, message: str | bytes, data: str | bytes) -> None:
    """Protocol rules 9, 10 and 14: text has its type, bytes are bare."""
    app, driver = serve()
    events = record(app)
    websocket = opened(driver)
    websocket.send(message)
    assert events == [("connection",), ("message", data)]


def test_sending(serve: Serve) -> None:
    """Protocol rule 10: bytes travel without a type byte."""
    app, driver = serve()
    websocket = opened(driver)
    for data in ("hello", b"\x01\x02", "", b""):
        only_socket(app).send(data)
    assert websocket.take() == ["4hello", b"\x01\x02", "4", b""]


def test_messages_of_one_chunk(serve: Serve) -> None:
    """In order, however they are cut; also behind the request itself."""
    app, driver = serve()
    events = record(app)
    pipe = driver.connect()
    frames = text("4a") + masked(0x82, b"b") + text("4c") + text("4d")
    pipe.send(websocket_request_bytes(query=WEBSOCKET) + frames[:-5])
    pipe.send(frames[-5:])
    assert events == [("connection",), *(("message", data) for data in ("a", b"b", "c", "d"))]


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("", "parse error"),
        ("0", "parse error"),
        ("2", "transport error"),
        ("2probe", "transport error"),
        ("5", "parse error"),
        ("6", "parse error"),
        ("7", "parse error"),
        ("٤hello", "parse error"),
        ("b!", "parse error"),
        ("hello", "parse error"),
    ],
)
def test_packet_that_no_client_sends(serve: Serve, message: str, reason: str) -> None:
    """Protocol rules 12, 15 and 21: the session ends, and what follows is not heard."""
    app, driver = serve()
    events = record(app)
    websocket = opened(driver)
    websocket.send("4before", message, "4after")
    websocket.take()
    assert websocket.close_code == 1002
    assert events == [("connection",), ("message", "before"), ("close", reason)]


@pytest.mark.parametrize("extra", [0, 1])
@pytest.mark.parametrize("fragments", [1, 7])
@pytest.mark.parametrize("text", ["x", "€", "😀", b"x"])
def test_max_payload(text: str | bytes, fragments: int, extra: int) -> None:
    """Security rule T4, protocol rule 19: bytes over all fragments, and exactly so many pass."""
    app, driver = engineio(max_payload=1_000_000)
    events = record(app)
    websocket = opened(driver)
    data = b""
    if isinstance(text, bytes):
        sent = bytes(1_000_000 + extra)
        for at in range(fragments):
            piece = sent[at::fragments]
            data += websocket.client.send(BytesMessage(piece, message_finished=at == fragments - 1))
    else:
        letters = 999_999 // len(text.encode())
        whole = "4" + "-" * (999_999 - letters * len(text.encode()) + extra) + text * letters
        for at in range(fragments):
            piece_of_text = whole[at::fragments]
            last = at == fragments - 1
            data += websocket.client.send(TextMessage(piece_of_text, message_finished=last))
    websocket.pipe.send(data)
    websocket.take()
    if extra:
        assert websocket.close_code == 1009
        assert events == [("connection",), ("close", "transport error")]
    else:
        assert websocket.close_code is None
        assert [name for name, *_ in events] == ["connection", "message"]
