"""Flow control by polling: what waits for handlers, and for a client that does not poll."""

from __future__ import annotations

import pytest
from support.engineio import UNKNOWN_SESSION, Serve, only_socket, post_bytes, record, taken
from support.runtime import Gate

from sansocket.sansio.engineio.app import EngineSocket


def test_post_is_answered_when_handlers_keep_up(serve: Serve) -> None:
    """Security rule T6, protocol rule 98: so a client cannot send faster than it is handled."""
    app, driver = serve(max_inbound=3)
    gate = Gate()
    handled: list[object] = []

    @app.on("message")
    async def message(socket: EngineSocket, data: str | bytes) -> None:
        await gate.wait()
        handled.append(data)

    sid = driver.poll_handshake()
    assert driver.post(sid, "4a\x1e4b").body == "ok"
    pipe = driver.connect()
    pipe.send(post_bytes(sid, "4c"))
    assert pipe.answer() is None
    assert driver.post(driver.poll_handshake(), "4other").body == "ok"
    # The heartbeat goes on, but does not blame the client for what we have not read.
    driver.advance(100)
    assert sid in app.sockets
    gate.open()
    driver.settle()
    assert taken(pipe).body == "ok"
    # Those of one client are in order; the other's is anywhere.
    handled.remove("other")
    assert handled == ["a", "b", "c"]
    assert driver.post(sid, "3\x1e4d", pipe).body == "ok"


def test_lost_while_its_answer_is_held_back(serve: Serve) -> None:
    """Protocol rule 32: it is a POST under way; handlers that come to an end later do no harm."""
    app, driver = serve(max_inbound=1)
    gate = Gate()

    @app.on("message")
    async def message(socket: EngineSocket, data: str | bytes) -> None:
        await gate.wait()

    sid = driver.poll_handshake()
    pipe = driver.connect()
    pipe.send(post_bytes(sid, "4a"))
    pipe.lose()
    assert sid not in app.sockets
    gate.open()
    driver.settle()
    assert pipe.answer() is None


def test_held_back_answer_at_the_end_of_the_session(serve: Serve) -> None:
    """Security rule T12: the POST was processed, and the session's end does not leave it open."""
    app, driver = serve(max_inbound=1)
    gate = Gate()

    @app.on("message")
    async def message(socket: EngineSocket, data: str | bytes) -> None:
        await gate.wait()

    sid = driver.poll_handshake()
    pipe = driver.connect()
    pipe.send(post_bytes(sid, "4a"))
    app.sockets[sid].close()
    driver.settle()
    assert taken(pipe).body == "ok"


def test_client_that_does_not_poll(serve: Serve) -> None:
    """Security rule T6: its POSTs wait at the soft bound, until it has fetched what is there."""
    app, driver = serve(pause_backlog=10)
    sid = driver.poll_handshake()
    socket = only_socket(app)

    @app.on("message")
    def message(socket: EngineSocket, data: str | bytes) -> None:
        socket.send(data)

    assert driver.post(sid, "412345678").body == "ok"
    assert driver.post(sid, "4").body == "ok"
    pipe = driver.connect()
    pipe.send(post_bytes(sid, "4"))
    assert pipe.answer() is None
    assert taken(driver.get(sid)).body == "412345678\x1e4\x1e4"
    assert taken(pipe).body == "ok"
    assert socket.connected


@pytest.mark.parametrize("parked", [True, False])
@pytest.mark.parametrize(
    ("options", "sent"),
    [({"max_backlog": 10}, ["1234", "1234"]), ({"max_backlog_messages": 2}, ["a", b"b"])],
)
def test_send_buffer_full(
    serve: Serve, options: dict[str, int], sent: list[str | bytes], parked: bool
) -> None:
    """Security rule T6, protocol rule 98: exactly so much waits; with more the session ends.

    A parked GET that cannot be written to is no excuse.
    """
    app, driver = serve(**options)
    events = record(app)
    sid = driver.poll_handshake()
    socket = only_socket(app)
    poll = driver.get(sid) if parked else driver.connect()
    poll.writable = False
    for data in sent:
        socket.send(data)
    driver.settle()
    assert socket.connected
    socket.send("x")
    driver.settle()
    assert events == [("connection",), ("close", "send buffer full")]
    assert not socket.connected
    poll.pull()
    assert parked is (poll.answer() is not None)
    assert taken(driver.get(sid)).body == UNKNOWN_SESSION
