"""A msgpack decoder gives packets that can be encoded again, or raises RemoteProtocolError."""

from __future__ import annotations

from fuzz.frames import split_frames
from sansocket.sansio.errors import LocalProtocolError, RemoteProtocolError
from sansocket.sansio.socketio.msgpack import MsgpackParser

parser = MsgpackParser()


def one_input(data: bytes) -> None:
    """Feed the whole as one frame, and its parts as several."""
    for frames in ([data], split_frames(data)):
        decoder = parser.decoder()
        failed = False
        for frame in frames:
            try:
                packet = decoder.feed(frame)
            except RemoteProtocolError:
                failed = True
                continue
            assert not failed, "a decoder that has failed went on"
            try:
                encoded = parser.encode(packet)
            except LocalProtocolError:
                continue  # what msgpack can carry and no packet of ours
            assert repr(parser.decoder().feed(encoded[0])) == repr(packet)
