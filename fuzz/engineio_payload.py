"""`decode_payload` returns packets whose payload decodes to equal ones, or RemoteProtocolError."""

from __future__ import annotations

import contextlib

from sansocket.sansio.engineio.packet import decode_payload, encode_payload
from sansocket.sansio.errors import RemoteProtocolError


def one_input(data: bytes) -> None:
    """Decode the bytes as text."""
    with contextlib.suppress(RemoteProtocolError):
        packets = decode_payload(data.decode(errors="replace"))
        assert decode_payload(encode_payload(packets)) == packets
