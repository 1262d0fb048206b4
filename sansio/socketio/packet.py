"""Socket.IO packets: what they are, and what makes one valid.

This module knows no wire format: the JSON parser and the msgpack parser ask it the
same question before they hand a packet on (rules 43, 56 and 92).
"""

from __future__ import annotations

from enum import IntEnum
from sys import float_info
from typing import Any, Final

import msgspec

from ..errors import RemoteProtocolError

MAX_ID: Final = 2**53 - 1
"""The largest acknowledgement id: beyond it a JavaScript peer would round (protocol rule 45)."""

MAX_ARGUMENTS: Final = 1000
"""How many arguments one EVENT or ACK may have (security rule T2)."""

MAX_ATTACHMENTS: Final = 10
"""How many attachments a packet may have, unless configured (protocol rule 50)."""

MAX_ATTACHMENT_BYTES: Final = 10_000_000
"""How many bytes the attachments of a packet may have together (security rule T5)."""

RESERVED: Final = frozenset(
    {
        "connect",
        "connect_error",
        "disconnect",
        "disconnecting",
        "newListener",
        "removeListener",
    }
)
"""Event names that no peer may send: they belong to the lifecycle (protocol rules 43, 92)."""


class Type(IntEnum):
    """The packet types, by their digit on the wire (protocol rule 42)."""

    CONNECT = 0
    DISCONNECT = 1
    EVENT = 2
    ACK = 3
    CONNECT_ERROR = 4
    BINARY_EVENT = 5
    BINARY_ACK = 6


# `Type.EVENT` costs 65 ns on Python 3.11 (enum attributes go through a descriptor), a
# global 10 ns, and every packet is asked several times.
CONNECT, DISCONNECT, EVENT, ACK, CONNECT_ERROR, BINARY_EVENT, BINARY_ACK = Type


class Packet(msgspec.Struct, frozen=True):
    """One Socket.IO packet, whatever its wire format.

    `data` is for CONNECT the `auth` object (or None), for EVENT the list
    `[name, *arguments]`, for ACK the list of arguments, for CONNECT_ERROR an object (or a
    string), for DISCONNECT None. `id` is the acknowledgement id, None without one.

    BINARY_EVENT and BINARY_ACK are how the JSON wire format spells an EVENT or ACK with
    attachments. A decoder never returns them; an encoder takes them for EVENT and ACK.
    """

    # A msgspec Struct, because there is one for every packet: it is built in 0.05 us, a
    # frozen dataclass with slots in 0.47 us (Python 3.11).

    type: Type
    namespace: str = "/"
    data: Any = None
    id: int | None = None


def fault(packet: Packet) -> str | None:
    """Say what is wrong with `packet`, or None when it is valid.

    Stricter than the reference, which takes an EVENT or ACK without a payload and ignores
    an id where none belongs (protocol rules 43, 45 and 92, security rules T2, 3 and 17).
    """
    kind = packet.type
    data: object = packet.data
    shape = type(data)
    number = packet.id
    if packet.namespace != "/":
        wrong = namespace_fault(packet.namespace)
        if wrong is not None:
            return wrong
    if number is not None and (type(number) is not int or not 0 <= number <= MAX_ID):
        return "an acknowledgement id is an integer from 0 to 2**53 - 1"
    if kind is EVENT or kind is BINARY_EVENT:
        if shape is not list or not data:
            return "an EVENT carries a list that begins with its name"
        if len(packet.data) > MAX_ARGUMENTS + 1:
            return f"an EVENT has at most {MAX_ARGUMENTS} arguments"
        return _name_fault(packet.data[0])
    if kind is ACK or kind is BINARY_ACK:
        if shape is not list:
            return "an ACK carries a list"
        if len(packet.data) > MAX_ARGUMENTS:
            return f"an ACK has at most {MAX_ARGUMENTS} arguments"
        return "an ACK has an id" if number is None else None
    if number is not None:
        return "only EVENT and ACK have an id"
    if kind is CONNECT:
        return None if data is None or isinstance(data, dict) else "a CONNECT carries an object"
    if kind is DISCONNECT:
        return None if data is None else "a DISCONNECT carries nothing"
    if kind is CONNECT_ERROR:
        if isinstance(data, dict | str):
            return None
        return "a CONNECT_ERROR carries an object or a string"
    return "unknown packet type"


def validate(packet: Packet) -> None:
    """Refuse a received packet that is not valid.

    Raises RemoteProtocolError with what `fault` says.
    """
    wrong = fault(packet)
    if wrong is not None:
        raise RemoteProtocolError(wrong)


def namespace_fault(namespace: str) -> str | None:
    """Say why this is no name of a namespace, or None when it is one."""
    if not namespace.startswith("/"):
        return "a namespace begins with a slash"
    if "," in namespace:
        return "a namespace has no comma"
    if not namespace.isascii():
        try:
            namespace.encode()
        except UnicodeEncodeError:
            return "a namespace has no lone surrogate"
    return None


def _name_fault(name: object) -> str | None:
    if isinstance(name, str):
        return f"the event name {name!r} is reserved" if name in RESERVED else None
    if isinstance(name, int | float) and not isinstance(name, bool):
        # NaN compares false, and neither it nor an infinity has a form in JSON.
        return None if abs(name) <= float_info.max else "an event name is a finite number"
    return "an event name is a string (or a number)"
