"""Frames are read as wsproto reads them, and as the Autobahn test suite wants them read.

The fast path is held equal to wsproto alone by property tests; the cases of
Autobahn's groups 1 to 7 and 10 stand by their numbers (security rule 21).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import cycle, pairwise
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wsproto.connection import Connection, ConnectionState, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Ping, TextMessage

from sansocket.sansio.engineio.websocket import WebSocket
from sansocket.sansio.engineio.websocket_frames import BINARY, CLOSE, PING, PONG, TEXT

NO_LIMIT = 1 << 64
MASK = b"\x81\x02\x7f\xff"


def masked(
    opcode: int, payload: bytes = b"", *, fin: bool = True, rsv: int = 0, mask: bytes = MASK
) -> bytes:
    """Build a client's frame."""
    first, length = fin << 7 | rsv << 4 | opcode, len(payload)
    if length < 126:
        header = bytes((first, 0x80 | length))
    elif length < 65_536:
        header = bytes((first, 0x80 | 126)) + length.to_bytes(2, "big")
    else:
        header = bytes((first, 0x80 | 127)) + length.to_bytes(8, "big")
    return header + mask + bytes(a ^ b for a, b in zip(payload, cycle(mask)))


def fragmented(opcode: int, *payloads: bytes) -> bytes:
    """Build the frames of one message."""
    return b"".join(
        masked(0 if number else opcode, payload, fin=number == len(payloads) - 1)
        for number, payload in enumerate(payloads)
    )


def in_bytes(data: bytes, size: int = 1) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


class Outcome(NamedTuple):
    """What came of one chunk."""

    messages: list[str | bytes]
    failure: int | None
    peer_close: int | None
    sent: bytes


def outcomes(chunks: Iterable[bytes]) -> Iterator[Outcome]:
    """Feed our WebSocket."""
    websocket = WebSocket(max_message=NO_LIMIT, max_fragments=NO_LIMIT)
    for chunk in chunks:
        messages = websocket.receive_data(chunk)
        failure = websocket.failure.close_code if websocket.failure else None
        sent = b"".join(websocket.data_to_send())
        yield Outcome(messages, failure, websocket.peer_close, sent)


def plain_outcomes(chunks: Iterable[bytes]) -> Iterator[Outcome]:
    """Feed wsproto alone, in the plainest way."""
    connection = Connection(ConnectionType.SERVER)
    text: list[str] = []
    binary: list[bytes | bytearray] = []
    failure: int | None = None
    peer_close: int | None = None
    for chunk in chunks:
        messages: list[str | bytes] = []
        sent: list[bytes] = []
        if failure is None and peer_close is None:
            connection.receive_data(chunk)
            for event in connection.events():
                if isinstance(event, TextMessage):
                    text.append(event.data)
                    if event.message_finished:
                        messages.append("".join(text))
                        text = []
                elif isinstance(event, BytesMessage):
                    binary.append(event.data)
                    if event.message_finished:
                        messages.append(b"".join(binary))
                        binary = []
                elif isinstance(event, Ping):
                    sent.append(connection.send(event.response()))
                elif isinstance(event, CloseConnection):
                    if connection.state is ConnectionState.REMOTE_CLOSING:
                        peer_close = event.code
                        sent.append(connection.send(event.response()))
                    else:
                        failure = event.code
        yield Outcome(messages, failure, peer_close, b"".join(sent[-16:]))


def check_equal(data: bytes, cuts: Sequence[int]) -> None:
    """Hold the two equal after every chunk: whole, byte by byte, and cut somewhere."""
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    for chunks in ([data], in_bytes(data), [data[a:b] for a, b in pairwise(places)]):
        assert list(outcomes(chunks)) == list(plain_outcomes(chunks))


cut_places = st.lists(st.integers(0, 5_000), max_size=4)
masks = st.just(MASK) | st.binary(min_size=4, max_size=4)
lengths = st.integers(0, 12) | st.sampled_from([125, 126, 127, 999, 1_000, 1_001])
binaries = st.binary(max_size=12) | lengths.map(lambda length: (bytes(range(256)) * 4)[:length])
texts = st.text(max_size=8) | lengths.map(
    lambda length: "x\r\n\u00e9\u20ac\U0001f600" * (length // 8)
)
controls = st.builds(
    masked, st.sampled_from([PING, PONG]), st.binary(max_size=5) | st.just(b"p" * 125), mask=masks
)


@st.composite
def conversations(draw: st.DrawFn) -> tuple[bytes, list[str | bytes]]:
    """What a client may send, to its close; and the messages in it."""
    data = b""
    messages = draw(st.lists(texts | binaries, max_size=4))
    for message in messages:
        payload = message.encode() if isinstance(message, str) else message
        cuts = draw(st.just([]) | st.lists(st.integers(0, len(payload)), max_size=3))
        for number, (start, stop) in enumerate(pairwise([0, *sorted(cuts), len(payload)])):
            opcode = 0 if number else TEXT if isinstance(message, str) else BINARY
            fin = number == len(cuts)
            data += draw(st.just(b"") | controls)
            data += masked(opcode, payload[start:stop], fin=fin, mask=draw(masks))
    close = st.sampled_from([b"", masked(CLOSE), masked(CLOSE, b"\x03\xe8bye")])
    return data + draw(controls | close), messages


@st.composite
def corrupted(draw: st.DrawFn) -> bytes:
    """A conversation with a few bytes replaced, left out or added."""
    data, _ = draw(conversations())
    for _ in range(draw(st.integers(1, 3))):
        at, stop = draw(st.integers(0, len(data))), draw(st.integers(0, 2))
        data = data[:at] + draw(st.binary(max_size=2)) + data[at + stop :]
    return data[: draw(st.integers(0, len(data)))] if draw(st.booleans()) else data


def odd_frame(first: int, second: int, rest: bytes) -> bytes:
    return bytes((first, second)) + rest


odd_frames = st.builds(
    odd_frame,
    st.sampled_from([0x81, 0x82, 0x01, 0x02, 0x80, 0x00, 0x88, 0x89]) | st.integers(0, 255),
    st.integers(0x80, 0x88) | st.sampled_from([0xFD, 0xFE, 0xFF, 0x7E, 0x7F]) | st.integers(0, 255),
    st.sampled_from([b"", b"\x00", b"\x00\x7e", b"\x00" * 6, b"\x80" + b"\x00" * 7])
    | st.binary(max_size=14),
)


@given(conversations(), cut_places)
def test_conversation_is_read_as_wsproto_does(
    conversation: tuple[bytes, list[str | bytes]], cuts: list[int]
) -> None:
    data, messages = conversation
    check_equal(data, cuts)
    (outcome,) = outcomes([data])
    assert outcome.messages == messages
    assert outcome.failure is None


@given(corrupted(), cut_places)
def test_corrupted_conversation_is_read_as_wsproto_does(data: bytes, cuts: list[int]) -> None:
    """Security rule 21: the same messages before, the same close code, at the same byte."""
    check_equal(data, cuts)


@given(st.binary(max_size=60) | st.lists(odd_frames, max_size=4).map(b"".join), cut_places)
def test_anything_is_read_as_wsproto_does(data: bytes, cuts: list[int]) -> None:
    """Nothing that a peer sends raises (architecture, lesson 4)."""
    check_equal(data, cuts)


@pytest.mark.parametrize(
    "data",
    [
        masked(TEXT, b"one") + masked(BINARY, b"\xff") + masked(TEXT) + masked(TEXT, b"x" * 130),
        masked(TEXT, b"1") + fragmented(TEXT, b"\xe2", b"\x82\xac") + masked(TEXT, b"2"),
        masked(PING, b"p") + masked(TEXT, b"1") + masked(PONG) + masked(TEXT, b"2") + masked(CLOSE),
        masked(TEXT, b"1") + masked(TEXT, b"\xc3\xff") + masked(TEXT, b"2"),
    ],
)
def test_every_split_in_two(data: bytes) -> None:
    for cut in range(len(data) + 1):
        check_equal(data, [cut])


Case = tuple[str, bytes, Outcome]


def case(name: str, data: bytes, *messages: str | bytes, sent: bytes = b"") -> Case:
    return name, data, Outcome([*messages], None, None, sent)


def fails(name: str, data: bytes, close_code: int = 1002) -> Case:
    """A case whose failure comes behind one good message."""
    return name, WHOLE + data, Outcome(["whole"], close_code, None, b"")


def closes(name: str, payload: bytes, trailing: bytes = b"") -> Case:
    """A case of a close that is answered in kind."""
    code = int.from_bytes(payload[:2], "big") or 1005
    return name, masked(CLOSE, payload) + trailing, Outcome([], None, code, answer(CLOSE, payload))


def answer(opcode: int, payload: bytes = b"") -> bytes:
    return bytes((0x80 | opcode, len(payload))) + payload


HELLO = "Hello-\u00b5@\u00df\u00f6\u00e4\u00fc\u00e0\u00e1-UTF-8!!"
KOSME = "\u03ba\u1f79\u03c3\u03bc\u03b5"
WHOLE = masked(TEXT, b"whole")
BEGUN = masked(TEXT, b"frag", fin=False)
SIZES = list(enumerate([0, 125, 126, 127, 128, 65_535, 65_536], start=1))
TEN = [b"payload-%d" % number for number in range(10)]

AUTOBAHN = [
    *(case(f"1.1.{number}", masked(TEXT, b"*" * size), "*" * size) for number, size in SIZES),
    *(case(f"1.2.{n}", masked(BINARY, b"\xfe" * size), b"\xfe" * size) for n, size in SIZES),
    case("2.1", masked(PING), sent=answer(PONG)),
    case("2.2", masked(PING, b"Hello"), sent=answer(PONG, b"Hello")),
    case("2.3", masked(PING, b"\x00\xff\xfe"), sent=answer(PONG, b"\x00\xff\xfe")),
    case("2.4", masked(PING, b"\xfe" * 125), sent=answer(PONG, b"\xfe" * 125)),
    fails("2.5", masked(PING, b"\xfe" * 126)),
    case("2.7", masked(PONG)),
    case("2.8", masked(PONG, b"unsolicited")),
    case("2.9", masked(PONG, b"x") + masked(PING, b"ping"), sent=answer(PONG, b"ping")),
    case(
        "2.10", b"".join(masked(PING, p) for p in TEN), sent=b"".join(answer(PONG, p) for p in TEN)
    ),
    *(fails(f"3.{rsv}", masked(TEXT, rsv=rsv)) for rsv in range(1, 8)),
    *(fails(f"3.{rsv} in a ping", masked(PING, rsv=rsv)) for rsv in range(1, 8)),
    *(fails(f"4.1.{opcode - 2}", masked(opcode)) for opcode in range(3, 8)),
    *(fails(f"4.2.{opcode - 10}", masked(opcode, b"x")) for opcode in range(11, 16)),
    fails("5.1", masked(PING, b"x", fin=False)),
    fails("5.2", masked(PONG, b"x", fin=False)),
    case("5.3", fragmented(TEXT, b"fragment1", b"fragment2"), "fragment1fragment2"),
    case("5.3 in binary", fragmented(BINARY, b"\xff", b"\xfe"), b"\xff\xfe"),
    case("5.6", BEGUN + masked(PING, b"p") + masked(0), "frag", sent=answer(PONG, b"p")),
    fails("5.9", masked(0, b"nothing to continue")),
    fails("5.12", masked(0, b"x", fin=False)),
    fails("5.18", BEGUN + masked(TEXT, b"ment")),
    fails("5.18 in binary", BEGUN + masked(BINARY, b"ment", fin=False)),
    case(
        "5.19",
        BEGUN + masked(PING, b"1") + masked(0, b"m", fin=False) + masked(PING, b"2") + masked(0),
        "fragm",
        sent=answer(PONG, b"1") + answer(PONG, b"2"),
    ),
    case("6.1.1", masked(TEXT), ""),
    case("6.1.2", fragmented(TEXT, b"", b"", b""), ""),
    case("6.1.3", fragmented(TEXT, b"", b"middle", b""), "middle"),
    case("6.2.1", masked(TEXT, HELLO.encode()), HELLO),
    case("6.2.3", fragmented(TEXT, *in_bytes(HELLO.encode())), HELLO),
    case("6.2.4", fragmented(TEXT, *in_bytes(KOSME.encode())), KOSME),
    fails("6.3.2", fragmented(TEXT, *in_bytes(KOSME.encode() + b"\xed\xa0\x80x")), 1007),
    fails("6.4.1", masked(TEXT, b"x", fin=False) + masked(0, b"\xf4\x90", fin=False), 1007),
    fails("6.4.2", masked(TEXT, b"\xf4", fin=False) + masked(0, b"\x90", fin=False), 1007),
    fails("6.4.3", masked(TEXT, KOSME.encode() + b"\xf4\x90\x80\x80edited")[:19], 1007),
    closes("7.1.2", b"", masked(CLOSE)),
    closes("7.1.3", b"", masked(PING)),
    closes("7.1.4", b"", WHOLE),
    ("7.1.5", BEGUN + masked(CLOSE) + masked(0, b"x"), Outcome([], None, 1005, answer(CLOSE))),
    closes("7.3.1", b""),
    fails("7.3.2", masked(CLOSE, b"a")),
    closes("7.3.4", b"\x03\xe8Hello"),
    closes("7.3.5", b"\x03\xe8" + b"*" * 123),
    fails("7.3.6", masked(CLOSE, b"\x03\xe8" + b"*" * 124)),
    fails("7.5.1", masked(CLOSE, b"\x03\xe8\xce\xba\xed\xa0\x80"), 1007),
    *(
        closes(f"7.7 with {code}", code.to_bytes(2, "big"))
        for code in (1000, 1001, 1002, 1003, *range(1007, 1014), 3000, 3999, 4000, 4999)
    ),
    *(
        fails(f"7.9 with {code}", masked(CLOSE, code.to_bytes(2, "big")))
        for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999)
    ),
    *(fails(f"7.13 with {n}", masked(CLOSE, n.to_bytes(2, "big"))) for n in (5000, 65_535)),
    case("10.1.1", fragmented(TEXT, *in_bytes(b"*" * 65_536, 1_300)), "*" * 65_536),
    # Not of Autobahn, whose client always masks and shortens.
    fails("unmasked", b"\x81\x05hello"),
    fails("2 bytes of length, 1 would do", b"\x81\xfe\x00\x7d"),
    fails("8 bytes of length, 2 would do", b"\x82\xff" + (65_535).to_bytes(8, "big")),
    fails("64 bits of length", b"\x82\xff\x80" + bytes(7)),
]


def check_three_ways(data: bytes, expected: Outcome) -> None:
    """Whole, byte by byte (long ones in 997 bytes, as Autobahn chops), with trailing data."""
    more = ["more"] if expected.failure is expected.peer_close is None else []
    for chunks, messages in (
        ([data], expected.messages),
        (in_bytes(data, 1 if len(data) < 5_000 else 997), expected.messages),
        ([data + masked(TEXT, b"more")], [*expected.messages, *more]),
    ):
        each = list(outcomes(chunks))
        total = Outcome(
            [message for outcome in each for message in outcome.messages],
            each[-1].failure,
            each[-1].peer_close,
            b"".join(outcome.sent for outcome in each),
        )
        assert total == expected._replace(messages=messages)


@pytest.mark.parametrize(
    ("data", "expected"), [c[1:] for c in AUTOBAHN], ids=[c[0] for c in AUTOBAHN]
)
def test_autobahn(data: bytes, expected: Outcome) -> None:
    check_three_ways(data, expected)


VALID_UTF_8 = {
    "6.6": [KOSME.encode()[:length] for length in (2, 5, 7, 9, 11)],
    "6.7": [b"\x00", b"\xc2\x80", b"\xe0\xa0\x80", b"\xf0\x90\x80\x80"],
    "6.9": [b"\x7f", b"\xdf\xbf", b"\xef\xbf\xbf", b"\xf4\x8f\xbf\xbf"],
    "6.11": [b"\xed\x9f\xbf", b"\xee\x80\x80", b"\xef\xbf\xbd"],
    "6.22": [b"\xef\xbf\xbe", b"\xf0\x9f\xbf\xbf"],
    "6.23": [b"\xef\xbf\xb9", b"\xef\xbb\xbf"],
}
INVALID_UTF_8 = {
    "6.6": [KOSME.encode()[:length] for length in (1, 3, 4, 6, 8, 10)],
    "6.8": [b"\xf8\x88\x80\x80\x80", b"\xfc\x84\x80\x80\x80\x80"],
    "6.10": [b"\xf7\xbf\xbf\xbf", b"\xfb\xbf\xbf\xbf\xbf", b"\xfd\xbf\xbf\xbf\xbf\xbf"],
    "6.11": [b"\xf4\x90\x80\x80"],
    "6.12": [b"\x80", b"\xbf", b"\x80\xbf\x80"],
    "6.13": [b"\xc0 \xc1 ", b"\xe0 \xef ", b"\xf0 "],
    "6.14": [b"\xdf", b"\xe0\x80", b"\xef\xbf", b"\xf0\x90\x80"],
    "6.15": [b"\xf0\x90\x80\xe0\xa0"],
    "6.16": [b"\xfe", b"\xff", b"\xfe\xfe\xff\xff"],
    "6.17": [b"\xc0\xaf", b"\xe0\x80\xaf", b"\xf0\x80\x80\xaf"],
    "6.18": [b"\xc1\xbf", b"\xe0\x9f\xbf", b"\xf0\x8f\xbf\xbf"],
    "6.19": [b"\xc0\x80", b"\xe0\x80\x80"],
    "6.20": [b"\xed\xa0\x80", b"\xed\xbf\xbf"],
    "6.21": [b"\xed\xa0\x80\xed\xb0\x80"],
}


@pytest.mark.parametrize("group", VALID_UTF_8)
def test_autobahn_valid_utf_8(group: str) -> None:
    for payload in VALID_UTF_8[group]:
        check_three_ways(*case(group, masked(TEXT, payload), payload.decode())[1:])


@pytest.mark.parametrize("group", INVALID_UTF_8)
def test_autobahn_invalid_utf_8(group: str) -> None:
    for payload in INVALID_UTF_8[group]:
        check_three_ways(*fails(group, masked(TEXT, payload), 1007)[1:])
