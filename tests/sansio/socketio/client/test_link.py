"""What a server may send to a client, and when (rules 44, 57 to 61)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fake_engine import Rig, record

from sansocket.sansio.errors import ConnectionRefused, RemoteProtocolError
from sansocket.sansio.socketio.packet import Packet, Type
from sansocket.sansio.socketio.parser import encode

# What the server may not send


@pytest.mark.parametrize(
    "frames",
    [
        [""],
        ["9"],
        ["2"],
        ["2[]"],
        ['2["connect"]'],
        ['2["disconnect","io server disconnect"]'],
        ["2[1"],
        ["0"],
        ["0{}"],
        ['0{"sid":1}'],
        ['0{"sid":"x","pid":1}'],
        ['0{"sid":"second"}'],
        ['4{"message":"late"}'],
        ["4[]"],
        ["3[]"],
        ['2/other,["x"]'],
        ["1/other,"],
        ['0/other,{"sid":"x"}'],
        ['4/other,{"message":"x"}'],
        [b"bytes"],
        ['51-["x",{"_placeholder":true,"num":0}]', '2["y"]'],
    ],
    ids=repr,
)
def test_it_ends_the_connection(frames: list[str | bytes]) -> None:
    """ "parse error", whatever it was, and never a traceback."""
    rig = Rig()
    told = record(rig.joined(), "disconnect", "x", "connect_error")
    assert rig.receive(*frames) == []
    [(name, reason, details)] = told
    assert (name, reason) == ("disconnect", "parse error")
    assert isinstance(details, RemoteProtocolError)
    assert rig.runtime.logged == []


@given(st.lists(st.text() | st.binary(), max_size=5), st.booleans())
def test_nothing_that_a_server_sends_is_an_exception(
    frames: list[str | bytes], joined: bool
) -> None:
    """Rule 95: one typed error, and the client comes back."""
    rig = Rig()
    if joined:
        rig.joined()
    else:
        rig.client.socket().connect()
        rig.open()
    rig.receive(*frames)
    assert rig.engine.ended is None or rig.engine.ended[0] == "parse error"
    assert rig.client.members or not joined


def test_a_server_of_version_2() -> None:
    """Its CONNECT has no id: the socket is told what may be the matter."""
    rig = Rig()
    socket = rig.client.socket()
    told = record(socket, "connect_error", "disconnect")
    socket.connect()
    rig.open()
    rig.receive("0")
    [(name, error)] = told
    assert name == "connect_error"
    assert "before version 3" in str(error)


# Refusals


@pytest.mark.parametrize(
    ("packet", "message", "data"),
    [
        ('4{"message":"not authorized"}', "not authorized", None),
        ('4{"message":"no","data":{"code":401}}', "no", {"code": 401}),
        ('4"Unable to connect"', "Unable to connect", None),
        ("4{}", "the server has refused the connection", {}),
        ('4{"message":5}', "the server has refused the connection", {"message": 5}),
        ("1", "io server disconnect", None),
    ],
)
def test_a_refusal(packet: str, message: str, data: Any) -> None:
    """Row 171, rules 59, 60 and 84: told with what the server says, and not tried again."""
    rig = Rig()
    socket, other = rig.client.socket("/"), rig.joined("/a")
    told = record(socket, "connect_error", "disconnect", "connect")
    socket.connect()
    rig.receive(packet)
    [(name, error)] = told
    assert name == "connect_error"
    assert isinstance(error, ConnectionRefused)
    assert (error.message, error.data) == (message, data)
    assert not socket.active
    assert other.connected
    rig.lose()
    rig.advance(1)
    assert rig.open() == ["0/a,"]


def test_asked_again_after_a_refusal() -> None:
    """By hand, with what `auth` says then."""
    rig = Rig()
    rig.joined("/a")
    auth = {"try": 1}
    socket = rig.client.socket("/", auth=auth)
    socket.connect()
    rig.receive('4{"message":"no"}')
    auth["try"] = 2
    socket.connect()
    rig.settle()
    assert rig.engine.take() == ['0{"try":2}']
    rig.accept()
    assert socket.connected


def test_no_answer() -> None:
    """It is told after `timeout`; the answer may still come."""
    rig = Rig(timeout=2.0)
    socket = rig.client.socket()
    told = record(socket, "connect_error", "connect")
    socket.connect()
    rig.open()
    rig.advance(2)
    [(_, error)] = told
    assert error.message == "timeout"
    assert socket.active
    rig.advance(100)
    rig.accept()
    assert told[1:] == [("connect",)]


# Events before the answer


def test_events_before_the_answer_wait_for_it() -> None:
    """Row 149: python-socketio answers after its connect handler."""
    rig = Rig()
    socket = rig.client.socket()
    told = record(socket, "connect", "early", "late")
    socket.connect()
    rig.open()
    rig.receive('2["early",1]', '2["early",2]')
    assert told == []
    rig.receive('0{"sid":"x"}', '2["late"]')
    assert told == [("connect",), ("early", 1), ("early", 2), ("late",)]
    assert rig.engine.held == 0


def test_events_before_an_answer_that_never_came() -> None:
    """Those of the connection that was lost are for nobody."""
    rig = Rig()
    socket = rig.client.socket()
    told = record(socket, "early")
    socket.connect()
    rig.open()
    rig.receive('2["early",1]')
    rig.lose()
    rig.advance(1)
    rig.rejoin()
    assert told == []


def test_too_many_events_before_the_answer() -> None:
    """Rule 98: a server that goes on breaks the protocol."""
    rig = Rig(max_receive_buffer=3)
    rig.client.socket().connect()
    rig.open()
    rig.receive(*['2["x"]'] * 3)
    assert rig.engine.ended is None
    rig.receive('2["x"]')
    assert rig.engine.ended is not None
    assert rig.engine.ended[0] == "parse error"


def test_too_many_bytes_before_the_answer() -> None:
    """Rule 98: the same, but one event alone may be as large as a message; the next connection
    begins anew."""
    rig = Rig(max_receive_buffer_bytes=20)
    rig.client.socket().connect()
    rig.open()
    rig.receive(f'2["{"x" * 30}"]')
    assert rig.engine.ended is None
    rig.receive('2["x"]')
    assert rig.engine.ended is not None
    assert rig.engine.ended[0] == "parse error"
    rig.advance(2)
    rig.open()
    rig.receive(*['2["x"]'] * 3)
    assert rig.engine.ended is None
    rig.receive('2["x"]')
    assert rig.engine.ended is not None


def test_a_packet_of_every_type_for_every_state() -> None:
    """The first packets of a server, in every order of two: never an exception."""
    packets = [
        Packet(Type.CONNECT, "/", {"sid": "x"}),
        Packet(Type.DISCONNECT),
        Packet(Type.EVENT, "/", ["x"], 1),
        Packet(Type.ACK, "/", [], 1),
        Packet(Type.CONNECT_ERROR, "/", {"message": "no"}),
    ]
    frames = [frame for packet in packets for frame in encode(packet)]
    for first in frames:
        for second in frames:
            rig = Rig()
            rig.joined("/a")
            rig.client.socket().connect()
            rig.settle()
            rig.receive(first, second)
            assert rig.engine.ended is None or rig.engine.ended[0] == "parse error"
            assert rig.client.members
