"""The handshake, the limits that wsproto has not, pings and closing.

That frames are read as wsproto reads them, and as the Autobahn test suite wants
them read, is `test_websocket_conformance.py`'s matter.
"""

from __future__ import annotations

import struct
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, TextMessage

from sansocket.sansio.engineio.websocket import WebSocket, check_handshake
from sansocket.sansio.engineio.websocket_frames import BINARY, CLOSE, PING, PONG, TEXT, frame
from sansocket.sansio.errors import LocalProtocolError, Reason, RemoteProtocolError


def masked(opcode: int, payload: bytes = b"", *, fin: bool = True) -> bytes:
    """Build a client's frame; its mask is zero, so that the payload can be read."""
    length = len(payload)
    if length < 126:
        header = struct.pack("!BB", fin << 7 | opcode, 0x80 | length)
    elif length < 65_536:
        header = struct.pack("!BBH", fin << 7 | opcode, 0x80 | 126, length)
    else:
        header = struct.pack("!BBQ", fin << 7 | opcode, 0x80 | 127, length)
    return header + bytes(4) + payload


def fragmented(opcode: int, *payloads: bytes) -> bytes:
    """Build the frames of one message."""
    return b"".join(
        masked(0 if number else opcode, payload, fin=number == len(payloads) - 1)
        for number, payload in enumerate(payloads)
    )


def in_bytes(data: bytes) -> list[bytes]:
    return [data[at : at + 1] for at in range(len(data))]


HANDSHAKE = {
    b"host": b"example.com",
    b"upgrade": b"websocket",
    b"connection": b"Upgrade",
    b"sec-websocket-version": b"13",
    b"sec-websocket-key": b"dGhlIHNhbXBsZSBub25jZQ==",
}


def test_handshake_of_the_specification() -> None:
    """RFC 6455, section 1.3."""
    assert check_handshake(list(HANDSHAKE.items())) == b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


def test_handshake_tokens_stand_in_lists_of_any_case() -> None:
    changed = HANDSHAKE | {b"upgrade": b"h2c,WebSocket", b"connection": b"keep-alive, UPGRADE"}
    check_handshake([*changed.items(), (b"upgrade", b"other"), (b"connection", b"other")])


@pytest.mark.parametrize(
    ("name", "value", "status"),
    [
        (b"upgrade", None, 400),
        (b"upgrade", b"websockets", 400),
        (b"upgrade", b"\xff", 400),
        (b"connection", None, 400),
        (b"connection", b"close", 400),
        (b"sec-websocket-version", None, 400),
        (b"sec-websocket-version", b"", 426),
        (b"sec-websocket-version", b"8", 426),
        (b"sec-websocket-version", b"13, 8", 426),
        (b"sec-websocket-key", None, 400),
        (b"sec-websocket-key", b"", 400),
        (b"sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQ", 400),
        (b"sec-websocket-key", b"dGhlIHNhbXBsZSBub25j", 400),
        (b"sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZSE=", 400),
        (b"sec-websocket-key", b"dGhlIHNhbXBsZSBub25j-Q==", 400),
        (b"sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQ==\n", 400),
    ],
)
def test_handshake_is_refused(name: bytes, value: bytes | None, status: int) -> None:
    """RFC 6455, section 4.2.1; and an empty key, which wsproto takes."""
    headers = [(key, old) for key, old in HANDSHAKE.items() if key != name]
    with pytest.raises(RemoteProtocolError) as caught:
        check_handshake(headers if value is None else [*headers, (name, value)])
    assert caught.value.status == status


@pytest.mark.parametrize("name", [b"sec-websocket-version", b"sec-websocket-key"])
def test_handshake_is_refused_with_a_header_twice(name: bytes) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        check_handshake([*HANDSHAKE.items(), (name, HANDSHAKE[name])])
    assert caught.value.status == 400


@pytest.mark.parametrize("length", [0, 1, 125, 126, 127, 65_535, 65_536])
def test_frame_is_the_one_of_wsproto(length: int) -> None:
    connection = Connection(ConnectionType.SERVER)
    assert frame(TEXT, b"x" * length) == connection.send(TextMessage("x" * length))
    assert frame(BINARY, b"x" * length) == connection.send(BytesMessage(b"x" * length))


@pytest.mark.parametrize(
    ("opcode", "length"), [(0, 1), (3, 1), (11, 1), (0x81, 1), (-1, 1), (CLOSE, 126), (PING, 126)]
)
def test_illegal_frame_is_the_callers_fault(opcode: int, length: int) -> None:
    with pytest.raises(LocalProtocolError):
        frame(opcode, b"x" * length)


@pytest.fixture
def fed(monkeypatch: pytest.MonkeyPatch) -> bytearray:
    """The bytes that reach wsproto."""
    fed = bytearray()

    def receive_data(connection: Connection, data: bytes) -> None:
        fed.extend(data)
        original(connection, data)

    original = Connection.receive_data
    monkeypatch.setattr(Connection, "receive_data", receive_data)
    return fed


def test_whole_frames_do_not_reach_wsproto(fed: bytearray) -> None:
    websocket = WebSocket(max_message=65_536)
    data = b"".join(masked(TEXT, b"x" * n) + masked(BINARY, b"x" * n) for n in (0, 126, 65_536))
    types = [type(message) for message in websocket.receive_data(data)]
    assert types == [str, bytes] * 3
    assert not fed


@pytest.mark.parametrize(
    "slow", [masked(PING, b"p"), fragmented(TEXT, b"a", b"b"), masked(PONG) + masked(PING)]
)
def test_fast_path_resumes_after_wsproto(fed: bytearray, slow: bytes) -> None:
    """wsproto gets every frame that is its own, to the last byte, and no other."""
    websocket = WebSocket(max_message=100)
    whole = masked(TEXT, b"whole")
    websocket.receive_data(whole + slow + whole + slow[:7])
    websocket.receive_data(slow[7:] + whole)
    assert fed == slow * 2


def test_fast_path_resumes_after_partial_frame(fed: bytearray) -> None:
    """A header alone is held back; of a frame whose payload has begun wsproto gets the rest."""
    websocket = WebSocket(max_message=100)
    whole = masked(TEXT, b"whole")
    assert websocket.receive_data(whole + whole[:1]) == ["whole"]
    assert websocket.receive_data(whole[1:] + whole) == ["whole"] * 2
    assert not fed
    assert websocket.receive_data(whole + whole[:8]) == ["whole"]
    assert websocket.receive_data(whole[8:] + whole) == ["whole"] * 2
    assert fed == whole


def refused_with(websocket: WebSocket) -> int | None:
    return websocket.failure.close_code if websocket.failure else None


@pytest.mark.parametrize(
    ("data", "close_code"),
    [
        (b"\x81\xfe" + (125).to_bytes(2, "big") + bytes(4 + 125), 1002),
        (b"\x82\xff" + (65_535).to_bytes(8, "big") + bytes(4 + 65_535), 1002),
        (masked(TEXT, b"\xff"), 1007),
    ],
)
def test_whole_frames_that_are_wrong_are_left_to_wsproto(data: bytes, close_code: int) -> None:
    websocket = WebSocket(max_message=65_535)
    assert websocket.receive_data(masked(TEXT, b"whole") + data) == ["whole"]
    assert refused_with(websocket) == close_code


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_message_of_exactly_the_limit_passes(opcode: int) -> None:
    """Security rule T4: exactly 1,000,000 bytes pass, in one frame or many, again and again."""
    websocket = WebSocket(max_message=1_000_000)
    whole = masked(opcode, b"x" * 1_000_000)
    parts = fragmented(opcode, b"x" * 600_000, b"", b"x" * 400_000)
    for data in (whole, parts, whole[:-1], whole[-1:] + parts):
        for message in websocket.receive_data(data):
            assert len(message) == 1_000_000
    assert refused_with(websocket) is None


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(masked(BINARY, b"x" * 1_000_001), id="whole"),
        pytest.param(masked(BINARY, b"x" * 1_000_001)[:10], id="header"),
        pytest.param(b"\x82\xff\x7f" + b"\xff" * 7, id="longest"),
        pytest.param(fragmented(TEXT, b"x" * 1_000_000, b"x"), id="fragments"),
        pytest.param(
            masked(TEXT, b"x" * 600_000, fin=False) + masked(0, b"x" * 400_001)[:10], id="sum"
        ),
        pytest.param(masked(TEXT, "\u00e9".encode() * 500_001), id="bytes, not characters"),
    ],
)
def test_message_over_the_limit_is_refused_by_its_header(data: bytes) -> None:
    """Security rule T4: one byte more is 1009, before it arrives; what came before is returned."""
    websocket = WebSocket(max_message=1_000_000)
    assert websocket.receive_data(masked(TEXT, b"before") + data) == ["before"]
    assert refused_with(websocket) == 1009


@given(st.integers(0, 6), st.lists(st.lists(st.integers(0, 4), min_size=1, max_size=4), max_size=4))
def test_limit_is_of_the_sum_of_each_message(limit: int, sizes: list[list[int]]) -> None:
    """Security rule T4, in any split into fragments, whole and byte by byte."""
    data = b"".join(fragmented(BINARY, *(b"x" * size for size in message)) for message in sizes)
    over = [sum(message) > limit for message in sizes]
    passing = sizes[: over.index(True)] if any(over) else sizes
    for chunks in ([data], in_bytes(data)):
        websocket = WebSocket(max_message=limit)
        messages = [message for chunk in chunks for message in websocket.receive_data(chunk)]
        assert messages == [b"x" * sum(message) for message in passing]
        assert refused_with(websocket) == (1009 if any(over) else None)


def test_fragments_are_bounded() -> None:
    """Security rule 7: 16,384 fragments pass, one more is 1009; control frames do not count."""
    websocket = WebSocket(max_message=100)
    first, more = masked(TEXT, b"a", fin=False), masked(0, fin=False) * 16_382
    assert websocket.receive_data((first + masked(PING) + more + masked(0, b"z")) * 2) == ["az"] * 2
    assert websocket.receive_data(first + more + masked(0, fin=False)) == []
    assert refused_with(websocket) is None
    assert websocket.receive_data(masked(0, b"z")) == []
    assert refused_with(websocket) == 1009


def test_limit_of_fragments_can_be_set() -> None:
    websocket = WebSocket(max_message=100, max_fragments=2)
    data = fragmented(TEXT, b"a", b"b") + fragmented(TEXT, b"a", b"b", b"c")
    assert websocket.receive_data(data) == ["ab"]
    assert refused_with(websocket) == 1009


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_incomplete_message_takes_its_own_size(opcode: int) -> None:
    """Security rule 7: pieces of two bytes go into one buffer, not into a list of objects."""
    websocket = WebSocket(max_message=1_000_000)
    data = masked(opcode, b"x" * 30_000)
    websocket.receive_data(data[:10])
    tracemalloc.start()
    try:
        for _ in range(14_998):
            assert websocket.receive_data(b"xx") == []
        assert tracemalloc.get_traced_memory()[0] < 3 * 30_000
    finally:
        tracemalloc.stop()
    assert len(websocket.receive_data(b"xx")[0]) == 30_000


def test_nothing_is_processed_after_failure() -> None:
    """Security rule 21; the answer is a close frame with the failure's code, once."""
    websocket = WebSocket(max_message=100)
    whole = masked(TEXT, b"whole")
    assert websocket.receive_data(whole + b"\xf1" + whole) == ["whole"]
    assert websocket.receive_data(whole + masked(PING) + masked(CLOSE)) == []
    assert websocket.failure is not None
    assert websocket.failure.reason is Reason.TRANSPORT_ERROR
    assert str(websocket.failure)
    assert websocket.close(websocket.failure.close_code) == frame(CLOSE, b"\x03\xea")
    assert websocket.close() == b""
    assert not websocket.pending
    assert not websocket.closed


def test_pings_are_answered_and_pongs_ignored() -> None:
    websocket = WebSocket(max_message=100)
    assert websocket.receive_data(masked(PING, b"1") + masked(PONG, b"x") + masked(PING)) == []
    assert websocket.pending
    assert websocket.data_to_send() == [frame(PONG, b"1"), frame(PONG, b"")]
    assert not websocket.pending
    assert websocket.data_to_send() == []


def test_only_the_newest_pings_are_answered() -> None:
    """RFC 6455, section 5.5.3: pongs that nobody takes do not pile up."""
    websocket = WebSocket(max_message=100)
    for number in range(17):
        websocket.receive_data(masked(PING, b"%d" % number))
    pongs = [frame(PONG, b"%d" % number) for number in range(17)]
    assert websocket.data_to_send() == pongs[1:]
    websocket.receive_data(b"".join(masked(PING, b"%d" % number) for number in range(16)))
    assert websocket.data_to_send() == pongs[:16]


def test_answer_to_close_outlives_waiting_pongs() -> None:
    websocket = WebSocket(max_message=100)
    websocket.receive_data(masked(PING) * 20 + masked(CLOSE, b"\x0f\xa0bye"))
    assert websocket.data_to_send() == [frame(PONG, b"")] * 15 + [frame(CLOSE, b"\x0f\xa0bye")]


def test_close_of_peer_is_answered_with_its_code() -> None:
    """RFC 6455, section 5.5.1; security rule 21: nothing after it is processed."""
    websocket = WebSocket(max_message=100)
    whole = masked(TEXT, b"whole")
    data = whole + masked(CLOSE, b"\x03\xe9bye") + whole + masked(PING)
    assert websocket.receive_data(data) == ["whole"]
    assert websocket.peer_close == 1001
    assert websocket.closed
    assert websocket.data_to_send() == [frame(CLOSE, b"\x03\xe9bye")]
    assert websocket.close() == b""
    assert websocket.receive_data(whole + b"\xff") == []
    assert websocket.failure is None


def test_close_without_code_is_1005_and_answered_so() -> None:
    websocket = WebSocket(max_message=100)
    websocket.receive_data(masked(CLOSE))
    assert websocket.peer_close == 1005
    assert websocket.data_to_send() == [frame(CLOSE, b"")]


def test_our_close_is_sent_once_and_not_answered_twice() -> None:
    websocket = WebSocket(max_message=100)
    assert websocket.close(1001, "bye") == frame(CLOSE, b"\x03\xe9bye")
    assert websocket.close(1000) == b""
    assert not websocket.closed
    # What was under way when we closed still counts, but a ping has no answer any more.
    data = masked(TEXT, b"late") + fragmented(TEXT, b"la", b"ter") + masked(PING)
    assert websocket.receive_data(data) == ["late", "later"]
    websocket.receive_data(masked(CLOSE, b"\x03\xe9"))
    assert websocket.closed
    assert websocket.peer_close == 1001
    assert not websocket.pending


def test_our_close_comes_behind_waiting_pongs() -> None:
    """RFC 6455, sections 5.5.1 and 5.5.2: every ping has its pong, and nothing follows a close."""
    websocket = WebSocket(max_message=100)
    websocket.receive_data(masked(PING, b"p"))
    assert websocket.close() == frame(PONG, b"p") + frame(CLOSE, b"\x03\xe8")
    assert not websocket.pending


def test_close_reason_is_cut_between_characters() -> None:
    close = WebSocket(max_message=100).close(4999, "\u20ac" * 50)
    assert close == frame(CLOSE, b"\x13\x87" + "\u20ac".encode() * 41)


@pytest.mark.parametrize("code", [-1, 0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 70_000])
def test_illegal_close_code_is_the_callers_fault(code: int) -> None:
    websocket = WebSocket(max_message=100)
    with pytest.raises(LocalProtocolError):
        websocket.close(code)
    with pytest.raises(LocalProtocolError):
        websocket.close(1000, "\ud800")
    assert websocket.close() == frame(CLOSE, b"\x03\xe8")
