"""The short way for a plain close frame: it does what wsproto does, or leaves it to wsproto."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from sansocket.sansio.engineio.websocket import WebSocket
from sansocket.sansio.engineio.websocket_frames import CLOSE, PING, TEXT, masked_frame

MASKS = st.binary(min_size=4, max_size=4)
CODES = st.sampled_from([b"", b"\x03", b"\x03\xe8", b"\x03\xe9", b"\x03\xea", b"\x03\xed", b"\0\0"])
BEFORE = st.sampled_from(
    [b"", masked_frame(TEXT, b"a", b"abcd"), masked_frame(PING, b"a", b"abcd")]
)
AFTER = st.sampled_from(
    [b"", b"\x88", b"\x81\x02\x7f\xff", masked_frame(TEXT, b"b", b"abcd")]  # the third is illegal
)


def told(pieces: list[bytes], *, closed: bool) -> tuple[object, ...]:
    """All that a WebSocket says when it has received these pieces."""
    websocket = WebSocket(max_message=10)
    ours = websocket.close(1001) if closed else b""
    messages = [message for piece in pieces for message in websocket.receive_data(piece)]
    failure = websocket.failure and websocket.failure.close_code
    said = (messages, failure, websocket.peer_close, websocket.closed, websocket.between)
    # After our own close a ping is not answered, whoever reads it.
    return (ours, *said, b"".join(websocket.data_to_send()), websocket.close(1000))


@given(CODES | st.binary(max_size=4), MASKS, BEFORE, AFTER, st.booleans())
@example(b"\x03\xe8", b"\0\0\0\0", b"", b"", False)
@example(b"", b"\n\n\n\n", b"", b"", False)
@example(b"", b"abcd", b"", b"\x81\x02\x7f\xff", False)
@example(b"\x03\xe8ok", b"abcd", b"", b"", False)
def test_close_is_wsprotos(
    payload: bytes, mask: bytes, before: bytes, after: bytes, closed: bool
) -> None:
    """Security rule 21; byte by byte it is wsproto's, for the short way takes whole frames."""
    data = before + masked_frame(CLOSE, payload, mask) + after
    pieces = [data[at : at + 1] for at in range(len(data))]
    assert told([data], closed=closed) == told(pieces, closed=closed)


def test_a_plain_close_needs_no_wsproto() -> None:
    """Most connections end so."""
    for payload in (b"", b"\x03\xe8", b"\x03\xe9"):
        websocket = WebSocket(max_message=10)
        websocket.receive_data(masked_frame(CLOSE, payload, b"abcd"))
        assert (websocket.data_to_send(), websocket.closed) == (
            [bytes((0x88, len(payload))) + payload],
            True,
        )
        assert vars_of(websocket)["_wsproto"] is None


def vars_of(websocket: WebSocket) -> dict[str, object]:
    """The attributes of an object without a dictionary."""
    return {name: getattr(websocket, name) for name in WebSocket.__slots__}
