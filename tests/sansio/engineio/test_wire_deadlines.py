"""How long a connection may take for what it does, in virtual time (security rule 10).

Every deadline is met exactly: a moment before it nothing has happened.
"""

from __future__ import annotations

import pytest
from support.engineio import POLLING, UNKNOWN_SESSION, Serve, only_socket, post_bytes, record, taken
from support.transcript import Driver, Pipe, request_bytes

MOMENT = 2**-10
"""The least time that a test lets pass; a power of two, so that sums are exact."""

HANDSHAKE = request_bytes("GET", query=POLLING)


def ends(driver: Driver, pipe: Pipe, seconds: float) -> None:
    """The connection is to be closed after exactly so many seconds."""
    driver.advance(seconds - MOMENT)
    assert not pipe.wire.closed
    driver.advance(MOMENT)
    assert pipe.wire.closed


def is_refused(driver: Driver, pipe: Pipe, seconds: float, status: int = 408) -> None:
    """Exactly then the request is answered for good; the peer has 10 s to read it."""
    driver.advance(seconds - MOMENT)
    assert (pipe.answer(), pipe.wire.closing) == (None, False)
    driver.advance(MOMENT)
    answer = taken(pipe)
    assert (answer.status, answer.body, pipe.wire.closing) == (status, "", True)
    ends(driver, pipe, 10)


def test_silent_connections(serve: Serve) -> None:
    """Closed after 10 s without a word, and they have cost nothing else."""
    app, driver = serve()
    pipes = [driver.connect() for _ in range(200)]
    ends(driver, pipes[0], 10)
    assert all(pipe.wire.closed and pipe.take() == b"" for pipe in pipes)
    assert len(app.engine.timers) == 0


def test_slow_head(serve: Serve) -> None:
    """10 s from its first byte, however it drips."""
    _, driver = serve()
    pipe = driver.connect()
    driver.advance(5)
    pipe.send(b"\r\n")
    driver.advance(1)
    for at in range(9):
        pipe.send(HANDSHAKE[at : at + 1])
        driver.advance(1)
    is_refused(driver, pipe, 1)


def test_idle_connection(serve: Serve) -> None:
    """75 s after its last request, which may come at the last moment."""
    _, driver = serve()
    pipe = driver.connect()
    for _ in range(3):
        pipe.send(HANDSHAKE)
        assert taken(pipe).status == 200
        driver.advance(75 - MOMENT)
    pipe.send(HANDSHAKE)
    assert taken(pipe).status == 200
    ends(driver, pipe, 75)
    assert pipe.take() == b""


def test_slow_head_of_a_later_request(serve: Serve) -> None:
    """10 s, too, for an idle connection has more time only while it is idle."""
    _, driver = serve()
    pipe = driver.connect()
    pipe.send(HANDSHAKE)
    taken(pipe)
    driver.advance(70)
    pipe.send(HANDSHAKE[:5])
    is_refused(driver, pipe, 10)


@pytest.mark.parametrize("ahead", [HANDSHAKE, HANDSHAKE[5:] + HANDSHAKE])
def test_slow_head_behind_a_request(serve: Serve, ahead: bytes) -> None:
    """10 s also where its first bytes came along with the end of another."""
    _, driver = serve()
    pipe = driver.connect()
    if ahead != HANDSHAKE:
        pipe.send(HANDSHAKE[:5])
    pipe.send(ahead + HANDSHAKE[:5])
    while pipe.answer() is not None:
        pass
    is_refused(driver, pipe, 10)


def test_slow_head_behind_a_poll(serve: Serve) -> None:
    """It cannot be read while the poll is parked; 10 s from the poll's answer on."""
    app, driver = serve()
    sid = driver.poll_handshake()
    pipe = driver.get(sid)
    pipe.send(HANDSHAKE[:5])
    driver.advance(20)
    only_socket(app).send("hello")
    driver.settle()
    assert taken(pipe).body == "4hello"
    is_refused(driver, pipe, 10)


def test_slow_body(serve: Serve) -> None:
    """30 s without progress, and the session is over: its POST will never be whole."""
    app, driver = serve(ping_interval=1000.0)
    events = record(app)
    sid = driver.poll_handshake()
    request = post_bytes(sid, "4hello")
    pipe = driver.connect()
    pipe.send(request[:-4])
    for at in (-4, -3, -2):
        driver.advance(30 - MOMENT)
        pipe.send(request[at : at + 1])
    assert events == [("connection",)]
    is_refused(driver, pipe, 30)
    assert events == [("connection",), ("close", "transport error")]
    assert taken(driver.get(sid)).body == UNKNOWN_SESSION


def test_body_that_ends_at_the_last_moment(serve: Serve) -> None:
    """And then the connection is idle."""
    app, driver = serve(ping_interval=1000.0)
    events = record(app)
    pipe = driver.connect()
    request = post_bytes(driver.poll_handshake(), "4hello")
    pipe.send(request[:-1])
    driver.advance(30 - MOMENT)
    pipe.send(request[-1:])
    assert taken(pipe).body == "ok"
    ends(driver, pipe, 75)
    assert events == [("connection",), ("message", "hello")]


def test_parked_poll(serve: Serve) -> None:
    """No deadline of the connection's ends it; later it is idle, and ends some time."""
    app, driver = serve(ping_interval=1000.0)
    pipe = driver.get(driver.poll_handshake())
    driver.advance(500)
    assert not pipe.wire.closing
    only_socket(app).send("hello")
    assert taken(pipe).body == "4hello"
    driver.advance(75)
    assert pipe.wire.closed


def test_refused_connection(serve: Serve) -> None:
    """Security rule T6: the peer has 10 s to read why, whatever it goes on to send."""
    _, driver = serve()
    pipe = driver.connect()
    driver.advance(3)
    pipe.send(b"hello\r\n\r\n")
    assert pipe.wire.closing
    driver.advance(5)
    pipe.send(HANDSHAKE)
    ends(driver, pipe, 5)


def test_answer_that_nobody_reads(serve: Serve) -> None:
    """Security rule T6: also where the driver could not write any of it."""
    _, driver = serve()
    pipe = driver.connect()
    pipe.writable = False
    pipe.send(HANDSHAKE.replace(b"1.1\r\n", b"1.1\r\nConnection: close\r\n"))
    assert not pipe.wire.closed
    ends(driver, pipe, 10)


@pytest.mark.parametrize("data", [b"", b"hello\r\n\r\n"])
def test_driver_is_told_to_close(serve: Serve, data: bytes) -> None:
    """Also one that was woken before, and could write nothing since."""
    app, driver = serve()
    calls: list[bool] = []
    wire = app.engine.open(lambda: calls.append(True), driver.now)
    wire.receive_data(data, driver.now)
    calls.clear()
    driver.advance(10)
    assert (wire.closed, calls) == (True, [True])


@pytest.mark.parametrize("option", ["head_timeout", "body_timeout", "keep_alive_timeout"])
def test_options(serve: Serve, option: str) -> None:
    """Each is the configuration's."""
    _, driver = serve(**{option: 3.0})
    pipe = driver.connect()
    if option == "keep_alive_timeout":
        pipe.send(HANDSHAKE)
        taken(pipe)
        ends(driver, pipe, 3)
    elif option == "body_timeout":
        pipe.send(post_bytes(driver.poll_handshake(), "4hello")[:-1])
        is_refused(driver, pipe, 3)
    else:
        pipe.send(HANDSHAKE[:5])
        is_refused(driver, pipe, 3)
