"""Flow control on a WebSocket: what waits for handlers, and for a client that does not read."""

from __future__ import annotations

import pytest
from support.engineio import WEBSOCKET, Serve, only_socket, opened, record, text
from support.runtime import Gate
from support.transcript import websocket_request_bytes

from sansocket.sansio.engineio.app import EngineSocket


@pytest.mark.parametrize("writing", [True, False])
def test_reading_pauses(serve: Serve, writing: bool) -> None:
    """Security rule T6, protocol rule 98: while handlers lag, and it is told when to go on.

    Also a driver that is still writing, and has not pulled since it was woken.
    """
    app, driver = serve(max_inbound=2)
    gate = Gate()
    handled: list[object] = []

    @app.on("message")
    async def message(socket: EngineSocket, data: str | bytes) -> None:
        await gate.wait()
        handled.append(data)

    woken: list[bool] = []
    wire = app.engine.open(lambda: woken.append(True), 0.0)
    wire.receive_data(websocket_request_bytes(query=WEBSOCKET), 0.0)
    wire.receive_data(text("4a"), 0.0)
    driver.settle()
    assert not wire.paused
    wire.receive_data(text("4a"), 0.0)
    driver.settle()
    assert wire.paused
    if not writing:
        wire.data_to_send()
    woken.clear()
    gate.open()
    driver.settle()
    assert woken
    assert not wire.paused
    assert handled == ["a", "a"]
    wire.lost()


def test_reading_pauses_for_who_does_not_read(serve: Serve) -> None:
    """Security rule T6: from exactly the soft bound on, until something is fetched."""
    app, driver = serve(pause_backlog=10)
    websocket = opened(driver)
    websocket.pipe.writable = False
    socket = only_socket(app)
    socket.send("12345678")
    assert not websocket.pipe.wire.paused
    socket.send("")
    assert websocket.pipe.wire.paused
    websocket.pipe.pull()
    assert not websocket.pipe.wire.paused
    assert websocket.take() == ["412345678", "4"]


def test_client_that_does_not_read_is_heard_once_more(serve: Serve) -> None:
    """Security rules T6 and 25: its pong may have come, and wait behind what was not read."""
    app, driver = serve(pause_backlog=10, ping_interval=25.0, ping_timeout=20.0)
    events = record(app)
    woken: list[bool] = []
    wire = app.engine.open(lambda: woken.append(True), 0.0)
    wire.receive_data(websocket_request_bytes(query=WEBSOCKET), 0.0)
    wire.data_to_send()
    only_socket(app).send("1234567890")
    assert wire.paused
    driver.advance(44)
    woken.clear()
    driver.advance(1)
    assert woken
    assert not wire.paused
    wire.receive_data(text("3"), driver.now)
    assert wire.paused
    driver.advance(64)
    assert events == [("connection",)]
    driver.advance(1)
    assert events == [("connection",), ("close", "ping timeout")]
    wire.lost()


def test_backlog_does_not_keep_the_prober_from_being_read(serve: Serve) -> None:
    """Security rule T6: or what waits for the upgrade would be what prevents it."""
    app, driver = serve(pause_backlog=1)
    sid = driver.poll_handshake()
    websocket = driver.websocket(sid)
    websocket.pipe.writable = False
    only_socket(app).send("hello")
    assert not websocket.pipe.wire.paused
    websocket.send("2probe")
    assert not websocket.pipe.wire.paused
    websocket.send("5")
    assert websocket.pipe.wire.paused
    websocket.pipe.pull()
    assert websocket.take() == ["3probe", "4hello"]


def test_pause_ends_with_the_session(serve: Serve) -> None:
    """Security rule T13: who waits to read is woken, or the close would never be read."""
    app, driver = serve(pause_backlog=1)
    websocket = opened(driver)
    websocket.pipe.writable = False
    only_socket(app).send("hello")
    assert websocket.pipe.wire.paused
    only_socket(app).close()
    assert not websocket.pipe.wire.paused
    websocket.pipe.pull()
    assert websocket.take() == ["4hello"]


@pytest.mark.parametrize(
    ("options", "sent"),
    [({"max_backlog": 10}, ["1234", "1234"]), ({"max_backlog_messages": 2}, ["a", b"b"])],
)
def test_send_buffer_full(serve: Serve, options: dict[str, int], sent: list[str | bytes]) -> None:
    """Security rule T6, protocol rule 98: exactly so much waits; with more the session ends."""
    app, driver = serve(**options)
    events = record(app)
    websocket = opened(driver)
    websocket.pipe.writable = False
    socket = only_socket(app)
    for data in sent:
        socket.send(data)
    driver.settle()
    assert socket.connected
    socket.send("x")
    driver.settle()
    assert events == [("connection",), ("close", "send buffer full")]
    websocket.pipe.pull()
    assert websocket.take() == []
    assert websocket.close_code == 1008
