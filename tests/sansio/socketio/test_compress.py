"""`compress(False)`: an event that no transport compresses (feature rows 108 and 133)."""

from __future__ import annotations

import gzip
from collections.abc import Callable

import pytest
from support.runtime import Task
from support.transcript import Driver, Pipe, request_bytes, socketio

from sansocket.sansio.socketio.app import App
from sansocket.sansio.socketio.socket import Socket

LONG = "hello " * 1000


def join(app: App, driver: Driver) -> tuple[Socket, Pipe]:
    """A client by polling, and its GET, which waits and accepts gzip."""
    before = set(app.sockets)
    sid = driver.poll_handshake()
    driver.post(sid, "40")
    driver.get(sid)
    pipe = driver.connect()
    query = f"EIO=4&transport=polling&sid={sid}"
    pipe.send(request_bytes("GET", query=query, Accept_Encoding="gzip"))
    (joined,) = set(app.sockets) - before
    return app.sockets[joined], pipe


def is_compressed(pipe: Pipe) -> bool:
    """Whether the event came compressed; fails when it did not come."""
    head, _, body = pipe.take().partition(b"\r\n\r\n")
    compressed = b"Content-Encoding: gzip" in head
    assert LONG.encode() in (gzip.decompress(body) if compressed else body)
    return compressed


TO_ONE: list[Callable[[Socket, bool], object]] = [
    lambda socket, flag: socket.compress(flag).emit("x", LONG),
    lambda socket, flag: socket.compress(flag).volatile.timeout(1).send(LONG),
    lambda socket, flag: socket.volatile.timeout(1).compress(flag).emit("x", LONG),
    lambda socket, flag: socket.compress(flag).emit("x", LONG, ack=lambda *args: None),
    lambda socket, flag: socket.namespace.compress(flag).emit("x", LONG),
    lambda socket, flag: socket.namespace.to(socket.id).compress(flag).local.send(LONG),
    lambda socket, flag: socket.namespace.compress(flag).emit("x", LONG, ack=lambda *args: None),
]


@pytest.mark.parametrize("flag", [True, False])
@pytest.mark.parametrize("emit", TO_ONE)
def test_to_one(emit: Callable[[Socket, bool], object], flag: bool) -> None:
    app, driver = socketio()
    socket, pipe = join(app, driver)
    emit(socket, flag)
    driver.settle()
    assert is_compressed(pipe) is flag


TO_OTHERS: list[Callable[[Socket, bool], object]] = [
    lambda socket, flag: socket.compress(flag).broadcast.emit("x", LONG),
    lambda socket, flag: socket.compress(flag).to("room").emit("x", LONG),
    lambda socket, flag: socket.compress(flag).except_("other room").emit("x", LONG),
    lambda socket, flag: socket.broadcast.compress(flag).emit("x", LONG),
]


@pytest.mark.parametrize("flag", [True, False])
@pytest.mark.parametrize("emit", TO_OTHERS)
def test_to_others(emit: Callable[[Socket, bool], object], flag: bool) -> None:
    app, driver = socketio()
    sender, silent = join(app, driver)
    receiver, pipe = join(app, driver)
    receiver.join("room")
    emit(sender, flag)
    driver.settle()
    assert is_compressed(pipe) is flag
    assert silent.take() == b""


@pytest.mark.parametrize("flag", [True, False])
def test_what_is_waited_for(flag: bool) -> None:
    app, driver = socketio()
    socket, pipe = join(app, driver)
    Task(driver.runtime, socket.compress(flag).emit_with_ack("x", LONG))
    driver.settle()
    assert is_compressed(pipe) is flag
    driver.runtime.cancel()


def test_by_default() -> None:
    """A modifier is for one emission: the next is as it would have been (rule 74)."""
    app, driver = socketio()
    socket, pipe = join(app, driver)
    socket.compress(False)
    socket.emit("x", LONG)
    driver.settle()
    assert is_compressed(pipe)
