"""The engine: its ids, its one clock, and the end of all its sessions."""

from __future__ import annotations

import re

import pytest
from support.engineio import BAD_REQUEST, POLLING, Serve, nothing_is_left, record, taken
from support.runtime import LoopFree
from support.transcript import Driver

from sansocket.sansio.config import EngineConfig
from sansocket.sansio.engineio.app import EngineApp
from sansocket.sansio.engineio.server import Engine
from sansocket.sansio.engineio.session import Peer, Session
from sansocket.sansio.errors import Reason


class Upper:
    """What stands on an engine: it notes what it is told."""

    def __init__(self) -> None:
        self.opened: list[tuple[Session, float]] = []
        self.messages: list[str | bytes] = []
        self.reasons: list[Reason] = []

    def session_opened(self, session: Session, now: float) -> Upper:
        self.opened.append((session, now))
        return self

    def short_message(self, text: bytes) -> bool:
        return False

    def message(self, data: str | bytes, now: float) -> None:
        self.messages.append(data)

    def closed(self, reason: Reason) -> None:
        self.reasons.append(reason)


class Alone:
    """An engine without an application, for a driver."""

    def __init__(self) -> None:
        self.upper = Upper()
        self.asked: list[int] = []
        self.runtime = LoopFree()
        self.engine = Engine(
            EngineConfig(path="/socket.io/"),
            self.upper,
            runtime=self.runtime,
            entropy=self.entropy,
        )

    def entropy(self, size: int) -> bytes:
        self.asked.append(size)
        return b"\xfb\xff" * (size // 2) + bytes([len(self.asked)])

    def deliver(self) -> None:
        """Nobody waits for events."""


def test_ids() -> None:
    """Protocol rule 17, security rule 32: 120 random bits and nothing else, fit for a URL."""
    core = Alone()
    driver = Driver(core, core.runtime)
    ids = [driver.poll_handshake() for _ in range(3)]
    assert core.asked == [15, 15, 15]
    assert len(set(ids)) == 3
    assert all(re.fullmatch("[A-Za-z0-9_-]{20}", sid) for sid in ids)
    assert driver.post(ids[0], "4hello").body == "ok"


@pytest.mark.parametrize("transport", ["polling", "websocket"])
def test_entropy_that_repeats_itself(transport: str) -> None:
    """Protocol rule 2: refused, and the session that has the id keeps it (security rule 32)."""
    runtime = LoopFree()
    app = EngineApp(runtime, entropy=bytes, path="/socket.io/")
    driver = Driver(app, runtime)
    events = record(app)
    sid = driver.poll_handshake()
    if transport == "polling":
        answer = driver.connect().request("GET", query=POLLING)
        assert (answer.status, answer.body) == (400, BAD_REQUEST)
    else:
        websocket = driver.websocket()
        assert (websocket.status, websocket.refusal) == (400, BAD_REQUEST.encode())
        assert websocket.pipe.wire.closing
    assert driver.post(sid, "4hello").body == "ok"
    assert events == [("connection",), ("message", "hello")]
    nothing_is_left(app, driver)


def test_what_stands_on_it() -> None:
    """It is told of each session once, and gets the messages and the one close."""
    core = Alone()
    driver = Driver(core, core.runtime)
    driver.now = 7.0
    peer = Peer("192.0.2.7", secure=True, home="home")
    driver.connect(peer).request("GET", query=POLLING, X_Name="value")
    ((session, now),) = core.upper.opened
    assert now == 7.0
    assert core.engine.sessions == {session.id: session}
    assert (session.peer, session.request.header(b"x-name")) == (peer, "value")
    driver.post(session.id, "4a\x1ebAQ==")
    session.close(Reason.FORCED_CLOSE)
    session.close(Reason.FORCED_CLOSE)
    assert core.upper.messages == ["a", b"\x01"]
    assert core.upper.reasons == [Reason.FORCED_CLOSE]


def test_the_next_deadline_only_tells() -> None:
    """Asked or not, nothing changes; and what is due is done once."""
    core = Alone()
    driver = Driver(core, core.runtime)
    assert core.engine.next_deadline() is None
    pipe = driver.connect()
    assert core.runtime.rearmed == 1
    assert [core.engine.next_deadline() for _ in range(3)] == [10.0] * 3
    core.engine.handle_timeout(9.0)
    assert (core.engine.next_deadline(), pipe.wire.closed) == (10.0, False)
    for _ in range(2):
        core.engine.handle_timeout(10.0)
        assert (core.engine.next_deadline(), pipe.wire.closed) == (None, True)


def test_earlier_deadlines_are_announced() -> None:
    """The driver sets its timer when it is told to, and need not ask in between."""
    core = Alone()
    driver = Driver(core, core.runtime)
    pipe = driver.connect()
    pipe.request("GET", query=POLLING)
    assert core.engine.next_deadline() == 10.0
    core.engine.handle_timeout(10.0)
    assert core.engine.next_deadline() == 25.0
    told = core.runtime.rearmed
    pipe.wire.receive_data(b"G", 11.0)
    assert core.engine.next_deadline() == 21.0
    assert core.runtime.rearmed > told


def test_close_ends_every_session(serve: Serve) -> None:
    """Security rules T13 and 36: also those that are in the middle of an upgrade."""
    app, driver = serve()
    events = record(app)
    driver.poll_handshake()
    upgrading = driver.websocket(driver.poll_handshake())
    upgrading.send("2probe")
    websocket = driver.websocket()
    poll = driver.get(driver.poll_handshake())
    app.engine.close()
    driver.settle()
    assert events[4:] == [("close", "server shutting down")] * 4
    assert taken(poll).body == "1"
    assert len(app.engine.sessions) == 2
    upgrading.send("5")
    for each in (upgrading, websocket):
        each.take()
        assert each.close_code == 1000
    assert len(app.engine.sessions) == 1
    driver.advance(30)
    assert not app.engine.sessions


def test_many_sessions(serve: Serve) -> None:
    """Security rule T13: whatever has come and gone, nothing grows."""
    app, driver = serve()
    for number in range(100):
        sid = driver.poll_handshake()
        if number % 2:
            websocket = driver.websocket(sid)
            websocket.send("2probe", "5", "4hello")
            websocket.pipe.lose()
        else:
            driver.get(sid).lose()
        for pipe in driver.pipes:
            pipe.lose()
        driver.pipes.clear()
        assert not app.engine.sessions
        assert len(app.engine.timers) == 0
