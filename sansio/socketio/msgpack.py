"""The msgpack parser of Socket.IO: one binary frame for every packet.

This module turns packets into frames and frames into packets, as the npm package
socket.io-msgpack-parser does; it knows neither Engine.IO nor who is connected. A frame is
a map with the keys `type`, `nsp`, and where there is something to say `data` and `id`
(protocol rule 56). Binary data travels as it is, so types 5 and 6 are refused.

The npm package writes some values in ways of its own, as extensions of type 0: undefined
(one byte), a Date (eight bytes, milliseconds since 1970) and an ArrayBuffer. They are read
as None, as a datetime in UTC and as bytes; a datetime is written as such a Date. A packet
without data has no key `data` here; `undefined` and nil (which python-socketio writes) are
read as the same.

Stricter than the npm package (protocol rules 43, 45, 53 and 92, security rules T2 and 17):
reserved event names, event names that are neither string nor number, namespaces that the
JSON parser could not carry, ids on other types than EVENT and ACK, ids that are negative or
beyond 2**53 - 1, keys that are no strings, other extensions than these and the standard
timestamp, binary data outside of EVENT and ACK, invalid UTF-8, and more than 128 levels.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from sys import float_info
from typing import Any, Final, cast

import msgspec

from ..errors import LocalProtocolError, RemoteProtocolError
from .json import BINARY, MAX_DEPTH, Value, plain
from .packet import (
    ACK,
    BINARY_ACK,
    BINARY_EVENT,
    EVENT,
    MAX_ATTACHMENT_BYTES,
    MAX_ATTACHMENTS,
    Packet,
    Type,
    fault,
    validate,
)


class MsgpackParser:
    """The parser that a server and its clients may agree on instead of the default one."""

    def encode(self, packet: Packet) -> list[str | bytes]:
        """Turn `packet` into its one frame.

        An integer beyond 64 bits is written as a double, a datetime in whole milliseconds.

        Raises LocalProtocolError for a packet that is not valid, for binary data outside of
        EVENT and ACK, and for data that has no form here: keys that are not strings, lone
        surrogates, a datetime without a time zone, other objects, over 128 levels.
        """
        wrong = fault(packet)
        if wrong is not None:
            raise LocalProtocolError(wrong)
        kind = _WRITTEN[packet.type]
        leaf = _leaf if kind in _CARRIERS else _leaf_of_text
        data = plain(packet.data, leaf)
        frame = _Frame(type=kind, data=data, nsp=packet.namespace, id=packet.id)
        try:
            return [_ENCODER.encode(frame)]
        except UnicodeEncodeError as error:
            raise LocalProtocolError(f"msgpack has no form for text like this: {error}") from error

    def decoder(
        self,
        *,
        max_attachments: int = MAX_ATTACHMENTS,
        max_attachment_bytes: int = MAX_ATTACHMENT_BYTES,
    ) -> MsgpackDecoder:
        """Return a decoder for one connection; msgpack has no attachments to bound."""
        return MsgpackDecoder()


class MsgpackDecoder:
    """What one connection receives, as packets."""

    __slots__ = ("_failed",)

    def __init__(self) -> None:
        self._failed = False

    @property
    def pending(self) -> bool:
        """Whether attachments are awaited: never, a packet is one frame."""
        return False

    def feed(self, frame: str | bytes) -> Packet:
        """Take one message of the connection; return the packet that it is.

        Raises RemoteProtocolError for a text, for whatever is no valid packet, and for
        every frame after that (security rule 20).
        """
        if self._failed:
            raise RemoteProtocolError("a frame after one that was no valid packet")
        try:
            if isinstance(frame, str):
                raise RemoteProtocolError("a text where msgpack was expected")
            return _decode(frame)
        except RemoteProtocolError:
            self._failed = True
            raise


class _Frame(msgspec.Struct, omit_defaults=True, kw_only=True):
    """What is on the wire, its keys in the npm package's order; other keys are ignored."""

    type: Type
    data: Any = None
    nsp: str
    id: Any = None


# What a packet of each type is written as, by the type as index.
_WRITTEN: Final = (*list(Type)[:5], EVENT, ACK)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)

# The npm package's own extensions share one type, and some share their length too.
_EXTENSION: Final = 0

_NATIVE: Final = frozenset({type(None), bool, str, float, bytes})


def _leaf(thing: Any) -> object:
    """Turn one value into what msgspec writes as the npm package would."""
    if type(thing) in _NATIVE:
        return thing
    if isinstance(thing, str):
        return str.__str__(thing)
    if isinstance(thing, int):
        return int(thing) if -(2**63) <= thing < 2**64 else _double(thing)
    if isinstance(thing, float):
        return float(thing)
    if isinstance(thing, datetime):
        return _date(thing)
    if issubclass(type(thing), BINARY):
        return _copy(thing)
    raise LocalProtocolError(f"{type(thing).__name__} has no form in msgpack")


def _leaf_of_text(thing: Any) -> object:
    if issubclass(type(thing), BINARY):
        raise LocalProtocolError("only EVENT and ACK may carry binary data")
    return _leaf(thing)


def _double(thing: int) -> float:
    if abs(thing) > float_info.max:
        raise LocalProtocolError("an integer beyond every double")
    return float(thing)


def _date(thing: datetime) -> msgspec.msgpack.Ext:
    if thing.utcoffset() is None:
        raise LocalProtocolError("a datetime without a time zone")
    milliseconds = (thing - _EPOCH) // _MILLISECOND
    return msgspec.msgpack.Ext(_EXTENSION, milliseconds.to_bytes(8, "big", signed=True))


def _copy(thing: bytes | bytearray | memoryview) -> bytes:
    try:
        return bytes(thing)
    except ValueError as error:
        raise LocalProtocolError(f"binary data that cannot be read: {error}") from error


_ENCODER: Final = msgspec.msgpack.Encoder()


def _decode(message: bytes) -> Packet:
    try:
        try:
            frame = _DECODER.decode(message)
        except _Ambiguous:
            frame = _MARKED_DECODER.decode(_mark(message))
    except (msgspec.MsgspecError, ValueError, TypeError, RecursionError) as error:
        # Before msgspec 0.22 a map as a key is a TypeError, before 0.21 its own errors are no
        # ValueError; invalid UTF-8 always is one.
        raise RemoteProtocolError(f"invalid msgpack: {error}") from error
    if frame.type is BINARY_EVENT or frame.type is BINARY_ACK:
        raise RemoteProtocolError("a packet type that msgpack does not use")
    packet = Packet(frame.type, frame.nsp, frame.data, frame.id)
    validate(packet)
    _check(packet.data, binary=frame.type is EVENT or frame.type is ACK)
    return packet


def _check(data: Value, *, binary: bool) -> None:
    """Refuse data that nests too deep, has keys that are not strings, or bytes unasked."""
    level: list[dict[str, Value] | list[Value]] = [[data]]
    for _ in range(MAX_DEPTH + 1):
        inner: list[dict[str, Value] | list[Value]] = []
        for node in level:
            if type(node) is dict:
                for key in cast("Iterable[object]", node):
                    if type(key) is not str:
                        raise RemoteProtocolError("a key that is not a string")
            for child in node.values() if type(node) is dict else node:
                if type(child) is dict or type(child) is list:
                    inner.append(child)
                elif type(child) is bytes and not binary:
                    raise RemoteProtocolError("only EVENT and ACK may carry binary data")
        if not inner:
            return
        level = inner
    raise RemoteProtocolError(f"msgpack nested deeper than {MAX_DEPTH} levels")


class _Ambiguous(Exception):
    """An extension that undefined or a Date may be, or an ArrayBuffer of the same length."""


# The types that `_mark` gives to the two, so that the length no longer has to tell.
_UNDEFINED: Final = 1
_DATE: Final = 2


def _extension(code: int, data: memoryview) -> bytes:
    """Read an extension of the peer's, called by msgspec for all but standard timestamps."""
    if code != _EXTENSION:
        raise RemoteProtocolError(f"an extension of the unknown type {code}")
    if len(data) in (1, 8):
        raise _Ambiguous
    return bytes(data)


def _marked_extension(code: int, data: memoryview) -> bytes | datetime | None:
    """Read an extension of a message that went through `_mark`."""
    if code == _EXTENSION:
        return bytes(data)
    if code == _UNDEFINED:
        return None
    try:
        return _EPOCH + int.from_bytes(data, "big", signed=True) * _MILLISECOND
    except OverflowError as error:
        raise RemoteProtocolError("a Date beyond the year 9999") from error


def _mark(message: bytes) -> bytearray:
    """Give undefined and Dates extension types of their own, in a copy of `message`.

    They are told from an ArrayBuffer by their first byte alone, which msgspec does not
    pass on. Broken messages are left for msgspec to refuse.
    """
    marked = bytearray(message)
    at = _skip(message, 0)
    while at < len(message):
        first = message[at]
        width = _LENGTH_FIELDS.get(first, 0)
        if first in _EXTENSIONS:
            code = message[at + 1 + width : at + 2 + width]
            if code == b"\x00" and first in _MARKS:
                marked[at + 1] = _MARKS[first]
            elif code not in (b"\x00", b"\xff"):
                raise RemoteProtocolError("an extension of an unknown type")
        at += 1 + _SIZES[first] + int.from_bytes(message[at + 1 : at + 1 + width], "big")
        at = _skip(message, at)
    return marked


def _skip(message: bytes, at: int) -> int:
    """Find the end of the run of values, from `at` on, that `_run_of_known_size` is about."""
    run = _OF_KNOWN_SIZE.match(message, at)
    return run.end() if run else at


# The first byte of undefined and of a Date, to the type that they get.
_MARKS: Final = {0xD4: _UNDEFINED, 0xD7: _DATE}

_EXTENSIONS: Final = frozenset({0xC7, 0xC8, 0xC9, 0xD4, 0xD5, 0xD6, 0xD7, 0xD8})

# The first byte of bin, ext and str, to the width of the length that follows.
_LENGTH_FIELDS: Final = {
    0xC4: 1, 0xC5: 2, 0xC6: 4,
    0xC7: 1, 0xC8: 2, 0xC9: 4,
    0xD9: 1, 0xDA: 2, 0xDB: 4,
}  # fmt: skip

# The first byte of any value, to how much follows it, without what a length field counts
# and without the items of lists and maps.
_SIZES: Final = (
    *[0] * 0xA0,  # small integers, maps and lists
    *range(0x20),  # short strings
    0, 0, 0, 0,  # nil, (unused), false, true
    1, 2, 4,  # bin
    2, 3, 5,  # ext
    4, 8,  # floats
    1, 2, 4, 8,  # unsigned integers
    1, 2, 4, 8,  # signed integers
    2, 3, 5, 9, 17,  # ext of fixed lengths
    1, 2, 4,  # str
    2, 4,  # lists
    2, 4,  # maps
    *[0] * 0x20,  # small negative integers
)  # fmt: skip


def _run_of_known_size() -> re.Pattern[bytes]:
    """Make the expression for the longest run of values that their first byte measures.

    Each alternative begins with bytes of its own, so nothing is ever tried twice; it takes
    the steps of `_mark` for the bulk of a message (0.02 us a value, one of those 0.6 us).
    """
    starts: dict[int, list[int]] = {}
    for first, size in enumerate(_SIZES):
        if first not in _EXTENSIONS and first not in _LENGTH_FIELDS:
            starts.setdefault(size, []).append(first)
    kinds = (b"[%b].{%d}" % (re.escape(bytes(first)), size) for size, first in starts.items())
    return re.compile(b"(?:%b)*+" % b"|".join(kinds), re.DOTALL)


_OF_KNOWN_SIZE: Final = _run_of_known_size()

_CARRIERS: Final = (EVENT, ACK)
_DECODER: Final = msgspec.msgpack.Decoder(_Frame, ext_hook=_extension)
_MARKED_DECODER: Final = msgspec.msgpack.Decoder(_Frame, ext_hook=_marked_extension)
