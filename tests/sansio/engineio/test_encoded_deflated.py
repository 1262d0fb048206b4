"""The third form of a message: frames for those who have agreed to permessage-deflate."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, TextMessage
from wsproto.extensions import Extension, PerMessageDeflate

from sansocket.sansio import config
from sansocket.sansio.engineio.encoded import CLOSE, NOOP, PING, Encoded, encode_message, encoded
from sansocket.sansio.engineio.packet import Packet, Type
from sansocket.sansio.engineio.websocket_frames import frame

OPTIONS = config.PerMessageDeflate(threshold=100)
LONG = "hello " * 100


def read(data: bytes) -> list[str | bytes]:
    """What a client of wsproto's makes of frames."""
    extension = PerMessageDeflate()
    extension.finalize("permessage-deflate; server_no_context_takeover")
    extensions: list[Extension] = [extension]
    client = Connection(ConnectionType.CLIENT, extensions)
    client.receive_data(data)
    messages: list[str | bytes] = []
    for event in client.events():
        assert isinstance(event, TextMessage | BytesMessage)
        messages.append(event.data if isinstance(event, TextMessage) else bytes(event.data))
    return messages


def test_compressed_once_for_all() -> None:
    """The same bytes for every recipient, marked by the first reserved bit (RFC 7692, 6)."""
    encoded = encode_message([LONG])
    deflated = encoded.deflated(OPTIONS)
    assert encoded.deflated(OPTIONS) is deflated
    assert deflated[0] == 0xC1
    assert len(deflated) < 50
    assert read(deflated) == ["4" + LONG]
    assert encoded.websocket[0] == 0x81
    assert encoded.polling == b"4" + LONG.encode()


def test_header_and_attachments() -> None:
    """Rule 49: in their order, each compressed where it is worth it."""
    encoded = encode_message(["header", bytes(1000), b"small", LONG.encode()])
    frames = encoded.deflated(OPTIONS)
    assert read(frames) == ["4header", bytes(1000), b"small", LONG.encode()]
    assert frames[0] == 0x81
    assert len(frames) < 120


def test_one_that_gets_no_shorter() -> None:
    """It stays as it is, between others that do not."""
    stubborn = b"".join(sha256(bytes([n])).digest() for n in range(10))
    encoded = encode_message([LONG, stubborn, LONG.encode()])
    frames = encoded.deflated(OPTIONS)
    assert frame(0x2, stubborn) in frames
    assert read(frames) == ["4" + LONG, stubborn, LONG.encode()]


@pytest.mark.parametrize(
    "encoded",
    [
        encode_message(["x" * 98]),
        encode_message(["x" * 60, bytes(60)]),
        encode_message([bytes(99)]),
        encode_message([LONG], compress=False),
        encode_message([bytes(range(256))]),
        encoded(None),
        *(CLOSE, NOOP, PING),
    ],
)
def test_what_stays_as_it_is(encoded: Encoded) -> None:
    """Too small, not wanted, or no shorter: the very same bytes as for everyone else."""
    assert encoded.deflated(OPTIONS) is encoded.websocket


def test_threshold() -> None:
    """From it on: with the type of the packet it is 100 bytes."""
    assert encode_message(["x" * 99]).deflated(OPTIONS)[0] == 0xC1
    assert encode_message([bytes(100)]).deflated(OPTIONS)[0] == 0xC2


def test_level() -> None:
    text = "".join(f"{n:x}" for n in range(3000))
    quick, small = (
        encode_message([text]).deflated(config.PerMessageDeflate(level=level)) for level in (1, 9)
    )
    assert len(small) < len(quick)
    assert read(small) == read(quick)


@given(st.lists(st.text() | st.binary(), min_size=1, max_size=1), st.lists(st.binary(), max_size=3))
def test_all_forms_carry_the_same(first: list[str | bytes], attachments: list[bytes]) -> None:
    encoded = encode_message([*first, *attachments])
    frames = encoded.deflated(config.PerMessageDeflate(threshold=1))
    assert read(frames) == encoded.messages == read(encoded.websocket)


def test_packets() -> None:
    """What observers see."""
    assert encode_message(["a", b"b"]).packets == [
        Packet(Type.MESSAGE, "a"),
        Packet(Type.MESSAGE, b"b"),
    ]
    assert PING.packets == [Packet(Type.PING)]
    assert encoded(b'0{"sid":"x"}').packets == [Packet(Type.OPEN, '{"sid":"x"}')]
