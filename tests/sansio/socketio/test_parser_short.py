"""The short way that the default parser writes most events: the same as the long one."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sansocket.sansio.errors import LocalProtocolError
from sansocket.sansio.socketio.packet import EVENT, RESERVED, Packet
from sansocket.sansio.socketio.parser import JsonParser, encode


@given(
    st.text() | st.sampled_from(sorted(RESERVED)),
    st.lists(
        st.recursive(
            st.none() | st.integers() | st.floats() | st.text() | st.binary(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner),
            max_leaves=8,
        ),
        max_size=3,
    ),
)
@example("a", [-0.0, "-0.0"])
@example("a", [0] * 1001)
@example("a", ["[" * 300])
@example("\ud800", [])
def test_the_short_way_writes_the_same_event(name: str, args: list[Any]) -> None:
    """Where there is one; what the long way refuses has none."""
    short = JsonParser().encode_plain_event(name, tuple(args))
    if short is not None:
        assert encode(Packet(EVENT, "/", [name, *args])) == [short.decode()[1:]]
    elif not any(isinstance(arg, bytes) for arg in args):
        with suppress(LocalProtocolError):
            assert encode(Packet(EVENT, "/", [name, *args]))


@pytest.mark.parametrize("depth", [100, 127, 128, 200])
def test_the_short_way_is_not_too_deep(depth: int) -> None:
    """Security rule T2: what may be too deep is left to the long way."""
    value: list[Any] = []
    for _ in range(depth):
        value = [value, "long enough" * 30]
    assert (JsonParser().encode_plain_event("a", (value,)) is None) == (depth >= 126)
