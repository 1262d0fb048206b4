"""A decoder gives packets that can be encoded and decoded again, or raises RemoteProtocolError.

After an error it raises for every frame (security rule 20).
"""

from __future__ import annotations

from fuzz.frames import split_frames
from sansocket.sansio.errors import RemoteProtocolError
from sansocket.sansio.socketio.json_decoder import JsonDecoder
from sansocket.sansio.socketio.packet import Packet
from sansocket.sansio.socketio.parser import encode


def one_input(data: bytes) -> None:
    """Feed frames to one decoder."""
    decoder = JsonDecoder()
    failed = False
    for frame in split_frames(data):
        try:
            packet = decoder.feed(frame)
        except RemoteProtocolError:
            failed = True
        else:
            assert not failed, "a decoder that has failed went on"
            if packet is not None:
                assert again(packet) == packet


def again(packet: Packet) -> Packet | None:
    """The packet, after it has been encoded and decoded."""
    decoder, decoded = JsonDecoder(), None
    for frame in encode(packet):
        assert decoded is None
        decoded = decoder.feed(frame)
    return decoded
