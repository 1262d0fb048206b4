"""The upgrade: a WebSocket takes a polling session over, or fails to, and nothing is lost.

Security rule T24: one probing WebSocket; `2probe`, then `5`; everything else closes the
WebSocket and never the session.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.engineio import (
    BAD_REQUEST,
    WEBSOCKET,
    Serve,
    only_socket,
    post_bytes,
    record,
    taken,
    text,
)
from support.transcript import Driver, WebSocketPipe, engineio, websocket_request_bytes

from sansocket.sansio.engineio.app import EngineApp


def probing(driver: Driver, sid: str) -> WebSocketPipe:
    """A WebSocket that has probed."""
    websocket = driver.websocket(sid)
    websocket.send("2probe")
    assert websocket.take() == ["3probe"]
    return websocket


def upgraded(driver: Driver, sid: str) -> WebSocketPipe:
    """The WebSocket that has taken the session over."""
    websocket = probing(driver, sid)
    websocket.send("5")
    return websocket


def polling_works(app: EngineApp, driver: Driver, sid: str) -> None:
    """Packets go both ways by polling, and a GET waits for them as it did before."""
    assert app.sockets[sid].transport == "polling"
    poll = driver.get(sid)
    assert poll.answer() is None
    app.sockets[sid].send("down")
    assert taken(poll).body == "4down"
    assert driver.post(sid, "4up").body == "ok"


# As it should go


def test_upgrade(serve: Serve) -> None:
    """Protocol rule 33, with what travels before, during and after."""
    app, driver = serve()
    events = record(app)
    sid = driver.poll_handshake()
    socket = only_socket(app)
    poll = driver.get(sid)
    websocket = driver.websocket(sid)
    assert (poll.answer(), websocket.take()) == (None, [])
    websocket.send("2probe")
    assert (taken(poll).body, websocket.take()) == ("6", ["3probe"])
    assert driver.post(sid, "4by polling").body == "ok"
    socket.send("waiting")
    assert websocket.take() == []
    assert only_socket(app).transport == "polling"
    websocket.send("5")
    assert only_socket(app).transport == "websocket"
    assert websocket.take() == ["4waiting"]
    websocket.send("4by websocket", b"\x01")
    socket.send("down")
    assert websocket.take() == ["4down"]
    messages = ["by polling", "by websocket", b"\x01"]
    assert events == [("connection",), *(("message", data) for data in messages)]


def test_upgrade_in_one_chunk(serve: Serve) -> None:
    """The client does not wait for any answer; all of it comes with the request itself."""
    app, driver = serve()
    events = record(app)
    sid = driver.poll_handshake()
    app.sockets[sid].send("first")
    pipe = driver.connect()
    request = websocket_request_bytes(query=f"{WEBSOCKET}&sid={sid}")
    pipe.send(request + text("2probe") + text("5") + text("4a"))
    websocket = WebSocketPipe(pipe)
    assert websocket.take() == ["3probe", "4first"]
    assert events == [("connection",), ("message", "a")]


def test_polls_are_answered_at_once_while_probing(serve: Serve) -> None:
    """Protocol rule 33: one noop is not enough, for the client may open another GET."""
    app, driver = serve()
    sid = driver.poll_handshake()
    poll = driver.get(sid)
    websocket = driver.websocket(sid)
    websocket.send("2probe")
    assert taken(poll).body == "6"
    for _ in range(3):
        assert taken(driver.get(sid)).body == "6"
    only_socket(app).send("hello")
    assert websocket.take() == ["3probe"]
    assert taken(driver.get(sid)).body == "4hello"
    assert taken(driver.get(sid)).body == "6"


def test_probe_with_packets_on_their_way(serve: Serve) -> None:
    """Protocol rule 33: the GET is released by what it brings, and needs no noop."""
    app, driver = serve()
    sid = driver.poll_handshake()
    poll = driver.get(sid)
    poll.writable = False
    only_socket(app).send("hello")
    websocket = probing(driver, sid)
    poll.pull()
    assert taken(poll).body == "4hello"
    websocket.send("5")
    assert websocket.take() == []


def test_get_that_is_parked_at_the_upgrade(serve: Serve) -> None:
    """Protocol rules 33 and 34: released at last; what waited for it goes by the WebSocket."""
    app, driver = serve()
    sid = driver.poll_handshake()
    poll = driver.get(sid)
    poll.writable = False
    websocket = probing(driver, sid)
    only_socket(app).send("hello")
    websocket.send("5")
    poll.pull()
    assert taken(poll).body == "6"
    assert [packet for packet in websocket.take() if packet != "6"] == ["4hello"]


@given(st.lists(st.sampled_from(["send", "get", "probe", "upgrade"]), max_size=30))
def test_order_is_kept(steps: list[str]) -> None:
    """Protocol rule 34: each packet once, in order, and none by the WebSocket before its time."""
    app, driver = engineio()
    sid = driver.poll_handshake()
    websocket = driver.websocket(sid)
    todo = iter(["2probe", "5"])
    sent: list[str] = []
    got: list[str | bytes] = []

    def send() -> None:
        sent.append(f"4{len(sent)}")
        app.sockets[sid].send(sent[-1][1:])

    for step in [*steps, "probe", "upgrade"]:
        if step == "send":
            send()
        elif step == "get" and app.sockets[sid].transport == "polling":
            poll = driver.get(sid)
            if not poll.output:
                send()
            got += taken(poll).body.split("\x1e")
        elif packet := next(todo, ""):
            assert websocket.take() == []
            websocket.send(packet)
            if packet == "2probe":
                assert websocket.take() == ["3probe"]
    got += websocket.take()
    assert [packet for packet in got if packet != "6"] == sent


# After it


@pytest.mark.parametrize("first", ["polling", "websocket"])
def test_polling_is_over(serve: Serve, first: str) -> None:
    """Protocol rule 35, security rule T24: 400, and the session does not mind."""
    app, driver = serve()
    events = record(app)
    if first == "polling":
        sid = driver.poll_handshake()
        websocket = upgraded(driver, sid)
    else:
        websocket = driver.websocket()
        websocket.take()
        (sid,) = app.sockets
    get, post = taken(driver.get(sid)), driver.post(sid, "4late")
    assert (get.status, get.body) == (post.status, post.body) == (400, BAD_REQUEST)
    app.sockets[sid].send("still here")
    assert websocket.take() == ["4still here"]
    assert events == [("connection",)]


def test_post_that_is_under_way_at_the_upgrade(serve: Serve) -> None:
    """Protocol rule 94: it is refused, not dropped; a client waits for its POSTs before `5`."""
    app, driver = serve()
    events = record(app)
    sid = driver.poll_handshake()
    websocket = probing(driver, sid)
    post = driver.connect()
    post.send(post_bytes(sid, "4late")[:-1])
    websocket.send("5")
    post.send(b"e")
    assert taken(post).status == 400
    post.lose()
    websocket.send("4hello")
    assert events == [("connection",), ("message", "hello")]


def test_lost_after_the_upgrade(serve: Serve) -> None:
    """The session has no other connection left."""
    app, driver = serve()
    events = record(app)
    sid = driver.poll_handshake()
    poll = driver.get(sid)
    websocket = upgraded(driver, sid)
    poll.lose()
    assert events == [("connection",)]
    websocket.pipe.lose()
    assert events == [("connection",), ("close", "transport close")]


# A second WebSocket


@pytest.mark.parametrize("stage", ["offered", "probing", "upgraded", "by websocket"])
def test_second_websocket(serve: Serve, stage: str) -> None:
    """Protocol rule 35, security rule T24: closed at once, and the first one goes on."""
    app, driver = serve()
    events = record(app)
    if stage == "by websocket":
        first = driver.websocket()
        first.take()
        (sid,) = app.sockets
    else:
        sid = driver.poll_handshake()
        first = driver.websocket(sid)
    if stage in ("probing", "upgraded"):
        first.send("2probe")
        assert first.take() == ["3probe"]
    if stage == "upgraded":
        first.send("5")
    second = driver.websocket(sid)
    assert (second.status, second.close_code) == (101, 1008)
    second.send("2probe", "5", "4hello", "1")
    assert second.take() == []
    second.pipe.lose()
    for packet in {"offered": ["2probe", "5"], "probing": ["5"]}.get(stage, []):
        first.send(packet)
    first.send("4still here")
    assert events == [("connection",), ("message", "still here")]


# As it should not go


def wrong(packet: str | bytes) -> Callable[[Driver, WebSocketPipe], None]:
    return lambda driver, websocket: websocket.send(packet)


FAILURES: dict[str, Callable[[Driver, WebSocketPipe], None]] = {
    "lost": lambda driver, websocket: websocket.pipe.lose(),
    "closed": lambda driver, websocket: websocket.close(),
    "late": lambda driver, websocket: driver.advance(10),
    "bad frame": lambda driver, websocket: websocket.pipe.send(b"\x81\x01a"),
    "large": lambda driver, websocket: websocket.pipe.send(b"\x81\xff\0\0\0\0\0\x0f\x42\x41"),
    "empty": wrong(""),
    "no probe": wrong("2"),
    "another probe": wrong("2probe!"),
    "pong": wrong("3"),
    "message": wrong("4hello"),
    "close": wrong("1"),
    "noop": wrong("6"),
    "nonsense": wrong("hello"),
    "more than 5": wrong("5 "),
    "bytes": wrong(b"2probe"),
}


@pytest.mark.parametrize("stage", ["offered", "probing"])
@pytest.mark.parametrize("failure", FAILURES)
def test_failed_upgrade(serve: Serve, failure: str, stage: str) -> None:
    """Protocol rules 36 and 37: the WebSocket is closed, polling works, and so does a retry."""
    app, driver = serve(ping_interval=100.0)
    events = record(app)
    sid = driver.poll_handshake()
    websocket = driver.websocket(sid) if stage == "offered" else probing(driver, sid)
    FAILURES[failure](driver, websocket)
    websocket.take()
    codes = {"lost": None, "closed": 1000, "large": 1009}
    assert websocket.close_code == codes.get(failure, 1002)
    polling_works(app, driver, sid)
    websocket.pipe.lose()
    polling_works(app, driver, sid)
    again = upgraded(driver, sid)
    again.send("4again")
    driver.advance(20)
    assert events == [("connection",), *[("message", "up")] * 2, ("message", "again")]


@pytest.mark.parametrize("packets", [["5"], ["2probe", "2probe"]])
def test_probe_out_of_turn(serve: Serve, packets: list[str]) -> None:
    """Protocol rule 36, security rule T24: no `5` without a probe (the reference takes it)."""
    app, driver = serve()
    sid = driver.poll_handshake()
    websocket = driver.websocket(sid)
    websocket.send(*packets)
    websocket.take()
    assert websocket.close_code == 1002
    polling_works(app, driver, sid)


def test_failed_upgrade_with_a_parked_get(serve: Serve) -> None:
    """Protocol rule 37: it stays parked until there is something."""
    app, driver = serve()
    sid = driver.poll_handshake()
    poll = driver.get(sid)
    driver.websocket(sid).pipe.lose()
    assert poll.answer() is None
    only_socket(app).send("hello")
    assert taken(poll).body == "4hello"


def test_packets_of_a_failed_upgrade(serve: Serve) -> None:
    """Protocol rules 34 and 37: what waited for the WebSocket comes by polling."""
    app, driver = serve()
    sid = driver.poll_handshake()
    websocket = probing(driver, sid)
    only_socket(app).send("hello")
    websocket.pipe.lose()
    assert taken(driver.get(sid)).body == "4hello"


def test_upgrade_timeout(serve: Serve) -> None:
    """Protocol rule 37, security rule T24: from the WebSocket's coming on, probe or no probe."""
    app, driver = serve(upgrade_timeout=5.0)
    sid = driver.poll_handshake()
    websocket = driver.websocket(sid)
    driver.advance(4)
    websocket.send("2probe")
    driver.advance(0.5)
    websocket.take()
    assert websocket.close_code is None
    driver.advance(0.5)
    websocket.take()
    assert websocket.close_code == 1002
    polling_works(app, driver, sid)
    websocket.send("5")
    assert only_socket(app).transport == "polling"
    driver.advance(10)
    assert websocket.pipe.wire.closed


def test_upgrade_timeout_is_over_with_the_upgrade(serve: Serve) -> None:
    """Security rule T13: no timer of it is left."""
    app, driver = serve()
    events = record(app)
    websocket = upgraded(driver, driver.poll_handshake())
    driver.advance(20)
    websocket.send("4hello")
    assert events == [("connection",), ("message", "hello")]


# The session ends meanwhile


@pytest.mark.parametrize("stage", ["offered", "probing"])
@pytest.mark.parametrize("how", ["client", "server", "lost poll", "overlap", "ping timeout"])
def test_session_ends_during_an_upgrade(serve: Serve, how: str, stage: str) -> None:
    """Security rule T13: the WebSocket closes with it, and says no more."""
    app, driver = serve(upgrade_timeout=100.0)
    events = record(app)
    sid = driver.poll_handshake()
    poll = driver.get(sid) if stage == "offered" else driver.connect()
    websocket = driver.websocket(sid) if stage == "offered" else probing(driver, sid)
    if how == "client":
        assert driver.post(sid, "1").body == "ok"
    elif how == "server":
        only_socket(app).close()
        driver.settle()
    elif how == "lost poll" and stage == "offered":
        poll.lose()
    elif how == "overlap" and stage == "offered":
        driver.get(sid)
    else:
        driver.advance(45)
    websocket.send("5", "4hello")
    assert websocket.take() == []
    # One that has probed takes over to close in good order.
    assert websocket.close_code == (1000 if (how, stage) == ("server", "probing") else 1002)
    assert len(events) == 2
    assert events[1][0] == "close"
