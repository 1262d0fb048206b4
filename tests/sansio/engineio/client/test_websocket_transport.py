"""WebSocket as a server sees it: for a new session, and as the probe that takes one over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from support.scripted_server import Scripted, ScriptedWebSocket, answer_bytes, open_packet

from sansocket.sansio.engineio.client.states import ClientState
from sansocket.sansio.engineio.encoded import encode_message
from sansocket.sansio.errors import Reason, RemoteProtocolError, TransportError

Act = Callable[[ScriptedWebSocket], None]


def opened(**options: Any) -> tuple[Scripted, ScriptedWebSocket]:
    """An open session over WebSocket."""
    server = Scripted(transports=("websocket",), **options).begin()
    websocket = ScriptedWebSocket(server)
    websocket.send(open_packet())
    return server, websocket


def probed() -> tuple[Scripted, ScriptedWebSocket]:
    """A session that is polled on wire 0 and has sent its probe on wire 1."""
    server = Scripted().open_polling(upgrades=["websocket"])
    websocket = ScriptedWebSocket(server, 1)
    assert websocket.take() == ["2probe"]
    return server, websocket


def send(server: Scripted, *texts: str) -> None:
    for text in texts:
        server.client.send(encode_message([text]))


@pytest.mark.parametrize("chosen", ["b", None])
def test_the_subprotocol_that_the_server_has_chosen(chosen: str | None) -> None:
    """Row 59: known once the WebSocket carries the session."""
    server = Scripted(protocols=("a", "b")).open_polling(upgrades=["websocket"])
    headers = {} if chosen is None else {"Sec_WebSocket_Protocol": chosen}
    websocket = ScriptedWebSocket(server, 1, **headers)
    assert server.client.subprotocol is None
    websocket.send("3probe")
    server.answer("6", 0)
    assert server.client.transport == "websocket"
    assert server.client.subprotocol == chosen


def test_a_new_session() -> None:
    server, websocket = opened(protocols=("a", "b"))
    assert "sid" not in websocket.request.query
    assert websocket.request.header("Sec-WebSocket-Protocol") == "a, b"
    assert server.receiver.opened_at == [0.0]
    send(server, "x")
    assert websocket.take() == ["4x"]
    websocket.send("2", "4hi", b"\x00")
    assert websocket.take() == ["3"]
    assert server.receiver.messages == ["hi", b"\x00"]
    websocket.ping(b"p")
    assert websocket.take() == [b"pongp"]
    server.nothing_is_left()


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        (lambda w: w.close(), Reason.TRANSPORT_CLOSE),
        (lambda w: w.wire.lost(), Reason.TRANSPORT_CLOSE),
        (lambda w: w.send("1"), Reason.TRANSPORT_CLOSE),
        (lambda w: w.give(b"\xff\xff"), Reason.TRANSPORT_ERROR),
        (lambda w: w.give(b"\x81\x81abcdx"), Reason.TRANSPORT_ERROR),
        (lambda w: w.send("9"), Reason.PARSE_ERROR),
        (lambda w: w.send(""), Reason.PARSE_ERROR),
        (lambda w: w.send("5"), Reason.PARSE_ERROR),
    ],
)
def test_what_ends_it(act: Act, reason: Reason) -> None:
    server, websocket = opened()
    act(websocket)
    assert server.receiver.reason is reason
    error = server.receiver.ends[0][1]
    if reason is Reason.PARSE_ERROR:
        assert isinstance(error, RemoteProtocolError)
        assert websocket.take() == [1002]
    elif reason is Reason.TRANSPORT_ERROR:
        assert isinstance(error, TransportError)
        assert isinstance(error.context, RemoteProtocolError)
        assert websocket.take() == [1002]
    send(server, "late")
    server.nothing_is_left()


@pytest.mark.parametrize(
    ("data", "status", "said"),
    [
        (answer_bytes('{"code":3,"message":"Bad request"}', 400), 400, "Bad request"),
        (answer_bytes("", 301, Location="/x"), 301, "redirect"),
        (answer_bytes("fine"), 200, "status 200"),
        (b"HTTP/1.1 101 Go\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n", None, "Accept"),
        (b"HTTP/1.1 101 Go\r\n\r\n", None, "Upgrade"),
        (b"garbage", None, "no HTTP/1.1"),
    ],
    ids=repr,
)
def test_attempts_that_fail(data: bytes, status: int | None, said: str) -> None:
    server = Scripted(transports=("websocket",)).begin()
    server.connect()
    server.taken()
    server.give(data)
    error = server.receiver.failure
    assert isinstance(error, TransportError)
    assert (error.message, error.status) == ("websocket error", status)
    assert said in error.description
    server.nothing_is_left()


@pytest.mark.parametrize("data", ["4x", "0{}", "2", "x", b"bytes"])
def test_a_first_message_that_is_no_handshake(data: str | bytes) -> None:
    server = Scripted(transports=("websocket",)).begin()
    websocket = ScriptedWebSocket(server)
    send(server, "early")
    websocket.send(data)
    assert server.receiver.opened_at == []
    assert isinstance(server.receiver.failure, TransportError)
    assert websocket.take() == [1002]


def test_what_was_sent_before_it_was_open() -> None:
    server = Scripted(transports=("websocket",)).begin()
    send(server, "early")
    websocket = ScriptedWebSocket(server)
    assert websocket.take() == []
    websocket.send(open_packet())
    assert websocket.take() == ["4early"]


def test_we_close() -> None:
    server, websocket = opened()
    send(server, "last")
    server.client.close()
    assert server.receiver.ends == []
    assert [*websocket.take(), *websocket.take()] == ["4last", 1000]
    assert server.receiver.ends == [(Reason.FORCED_CLOSE, None)]
    websocket.close()
    assert server.taken() == b""
    assert websocket.wire.closing
    server.nothing_is_left()


def test_a_cookie_of_a_refusal_is_kept() -> None:
    """A load balancer may set one with any answer."""
    server = Scripted(transports=("websocket",)).begin()
    server.connect()
    server.taken()
    server.answer("", status=503, Set_Cookie="route=1")
    assert server.cookies.header(path="/socket.io/", secure=False, now=0.0) == "route=1"


# The upgrade


def test_upgrade() -> None:
    """Protocol rule 33: probe, pause, `5`, and then what waits (rule 34)."""
    server, websocket = probed()
    assert websocket.request.query == {"EIO": "4", "transport": "websocket", "sid": "abc"}
    send(server, "by polling")
    server.connect(2)
    assert server.request(2).body == b"4by polling"
    websocket.send("3probe")
    assert server.client.state is ClientState.PAUSING
    send(server, "waits")
    assert websocket.take() == []
    server.answer("6\x1e4a", 0)
    assert server.taken(0) == b""
    assert websocket.take() == []
    server.answer("ok", 2)
    assert server.client.transport == "websocket"
    assert websocket.take() == ["5", "4waits"]
    assert server.wires[0].closing
    assert server.wires[2].closing
    websocket.send("4b", "2")
    assert server.receiver.messages == ["a", "b"]
    assert websocket.take() == ["3"]
    server.advance(20.0)
    server.nothing_is_left()


def test_the_rest_of_a_message_goes_by_polling_before_the_upgrade() -> None:
    """Nothing can come between a message and its attachments (rule 49)."""
    server, websocket = probed()
    server.client.send(encode_message(["x" * 900, bytes(300)]))
    server.advance(0.0)
    server.connect(2)
    server.taken(2)
    websocket.send("3probe")
    server.answer("6", 0)
    send(server, "next")
    server.answer("ok", 2)
    assert server.request(2).body == b"b" + b"A" * 400
    assert server.client.state is ClientState.PAUSING
    server.answer("ok", 2)
    assert websocket.take() == ["5", "4next"]


@pytest.mark.parametrize(
    "act",
    [
        lambda w: w.send("3"),
        lambda w: w.send("2probe"),
        lambda w: w.send("4x"),
        lambda w: w.send(b"3probe"),
        lambda w: w.close(),
        lambda w: w.give(b"\xff\xff"),
        lambda w: w.wire.lost(),
        lambda w: w.server.advance(10.0),
    ],
)
@pytest.mark.parametrize("paused", [False, True])
def test_a_probe_that_fails(act: Act, paused: bool) -> None:
    """Protocol rules 37 and 38: polling goes on, in both directions."""
    server, websocket = probed()
    if paused:
        websocket.send("3probe")
        assert not server.client.writable
    act(websocket)
    server.advance(0.0)
    assert server.client.state is ClientState.POLLING
    assert server.receiver.ends == []
    assert websocket.take() in ([1000], [1002], [])
    send(server, "x")
    server.advance(0.0)
    server.connect(2)
    assert server.request(2).body == b"4x"
    server.answer("4hi", 0)
    assert server.request(0).method == "GET"
    assert server.receiver.messages == ["hi"]
    server.nothing_is_left()


def test_its_requests_have_options_of_their_own() -> None:
    """Row 51: those of the WebSocket's request, beside those of polls."""
    server = Scripted(
        extra_headers={"X-Way": "any"},
        transport_options={"websocket": {"extra_headers": {"X-Way": "own"}, "query": {"a": "b"}}},
    ).open_polling(upgrades=["websocket"])
    websocket = ScriptedWebSocket(server, 1)
    send(server, "x")
    server.advance(0.0)
    server.connect(2)
    poll = server.request(2)
    assert (poll.header("X-Way"), poll.query.get("a")) == ("any", None)
    assert (websocket.request.header("X-Way"), websocket.request.query["a"]) == ("own", "b")


def test_the_options_of_a_transport_bound_its_requests() -> None:
    """Row 58: a poll may wait for long, where a handshake may not."""
    server = Scripted(
        upgrade_timeout=60.0, transport_options={"websocket": {"request_timeout": 2.0}}
    ).open_polling(upgrades=["websocket"])
    server.connect(1)
    server.advance(1.9)
    assert server.client.probing
    server.advance(0.1)
    assert not server.client.probing
    assert server.receiver.ends == []


def test_a_second_answer_to_the_probe() -> None:
    """Protocol rule 38: it is no answer to anything."""
    server, websocket = probed()
    websocket.send("3probe", "3probe")
    server.advance(0.0)
    assert server.client.state is ClientState.POLLING
    assert server.receiver.ends == []


def test_a_pause_that_ends_resumes_the_poll() -> None:
    """Also where the GET had been answered meanwhile."""
    server, websocket = probed()
    send(server, "x")
    server.advance(0.0)
    server.connect(2)
    server.taken(2)
    websocket.send("3probe")
    server.answer("6", 0)
    assert server.taken(0) == b""
    websocket.close()
    server.advance(0.0)
    assert server.request(0).method == "GET"


@pytest.mark.parametrize("data", [answer_bytes("", 400), b"garbage", None])
def test_a_probe_that_is_refused(data: bytes | None) -> None:
    server = Scripted().open_polling(upgrades=["websocket"])
    if data is None:
        server.wires[1].failed(OSError(), 0.0)
    else:
        server.connect(1)
        server.taken(1)
        server.give(data, 1)
    assert server.client.state is ClientState.POLLING
    assert server.receiver.ends == []
    assert not server.client.websocket_worked
    assert server.client.transport == "polling"


def test_polling_that_fails_while_it_is_probed() -> None:
    server, websocket = probed()
    server.answer("", 0, status=400)
    assert server.receiver.reason is Reason.TRANSPORT_ERROR
    websocket.send("3probe")
    assert websocket.take() == [1000]
    server.nothing_is_left()


def test_close_waits_for_the_probe() -> None:
    """Protocol rule 39, for the upgrade and for its failure."""
    for upgraded in (True, False):
        server, websocket = probed()
        send(server, "x")
        server.client.close()
        if upgraded:
            websocket.send("3probe")
            assert server.receiver.ends == []
            server.answer("6", 0)
            assert [*websocket.take(), *websocket.take()] == ["5", "4x", 1000]
        else:
            websocket.close()
            server.advance(0.0)
            server.connect(2)
            body = server.request(2).body
            if not body.endswith(b"1"):
                server.answer("ok", 2)
                body = server.request(2).body
            assert body.endswith(b"1")
            server.answer("ok", 2)
        server.advance(0.0)
        assert server.receiver.ends == [(Reason.FORCED_CLOSE, None)]
        server.nothing_is_left()
