"""Plain functions that make something to be awaited, and events that a handler refuses."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from support.runtime import Gate, Pause
from support.socketio_client import SocketIOClient, connected
from support.transcript import socketio

from sansocket.sansio.errors import ConnectionRefused, EventRefused
from sansocket.sansio.socketio.acks import Ack
from sansocket.sansio.socketio.connection import Connection
from sansocket.sansio.socketio.socket import Socket

Function = Callable[..., Awaitable[Any]]


def wrapped(function: Function) -> Callable[..., Any]:
    """A decorator as they are written, for plain and for coroutine functions."""

    @functools.wraps(function)
    def wrapper(*args: Any) -> Any:
        return function(*args)

    return wrapper


HIDES: dict[str, Callable[[Function], Callable[..., Any]]] = {
    "wraps": wrapped,
    "lambda": lambda function: lambda *args: function(*args),
    "partial of a lambda": lambda function: functools.partial(lambda *args: function(*args)),
    "awaitable": lambda function: lambda *args: Later(function, args),
}

hidden = pytest.mark.parametrize("hide", HIDES.values(), ids=HIDES)


class Later:
    """Something to be awaited that is no coroutine."""

    def __init__(self, function: Function, args: tuple[Any, ...]) -> None:
        self._made = function(*args)

    def __await__(self) -> Any:
        return self._made.__await__()


@hidden
@pytest.mark.parametrize("on_disconnect", ["finish", "cancel"])
def test_a_handler(hide: Callable[[Function], Callable[..., Any]], on_disconnect: str) -> None:
    """It is awaited, its value acknowledges, and the events of its socket wait for it."""
    app, driver, client, _ = connected(on_disconnect=on_disconnect)
    gate = Gate()

    async def slow(socket: Socket, number: int) -> int:
        await Pause()
        await gate.wait()
        return number

    app.on("slow", hide(slow))
    app.on("quick", lambda socket: "quick")
    client.send('20["slow",5]', '21["quick"]', '22["slow",6]')
    assert client.take() == []
    gate.open()
    for _ in range(3):
        driver.settle()
    assert client.take() == ["30[5]", '31["quick"]', "32[6]"]
    assert driver.runtime.tasks == []
    assert driver.runtime.logged == []
    [session] = app.engine.sessions.values()
    assert isinstance(session.receiver, Connection)
    assert session.receiver.waiting == 0


@hidden
def test_several_handlers(hide: Callable[[Function], Callable[..., Any]]) -> None:
    """One task is enough for them, and their order stays."""
    app, driver, client, _ = connected()
    told: list[str] = []

    def handler(name: str) -> Callable[..., Any]:
        async def run(*args: Any) -> None:
            await Pause()
            told.append(name)

        return hide(run)

    app.on_any(handler("any"))
    for name in ("first", "second"):
        app.on("x", handler(name))
    client.send('20["x"]')
    for _ in range(3):
        driver.settle()
    assert told == ["any", "first", "second"]
    assert client.take() == ["30[]"]
    assert len(driver.runtime.homes) == 1


@hidden
def test_what_it_raises_is_reported(hide: Callable[[Function], Callable[..., Any]]) -> None:
    app, driver, client, _ = connected()
    failures: list[Exception] = []
    app.on_error(lambda error, socket, event, args: failures.append(error))

    async def fail(socket: Socket) -> None:
        await Pause()
        raise ValueError("late")

    app.on("fail", hide(fail))
    client.send('20["fail"]')
    driver.settle()
    assert client.take() == ['30[{"message":"Internal server error"}]']
    assert [str(error) for error in failures] == ["late"]


@hidden
def test_middleware_and_lifecycle(hide: Callable[[Function], Callable[..., Any]]) -> None:
    """Nobody is let in, or lets an event through, because nobody waited for the answer."""
    app, driver = socketio()
    told: list[str] = []

    async def check(socket: Socket, auth: dict[str, Any]) -> None:
        await Pause()
        if not auth:
            raise ConnectionRefused("no")

    async def refuse(event: str, args: tuple[Any, ...]) -> None:
        await Pause()
        raise EventRefused("not this")

    async def connect(socket: Socket) -> None:
        await Pause()
        socket.use(hide(refuse))

    async def gone(socket: Socket, reason: str) -> None:
        await Pause()
        told.append(reason)

    app.use(hide(check))
    app.on("connect", hide(connect))
    app.on("disconnect", hide(gone))
    app.on("x", lambda socket: told.append("x"))
    client = SocketIOClient(driver)
    client.send("0")
    assert client.take() == ['4{"message":"no"}']
    client.connect(auth={"token": 1})
    driver.settle()
    client.send('20["x"]')
    driver.settle()
    assert client.take() == ['30[{"message":"not this"}]']
    client.send("1")
    for _ in range(2):
        driver.settle()
    assert told == ["client namespace disconnect"]


@hidden
@pytest.mark.parametrize("answer", [True, False])
def test_the_function_of_a_parent(
    hide: Callable[[Function], Callable[..., Any]], answer: bool
) -> None:
    """A coroutine is true, and would have let everyone in."""
    app, driver = socketio()

    async def decide(name: str, auth: dict[str, Any]) -> bool:
        await Pause()
        return answer

    app.of(lambda name, auth: False)
    app.of(hide(decide))
    app.of(hide(decide))
    client = SocketIOClient(driver)
    client.send("0/dyn,")
    for _ in range(3):
        driver.settle()
    [told] = client.take()
    assert str(told).startswith("0/dyn," if answer else "4/dyn,")


def test_generators_are_no_handlers() -> None:
    """Nothing of them would be run; the error comes when they are registered."""
    app, _ = socketio()

    def generator(socket: Socket) -> Any:
        yield 1

    async def async_generator(socket: Socket) -> Any:
        yield 1

    functions: list[Callable[..., Any]]
    functions = [generator, async_generator, functools.partial(generator)]
    for function in functions:
        with pytest.raises(TypeError, match="generator function"):
            app.on("x", function)
        with pytest.raises(TypeError, match="generator function"):
            app.on_any(function)


# Refusals


@pytest.mark.parametrize("waits", [False, True])
@pytest.mark.parametrize("how", ["returns", "Ack"])
def test_a_handler_refuses_its_event(waits: bool, how: str) -> None:
    """As a middleware for events does: the client is told why, and nothing is reported."""
    app, driver, client, _ = connected()
    told: list[str] = []

    def plain(socket: Socket) -> None:
        raise EventRefused("not you", data={"code": 1})

    def plain_ack(socket: Socket, ack: Ack) -> None:
        raise EventRefused("not you", data={"code": 1})

    async def waiting(socket: Socket) -> None:
        await Pause()
        plain(socket)

    async def waiting_ack(socket: Socket, ack: Ack) -> None:
        await waiting(socket)

    functions: dict[str, tuple[Callable[..., Any], ...]]
    functions = {"returns": (plain, waiting), "Ack": (plain_ack, waiting_ack)}
    app.on("x", functions[how][waits])
    app.on("x", lambda socket: told.append("second"))
    client.send('20["x"]', '2["x"]')
    driver.settle()
    assert client.take() == ['30[{"message":"not you","data":{"code":1}}]']
    assert told == ["second", "second"]
    assert driver.runtime.logged == []


def test_a_once_handler_is_not_used_up_by_wrong_arguments() -> None:
    app, _, client, socket = connected()
    told: list[Any] = []

    @app.once("x")
    def once(socket: Socket, number: int) -> None:
        told.append(number)

    @socket.once("x")
    def own(number: int) -> None:
        told.append(number)

    client.send('20["x"]', '2["x",1]', '2["x",2]')
    assert client.take() == ['30[{"message":"Internal server error"}]']
    assert told == [1, 1]
