"""Whole frames, built and read, against wsproto."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, TextMessage

from sansocket.sansio.engineio.websocket_frames import (
    BINARY,
    CLOSE,
    PING,
    TEXT,
    frame,
    mask_payload,
    masked_frame,
    read_short_text,
    read_whole_frames,
    read_whole_server_frames,
)
from sansocket.sansio.errors import LocalProtocolError

LENGTHS = [0, 1, 125, 126, 999, 1000, 65_535, 65_536]


@pytest.mark.parametrize("length", LENGTHS)
def test_wsproto_reads_masked_frames(length: int) -> None:
    server = Connection(ConnectionType.SERVER)
    payload = bytes(number % 251 for number in range(length))
    server.receive_data(masked_frame(BINARY, payload, b"\x01\x82\xf3\x00"))
    pieces = [event.data for event in server.events() if isinstance(event, BytesMessage)]
    assert b"".join(pieces) == payload


@pytest.mark.parametrize("length", LENGTHS)
def test_what_is_written_is_read(length: int) -> None:
    text = "x" * length
    written = masked_frame(TEXT, text.encode(), b"abcd"), frame(TEXT, text.encode())
    for data, read in zip(written, (read_whole_frames, read_whole_server_frames), strict=True):
        messages: list[str | bytes] = []
        assert read(data + b"\x81", 0, length, messages) == len(data)
        assert messages == [text]
        assert read(data, 0, length - 1, []) == 0
        assert read(data[:-1], 0, length, []) == 0


@given(
    st.binary(max_size=140),
    st.binary(min_size=4, max_size=4),
    st.sampled_from([TEXT, TEXT, BINARY, PING, CLOSE]),
    st.integers(-2, 2),
    st.integers(100, 140),
)
def test_a_short_text_is_a_whole_frame(
    payload: bytes, mask: bytes, opcode: int, more: int, most: int
) -> None:
    """The short way reads what the other reads, where all that came is one short text."""
    data = masked_frame(opcode, payload[:125] if opcode in (PING, CLOSE) else payload, mask)
    data = data + bytes(more) if more >= 0 else data[:more]
    messages: list[str | bytes] = []
    end = read_whole_frames(data, 0, most, messages)
    short = read_short_text(data, most)
    if short is not None and messages:
        assert messages == [short.decode()]
    if short is None and end == len(data):
        assert opcode != TEXT or len(messages) != 1 or len(payload) > 125
    if short is not None:
        assert len(short) <= most
        assert end in (0, len(data))


@given(st.binary(max_size=140))
def test_a_short_text_is_nothing_else(data: bytes) -> None:
    """Whatever the bytes are, it takes none that the other reads otherwise."""
    short = read_short_text(data, 125)
    messages: list[str | bytes] = []
    end = read_whole_frames(data, 0, 125, messages)
    if short is not None and is_utf8(short):
        assert (end, messages) == (len(data), [short.decode()])


def is_utf8(data: bytes) -> bool:
    """Whether it is a text."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


@given(st.binary(max_size=1100), st.binary(min_size=4, max_size=4))
def test_masking_twice_is_nothing(payload: bytes, mask: bytes) -> None:
    """RFC 6455, section 5.3."""
    masked = bytes(mask_payload(payload, mask))
    assert masked == bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))
    assert bytes(mask_payload(masked, mask)) == payload


@pytest.mark.parametrize(("opcode", "length"), [(CLOSE, 126), (PING, 126), (0, 1), (3, 0)])
def test_no_such_frame(opcode: int, length: int) -> None:
    with pytest.raises(LocalProtocolError, match="no frame of opcode"):
        masked_frame(opcode, bytes(length), b"abcd")


def test_a_deflated_frame_is_marked() -> None:
    assert masked_frame(TEXT, b"", bytes(4), deflated=True)[0] == 0xC1


@pytest.mark.parametrize(
    "data",
    [
        b"\x81",
        b"\x01\x00",
        b"\x89\x00",
        b"\xc1\x00",
        b"\x81\x80abcd",
        b"\x81\xfe\x00\x80" + bytes(132),
        b"\x81\x7e\x00\x7d" + bytes(125),
        b"\x81\x7f" + struct.pack("!Q", 65_535) + bytes(65_535),
        b"\x81\x7e",
        b"\x81\x01\xff",
    ],
    ids=repr,
)
def test_what_is_left_to_wsproto(data: bytes) -> None:
    """Frames of a server that are masked, incomplete, not the shortest, or no message."""
    messages: list[str | bytes] = []
    assert read_whole_server_frames(data, 0, 100_000, messages) == 0
    assert messages == []


def test_several_frames() -> None:
    server = Connection(ConnectionType.SERVER)
    data = server.send(TextMessage("a")) + server.send(BytesMessage(b"b")) + b"\x88\x00"
    messages: list[str | bytes] = []
    assert read_whole_server_frames(data, 0, 9, messages) == len(data) - 2
    assert messages == ["a", b"b"]
