"""`decode_packet` returns a packet that encodes to an equal one, or raises RemoteProtocolError."""

from __future__ import annotations

import contextlib

from sansocket.sansio.engineio.packet import decode_packet, encode_packet
from sansocket.sansio.errors import RemoteProtocolError


def one_input(data: bytes) -> None:
    """Decode the bytes as they are, and as text."""
    for message in (data, data.decode(errors="replace")):
        with contextlib.suppress(RemoteProtocolError):
            packet = decode_packet(message)
            assert decode_packet(encode_packet(packet)) == packet
