"""The server ends a session while a WebSocket is about to take it over, or a poll crosses that.

Its client may have stopped polling for that already, and would learn of the end by nothing
else (rules 33 and 39). So the upgrade goes on, and the WebSocket closes in good order.
"""

from __future__ import annotations

import pytest
from support.engineio import UNKNOWN_SESSION, Serve, only_socket, record, taken


@pytest.mark.parametrize("stage", ["offered", "probing"])
def test_close_during_an_upgrade(serve: Serve, stage: str) -> None:
    """Rules 34 and 39: what was sent before arrives, once and in order, and then the close."""
    app, driver = serve()
    events = record(app)
    sid = driver.poll_handshake()
    websocket = driver.websocket(sid)
    if stage == "probing":
        websocket.send("2probe")
    socket = only_socket(app)
    for message in ("a", "b"):
        socket.send(message)
    socket.close()
    socket.send("too late")
    driver.settle()
    if stage == "offered":
        websocket.send("2probe")
    assert websocket.take() == ["3probe"]
    assert websocket.close_code is None
    websocket.send("5")
    assert websocket.take() == ["4a", "4b"]
    assert websocket.close_code == 1000
    assert events == [("connection",), ("close", "forced close")]
    assert not app.engine.sessions


def test_client_that_still_polls(serve: Serve) -> None:
    """Rule 31: it is told by the polls that it sends, and the WebSocket goes with its session."""
    app, driver = serve()
    sid = driver.poll_handshake()
    websocket = driver.websocket(sid)
    websocket.send("2probe")
    only_socket(app).send("last")
    only_socket(app).close()
    assert taken(driver.get(sid)).body == "4last"
    assert taken(driver.get(sid)).body == "1"
    assert taken(driver.get(sid)).body == UNKNOWN_SESSION
    assert websocket.take() == ["3probe"]
    assert websocket.close_code == 1002


def test_poll_that_brought_the_rest(serve: Serve) -> None:
    """Rule 34: what a poll has brought does not come again by the WebSocket."""
    app, driver = serve()
    sid = driver.poll_handshake()
    websocket = driver.websocket(sid)
    websocket.send("2probe")
    only_socket(app).send("last")
    only_socket(app).close()
    assert taken(driver.get(sid)).body == "4last"
    websocket.send("5")
    assert websocket.take() == ["3probe"]
    assert websocket.close_code == 1000


def test_post_of_a_client_that_upgrades(serve: Serve) -> None:
    """Rules 33 and 39: a refusal would be all that it ever sees, for it waits for its POSTs.

    As over a WebSocket, what crosses the close is lost, and the close says so.
    """
    app, driver = serve()
    events = record(app)
    sid = driver.poll_handshake()
    websocket = driver.websocket(sid)
    websocket.send("2probe")
    only_socket(app).send("last")
    only_socket(app).close()
    assert driver.post(sid, "4hello").body == "ok"
    websocket.send("5")
    assert websocket.take() == ["3probe", "4last"]
    assert websocket.close_code == 1000
    assert events == [("connection",), ("close", "forced close")]


@pytest.mark.parametrize("first", ["poll", "upgrade"])
def test_poll_that_crosses_the_upgrade(serve: Serve, first: str) -> None:
    """Rules 33 to 35: which of the two comes first is the network's and the loop's to say.

    Either way the poll is answered at once, with a noop or a refusal and no message of the
    session's; those come by the WebSocket, each once and in order.
    """
    app, driver = serve()
    events = record(app)
    sid = driver.poll_handshake()
    websocket = driver.websocket(sid)
    websocket.send("2probe")
    if first == "poll":
        poll = driver.get(sid)
        websocket.send("5")
        assert taken(poll).body == "6"
    else:
        websocket.send("5")
        poll = driver.get(sid)
        assert taken(poll).status == 400
    for message in ("a", "b"):
        only_socket(app).send(message)
    poll.lose()
    assert websocket.take() == ["3probe", "4a", "4b"]
    websocket.send("4c")
    assert events == [("connection",), ("message", "c")]


@pytest.mark.parametrize("how", ["lost", "late", "wrong"])
def test_upgrade_that_fails(serve: Serve, how: str) -> None:
    """Rule 37, security rule T13: polls bring the rest, for as long as a closed session lingers."""
    app, driver = serve(upgrade_timeout=10.0, linger_timeout=30.0)
    sid = driver.poll_handshake()
    websocket = driver.websocket(sid)
    websocket.send("2probe")
    only_socket(app).send("last")
    only_socket(app).close()
    if how == "lost":
        websocket.pipe.lose()
    elif how == "late":
        driver.advance(10)
    else:
        websocket.send("4hello")
    websocket.send("5")
    assert websocket.take() == ["3probe"]
    assert taken(driver.get(sid)).body == "4last"
    assert taken(driver.get(sid)).body == "1"
    assert not app.engine.sessions


def test_client_that_is_gone(serve: Serve) -> None:
    """Security rule T13: nobody comes, and after `linger_timeout` nothing is left."""
    app, driver = serve(upgrade_timeout=10.0, linger_timeout=30.0)
    sid = driver.poll_handshake()
    driver.websocket(sid).send("2probe")
    only_socket(app).send("last")
    only_socket(app).close()
    driver.advance(29.9)
    assert sid in app.engine.sessions
    driver.advance(0.1)
    assert not app.engine.sessions
