"""permessage-deflate: what is agreed to, and compressed messages of clients within bounds."""

from __future__ import annotations

import tracemalloc
import zlib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, TextMessage
from wsproto.extensions import Extension, PerMessageDeflate

from sansocket.sansio.engineio.permessage_deflate import Inflate, deflate, longest, negotiate
from sansocket.sansio.engineio.websocket import WebSocket
from sansocket.sansio.engineio.websocket_frames import frame

AGREED = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
TEXT, BINARY, CONTINUATION, PING = 0x1, 0x2, 0x0, 0x9
FIN, COMPRESSED = 0x80, 0x40
LIMIT = 1000


def offer(*values: str) -> str | None:
    """What is answered to these headers."""
    return negotiate([(b"sec-websocket-extensions", value.encode("latin-1")) for value in values])


@pytest.mark.parametrize(
    "offered",
    [
        "permessage-deflate",
        " permessage-deflate ",
        "permessage-deflate; client_max_window_bits",
        "permessage-deflate;client_max_window_bits=8",
        'permessage-deflate ; client_max_window_bits = "15"',
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
        "x-webkit-deflate-frame, permessage-deflate",
        'foo; a="b"; c, , permessage-deflate',
        "permessage-deflate; server_max_window_bits=10, permessage-deflate",
        "permessage-deflate; server_max_window_bits=10, permessage-deflate; unknown, "
        "permessage-deflate; client_max_window_bits",
    ],
)
def test_accepted(offered: str) -> None:
    """RFC 7692, section 7.1: without context on either side, whether it was offered so or not."""
    assert offer(offered) == AGREED
    assert offer("other", offered) == AGREED


def test_our_window() -> None:
    """RFC 7692, section 7.1.2.1: who asks is told; a smaller one we do not have."""
    answer = f"{AGREED}; server_max_window_bits=15"
    assert offer("permessage-deflate; server_max_window_bits=15") == answer


@pytest.mark.parametrize(
    "offered",
    [
        "",
        ",",
        "other",
        "permessage-deflate-x",
        "Permessage-Deflate",
        "permessage-deflate; server_max_window_bits=14",
        "permessage-deflate; server_max_window_bits",
        "permessage-deflate; server_max_window_bits=015",
        "permessage-deflate; client_max_window_bits=7",
        "permessage-deflate; client_max_window_bits=16",
        "permessage-deflate; client_max_window_bits=08",
        "permessage-deflate; client_max_window_bits=x",
        "permessage-deflate; server_no_context_takeover=true",
        "permessage-deflate; client_no_context_takeover=1",
        "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
        "permessage-deflate; client_max_window_bits; client_max_window_bits=9",
        "permessage-deflate; mystery",
        "permessage-deflate; =15",
        "permessage-deflate;",
        "permessage-deflate; client_max_window_bits=",
        'permessage-deflate; client_max_window_bits="15',
        'permessage-deflate; client_max_window_bits="1,5"',
        "a b, permessage-deflate",
    ],
)
def test_declined(offered: str) -> None:
    """RFC 7692, section 7.1: wrong, unknown or twice; and nothing is read behind nonsense."""
    assert offer(offered) is None


def test_not_offered() -> None:
    assert negotiate([(b"sec-websocket-key", b"permessage-deflate")]) is None


@given(st.lists(st.text(st.characters(max_codepoint=255)), max_size=3))
def test_any_offer(values: list[str]) -> None:
    assert offer(*values) in (None, AGREED, f"{AGREED}; server_max_window_bits=15")


@given(st.text('permsagdfl-;,=" \t15x', max_size=60))
def test_any_offer_of_likely_letters(value: str) -> None:
    assert offer("permessage-deflate;" + value) in (
        None,
        AGREED,
        f"{AGREED}; server_max_window_bits=15",
    )


# Inbound


def client_frame(first: int, payload: bytes) -> bytes:
    """A frame of a client; its mask is zero."""
    head = bytearray(frame(BINARY, payload)[: -len(payload) or None])
    head[0] = first
    head[1] |= 0x80
    return bytes(head) + bytes(4) + payload


def outcome(*frames: bytes, limit: int = LIMIT) -> tuple[list[str | bytes], int | None]:
    """The messages and the close code, the same for the frames whole and byte by byte."""
    found: list[tuple[list[str | bytes], int | None]] = []
    for size in (1, 7, 1 << 20):
        websocket = WebSocket(max_message=limit, inflates=True)
        messages: list[str | bytes] = []
        data = b"".join(frames)
        for at in range(0, len(data), size):
            messages += websocket.receive_data(data[at : at + size])
        failure = websocket.failure
        found.append((messages, None if failure is None else failure.close_code))
    assert found[0] == found[1] == found[2]
    return found[0]


HELLO = b"\xf2\x48\xcd\xc9\xc9\x07\x00"


@pytest.mark.parametrize(
    "frames",
    [
        [(FIN | COMPRESSED | TEXT, HELLO)],
        [(COMPRESSED | TEXT, HELLO[:3]), (FIN | CONTINUATION, HELLO[3:])],
        [(COMPRESSED | TEXT, HELLO[:3]), (FIN | PING, b"p"), (FIN | CONTINUATION, HELLO[3:])],
        [(COMPRESSED | TEXT, b""), (CONTINUATION, HELLO), (FIN | CONTINUATION, b"")],
        [(FIN | COMPRESSED | TEXT, b"\x00\x05\x00\xfa\xffHello\x00")],
        [(FIN | COMPRESSED | TEXT, b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00")],
        [(FIN | COMPRESSED | TEXT, b"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00")],
        [(FIN | TEXT, b"Hello")],
    ],
)
def test_examples_of_the_rfc(frames: list[tuple[int, bytes]]) -> None:
    """RFC 7692, section 7.2.3: in one frame or several, stored, final, in two blocks."""
    assert outcome(*(client_frame(*each) for each in frames)) == (["Hello"], None)


def test_no_context() -> None:
    """Each message begins anew: a second one that leans on the first is not understood."""
    once = client_frame(FIN | COMPRESSED | TEXT, HELLO)
    assert outcome(once, once, client_frame(FIN | TEXT, b"x")) == (["Hello", "Hello", "x"], None)
    leaning = client_frame(FIN | COMPRESSED | TEXT, b"\xf2\x00\x11\x00\x00")
    assert outcome(once, leaning) == (["Hello"], 1007)


@pytest.mark.parametrize("size", [0, 1, 100, LIMIT - 1, LIMIT])
def test_up_to_the_limit(size: int) -> None:
    """Security rules T4 and 8: what it inflates to counts; exactly the limit passes."""
    for payload in (bytes(size), bytes(range(256)) * (size // 256 + 1)):
        data = payload[:size]
        whole = client_frame(FIN | COMPRESSED | BINARY, deflate(data, 9))
        assert outcome(whole, whole, whole) == ([data] * 3, None)


@pytest.mark.parametrize("size", [LIMIT + 1, 2 * LIMIT, 1_000_000])
@pytest.mark.parametrize("fragments", [1, 3])
def test_beyond_the_limit(size: int, fragments: int) -> None:
    """Security rules T4 and 8: 1009, however few bytes it came in."""
    small = deflate(bytes(size), 9)
    cuts = [len(small) * n // fragments for n in range(fragments + 1)]
    pieces = [small[start:stop] for start, stop in pairwise(cuts)]
    first = [COMPRESSED | BINARY] + [CONTINUATION] * (fragments - 1)
    first[-1] |= FIN
    frames = [client_frame(*each) for each in zip(first, pieces, strict=True)]
    assert outcome(*frames) == ([], 1009)


def test_incompressible_bytes_up_to_the_limit() -> None:
    """Deflated badly a message is longer than it is, and no less welcome."""
    stored = zlib.compressobj(0, zlib.DEFLATED, -15, 1)
    data = bytes(range(250)) * 4000
    small = (stored.compress(data) + stored.flush(zlib.Z_SYNC_FLUSH))[:-4]
    assert len(data) < len(small) <= longest(len(data))
    whole = client_frame(FIN | COMPRESSED | BINARY, small)
    websocket = WebSocket(max_message=len(data), inflates=True)
    assert websocket.receive_data(whole) == [data]
    assert websocket.failure is None


def test_compressed_bytes_have_a_limit_too() -> None:
    """Security rule T4: blocks without content inflate to nothing, and are no way around it."""
    empty = b"\x00\x00\x00\xff\xff" * 1000
    assert outcome(client_frame(FIN | COMPRESSED | BINARY, empty)) == ([], 1009)
    assert outcome(client_frame(FIN | BINARY, bytes(LIMIT + 1))) == ([], 1009)


def test_a_bomb_takes_no_memory() -> None:
    """Security rule 8: a million bytes for a limit of a thousand, and none of them is made."""
    small = client_frame(FIN | COMPRESSED | BINARY, deflate(bytes(100_000_000), 9)[:1000])
    websocket = WebSocket(max_message=LIMIT, inflates=True)
    tracemalloc.start()
    try:
        assert websocket.receive_data(small) == []
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert websocket.failure is not None
    assert websocket.failure.close_code == 1009
    assert peak < 100_000


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        ([(FIN | COMPRESSED | TEXT, b"\xff\xff\xff")], 1007),
        ([(FIN | COMPRESSED | TEXT, b"\x05")], 1007),
        ([(FIN | COMPRESSED | TEXT, deflate(b"\xff", 6))], 1007),
        ([(FIN | COMPRESSED | TEXT, b"\xf3\x48\xcd\xc9\xc9\x07\x00" + HELLO)], 1007),
        ([(FIN | COMPRESSED | TEXT, b"\xf3\x48\xcd\xc9\xc9\x07\x00\x01")], 1007),
        ([(FIN | COMPRESSED | TEXT, b"\x03\x00" * 400)], 1007),
        ([(FIN | COMPRESSED | PING, b"")], 1002),
        ([(COMPRESSED | TEXT, HELLO[:3]), (FIN | COMPRESSED | CONTINUATION, HELLO[3:])], 1002),
        ([(TEXT, b"a"), (FIN | COMPRESSED | CONTINUATION, HELLO)], 1002),
        ([(COMPRESSED | TEXT, HELLO), (FIN | COMPRESSED | TEXT, HELLO)], 1002),
        ([(FIN | 0x20 | TEXT, b"a")], 1002),
        ([(FIN | COMPRESSED | 0x10 | TEXT, HELLO)], 1002),
    ],
)
def test_wrong(frames: list[tuple[int, bytes]], code: int) -> None:
    """Security rule 21: no deflate, no UTF-8, more behind the end, the bit where it may not be."""
    assert outcome(*(client_frame(*each) for each in frames)) == ([], code)


def test_not_agreed_to() -> None:
    """RFC 7692, section 6: the bit is then reserved."""
    websocket = WebSocket(max_message=LIMIT)
    assert websocket.receive_data(client_frame(FIN | COMPRESSED | TEXT, HELLO)) == []
    assert websocket.failure is not None
    assert websocket.failure.close_code == 1002


@given(st.lists(st.tuples(st.sampled_from([0xC1, 0xC2, 0x41, 0x81, 0x80, 0x00]), st.binary())))
def test_any_frames(frames: list[tuple[int, bytes]]) -> None:
    """Nothing is raised, and it is the same for all cuts."""
    outcome(*(client_frame(*each) for each in frames))


@given(st.lists(st.text() | st.binary(), max_size=4), st.integers(1, 9))
def test_round_trips(messages: list[str | bytes], level: int) -> None:
    """What a client of wsproto's compresses we read, and it reads what we compress."""
    theirs = PerMessageDeflate()
    theirs.finalize(AGREED)
    extensions: list[Extension] = [theirs]
    client = Connection(ConnectionType.CLIENT, extensions)
    websocket = WebSocket(max_message=1_000_000, inflates=True)
    came: list[str | bytes] = []
    for message in messages:
        event = TextMessage(message) if isinstance(message, str) else BytesMessage(message)
        assert websocket.receive_data(client.send(event)) == [message]
        data = message.encode() if isinstance(message, str) else message
        opcode = TEXT if isinstance(message, str) else BINARY
        client.receive_data(frame(opcode, deflate(data, level), deflated=True))
        came += [event.data for event in client.events() if isinstance(event, TextMessage)]
    assert came == [message for message in messages if isinstance(message, str)]


def test_a_server_offers_nothing() -> None:
    extension = Inflate(LIMIT)
    assert extension.enabled()
    assert extension.offer() is False
