"""The short way for one handler that stands alone: the same as the long one."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator, Sequence
from functools import wraps
from typing import Any, NamedTuple
from unittest.mock import patch

import pytest
from support import transcript as transcripts
from support.runtime import Gate, Lending, Pause
from support.socketio_client import SocketIOClient, connected
from support.transcript import socketio

from sansocket.sansio.errors import EventRefused
from sansocket.sansio.socketio import dispatch
from sansocket.sansio.socketio.acks import Ack
from sansocket.sansio.socketio.socket import Socket


async def later(value: object) -> object:
    """Made by a plain function, and awaited for it."""
    await Pause()
    return value


def none(socket: Socket, *args: object) -> None:
    """Return nothing."""


def value(socket: Socket, *args: object) -> object:
    return args


def unwritable(socket: Socket, *args: object) -> object:
    return object()


class Pair(NamedTuple):
    """A tuple that orjson does not know."""

    first: object
    second: object


def pair(socket: Socket, *args: object) -> object:
    return Pair(args, "two")


def fails(socket: Socket, *args: object) -> object:
    raise ZeroDivisionError


def refuses(socket: Socket, *args: object) -> object:
    raise EventRefused("no", data={"code": 1})


def awaited(socket: Socket, *args: object) -> Coroutine[Any, Any, object]:
    return later(args)


def emits(socket: Socket, *args: object) -> object:
    socket.emit("said", *args)
    return "emitted"


def disconnects(socket: Socket, *args: object) -> object:
    socket.disconnect()
    return "gone"


def one(socket: Socket, only: object) -> object:
    return only


def acknowledges(socket: Socket, ack: Ack) -> None:
    ack("by hand")


async def waits(socket: Socket, *args: object) -> object:
    socket.emit("before")
    await Pause()
    return args


async def fails_late(socket: Socket, *args: object) -> object:
    await Pause()
    raise ZeroDivisionError


async def refuses_late(socket: Socket, *args: object) -> object:
    await Pause()
    raise EventRefused("no")


async def unwritable_late(socket: Socket, *args: object) -> object:
    return object()


class Later:
    """Something to be awaited that is no coroutine."""

    def __await__(self) -> Generator[Any, Any, object]:
        yield
        return "later"


@wraps(waits)
def wrapped_later(socket: Socket, *args: object) -> object:
    return Later()


@wraps(waits)
def wrapped_value(socket: Socket, *args: object) -> object:
    return args


@wraps(waits)
def wrapped_failure(socket: Socket, *args: object) -> object:
    raise StopIteration


async def fails_at_once(socket: Socket, *args: object) -> object:
    raise ZeroDivisionError


async def at_once(socket: Socket, *args: object) -> object:
    return args


HANDLERS = [
    *(
        none,
        value,
        pair,
        unwritable,
        fails,
        refuses,
        awaited,
        emits,
        disconnects,
        one,
        acknowledges,
    ),
    *(waits, fails_late, refuses_late, unwritable_late, at_once),
    *(wrapped_later, wrapped_value, wrapped_failure, fails_at_once),
]
PACKETS = ['2["x"]', '20["x"]', '21["x",1]', '22["x",1,"two"]', '23["y"]', '24["x",2]']


def transcript(handler: Callable[..., Any], packets: Sequence[str]) -> list[object]:
    """What a client gets, and what is reported."""
    app, driver, client, socket = connected()
    reported: list[object] = []
    app.on("x", handler)
    app.on_error(lambda error, *about: reported.append((type(error), *about[1:])))
    client.send(*packets)
    driver.settle()
    waiting = [session.inbound for session in app.engine.sessions.values()]
    return [client.take(), reported, socket.mailbox.busy, *waiting]


@pytest.mark.parametrize("handler", HANDLERS, ids=lambda handler: handler.__code__.co_name)
@pytest.mark.parametrize(
    "packets", [PACKETS, PACKETS[::-1], *([each] for each in PACKETS)], ids=str
)
def test_the_short_way_is_the_long_way(handler: Callable[..., Any], packets: Sequence[str]) -> None:
    """Whatever the handler does, and however many events come in one chunk (rules 48 and 71)."""
    short = transcript(handler, packets)
    with patch.object(transcripts, "LoopFree", Lending):
        assert transcript(handler, packets) == short
    with (
        patch.object(dispatch, "alone", lambda event: None),
        patch.object(dispatch.Dispatch, "at_once", lambda self, *event: False),
    ):
        long = transcript(handler, packets)
    assert short == long


def visit(*handlers: tuple[str, Callable[..., Any]], guarded: bool, leaves: str) -> list[object]:
    """What two clients get who come and go, what is reported, and who is there then."""
    app, driver = socketio()
    reported: list[str] = []
    app.on_error(lambda *about: reported.append(repr(about)))
    if guarded:
        app.use(lambda socket, auth: socket.data.update(auth))
    for name, handler in handlers:
        app.on(name, handler)
    clients = [SocketIOClient(driver), SocketIOClient(driver)]
    for client in clients:
        client.send("0")
    clients[0].send(leaves)
    driver.settle()
    waiting = [session.inbound for session in app.engine.sessions.values()]
    rooms = [socket.rooms for socket in app.sockets.values()]
    return [*(client.take() for client in clients), reported, *waiting, rooms, len(app.sockets)]


LIFE = [none, fails, awaited, emits, disconnects, waits]


@pytest.mark.parametrize("guarded", [False, True])
@pytest.mark.parametrize("leaves", ["1", "0", '2["x"]'])
@pytest.mark.parametrize("name", ["connect", "disconnecting", "disconnect", "x"])
@pytest.mark.parametrize("handler", LIFE, ids=lambda handler: handler.__name__)
def test_who_is_told_of_no_coming_and_going(
    name: str, handler: Callable[..., Any], leaves: str, guarded: bool
) -> None:
    """Rules 58 and 64: where nobody is told of it, all else is as it was."""
    short = visit((name, handler), guarded=guarded, leaves=leaves)
    with patch.object(dispatch.Dispatch, "passed_over", lambda self, event: False):
        long = visit((name, handler), guarded=guarded, leaves=leaves)
    assert short == long


@pytest.mark.parametrize("concurrency", [1, 2])
def test_begun_in_the_name_of_a_worker(concurrency: int) -> None:
    """A coroutine function is begun on the spot, and what comes meanwhile waits for its end."""
    with patch.object(transcripts, "LoopFree", Lending):
        app, driver, client, socket = connected()
    seen: list[object] = []
    gate = Gate()

    @app.on("x", concurrency=concurrency)
    async def x(socket: Socket, number: int) -> None:
        seen.append(number)
        if number == 1:
            await gate.wait()

    with patch.object(driver, "settle", app.deliver):
        client.send('2["x",0]')
        assert seen == [0]
        assert not socket.mailbox.busy
        client.send('2["x",1]')
        assert seen == [0, 1]
        client.send('2["x",2]')
    driver.settle()
    assert seen == [0, 1] if concurrency == 1 else [0, 1, 2]
    gate.open()
    driver.settle()
    assert seen == [0, 1, 2]
    assert not socket.mailbox.busy


def test_what_ends_a_handler_for_good() -> None:
    """What is no Exception frees the mailbox, and is raised in the worker's task."""
    with patch.object(transcripts, "LoopFree", Lending):
        app, _, client, socket = connected()

    @app.on("x")
    async def x(socket: Socket) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        client.send('2["x"]')
    assert not socket.mailbox.busy


@pytest.mark.parametrize(
    "disturb",
    [
        lambda app, socket: app.on("x", none),
        lambda app, socket: app.on_any(none),
        lambda app, socket: socket.on("x", print),
        lambda app, socket: (app.off("x"), app.once("x", none)),
    ],
    ids=["two handlers", "for any", "on the socket", "once"],
)
def test_when_it_is_not_taken(disturb: Callable[..., object]) -> None:
    """The handler has to stand alone."""
    app, _, client, socket = connected()
    app.on("x", none)
    with patch.object(dispatch.Dispatch, "_received") as long:
        client.send('2["x"]')
        long.assert_not_called()
        disturb(app, socket)
        client.send('2["x"]')
        long.assert_called_once()
