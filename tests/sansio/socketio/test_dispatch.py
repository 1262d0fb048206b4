"""Handlers of events, and the acknowledgements that they give (protocol rule 48)."""

from __future__ import annotations

from typing import Any

import pytest
from support.runtime import Pause
from support.socketio_client import SocketIOClient, connected, record
from support.transcript import socketio

from sansocket.sansio.config import Transport
from sansocket.sansio.errors import EventRefused, LocalProtocolError
from sansocket.sansio.failures import WrongArguments
from sansocket.sansio.socketio.acks import Ack
from sansocket.sansio.socketio.socket import Socket

ERROR = '[{"message":"Internal server error"}]'
on_both_transports = pytest.mark.parametrize("transport", ["polling", "websocket"])
plain_and_async = pytest.mark.parametrize("waits", [False, True])


# Values to acknowledgements


@plain_and_async
@pytest.mark.parametrize(
    ("value", "answer"),
    [
        (None, ["30[]"]),
        ((None,), ["30[null]"]),
        ((), ["30[]"]),
        ("text", ['30["text"]']),
        (0, ["30[0]"]),
        (False, ["30[false]"]),
        ([1, 2], ["30[[1,2]]"]),
        ((1, "two"), ['30[1,"two"]']),
        (b"x", ['61-0[{"_placeholder":true,"num":0}]', b"x"]),
    ],
    ids=repr,
)
def test_what_a_handler_returns(value: object, answer: list[str | bytes], waits: bool) -> None:
    """Protocol rule 48: the value, a tuple of several, None for none; id 0 is one (rule 46)."""
    app, _, client, _ = connected()

    @app.on("plain")
    def plain(socket: Socket) -> object:
        return value

    @app.on("async")
    async def waiting(socket: Socket) -> object:
        await Pause()
        return value

    name = "async" if waits else "plain"
    client.send(f'20["{name}"]')
    assert client.take() == answer
    client.send(f'2["{name}"]')
    assert client.take() == []


def test_an_event_without_a_handler() -> None:
    """Protocol rule 48: it is never acknowledged, and does no harm."""
    _, driver, client, _ = connected()
    client.send('20["nobody",1]', '51-["nobody",{"_placeholder":true,"num":0}]', b"x")
    assert client.take() == []
    assert driver.runtime.logged == []


@on_both_transports
def test_the_number_of_the_client(transport: Transport) -> None:
    """Protocol rules 45 and 46: any that it chose, also one again."""
    app, driver = socketio()
    app.of("/a")
    record(app.of("/a"), "x")
    client = SocketIOClient(driver, transport)
    client.connect("/a")
    client.send('2/a,9007199254740991["x"]', '2/a,5["x"]', '2/a,5["x"]')
    assert client.take() == ["3/a,9007199254740991[]", "3/a,5[]", "3/a,5[]"]


def test_several_handlers() -> None:
    """In the order of registration; the first value that is not None acknowledges."""
    app, _, client, _ = connected()
    told: list[int] = []

    @app.on("x")
    def first(socket: Socket) -> None:
        told.append(1)

    @app.on("x")
    async def second(socket: Socket) -> int:
        await Pause()
        told.append(2)
        return 2

    @app.on("x")
    def third(socket: Socket) -> int:
        told.append(3)
        return 3

    client.send('20["x"]')
    assert told == [1, 2, 3]
    assert client.take() == ["30[2]"]


# An Ack


def test_an_ack() -> None:
    """It acknowledges when it is called, once; what the handler returns is not used."""
    app, driver, client, _ = connected()
    kept: list[Ack] = []

    @app.on("later")
    def later(socket: Socket, value: int, ack: Ack) -> str:
        kept.append(ack)
        return "not this"

    @app.on("first")
    async def first(socket: Socket, ack: Ack, *values: int) -> None:
        ack(*values)
        ack("again")
        await Pause()

    client.send('20["later",5]', '21["first",1,2]')
    assert client.take() == ["31[1,2]"]
    [ack] = kept
    assert ack.wanted
    ack("now", b"bytes")
    ack("again")
    driver.settle()
    assert not ack.wanted
    assert client.take() == ['61-0["now",{"_placeholder":true,"num":0}]', b"bytes"]


def test_an_ack_that_nobody_asked_for() -> None:
    """The handler may call it all the same."""
    app, driver, client, _ = connected()
    wanted: list[bool] = []

    @app.on("x")
    def handler(socket: Socket, ack: Ack) -> None:
        wanted.append(ack.wanted)
        ack(1)

    client.send('2["x"]')
    assert wanted == [False]
    assert client.take() == []
    assert driver.runtime.logged == []


def test_an_ack_after_the_end() -> None:
    """Security rule T1: the client is gone, and so is its question."""
    app, driver, client, _ = connected()
    kept: list[Ack] = []

    @app.on("x")
    def handler(socket: Socket, ack: Ack) -> None:
        kept.append(ack)

    client.send('20["x"]', "1")
    client.connect()
    kept[0]("late")
    driver.settle()
    assert client.take() == []


def test_an_ack_of_values_that_cannot_be_sent() -> None:
    """Security rule T19: the handler's error, which it may mend; else the client is told so."""
    app, driver, client, _ = connected()

    @app.on("mends")
    def mends(socket: Socket, ack: Ack) -> None:
        with pytest.raises(LocalProtocolError):
            ack(object())
        ack("mended")

    @app.on("fails")
    def fails(socket: Socket, ack: Ack) -> None:
        ack(object())

    client.send('20["mends"]', '21["fails"]')
    assert client.take() == ['30["mended"]', f"31{ERROR}"]
    assert len(driver.runtime.logged) == 1


def test_an_ack_behind_an_argument_that_is_missing() -> None:
    """Security rule 34: it never stands where a value of the client's belongs."""
    app, driver, client, _ = connected()
    told: list[object] = []

    @app.on("x")
    def handler(socket: Socket, value: object = None, ack: Ack = Ack(None)) -> None:  # noqa: B008
        told.append(value)

    client.send('20["x"]', '21["x",5]')
    assert told == [5]
    assert client.take() == [f"30{ERROR}"]
    [(_, error)] = driver.runtime.logged
    assert error is None


# Failures


@plain_and_async
@pytest.mark.parametrize(
    "error", [RuntimeError("secret"), StopIteration("secret"), RecursionError()]
)
def test_a_handler_that_fails(error: Exception, waits: bool) -> None:
    """Security rules T1 and 34: reported once; the client gets no detail, and lives on."""
    app, driver, client, _ = connected()

    @app.on("plain")
    def plain(socket: Socket) -> None:
        raise error

    @app.on("async")
    async def waiting(socket: Socket) -> None:
        await Pause()
        raise error

    told = record(app, "next")
    name = "async" if waits else "plain"
    client.send(f'20["{name}"]', '21["next"]', f'2["{name}"]')
    driver.settle()
    assert client.take() == [f"30{ERROR}", "31[]"]
    assert told == [("next",)]
    assert len(driver.runtime.logged) == 2
    message, logged = driver.runtime.logged[0]
    assert f"'{name}'" in message
    assert logged is not None
    assert client.sid not in message


def test_one_of_several_fails() -> None:
    """The others are called; the client is told of the failure, whoever returns something."""
    app, driver, client, _ = connected()

    @app.on("x")
    def good(socket: Socket) -> int:
        return 1

    @app.on("x")
    def bad(socket: Socket) -> None:
        raise RuntimeError("secret")

    told = record(app, "x")
    client.send('20["x"]')
    assert client.take() == [f"30{ERROR}"]
    assert told == [("x",)]
    assert len(driver.runtime.logged) == 1


@plain_and_async
def test_a_value_that_cannot_be_sent(waits: bool) -> None:
    """Security rules T1 and T19: as if the handler had failed; what comes next is handled."""
    app, driver, client, _ = connected()

    @app.on("plain")
    def plain(socket: Socket) -> object:
        return {1, 2}

    @app.on("async")
    async def waiting(socket: Socket) -> object:
        return {"deep": [object()]}

    told = record(app, "next")
    name = "async" if waits else "plain"
    client.send(f'20["{name}"]', '21["next"]')
    assert client.take() == [f"30{ERROR}", "31[]"]
    [(message, error)] = driver.runtime.logged
    assert f"'{name}'" in message
    assert isinstance(error, LocalProtocolError)
    assert told == [("next",)]


@pytest.mark.parametrize(
    ("sent", "fits"),
    [("", False), (",1", True), (",1,2", True), (",1,2,3", False), (",1,null", True)],
)
def test_the_number_of_arguments(sent: str, fits: bool) -> None:
    """Security rules T1 and 34: the client's mistake is logged as INFO, without a traceback."""
    app, driver, client, _ = connected()
    told: list[tuple[Any, ...]] = []

    @app.on("x")
    def handler(socket: Socket, first: object, second: object = None) -> None:
        told.append((first, second))

    client.send(f'20["x"{sent}]')
    assert len(told) == fits
    assert client.take() == (["30[]"] if fits else [f"30{ERROR}"])
    assert [error for _, error in driver.runtime.logged] == ([] if fits else [None])


def test_the_hook() -> None:
    """`on_error` gets every failure with the socket, the event and its arguments."""
    app, driver, client, socket = connected()
    problem = RuntimeError("mine")
    told: list[tuple[Any, ...]] = []

    @app.on_error
    def hook(error: Exception, socket: Socket, event: str, args: tuple[Any, ...]) -> None:
        told.append((error, socket, event, args))

    @app.on("x")
    def handler(socket: Socket, value: int) -> None:
        raise problem

    client.send('2["x",5]', '2["x"]')
    assert told[0] == (problem, socket, "x", (5,))
    assert isinstance(told[1][0], WrongArguments)
    assert told[1][1:] == (socket, "x", ())
    assert driver.runtime.logged == []


def test_a_hook_that_fails() -> None:
    """Security rule T1: it goes to the log, and the connection lives."""
    app, driver, client, _ = connected()

    @app.on_error
    def hook(*args: object) -> None:
        raise RuntimeError("hook")

    @app.on("x")
    def handler(socket: Socket) -> None:
        raise RuntimeError("handler")

    client.send('20["x"]')
    assert client.take() == [f"30{ERROR}"]
    [(message, error)] = driver.runtime.logged
    assert "on_error" in message
    assert str(error) == "hook"


# Middleware for the events of a socket


@plain_and_async
def test_an_event_is_refused(waits: bool) -> None:
    """No handler hears of it; the client that waits is told why, and no more than that."""
    app, driver, client, socket = connected()
    told = record(app, "x", "other")

    @socket.use
    def plain(name: str, args: tuple[Any, ...]) -> None:
        if name == "x" and not waits:
            raise refusals[args[0]]

    @socket.use
    async def waiting(name: str, args: tuple[Any, ...]) -> None:
        await Pause()
        if name == "x":
            raise refusals[args[0]]

    refusals: list[Exception] = [
        EventRefused("no", {"code": 1}),
        EventRefused("no"),
        EventRefused("no", object()),
        RuntimeError("secret"),
    ]
    for number in range(len(refusals)):
        client.send(f'2{number}["x",{number}]', f'2["x",{number}]')
        driver.settle()
    client.send('29["other"]')
    assert client.take() == [
        '30[{"message":"no","data":{"code":1}}]',
        '31[{"message":"no"}]',
        f"32{ERROR}",
        f"33{ERROR}",
        "39[]",
    ]
    assert told == [("other",)]
    reported = [type(error) for _, error in driver.runtime.logged]
    assert reported == [LocalProtocolError, RuntimeError, RuntimeError]
