"""One message in the forms that it takes on the wire, each made at most once.

A broadcast hands the same object to every recipient's outbox. The forms are kept
apart: one cache for both would send base64 over WebSocket, or bytes into a polling
payload, as soon as a room mixes the two transports (rule 76).
"""

from __future__ import annotations

import binascii
from collections.abc import Iterator, Sequence

import msgspec

from ..config import PerMessageDeflate
from ..errors import LocalProtocolError
from .packet import Packet, Type, decode_packet
from .permessage_deflate import deflate
from .websocket_frames import frame

TEXT, BINARY = 0x1, 0x2


class Encoded(msgspec.Struct, gc=False, eq=False):
    """A text packet, binary packets, or a text packet and its attachments.

    They travel together: nothing can come between a Socket.IO header and its
    attachments (rule 49). `size` is in bytes and is what the bounds of an outbox
    count; base64 makes the polling form up to a third larger.
    """

    # A msgspec Struct, because there is one for every message: it is built in 0.1 us, a class
    # of our own with slots in 0.3 us (CPython 3.11).

    text: bytes | None
    attachments: Sequence[bytes]
    size: int
    compress: bool = True
    """Whether it may be compressed where the transport can do so."""
    polling_form: bytes | None = None
    websocket_form: bytes | None = None
    deflated_form: bytes | None = None

    @property
    def polling(self) -> bytes:
        """The packets as they stand in a payload, joined by the separator."""
        if self.polling_form is None:
            parts = [b"b" + binascii.b2a_base64(data, newline=False) for data in self.attachments]
            if self.text is not None:
                parts.insert(0, self.text)
            self.polling_form = b"\x1e".join(parts)
        return self.polling_form

    @property
    def websocket(self) -> bytes:
        """The packets as whole server frames: unmasked, so the same bytes do for everyone."""
        if self.websocket_form is None:
            frames = b"" if self.text is None else frame(TEXT, self.text)
            if self.attachments:
                frames += b"".join(frame(BINARY, data) for data in self.attachments)
            self.websocket_form = frames
        return self.websocket_form

    def deflated(self, options: PerMessageDeflate) -> bytes:
        """The same for those who have agreed to permessage-deflate: one form for all of them.

        It is `websocket` itself where no packet has `threshold` bytes, or none gets shorter.
        `options` are those of the server, the same at every call.
        """
        if self.deflated_form is None:
            self.deflated_form = self.websocket
            if self.compress and self.size >= options.threshold:
                frames = b"".join(deflated_frame(*packet, options) for packet in self._packets())
                if len(frames) < len(self.deflated_form):
                    self.deflated_form = frames
        return self.deflated_form

    @property
    def packets(self) -> list[Packet]:
        """The packets, as an observer gets to see them."""
        return [
            decode_packet(data.decode() if opcode == TEXT else data)
            for opcode, data in self._packets()
        ]

    def _packets(self) -> Iterator[tuple[int, bytes]]:
        if self.text is not None:
            yield TEXT, self.text
        for data in self.attachments:
            yield BINARY, data

    @property
    def messages(self) -> list[str | bytes]:
        """The packets as WebSocket messages, for a connection that frames them itself."""
        messages: list[str | bytes] = list(self.attachments)
        if self.text is not None:
            messages.insert(0, self.text.decode())
        return messages


def encoded(
    text: bytes | None, attachments: Sequence[bytes] = (), *, compress: bool = True
) -> Encoded:
    """A text packet as it is, type and all, binary ones, or both."""
    size = (0 if text is None else len(text)) + sum(map(len, attachments))
    return Encoded(text, attachments, size, compress)


def deflated_frame(opcode: int, data: bytes, options: PerMessageDeflate) -> bytes:
    """One frame, compressed if that is worth it."""
    if len(data) >= options.threshold:
        shorter = deflate(data, options.level)
        if len(shorter) < len(data):
            return frame(opcode, shorter, deflated=True)
    return frame(opcode, data)


def encode_message(frames: Sequence[str | bytes], *, compress: bool = True) -> Encoded:
    """MESSAGE packets of what a Socket.IO parser or an application wrote.

    Raises LocalProtocolError for text that no UTF-8 can carry, and for text that
    comes after bytes.
    """
    first = frames[0]
    try:
        if isinstance(first, bytes):
            return encoded(None, binary(frames), compress=compress)
        attachments = binary(frames[1:]) if len(frames) > 1 else ()
        return encoded(b"4" + first.encode(), attachments, compress=compress)
    except UnicodeEncodeError as error:
        raise LocalProtocolError("the text has a lone surrogate") from error


def binary(frames: Sequence[str | bytes]) -> list[bytes]:
    """The frames, all of them bytes; raises LocalProtocolError for text among them."""
    attachments = [data for data in frames if isinstance(data, bytes)]
    if len(attachments) != len(frames):
        raise LocalProtocolError("a message is one text, and bytes after it")
    return attachments


def encode_control(packet: Packet) -> Encoded:
    """A packet other than MESSAGE, which carries text only."""
    assert isinstance(packet.data, str)
    return encoded(f"{packet.type:d}{packet.data}".encode())


CLOSE = encode_control(Packet(Type.CLOSE))
PING = encode_control(Packet(Type.PING))
NOOP = encode_control(Packet(Type.NOOP))
PONG_PROBE = encode_control(Packet(Type.PONG, "probe"))
