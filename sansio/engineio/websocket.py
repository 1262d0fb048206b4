"""WebSocket (RFC 6455) on the server's side: handshake headers, frames, close codes.

wsproto judges every frame. In front of it stands one fast path, `websocket_frames.py`:
a whole, unfragmented data frame that arrives between two messages is unmasked there. What
wsproto does not bound is bounded here: the size of a message, its fragments, and
the pongs that wait (security rules T4, 7 and 21).

This module does not know what a message says, whose session it belongs to, or
which socket carries the bytes. Compressed messages set a reserved bit, so the fast
path leaves them to wsproto, which has them inflated by an extension of ours.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Sequence
from hashlib import sha1
from typing import ClassVar, Final

from wsproto.connection import Connection, ConnectionState, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Ping, Pong, TextMessage
from wsproto.extensions import Extension

from ..errors import LocalProtocolError, Reason, RemoteProtocolError
from .permessage_deflate import Inflate, longest
from .websocket_frames import BINARY, CLOSE, frame, read_whole_frames

PLAIN_CLOSE: Final = re.compile(rb"\x88(?:\x80....|\x82(....)(..))", re.DOTALL)
PLAIN_CODES: Final = {
    code: (number, frame(CLOSE, code))
    for code, number in ((b"", 1005), (b"\x03\xe8", 1000), (b"\x03\xe9", 1001))
}
"""The codes of a plain close, as bytes and as numbers, each with the frame that answers it."""

MAX_WAITING: Final = 16
"""Control frames that wait to be sent, at most."""

CLOSE_RECEIVED: Final = (ConnectionState.REMOTE_CLOSING, ConnectionState.CLOSED)
"""wsproto reports its own refusal as the same event as the peer's close: its state tells."""

DECIDING: Final = (b"upgrade", b"connection", b"sec-websocket-version", b"sec-websocket-key")

GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
KEY: Final = re.compile(rb"[A-Za-z0-9+/]{22}==")
"""16 bytes in base64."""


def check_handshake(headers: Sequence[tuple[bytes, bytes]]) -> bytes:
    """Check what makes a request a WebSocket upgrade; return the Sec-WebSocket-Accept to answer.

    `headers` have lower-cased names, as h11 gives them. The method, the HTTP
    version and the absence of a body are for the caller to check. Raises
    `RemoteProtocolError`: status 426 when the version is not 13, which is answered
    with `Sec-WebSocket-Version: 13`, else status 400. RFC 6455, section 4.2.1.
    """
    # One pass: to look for each of them in all the headers took 5 us of a connection.
    found: dict[bytes, list[bytes]] = {name: [] for name in DECIDING}
    for name, value in headers:
        if name in found:
            found[name].append(value)
    upgrades, connections, versions, keys = found.values()
    # As nearly all send it, without a look into lists.
    if upgrades != [b"websocket"] and b"websocket" not in listed(upgrades):
        raise RemoteProtocolError("no Upgrade to websocket")
    if connections != [b"Upgrade"] and b"upgrade" not in listed(connections):
        raise RemoteProtocolError("no Connection: Upgrade")
    if len(versions) != 1:
        raise RemoteProtocolError("not one Sec-WebSocket-Version")
    if versions[0] != b"13":
        raise RemoteProtocolError("unsupported Sec-WebSocket-Version", status=426)
    if len(keys) != 1 or not KEY.fullmatch(keys[0]):
        raise RemoteProtocolError("not one Sec-WebSocket-Key of 16 bytes")
    return accept_token(keys[0])


def accept_token(key: bytes) -> bytes:
    """What is answered to a Sec-WebSocket-Key (RFC 6455, section 4.2.2)."""
    digest = sha1(key + GUID, usedforsecurity=False).digest()
    return binascii.b2a_base64(digest, newline=False)


def tokens(headers: Sequence[tuple[bytes, bytes]], name: bytes) -> set[bytes]:
    """The comma-separated values of every header called `name`, in lower case."""
    return listed([value for key, value in headers if key == name])


def listed(values: Sequence[bytes]) -> set[bytes]:
    """The elements of comma-separated lists, in lower case."""
    return {token.strip() for token in b",".join(values).lower().split(b",")}


class WebSocket:
    """One WebSocket connection after its handshake, server side.

    `max_message` is in bytes, before UTF-8 is decoded, and exactly that many pass;
    they are counted over all fragments, of which `max_fragments` pass. A frame is
    refused by the length that its header declares, before its payload arrives.
    With `inflates` permessage-deflate has been agreed to: what a compressed message
    inflates to is counted as well, while it does.
    """

    SIDE: ClassVar[ConnectionType] = ConnectionType.SERVER
    MASK: ClassVar[int] = 4
    """Bytes of the mask of every frame that comes."""
    read_whole: ClassVar[staticmethod[[bytes, int, int, list[str | bytes]], int]] = staticmethod(
        read_whole_frames
    )
    """The fast path."""

    __slots__ = (
        "_close_sent",
        "_fragments",
        "_held",
        "_inflates",
        "_limit",
        "_max_fragments",
        "_max_message",
        "_message",
        "_remaining",
        "_size",
        "_waiting",
        "_wsproto",
        "between",
        "failure",
        "peer_close",
    )

    def __init__(
        self, *, max_message: int, max_fragments: int = 16_384, inflates: bool = False
    ) -> None:
        self.failure: RemoteProtocolError | None = None
        """Set when the peer broke the protocol; its `close_code` is 1002, 1007 or 1009.

        Nothing after it is processed, so the caller sends `close(close_code)` and
        drops the connection; `closed` stays false.
        """
        self.peer_close: int | None = None
        """The code of the peer's close frame, 1005 for none; nothing after it is processed."""
        self._max_message = max_message
        self._max_fragments = max_fragments
        self._inflates = inflates
        # Made when needed: a connection that idles without one is 1.7 kB smaller.
        self._wsproto: Connection | None = None
        self._held = b""  # the header of a frame, until wsproto could judge it
        self._remaining = 0  # bytes of the frame that wsproto is in
        self._fragments = 0  # frames of the message that wsproto is in
        self._size = 0  # their declared lengths
        self._limit = max_message  # of their sum
        # What of it has come. Text is encoded again: a piece of two characters takes
        # 60 bytes as an object of its own, in a list and in a StringIO (security rule 7).
        self._message = bytearray()
        self._waiting: list[bytes] = []
        self._close_sent = False
        self.between: bool = True
        """Whether what comes next is the header of a message's first frame, or a control frame."""

    def receive_data(self, data: bytes) -> list[str | bytes]:
        """Take what arrived and return the messages that it completes, in order; never raises.

        Look at `failure` and `peer_close` afterwards: the messages before either
        are still returned. After our own close the peer may go on until it has
        answered, and its messages are returned.
        """
        messages: list[str | bytes] = []
        if self._over:
            return messages
        if self._held:
            data = self._held + data
            self._held = b""
        position, end = 0, len(data)
        while position < end:
            if self._remaining:
                position = self._read_payload(data, position, messages)
            else:
                if not self._fragments:
                    position = self.read_whole(data, position, self._max_message, messages)
                    if position < end and self._wsproto is None:
                        position = self._read_plain_close(data, position)
                        if self._over:
                            break
                if position < end:
                    position = self._read_header(data, position, messages)
            if self._over:
                break
        self.between = not (self._held or self._remaining or self._fragments or self._over)
        return messages

    def data_to_send(self) -> list[bytes]:
        """Drain the pongs, and the answer to the peer's close.

        Of the pings that came since the last call only the newest 16 are answered,
        as RFC 6455 allows (section 5.5.3): a peer that pings and does not read
        fills no memory.
        """
        waiting, self._waiting = self._waiting, []
        return waiting

    @property
    def _over(self) -> bool:
        return self.failure is not None or self.peer_close is not None

    @property
    def pending(self) -> bool:
        """Whether `data_to_send` has something."""
        return bool(self._waiting)

    @property
    def closed(self) -> bool:
        """Whether both sides have sent their close.

        Ours is at the latest the answer to the peer's, which may still wait in
        `data_to_send`.
        """
        return self.peer_close is not None

    def close(self, code: int = 1000, reason: str = "") -> bytes:
        """Return our close frame, behind the pongs that still wait; b"" when one was sent before.

        The answer to the peer's close counts as sent. Of `reason` 123 bytes of
        UTF-8 are sent, in whole characters. Raises `LocalProtocolError` for a code
        that may not be sent (RFC 6455, section 7.4) and a reason with a lone
        surrogate.
        """
        if not (1000 <= code <= 1003 or 1007 <= code <= 1014 or 3000 <= code <= 4999):
            raise LocalProtocolError(f"close code {code} may not be sent")
        if self._close_sent:
            return b""
        try:
            close = self._control(CloseConnection(code, reason))
        except UnicodeEncodeError as error:
            raise LocalProtocolError("the close reason is not Unicode") from error
        self._close_sent = True
        return b"".join((*self.data_to_send(), close))

    @property
    def _connection(self) -> Connection:
        if self._wsproto is None:
            extensions: list[Extension] = [Inflate(self._max_message)] if self._inflates else []
            self._wsproto = Connection(self.SIDE, extensions)
        return self._wsproto

    def _read_header(self, data: bytes, position: int, messages: list[str | bytes]) -> int:
        """Let wsproto judge the header at `position`, and bound the message it announces.

        wsproto judges when it knows the length, and before that when two bytes are
        already illegal. Until then the bytes are held, so that the fast path can
        still have the frame.
        """
        needed = 2
        header = data[position : position + 2]
        if len(header) == 2 and header[0] & 0x0F <= BINARY and header[1] & 0x7F >= 126:
            needed = 4 if header[1] & 0x7F == 126 else 10
            header = data[position : position + needed]
        if len(header) < needed:
            self._held = header
            return len(data)
        length = int.from_bytes(header[2:], "big") if needed > 2 else header[1] & 0x7F
        if header[0] & 0x0F <= BINARY:
            # Before wsproto has it: a server's frame that is empty ends with its header, and may
            # end its message with it.
            if not self._fragments:
                compressed = header[0] & 0x40
                self._limit = longest(self._max_message) if compressed else self._max_message
            self._fragments += 1
            self._size += length
            if self._fragments > self._max_fragments:
                # RFC 6455, section 7.4.1, keeps 1008 for where no other code is
                # more suitable: too many pieces are too big to process as well.
                self._fail(f"message of more than {self._max_fragments} fragments", 1009)
                return len(data)
        self._feed(header, messages)
        if self.failure is not None:
            return len(data)
        self._remaining = self.MASK + length  # wsproto has refused it if it is not so
        if self._size > self._limit:
            self._fail(f"message of more than {self._max_message} bytes", 1009)
        return position + needed

    def _read_plain_close(self, data: bytes, position: int) -> int:
        """Take a whole close frame without a code, or with 1000 or 1001; else nothing of it.

        Only before wsproto has been needed for anything: most connections end without it.
        """
        # To make wsproto's machine, ask it and have it answer takes 62 us, this 2 (CPython 3.11).
        frame_of_close = PLAIN_CLOSE.match(data, position) if self.MASK else None
        if frame_of_close is None:
            return position
        mask, masked = frame_of_close.groups(b"")
        code = bytes((masked[0] ^ mask[0], masked[1] ^ mask[1])) if masked else b""
        known = PLAIN_CODES.get(code)
        if known is None:
            return position
        self.peer_close, answer = known
        if not self._close_sent:
            self._waiting.append(answer)
            del self._waiting[:-MAX_WAITING]
            self._close_sent = True
        return frame_of_close.end()

    def _read_payload(self, data: bytes, position: int, messages: list[str | bytes]) -> int:
        """Give wsproto what is there of its frame, and not a byte of the next."""
        payload = data[position : position + self._remaining]
        self._remaining -= len(payload)
        self._feed(payload, messages)
        return position + len(payload)

    def _feed(self, data: bytes, messages: list[str | bytes]) -> None:
        connection = self._connection
        connection.receive_data(data)
        for event in connection.events():
            match event:
                case TextMessage():
                    self._message += event.data.encode()
                    if event.message_finished:
                        messages.append(self._message.decode())
                        self._end_message()
                case BytesMessage():
                    self._message += event.data
                    if event.message_finished:
                        messages.append(bytes(self._message))
                        self._end_message()
                case Ping() if not self._close_sent:
                    self._answer(event)
                case CloseConnection() if connection.state in CLOSE_RECEIVED:
                    self.peer_close = int(event.code)
                    if not self._close_sent:
                        self._answer(event)
                        self._close_sent = True
                case CloseConnection():
                    self._fail(event.reason or "", int(event.code))
                case _:  # a pong: nobody asked for it
                    pass

    def _end_message(self) -> None:
        self._message = bytearray()
        self._fragments = self._size = 0

    def _answer(self, event: Ping | CloseConnection) -> None:
        self._waiting.append(self._control(event.response()))
        del self._waiting[:-MAX_WAITING]

    def _control(self, event: Pong | CloseConnection) -> bytes:
        """The frame of what wsproto is told that we send."""
        return self._connection.send(event)

    def _fail(self, message: str, close_code: int) -> None:
        self.failure = RemoteProtocolError(
            message, reason=Reason.TRANSPORT_ERROR, close_code=close_code
        )
