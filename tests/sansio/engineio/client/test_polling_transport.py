"""Polling as a server sees it: which requests come, with what, and what their answers do."""

from __future__ import annotations

import pytest
from support.scripted_server import Scripted, answer_bytes, open_packet

from sansocket.sansio.engineio.client.client import FAREWELL
from sansocket.sansio.engineio.client.states import ClientState
from sansocket.sansio.engineio.encoded import encode_message
from sansocket.sansio.errors import Reason, RemoteProtocolError, TransportError


def opened(**changes: object) -> Scripted:
    """An open session, whose GET waits on wire 0."""
    return Scripted(transports=("polling",)).open_polling(**changes)


def send(server: Scripted, *texts: str | bytes) -> None:
    for text in texts:
        server.client.send(encode_message([text]))
    server.advance(0.0)


def test_the_first_requests() -> None:
    server = Scripted(transports=("polling",)).begin()
    [wire] = server.wires
    assert (wire.target.host, wire.target.port) == ("server.example", 80)
    assert server.taken() == b""
    server.connect()
    first = server.request()
    assert (first.method, first.path) == ("GET", "/socket.io/")
    assert first.query["EIO"] == "4"
    assert "sid" not in first.query
    server.answer(open_packet() + "\x1e4hi")
    second = server.request()
    assert second.query["sid"] == "abc"
    assert second.query["t"] != first.query["t"]
    assert server.receiver.opened_at == [0.0]
    assert server.receiver.messages == ["hi"]
    assert len(server.wires) == 1
    server.nothing_is_left()


def test_a_payload() -> None:
    server = opened()
    server.answer("4a\x1ebAQID\x1e6\x1e2\x1e4b")
    assert server.receiver.messages == ["a", b"\x01\x02\x03", "b"]
    assert server.request(0).method == "GET"
    server.connect(1)
    assert server.request(1).body == b"3"


def test_what_is_sent_in_one_go_is_one_post() -> None:
    """On a connection of its own, which is used again; binary as base64 (rule 10)."""
    server = opened()
    send(server, "a", b"\x01\x02\x03", "\xe4")
    server.connect(1)
    post = server.request(1)
    assert post.query["sid"] == "abc"
    assert post.header("Content-Type") == "text/plain;charset=UTF-8"
    assert post.body == "4a\x1ebAQID\x1e4\xe4".encode()
    send(server, "later")
    assert server.taken(1) == b""
    server.answer("ok", 1)
    assert server.request(1).body == b"4later"
    server.answer("ok", 1)
    assert len(server.wires) == 2
    server.nothing_is_left()


@pytest.mark.parametrize(
    ("max_payload", "bodies"),
    [
        (1000, ["4aaa\x1ebAAAA\x1e4bb\x1e4c"]),
        (17, ["4aaa\x1ebAAAA\x1e4bb\x1e4c"]),
        (16, ["4aaa\x1ebAAAA\x1e4bb", "4c"]),
        (9, ["4aaa", "bAAAA\x1e4bb", "4c"]),
        (1, ["4aaa", "bAAAA", "4bb", "4c"]),
    ],
)
def test_max_payload(max_payload: int, bodies: list[str]) -> None:
    """Row 63, protocol rule 18: never exceeded but by a packet alone; a message may be divided."""
    server = opened(maxPayload=max_payload)
    server.client.send(encode_message(["aaa", bytes(3)]))
    send(server, "bb", "c")
    server.connect(1)
    for body in bodies:
        assert server.request(1).body == body.encode()
        server.answer("ok", 1)
    assert server.taken(1) == b""
    assert server.client.writable


def test_packets_of_one_post_are_counted() -> None:
    """python-socketio's server takes sixteen."""
    server = opened(maxPayload=None)
    send(server, *map(str, range(40)))
    server.connect(1)
    counts: list[int] = []
    while data := server.taken(1):
        counts.append(data.count(b"\x1e") + 1)
        server.answer("ok", 1)
    assert counts == [16, 16, 8]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (answer_bytes(""), Reason.PARSE_ERROR),
        (answer_bytes("4a\x1e"), Reason.PARSE_ERROR),
        (answer_bytes("4a\x1e9"), Reason.PARSE_ERROR),
        (answer_bytes(b"4\xff"), Reason.PARSE_ERROR),
        (answer_bytes("5"), Reason.PARSE_ERROR),
        (answer_bytes(open_packet()), Reason.PARSE_ERROR),
        (answer_bytes('{"code":1,"message":"Session ID unknown"}', 400), Reason.TRANSPORT_ERROR),
        (answer_bytes("", 302, Location="/"), Reason.TRANSPORT_ERROR),
        (answer_bytes("", 204), Reason.TRANSPORT_ERROR),
        (b"HTTP/1.1 200 OK\r\n\r\n4a", Reason.TRANSPORT_ERROR),
        (b"SSH-2.0-OpenSSH\r\n", Reason.TRANSPORT_ERROR),
        (answer_bytes("1"), Reason.TRANSPORT_CLOSE),
        (answer_bytes("4a\x1e1\x1e4b"), Reason.TRANSPORT_CLOSE),
    ],
    ids=repr,
)
def test_answers_that_end_it(answer: bytes, reason: Reason) -> None:
    """A payload counts whole or not at all (rule 94); nothing comes after the close packet."""
    server = opened()
    server.give(answer, 0)
    assert server.receiver.reason is reason
    assert server.receiver.messages == (["a"] if b"4a\x1e1" in answer else [])
    error = server.receiver.ends[0][1]
    if reason is Reason.PARSE_ERROR:
        assert isinstance(error, RemoteProtocolError)
    elif reason is Reason.TRANSPORT_ERROR:
        assert isinstance(error, TransportError)
        assert error.message == "xhr poll error"
        assert error.description
    server.nothing_is_left()


@pytest.mark.parametrize(
    ("answer", "status", "said"),
    [
        (answer_bytes('{"code":5,"message":"Unsupported protocol version"}', 400), 400, "Unsupp"),
        (answer_bytes("", 301, Location="https://x/"), 301, "https://x/"),
        (answer_bytes("<html>", 502), 502, "<html>"),
        (answer_bytes("0{}"), None, "expected a handshake"),
        (answer_bytes(open_packet(pingInterval=-1)), None, "pingInterval"),
        (answer_bytes("4hi"), None, "expected a handshake"),
        (answer_bytes("1"), None, "expected a handshake"),
        (answer_bytes("<html>"), None, "unknown packet type"),
        (answer_bytes("x" * 2000), None, "more than 1000 bytes"),
    ],
    ids=repr,
)
def test_attempts_that_fail(answer: bytes, status: int | None, said: str) -> None:
    """Always a TransportError that says what came."""
    server = Scripted(transports=("polling",), max_payload=1000).begin()
    server.connect()
    server.request()
    server.give(answer)
    assert server.receiver.opened_at == []
    error = server.receiver.failure
    assert isinstance(error, TransportError)
    assert error.status == status
    assert said in error.description
    server.nothing_is_left()


def test_a_post_that_fails() -> None:
    """What it had is lost, so the session is; it is never sent twice."""
    for number in range(3):
        server = opened()
        send(server, "x")
        server.connect(1)
        server.taken(1)
        if number == 0:
            server.answer("", 1, status=413)
        elif number == 1:
            server.wires[1].lost()
        else:
            server.wires[1].failed(OSError("unreachable"), 0.0)
        error = server.receiver.failure
        assert isinstance(error, TransportError)
        assert error.message == "xhr post error"
        assert server.receiver.reason is Reason.TRANSPORT_ERROR
        assert len(server.wires) == 2
        server.nothing_is_left()


def test_an_idle_connection_that_the_server_closes_is_replaced() -> None:
    server = opened()
    for number in (1, 2):
        send(server, "x")
        server.connect(number)
        assert server.request(number).body == b"4x"
        server.answer("ok", number)
        server.wires[number].lost()
    assert server.receiver.ends == []
    assert len(server.wires) == 3


def test_connections_that_are_closed_after_each_answer() -> None:
    server = opened()
    server.answer("6", 0, Connection="close")
    server.connect(1)
    assert server.request(1).method == "GET"
    assert server.wires[0].closing


def test_cookies_come_back() -> None:
    server = Scripted(transports=("polling",)).begin()
    server.connect()
    server.request()
    server.answer(open_packet(), Set_Cookie="io=abc; Path=/; HttpOnly")
    assert server.request().header("Cookie") == "io=abc"
    send(server, "x")
    server.connect(1)
    assert server.request(1).header("Cookie") == "io=abc"
    assert server.cookies.header(path="/", secure=False, now=0.0) == "io=abc"


def test_goodbye() -> None:
    """A close packet, alone, when all before it has gone; then nothing is awaited any more."""
    server = opened()
    send(server, "x")
    server.connect(1)
    server.taken(1)
    send(server, "y")
    server.client.close()
    server.answer("ok", 1)
    assert server.request(1).body == b"4y"
    server.answer("ok", 1)
    assert server.request(1).body == b"1"
    assert server.client.state is ClientState.CLOSING
    server.answer("6\x1e4last", 0)
    assert server.taken(0) == b""
    assert server.receiver.messages == ["last"]
    server.answer("ok", 1)
    assert server.receiver.ends == [(Reason.FORCED_CLOSE, None)]
    assert all(wire.closing for wire in server.wires)
    server.nothing_is_left()


def test_while_it_says_goodbye_the_poll_may_fail() -> None:
    server = opened()
    server.client.close()
    server.connect(1)
    server.taken(1)
    server.answer("", 0, status=400)
    assert server.receiver.ends == []
    server.answer("", 1, status=400)
    assert server.receiver.reason is Reason.FORCED_CLOSE


def parting(*reasons: Reason, busy: bool = False) -> tuple[Scripted, list[str]]:
    """A session that we end at once, and what is noted when its server knows."""
    server = opened()
    if busy:
        send(server, "x")
        server.connect(1)
        assert server.request(1).body == b"4x"
    for reason in reasons or (Reason.FORCED_CLOSE,):
        server.client.abort(reason)
    noted: list[str] = []
    server.client.when_parted(lambda: noted.append("parted"))
    server.advance(0.0)
    return server, noted


@pytest.mark.parametrize("reason", FAREWELL)
def test_a_session_that_we_end_at_once_says_so(reason: Reason) -> None:
    """Its receiver is told at once, the server by a POST, and then nothing is left."""
    server, noted = parting(reason)
    assert server.receiver.reason is reason
    server.connect(1)
    assert server.request(1).body == b"1"
    assert not server.wires[0].closing
    assert noted == []
    server.answer("ok", 1)
    assert noted == ["parted"]
    assert all(wire.closing for wire in server.wires)
    server.nothing_is_left()
    server.client.when_parted(lambda: noted.append("at once"))
    assert noted == ["parted", "at once"]


def test_a_post_that_is_under_way_comes_before_the_farewell() -> None:
    """As in the reference, whose requests are one after the other too."""
    server, noted = parting(busy=True)
    assert server.taken(1) == b""
    server.answer("ok", 1)
    assert server.request(1).body == b"1"
    assert noted == []
    server.answer("ok", 1)
    assert noted == ["parted"]
    server.nothing_is_left()


@pytest.mark.parametrize("busy", [False, True])
def test_a_farewell_that_nobody_hears(busy: bool) -> None:
    """A server that does not answer has `close_timeout` for both; one that refuses, or is gone,
    is told no more."""
    for end in ("late", "refused", "lost", "cut"):
        server, noted = parting(busy=busy)
        if not busy:
            server.connect(1)
            server.taken(1)
        if end == "late":
            server.advance(9.9)
            assert noted == []
            server.advance(0.1)
        elif end == "refused":
            server.answer("", 1, status=400)
        elif end == "lost":
            server.wires[1].lost()
        else:
            server.client.cut()
            assert all(wire.closed for wire in server.wires)
        assert noted == ["parted"]
        server.client.cut()
        assert len(server.wires) == 2
        assert all(wire.closing for wire in server.wires)
        assert noted == ["parted"]
        server.nothing_is_left()


def test_a_farewell_that_is_cut_before_it_begins() -> None:
    server = opened()
    server.client.cut()
    assert server.client.is_open
    server.client.abort(Reason.PARSE_ERROR)
    server.client.cut()
    server.advance(0.0)
    assert len(server.wires) == 1
    server.nothing_is_left()


@pytest.mark.parametrize("reason", [Reason.PING_TIMEOUT, Reason.TRANSPORT_ERROR])
def test_ends_without_a_farewell(reason: Reason) -> None:
    """Of a server that does not answer, or whose connection is broken."""
    server, noted = parting(reason)
    assert noted == ["parted"]
    assert len(server.wires) == 1
