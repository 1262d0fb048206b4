"""One message in both forms: polling payload and WebSocket frames (protocol rules 10, 49, 76)."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, TextMessage

from sansocket.sansio.engineio.encoded import (
    CLOSE,
    NOOP,
    PING,
    PONG_PROBE,
    Encoded,
    encode_control,
    encode_message,
)
from sansocket.sansio.engineio.packet import Packet, Type, decode_payload, encode_packet
from sansocket.sansio.errors import LocalProtocolError


def read_frames(data: bytes) -> list[str | bytes]:
    """The messages that a client makes of frames, which have to be whole."""
    client = Connection(ConnectionType.CLIENT)
    client.receive_data(data)
    messages: list[str | bytes] = []
    for event in client.events():
        assert isinstance(event, TextMessage | BytesMessage)
        assert event.message_finished
        assert event.frame_finished
        messages.append(event.data if isinstance(event, TextMessage) else bytes(event.data))
    return messages


def text_and_attachments(text: str, attachments: list[bytes]) -> list[str | bytes]:
    return [text, *attachments]


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x1e"))
ATTACHMENTS = st.lists(st.binary(), max_size=3)
FRAMES: st.SearchStrategy[Sequence[str | bytes]] = st.one_of(
    st.builds(text_and_attachments, TEXT, ATTACHMENTS),
    st.lists(st.binary(), min_size=1, max_size=3),
    st.sampled_from([["x" * size] for size in (124, 125, 126, 65_534, 65_535)]),
    st.sampled_from([[bytes(size)] for size in (125, 126, 65_535, 65_536)]),
)


@given(FRAMES)
def test_forms_carry_the_same(frames: Sequence[str | bytes]) -> None:
    """Text and attachments, in their order and with nothing between (protocol rules 10, 49)."""
    packets = [Packet(Type.MESSAGE, frame) for frame in frames]
    messages = [encode_packet(packet) for packet in packets]
    encoded = encode_message(frames)
    assert decode_payload(encoded.polling.decode()) == packets
    assert read_frames(encoded.websocket) == messages
    assert encoded.messages == messages
    assert encoded.size == sum(
        len(message.encode() if isinstance(message, str) else message) for message in messages
    )


@pytest.mark.parametrize("polling_first", [True, False])
def test_each_form_is_made_once(polling_first: bool) -> None:
    """Protocol rule 76: all recipients share the bytes of a form, whatever the others take."""
    encoded = encode_message(['51-["a",{"_placeholder":true,"num":0}]', b"\x01\x02\x03\x04"])
    first = encoded.polling if polling_first else encoded.websocket
    second = encoded.websocket if polling_first else encoded.polling
    assert first != second
    assert encoded.polling == b'451-["a",{"_placeholder":true,"num":0}]\x1ebAQIDBA=='
    assert encoded.polling is (first if polling_first else second)
    assert encoded.websocket is (second if polling_first else first)


def test_empty_messages() -> None:
    """Protocol rules 10 and 14."""
    assert (encode_message([""]).polling, encode_message([""]).messages) == (b"4", ["4"])
    assert (encode_message([b""]).polling, encode_message([b""]).messages) == (b"b", [b""])
    assert read_frames(encode_message([b""]).websocket) == [b""]


def test_control_packets() -> None:
    """Protocol rule 9: types 1, 2, 3 and 6, in text frames."""
    controls = {CLOSE: "1", PING: "2", PONG_PROBE: "3probe", NOOP: "6"}
    controls[encode_control(Packet(Type.OPEN, '{"é":1}'))] = '0{"é":1}'
    for encoded, text in controls.items():
        assert encoded.polling == text.encode()
        assert read_frames(encoded.websocket) == encoded.messages == [text]
        assert encoded.size == len(text.encode())


@pytest.mark.parametrize(
    "frames", [["\ud800"], ["a\udfff", b""], ["a", "b"], [b"a", "b"], ["a", b"b", "c"]]
)
def test_what_cannot_be_one_message(frames: Sequence[str | bytes]) -> None:
    """Security rule T19: an error for the caller, and never half a frame."""
    with pytest.raises(LocalProtocolError):
        encode_message(frames)


def test_what_was_sent_stays_as_it_was() -> None:
    """The forms are made when they are pulled, maybe long after `emit` returned."""
    frames: list[str | bytes] = ["a", b"b"]
    encoded = encode_message(frames)
    frames[1:] = [b"c"]
    assert encoded.messages == ["4a", b"b"]
    assert isinstance(encoded, Encoded)
