"""Waiting for the end of a socket (row 65), and for one event of it (row 177)."""

from __future__ import annotations

import pytest
from support.fake_engine import Rig, record

from sansocket.sansio.errors import Disconnected


@pytest.mark.parametrize("how", ["left", "put out", "given up"])
def test_until_disconnected(how: str) -> None:
    """For good, and after the listeners; a connection that is lost is none of it."""
    rig = Rig(reconnection_attempts=1)
    socket = rig.joined()
    told = record(socket, "disconnect")
    task = rig.task(socket.until_disconnected())
    rig.lose()
    rig.advance(1)
    rig.rejoin()
    rig.receive('2["x"]')
    assert not task.done
    if how == "left":
        socket.disconnect()
    elif how == "put out":
        rig.receive("1")
    else:
        rig.lose()
        rig.advance(1)
        rig.fail()
    rig.settle()
    assert task.done
    assert task.result is None
    assert len(told) == 2


def test_until_disconnected_of_a_socket_that_is_not_active() -> None:
    rig = Rig()
    assert rig.task(rig.client.socket().until_disconnected()).done


def test_a_refusal_is_an_end() -> None:
    rig = Rig()
    socket = rig.client.socket()
    socket.connect()
    task = rig.task(socket.until_disconnected())
    rig.open()
    rig.receive('4"no"')
    assert task.done


def test_a_listener_that_connects_again_puts_the_end_off() -> None:
    rig = Rig()
    socket = rig.joined()
    socket.once("disconnect", lambda reason: socket.connect())
    task = rig.task(socket.until_disconnected())
    rig.receive("1")
    assert not task.done
    rig.rejoin()
    rig.receive("1")
    assert task.done


def test_receive() -> None:
    """What came before, and what comes; those with a listener are not for it."""
    rig = Rig()
    socket = rig.joined()
    rig.receive('2["early"]')
    assert rig.task(socket.receive()).result.name == "early"
    told = record(socket, "heard")
    task = rig.task(socket.receive(timeout=5))
    rig.receive('2["heard"]', '27["a",1]')
    event = task.result
    assert (event.name, event.args, told) == ("a", (1,), [("heard",)])
    event.ack("yes")
    assert rig.engine.take() == ['37["yes"]']


def test_who_receives_holds_the_server_as_an_iteration_does() -> None:
    """Rule 98: nothing that has come is forgotten for what comes after it."""
    rig = Rig()
    socket = rig.joined()
    task = rig.task(socket.receive())
    rig.receive(*['2["x"]'] * 4)
    assert task.done
    assert rig.engine.held == 3


def test_receive_cancelled() -> None:
    """No event is lost, though it had come."""
    rig = Rig()
    socket = rig.joined()
    task = rig.task(socket.receive())
    rig.engine.receiver.message('2["x"]', rig.now)
    rig.client.deliver()
    task.cancel()
    assert rig.task(socket.receive()).result.name == "x"


def test_receive_when_nothing_more_comes() -> None:
    """After what has come before the end."""
    rig = Rig()
    socket = rig.joined()
    rig.receive('2["last"]', "1")
    assert rig.task(socket.receive()).result.name == "last"
    for task in (rig.task(socket.receive()), rig.task(Rig().client.socket().receive())):
        with pytest.raises(Disconnected):
            _ = task.result
