"""Handlers of an Engine.IO application: their order, and what goes wrong in them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from support.engineio import POLLING, WEBSOCKET, Serve, only_socket, opened, record, text
from support.runtime import Gate
from support.transcript import engineio, websocket_request_bytes

from sansocket.sansio.engineio.app import EngineSocket
from sansocket.sansio.engineio.packet import Packet, Type
from sansocket.sansio.engineio.session import Peer


def noting(calls: list[tuple[Any, ...]]) -> Callable[..., None]:
    """A handler that notes what it is called with."""

    def note(*args: Any) -> None:
        calls.append(args)

    return note


@pytest.mark.parametrize("transport", ["polling", "websocket"])
def test_events(serve: Serve, transport: str) -> None:
    """In order, with the socket, and `close` once and last."""
    app, driver = serve()
    events: list[tuple[Any, ...]] = []
    for name in ("connection", "message", "close"):
        app.on(name, noting(events))
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
    assert [args for _, *args in events] == [[], ["a"], [b"\x01"], [""], ["forced close"]]
    assert {each for each, *_ in events} == {socket}


def test_once(serve: Serve) -> None:
    """The first message of any socket; of one session, the first packet and no engine's."""
    app, driver = serve()
    events: list[tuple[Any, ...]] = []
    packets: list[Packet] = []
    seen: list[tuple[Any, ...]] = []
    app.once("message", noting(events))
    app.off("close")
    app.engine.on("packet", noting(seen))
    websocket = opened(driver)
    socket = only_socket(app)
    socket.off("packet", print)
    socket.once("packet", packets.append)
    websocket.send("4a", "4b")
    assert events == [(socket, "a")]
    assert packets == [Packet(Type.MESSAGE, "a")]
    assert len(seen) == 2
    assert app.event_names() == socket.event_names() == []


def test_a_handler_for_once_that_another_forgets(serve: Serve) -> None:
    app, driver = serve()
    events: list[tuple[Any, ...]] = []
    last = noting(events)

    @app.once("message")
    def first(socket: EngineSocket, data: str | bytes) -> None:
        app.off("message", last)

    app.once("message", last)
    assert app.listeners("message") == [first, last]
    opened(driver).send("4a")
    assert events == []


def test_no_handler_is_called_while_bytes_are_read(serve: Serve) -> None:
    """The driver delivers when it is out of the core again, and each event once."""
    app, driver = serve()
    events = record(app)
    pipe = driver.connect()
    pipe.wire.receive_data(websocket_request_bytes(query=WEBSOCKET) + text("4"), 0.0)
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

    def third(socket: EngineSocket, data: str) -> None:
        calls.append(3)

    assert app.on("message", third) is third
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


def takes_none() -> None: ...
def takes_one(socket: object) -> None: ...
def takes_two(socket: object, data: object) -> None: ...
def takes_three(socket: object, reason: object, details: object) -> None: ...
def takes_a_name(socket: object, data: object, *, needed: object) -> None: ...


@pytest.mark.parametrize(
    ("name", "handler"),
    [
        ("connection", takes_none),
        ("connection", takes_two),
        ("message", takes_one),
        ("close", takes_three),
        ("message", takes_a_name),
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
    handled: list[tuple[Any, ...]] = []
    failure = ValueError("no")

    def fail(socket: EngineSocket, data: str) -> None:
        raise failure

    async def fail_later(socket: EngineSocket, data: str) -> None:
        raise failure

    app.on("message", fail_later if wait else fail)
    app.on("message", noting(handled))

    @app.on_error
    def on_error(error: Exception, socket: EngineSocket, event: str, args: tuple[Any, ...]) -> None:
        errors.append((error, socket, event, args))

    sid = driver.poll_handshake()
    assert driver.post(sid, "4a").body == "ok"
    assert driver.post(sid, "4b").body == "ok"
    socket = only_socket(app)
    assert errors == [(failure, socket, "message", (data,)) for data in "ab"]
    assert handled == [(socket, "a"), (socket, "b")]
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
