"""What happens to a client and its sockets, as values."""

from __future__ import annotations

import pytest
from msgspec import Struct
from support.fake_engine import Rig

from sansocket.sansio.socketio.acks import Ack
from sansocket.sansio.socketio.client.events import (
    Connected,
    ConnectFailed,
    Disconnected,
    Event,
    EventReceived,
    Happened,
    Stay,
)


def test_an_event_can_be_matched() -> None:
    """By its name and its arguments."""
    event = Event("x", (1, "two"), Ack(None))
    match event:
        case Event(name="x", args=(1, text)):
            assert text == "two"
        case _:
            raise AssertionError(event)
    assert not event.ack.wanted


def test_they_are_frozen() -> None:
    socket = Rig().client.socket()
    events: list[Struct] = [
        Event("x", (), Ack(None)),
        Connected(socket),
        ConnectFailed(socket, ValueError(), True),
        Disconnected(socket, "transport close", None, False),
        Happened("open"),
    ]
    for event in events:
        with pytest.raises(AttributeError):
            setattr(event, type(event).__struct_fields__[0], None)


def test_a_stay_is_itself_alone() -> None:
    """Two of the same session are two: what belongs to one is nothing to the other."""
    rig = Rig()
    rig.joined()
    assert rig.client.link is not None
    one, other = Stay(rig.client.link), Stay(rig.client.link)
    assert one != other
    assert not one.left
    socket = rig.client.socket("/a")
    assert EventReceived(socket, "x", (), None, one) != EventReceived(socket, "x", (), None, one)
