"""The default parser of Socket.IO: JSON text frames, and binary frames for attachments.

This module turns packets into frames; `json_decoder.py` turns frames into packets. Neither
knows Engine.IO, nor who is connected to which namespace.

The grammar is `<type>[<count>-][<namespace>,][<id>][JSON]` (protocol rule 41).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final, Protocol

from orjson import dumps as write

from ..engineio.encoded import Encoded
from ..engineio.websocket_frames import TEXT_HEADERS
from ..errors import LocalProtocolError
from ..handlers import check_plain
from .json import MAX_DEPTH, SHORT, Attachments, dumps
from .json_decoder import JsonDecoder, RevivingDecoder
from .json_hooks import Converted, Default, Revive
from .packet import (
    EVENT,
    MAX_ARGUMENTS,
    MAX_ATTACHMENT_BYTES,
    MAX_ATTACHMENTS,
    RESERVED,
    Packet,
    Type,
    fault,
)


class Decoder(Protocol):
    """What one connection receives, as packets."""

    @property
    def pending(self) -> bool:
        """Whether attachments of a packet are still awaited."""
        ...

    def feed(self, frame: str | bytes) -> Packet | None:
        """Take one message of the connection; return the packet that it completes, if any.

        Raises RemoteProtocolError for whatever is no valid packet, and for every frame
        after that (security rule 20).
        """
        ...


class Parser(Protocol):
    """A wire format: how packets become frames, and frames packets."""

    def encode(self, packet: Packet) -> list[str | bytes]:
        """Turn `packet` into the messages that carry it, in order.

        Raises LocalProtocolError for a packet that is not valid or cannot be carried.
        """
        ...

    def decoder(
        self,
        *,
        max_attachments: int = MAX_ATTACHMENTS,
        max_attachment_bytes: int = MAX_ATTACHMENT_BYTES,
    ) -> Decoder:
        """Return a decoder for one connection."""
        ...


def encode(packet: Packet, collector: Callable[[], Attachments] = Attachments) -> list[str | bytes]:
    """Turn `packet` into its header text and, after it, its attachments as bytes.

    The packet takes type 5 or 6 exactly when there is something binary in its data; only
    EVENT and ACK may have that (protocol rules 49, 51 and 53). `collector` makes what is asked
    about all that is not JSON.

    Raises LocalProtocolError for a packet that is not valid, and for data that JSON cannot
    carry (see `json.dumps`).
    """
    wrong = fault(packet)
    if wrong is not None:
        raise LocalProtocolError(wrong)
    attachments = collector()
    text = "" if packet.data is None else dumps(packet.data, attachments)
    # The commonest packet: 0.56 us in all with this shortcut, 0.64 us without.
    if packet.type is EVENT and packet.namespace == "/" and packet.id is None and not attachments:
        return ["2" + text]
    return [write_header(packet, len(attachments)) + text, *attachments]


class JsonParser:
    """The default parser, which may be told of values of the application's own.

    `default` is asked about each value in the data of a packet that is neither JSON's nor
    binary, and returns something that is, or holds more of the like; for what it does not
    know it raises TypeError. It may be asked twice about one value. `revive` is called with
    each object in the arguments of an event and of an acknowledgement, the innermost first,
    and what it returns takes the object's place. An object that it raises an exception for
    ends the connection: a client has sent what none of ours sends.

    What orjson writes by itself (datetime, UUID, Enum, dataclass) never comes to `default`.
    Raises TypeError for what is no plain function of one argument.
    """

    _collector: Callable[[], Attachments] = Attachments
    _revive: Revive | None = None

    def __init__(self, *, default: Default | None = None, revive: Revive | None = None) -> None:
        if default is not None:
            check_plain("default", default, 1)
            self._collector = lambda: Converted(default)
        if revive is not None:
            check_plain("revive", revive, 1)
            self._revive = revive

    def encode(self, packet: Packet) -> list[str | bytes]:
        """Turn `packet` into its frames; see `encode`."""
        return encode(packet, self._collector)

    def encode_plain(self, kind: Type, data: tuple[Any, ...], number: int | None) -> Encoded | None:
        """The MESSAGE packet of an EVENT or ACK of the main namespace; None to ask `encode`.

        It is None for whatever might be refused, or has attachments. `number` is the id, which
        an ACK must have.
        """
        # 0.35 us for a short event, 0.5 for an ACK; through a Packet and `encode`, 0.95 and 1.2
        # (CPython 3.11). test_parser_short.py holds the two equal.
        if kind is EVENT and (data[0].__class__ is not str or data[0] in RESERVED):
            return None
        try:
            text = write(data)
        except TypeError:
            return None
        # So many arguments, or levels, take more bytes.
        if len(text) > SHORT and (
            len(data) > MAX_ARGUMENTS or text.count(b"[") + text.count(b"{") > MAX_DEPTH
        ):
            return None
        # To find one byte takes 0.03 us, four of them 0.15.
        if b"-" in text and b"-0.0" in text:
            return None
        text = b"42" + text if number is None else b"4%d%d%b" % (kind, number, text)
        size = len(text)
        if size < 126:
            # Framed at once: most go by WebSocket.
            return Encoded(text, (), size, True, None, TEXT_HEADERS[size] + text)
        return Encoded(text, (), size)

    def decoder(
        self,
        *,
        max_attachments: int = MAX_ATTACHMENTS,
        max_attachment_bytes: int = MAX_ATTACHMENT_BYTES,
    ) -> JsonDecoder:
        """Return a decoder for one connection."""
        decoder = JsonDecoder if self._revive is None else partial(RevivingDecoder, self._revive)
        return decoder(max_attachments=max_attachments, max_attachment_bytes=max_attachment_bytes)


def write_header(packet: Packet, count: int) -> str:
    """Write what stands before the JSON of a valid packet with `count` attachments.

    Raises LocalProtocolError when there are attachments and the type may have none.
    """
    head, binary_head = _DIGITS[packet.type]
    if count:
        if binary_head is None:
            raise LocalProtocolError("only EVENT and ACK may carry binary data")
        head = f"{binary_head}{count}-"
    if packet.namespace != "/":
        head += packet.namespace + ","
    if packet.id is not None:
        head += str(packet.id)
    return head


# A packet's type, as the index, to its digit without attachments and with them.
_DIGITS: Final = (
    ("0", None),
    ("1", None),
    ("2", "5"),
    ("3", "6"),
    ("4", None),
    ("2", "5"),
    ("3", "6"),
)
