"""Leaving a namespace and coming back while packets are on their way."""

from __future__ import annotations

import pytest
from support.fake_engine import Rig, record


def test_what_comes_for_a_namespace_that_was_left() -> None:
    """The server did not know yet: it is ignored."""
    rig = Rig()
    rig.joined("/a")
    socket = rig.joined("/b")
    told = record(socket, "x", "disconnect")
    socket.disconnect()
    rig.settle()
    rig.engine.take()
    assert rig.receive('2/b,1["x"]', "3/b,0[]", "1/b,", '4/b,"no"') == []
    assert told == [("disconnect", "io client disconnect", None)]
    assert rig.engine.ended is None


def test_left_before_the_server_has_answered() -> None:
    """It is told that it lets in whom nobody waits for."""
    rig = Rig()
    rig.joined("/a")
    socket = rig.client.socket("/b")
    told = record(socket, "connect", "disconnect", "connect_error", "x")
    socket.connect()
    socket.disconnect()
    rig.settle()
    assert rig.engine.take() == ["0/b,"]
    assert rig.receive('2/b,["x"]', '0/b,{"sid":"x"}', '2/b,["x"]') == ["1/b,"]
    assert told == []


def test_left_and_back_before_the_server_has_answered() -> None:
    """Rule 61: a second CONNECT would end the connection, so the first answer counts."""
    rig = Rig()
    rig.joined("/a")
    socket = rig.client.socket("/b")
    socket.connect()
    socket.disconnect()
    socket.connect()
    rig.settle()
    assert rig.engine.take() == ["0/b,"]
    assert rig.accept("/b", "sid") == []
    assert socket.connected


def test_the_disconnects_of_both_sides_cross() -> None:
    """The server's was sent to the stay that is over: it does not refuse the next one."""
    rig = Rig()
    rig.joined("/a")
    socket = rig.joined("/b", "first")
    told = record(socket, "connect", "disconnect", "connect_error", "x")
    socket.disconnect()
    socket.connect()
    rig.settle()
    assert rig.engine.take() == ["1/b,", "0/b,"]
    assert rig.receive('2/b,["x",1]', "1/b,", '0/b,{"sid":"second"}', '2/b,["x",2]') == []
    reason = ("disconnect", "io client disconnect", None)
    assert told == [reason, ("connect",), ("x", 2)]
    assert rig.receive("1/b,") == []
    assert told[3:] == [("disconnect", "io server disconnect", None)]


def test_they_cross_and_it_leaves_again_and_comes_back() -> None:
    """The CONNECT on its way is not answered yet, and a second one would end the connection."""
    rig = Rig()
    rig.joined("/a")
    socket = rig.joined("/b")
    socket.disconnect()
    socket.connect()
    rig.settle()
    socket.disconnect()
    assert rig.receive("1/b,") == ["1/b,", "0/b,"]
    socket.connect()
    rig.settle()
    assert rig.engine.take() == []
    assert rig.accept("/b", "second") == []
    assert socket.connected


def test_the_second_disconnect_is_a_refusal() -> None:
    """One stay has one end, and the next CONNECT may be refused without a word."""
    rig = Rig()
    rig.joined("/a")
    socket = rig.joined("/b")
    told = record(socket, "connect_error")
    socket.disconnect()
    socket.connect()
    rig.receive("1/b,")
    assert socket.active
    rig.receive("1/b,")
    assert not socket.active
    assert len(told) == 1


def test_events_after_the_end_of_a_stay_are_for_the_next() -> None:
    """Nothing more comes to a stay that the server has ended."""
    rig = Rig()
    rig.joined("/a")
    socket = rig.joined("/b")
    told = record(socket, "x", "connect")
    rig.receive("1/b,")
    socket.connect()
    rig.receive('2/b,["x",1]', '0/b,{"sid":"second"}')
    assert told == [("connect",), ("x", 1)]


@pytest.mark.parametrize("answers_late", [False, True])
def test_events_of_the_stay_before(answers_late: bool) -> None:
    """What the server sent before it knew that the socket had left is not for its next stay.

    A server that sends events before its answer is believed to do so again.
    """
    rig = Rig()
    rig.joined("/a")
    socket = rig.client.socket("/b")
    told = record(socket, "x", "connect")
    socket.connect()
    rig.settle()
    rig.receive(*['2/b,["x",1]'][:answers_late], '0/b,{"sid":"first"}')
    del told[:]
    socket.disconnect()
    socket.connect()
    rig.settle()
    rig.receive('2/b,["x",2]')
    rig.receive('0/b,{"sid":"second"}', '2/b,["x",3]')
    assert told == [("connect",), *[("x", 2)][:answers_late], ("x", 3)]
