"""The heartbeat in virtual time, on both transports and across an upgrade.

The server pings; a client has until exactly `ping_timeout` after that to answer.
"""

from __future__ import annotations

import pytest
from support.engineio import UNKNOWN_SESSION, Serve, only_socket, record, taken
from support.runtime import Gate
from support.transcript import Driver, Pipe, WebSocketPipe

from sansocket.sansio.engineio.app import EngineSocket

MOMENT = 2**-10
"""The least time that a test lets pass; a power of two, so that sums are exact."""


class Client:
    """A client of either transport, which reads all the time and answers nothing by itself."""

    def __init__(self, driver: Driver, transport: str) -> None:
        self.driver = driver
        self.polling: Pipe | None = None
        self.websocket: WebSocketPipe | None = None
        if transport == "polling":
            self.sid = driver.poll_handshake()
            self.polling = driver.get(self.sid)
        else:
            self.websocket = driver.websocket()
            self.websocket.take()

    def send(self, packet: str) -> None:
        """Send one packet."""
        if self.websocket is not None:
            self.websocket.send(packet)
        else:
            assert self.driver.post(self.sid, packet).body == "ok"

    def take(self) -> list[str | bytes]:
        """The packets that have come."""
        if self.websocket is not None:
            return self.websocket.take()
        assert self.polling is not None
        answer = self.polling.answer()
        if answer is None:
            return []
        if "1" not in answer.body:
            self.driver.get(self.sid, self.polling)
        return [*answer.body.split("\x1e")]


transports = pytest.mark.parametrize("transport", ["polling", "websocket"])


@transports
def test_ping_and_pong(serve: Serve, transport: str) -> None:
    """Protocol rules 21 and 22: the next ping comes an interval after the pong."""
    app, driver = serve()
    events = record(app)
    client = Client(driver, transport)
    driver.advance(25 - MOMENT)
    assert client.take() == []
    for pause in (0.0, 3.0, 20 - MOMENT):
        driver.advance(MOMENT)
        assert client.take() == ["2"]
        driver.advance(pause)
        client.send("3")
        driver.advance(25 - MOMENT)
        assert client.take() == []
    assert events == [("connection",)]


@transports
def test_ping_timeout(serve: Serve, transport: str) -> None:
    """Protocol rules 22, 24 and 26, security rule 25: at interval + timeout, and not before."""
    app, driver = serve(ping_interval=0.375, ping_timeout=0.25)
    events = record(app)
    client = Client(driver, transport)
    driver.advance(0.375)
    assert client.take() == ["2"]
    driver.advance(0.25 - MOMENT)
    assert events == [("connection",)]
    driver.advance(MOMENT)
    assert events == [("connection",), ("close", "ping timeout")]
    assert not app.engine.sessions
    if client.websocket is not None:
        assert client.take() == []
        assert client.websocket.close_code == 1000
    else:
        assert client.take() == ["1"]
        assert taken(driver.get(client.sid)).body == UNKNOWN_SESSION


def test_client_that_never_comes_back(serve: Serve) -> None:
    """Security rule T6: black holes end with the heartbeat."""
    app, driver = serve()
    events = record(app)
    driver.poll_handshake()
    websocket = driver.websocket()
    websocket.pipe.writable = False
    driver.advance(45)
    assert events[2:] == [("close", "ping timeout")] * 2
    assert not app.engine.sessions
    assert not websocket.pipe.wire.closed
    driver.advance(10)
    assert websocket.pipe.wire.closed


def test_polling_client_that_fetches_its_ping_late(serve: Serve) -> None:
    """Protocol rule 22: the time runs from when the ping is queued."""
    app, driver = serve()
    events = record(app)
    sid = driver.poll_handshake()
    driver.advance(44.9)
    assert taken(driver.get(sid)).body == "2"
    assert driver.post(sid, "3").body == "ok"
    driver.advance(25)
    assert taken(driver.get(sid)).body == "2"
    assert events == [("connection",)]


@transports
def test_unsolicited_pongs(serve: Serve, transport: str) -> None:
    """Protocol rule 22, security rule 11: dropped; who spams them is pinged all the same."""
    app, driver = serve()
    events = record(app)
    client = Client(driver, transport)
    for _ in range(5):
        client.send("3")
        client.send("3")
        driver.advance(5)
    assert client.take() == ["2"]
    client.send("3")
    client.send("3")
    driver.advance(25)
    assert client.take() == ["2"]
    assert events == [("connection",)]


@transports
def test_only_a_pong_counts(serve: Serve, transport: str) -> None:
    """Security rule 25: messages do not keep a session that leaves its pings unanswered."""
    app, driver = serve()
    events = record(app)
    client = Client(driver, transport)
    for _ in range(44):
        driver.advance(1)
        client.send("4hello")
        client.take()
    assert len(app.engine.sessions) == 1
    driver.advance(1)
    assert events[-1] == ("close", "ping timeout")


@transports
@pytest.mark.parametrize("after", [0, 25])
def test_ping_of_a_client(serve: Serve, transport: str, after: float) -> None:
    """Protocol rule 21: the wrong way round, whether or not a pong is due."""
    app, driver = serve()
    events = record(app)
    client = Client(driver, transport)
    driver.advance(after)
    client.take()
    if client.websocket is not None:
        client.send("2")
        client.take()
        assert client.websocket.close_code == 1002
    else:
        assert driver.post(client.sid, "2").status == 400
    assert events == [("connection",), ("close", "transport error")]


@pytest.mark.parametrize("pong", [True, False])
def test_ping_across_an_upgrade(serve: Serve, pong: bool) -> None:
    """Protocol rule 25: its pong may come by the WebSocket, and is awaited as before."""
    app, driver = serve()
    events = record(app)
    sid = driver.poll_handshake()
    poll = driver.get(sid)
    driver.advance(25)
    assert taken(poll).body == "2"
    websocket = driver.websocket(sid)
    websocket.send("2probe")
    websocket.send("5")
    assert websocket.take() == ["3probe"]
    driver.advance(20 - MOMENT)
    assert events == [("connection",)]
    if pong:
        websocket.send("3")
        driver.advance(25)
        assert websocket.take() == ["2"]
        assert events == [("connection",)]
    else:
        driver.advance(MOMENT)
        assert events == [("connection",), ("close", "ping timeout")]
        websocket.take()
        assert websocket.close_code == 1000


def test_ping_during_an_upgrade(serve: Serve) -> None:
    """Protocol rules 25 and 34: it waits for the WebSocket like any other packet."""
    _, driver = serve(upgrade_timeout=60.0)
    websocket = driver.websocket(driver.poll_handshake())
    websocket.send("2probe")
    driver.advance(25)
    assert websocket.take() == ["3probe"]
    websocket.send("5")
    assert websocket.take() == ["2"]


def test_client_that_is_not_read_from(serve: Serve) -> None:
    """Its pong may wait unread where we do not read; once we do, the heartbeat goes on."""
    app, driver = serve(max_inbound=2)
    gate = Gate()
    closed: list[str] = []

    @app.on("message")
    async def message(socket: EngineSocket, data: str | bytes) -> None:
        await gate.wait()

    @app.on("close")
    def close(socket: EngineSocket, reason: str) -> None:
        closed.append(reason)

    websocket = driver.websocket()
    websocket.send("4a", "4b")
    assert websocket.pipe.wire.paused
    driver.advance(200)
    # A client waits for pings in its turn, and gives up a server that sends none.
    assert websocket.take()[1:] == ["2"] * 9
    assert only_socket(app).connected
    gate.open()
    driver.settle()
    assert not websocket.pipe.wire.paused
    websocket.send("3")
    driver.advance(25)
    assert websocket.take() == ["2"]
    driver.advance(20)
    assert closed == ["ping timeout"]


def test_one_timer_for_each_session(serve: Serve) -> None:
    """Security rule 11: exactly one, however long it lives."""
    app, driver = serve()
    client = Client(driver, "websocket")
    alone = len(app.engine.timers)
    for _ in range(10):
        driver.advance(25)
        assert client.take() == ["2"]
        client.send("3")
        assert len(app.engine.timers) == alone == 1
