"""Engine.IO packets and payloads, read and written.

What a packet means is not decided here. Engine.IO protocol, revision 4, sections
"Packet encoding" and "Payload encoding".
"""

from __future__ import annotations

import binascii
from collections.abc import Iterable
from enum import IntEnum
from typing import Final

import msgspec

from ..errors import LocalProtocolError, RemoteProtocolError

SEPARATOR: Final = "\x1e"


class Type(IntEnum):
    """The type of a packet: its first character on the wire."""

    OPEN = 0
    CLOSE = 1
    PING = 2
    PONG = 3
    MESSAGE = 4
    UPGRADE = 5
    NOOP = 6


class Packet(msgspec.Struct, frozen=True):
    """One packet; only a MESSAGE may have `bytes` as its data."""

    type: Type
    data: str | bytes = ""


# Told by the character itself: str.isdigit and int take digits of other scripts (rule 15).
TYPES: Final = {str(int(kind)): kind for kind in Type}


def encode_packet(packet: Packet) -> str | bytes:
    """The packet as one WebSocket message: text, or the bare bytes (rule 10).

    Raises LocalProtocolError for bytes in a packet that is no MESSAGE.
    """
    if isinstance(packet.data, str):
        return f"{packet.type:d}{packet.data}"
    if packet.type is not Type.MESSAGE:
        raise LocalProtocolError(f"a packet of type {packet.type.name} cannot carry bytes")
    return packet.data


def decode_packet(data: str | bytes) -> Packet:
    """Read one packet, in its WebSocket or its polling form.

    Raises RemoteProtocolError for an empty text, an unknown type (only the ASCII
    digits 0 to 6 are types, rule 15) or base64 that is not canonical (rule 10).
    """
    if isinstance(data, bytes):
        return Packet(Type.MESSAGE, data)
    kind = TYPES.get(data[:1])
    if kind is not None:
        return Packet(kind, data[1:])
    if data[:1] != "b":
        raise RemoteProtocolError(f"unknown packet type {data[:1]!a}")
    try:
        content = binascii.a2b_base64(data[1:])
    except ValueError as error:
        raise RemoteProtocolError("malformed base64 in a packet") from error
    # The decoder passes over what is no base64, even in its strict mode over some of it.
    if base64_form(content) != data:
        raise RemoteProtocolError("base64 in a packet is not canonical")
    return Packet(Type.MESSAGE, content)


def encode_payload(packets: Iterable[Packet]) -> str:
    """The packets as the body of one polling request or answer (rule 9).

    Raises LocalProtocolError for no packets at all, and for text with the
    separator in it: the payload has no escape for it.
    """
    parts = [polling_form(packet) for packet in packets]
    if not parts:
        raise LocalProtocolError("a payload has at least one packet")
    return SEPARATOR.join(parts)


def decode_payload(text: str) -> list[Packet]:
    """Read the body of a polling request or answer, whole or not at all (rule 94).

    Raises RemoteProtocolError for any packet that `decode_packet` refuses; an
    empty payload has one empty packet and is refused so (rule 12).
    """
    return [decode_packet(part) for part in text.split(SEPARATOR)]


def polling_form(packet: Packet) -> str:
    """One packet as it stands in a payload: text, or `b` and base64 (rule 10)."""
    data = encode_packet(packet)
    if isinstance(data, bytes):
        return base64_form(data)
    if SEPARATOR in data:
        raise LocalProtocolError("text with U+001E in it cannot travel by polling")
    return data


def base64_form(data: bytes) -> str:
    """A binary message as text (rule 10)."""
    return "b" + binascii.b2a_base64(data, newline=False).decode("ascii")
