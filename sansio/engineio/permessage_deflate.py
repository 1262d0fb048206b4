"""permessage-deflate (RFC 7692): what is agreed to, inflating within a bound, deflating.

Nobody takes a context over to the next message, so a compressed frame is the same for every
recipient, and an idle connection holds no state of zlib. wsproto's own extension knows no
bound: a thousandth of what a message may have would fill the memory (security rule 8).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from typing import Final, Protocol

from wsproto.extensions import Extension
from wsproto.frame_protocol import CloseReason, FrameDecoder, FrameProtocol, Opcode, RsvBits

NAME: Final = "permessage-deflate"
TAIL: Final = b"\x00\x00\xff\xff"
"""The end of a sync flush, which is left out on the wire (RFC 7692, section 7.2.1)."""

ENDINGS: Final = (b"", TAIL, b"\x00" + TAIL)
"""What may come behind a block that calls itself the last (RFC 7692, section 7.2.3.5)."""

# Possessive repeats never go back: what is scanned is scanned once (security rule 15).
TOKEN: Final = r"[-!#$%&'*+.^_`|~0-9A-Za-z]++"
PARAMETER: Final = re.compile(
    rf'[ \t]*+;[ \t]*+({TOKEN})(?:[ \t]*+=[ \t]*+(?:({TOKEN})|"({TOKEN})"))?+'
)
EXTENSION: Final = re.compile(
    rf'[ \t,]*+({TOKEN})((?:[ \t]*+;[ \t]*+{TOKEN}(?:[ \t]*+=[ \t]*+(?:{TOKEN}|"{TOKEN}"))?+)*+)'
    r"[ \t]*+(?:,|$)"
)
WINDOW_BITS: Final = tuple(str(bits) for bits in range(8, 16))


def negotiate(headers: Sequence[tuple[bytes, bytes]]) -> str | None:
    """What to answer as Sec-WebSocket-Extensions; None where nothing was offered that suits us.

    The first offer counts that we can keep; one with a parameter that is unknown, wrong or
    there twice is declined, as the RFC wants it (section 7.1).
    """
    values = [value for name, value in headers if name == b"sec-websocket-extensions"]
    offers = b",".join(values).decode("latin-1")
    at = 0
    while (extension := EXTENSION.match(offers, at)) is not None:
        at = extension.end()
        if extension[1] == NAME and (answer := accept(extension[2])) is not None:
            return answer
    return None


def accept(parameters: str) -> str | None:
    """The answer to one offer, or None for one that is declined."""
    answer = f"{NAME}; server_no_context_takeover; client_no_context_takeover"
    seen: dict[str, str | None] = {}
    for parameter in PARAMETER.finditer(parameters):
        name, value = parameter[1], parameter[2] or parameter[3]
        if name in seen:
            return None
        seen[name] = value
    for name, value in seen.items():
        if name in ("server_no_context_takeover", "client_no_context_takeover"):
            possible = value is None
        elif name == "client_max_window_bits":
            possible = value is None or value in WINDOW_BITS
        else:
            # A smaller window of ours would be a frame of its own for this client.
            possible = name == "server_max_window_bits" and value == "15"
            answer += "; server_max_window_bits=15"
        if not possible:
            return None
    return answer


def deflate(payload: bytes, level: int) -> bytes:
    """A message's payload as it goes out: the bare blocks, without the end of the flush."""
    compressor = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
    return (compressor.compress(payload) + compressor.flush(zlib.Z_SYNC_FLUSH))[: -len(TAIL)]


def longest(max_message: int) -> int:
    """How long a message of `max_message` bytes can get by being deflated badly."""
    return max_message + max_message // 8 + 64


class Inflater(Protocol):
    """The state of zlib for one message."""

    @property
    def unused_data(self) -> bytes:
        """What came behind the last block."""
        ...

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        """At most so many bytes of what comes out."""
        ...


class Inflate(Extension):
    """What wsproto does with compressed messages of clients, within `max_message` bytes each.

    zlib is never asked for more than what is left, and one byte to know of too much: it is
    told where to stop, not measured afterwards (security rules T4 and 8).
    """

    name = NAME

    def __init__(self, max_message: int) -> None:
        self._max_message = max_message
        self._room = max_message
        self._inflater: Inflater | None = None
        self._is_data = False
        self._unfinished = False

    def enabled(self) -> bool:
        """It has been agreed to, or it would not be here."""
        return True

    def offer(self) -> bool:
        """A server offers nothing."""
        return False

    def frame_inbound_header(
        self, proto: FrameDecoder | FrameProtocol, opcode: Opcode, rsv: RsvBits, payload_length: int
    ) -> CloseReason | RsvBits:
        """Whether the reserved bit of compression may be set: on a message's first frame only."""
        self._is_data = not opcode.iscontrol()
        first = opcode in (Opcode.TEXT, Opcode.BINARY)
        if first:
            if self._unfinished:
                # wsproto would see it later, and only if the payload can be inflated.
                return CloseReason.PROTOCOL_ERROR
            self._room = self._max_message
            self._inflater = zlib.decompressobj(-zlib.MAX_WBITS) if rsv.rsv1 else None
        return RsvBits(first, False, False)

    def frame_inbound_payload_data(
        self, proto: FrameDecoder | FrameProtocol, data: bytes
    ) -> bytes | CloseReason:
        """Inflate what has come of a frame."""
        return self._inflate(data) if self._is_data and self._inflater is not None else data

    def frame_inbound_complete(
        self, proto: FrameDecoder | FrameProtocol, fin: bool
    ) -> bytes | CloseReason | None:
        """Inflate what was left out at the end of the message."""
        if self._is_data:
            self._unfinished = not fin
        if not fin or not self._is_data or self._inflater is None:
            return None
        rest = self._inflate(TAIL)
        self._inflater = None
        return rest

    def _inflate(self, data: bytes) -> bytes | CloseReason:
        inflater = self._inflater
        assert inflater is not None
        try:
            inflated = inflater.decompress(data, self._room + 1)
        except zlib.error:
            return CloseReason.INVALID_FRAME_PAYLOAD_DATA
        self._room -= len(inflated)
        if self._room < 0:
            return CloseReason.MESSAGE_TOO_BIG
        if not any(ending.startswith(inflater.unused_data) for ending in ENDINGS):
            return CloseReason.INVALID_FRAME_PAYLOAD_DATA
        return inflated
