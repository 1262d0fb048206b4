"""An Engine.IO server as an application has it: sockets, handlers, and their order."""

from __future__ import annotations

import array
from typing import Any

import pytest
from support.engineio import POLLING, WEBSOCKET, Serve, only_socket, opened, record, taken
from support.runtime import Gate, LoopFree
from support.transcript import engineio, websocket_request_bytes

from sansocket.sansio.engineio.app import EngineApp, EngineSocket
from sansocket.sansio.engineio.session import Peer
from sansocket.sansio.errors import LocalProtocolError

# Handlers


@pytest.mark.parametrize("transport", ["polling", "websocket"])
def test_events(serve: Serve, transport: str) -> None:
    """In order, with the socket, and `close` once and last."""
    app, driver = serve()
    events: list[tuple[Any, ...]] = []
    app.on("connection", lambda socket: events.append((socket, "connection")))
    app.on("message", lambda socket, data: events.append((socket, data)))
    app.on("close", lambda socket, reason: events.append((socket, reason)))
    if transport == "polling":
        sid = driver.poll_handshake()
        socket = only_socket(app)
        driver.post(sid, "4a\x1ebAQ==\x1e4")
    else:
        websocket = opened(driver)
        socket = only_socket(app)
        websocket.send("4a", b"\x01", "4")
    socket.close()
    socket.close()
    driver.settle()
    assert [event for _, event in events] == ["connection", "a", b"\x01", "", "forced close"]
    assert {each for each, _ in events} == {socket}


def test_no_handler_is_called_while_bytes_are_read(serve: Serve) -> None:
    """The driver delivers when it is out of the core again, and each event once."""
    app, driver = serve()
    events = record(app)
    pipe = driver.connect()
    pipe.wire.receive_data(websocket_request_bytes(query=WEBSOCKET) + b"\x81\x81\0\0\0\x004", 0.0)
    assert events == []
    app.deliver()
    app.deliver()
    assert events == [("connection",), ("message", "")]


def test_handlers_of_one_socket_wait_for_one_another(serve: Serve) -> None:
    """One event at a time, as they came, and the close after all of them."""
    app, driver = serve()
    gates = {"a": Gate(), "b": Gate(), "other": Gate()}
    steps: list[str] = []

    @app.on("message")
    async def message(socket: EngineSocket, data: str) -> None:
        steps.append(f"{data} begins")
        await gates[data].wait()
        steps.append(f"{data} ends")

    @app.on("close")
    def close(socket: EngineSocket, reason: str) -> None:
        steps.append(reason)

    first, second = opened(driver), opened(driver)
    first.send("4a", "4b")
    second.send("4other")
    first.pipe.lose()
    assert steps == ["a begins", "other begins"]
    gates["b"].open()
    gates["other"].open()
    driver.settle()
    assert steps[2:] == ["other ends"]
    gates["a"].open()
    driver.settle()
    assert steps[3:] == ["a ends", "b begins", "b ends", "transport close"]


def test_async_connection_handler_comes_first(serve: Serve) -> None:
    """Plain handlers wait, too, for a coroutine before them."""
    app, driver = serve()
    gate = Gate()
    events = record(app)

    @app.on("connection")
    async def connection(socket: EngineSocket) -> None:
        await gate.wait()
        socket.send("welcome")

    websocket = opened(driver)
    websocket.send("4hello")
    assert (events, websocket.take()) == ([("connection",)], [])
    gate.open()
    driver.settle()
    assert (events[1:], websocket.take()) == ([("message", "hello")], ["4welcome"])
    websocket.send("4again")
    assert events[2:] == [("message", "again")]


def test_several_handlers(serve: Serve) -> None:
    """In the order of their registration, plain or not; a later one does not change the past."""
    app, driver = serve()
    calls: list[int] = []

    @app.on("message")
    def first(socket: EngineSocket, data: str) -> None:
        calls.append(1)

    @app.on("message")
    async def second(socket: EngineSocket, data: str) -> None:
        calls.append(2)

    assert app.on("message", third := (lambda socket, data: calls.append(3))) is third
    opened(driver).send("4hello")
    assert calls == [1, 2, 3]


def test_without_handlers(serve: Serve) -> None:
    """Messages that nobody wants do not hold anything up (security rule 29)."""
    _, driver = serve(max_inbound=1)
    sid = driver.poll_handshake()
    assert driver.post(sid, "4a\x1e4b").body == "ok"
    assert driver.post(sid, "4c").body == "ok"


@pytest.mark.parametrize("name", ["connect", "disconnect", "error", "", "Message", "__init__"])
def test_unknown_events(name: str) -> None:
    """A misspelt name would never be called; `connection` is the engine's word."""
    app, _ = engineio()
    with pytest.raises(ValueError, match="expected one of"):
        app.on(name)


@pytest.mark.parametrize(
    ("name", "handler"),
    [
        ("connection", lambda: None),
        ("connection", lambda socket, data: None),
        ("message", lambda socket: None),
        ("close", lambda socket, reason, details: None),
        ("message", lambda socket, data, *, needed: None),
        ("message", 7),
        ("message", "handler"),
    ],
)
def test_handlers_that_cannot_be_called(name: str, handler: Any) -> None:
    """Seen when it is registered, not when the first client comes; and it is not registered."""
    app, driver = engineio()
    with pytest.raises(TypeError):
        app.on(name, handler)
    websocket = opened(driver)
    websocket.send("4hello")
    websocket.pipe.lose()
    assert not driver.runtime.logged


def test_tasks_belong_to_the_connection_that_opened_the_session(serve: Serve) -> None:
    """The driver finds its own there, whichever connection a message came by."""
    app, driver = serve()

    @app.on("message")
    async def message(socket: EngineSocket, data: str) -> None:
        pass

    driver.connect(Peer(home="first")).request("GET", query=POLLING)
    driver.post(only_socket(app).id, "4hello", driver.connect(Peer(home="second")))
    assert driver.runtime.homes == ["first"]


# What goes wrong in handlers


@pytest.mark.parametrize("wait", [False, True])
def test_on_error(serve: Serve, wait: bool) -> None:
    """It is told all; the other handlers, the socket and its flow control go on."""
    app, driver = serve(max_inbound=1)
    errors: list[tuple[Any, ...]] = []
    handled: list[str] = []
    failure = ValueError("no")

    def fail(socket: EngineSocket, data: str) -> None:
        raise failure

    async def fail_later(socket: EngineSocket, data: str) -> None:
        raise failure

    app.on("message", fail_later if wait else fail)
    app.on("message", lambda socket, data: handled.append(data))

    @app.on_error
    def on_error(error: Exception, socket: EngineSocket, event: str, args: tuple[Any, ...]) -> None:
        errors.append((error, socket, event, args))

    sid = driver.poll_handshake()
    assert driver.post(sid, "4a").body == "ok"
    assert driver.post(sid, "4b").body == "ok"
    socket = only_socket(app)
    assert errors == [(failure, socket, "message", (data,)) for data in "ab"]
    assert handled == ["a", "b"]
    assert socket.connected
    assert not driver.runtime.logged


@pytest.mark.parametrize("event", ["connection", "message", "close"])
def test_without_on_error(serve: Serve, event: str) -> None:
    """To the log; the session's id is a secret and not in it (protocol rule 97)."""
    app, driver = serve()
    failure = ValueError("no")

    def fail(*args: object) -> None:
        raise failure

    app.on(event, fail)
    websocket = driver.websocket()
    (sid,) = app.sockets
    websocket.send("4hello")
    websocket.pipe.lose()
    ((message, error),) = driver.runtime.logged
    assert error is failure
    assert event in message
    assert sid not in message
    driver.runtime.logged.clear()


def test_on_error_that_fails(serve: Serve) -> None:
    """Security rule T1: logged, and nothing more."""
    app, driver = serve()
    failure = KeyError("hook")

    @app.on("message")
    def message(socket: EngineSocket, data: str) -> None:
        raise ValueError

    @app.on_error
    def on_error(error: Exception, socket: EngineSocket, event: str, args: object) -> None:
        raise failure

    websocket = opened(driver)
    websocket.send("4hello")
    assert [error for _, error in driver.runtime.logged] == [failure]
    assert only_socket(app).connected
    driver.runtime.logged.clear()


# Sockets


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
    app.on("connection", lambda socket: seen.append(len(app.sockets)))
    app.on("close", lambda socket, reason: seen.append(len(app.sockets)))
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
    """The handshake is answered all the same, and the next GET says that it is over."""
    app, driver = serve()

    @app.on("connection")
    def connection(socket: EngineSocket) -> None:
        socket.send("go away")
        socket.close()

    sid = driver.poll_handshake()
    assert taken(driver.get(sid)).body == "4go away\x1e1"
    websocket = driver.websocket()
    assert websocket.take()[1:] == ["4go away"]
    assert websocket.close_code == 1000


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
