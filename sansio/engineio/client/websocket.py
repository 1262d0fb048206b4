"""WebSocket (RFC 6455) on the client's side: what makes an answer an upgrade, and frames.

Frames are judged as on the server's side, in `websocket.py`; what differs is who masks. wsproto
takes the masks of a client from the system, so what it writes is masked anew with ours.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from wsproto.connection import ConnectionType
from wsproto.events import CloseConnection, Pong
from wsproto.utilities import generate_accept_token

from ...config import PerMessageDeflate
from ...errors import RemoteProtocolError
from ..encoded import Encoded
from ..permessage_deflate import EXTENSION, NAME, PARAMETER, WINDOW_BITS, deflate
from ..websocket import WebSocket, tokens
from ..websocket_frames import BINARY, TEXT, mask_payload, masked_frame, read_whole_server_frames

OFFER: Final = f"{NAME}; server_no_context_takeover; client_no_context_takeover"
"""What is offered as Sec-WebSocket-Extensions: no side takes its window over."""

Headers = Sequence[tuple[bytes, bytes]]
Entropy = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Agreed:
    """What the server has agreed to."""

    protocol: str | None
    """The subprotocol, one of those that were offered."""
    deflates: bool
    """Whether messages may be compressed."""


def check_answer(
    headers: Headers, key: bytes, *, protocols: Sequence[str] = (), offered: bool = False
) -> Agreed:
    """Check what makes an answer with status 101 one to this upgrade.

    `headers` have lower-cased names, `key` is what was sent as Sec-WebSocket-Key, and `offered`
    whether compression was. Raises RemoteProtocolError. RFC 6455, section 4.1.
    """
    if tokens(headers, b"upgrade") != {b"websocket"}:
        raise RemoteProtocolError("no Upgrade to websocket")
    if b"upgrade" not in tokens(headers, b"connection"):
        raise RemoteProtocolError("no Connection: Upgrade")
    accepts = [value for name, value in headers if name == b"sec-websocket-accept"]
    if accepts != [generate_accept_token(key)]:
        raise RemoteProtocolError("not the one Sec-WebSocket-Accept that belongs to our key")
    chosen = [value for name, value in headers if name == b"sec-websocket-protocol"]
    protocol = chosen[0].decode("latin-1") if chosen else None
    if len(chosen) > 1 or (protocol is not None and protocol not in protocols):
        raise RemoteProtocolError("a subprotocol that was not offered")
    return Agreed(protocol, deflates=confirm(headers, offered=offered))


def confirm(headers: Headers, *, offered: bool) -> bool:
    """Whether the server compresses; raises RemoteProtocolError for what was not offered.

    It may shrink its own window, and has to forget it after each message, as it was asked
    to: we keep nothing of one message for the next (RFC 7692, section 7.1).
    """
    values = [value for name, value in headers if name == b"sec-websocket-extensions"]
    if not values:
        return False
    text = b",".join(values).decode("latin-1").strip(" \t,")
    extension = EXTENSION.fullmatch(text)
    if not offered or extension is None or extension[1] != NAME:
        raise RemoteProtocolError("a WebSocket extension that was not offered")
    seen: dict[str, str | None] = {}
    for parameter in PARAMETER.finditer(extension[2]):
        name, value = parameter[1], parameter[2] or parameter[3]
        flag = name in ("server_no_context_takeover", "client_no_context_takeover")
        window = name == "server_max_window_bits" and value in WINDOW_BITS
        if name in seen or not (window or (flag and value is None)):
            raise RemoteProtocolError(f"permessage-deflate with {name}, which was not offered")
        seen[name] = value
    if "server_no_context_takeover" not in seen:
        raise RemoteProtocolError("permessage-deflate without server_no_context_takeover")
    return True


class ClientWebSocket(WebSocket):
    """One WebSocket connection after its handshake, client side; the bounds are the same."""

    SIDE: ClassVar[ConnectionType] = ConnectionType.CLIENT
    MASK: ClassVar[int] = 0
    read_whole: ClassVar[staticmethod[[bytes, int, int, list[str | bytes]], int]] = staticmethod(
        read_whole_server_frames
    )

    __slots__ = ("_base64", "_deflate", "_entropy")

    def __init__(
        self,
        *,
        max_message: int,
        entropy: Entropy,
        deflate: PerMessageDeflate | None = None,
        base64: bool = False,
    ) -> None:
        super().__init__(max_message=max_message, inflates=deflate is not None)
        self._entropy = entropy
        self._deflate = deflate
        self._base64 = base64

    def frames(self, encoded: Encoded) -> list[bytes]:
        """One message as masked frames; with `base64` its attachments travel as text."""
        if self._base64 and encoded.attachments:
            return [self._frame(TEXT, packet, encoded) for packet in encoded.polling.split(b"\x1e")]
        text = encoded.text
        frames = [] if text is None else [self._frame(TEXT, text, encoded)]
        return frames + [self._frame(BINARY, data, encoded) for data in encoded.attachments]

    def _frame(self, opcode: int, data: bytes, encoded: Encoded) -> bytes:
        options = self._deflate
        if options is not None and encoded.compress and len(data) >= options.threshold:
            shorter = deflate(data, options.level)
            if len(shorter) < len(data):
                return masked_frame(opcode, shorter, self._entropy(4), deflated=True)
        return masked_frame(opcode, data, self._entropy(4))

    def _control(self, event: Pong | CloseConnection) -> bytes:
        sent = super()._control(event)
        payload = bytes(mask_payload(sent[6:], sent[2:6]))
        return masked_frame(sent[0] & 0x0F, payload, self._entropy(4))
