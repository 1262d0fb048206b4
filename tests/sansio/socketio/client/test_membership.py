"""How a socket of a client comes and goes (rules 79, 80, 84, 85, 87)."""

from __future__ import annotations

import pytest
from support.fake_engine import Rig, record
from support.runtime import Gate

from sansocket.sansio.errors import (
    ConnectionRefused,
    Disconnected,
    LocalProtocolError,
    TransportError,
)
from sansocket.sansio.socketio.client.socket import ClientSocket

# Coming and going


def test_what_is_known_of_it() -> None:
    """Row 167."""
    rig = Rig()
    socket = rig.client.socket("/a")
    assert (socket.id, socket.connected, socket.active, socket.reason) == (None, False, False, None)
    socket.connect()
    socket.connect()
    assert (socket.id, socket.connected, socket.active) == (None, False, True)
    assert repr(socket) == "<ClientSocket None /a waiting>"
    rig.open()
    rig.accept("/a", "public")
    assert (socket.id, socket.connected, socket.active) == ("public", True, True)
    assert not socket.recovered
    assert socket.client is rig.client
    rig.lose()
    assert (socket.id, socket.connected, socket.active) == (None, False, True)
    assert socket.reason == "transport close"


def test_the_server_disconnects_it() -> None:
    """Rule 85: it is not connected again, until the application says so."""
    rig = Rig()
    socket, other = rig.joined(), rig.joined("/a")
    told = record(socket, "disconnect", "connect")
    rig.receive("1")
    assert told == [("disconnect", "io server disconnect", None)]
    assert not socket.active
    rig.lose()
    rig.advance(1)
    assert rig.open() == ["0/a,"]
    socket.connect()
    rig.settle()
    assert rig.engine.take() == ["0"]
    rig.accept(sid="new")
    assert told[1:] == [("connect",)]
    assert not other.connected


def test_connected_again_by_its_own_listener() -> None:
    """Rule 85: what JavaScript's documentation advises; the connection had gone with it."""
    rig = Rig()
    socket = rig.joined()

    @socket.on("disconnect")
    def again(reason: str) -> None:
        if reason == "io server disconnect":
            socket.connect()

    rig.receive("1")
    assert rig.open() == ["0"]
    rig.accept()
    assert socket.connected
    assert len(rig.engines) == 2


def test_the_application_disconnects_it() -> None:
    """The server is told, after what was emitted before; a second time changes nothing."""
    rig = Rig()
    rig.joined("/b")
    socket = rig.joined("/a")
    told = record(socket, "disconnect")
    socket.emit("last")
    socket.disconnect()
    socket.disconnect()
    rig.settle()
    assert rig.engine.take() == ['2/a,["last"]', "1/a,"]
    assert told == [("disconnect", "io client disconnect", None)]


def test_events_that_were_not_handled_when_the_application_left() -> None:
    """Rule 71: they are dropped."""
    rig = Rig()
    rig.joined("/b")
    socket = rig.joined("/a")
    gate, handled = Gate(), list[int]()

    @socket.on("x")
    async def listener(number: int) -> int:
        await gate.wait()
        handled.append(number)
        return number

    rig.receive('2/a,1["x",1]', '2/a,2["x",2]')
    assert rig.engine.held == 2
    socket.disconnect()
    rig.settle()
    rig.engine.take()
    gate.open()
    rig.settle()
    assert handled == [1]
    assert rig.engine.take() == []
    assert rig.engine.held == 0


def test_events_that_were_not_handled_when_the_connection_was_lost() -> None:
    """They are handled; their acknowledgements would be wrong in the next session."""
    rig = Rig()
    socket = rig.joined()
    gate, handled = Gate(), list[object]()

    @socket.on("x")
    async def listener(number: int) -> int:
        await gate.wait()
        handled.append(number)
        return number

    @socket.on("disconnect")
    def gone(reason: str) -> None:
        handled.append(reason)

    rig.receive('21["x",1]', '22["x",2]')
    rig.lose()
    rig.advance(1)
    rig.rejoin()
    gate.open()
    rig.settle()
    assert handled == [1, 2, "transport close"]
    assert rig.engine.take() == []


# Waiting for it


def test_until_connected() -> None:
    rig = Rig()
    socket = rig.client.socket()
    socket.connect()
    task = rig.task(socket.until_connected())
    rig.open()
    assert not task.done
    rig.accept()
    assert task.done
    assert task.result is None
    assert rig.task(socket.until_connected()).done


def test_until_connected_and_not_active() -> None:
    rig = Rig()
    task = rig.task(rig.client.socket().until_connected())
    with pytest.raises(Disconnected, match="not active"):
        _ = task.result


@pytest.mark.parametrize("retry", [False, True])
def test_the_first_error(retry: bool) -> None:
    """Without `retry` it is raised; with it the waiting goes on."""
    rig = Rig(timeout=1.0)
    socket = rig.client.socket()
    socket.connect()
    task = rig.task(socket.until_connected(retry=retry))
    error = rig.fail()
    assert task.done is not retry
    rig.advance(1)
    if retry:
        rig.open()
        rig.advance(1)  # the server does not answer: not the end either
        rig.lose()
        rig.advance(1)
        rig.rejoin()
        assert task.result is None
    else:
        with pytest.raises(TransportError) as raised:
            _ = task.result
        assert raised.value is error


@pytest.mark.parametrize("retry", [False, True])
def test_the_last_error(retry: bool) -> None:
    """A refusal is final, and so is giving up."""
    rig = Rig(reconnection_attempts=1)
    socket, other = rig.client.socket(), rig.client.socket("/a")
    socket.connect()
    task = rig.task(socket.until_connected(retry=retry))
    rig.open()
    other.connect()
    rig.receive('4{"message":"no"}')
    with pytest.raises(ConnectionRefused, match="no"):
        _ = task.result
    task = rig.task(other.until_connected(retry=retry))
    rig.lose()
    rig.advance(1)
    rig.fail()
    with pytest.raises(TransportError):
        _ = task.result


def test_left_while_somebody_waits() -> None:
    rig = Rig()
    socket = rig.client.socket()
    socket.connect()
    task = rig.task(socket.until_connected(retry=True))
    cancelled = rig.task(socket.until_connected())
    cancelled.cancel()
    socket.disconnect()
    rig.settle()
    with pytest.raises(Disconnected, match="io client disconnect"):
        _ = task.result


def test_a_call_that_waits_when_nothing_is_done_any_more() -> None:
    """It fails, and its event is not sent later; events without a task stay for `connect`."""
    rig = Rig(reconnection=False)
    socket = rig.client.socket()
    socket.connect()
    task = rig.task(socket.call("asks"))
    socket.emit("tells")
    rig.fail()
    with pytest.raises(Disconnected):
        _ = task.result
    socket.connect()
    rig.open()
    assert rig.accept() == ['2["tells"]']


# State recovery


def recovering(rig: Rig) -> ClientSocket:
    """A socket of a server that can recover its session."""
    socket = rig.client.socket(auth={"token": "x"})
    socket.connect()
    rig.open()
    rig.accept(sid="one", pid="private")
    return socket


def test_recovery() -> None:
    """Rule 79: the private id and the last offset are told, and the server knows them."""
    rig = Rig()
    socket = recovering(rig)
    told = record(socket, "x")
    rig.receive('2["x",1,"first"]', '2["x",2,"second"]', '2["x",3]')
    assert not socket.recovered
    rig.lose()
    rig.advance(1)
    assert rig.open() == ['0{"pid":"private","offset":"second","token":"x"}']
    rig.accept(sid="one", pid="private")
    assert socket.recovered
    assert told == [("x", 1, "first"), ("x", 2, "second"), ("x", 3)]
    rig.lose()
    rig.advance(1)
    assert rig.open() == ['0{"pid":"private","offset":"second","token":"x"}']
    rig.accept(sid="two", pid="other")
    assert not socket.recovered
    rig.lose()
    rig.advance(1)
    assert rig.open() == ['0{"pid":"other","token":"x"}']


def test_a_session_without_events() -> None:
    """Rule 80: there is no offset to tell."""
    rig = Rig()
    recovering(rig)
    rig.lose()
    rig.advance(1)
    assert rig.open() == ['0{"pid":"private","token":"x"}']


def test_a_server_without_recovery() -> None:
    """Rule 79: what looks like an offset is none."""
    rig = Rig()
    socket = rig.joined()
    rig.receive('2["x","text"]')
    rig.lose()
    rig.advance(1)
    assert rig.rejoin() == []
    assert not socket.recovered


def test_who_left_is_not_recovered() -> None:
    """Rule 81: a namespace disconnect ends the session."""
    rig = Rig()
    rig.joined("/a")
    socket = recovering_beside(rig)
    socket.disconnect()
    socket.connect()
    rig.settle()
    assert rig.engine.take()[-1] == "0"


def recovering_beside(rig: Rig) -> ClientSocket:
    """The same over a connection that is there already."""
    socket = rig.client.socket()
    socket.connect()
    rig.settle()
    rig.accept(sid="one", pid="private")
    return socket


def test_auth_is_said_before_it_is_needed() -> None:
    """It can be changed between two connections, to what can be."""
    rig = Rig()
    socket = rig.joined()
    assert socket.auth is None
    socket.auth = dict
    assert socket.auth is dict
    socket.auth = {"token": "new"}
    assert socket.auth == {"token": "new"}
    with pytest.raises(TypeError, match="auth"):
        socket.auth = 5
    rig.lose()
    rig.advance(1)
    assert rig.open() == ['0{"token":"new"}']


def test_closed_for_good() -> None:
    """Nothing connects it again, and what is emitted goes nowhere."""
    rig = Rig()
    socket = rig.joined()
    rig.client.shut_down()
    with pytest.raises(LocalProtocolError, match="closed"):
        socket.connect()
    socket.emit("x")
    errors: list[Exception] = []
    socket.timeout(1).emit("x", ack=errors.append)
    assert [type(error) for error in errors] == [Disconnected]
