"""The msgpack parser (protocol rules 43, 45, 53, 56, 92; security rules T2, 17, 20).

The frames marked as npm's were written by socket.io-msgpack-parser 3.0, and those of ours
were read by it.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sansocket.sansio.errors import LocalProtocolError, Reason, RemoteProtocolError
from sansocket.sansio.socketio.msgpack import MsgpackDecoder, MsgpackParser
from sansocket.sansio.socketio.packet import MAX_ID, RESERVED, Packet, Type
from sansocket.sansio.socketio.parser import Parser

CONNECT, DISCONNECT, EVENT, ACK, CONNECT_ERROR, BINARY_EVENT, BINARY_ACK = Type


class Ratio(float):
    """No float to msgspec."""


def event(data: str) -> str:
    """Make the frame of an EVENT around its data, all hexadecimal."""
    return f"83a47479706502a464617461{data}a36e7370a12f"


DAY = datetime(2009, 2, 13, 23, 31, 30, 123000, UTC)

# Packets that we and the npm package write byte for byte the same.
BOTH_WAYS = [
    (Packet(CONNECT), "82a47479706500a36e7370a12f"),
    (
        Packet(CONNECT, "/admin", {"token": "x"}),
        "83a47479706500a46461746181a5746f6b656ea178a36e7370a62f61646d696e",
    ),
    (Packet(DISCONNECT), "82a47479706501a36e7370a12f"),
    (
        Packet(EVENT, "/", ["echo", {"a": 1, "b": "hello", "c": [1, 2, 3]}]),
        "83a47479706502a46461746192a46563686f83a16101a162a568656c6c6fa16393010203a36e7370a12f",
    ),
    (Packet(EVENT, "/", ["echo"], 0), "84a47479706502a46461746191a46563686fa36e7370a12fa2696400"),
    (Packet(EVENT, "/", [1, b"ab"]), "83a47479706502a4646174619201c4026162a36e7370a12f"),
    (Packet(EVENT, "/", [DAY.year, DAY]), event("92cd07d9d7000000011f71fb04cb")),
    (
        Packet(CONNECT_ERROR, "/x", {"message": "no"}),
        "83a47479706504a46461746181a76d657373616765a26e6fa36e7370a22f78",
    ),
]

# What the npm package writes in a way of its own.
FROM_NPM = [
    # a CONNECT without auth has `data: undefined`
    ("83a47479706500a464617461d40000a36e7370a12f", Packet(CONNECT)),
    # a client's event has `options`, and an acknowledgement its keys in another order
    (
        "85a47479706502a46461746192a46563686f81a16101a76f7074696f6e7381a8636f6d7072657373c3"
        "a2696400a36e7370a12f",
        Packet(EVENT, "/", ["echo", {"a": 1}], 0),
    ),
    (
        "84a47479706503a2696400a46461746192a26f6bd40000a36e7370a12f",
        Packet(ACK, "/", ["ok", None], 0),
    ),
    # Buffer, Uint8Array, ArrayBuffer
    (
        event("94a162c403010203c70300010203c702000000"),
        Packet(EVENT, "/", ["b", b"\1\2\3", b"\1\2\3", b"\0\0"]),
    ),
    # eight bytes and a Date, one byte and undefined: only the first byte tells
    (
        event("95a165c708000000000000000000d7000000000000000000c7010000d40000"),
        Packet(EVENT, "/", ["e", bytes(8), datetime(1970, 1, 1, tzinfo=UTC), b"\0", None]),
    ),
    # a Buffer that looks like the beginning of a Date, and a Date
    (
        event("93a165c406d70000000000d7000000011f71fb04cb"),
        Packet(EVENT, "/", ["e", b"\xd7\0\0\0\0\0", DAY]),
    ),
    # a Date before 1970
    (
        event("92a165d700ffffffffffffffff"),
        Packet(EVENT, "/", ["e", datetime(1969, 12, 31, 23, 59, 59, 999000, UTC)]),
    ),
    # -0, 1.5, 2**53, 2**63, -(2**63), text
    (
        event(
            "97a16200cb3ff8000000000000cf0020000000000000cf8000000000000000d38000000000000000"
            "a9c3a9e282acf09f9880"
        ),
        Packet(EVENT, "/", ["b", 0, 1.5, 2**53, 2**63, -(2**63), "é€😀"]),
    ),
]


def frame(**keys: object) -> bytes:
    """Make a frame of what no encoder would write."""
    return msgspec.msgpack.encode({"type": 2, "nsp": "/", "data": ["a"], **keys})


def raw(data: bytes) -> bytes:
    """Make a frame with these bytes as its data."""
    return b"\x83\xa4type\x02\xa3nsp\xa1/\xa4data" + data


def encode(packet: Packet) -> bytes:
    """Encode `packet` as its one frame."""
    (only,) = MsgpackParser().encode(packet)
    assert isinstance(only, bytes)
    return only


def argument(of: object) -> Any:
    """Send `of` through encoder and decoder."""
    return MsgpackDecoder().feed(encode(Packet(EVENT, data=["a", of]))).data[1]


def nested(depth: int) -> object:
    """Make a value of `depth` levels, lists and maps in turn."""
    value: object = 1
    for level in range(depth):
        value = [value] if level % 2 else {"a": value}
    return value


@pytest.mark.parametrize(("packet", "text"), BOTH_WAYS, ids=ascii)
def test_transcript(packet: Packet, text: str) -> None:
    assert encode(packet).hex() == text
    assert MsgpackDecoder().feed(bytes.fromhex(text)) == packet


@pytest.mark.parametrize(("text", "packet"), FROM_NPM, ids=ascii)
def test_from_npm(text: str, packet: Packet) -> None:
    received = MsgpackDecoder().feed(bytes.fromhex(text))
    assert repr(received) == repr(packet)  # with the types of numbers


@pytest.mark.parametrize("text", [text for _, text in BOTH_WAYS] + [text for text, _ in FROM_NPM])
def test_every_part_and_more(text: str) -> None:
    whole = bytes.fromhex(text)
    for cut in range(len(whole)):
        refuse(whole[:cut])
    refuse(whole + whole)


def refuse(message: str | bytes, words: str = ".") -> None:
    """See `message` refused, and everything after it (security rule 20)."""
    decoder = MsgpackDecoder()
    for attempt in (message, encode(Packet(CONNECT))):
        with pytest.raises(RemoteProtocolError, match=words if attempt is message else "."):
            decoder.feed(attempt)
    assert not decoder.pending


def test_text_is_refused() -> None:
    refuse('2["a"]', "text")


# Rule 43, repeated after msgpack (rule 56): the data that a type cannot have.
WRONG_DATA: list[tuple[int, list[Any]]] = [
    (0, [[], "x", 1, b"", False]),
    (1, [{}, [], False, 0]),
    (2, [None, {}, [], "a", [None], [True], [["a"]], [b"a"], [math.nan], [math.inf]]),
    (3, [None, {}, "x"]),
    (4, [None, [], 1, b"x"]),
]

WRONG_IDS: list[Any] = [-1, MAX_ID + 1, 2**64 - 1, 1.0, True, "1", []]


@pytest.mark.parametrize(
    "message",
    [
        # rule 56: a map with type, data, nsp and id
        *(b"", b"\x80", b"\x90", b"\xc0", b"\x02", b"\xa1/", b"\xc1", b"\xc4\x00"),
        msgspec.msgpack.encode({"type": 2, "data": ["a"]}),
        msgspec.msgpack.encode({"nsp": "/", "data": ["a"]}),
        msgspec.msgpack.encode([2, ["a"], "/"]),
        b"\x84\xa4type\x02\xa3nsp\xa1/\xa4data\x91\xa1a\x01\x02",  # a key that is a number
        *(frame(type=kind) for kind in (-1, 5, 6, 7, 2**63, 2.0, True, "2", None, b"2")),
        frame(type=5, data=["a", b"1"]),
        frame(type=6, data=[b"1"], id=1),
        *(frame(nsp=name) for name in (None, 1, b"/", "", "admin", "/a,b")),
        *(frame(type=kind, data=data) for kind, wrong in WRONG_DATA for data in wrong),
        frame(type=3, data=[]),
        # rule 92
        *(frame(data=[name]) for name in sorted(RESERVED)),
        # rule 45
        *(frame(id=number) for number in WRONG_IDS),
        *(frame(type=kind, data={}, id=1) for kind in (0, 4)),
        # rule 53
        *(frame(type=kind, data={"a": [{"b": b"1"}]}) for kind in (0, 4)),
        # keys
        *(frame(data=["a", {key: 1}]) for key in (1, None, 1.5, b"a", (1,), True)),
        *(frame(data=["a", [{"a": {1: 1}}]]), raw(b"\x92\xa1a\x81\x80\x01")),
        # invalid UTF-8, lone surrogates included
        *(raw(b"\x91\xa1\xff"), raw(b"\x92\xa1a\xa3\xed\xa0\x80"), raw(b"\x92\xa1a\x81\xa1\xff\1")),
        # extensions
        *(raw(b"\x92\xa1a" + ext) for ext in (b"\xd4\x01\x00", b"\xd6\x05abcd", b"\xc7\x00\x7f")),
        raw(b"\x93\xa1a\xd4\x00\x00\xd4\x01\x00"),  # types that stand for others inside of us
        raw(b"\x93\xa1a\xd4\x00\x00\xc7\x01\x02\x00"),
        raw(b"\x92\xa1a\xd7\xff" + b"\xff" * 8),  # a timestamp's nanoseconds
        raw(b"\x92\xa1a\xd7\x00\x7f" + b"\xff" * 7),  # a Date in the year 292,278,994
        raw(b"\x92\xa1a\xd7\x00\x80" + b"\0" * 7),
        # lengths beyond the end
        *(raw(head + b"\xff" * 4) for head in (b"\xdd", b"\xdf", b"\xdb", b"\xc6", b"\xc9")),
        raw(b"\xdc\xff\xff" * 900),
        # security rule T2
        *(raw(b"\x91" * 100_000), raw(b"\x81\xa1a" * 100_000)),
        raw(b"\x92\xa1a" + b"\x91" * 128 + b"\x01"),
        frame(data=["a", *range(1001)]),
    ],
    ids=lambda message: message[:24].hex(),
)
def test_refused(message: bytes) -> None:
    refuse(message)


def test_depth() -> None:
    """Security rule T2: 128 levels pass, both ways."""
    packet = Packet(EVENT, data=["a", nested(127)])
    assert MsgpackDecoder().feed(encode(packet)) == packet
    refuse(frame(data=["a", nested(128)]), "128 levels")
    for depth in (128, 5000):
        with pytest.raises(LocalProtocolError, match="128 levels"):
            encode(Packet(EVENT, data=["a", nested(depth)]))


def test_no_data_is_nil_or_undefined_or_nothing() -> None:
    for kind in (0, 1):
        assert MsgpackDecoder().feed(frame(type=kind, data=None)) == Packet(Type(kind))
    assert MsgpackDecoder().feed(frame(id=None)).id is None
    undefined = bytes.fromhex("84a47479706502a46461746191a161a36e7370a12fa26964d40000")
    assert MsgpackDecoder().feed(undefined) == Packet(EVENT, data=["a"])


@pytest.mark.parametrize(
    ("value", "arrives"),
    [
        ((1, (2,)), [1, [2]]),
        (bytearray(b"a"), b"a"),
        (memoryview(b"a-b")[::2], b"ab"),
        (2**64, 2.0**64),
        (-(2**63) - 1, -(2.0**63)),
        (
            [Reason.PARSE_ERROR, EVENT, Ratio(1.5), {Reason.PARSE_ERROR: True}],
            ["parse error", 2, 1.5, {"parse error": True}],
        ),
        (
            datetime(2000, 1, 1, 1, 2, 3, 4999, timezone(timedelta(hours=1))),
            datetime(2000, 1, 1, 0, 2, 3, 4000, UTC),
        ),
    ],
    ids=ascii,
)
def test_written_as_what_msgpack_has(value: object, arrives: object) -> None:
    assert argument(value) == arrives


def test_numbers_that_json_does_not_have() -> None:
    assert math.isnan(argument(math.nan))
    assert argument(-math.inf) == -math.inf


@pytest.mark.parametrize(
    "packet",
    [
        *(
            Packet(EVENT, data=["a", value])
            for value in ({1}, object(), {1: 1}, "\ud800", {"\ud800": 1}, 10**400, 1j)
        ),
        Packet(EVENT, data=["a", datetime(2000, 1, 1)]),  # no time zone, no instant
        Packet(CONNECT, data={"a": b"1"}),  # rule 53
        Packet(CONNECT_ERROR, data={"a": [bytearray(b"1")]}),
        Packet(EVENT, data=["connect"]),  # rule 92
        Packet(DISCONNECT, data={}),
        Packet(ACK, data=[]),
    ],
    ids=ascii,
)
def test_not_encoded(packet: Packet) -> None:
    with pytest.raises(LocalProtocolError):
        encode(packet)


def test_memory_that_is_gone() -> None:
    view = memoryview(b"abc")
    view.release()
    with pytest.raises(LocalProtocolError, match="released"):
        encode(Packet(EVENT, data=["a", view]))


def test_types_5_and_6_are_never_written() -> None:
    """Protocol rule 56."""
    data = ["a", b"1"]
    assert encode(Packet(BINARY_EVENT, "/", data)) == encode(Packet(EVENT, "/", data))
    assert encode(Packet(BINARY_ACK, "/", data, 1)) == encode(Packet(ACK, "/", data, 1))


def test_the_parser_object() -> None:
    parser: Parser = MsgpackParser()
    decoder = parser.decoder(max_attachments=0, max_attachment_bytes=0)
    packet = Packet(EVENT, "/x", ["a", b"1", b"2"], 5)
    for _ in range(2):
        (only,) = parser.encode(packet)
        assert decoder.feed(only) == packet
        assert not decoder.pending


packets = st.from_type(Packet)


@given(packets)
def test_round_trip(packet: Packet) -> None:
    assert MsgpackDecoder().feed(encode(packet)) == packet


# First byte, width of the length, and extension type, of what carries bytes.
FORMS = [
    *((b"\xc4", 1, b""), (b"\xc5", 2, b""), (b"\xc6", 4, b"")),
    *((b"\xc7", 1, b"\0"), (b"\xc8", 2, b"\0"), (b"\xc9", 4, b"\0")),
]


def sized(first: bytes, width: int, code: bytes, data: bytes) -> tuple[bytes, object]:
    """Write `data` in one of the forms."""
    return first + len(data).to_bytes(width, "big") + code + data, data


# The forms of bytes, dates and None that the npm package may write, and how they are read.
forms = st.one_of(
    st.just((b"\xd4\x00\x00", None)),
    st.just((b"\xd6\xff\x00\x00\x00\x01", datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC))),  # standard
    st.integers(-(10**12), 10**12).map(
        lambda ms: (
            b"\xd7\x00" + ms.to_bytes(8, "big", signed=True),
            datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms),
        )
    ),
    *(st.binary(max_size=9).map(partial(sized, *form)) for form in FORMS),
    packets.map(lambda packet: (msgspec.msgpack.encode(packet.data), packet.data)),
)


@given(st.lists(forms, max_size=15))
@example([(b"\xc7\x08\0" + bytes(8), bytes(8)), (b"\xd4\0\0", None), (b"\xc7\x01\0\0", b"\0")])
def test_extensions_of_one_length_are_told_apart(written: list[tuple[bytes, object]]) -> None:
    """Whatever stands between them, and in whatever order."""
    items = b"".join(form for form, _ in written)
    message = raw(b"\x92\xa1a" + bytes([0x90 + len(written)]) + items)
    assert MsgpackDecoder().feed(message).data == ["a", [value for _, value in written]]


@given(st.lists(st.binary() | st.text() | packets.map(encode), max_size=3))
def test_any_frames(frames: list[str | bytes]) -> None:
    """A decoder raises RemoteProtocolError or nothing, and has no second life."""
    decoder = MsgpackDecoder()
    failed = False
    for received in frames:
        try:
            decoder.feed(received)
        except RemoteProtocolError:
            failed = True
        else:
            assert not failed


@given(st.binary() | st.lists(forms).map(lambda written: b"".join(form for form, _ in written)))
@example(b"\x92\xa1a\x92\xd4\x00\x00\xc7")
@example(b"\x92\xa1a\x92\xd4\x00\x00\xc7\x01")
@example(b"\x92\xa1a\x92\xd4\x00\x00\xdb\xff")
def test_any_data(data: bytes) -> None:
    try:
        packet = MsgpackDecoder().feed(raw(data))
    except RemoteProtocolError:
        return
    assert packet.type is EVENT


@given(packets, st.data())
def test_one_change_to_a_packet(packet: Packet, data: st.DataObject) -> None:
    """What a mutated packet is read as can be written, and is read so again."""
    whole = encode(packet)
    at = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(at, min(at + 2, len(whole))))
    mutated = whole[:at] + data.draw(st.binary(max_size=2)) + whole[end:]
    try:
        received = MsgpackDecoder().feed(mutated)
    except RemoteProtocolError:
        return
    again = MsgpackDecoder().feed(encode(received))
    assert repr(again) == repr(received)  # NaN included
