"""A WebSocket on one connection: its end, by either side or a bad frame, and its pings."""

from __future__ import annotations

import pytest
from support.engineio import Serve, masked, only_socket, opened, record, text


def test_client_closes_the_session(serve: Serve) -> None:
    """Protocol rule 30: at once, not when the heartbeat finds out."""
    app, driver = serve()
    events = record(app)
    websocket = opened(driver)
    websocket.send("4hello", "1", "4late")
    assert events == [("connection",), ("message", "hello"), ("close", "transport close")]
    assert websocket.take() == []
    assert websocket.close_code == 1000


def test_nothing_follows_the_close(serve: Serve) -> None:
    """RFC 6455, section 5.5.1: not even what was to be sent when the peer's close came."""
    _, driver = serve()
    websocket = driver.websocket(driver.poll_handshake())
    websocket.pipe.writable = False
    websocket.pipe.send(text("2probe") + masked(0x88, b"\x03\xe8"))
    websocket.pipe.pull()
    assert websocket.pipe.take() == b"\x88\x02\x03\xe8"


@pytest.mark.parametrize("code", [1000, 1001, 4000])
def test_client_closes_the_websocket(serve: Serve, code: int) -> None:
    """RFC 6455, section 5.5.1: the close is answered, and the server closes the connection."""
    app, driver = serve()
    events = record(app)
    websocket = opened(driver)
    websocket.close(code)
    assert events == [("connection",), ("close", "transport close")]
    websocket.take()
    assert websocket.close_code == code
    assert websocket.pipe.wire.complete
    driver.advance(10)
    assert websocket.pipe.wire.closed


def test_lost(serve: Serve) -> None:
    """Security rule T13: nothing is left, and a second loss is none."""
    app, driver = serve()
    events = record(app)
    websocket = opened(driver)
    websocket.pipe.lose()
    websocket.pipe.lose()
    websocket.pipe.wire.receive_data(text("4a"), 0.0)
    assert events == [("connection",), ("close", "transport close")]
    assert len(app.engine.timers) == 0


def test_server_closes(serve: Serve) -> None:
    """What was sent comes before the close frame; the peer has time to answer (rule T6)."""
    app, driver = serve()
    events = record(app)
    websocket = opened(driver)
    wire = websocket.pipe.wire
    websocket.pipe.writable = False
    socket = only_socket(app)
    socket.send("last")
    socket.close()
    socket.send("too late")
    driver.settle()
    assert events == [("connection",), ("close", "forced close")]
    websocket.pipe.pull()
    websocket.pipe.writable = True
    assert websocket.take() == ["4last"]
    assert (websocket.close_code, wire.closing) == (1000, False)
    websocket.send("4too late")
    driver.advance(9)
    assert not wire.closed
    assert not wire.complete
    websocket.close()
    assert wire.complete
    driver.advance(1)
    assert wire.closed
    assert len(events) == 2


def test_complete_when_the_close_has_been_pulled(serve: Serve) -> None:
    """RFC 6455, section 7.1.1: not before; what the driver was given it writes first."""
    _, driver = serve()
    websocket = opened(driver)
    websocket.pipe.writable = False
    websocket.close()
    assert not websocket.pipe.wire.closing
    assert not websocket.pipe.wire.complete
    websocket.pipe.pull()
    websocket.take()
    assert websocket.close_code == 1000
    assert websocket.pipe.wire.complete


def test_close_that_is_not_answered(serve: Serve) -> None:
    """Security rule T6: after 10 s the connection is closed all the same."""
    app, driver = serve()
    websocket = opened(driver)
    only_socket(app).close()
    driver.advance(9.9)
    assert not websocket.pipe.wire.closed
    driver.advance(0.1)
    assert websocket.pipe.wire.closed


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b"\x81\x024a", 1002),
        (masked(0xC1, b"4a"), 1002),
        (masked(0x83, b"4a"), 1002),
        (masked(0x80, b"4a"), 1002),
        (masked(0x09, b""), 1002),
        (masked(0x81, b"4\xff"), 1007),
        (b"\x82\xff\0\0\0\0\0\x0f\x42\x40\0\0\0\0", None),
        (b"\x81\xff\0\0\0\0\0\x0f\x42\x41\0\0\0\0", 1009),
    ],
)
def test_frames_that_are_none(serve: Serve, frame: bytes, code: int | None) -> None:
    """Security rules T4 and 21: closed with a code, and nothing after it is processed."""
    app, driver = serve()
    events = record(app)
    websocket = opened(driver)
    websocket.pipe.send(text("4a") + frame + text("4b"))
    websocket.take()
    assert websocket.close_code == code
    ending = [("close", "transport error")] if code else []
    assert events == [("connection",), ("message", "a"), *ending]
    assert websocket.pipe.wire.closing is (code is not None)
    # What such a peer still sends is not to reset the connection under our close frame.
    assert not websocket.pipe.wire.complete


def test_ping_frame(serve: Serve) -> None:
    """RFC 6455, section 5.5.3; it is no packet, and the session learns nothing of it."""
    app, driver = serve()
    events = record(app)
    websocket = opened(driver)
    websocket.ping(b"hello")
    websocket.take()
    assert websocket.pongs == [b"hello"]
    assert events == [("connection",)]
