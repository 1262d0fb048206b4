"""What a client had sent when the server disconnected it is not handled any more (rule 71)."""

from __future__ import annotations

from typing import Any

import pytest
from support.runtime import Gate
from support.socketio_client import SocketIOClient, connected
from support.transcript import socketio

from sansocket.sansio.socketio.socket import Socket


def waiting(socket: Socket) -> int:
    """How many events of a client wait for their handlers."""
    return socket.connection.waiting


ENDS = ["disconnecting", "disconnect"]


@pytest.mark.parametrize("close", [False, True])
@pytest.mark.parametrize("on_disconnect", ["finish", "cancel"])
def test_events_that_wait_are_dropped(close: bool, on_disconnect: str) -> None:
    """The handlers that run go on; `disconnect` comes after them, once."""
    app, driver, client, socket = connected(on_disconnect=on_disconnect, max_inbound=3)
    gate, told = Gate(), list[Any]()

    @app.on("slow")
    async def slow(socket: Socket, number: int) -> None:
        await gate.wait()
        told.append(number)

    for name in ENDS:
        app.on(name, lambda socket, reason, name=name: told.append(name))
    client.send('2["slow",0]', '2["slow",1]', '2["slow",2]', '2["slow",3]')
    [session] = app.engine.sessions.values()
    assert session.congested
    socket.disconnect(close)
    # Dropped at once: other namespaces of the client are read from again.
    assert waiting(socket) <= 2
    gate.open()
    driver.settle()
    assert told == ([0, *ENDS] if on_disconnect == "finish" else ENDS)
    assert waiting(socket) == 0
    assert driver.runtime.tasks == []


@pytest.mark.parametrize("waits", [False, True])
def test_events_of_the_same_chunk_are_dropped(waits: bool) -> None:
    """Also those that have not come as far as the mailbox; those of other sockets have."""
    app, driver = socketio()
    told: list[Any] = []

    @app.on("go")
    def go(socket: Socket) -> None:
        socket.disconnect()

    if waits:

        @app.on("later")
        async def later(socket: Socket) -> None:
            told.append("later")
    else:
        app.on("later", lambda socket: told.append("later"))
    app.of("/other").on("later", lambda socket: told.append("other"))
    app.on("disconnect", lambda socket, reason: told.append(reason))
    client = SocketIOClient(driver)
    client.connect()
    client.connect("/other")
    client.send('2["later"]', '2["go"]', '2["later"]', '2/other,["later"]', '2["later"]')
    driver.settle()
    order = ["other", "later"] if waits else ["later", "other"]
    assert told == [*order, "server namespace disconnect"]
    [session] = app.engine.sessions.values()
    assert session.inbound == 0


def test_a_client_that_is_disconnected_may_come_again() -> None:
    """What was dropped was of one socket, not of the client."""
    app, _, client, socket = connected()
    told: list[str] = []
    app.on("x", lambda socket: told.append(socket.id))
    socket.disconnect()
    assert client.take() == ["1"]
    socket_id = client.connect()
    client.send('2["x"]')
    assert told == [socket_id]


def test_events_before_the_client_went_are_handled() -> None:
    """It was the client's word that came last, and the others came before."""
    app, driver, client, _ = connected()
    gate, told = Gate(), list[Any]()

    @app.on("slow")
    async def slow(socket: Socket, number: int) -> None:
        await gate.wait()
        told.append(number)

    for name in ENDS:
        app.on(name, lambda socket, reason, name=name: told.append(name))
    client.send('2["slow",0]', '2["slow",1]', "1")
    assert told == []
    gate.open()
    driver.settle()
    assert told == [0, 1, *ENDS]


def test_no_event_passes_those_that_are_dropped() -> None:
    """With "cancel", what came in one piece with the end is dropped as what came before it is."""
    app, driver, client, _ = connected(on_disconnect="cancel")
    told: list[Any] = []

    @app.on("slow")
    async def slow(socket: Socket) -> None:
        await Gate().wait()

    app.on("x", lambda socket, number: told.append(number))
    for name in ENDS:
        app.on(name, lambda socket, reason, name=name: told.append(name))
    client.send('2["slow"]', '2["x",1]')
    client.send('2["x",2]', "1")
    driver.settle()
    assert told == ENDS
    assert driver.runtime.tasks == []
