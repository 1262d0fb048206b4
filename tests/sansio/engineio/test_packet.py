"""Engine.IO packets and payloads (protocol rules 9, 10, 12, 14, 15)."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sansocket.sansio import engineio
from sansocket.sansio.engineio.packet import (
    Packet,
    Type,
    decode_packet,
    decode_payload,
    encode_packet,
    encode_payload,
)
from sansocket.sansio.errors import LocalProtocolError, RemoteProtocolError

ANY_TEXT = st.text(st.characters())  # lone surrogates and U+001E included
POLLING_TEXT = st.text(st.characters(exclude_characters="\x1e"))


def packets(text: st.SearchStrategy[str]) -> st.SearchStrategy[Packet]:
    """Any packet that can be sent: bytes in messages only."""
    return st.builds(Packet, st.sampled_from(Type), text) | st.builds(
        Packet, st.just(Type.MESSAGE), st.binary()
    )


# Text that is nearly a packet or a payload, and text that is nothing of the kind.
NEARLY = st.lists(
    st.one_of(
        POLLING_TEXT.map("4".__add__),
        st.binary().map(lambda data: f"b{base64.b64encode(data).decode()}"),
        st.text("bAQ=+/-_ \n٤é", max_size=8).map("b".__add__),
        st.text("0123456789b٤²\x1e ", max_size=8),
        ANY_TEXT,
    ),
    max_size=4,
).map("\x1e".join)

# Both forms of each packet.
FORMS: list[tuple[Packet, str | bytes, str]] = [
    (Packet(Type.OPEN, '{"sid":"x"}'), '0{"sid":"x"}', '0{"sid":"x"}'),
    (Packet(Type.CLOSE), "1", "1"),
    (Packet(Type.PING, "probe"), "2probe", "2probe"),
    (Packet(Type.PONG), "3", "3"),
    (Packet(Type.MESSAGE), "4", "4"),
    (Packet(Type.MESSAGE, "€4"), "4€4", "4€4"),
    (Packet(Type.UPGRADE), "5", "5"),
    (Packet(Type.NOOP), "6", "6"),
    (Packet(Type.MESSAGE, b""), b"", "b"),
    (Packet(Type.MESSAGE, b"\x01\x02\x03\x04"), b"\x01\x02\x03\x04", "bAQIDBA=="),
    (Packet(Type.MESSAGE, b"\xfb\xff"), b"\xfb\xff", "b+/8="),
    (Packet(Type.MESSAGE, b"4"), b"4", "bNA=="),
]


@pytest.mark.parametrize(("packet", "websocket", "polling"), FORMS)
def test_forms(packet: Packet, websocket: str | bytes, polling: str) -> None:
    """Protocol rules 9, 10 and 14."""
    assert encode_packet(packet) == websocket
    assert encode_payload([packet]) == polling
    assert decode_packet(websocket) == packet
    assert decode_packet(polling) == packet
    assert decode_payload(polling) == [packet]


def test_payload() -> None:
    """Protocol rule 9: joined by U+001E, in their order."""
    assert encode_payload(packet for packet, _, _ in FORMS) == "\x1e".join(
        polling for _, _, polling in FORMS
    )
    assert decode_payload("4a\x1ebAQ==\x1e2\x1e4a") == [
        Packet(Type.MESSAGE, "a"),
        Packet(Type.MESSAGE, b"\x01"),
        Packet(Type.PING),
        Packet(Type.MESSAGE, "a"),
    ]


@given(packets(ANY_TEXT))
def test_packet_round_trip(packet: Packet) -> None:
    assert decode_packet(encode_packet(packet)) == packet


@given(st.lists(packets(POLLING_TEXT), min_size=1))
def test_payload_round_trip(sent: list[Packet]) -> None:
    assert decode_payload(encode_payload(sent)) == sent


BAD_PACKETS = [
    "",
    # types are ASCII digits from 0 to 6 (protocol rule 15, security rule 18)
    *("7", "8", "9", "-1", " 4", "\n4", "\ufeff4", "a", "B", "null", "[]", "\x00", "\ud800"),
    *("٤hi", "²", "\uff14", "Ⅳ", "१"),
    # base64 is canonical (protocol rule 10)
    *("bA", "bAA", "bAAA", "bA===", "bAA=", "bAA==AA==", "b=", "b====", "bAAAA=", "bAA==="),
    *("b AA==", "bAA==\n", "bA A==", "bAQ==x", "bAQID\r\n", "b-_8=", "bé", "bAAA\ud800", "b\x00"),
    *("bAB==", "bAAB=", "bAP//AP==", "b//=="),
]


@pytest.mark.parametrize("text", BAD_PACKETS)
def test_bad_packet(text: str) -> None:
    """Protocol rules 10, 12 and 15; of a payload nothing is taken then (protocol rule 94)."""
    with pytest.raises(RemoteProtocolError):
        decode_packet(text)
    for payload in (text, f"4a\x1e{text}", f"{text}\x1e4a", f"4a\x1e{text}\x1e4a"):
        with pytest.raises(RemoteProtocolError):
            decode_payload(payload)


@pytest.mark.parametrize("payload", ["", "\x1e", "4a\x1e", "\x1e4a", "4a\x1e\x1e4a"])
def test_empty_packet_in_a_payload(payload: str) -> None:
    """Protocol rule 12."""
    with pytest.raises(RemoteProtocolError):
        decode_payload(payload)


@given(st.one_of(ANY_TEXT, NEARLY, st.binary()))
def test_anything_is_a_packet_or_a_protocol_error(data: str | bytes) -> None:
    """Protocol rule 95: what is taken has one form on its transport, and this is it."""
    try:
        packet = decode_packet(data)
    except RemoteProtocolError:
        return
    as_text = isinstance(data, str) and data[:1] == "b"
    assert (encode_payload([packet]) if as_text else encode_packet(packet)) == data


@given(st.one_of(ANY_TEXT, NEARLY))
def test_anything_is_a_payload_or_a_protocol_error(text: str) -> None:
    """Protocol rule 95, and the payload is its packets and nothing else."""
    try:
        found = decode_payload(text)
    except RemoteProtocolError:
        return
    assert encode_payload(found) == text
    assert found == [decode_packet(part) for part in text.split("\x1e")]


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: encode_packet(Packet(Type.OPEN, b"x")),
        lambda: encode_packet(Packet(Type.PING, b"")),
        lambda: encode_payload([Packet(Type.CLOSE, b"x")]),
        lambda: encode_payload([]),
        lambda: encode_payload([Packet(Type.MESSAGE, "a\x1e4b")]),
    ],
)
def test_what_no_peer_could_read(wrong: Callable[[], object]) -> None:
    """Protocol rule 9: there is no escape for U+001E, and no type digit before bytes (rule 10)."""
    with pytest.raises(LocalProtocolError):
        wrong()


def test_separator_over_websocket() -> None:
    """A frame needs no separator, so its text may have one."""
    packet = Packet(Type.MESSAGE, "a\x1e4b")
    assert decode_packet(encode_packet(packet)) == packet


@pytest.mark.parametrize("data", ["4true", '4"x"', "4-5", "4 ", "4\n"])
def test_a_message_is_not_looked_into(data: str) -> None:
    """Protocol rule 15: text stays the text that it is."""
    assert decode_packet(data) == Packet(Type.MESSAGE, data[1:])


def test_public_names() -> None:
    """The public interface: all of it is found in `sansocket.sansio.engineio`."""
    for item in (Packet, Type, decode_packet, decode_payload, encode_packet, encode_payload):
        assert getattr(engineio, item.__name__) is item
