"""The short way that the default parser writes most packets: the same as the long one."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sansocket.sansio.engineio.encoded import encoded
from sansocket.sansio.errors import LocalProtocolError
from sansocket.sansio.socketio.packet import ACK, EVENT, MAX_ID, RESERVED, Packet
from sansocket.sansio.socketio.parser import JsonParser, encode

names = st.text() | st.sampled_from(sorted(RESERVED))
values = st.recursive(
    st.none() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner),
    max_leaves=8,
)
arguments = st.lists(values, max_size=3)
ids = st.integers(0, MAX_ID)
events = st.tuples(names, arguments)


@given(st.builds(Packet, st.just(EVENT), st.just("/"), events, st.none() | ids))
@example(Packet(EVENT, "/", ("a", [-0.0, "-0.0"])))
@example(Packet(EVENT, "/", ("a", [0] * 1001)))
@example(Packet(EVENT, "/", ("a", ["[" * 300])))
@example(Packet(EVENT, "/", ("\ud800", []), 1))
def test_the_short_way_writes_the_same_event(event: Packet) -> None:
    """Where there is one; what the long way refuses has none."""
    name, args = event.data
    compare(Packet(EVENT, "/", [name, *args], event.id))


@given(st.builds(Packet, st.just(ACK), st.just("/"), arguments, ids))
@example(Packet(ACK, "/", [-0.0], 0))
@example(Packet(ACK, "/", [0] * 1001, 0))
def test_the_short_way_writes_the_same_acknowledgement(answer: Packet) -> None:
    compare(answer)


def compare(packet: Packet) -> None:
    """Write it by both ways."""
    short = JsonParser().encode_plain(packet.type, tuple(packet.data), packet.id)
    if short is not None:
        assert short.text is not None
        assert encode(packet) == [short.text.decode()[1:]]
        plain = encoded(short.text)
        assert (short.size, short.websocket) == (plain.size, plain.websocket)
        assert (short.polling, short.compress) == (plain.polling, plain.compress)
    elif not any(isinstance(value, bytes) for value in packet.data):
        with suppress(LocalProtocolError):
            assert encode(packet)


@pytest.mark.parametrize("depth", [100, 127, 128, 200])
def test_the_short_way_is_not_too_deep(depth: int) -> None:
    """Security rule T2: what may be too deep is left to the long way."""
    value: list[Any] = []
    for _ in range(depth):
        value = [value, "long enough" * 30]
    assert (JsonParser().encode_plain(EVENT, ("a", value), None) is None) == (depth >= 126)
