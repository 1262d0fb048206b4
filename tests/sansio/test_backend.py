"""What a backend is written against: sansio/backend.py."""

from __future__ import annotations

import json

from support.engineio import nothing_is_left, record
from support.transcript import Pipe, engineio, socketio

from sansocket.sansio import backend
from sansocket.sansio.engineio.peer import Peer
from sansocket.sansio.socketio.socket import Socket


def test_the_names_are_there() -> None:
    """A backend imports no other module of the core for a server on bytes."""
    assert all(hasattr(backend, name) for name in backend.__all__)


def test_fire() -> None:
    """What a deadline brings about reaches its handler."""
    app, driver = engineio(ping_interval=25, ping_timeout=20)
    events = record(app)
    driver.websocket()
    backend.fire(app, 25)
    backend.fire(app, 45)
    assert events == [("connection",), ("close", "ping timeout")]


def test_lost() -> None:
    """A lost connection is told at once, and once."""
    app, driver = engineio()
    events = record(app)
    websocket = driver.websocket()
    backend.lost(app, websocket.pipe.wire)
    backend.lost(app, websocket.pipe.wire)
    assert events == [("connection",), ("close", "transport close")]
    nothing_is_left(app, driver)


def test_shut_down() -> None:
    """Clients are told in good order, and their handlers why (security rule 36)."""
    app, driver = engineio()
    events = record(app)
    websocket = driver.websocket()
    sid = driver.poll_handshake()
    poll = driver.get(sid)
    backend.shut_down(app)
    answer = poll.answer()
    assert answer is not None
    assert answer.body == "1"
    websocket.take()
    assert websocket.close_code == 1000
    assert events[2:] == [("close", "server shutting down")] * 2
    nothing_is_left(app, driver)


def test_abandon() -> None:
    """Sessions end with the home of their handlers, whatever carries them now (rule T13)."""
    app, driver = socketio()
    ended: list[tuple[object, str]] = []

    @app.on("disconnect")
    def gone(socket: Socket, reason: str) -> None:
        ended.append((socket.id, reason))

    here, there = object(), object()
    polls: dict[object, Pipe] = {}
    for home in (here, there):
        pipe = driver.connect(Peer(home=home))
        answer = pipe.request("GET", query="EIO=4&transport=polling")
        sid: str = json.loads(answer.body[1:])["sid"]
        driver.post(sid, "40")
        driver.get(sid).answer()
        polls[home] = driver.get(sid)
    backend.abandon(app, here)
    assert [reason for _, reason in ended] == ["server shutting down"]
    told = polls[here].answer()
    assert told is not None
    assert told.body == "1"
    assert polls[there].answer() is None
    assert len(app.engine.sessions) == 1
