"""The end of a polling session: by the client, by the server, or with a connection."""

from __future__ import annotations

import pytest
from support.engineio import (
    BAD_REQUEST,
    UNKNOWN_SESSION,
    Serve,
    only_socket,
    post_bytes,
    record,
    taken,
)

from sansocket.sansio.errors import Reason

# Connections that break


def test_lost_get(serve: Serve) -> None:
    """Protocol rule 32, security rule T23: nobody would get what is sent now, so it is over."""
    app, driver = serve()
    events = record(app)
    sid = driver.poll_handshake()
    driver.get(sid).lose()
    assert events == [("connection",), ("close", "transport error")]
    assert taken(driver.get(sid)).body == UNKNOWN_SESSION


@pytest.mark.parametrize("sent", [-1, -6])
def test_lost_post(serve: Serve, sent: int) -> None:
    """Protocol rule 32: the client does not know what has come of it."""
    app, driver = serve()
    events = record(app)
    sid = driver.poll_handshake()
    pipe = driver.connect()
    pipe.send(post_bytes(sid, "4hello")[:sent])
    pipe.lose()
    assert events == [("connection",), ("close", "transport error")]


def test_lost_while_idle(serve: Serve) -> None:
    """A connection between two requests carries nothing, and nor does one with a bare head."""
    app, driver = serve()
    events = record(app)
    sid = driver.poll_handshake()
    pipe = driver.get(sid)
    only_socket(app).send("hello")
    driver.settle()
    driver.post(sid, "4hello", pipe)
    pipe.send(post_bytes(sid, "4hello")[:40])
    pipe.lose()
    pipe.lose()
    assert events == [("connection",), ("message", "hello")]


# The client ends it


@pytest.mark.parametrize("parked", [True, False])
@pytest.mark.parametrize("body", ["1", "4hello\x1e1", "1\x1e4late\x1e1"])
def test_client_closes(serve: Serve, body: str, parked: bool) -> None:
    """Protocol rule 29: `ok`, the parked GET is released with a noop, and all is over."""
    app, driver = serve()
    events = record(app)
    sid = driver.poll_handshake()
    poll = driver.get(sid) if parked else None
    answer = driver.post(sid, body)
    assert (answer.status, answer.body) == (200, "ok")
    if poll is not None:
        assert taken(poll).body == "6"
    before = [("message", "hello")] if "hello" in body else []
    assert events == [("connection",), *before, ("close", "transport close")]
    for answer in (taken(driver.get(sid)), driver.post(sid, "4late")):
        assert (answer.status, answer.body) == (400, UNKNOWN_SESSION)


# The server ends it


def test_server_closes_with_a_parked_get(serve: Serve) -> None:
    """Protocol rule 31: the GET brings what was sent before, and the close."""
    app, driver = serve()
    events = record(app)
    sid = driver.poll_handshake()
    poll = driver.get(sid)
    socket = only_socket(app)
    socket.close()
    driver.settle()
    assert taken(poll).body == "1"
    assert events == [("connection",), ("close", "forced close")]
    assert taken(driver.get(sid)).body == UNKNOWN_SESSION


def test_server_closes_without_a_get(serve: Serve) -> None:
    """Protocol rules 31 and 69: one GET brings the rest, one the close, and then it is gone.

    The reference's client closes on the packet before it looks at those beside it.
    """
    app, driver = serve()
    events = record(app)
    sid = driver.poll_handshake()
    socket = only_socket(app)
    socket.send("last")
    socket.close()
    socket.close()
    socket.send("too late")
    driver.settle()
    assert events == [("connection",), ("close", "forced close")]
    assert not app.sockets
    driver.advance(29.9)
    assert taken(driver.get(sid)).body == "4last"
    assert taken(driver.get(sid)).body == "1"
    assert not app.engine.sessions
    assert taken(driver.get(sid)).body == UNKNOWN_SESSION


def test_closed_session_does_not_linger_for_ever(serve: Serve) -> None:
    """Protocol rule 31, security rule T13: 30 s, whatever else the client does."""
    app, driver = serve()
    events = record(app)
    sid = driver.poll_handshake()
    only_socket(app).close()
    driver.advance(29.9)
    assert sid in app.engine.sessions
    assert driver.websocket(sid).close_code == 1008
    driver.advance(0.1)
    assert not app.engine.sessions
    assert taken(driver.get(sid)).body == UNKNOWN_SESSION
    assert events == [("connection",), ("close", "forced close")]


@pytest.mark.parametrize("under_way", [True, False])
def test_server_closes_under_a_post(serve: Serve, under_way: bool) -> None:
    """Protocol rule 94: what nobody takes any more is refused, when the client knows of the end.

    The reference's client closes on a refused POST, and would see none of what waits for it.
    """
    app, driver = serve()
    events = record(app)
    sid = driver.poll_handshake()
    request = post_bytes(sid, "4hello")
    post = driver.connect()
    if under_way:
        post.send(request[:-1])
        request = request[-1:]
    only_socket(app).send("last")
    only_socket(app).close()
    post.send(request)
    assert taken(driver.get(sid)).body == "4last"
    assert post.answer() is None
    assert taken(driver.get(sid)).body == "1"
    answer = taken(post)
    assert (answer.status, answer.body) == (400, BAD_REQUEST)
    assert events == [("connection",), ("close", "forced close")]
    # The connection is as good as before.
    assert driver.post(sid, "4hello", post).body == UNKNOWN_SESSION


def test_post_to_a_closing_session_of_which_nobody_hears(serve: Serve) -> None:
    """Security rule T12: refused after a second, whatever else the client does."""
    app, driver = serve()
    sid = driver.poll_handshake()
    only_socket(app).close()
    post = driver.connect()
    post.send(post_bytes(sid, "4hello"))
    driver.advance(0.9)
    assert post.answer() is None
    driver.advance(0.1)
    assert taken(post).status == 400
    assert taken(driver.get(sid)).body == "1"


def test_posts_to_a_closing_session_overlap(serve: Serve) -> None:
    """Protocol rule 28: both are refused, and the session is over."""
    app, driver = serve()
    sid = driver.poll_handshake()
    only_socket(app).close()
    first = driver.connect()
    first.send(post_bytes(sid, "4hello"))
    assert driver.post(sid, "4hello").status == 400
    assert taken(first).status == 400
    assert not app.engine.sessions


def test_post_to_a_closing_session_is_lost(serve: Serve) -> None:
    """Protocol rule 32, security rule T13: the client is gone, and the session with it."""
    app, driver = serve()
    sid = driver.poll_handshake()
    only_socket(app).close()
    post = driver.connect()
    post.send(post_bytes(sid, "4hello"))
    post.lose()
    assert not app.engine.sessions
    driver.advance(1)
    assert post.answer() is None


@pytest.mark.parametrize(("body", "status"), [("1", 200), ("3\x1e1", 200), ("4hello\x1e1", 400)])
def test_client_closes_as_well(serve: Serve, body: str, status: int) -> None:
    """Protocol rule 29: it does not wait for our close; messages are refused all the same."""
    app, driver = serve()
    events = record(app)
    sid = driver.poll_handshake()
    only_socket(app).close()
    assert driver.post(sid, body).status == status
    assert not app.engine.sessions
    assert events == [("connection",), ("close", "forced close")]


@pytest.mark.parametrize("body", ["3", "6\x1e3"])
def test_late_pong(serve: Serve, body: str) -> None:
    """Nothing is left to be done with it: it has been processed (security rule 29)."""
    app, driver = serve()
    sid = driver.poll_handshake()
    only_socket(app).close()
    assert driver.post(sid, body).body == "ok"
    assert sid in app.engine.sessions


def test_bad_post_to_a_closing_session(serve: Serve) -> None:
    """Protocol rule 95: it ends at once, as it would have before."""
    app, driver = serve()
    sid = driver.poll_handshake()
    only_socket(app).close()
    assert driver.post(sid, "nonsense").status == 400
    assert not app.engine.sessions


def test_handler_closes_during_a_post(serve: Serve) -> None:
    """Security rule T12: the POST and the parked GET are both answered."""
    app, driver = serve()
    events = record(app)

    @app.on("message")
    def message(socket: object, data: str | bytes) -> None:
        only_socket(app).send("bye")
        only_socket(app).close()

    sid = driver.poll_handshake()
    poll = driver.get(sid)
    assert driver.post(sid, "4hello").body == "ok"
    brought = taken(poll).body
    if brought == "4bye":
        brought += "\x1e" + taken(driver.get(sid)).body
    assert brought == "4bye\x1e1"
    assert events == [("connection",), ("message", "hello"), ("close", "forced close")]


def test_shutdown(serve: Serve) -> None:
    """Security rule 36: every session is told, at once or with its next GET."""
    app, driver = serve()
    events = record(app)
    parked, idle = driver.poll_handshake(), driver.poll_handshake()
    poll = driver.get(parked)
    websocket = driver.websocket()
    app.engine.close()
    app.engine.close(Reason.FORCED_CLOSE)
    driver.settle()
    assert events == [("connection",)] * 3 + [("close", "server shutting down")] * 3
    assert taken(poll).body == taken(driver.get(idle)).body == "1"
    websocket.take()
    assert websocket.close_code == 1000


@pytest.mark.parametrize("reason", ["ping timeout", "transport error"])
def test_answer_that_is_never_fetched(serve: Serve, reason: str) -> None:
    """Security rule T13: a session ends although the peer does not read its last answer."""
    app, driver = serve()
    events = record(app)
    sid = driver.poll_handshake()
    poll = driver.get(sid)
    poll.writable = False
    only_socket(app).send("hello")
    if reason == "ping timeout":
        driver.advance(45)
    else:
        poll.lose()
    assert events == [("connection",), ("close", reason)]
    assert not app.engine.sessions
