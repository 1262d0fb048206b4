"""The short way of a handshake: it says what the long way says, or nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.engineio import Serve
from support.transcript import Driver, engineio, masked_text

from sansocket.sansio.config import EngineConfig
from sansocket.sansio.engineio import wire
from sansocket.sansio.engineio.app import EngineApp
from sansocket.sansio.engineio.handshake import verify
from sansocket.sansio.engineio.http import HttpConnection
from sansocket.sansio.engineio.http_heads import MAX_QUERY_FIELDS, NAMES
from sansocket.sansio.engineio.plain_handshake import LONGEST, read_plain_handshake
from sansocket.sansio.engineio.websocket import check_handshake

KEY = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
USUAL = [
    b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1",
    b"Host: localhost:3000",
    b"Connection: keep-alive, Upgrade",
    b"Upgrade: websocket",
    b"Origin: http://localhost:3000",
    b"Cookie: a=b; c=d",
    b"X-Forwarded-For: 192.0.2.1",
    b"Sec-WebSocket-Version: 13",
    KEY,
    b"Sec-WebSocket-Extensions: permessage-deflate",
]
FIRST = [
    *(b"GET /socket.io/?EIO=%b HTTP/1.1" % each for each in (b"4", b"3", b"4&transport=polling")),
    b"GET /socket.io/?token=%41+b&EIO=4&transport=websocket&EIO=3 HTTP/1.1",
    b"GET /socket.io/?EIO=4&transport=websocket&sid=x HTTP/1.1",
    b"GET /socket.io/?EIO=4&transport=websocket" + b"&" * MAX_QUERY_FIELDS + b" HTTP/1.1",
    b"GET /socket.io?EIO=4&transport=websocket HTTP/1.1",
    b"GET /other/?EIO=4&transport=websocket HTTP/1.1",
    b"GET  /socket.io/?EIO=4&transport=websocket HTTP/1.1",
    b"GET /socket.io/?EIO=4&transport=websocket  HTTP/1.1",
    b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.0",
    b"GET http://localhost:3000/socket.io/?EIO=4&transport=websocket HTTP/1.1",
    b"POST /socket.io/?EIO=4&transport=websocket HTTP/1.1",
    b"GET /#/?EIO=4&transport=websocket#a HTTP/1.1",
    b"GET /socket.io/",
    b"",
]
LINES = [
    *USUAL[1:],
    *(b"Host: a:b", b"host: localhost:3000", b"Host:  localhost", b"Host:localhost", b"Host: "),
    *(b"Connection: close, Upgrade", b"Connection: Upgrade", b"Connection: upgrade, x"),
    *(b"Upgrade: WebSocket", b"Upgrade: h2c", b"Origin: https://stranger.example"),
    *(b"Origin: https://localhost:3000", b"Origin: null", b"Sec-WebSocket-Version: 8"),
    *(b"Sec-WebSocket-Key: short", b"Content-Length: 0", b"content-length: 5", b"Expect: x"),
    *(b"Transfer-Encoding: chunked", b"X: \xe9", b"X: a\tb", b"X: \0", b"X Y: z", b": z", b""),
    *(b" folded: x", b"X: trailing ", b"X: a:  b", b"\xe9: x", b"X: a\rb", b"X: a\nb", b"X"),
    b"X: " + b"x" * 8000,
]


@st.composite
def heads(draw: st.DrawFn) -> bytes:
    """A handshake that is usual but for a line or two, and perhaps cut or followed by something."""
    lines = list(USUAL) if draw(st.booleans()) else [*USUAL[:4], *USUAL[7:9]]
    for _ in range(draw(st.integers(0, 2))):
        place = draw(st.integers(1, len(lines)))
        line = draw(st.sampled_from([*LINES, *sorted(NAMES)]) | st.binary(max_size=9))
        lines[place : place + draw(st.integers(0, 1))] = [line] * draw(st.integers(0, 2))
    if draw(st.booleans()):
        lines[0] = draw(st.sampled_from(FIRST))
    data = b"\r\n".join(lines) + b"\r\n\r\n"
    at = draw(st.integers(0, len(data)))
    return draw(st.sampled_from([data, data, data, data[:at], data + b"\x81", data[:at] + b"\r\n"]))


def head(*lines: bytes) -> bytes:
    """These lines in place of the first of the usual ones."""
    return b"\r\n".join([*lines, *USUAL[len(lines) :]]) + b"\r\n\r\n"


@given(heads())
@example(head())
@example(head(b"GET /?EIO=4&transport=websocket&a=%20 HTTP/1.1"))
@example(head(*USUAL[:6], b"X: " + b"y" * LONGEST))
@example(head(*USUAL[:6], b"Sec-WebSocket-Extensions"))
@example(head(*USUAL[:6], b"Expect: 100-continue"))
@example(head(*USUAL[:6], b"X: a  b:  c"))
def test_it_reads_and_answers_as_the_long_way_does(data: bytes) -> None:
    """Protocol rules 1 and 4, security rules T30 and T31: nothing passes that would not there."""
    short = read_plain_handshake(data)
    if short is None:
        return
    request, answer = short
    http = HttpConnection(max_body=1000)
    http.receive_data(data)
    assert http.next_request() == request
    assert verify(request, EngineConfig(), {}) is None
    accept = check_handshake(request.headers).decode()
    headers = (("Upgrade", "websocket"), ("Connection", "Upgrade"))
    assert http.switch_protocols((*headers, ("Sec-WebSocket-Accept", accept))) == answer
    assert http.trailing_data() == b""


def test_most_handshakes_take_it() -> None:
    """Those of Node, of Chrome, and what comes through a proxy."""
    assert read_plain_handshake(head()) is not None
    for first in FIRST[3], FIRST[6]:
        assert read_plain_handshake(head(first)) is not None


def conversation(data: bytes, set_up: Callable[[EngineApp], Any], **options: Any) -> list[object]:
    """All that a client sees who sends this and then a message, and what the server holds."""
    app, driver = engineio(**options)
    told: list[object] = []
    app.on("connection", lambda socket: told.append(socket.handshake))
    app.on("message", lambda socket, text: told.append(text))
    set_up(app)
    pipe = driver.connect()
    pipe.send(data)
    seen = [pipe.take()]
    pipe.send(masked_text("4hello"))
    seen.append(pipe.take())
    driver.settle()
    return [seen, told, app.engine.clients_count, driver.runtime.logged, deadlines(driver, app)]


def deadlines(driver: Driver, app: EngineApp) -> list[object]:
    """When the server has to act, until it has closed everything."""
    found: list[object] = []
    while (deadline := app.engine.next_deadline()) is not None and len(found) < 9:
        found.append(deadline)
        driver.advance(max(deadline - driver.now, 0.0))
    return found


def refuse(*args: object) -> str:
    """An application's function that lets nobody in, and nothing pass."""
    raise ZeroDivisionError


@pytest.mark.parametrize(
    "set_up",
    [
        lambda app: None,
        lambda app: app.engine.use(refuse),
        lambda app: app.engine.use(lambda request, headers: headers.append(("X-A", "b"))),
        lambda app: app.engine.on("headers", lambda headers, request: headers.append(("X", "y"))),
    ],
    ids=["plain", "refused", "with a header", "observed"],
)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"transports": ("polling",)},
        {"allow_request": refuse},
        {"generate_id": lambda request: "mine"},
        {"generate_id": refuse},
        {"cors_allowed_origins": lambda origin: False},
        {"per_message_deflate": True},
        {"initial_packet": "hi"},
        {"cookie": True},
    ],
    ids=lambda options: " ".join(options),
)
@pytest.mark.parametrize("data", [head(), *map(head, FIRST[:8]), head(*USUAL[:4], LINES[19])])
def test_a_server_does_the_same(
    set_up: Callable[[EngineApp], Any], options: dict[str, Any], data: bytes
) -> None:
    """Whatever the application wants to be asked and told."""
    short = conversation(data, set_up, **options)
    with patch.object(wire, "read_plain_handshake", lambda data: None):
        long = conversation(data, set_up, **options)
    assert repr(short) == repr(long)


def test_an_id_that_there_is_already(serve: Serve) -> None:
    """The long way tells the client so."""
    app, driver = serve()
    app.engine.entropy = bytes
    for answer in (b"HTTP/1.1 101 ", b"HTTP/1.1 400 "):
        pipe = driver.connect()
        pipe.send(head())
        assert pipe.take().startswith(answer)
