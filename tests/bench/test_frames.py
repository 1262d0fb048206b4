"""The frames of the load are those of RFC 6455, and what is read may come in any pieces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, TextMessage

from benchmarks import frames


@pytest.mark.parametrize("size", [0, 1, 32, 125, 126, 65_535, 65_536])
@pytest.mark.parametrize("opcode", [frames.TEXT, frames.BINARY])
def test_a_frame_is_what_a_server_reads(size: int, opcode: int) -> None:
    payload = bytes(range(32, 127)) * (size // 95 + 1)
    server = Connection(ConnectionType.SERVER)
    server.receive_data(frames.frame(opcode, payload[:size]))
    message: bytes | bytearray = b""
    for event in server.events():
        assert isinstance(event, TextMessage if opcode == frames.TEXT else BytesMessage)
        message += event.data.encode() if isinstance(event, TextMessage) else event.data
    assert message == payload[:size]


@given(
    sizes=st.lists(st.sampled_from([0, 3, 125, 126, 300, 70_000]), max_size=4),
    step=st.integers(1, 40_000),
)
def test_frames_are_taken_when_they_are_whole(sizes: list[int], step: int) -> None:
    server = Connection(ConnectionType.SERVER)
    sent = [bytes([65 + number]) * size for number, size in enumerate(sizes)]
    stream = b"".join(server.send(BytesMessage(payload)) for payload in sent)
    buffer = bytearray()
    taken: list[bytes] = []
    for start in range(0, len(stream), max(step, len(stream) // 50)):
        buffer += stream[start : start + max(step, len(stream) // 50)]
        while (payload := frames.take_frame(buffer)) is not None:
            taken.append(payload)
    assert taken == sent
    assert not buffer


@pytest.mark.parametrize(
    "response",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\ncontent-length:0\r\nX: y\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    ],
)
def test_responses_are_taken_when_they_are_whole(response: bytes) -> None:
    buffer = bytearray()
    for byte in response:
        assert frames.take_response(buffer) is None
        buffer.append(byte)
    buffer += b"HTTP/1.1"
    assert frames.take_response(buffer) == response
    assert buffer == b"HTTP/1.1"
