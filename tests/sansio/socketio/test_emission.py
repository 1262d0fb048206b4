"""Modifiers of an emission to one socket (protocol rules 72, 74 and 78)."""

from __future__ import annotations

from typing import Any

import pytest
from support.runtime import Task
from support.socketio_client import SocketIOClient, connected, join
from support.transcript import socketio

from sansocket.sansio.config import Transport
from sansocket.sansio.errors import AckTimeout, Disconnected, LocalProtocolError, NotSent

on_both_transports = pytest.mark.parametrize("transport", ["polling", "websocket"])


class Called:
    """What a callback got."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def __call__(self, *args: Any) -> None:
        self.calls.append(args)


# volatile


@on_both_transports
def test_volatile_goes_out_when_it_can(transport: Transport) -> None:
    """Protocol rule 72: to a GET that waits, or a WebSocket that keeps up."""
    app, driver = socketio()
    client, socket = join(app, driver, transport)
    for number in range(3):
        socket.volatile.emit("x", number)
        socket.volatile.send(number)
        assert client.take()[:1] == [f'2["x",{number}]']


def test_volatile_is_dropped_while_no_get_waits() -> None:
    """Protocol rule 72: also right after another emission, which has taken the GET."""
    app, driver = socketio()
    client, socket = join(app, driver, "polling")
    socket.emit("takes the GET")
    socket.volatile.emit("dropped")
    socket.emit("waits")
    socket.volatile.emit("dropped")
    assert client.take() == ['2["takes the GET"]', '2["waits"]']
    socket.volatile.emit("goes")
    assert client.take() == ['2["goes"]']


def test_volatile_is_dropped_while_the_client_does_not_read() -> None:
    """Protocol rule 72, security rule T6: it makes no backlog."""
    _, _, client, socket = connected()
    client.pipe.writable = False
    socket.volatile.emit("goes")
    socket.volatile.emit("dropped", b"with attachments")
    client.pipe.pull()
    client.pipe.writable = True
    socket.volatile.emit("goes too")
    assert client.take() == ['2["goes"]', '2["goes too"]']


def test_volatile_with_an_acknowledgement() -> None:
    """Protocol rules 72 and 78: nobody waits for the answer to what was dropped."""
    app, driver = socketio()
    client, socket = join(app, driver, "polling")
    called = Called()
    socket.emit("takes the GET")
    socket.timeout(5.0).volatile.emit("dropped", ack=called)
    task = Task(driver.runtime, socket.volatile.emit_with_ack("dropped"))
    assert client.take() == ['2["takes the GET"]']
    [(error,)] = called.calls
    assert isinstance(error, NotSent)
    with pytest.raises(NotSent):
        _ = task.result


# timeout


def test_an_answer_in_time() -> None:
    """Protocol rule 48: None for the error, and then the values; once, and no timer stays."""
    app, driver, client, socket = connected()
    called = Called()
    timers = len(app.engine.timers)
    socket.timeout(5.0).emit("x", 1, ack=called)
    assert client.take() == ['20["x",1]']
    driver.advance(4.9)
    client.send('30["a",2]', '30["again"]')
    assert len(app.engine.timers) == timers
    driver.advance(10.0)
    assert called.calls == [(None, "a", 2)]


def test_no_answer_in_time() -> None:
    """Protocol rule 78: the error alone; what comes later is ignored, and room is made."""
    _, driver, client, socket = connected(max_pending_acks=1)
    called = Called()
    for number in range(2):
        socket.timeout(5.0).emit("x", ack=called)
        driver.advance(4.9)
        assert len(called.calls) == number
        driver.advance(0.2)
        client.send(f'3{number}["late"]')
    assert [len(call) for call in called.calls] == [1, 1]
    assert all(isinstance(error, AckTimeout) for (error,) in called.calls)
    client.take()
    assert not client.over


def test_the_client_goes() -> None:
    """Security rule 28: told with the reason, once."""
    _, driver, client, socket = connected()
    called = Called()
    socket.timeout(5.0).emit("x", ack=called)
    client.leave()
    driver.advance(10.0)
    [(error,)] = called.calls
    assert isinstance(error, Disconnected)
    assert error.reason == "transport close"


def test_a_callback_that_fails_at_the_timeout() -> None:
    """Security rule T1: the one timer of the server goes on."""
    _, driver, client, socket = connected()
    called = Called()

    def fail(error: Exception | None) -> None:
        raise RuntimeError("mine")

    socket.timeout(5.0).emit("x", ack=fail)
    socket.timeout(5.0).emit("x", ack=called)
    driver.advance(6.0)
    assert len(called.calls) == 1
    [(_, error)] = driver.runtime.logged
    assert isinstance(error, RuntimeError)
    client.send("1")


def test_emit_with_ack() -> None:
    """As `call`: the value, a tuple of several, None for none."""
    _, driver, client, socket = connected()
    tasks = [Task(driver.runtime, socket.timeout(5.0).emit_with_ack("x", n)) for n in range(3)]
    assert client.take() == ['20["x",0]', '21["x",1]', '22["x",2]']
    client.send("30[]", "31[1]", "32[1,2]")
    assert [task.result for task in tasks] == [None, 1, (1, 2)]


# Modifiers


def test_modifiers_do_not_leak() -> None:
    """Protocol rule 74: each makes a new emission; the socket and the others stay as they were."""
    app, driver = socketio()
    client, socket = join(app, driver, "polling")
    called = Called()
    base = socket.timeout(5.0)
    volatile = base.volatile
    longer = base.timeout(50.0)
    socket.emit("takes the GET")
    volatile.emit("dropped")
    for emission in (base, longer, volatile.timeout(5.0)):
        emission.emit("asks", ack=called)
    socket.emit("waits")
    names = ['2["takes the GET"]', '20["asks"]', '21["asks"]', '2["waits"]']
    assert client.take() == names
    driver.advance(6.0)
    assert len(called.calls) == 2
    driver.advance(45.0)
    assert len(called.calls) == 3


def test_broadcasts_keep_the_modifiers() -> None:
    """Protocol rule 74: `socket.volatile.to(room)` is volatile, and has its time."""
    app, driver = socketio()
    _, sender = join(app, driver)
    slow, _ = join(app, driver, "polling", "room")
    quick = SocketIOClient(driver)
    app.sockets[quick.connect()].join("room")
    app.to("room").emit("takes the GET")
    sender.volatile.to("room").emit("volatile")
    sender.volatile.broadcast.emit("volatile")
    sender.volatile.in_("room").except_("nobody").send("volatile")
    assert slow.take() == ['2["takes the GET"]']
    assert len(quick.take()) == 4
    called = Called()
    sender.timeout(5.0).to("room").emit("asks", ack=called)
    sender.timeout(6.0).except_("nobody").emit("asks", ack=called)
    driver.advance(5.5)
    assert len(called.calls) == 1
    driver.advance(5.0)
    assert len(called.calls) == 2


def test_what_cannot_be_sent() -> None:
    """As with `emit`: nothing is awaited, and nothing is sent."""
    app, driver, client, socket = connected()
    called = Called()
    timers = len(app.engine.timers)
    with pytest.raises(LocalProtocolError):
        socket.timeout(5.0).emit("connect", ack=called)
    assert len(app.engine.timers) == timers
    driver.advance(6.0)
    assert called.calls == []
    assert client.take() == []
