"""One connection: it never raises, it ends in good order, and what a driver may rely on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.engineio import (
    POLLING,
    WEBSOCKET,
    Serve,
    masked,
    nothing_is_left,
    opened,
    post_bytes,
    record,
    taken,
    text,
)
from support.transcript import engineio, request_bytes, websocket_request_bytes

SID = "AAAAAAAAAAAAAAAAAAAB"
"""The id of the first session of a server in these tests."""

HANDSHAKE = request_bytes("GET", query=POLLING)
GET = request_bytes("GET", query=f"{POLLING}&sid={SID}")

# Whatever comes

CONVERSATIONS = [
    HANDSHAKE,
    GET,
    GET + GET,
    *(post_bytes(SID, body) for body in ("4hello", "4a\x1ebAQ==\x1e3", "1", "2", "", b"\xff")),
    post_bytes(SID, "4hello").replace(b"Content-Length: 6", b"Expect: 100-continue"),
    post_bytes(SID, "4hello")[:-3],
    request_bytes("POST", query=f"{POLLING}&sid={SID}", Transfer_Encoding="chunked"),
    request_bytes("OPTIONS", query=POLLING, Origin="https://stranger.example"),
    request_bytes("HEAD", path="/other"),
    websocket_request_bytes(query=WEBSOCKET),
    websocket_request_bytes(query=f"{WEBSOCKET}&sid={SID}"),
    text("2probe"),
    text("5"),
    text("4hello"),
    text("1"),
    masked(0x82, b"\x01"),
    masked(0x01, b"4he") + masked(0x89, b"ping") + masked(0x80, b"llo"),
    masked(0x88, b"\x03\xe8"),
    b"\x81\xfe\xff\xff\0\0\0\0",
]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """Something that a client sends, or nearly so."""
    data = draw(st.sampled_from(CONVERSATIONS))
    if draw(st.booleans()):
        start = draw(st.integers(0, len(data)))
        end = start + draw(st.integers(0, 3))
        data = data[:start] + draw(st.binary(max_size=3)) + data[end:]
    return data


STEPS = st.tuples(
    st.integers(0, 3),
    st.one_of(
        mutated(),
        mutated(),
        st.binary(),
        st.sampled_from(["lose", "stop reading", "read"]),
        st.sampled_from([0.5, 10.0, 30.0]),
    ),
)


@given(st.lists(STEPS, max_size=30), st.booleans())
def test_never_raises(steps: list[tuple[int, bytes | str | float]], bytewise: bool) -> None:
    """Security rules T1 and T13, protocol rule 95: for no bytes in no order; nothing is left."""
    app, driver = engineio(max_payload=1000, max_inbound=2, cors_allowed_origins="*")
    events = record(app)
    driver.bytewise = bytewise
    pipes = [driver.connect() for _ in range(4)]
    for number, step in steps:
        pipe = pipes[number]
        if isinstance(step, bytes):
            pipe.send(step)
        elif isinstance(step, float):
            driver.advance(step)
        elif step == "lose":
            pipe.lose()
        else:
            pipe.writable = step == "read"
            pipe.wire.data_to_send()
        if pipe.wire.closed:
            pipe.lose()
            pipes[number] = driver.connect()
        deadline = app.engine.next_deadline()
        assert deadline is None or deadline > driver.now
        assert app.sockets.keys() <= app.engine.sessions.keys()
    nothing_is_left(app, driver)
    names = [name for name, *_ in events]
    assert names.count("connection") == names.count("close")


@given(st.lists(st.binary(min_size=1), min_size=1))
def test_garbage_is_refused(pieces: list[bytes]) -> None:
    """Security rule T1: an answer and the end, or more is awaited."""
    app, driver = engineio()
    pipe = driver.connect()
    for piece in pieces:
        pipe.send(piece)
    output = pipe.take()
    assert (output != b"") is pipe.wire.closing
    assert output[:13] in (b"", b"HTTP/1.1 400 ", b"HTTP/1.1 505 ")
    nothing_is_left(app, driver)


# What a driver may rely on


def test_wake_is_an_edge(serve: Serve) -> None:
    """Once from nothing to something; again only after a pull, which takes all."""
    app, driver = serve()
    sid = driver.poll_handshake()
    calls: list[bool] = []
    wire = app.engine.open(lambda: calls.append(True), 0.0)
    wire.receive_data(HANDSHAKE.replace(b"EIO=4", b"EIO=3") * 2 + GET, 0.0)
    app.sockets[sid].send("hello")
    app.sockets[sid].send("world")
    assert len(calls) == 1
    assert b"".join(wire.data_to_send()).count(b"HTTP/1.1 400 ") == 2
    assert len(calls) == 1
    wire.receive_data(GET, 0.0)
    assert wire.data_to_send() == []
    assert len(calls) == 1
    app.sockets[sid].send("again")
    assert len(calls) == 2
    assert b"".join(wire.data_to_send()).endswith(b"4again")
    wire.lost()


def test_answer_comes_in_one_pull(serve: Serve) -> None:
    """A driver that pulls whenever it is woken must not be woken in the middle of a pull."""
    app, driver = serve()
    sid = driver.poll_handshake()
    pulls: list[bytes] = []
    wire = app.engine.open(lambda: pulls.append(b"".join(wire.data_to_send())), 0.0)
    wire.receive_data(GET.replace(b"1.1\r\n", b"1.1\r\nConnection: close\r\n"), 0.0)
    app.sockets[sid].send("hello")
    assert len(pulls) == 1
    assert pulls[0].endswith(b"4hello")
    assert wire.closing
    wire.lost()


def test_frames_are_shared(serve: Serve) -> None:
    """The core joins nothing: a message of a broadcast is one object for every client."""
    app, driver = serve()
    first, second = opened(driver), opened(driver)
    for websocket in (first, second):
        websocket.pipe.writable = False
    for socket in app.sockets.values():
        socket.send("hello")
    pieces = [websocket.pipe.wire.data_to_send() for websocket in (first, second)]
    assert pieces == [[b"\x81\x064hello"]] * 2


def test_lost_twice(serve: Serve) -> None:
    """Idempotent, and nobody is woken any more."""
    app, driver = serve()
    calls: list[bool] = []
    wire = app.engine.open(lambda: calls.append(True), 0.0)
    wire.lost()
    wire.lost()
    wire.receive_data(HANDSHAKE, 0.0)
    driver.advance(100)
    assert (wire.closing, wire.closed, calls, wire.data_to_send()) == (True, True, [], [])
    assert not app.engine.sessions


# Shutting down


def test_finish_when_idle(serve: Serve) -> None:
    """Security rule 36: nothing more is served."""
    app, driver = serve()
    pipe = driver.connect()
    pipe.wire.finish()
    pipe.wire.finish()
    assert pipe.wire.closing
    pipe.send(HANDSHAKE)
    assert pipe.answer() is None
    assert not app.engine.sessions


@pytest.mark.parametrize("writable", [True, False])
def test_finish_with_a_parked_poll(serve: Serve, writable: bool) -> None:
    """Security rule 36: what is due is sent, also where the driver can write only later."""
    app, driver = serve()
    events = record(app)
    sid = driver.poll_handshake()
    poll = driver.get(sid)
    poll.writable = writable
    app.sockets[sid].send("last")
    if writable:
        assert taken(poll).body == "4last"
        driver.get(sid, poll)
    app.engine.close()
    poll.wire.finish()
    driver.settle()
    assert poll.wire.closing
    poll.pull()
    assert taken(poll).body == ("1" if writable else "4last")
    assert events == [("connection",), ("close", "server shutting down")]


@pytest.mark.parametrize("request_bytes", [GET, post_bytes(SID, "4hello")[:-1]])
def test_finish_under_a_request(serve: Serve, request_bytes: bytes) -> None:
    """Security rule T12: closed, not left open; and the session does not outlive it unnoticed."""
    app, driver = serve()
    events = record(app)
    driver.poll_handshake()
    pipe = driver.connect()
    pipe.send(request_bytes)
    pipe.wire.finish()
    driver.settle()
    assert pipe.wire.closing
    assert events == [("connection",), ("close", "transport error")]


def test_finish_leaves_a_websocket_alone(serve: Serve) -> None:
    """It closes with its session, by a close frame."""
    app, driver = serve()
    websocket = opened(driver)
    websocket.pipe.wire.finish()
    assert not websocket.pipe.wire.closing
    app.engine.close()
    websocket.pipe.wire.finish()
    websocket.take()
    assert (websocket.close_code, websocket.pipe.wire.closing) == (1000, False)
