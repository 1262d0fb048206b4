"""The bytes of answers: those that h11 would write, and no others."""

from __future__ import annotations

import h11
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sansocket.sansio.engineio.http_answers import (
    Headers,
    Response,
    check_headers,
    encode_answer,
    encode_head,
    says_close,
)
from sansocket.sansio.errors import LocalProtocolError

STATUSES = st.sampled_from([0, 99, 101, 200, 204, 304, 400, 413, 599, 999, 1000]) | st.integers()
PART = st.text(st.sampled_from("aA-: \t\r\n\0é€\x0b\x1f\x7f\x85\xa0"), max_size=4)
PAIRS = st.tuples(PART | st.sampled_from(["A", "Vary", "X-Y"]), PART)
ANSWERS = st.builds(Response, STATUSES, st.lists(PAIRS, max_size=3).map(tuple), st.binary())


def by_h11(response: Response, *, close: bool) -> bytes | None:
    """What h11 writes as the answer to a GET; None where it refuses to."""
    server = h11.Connection(h11.SERVER)
    ending = b"Connection: close\r\n" if close else b""
    server.receive_data(b"GET / HTTP/1.1\r\nHost: h\r\n%b\r\n" % ending)
    server.next_event()
    status, headers, body = response.status, response.headers, response.body
    if status < 200:
        return None
    if status != 204 and (body or status != 304):
        headers = (*headers, ("Content-Length", str(len(body))))
    reason = encode_head(status, ()).split(b" ", 2)[2][:-4] if status <= 999 else b""
    try:
        encoded = [(name.encode("ascii"), value.encode("latin-1")) for name, value in headers]
        data = server.send(h11.Response(status_code=status, headers=encoded, reason=reason))
    except (h11.LocalProtocolError, UnicodeEncodeError):
        return None
    if body and status not in (204, 304):
        data += server.send(h11.Data(data=body))
    return data + server.send(h11.EndOfMessage())


@given(ANSWERS, st.booleans())
@example(Response(200, (("A", "b  c"), ("Set-Cookie", "d"), ("Set-Cookie", "é")), b"body"), True)
@example(Response(204, (), b"body"), False)
@example(Response(304, (), b"body"), False)
def test_answers_are_h11s(response: Response, close: bool) -> None:
    """The same bytes, and the same refusals: nothing in a header can end it."""
    try:
        data: bytes | None = encode_answer(response, head_only=False, close=close)
    except LocalProtocolError:
        data = None
    assert data == by_h11(response, close=close)


def test_to_head_the_body_is_left_out() -> None:
    """But its length is told (RFC 9110, section 9.3.2)."""
    data = encode_answer(Response(200, (), b"body"), head_only=True, close=False)
    assert data == b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"


@pytest.mark.parametrize("name", ["Content-Length", "transfer-encoding"])
def test_an_answer_does_not_frame_itself(name: str) -> None:
    """Rule 5 of http.py."""
    with pytest.raises(LocalProtocolError):
        encode_answer(Response(200, ((name, "1"),)), head_only=False, close=False)


@pytest.mark.parametrize(
    ("headers", "close"),
    [
        ((), False),
        ((("Connection", "keep-alive"),), False),
        ((("A", "close"),), False),
        ((("connection", "a, Close"),), True),
    ],
)
def test_what_closes(headers: Headers, close: bool) -> None:
    """An answer that says so is the last one."""
    assert says_close(headers) is close


@pytest.mark.parametrize(
    "pair",
    [
        ("Content-Length", "1"),
        ("connection", "close"),
        ("Upgrade", "h2c"),
        ("Sec-WebSocket-Accept", "a"),
        ("A", "b\r\nC: d"),
        ("A", "b "),
        ("A b", "c"),
        ("é", "a"),
        ("A", "€"),
        ("A", 1),
        (b"A", "b"),
    ],
)
def test_headers_that_an_application_may_not_add(pair: tuple[str, str]) -> None:
    """What would be another header, or another framing, never goes out."""
    with pytest.raises(LocalProtocolError):
        check_headers([pair])
    check_headers([("A", "b"), ("Set-Cookie", "c=é")])
