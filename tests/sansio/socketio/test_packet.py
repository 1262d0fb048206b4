"""What makes a packet valid (protocol rules 42, 43, 45, 92; security rules T2, 3, 17)."""

from __future__ import annotations

from enum import StrEnum
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sansocket.sansio.errors import RemoteProtocolError
from sansocket.sansio.socketio.packet import (
    MAX_ARGUMENTS,
    MAX_ID,
    RESERVED,
    Packet,
    Type,
    fault,
    validate,
)


class Name(StrEnum):
    """Event names as an application may keep them."""

    HELLO = "hello"
    GONE = "disconnect"


VALID = [
    Packet(Type.CONNECT),
    Packet(Type.CONNECT, "/admin", {"token": "x"}),
    Packet(Type.DISCONNECT, "/admin"),
    Packet(Type.EVENT, "/", ["hello"]),
    Packet(Type.EVENT, "/é?a=1", ["hello", 1, {"a": None}], 0),
    Packet(Type.EVENT, "/", ["error"]),
    Packet(Type.EVENT, "/", ["message"], MAX_ID),
    Packet(Type.EVENT, "/", [""]),
    Packet(Type.EVENT, "/", [Name.HELLO]),
    Packet(Type.EVENT, "/", [5]),
    Packet(Type.EVENT, "/", [-1.5]),
    Packet(Type.EVENT, "/", ["full", *range(MAX_ARGUMENTS)]),
    Packet(Type.BINARY_EVENT, "/", ["hello", b""]),
    Packet(Type.ACK, "/", [], 0),
    Packet(Type.ACK, "/", ["connect"], 12),
    Packet(Type.ACK, "/", list(range(MAX_ARGUMENTS)), 12),
    Packet(Type.BINARY_ACK, "/", [b""], 0),
    Packet(Type.CONNECT_ERROR, "/", {"message": "no"}),
    Packet(Type.CONNECT_ERROR, "/", "no"),
]

INVALID = [
    # rule 43, and stricter than it where a payload is missing
    (Packet(Type.CONNECT, data=[]), "object"),
    (Packet(Type.CONNECT, data="x"), "object"),
    (Packet(Type.DISCONNECT, data={}), "nothing"),
    (Packet(Type.EVENT), "list"),
    (Packet(Type.EVENT, data=[]), "list"),
    (Packet(Type.EVENT, data={}), "list"),
    (Packet(Type.EVENT, data=("a",)), "list"),
    (Packet(Type.ACK, id=1), "list"),
    (Packet(Type.ACK, data={}, id=1), "list"),
    (Packet(Type.ACK, data=[]), "id"),
    (Packet(Type.CONNECT_ERROR), "object or a string"),
    (Packet(Type.CONNECT_ERROR, data=[]), "object or a string"),
    # rule 43 and security rule 17: the name
    (Packet(Type.EVENT, data=[None]), "name"),
    (Packet(Type.EVENT, data=[True]), "name"),
    (Packet(Type.EVENT, data=[["a"]]), "name"),
    (Packet(Type.EVENT, data=[b"a"]), "name"),
    (Packet(Type.EVENT, data=[float("nan")]), "finite"),
    (Packet(Type.EVENT, data=[float("inf")]), "finite"),
    (Packet(Type.EVENT, data=[10**400]), "finite"),
    (Packet(Type.EVENT, data=[Name.GONE]), "reserved"),
    # security rule T2
    (Packet(Type.EVENT, data=["full", *range(MAX_ARGUMENTS + 1)]), "arguments"),
    (Packet(Type.ACK, data=list(range(MAX_ARGUMENTS + 1)), id=1), "arguments"),
    # rule 45
    (Packet(Type.EVENT, data=["a"], id=-1), "id"),
    (Packet(Type.EVENT, data=["a"], id=MAX_ID + 1), "id"),
    (Packet(Type.EVENT, data=["a"], id=True), "id"),
    (Packet(Type.CONNECT, id=0), "id"),
    (Packet(Type.DISCONNECT, id=0), "id"),
    (Packet(Type.CONNECT_ERROR, data={}, id=0), "id"),
    # rule 41: what the text could not carry
    (Packet(Type.CONNECT, ""), "slash"),
    (Packet(Type.CONNECT, "admin"), "slash"),
    (Packet(Type.CONNECT, "/a,b"), "comma"),
    (Packet(Type.CONNECT, "/\ud800"), "surrogate"),
]


def test_types_by_their_digit() -> None:
    """Protocol rule 42."""
    assert [kind.name for kind in Type] == [
        "CONNECT",
        "DISCONNECT",
        "EVENT",
        "ACK",
        "CONNECT_ERROR",
        "BINARY_EVENT",
        "BINARY_ACK",
    ]
    assert list(Type) == [0, 1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("packet", VALID, ids=ascii)
def test_valid(packet: Packet) -> None:
    assert fault(packet) is None
    validate(packet)


@pytest.mark.parametrize(("packet", "words"), INVALID)
def test_invalid(packet: Packet, words: str) -> None:
    assert words in (fault(packet) or "")
    with pytest.raises(RemoteProtocolError, match=words):
        validate(packet)


def test_lifecycle_names_are_reserved() -> None:
    """Protocol rules 43 and 92, security rule 17."""
    names = "connect connect_error disconnect disconnecting newListener removeListener"
    assert set(names.split()) == RESERVED
    for name in RESERVED:
        for kind in (Type.EVENT, Type.BINARY_EVENT):
            with pytest.raises(RemoteProtocolError, match="reserved"):
                validate(Packet(kind, data=[name]))


def test_a_type_that_is_none() -> None:
    assert fault(Packet(cast("Type", 7))) == "unknown packet type"


@given(st.sampled_from(Type), st.text(), st.from_type(object), st.none() | st.integers())
def test_any_packet_is_judged(kind: Type, namespace: str, data: object, number: int | None) -> None:
    """Security rule T2: whatever the values, the answer is words, never an exception."""
    assert isinstance(fault(Packet(kind, namespace, data, number)), str | None)


def test_packets_are_values() -> None:
    packet = Packet(Type.EVENT, data=["a"])
    assert packet == Packet(Type.EVENT, "/", ["a"], None)
    for field in Packet.__struct_fields__:
        with pytest.raises(AttributeError):
            setattr(packet, field, None)
