"""The handshake of a server, read strictly (rule 17)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sansocket.sansio.engineio.client.handshake import ServerHandshake, read_handshake
from sansocket.sansio.errors import RemoteProtocolError

GOOD: dict[str, Any] = {
    "sid": "abc",
    "upgrades": ["websocket"],
    "pingInterval": 25000,
    "pingTimeout": 20000.5,
    "maxPayload": 1000000,
}


def test_reads() -> None:
    """Times are milliseconds on the wire, and seconds here."""
    expected = ServerHandshake("abc", ("websocket",), 25.0, 20.0005, 1_000_000)
    assert read_handshake(json.dumps(GOOD)) == expected
    more = GOOD | {"more": 1, "upgrades": ["websocket", 3, None]}
    assert read_handshake(json.dumps(more)) == expected


def test_a_server_before_engineio_6_2_tells_no_max_payload() -> None:
    fields = {name: value for name, value in GOOD.items() if name != "maxPayload"}
    assert read_handshake(json.dumps(fields)).max_payload is None


WRONG: dict[str, list[object]] = {
    "sid": ["", "a" * 1001, 3, None, ["a"]],
    "upgrades": ["websocket", None, {"a": 1}],
    "pingInterval": [0, -1, 2**31, 1e300, True, "25000", None, []],
    "pingTimeout": [0, -0.5, 10**400, False, {}],
    "maxPayload": [0, -1, 1.5, True, "1", 2**53, 10**400],
}


@pytest.mark.parametrize("name", WRONG)
def test_refuses(name: str) -> None:
    for value in WRONG[name]:
        with pytest.raises(RemoteProtocolError):
            read_handshake(json.dumps(GOOD | {name: value}))


@pytest.mark.parametrize("data", ["", "{", "null", "[]", "3", "NaN", "[" * 5000, b"\xff"])
def test_what_is_no_object(data: str | bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        read_handshake(data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(sorted(GOOD)), JSON).map(lambda new: json.dumps(GOOD | new)))
def test_reads_or_raises_the_documented_error(data: str) -> None:
    try:
        handshake = read_handshake(data)
    except RemoteProtocolError:
        return
    assert 0 < handshake.ping_interval < 2_200_000
    assert handshake.id
