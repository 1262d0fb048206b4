"""The client's side of WebSocket: what is an agreement, and that frames are read as wsproto's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.runtime import counting_entropy
from wsproto.connection import Connection, ConnectionState, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Ping, TextMessage

from sansocket.sansio.config import PerMessageDeflate
from sansocket.sansio.engineio.client.websocket import (
    OFFER,
    Agreed,
    ClientWebSocket,
    check_answer,
)
from sansocket.sansio.engineio.encoded import encode_message
from sansocket.sansio.engineio.permessage_deflate import negotiate
from sansocket.sansio.engineio.websocket import WebSocket
from sansocket.sansio.errors import LocalProtocolError, RemoteProtocolError

KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
ANSWER = {
    b"upgrade": b"websocket",
    b"connection": b"Upgrade",
    b"sec-websocket-accept": b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
}
EXTENSIONS = b"sec-websocket-extensions"


def socket(**options: object) -> ClientWebSocket:
    return ClientWebSocket(max_message=1000, entropy=counting_entropy(), **options)  # type: ignore[arg-type]  # each of its own type


# The handshake


def test_the_answer_of_the_specification() -> None:
    """RFC 6455, section 1.3."""
    assert check_answer(list(ANSWER.items()), KEY) == Agreed(None, deflates=False)
    changed = ANSWER | {b"upgrade": b"WebSocket", b"connection": b"keep-alive, upgrade"}
    assert check_answer(list(changed.items()), KEY) == Agreed(None, deflates=False)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (b"upgrade", None),
        (b"upgrade", b"h2c"),
        (b"upgrade", b"websocket, h2c"),
        (b"connection", b"close"),
        (b"connection", None),
        (b"sec-websocket-accept", None),
        (b"sec-websocket-accept", b"AAAALMBiTxaQ9kYGzzhZRbK+xOo="),
        (b"sec-websocket-protocol", b"other"),
        (EXTENSIONS, b"permessage-deflate; server_no_context_takeover"),
    ],
)
def test_what_is_no_agreement(name: bytes, value: bytes | None) -> None:
    """RFC 6455, section 4.1."""
    headers = [(key, text) for key, text in ANSWER.items() if key != name]
    if value is not None:
        headers.append((name, value))
    with pytest.raises(RemoteProtocolError):
        check_answer(headers, KEY, protocols=["chat"])


def test_two_accepts_or_protocols() -> None:
    for name, value in ((b"sec-websocket-accept", ANSWER[b"sec-websocket-accept"]), (b"x", b"")):
        headers = [*ANSWER.items(), (name, value)]
        if name == b"x":
            headers += [(b"sec-websocket-protocol", b"chat")] * 2
        with pytest.raises(RemoteProtocolError):
            check_answer(headers, KEY, protocols=["chat"])


def test_a_subprotocol() -> None:
    """Row 59: one of those that were offered."""
    headers = [*ANSWER.items(), (b"sec-websocket-protocol", b"chat")]
    assert check_answer(headers, KEY, protocols=["v2", "chat"]).protocol == "chat"


def test_our_own_server_keeps_what_is_offered() -> None:
    agreed = negotiate([(EXTENSIONS, OFFER.encode())])
    assert agreed is not None
    headers = [*ANSWER.items(), (EXTENSIONS, agreed.encode())]
    assert check_answer(headers, KEY, offered=True) == Agreed(None, deflates=True)


@pytest.mark.parametrize(
    ("value", "deflates"),
    [
        ("permessage-deflate; server_no_context_takeover", True),
        ("permessage-deflate;server_no_context_takeover; server_max_window_bits=10", True),
        ("permessage-deflate", None),
        ("permessage-deflate; server_no_context_takeover=1", None),
        ("permessage-deflate; server_no_context_takeover; server_no_context_takeover", None),
        ("permessage-deflate; server_no_context_takeover; client_max_window_bits=9", None),
        ("permessage-deflate; server_no_context_takeover; server_max_window_bits=7", None),
        ("permessage-deflate; server_no_context_takeover, permessage-deflate", None),
        ("x-webkit-deflate-frame", None),
        ("=", None),
        ("", None),
    ],
)
def test_what_a_server_may_make_of_the_offer(value: str, deflates: bool | None) -> None:
    """RFC 7692, section 7.1: it forgets its window, for we keep none."""
    headers = [*ANSWER.items(), (EXTENSIONS, value.encode())]
    if deflates is None:
        with pytest.raises(RemoteProtocolError):
            check_answer(headers, KEY, offered=True)
    else:
        assert check_answer(headers, KEY, offered=True).deflates is deflates


# Frames in

Outcome = tuple[list[str | bytes], int | None, int | None, bytes]


def outcomes(chunks: Iterable[bytes]) -> Iterator[Outcome]:
    """Feed our WebSocket."""
    websocket = ClientWebSocket(max_message=1 << 64, entropy=lambda size: bytes(size))
    for chunk in chunks:
        messages = websocket.receive_data(chunk)
        failure = websocket.failure.close_code if websocket.failure else None
        yield messages, failure, websocket.peer_close, b"".join(websocket.data_to_send())


def plain_outcomes(chunks: Iterable[bytes]) -> Iterator[Outcome]:
    """Feed wsproto alone, in the plainest way; what it sends is unmasked and masked with zeros."""
    connection = Connection(ConnectionType.CLIENT)
    parts: list[str | bytes] = []
    failure: int | None = None
    peer_close: int | None = None
    for chunk in chunks:
        messages: list[str | bytes] = []
        sent = b""
        if failure is None and peer_close is None:
            connection.receive_data(chunk)
            for event in connection.events():
                if isinstance(event, TextMessage | BytesMessage):
                    parts.append(
                        bytes(event.data) if isinstance(event, BytesMessage) else event.data
                    )
                    if event.message_finished:
                        empty = "" if isinstance(event, TextMessage) else b""
                        messages.append(empty.join(parts))  # type: ignore[arg-type]  # all of a kind
                        parts = []
                elif isinstance(event, Ping):
                    sent += with_zero_mask(connection.send(event.response()))
                elif isinstance(event, CloseConnection):
                    if connection.state in (ConnectionState.REMOTE_CLOSING, ConnectionState.CLOSED):
                        peer_close = int(event.code)
                        sent += with_zero_mask(connection.send(event.response()))
                    else:
                        failure = int(event.code)
                    break
        yield messages, failure, peer_close, sent


def with_zero_mask(control: bytes) -> bytes:
    """A masked control frame, with a mask of zeros."""
    mask, payload = control[2:6], control[6:]
    return control[:2] + bytes(4) + bytes(b ^ mask[at % 4] for at, b in enumerate(payload))


@st.composite
def server_frames(draw: st.DrawFn) -> bytes:
    """One frame of a server, now and then a wrong one."""
    payload = draw(
        st.binary(max_size=8)
        | st.text(max_size=4).map(str.encode)
        | st.sampled_from([b"x" * 125, b"y" * 126, b"\x03\xe8", b"\x03\xe8bye", "\u20ac".encode()])
    )
    fin = draw(st.sampled_from([0x80, 0x80, 0x80, 0]))
    opcode = draw(st.sampled_from([1, 1, 2, 2, 0, 0, 8, 9, 10, 3]))
    rsv = draw(st.sampled_from([0] * 9 + [0x40]))
    masked = draw(st.sampled_from([0] * 9 + [0x80]))
    length = len(payload)
    header = bytes((fin | rsv | opcode, masked | length))
    if length > 125:
        header = bytes((fin | rsv | opcode, masked | 126)) + length.to_bytes(2, "big")
    return header + (bytes(4) if masked else b"") + payload


@given(st.lists(server_frames(), max_size=6).map(b"".join) | st.binary(max_size=40), st.data())
def test_frames_are_read_as_wsproto_reads_them(data: bytes, draw: st.DataObject) -> None:
    """The fast path is held equal to wsproto alone, in every split (security rule 21)."""
    cuts = sorted(draw.draw(st.lists(st.integers(0, len(data)), max_size=5)))
    chunks = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    assert list(outcomes(chunks)) == list(plain_outcomes(chunks))
    bytewise = [data[at : at + 1] for at in range(len(data))]
    assert total(outcomes(bytewise)) == total(outcomes([data]))


def total(found: Iterator[Outcome]) -> tuple[list[str | bytes], int | None, int | None]:
    """What came of all chunks together."""
    nothing: Outcome = ([], None, None, b"")
    every = [nothing, *found]
    _, failure, peer_close, _ = every[-1]
    return [message for one in every for message in one[0]], failure, peer_close


def test_a_masked_frame_of_a_server_is_an_error() -> None:
    """RFC 6455, section 5.1."""
    websocket = socket()
    assert websocket.receive_data(b"\x81\x81abcdx") == []
    assert websocket.failure is not None
    assert websocket.failure.close_code == 1002


def test_a_message_is_bounded() -> None:
    """Security rules T4 and 8: before its payload has come."""
    websocket = socket()
    assert websocket.receive_data(b"\x82\x7e\x03\xe9") == []
    assert websocket.failure is not None
    assert websocket.failure.close_code == 1009


FIRST, EMPTY_LAST = b"\x01\x01a", b"\x80\x00"
"""As Autobahn fragments what is cut without a rest: its cases 9.3.2 and 9.4.2 end so."""


def test_autobahn_9_3_2_an_empty_last_fragment_is_counted() -> None:
    """Security rule 7: it comes without a mask, so wsproto ends its message with its header."""
    websocket = socket()
    most = FIRST + b"\x00\x00" * 16_382 + EMPTY_LAST
    assert websocket.receive_data(most * 2) == ["a"] * 2
    assert websocket.failure is None
    websocket = socket()
    assert websocket.receive_data(FIRST + b"\x00\x00" * 16_383 + EMPTY_LAST) == []
    assert websocket.failure is not None
    assert websocket.failure.close_code == 1009


@pytest.mark.parametrize("message", [FIRST + EMPTY_LAST, b"\xc1\x00"])
def test_autobahn_9_3_2_nothing_is_left_of_the_message(message: bytes) -> None:
    """Security rule T4: a compressed message may be longer on the wire, the next one may not."""
    websocket = socket(deflate=PerMessageDeflate())
    assert len(websocket.receive_data(message)) == 1
    assert websocket.between
    assert websocket.receive_data(b"\x82\x7e\x03\xe9" + bytes(1001)) == []
    assert websocket.failure is not None
    assert websocket.failure.close_code == 1009


# Frames out


def through_server(websocket: ClientWebSocket, *messages: str | bytes) -> list[str | bytes]:
    """What our own server reads of one message."""
    server = WebSocket(max_message=100_000, inflates=True)
    data = b"".join(websocket.frames(encode_message(messages)))
    read = server.receive_data(data)
    assert server.failure is None
    return read


@pytest.mark.parametrize("messages", [["x"], [b"x"], ["h\xe4", b"a", b""], ["x" * 70_000]])
def test_messages_arrive(messages: list[str | bytes]) -> None:
    expected = [f"4{part}" if isinstance(part, str) else part for part in messages]
    assert through_server(socket(), *messages) == expected


def test_every_frame_has_a_mask_of_its_own() -> None:
    """RFC 6455, section 5.3: from the entropy that was given."""
    one, two = socket().frames(encode_message(["x", b"y"]))
    assert (one[2:6], two[2:6]) == (b"\0\0\0\1", b"\0\0\0\2")


def test_binary_as_base64() -> None:
    """Row 55: as in a payload of polling."""
    assert through_server(socket(base64=True), "x", b"abc") == ["4x", "bYWJj"]
    assert through_server(socket(base64=True), b"abc") == ["bYWJj"]


def test_long_messages_are_compressed_where_that_was_agreed_to() -> None:
    """Row 60: from the threshold on, and where it makes them shorter."""
    options = PerMessageDeflate(threshold=100)
    long, random = "x" * 100, bytes(number * 97 % 256 for number in range(256))
    websocket = socket(deflate=options)
    assert [data[0] for data in websocket.frames(encode_message([long]))] == [0xC1]
    assert [data[0] for data in websocket.frames(encode_message(["x" * 98]))] == [0x81]
    assert [data[0] for data in websocket.frames(encode_message([random]))] == [0x82]
    assert [data[0] for data in websocket.frames(encode_message([long], compress=False))] == [0x81]
    assert through_server(websocket, long, bytes(500)) == ["4" + long, bytes(500)]


def test_what_is_compressed_is_inflated_within_the_bound() -> None:
    """Security rule 8."""
    server_side = encode_message(["x" * 900]).deflated(PerMessageDeflate(threshold=1))
    websocket = socket(deflate=PerMessageDeflate())
    assert websocket.receive_data(server_side) == ["4" + "x" * 900]
    bomb = encode_message(["x" * 1000]).deflated(PerMessageDeflate(threshold=1))
    assert websocket.receive_data(bomb) == []
    assert websocket.failure is not None


def test_close() -> None:
    websocket = socket()
    assert websocket.close(1000, "bye") == b"\x88\x85\0\0\0\1\x03\xe8bye"[:6] + bytes(
        a ^ b for a, b in zip(b"\x03\xe8bye", b"\0\0\0\1\0", strict=True)
    )
    assert websocket.close() == b""
    with pytest.raises(LocalProtocolError, match="may not be sent"):
        websocket.close(1005)
    assert websocket.receive_data(b"\x81\x01x\x88\x02\x03\xe8") == ["x"]
    assert websocket.closed
    assert websocket.data_to_send() == []
