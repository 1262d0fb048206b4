"""One connection: it never raises, it ends in good order, and what a driver may rely on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.engineio import (
    BAD_REQUEST,
    POLLING,
    WEBSOCKET,
    Serve,
    nothing_is_left,
    only_socket,
    opened,
    post_bytes,
    record,
    taken,
)
from support.transcript import engineio, request_bytes, websocket_request_bytes

SID = "AAAAAAAAAAAAAAAAAAAB"
"""The id of the first session of a server in these tests."""

HANDSHAKE = request_bytes("GET", query=POLLING)
GET = request_bytes("GET", query=f"{POLLING}&sid={SID}")

# Whatever comes


def masked(first: int, payload: bytes) -> bytes:
    """A client's frame of less than 126 bytes, with its first byte as given."""
    return bytes([first, 0x80 | len(payload)]) + bytes(4) + payload


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
    masked(0x81, b"2probe"),
    masked(0x81, b"5"),
    masked(0x81, b"4hello"),
    masked(0x81, b"1"),
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


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"hello\r\n\r\n", 400),
        (b"\x16\x03\x01\x00\xa5", 400),
        (GET.replace(b"Host: server.example\r\n", b""), 400),
        (post_bytes(SID, "4a").replace(b": 2", b": +2"), 400),
        (post_bytes(SID, "4a").replace(b": 2", b": 2\r\nContent-Length: 2"), 400),
        (post_bytes(SID, "4a").replace(b": 2", b": 2\r\nTransfer-Encoding: chunked"), 400),
        (b"GET /" + b"x" * 9000, 414),
        (b"GET / HTTP/1.1\r\nA: " + b"x" * 9000, 431),
        (b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 3000, 431),
        (GET.replace(b"HTTP/1.1", b"HTTP/3.0"), 505),
    ],
)
def test_what_is_no_http(serve: Serve, data: bytes, status: int) -> None:
    """Security rules 9, T30 and 34: refused with fixed text; what follows is no request."""
    app, driver = serve()
    pipe = driver.connect()
    pipe.send(data + HANDSHAKE)
    answer = taken(pipe)
    assert (answer.status, answer.headers["connection"]) == (status, "close")
    assert answer.body == (BAD_REQUEST if status == 400 else "")
    assert pipe.wire.closing
    pipe.send(HANDSHAKE)
    assert pipe.answer() is None
    assert not app.engine.sessions


# One request after the other


def test_pipelined_requests(serve: Serve) -> None:
    """Answered in order, whatever each of them is."""
    app, driver = serve()
    pipe = driver.connect()
    pipe.send(HANDSHAKE + request_bytes("GET", path="/other") + post_bytes(SID, "4a") + HANDSHAKE)
    assert [taken(pipe).status for _ in range(4)] == [200, 404, 200, 200]
    assert pipe.answer() is None
    assert len(app.engine.sessions) == 2


def test_pipelined_behind_a_poll(serve: Serve) -> None:
    """RFC 9112, section 9.3.2: what follows waits for the poll's answer, and then is served."""
    app, driver = serve()
    events = record(app)
    sid = driver.poll_handshake()
    pipe = driver.get(sid)
    pipe.send(post_bytes(sid, "4a") + GET + post_bytes(sid, "4b") + b"hello\r\n\r\n")
    assert (pipe.answer(), events) == (None, [("connection",)])
    for number in (1, 2):
        only_socket(app).send(str(number))
        driver.settle()
        assert (taken(pipe).body, taken(pipe).body) == (f"4{number}", "ok")
    assert taken(pipe).status == 400
    assert pipe.wire.closing
    assert events == [("connection",), ("message", "a"), ("message", "b")]


def test_upgrade_behind_a_poll(serve: Serve) -> None:
    """Frames that were sent along with it are not lost."""
    app, driver = serve()
    sid = driver.poll_handshake()
    pipe = driver.get(sid)
    pipe.send(websocket_request_bytes(query=f"{WEBSOCKET}&sid={sid}"))
    pipe.send(masked(0x81, b"2probe") + masked(0x81, b"5"))
    only_socket(app).send("hello")
    driver.settle()
    assert taken(pipe).body == "4hello"
    assert pipe.take().startswith(b"HTTP/1.1 101 ")
    assert only_socket(app).transport == "websocket"


def test_too_much_behind_a_poll(serve: Serve) -> None:
    """Protocol rule 98: it is not kept, and who sends so much has broken its poll."""
    app, driver = serve()
    events = record(app)
    pipe = driver.get(driver.poll_handshake())
    pipe.send(b"\r\n" * 32_768)
    assert pipe.answer() is None
    pipe.send(b"\r")
    assert taken(pipe).status == 400
    assert pipe.wire.closing
    assert events == [("connection",), ("close", "transport error")]


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
def test_connection_that_closes_after_its_answer(serve: Serve, version: bytes) -> None:
    """RFC 9112, section 9.6: as the client asks, also after a poll that was parked."""
    app, driver = serve()
    sid = driver.poll_handshake()
    pipe = driver.connect()
    get = GET.replace(b"1.1\r\n", version + b"\r\nConnection: close\r\n")
    pipe.send(get + HANDSHAKE)
    assert not pipe.wire.closing
    only_socket(app).send("hello")
    assert taken(pipe).headers["connection"] == "close"
    assert pipe.wire.closing
    assert pipe.answer() is None
    assert list(app.engine.sessions) == [sid]


def test_continue(serve: Serve) -> None:
    """RFC 9110, section 10.1.1."""
    _, driver = serve()
    request = post_bytes(driver.poll_handshake(), "4hello")
    request = request.replace(b"Content-Length", b"Expect: 100-continue\r\nContent-Length")
    pipe = driver.connect()
    pipe.send(request[:-6])
    assert pipe.take() == b"HTTP/1.1 100 Continue\r\n\r\n"
    pipe.send(request[-6:])
    assert taken(pipe).body == "ok"


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
    assert taken(poll).body == ("1" if writable else "4last\x1e1")
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
