"""What the default parser reads: JSON text frames, and binary frames for attachments.

This module turns frames into packets. It knows neither Engine.IO nor who is connected to
which namespace. How long an attachment may stay pending is for whoever owns the clock.

The grammar is `<type>[<count>-][<namespace>,][<id>][JSON]` (protocol rule 41). Where the
reference reads loosely, this decoder refuses, so that no two readers can see two different
packets in one text (protocol rules 14 and 41 to 54, security rules 3, T5, 14, T16, 18):

- an empty text or a leading blank, which the reference takes for a CONNECT;
- an EVENT, ACK or CONNECT_ERROR without a payload, and an ACK without an id;
- an id on any other type, blanks as digits of an id, an id of more than 16 digits or
  beyond 2**53 - 1;
- blanks before the JSON;
- signs, blanks, exponents, hexadecimals, leading zeros and zero itself as the count of
  attachments;
- a placeholder whose index is no integer (0.5, true), or is used twice or never, a
  placeholder with further keys, and a type 5 or 6 with too few placeholders;
- JSON nested deeper than 128 levels, numbers beyond a double, over 1,000 arguments.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

from orjson import loads as read

from ..errors import RemoteProtocolError
from .json import PLACEHOLDER, SHORT, Value, loads
from .json_hooks import Revive, revived
from .packet import (
    ACK,
    CONNECT,
    CONNECT_ERROR,
    DISCONNECT,
    EVENT,
    MAX_ATTACHMENT_BYTES,
    MAX_ATTACHMENTS,
    RESERVED,
    Packet,
    Type,
    validate,
)

# A list or dictionary, and the index or key in it where an attachment belongs.
_Place: TypeAlias = tuple[Any, Any]


def read_short_event(text: bytes) -> list[Any] | None:
    """The name and the arguments of an event of the main namespace; None to ask a decoder.

    `text` begins with the `4` of Engine.IO and has less than 256 bytes. What comes out is what
    `JsonDecoder.feed` reads of the rest, where it is between two packets; None is for whatever
    asks for an acknowledgement, has attachments, or is no event.
    """
    # 0.2 us, and 0.6 us by way of text and `feed` (CPython 3.11). test_json_decoder.py holds the
    # two equal.
    if text[:3] != b"42[":
        return None
    try:
        data: list[Any] = read(text[2:])
    except ValueError:
        return None
    return data if data and data[0].__class__ is str and data[0] not in RESERVED else None


def read_short_question(text: bytes) -> tuple[list[Any], int] | None:
    """The same of an event that asks for an acknowledgement, and the number of that."""
    # So many digits are no number that is too large.
    start = text.find(b"[", 3, 2 + _FEW_DIGITS)
    if start < 0 or not (digits := text[2:start]).isdigit():
        return None
    data = read_short_event(b"42" + text[start:])
    return None if data is None or text[:2] != b"42" else (data, int(digits))


class JsonDecoder:
    """What one connection receives, as packets.

    `max_attachments` and `max_attachment_bytes` (bytes, all attachments of a packet
    together) bound what a packet may have. EVENT and ACK packets with attachments come out
    as EVENT and ACK, with `bytes` in the places of the placeholders.
    """

    __slots__ = (
        "_failed",
        "_max_attachment_bytes",
        "_max_attachments",
        "_packet",
        "_places",
        "_ready",
        "_room",
    )

    def __init__(
        self,
        *,
        max_attachments: int = MAX_ATTACHMENTS,
        max_attachment_bytes: int = MAX_ATTACHMENT_BYTES,
    ) -> None:
        self._max_attachments = max_attachments
        self._max_attachment_bytes = max_attachment_bytes
        self._packet: Packet | None = None
        self._places: list[_Place] = []  # of what is still awaited, the next one last
        self._room = 0
        self._failed = False
        self._ready = True
        """Whether the next frame may begin a packet."""

    @property
    def pending(self) -> bool:
        """Whether attachments of a packet are still awaited."""
        return self._packet is not None

    def feed(self, frame: str | bytes) -> Packet | None:
        """Take one message of the connection; return the packet that it completes, if any.

        Raises RemoteProtocolError for whatever is no valid packet, for a text while
        attachments are awaited, for bytes while none are (security rule T16), and for every
        frame after an error (security rule 20).
        """
        # The commonest packet: an event of the main namespace, short and without attachments.
        # 0.4 us so, and 0.7 us by the way below (CPython 3.11), which judges what is refused
        # here; with an id 0.7 and 1.2. test_json_decoder.py holds the two equal.
        if self._ready and len(frame) <= SHORT:
            start, number = 0, None
            if frame[:2] == "2[":
                start = 1
            elif type(frame) is str and frame[:1] == "2":
                # So many digits are no number that is too large.
                end = frame.find("[", 2, 2 + _FEW_DIGITS)
                if end > 0 and (digits := frame[1:end]).isdecimal() and digits.isascii():
                    start, number = end, int(digits)
            if start:
                try:
                    data = read(frame[start:])
                except ValueError:
                    data = None
                if data and data[0].__class__ is str and data[0] not in RESERVED:
                    return Packet(EVENT, "/", data, number)
            elif frame == "0":  # what most clients begin with
                return Packet(CONNECT)
        if self._failed:
            raise RemoteProtocolError("a frame after one that was no valid packet")
        try:
            if isinstance(frame, str):
                return self._text(frame)
            return self._attachment(frame)
        except RemoteProtocolError:
            self._fail()
            raise

    def _fail(self) -> None:
        self._failed = True
        self._ready = False
        self._packet = None
        self._places = []

    def _text(self, text: str) -> Packet | None:
        if self._packet is not None:
            raise RemoteProtocolError("a text while attachments are awaited")
        # The commonest header, told in 0.05 us; `read_header` takes 0.4 us for it.
        if text.startswith("2["):
            kind, count, namespace, number, payload = EVENT, 0, "/", None, text[1:]
        else:
            kind, count, namespace, number, payload = read_header(text, self._max_attachments)
        data = loads(payload) if payload else None
        packet = Packet(kind, namespace, data, number)
        validate(packet)
        if count:
            self._places = find_placeholders(packet.data, count)
            self._places.reverse()
            self._room = self._max_attachment_bytes
            self._packet = packet
            self._ready = False
            return None
        return packet

    def _attachment(self, data: bytes) -> Packet | None:
        packet = self._packet
        if packet is None:
            raise RemoteProtocolError("an attachment that no packet announced")
        self._room -= len(data)
        if self._room < 0:
            raise RemoteProtocolError(
                f"attachments of more than {self._max_attachment_bytes} bytes",
                status=413,
                close_code=1009,
            )
        node, key = self._places.pop()
        node[key] = bytes(data)
        if self._places:
            return None
        self._packet = None
        self._ready = True
        return packet


class RevivingDecoder(JsonDecoder):
    """The same, with the application's objects in the arguments of its packets."""

    __slots__ = ("_revive",)

    def __init__(self, revive: Revive, *, max_attachments: int, max_attachment_bytes: int) -> None:
        super().__init__(max_attachments=max_attachments, max_attachment_bytes=max_attachment_bytes)
        self._revive = revive

    def feed(self, frame: str | bytes) -> Packet | None:
        """As in `JsonDecoder`; attachments are in their places before anything is revived."""
        packet = super().feed(frame)
        if packet is not None and packet.type in (EVENT, ACK):
            try:
                revived(packet.data, self._revive)
            except RemoteProtocolError:
                self._fail()
                raise
        return packet


def read_header(text: str, max_attachments: int) -> tuple[Type, int, str, int | None, str]:
    """Split a text into type, count of attachments, namespace, id, and its JSON.

    Raises RemoteProtocolError when `text` does not begin with a header, or when its JSON
    cannot be what the type asks for. Digits are told by comparison with the ten ASCII ones,
    and no number is made of digits before their count is known to be small (security rules
    3 and 18).
    """
    wire_type = _TYPES.get(text[:1])
    if wire_type is None:
        raise RemoteProtocolError("no packet type at the start of a text")
    kind, binary, openings = wire_type
    at = 1
    count = 0
    if binary:
        end = _end_of_digits(text, at, len(str(max_attachments)))
        if end == at or text[at] == "0" or text[end : end + 1] != "-":
            raise RemoteProtocolError("the count of attachments is no number from 1")
        count = int(text[at:end])
        if count > max_attachments:
            raise RemoteProtocolError(f"more than {max_attachments} attachments")
        at = end + 1
    namespace = "/"
    if text.startswith("/", at):
        comma = text.find(",", at)
        # At the end of a packet the comma may be missing.
        end = len(text) if comma < 0 else comma
        namespace = text[at:end]
        at = end if comma < 0 else end + 1
    number = None
    end = _end_of_digits(text, at, _ID_DIGITS)
    if end > at:
        if end - at > _ID_DIGITS:
            raise RemoteProtocolError(f"an id of more than {_ID_DIGITS} digits")
        number = int(text[at:end])
    payload = text[end:]
    if payload and payload[0] not in openings:
        raise RemoteProtocolError(f"not the payload of a packet of type {kind:d}")
    return kind, count, namespace, number, payload


def _end_of_digits(text: str, start: int, most: int) -> int:
    """Find where the digits from `start` end, or at least that they are more than `most`."""
    end = start
    while end - start <= most and text[end : end + 1] in _ASCII_DIGITS:
        end += 1
    return end


def find_placeholders(data: list[Value], count: int) -> list[_Place]:
    """Find where in `data` the attachments belong, in the order of their indices.

    Raises RemoteProtocolError unless each index from 0 to `count - 1` is used exactly once
    (security rules 14 and T16). Goes through `data` without recursion.
    """
    places: list[_Place | None] = [None] * count
    nodes: list[dict[str, Value] | list[Value]] = [data]
    while nodes:
        node = nodes.pop()
        for key, child in node.items() if type(node) is dict else enumerate(node):
            if type(child) is dict and child.get(PLACEHOLDER) is True:
                index = child.get("num")
                if type(index) is not int or not 0 <= index < count or len(child) != 2:
                    raise RemoteProtocolError("a placeholder that is none of those announced")
                if places[index] is not None:
                    raise RemoteProtocolError("an attachment with two placeholders")
                places[index] = (node, key)
            elif type(child) is dict or type(child) is list:
                nodes.append(child)
    found = [place for place in places if place is not None]
    if len(found) != count:
        raise RemoteProtocolError("an attachment without a placeholder")
    return found


_ID_DIGITS: Final = 16
_FEW_DIGITS: Final = 15
_ASCII_DIGITS: Final = frozenset("0123456789")

# The digit of a type to what it means, whether a count of attachments follows, and what
# its JSON may begin with: never a blank, and never the n of null.
_TYPES: Final = {
    "0": (CONNECT, False, "{"),
    "1": (DISCONNECT, False, ""),
    "2": (EVENT, False, "["),
    "3": (ACK, False, "["),
    "4": (CONNECT_ERROR, False, '{"'),
    "5": (EVENT, True, "["),
    "6": (ACK, True, "["),
}
