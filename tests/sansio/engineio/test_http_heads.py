"""The heads of requests: the short way says what h11 says, or nothing."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sansocket.sansio.engineio.http_heads import (
    MAX_QUERY_FIELDS,
    NAMES,
    Head,
    read_any_head,
    read_head,
    read_plain_head,
    read_query,
)
from sansocket.sansio.errors import RemoteProtocolError

MOST = 5  # headers

USUAL = (
    b"GET /socket.io/?EIO=4&transport=websocket&sid=a%20b HTTP/1.1\r\nHost: localhost:3000\r\n"
    b"Connection: keep-alive, Upgrade\r\nUPGRADE:websocket\r\nuser-agent:  A (b; c)\td\r\n\r\n"
)

NAME = st.sampled_from([b"Host", b"hOST", b"Accept", b"Connection", b"Upgrade", b"X-\xe9", b"X y"])
FRAMING = st.sampled_from([b"Content-Length", b"Transfer-Encoding", b"Expect", b"", b"Cookie"])
VALUE = st.sampled_from(
    [
        *(b"h", b"h:80", b"h h", b"[::1]:80", b"close", b"a, CLOSE", b"enclosed", b"upgrade", b""),
        *(b"\xe9", b"a\tb ", b" a", b"0", b"5", b"chunked", b"100-continue", b"websocket"),
        *(b"\x7f", b"a\x0bb", b"\x1f", b'a,b;c="d"'),
    ]
)


def line_of(name: bytes, colon: bytes, value: bytes) -> bytes:
    """One line of a head."""
    return name + colon + value + b"\r\n"


def head_of(method: bytes, target: bytes, version: bytes, lines: list[bytes]) -> bytes:
    """A whole head."""
    return b"%b %b %b\r\n%b\r\n" % (method, target, version, b"".join(lines))


LINE = st.builds(
    line_of,
    NAME | FRAMING | st.sampled_from(sorted(NAMES)),
    st.sampled_from([b": ", b": ", b":", b" :", b":\t ", b""]),
    VALUE | st.from_regex(rb"[^\r\n\0]{0,9}", fullmatch=True),
)
TARGET = st.sampled_from(
    [
        *(b"/", b"/a?b", b"/a?b=c&b=d&&=e", b"/?a=%41+b", b"/a#b?c#d", b"*", b"http://h/a", b""),
        *(b"/a b", b"/\xe9", b"/?" + b"&" * (MAX_QUERY_FIELDS - 1)),
        b"/?" + b"&" * MAX_QUERY_FIELDS,
    ]
) | st.from_regex(rb"/[^\r\n\0]{0,9}", fullmatch=True)
METHODS = st.sampled_from([b"get", b"POST", b"HEAD", b"CONNECT"])
VERSIONS = st.sampled_from([b"HTTP/1.0", b"HTTP/2.0", b"http/1.1", b"HTTP/1.1 "])
LINES = st.lists(LINE.filter(lambda line: line != b"\r\n"), min_size=1, max_size=2)


@st.composite
def heads(draw: st.DrawFn) -> bytes:
    """A head as most clients send it, but for one part that may be anything."""
    odd = draw(st.sampled_from(["method", "target", "version", "host", "lines", "lines", "lines"]))
    lines = draw(LINES) if odd == "lines" else []
    lines[:0] = [] if odd == "host" else [b"Host: h\r\n"]
    lines += [b"X-%d: y\r\n" % number for number in range(draw(st.integers(0, MOST)))]
    return head_of(
        draw(METHODS) if odd == "method" else b"GET",
        draw(TARGET) if odd == "target" else b"/a?b=c",
        draw(VERSIONS) if odd == "version" else b"HTTP/1.1",
        lines,
    )


HEADS = heads()


def by_h11(head: bytes) -> Head | None:
    """What the long way makes of a head; None where that refuses it."""
    try:
        return read_any_head(head, MOST)
    except RemoteProtocolError:
        return None


@settings(max_examples=500)  # a millisecond for ten
@given(HEADS)
@example(USUAL)
def test_the_short_way_is_h11s(head: bytes) -> None:
    """Security rules 9 and T30: whatever the short way takes, the long one reads the same."""
    plain = read_plain_head(head, MOST)
    if plain is not None:
        assert plain == by_h11(head)


@given(HEADS)
def test_either_way_is_taken(head: bytes) -> None:
    """What is left to h11 is read or refused by it."""
    try:
        found: Head | None = read_head(head, MOST)
    except RemoteProtocolError:
        found = None
    assert found == by_h11(head)


def test_the_short_way_is_taken() -> None:
    """By what clients send: npm's client in node and in a browser, and a proxy."""
    for lines in (
        b"",
        b"Connection: keep-alive\r\nAccept: */*\r\n",
        b"Origin: https://example.com\r\nCookie: a=b; c=d\r\nUser-Agent: Mozilla/5.0 (X; Y)\r\n",
        b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZQ==\r\n",
    ):
        assert read_plain_head(b"GET /a?b HTTP/1.1\r\nHost: h\r\n%b\r\n" % lines, MOST) is not None
    assert read_plain_head(USUAL, MOST) is not None


@pytest.mark.parametrize(
    "lines",
    [
        b"",
        b"Host: h\r\nHost: h\r\n",
        b"Host: h h\r\n",
        b"Host : h\r\n",
        b"Host: h\r\n a\r\n",
        b"Host: h\r\nA: \r\n",
        b"Host: h\r\nA: b \r\n",
        b"Host: h\r\nA: \xe9\r\n",
        b"Host: h\r\nConnection: close\r\n",
        b"Host: h\r\nContent-Length: 0\r\n",
        b"Host: h\r\nTransfer-Encoding: chunked\r\n",
        b"Host: h\r\nExpect: 100-continue\r\n",
        b"Host: h\r\nA: b\r\nB: c\r\nC: d\r\nD: e\r\nE: f\r\n",
    ],
)
def test_what_is_unusual_is_left_to_h11(lines: bytes) -> None:
    """It is judged, and refused, in one place (security rules 9 and T30)."""
    assert read_plain_head(b"GET / HTTP/1.1\r\n%b\r\n" % lines, MOST) is None


@pytest.mark.parametrize("name", sorted(NAMES.items()))
def test_names_are_in_lower_case(name: tuple[bytes, bytes]) -> None:
    """The table of the names that are sent mostly holds the same names."""
    assert name[0].lower() == name[1]


@given(st.text(st.sampled_from("ab=&;%+4é"), max_size=12) | st.text(max_size=9))
@example("EIO=4&transport=websocket&sid=&sid=4")
def test_a_query_is_read_as_by_the_standard_library(fields: str) -> None:
    """Of a repeated name the first value."""
    pairs = parse_qsl(fields, keep_blank_values=True, errors="replace")
    assert read_query(fields) == dict(reversed(pairs))


def test_the_patterns_never_go_back() -> None:
    """Security rule 15: a head that fails at its very end takes no longer than its length."""
    long = b"GET /" + b"a" * 8000 + b" HTTP/1.1\r\nHost: h\r\nA: " + b"b \t" * 2600 + b"\r\n\r\n"
    assert read_plain_head(long, MOST) is None
