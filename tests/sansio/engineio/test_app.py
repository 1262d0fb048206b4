"""An Engine.IO server as an application has it: its sockets, and what they can send."""

from __future__ import annotations

import array
from typing import Any

import pytest
from support.engineio import Serve, only_socket, opened, record, taken
from support.runtime import LoopFree
from support.transcript import engineio

from sansocket.sansio.engineio.app import EngineApp, EngineSocket
from sansocket.sansio.errors import LocalProtocolError


def test_socket(serve: Serve) -> None:
    """What an application learns of its client."""
    app, driver = serve()
    sid = driver.poll_handshake(Cookie="a=b")
    socket = only_socket(app)
    assert (socket.id, socket.transport, socket.connected) == (sid, "polling", True)
    assert socket.request.header(b"cookie") == "a=b"
    assert socket.request.query == {"EIO": "4", "transport": "polling"}
    assert socket.data == {}
    socket.data["name"] = "value"
    websocket = driver.websocket(sid, Cookie="other")
    websocket.send("2probe", "5")
    assert (only_socket(app), socket.transport) == (socket, "websocket")
    assert socket.request.header(b"cookie") == "a=b"
    websocket.pipe.lose()
    assert (socket.id, socket.connected, socket.data) == (sid, False, {"name": "value"})


def test_sockets(serve: Serve) -> None:
    """The open ones, by their ids; from the handshake to the close, and not to be changed."""
    app, driver = serve()
    seen: list[int] = []

    def count(*args: object) -> None:
        seen.append(len(app.sockets))

    app.on("connection", count)
    app.on("close", count)
    first, second = driver.poll_handshake(), driver.poll_handshake()
    sockets: Any = app.sockets
    assert list(sockets) == [first, second]
    with pytest.raises(TypeError):
        del sockets[first]
    sockets[first].close()
    driver.settle()
    assert list(sockets) == [second]
    assert seen == [1, 2, 1]


def test_closing_in_the_connection_handler(serve: Serve) -> None:
    """The handshake is answered all the same, and the GETs say the rest and that it is over."""
    app, driver = serve()

    @app.on("connection")
    def connection(socket: EngineSocket) -> None:
        socket.send("go away")
        socket.close()

    sid = driver.poll_handshake()
    assert taken(driver.get(sid)).body == "4go away"
    assert taken(driver.get(sid)).body == "1"
    websocket = driver.websocket()
    assert websocket.take()[1:] == ["4go away"]
    assert websocket.close_code == 1000


def test_close_is_told_without_waiting(serve: Serve) -> None:
    """Whoever closes it, and wherever from: the driver is asked to deliver the event at once."""
    app, driver = serve()
    events = record(app)
    driver.get(driver.poll_handshake())
    driver.advance(5)
    told = driver.runtime.rearmed
    only_socket(app).close()
    deadline = app.engine.next_deadline()
    assert driver.runtime.rearmed > told
    assert deadline is not None
    assert deadline <= driver.now
    driver.settle()
    assert events == [("connection",), ("close", "forced close")]


@pytest.mark.parametrize(
    ("data", "polled", "message"),
    [
        ("", "4", "4"),
        ("é\u2028\0", "4é\u2028\0", "4é\u2028\0"),
        (b"\x01\x02", "bAQI=", b"\x01\x02"),
        (bytearray(b"\x01\x02"), "bAQI=", b"\x01\x02"),
        (memoryview(b"\x01\x02"), "bAQI=", b"\x01\x02"),
        (memoryview(b"\x01\x00\x02\x00")[::2], "bAQI=", b"\x01\x02"),
        (memoryview(array.array("H", [1])), "bAQA=", b"\x01\x00"),
        (b"", "b", b""),
        (b"\x1e", "bHg==", b"\x1e"),
    ],
)
def test_send(serve: Serve, data: Any, polled: str, message: str | bytes) -> None:
    """Protocol rules 9 and 10: text as text, whatever has bytes as bytes."""
    app, driver = serve()
    poll = driver.get(driver.poll_handshake())
    websocket = opened(driver)
    for socket in app.sockets.values():
        socket.send(data)
    assert (taken(poll).body, websocket.take()) == (polled, [message])


def test_bytes_are_those_of_the_call(serve: Serve) -> None:
    """What changes afterwards changes nothing on the wire."""
    app, driver = serve()
    websocket = opened(driver)
    websocket.pipe.writable = False
    data = bytearray(b"\x01")
    only_socket(app).send(data)
    data[0] = 2
    websocket.pipe.pull()
    assert websocket.take() == [b"\x01"]


@pytest.mark.parametrize(
    ("data", "error"),
    [
        ("a\x1eb", LocalProtocolError),
        ("\ud800", LocalProtocolError),
        ("a\udfff", LocalProtocolError),
        (3, TypeError),
        (None, TypeError),
        (["a"], TypeError),
        ({"a": 1}, TypeError),
    ],
)
@pytest.mark.parametrize("transport", ["polling", "websocket"])
def test_what_cannot_be_sent(serve: Serve, transport: str, data: Any, error: type) -> None:
    """Protocol rule 9: on each transport alike, for one may become the other; nothing is sent."""
    app, driver = serve()
    websocket = driver.websocket() if transport == "websocket" else None
    poll = driver.get(driver.poll_handshake()) if transport == "polling" else driver.connect()
    socket = only_socket(app)
    with pytest.raises(error):
        socket.send(data)
    driver.settle()
    assert poll.answer() is None
    assert websocket is None or len(websocket.take()) == 1
    assert socket.connected


def test_after_the_end(serve: Serve) -> None:
    """No effect, and no error: a socket may end at any time."""
    app, driver = serve()
    events = record(app)
    websocket = opened(driver)
    socket = only_socket(app)
    websocket.pipe.lose()
    socket.send("hello")
    socket.close()
    driver.settle()
    assert events == [("connection",), ("close", "transport close")]


# The application


def test_options() -> None:
    """Those of the engine, checked at once."""
    app, _ = engineio(ping_interval=3)
    assert app.config.ping_interval == app.engine.config.ping_interval == 3
    with pytest.raises(ValueError, match="ping_interval"):
        engineio(ping_interval=0)
    with pytest.raises(TypeError):
        engineio(no_such_option=1)


def test_default_path() -> None:
    """Engine.IO's own."""
    app = EngineApp(LoopFree(), entropy=bytes)
    assert app.engine.serves("/engine.io/")
    assert not app.engine.serves("/socket.io/")
