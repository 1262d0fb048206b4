"""Answers, whole and byte by byte: what is taken, and what is refused."""

from __future__ import annotations

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sansocket.sansio.engineio.client.http import (
    MAX_HEAD,
    MAX_INTERIM,
    Answer,
    HttpClient,
    HttpRequest,
)
from sansocket.sansio.errors import LocalProtocolError, Reason, RemoteProtocolError

GET = HttpRequest("GET", "/x?a=b", (("Host", "h"),))
UPGRADE = HttpRequest(
    "GET", "/", (*GET.headers, ("Upgrade", "websocket"), ("Connection", "Upgrade"))
)

Outcome = tuple[tuple[int, bytes] | None, str | None, bool, bool]


def outcome(chunks: list[bytes], request: HttpRequest = GET) -> Outcome:
    """The answer, the error, and what becomes of the connection."""
    client = HttpClient(max_body=50)
    client.send(request)
    answer: Answer | None = None
    try:
        for chunk in chunks:
            client.receive_data(chunk)
            answer = client.next_answer() or answer
    except RemoteProtocolError as error:
        return None, f"{error.reason}: {error}", False, False
    read = None if answer is None else (answer.status, answer.body)
    return read, None, client.reusable, client.switched


def three_ways(data: bytes, request: HttpRequest = GET) -> Outcome:
    """The same whole, byte by byte, and in two halves."""
    whole = outcome([data], request)
    assert outcome([data[at : at + 1] for at in range(len(data))], request) == whole
    assert outcome([data[: len(data) // 2], data[len(data) // 2 :]], request) == whole
    return whole


def head(*lines: str, status: str = "200 OK", version: str = "1.1") -> bytes:
    return "\r\n".join([f"HTTP/{version} {status}", *lines, "", ""]).encode("latin-1")


@pytest.mark.parametrize(
    ("data", "answer", "reusable"),
    [
        (head("Content-Length: 3") + b"abc", (200, b"abc"), True),
        (head("content-length:  3 ") + b"abc", (200, b"abc"), True),
        (head("Content-Length: 0"), (200, b""), True),
        (head("Content-Length: 50") + b"x" * 50, (200, b"x" * 50), True),
        (head("Content-Length: 1", "Connection: close") + b"a", (200, b"a"), False),
        (head("Content-Length: 1", version="1.0") + b"a", (200, b"a"), False),
        (
            head("Transfer-Encoding: chunked") + b"1\r\na\r\n2;x\r\nbc\r\n0\r\n\r\n",
            (200, b"abc"),
            True,
        ),
        (head("Transfer-Encoding: chunked") + b"0\r\nX: y\r\n\r\n", (200, b""), True),
        (head(status="204 No"), (204, b""), True),
        (head("Content-Length: 9", status="304 No"), (304, b""), True),
        (head(status="100 Go") + head("Content-Length: 1") + b"a", (200, b"a"), True),
        (head(status="400 Bad"), (400, b""), False),
        (head(status="302 Found") + b"cut", (302, b""), False),
        (head("Content-Length: 1") + b"abc", (200, b"a"), False),
        (head("Content-Length: 3") + b"ab", None, True),
        (head()[:-2], None, True),
        (b"", None, True),
    ],
)
def test_answers(data: bytes, answer: tuple[int, bytes] | None, reusable: bool) -> None:
    assert three_ways(data) == (answer, None, reusable, False)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"HTTP/2", "no HTTP/1.1"),
        (b"\r\nHTTP/1.1", "no HTTP/1.1"),
        (b"garbage", "no HTTP/1.1"),
        (head(status="2000 OK"), "illegal status line"),
        (head("a b: c"), "illegal header"),
        (head("A: b\0"), "NUL, or CR"),
        (head("A: b\nC: d"), "NUL, or CR"),
        (head("A: b\rC: d"), "NUL, or CR"),
        (head(), "without a length"),
        (head("Content-Length: 3", "Content-Length: 3"), "ambiguous length"),
        (head("Content-Length: 3", "Transfer-Encoding: chunked"), "ambiguous length"),
        (head("Content-Length: +3"), "Content-Length"),
        (head("Content-Length: 3, 3"), "ambiguous length"),
        (head("Content-Length: -1"), "Content-Length"),
        (head("Content-Length: 51"), "more than 50 bytes"),
        (head("Content-Length: 99999999999999999999"), "ambiguous length"),
        (head("Transfer-Encoding: gzip"), "Transfer-Encoding"),
        (head("Transfer-Encoding: chunked") + b"33\r\n", "body too large"),
        (head("Transfer-Encoding: chunked") + b"x\r\n", "malformed chunk"),
        (head(status="101 Switch"), "pending proposal"),
        (head(status="103 Hint") * (MAX_INTERIM + 1), "interim answers"),
        (head("A: " + "x" * MAX_HEAD), "head of more than"),
    ],
)
def test_refused(data: bytes, message: str) -> None:
    """The same error, wherever the bytes were cut."""
    whole = outcome([data])
    assert message in str(whole[1])
    assert str(whole[1]).startswith(Reason.TRANSPORT_ERROR)
    if len(data) < 1000:
        three_ways(data)
    else:
        assert outcome([data[:50], data[50:]]) == whole


def test_a_switch_of_protocols() -> None:
    data = head("Upgrade: websocket", "Connection: Upgrade", status="101 Switch")
    client = HttpClient(max_body=50)
    client.send(UPGRADE)
    client.receive_data(data + b"\x81")
    answer = client.next_answer()
    assert answer is not None
    assert (answer.status, client.switched) == (101, True)
    assert answer.header(b"upgrade") == "websocket"
    assert (client.trailing_data(), client.trailing_data()) == (b"\x81", b"")
    with pytest.raises(LocalProtocolError):
        client.send(GET)
    assert three_ways(data, UPGRADE) == ((101, b""), None, True, True)


def test_a_refused_upgrade_is_an_answer() -> None:
    assert three_ways(head("Content-Length: 0", status="400 Bad"), UPGRADE)[0] == (400, b"")


def test_one_request_after_the_other() -> None:
    client = HttpClient(max_body=50)
    for _ in range(3):
        assert client.send(GET) == b"GET /x?a=b HTTP/1.1\r\nHost: h\r\n\r\n"
        assert not client.begun
        with pytest.raises(LocalProtocolError, match="cannot take a request"):
            client.send(GET)
        client.receive_data(head("Content-Length: 1") + b"a")
        assert client.begun
        assert client.next_answer() == Answer(200, ((b"content-length", b"1"),), b"a")
        assert client.next_answer() is None


def test_a_byte_that_nobody_asked_for_ends_the_use() -> None:
    """Two sides that are out of step would take the answers for one another's."""
    client = HttpClient(max_body=50)
    client.receive_data(b"")
    assert client.reusable
    client.receive_data(b"H")
    assert client.next_answer() is None
    with pytest.raises(LocalProtocolError):
        client.send(GET)


def test_a_body() -> None:
    client = HttpClient(max_body=50)
    data = client.send(HttpRequest("POST", "/", GET.headers, b"4hi"))
    server = h11.Connection(h11.SERVER)
    server.receive_data(data)
    request = server.next_event()
    assert isinstance(request, h11.Request)
    assert dict(request.headers) == {b"host": b"h", b"content-length": b"3"}
    body = server.next_event()
    assert isinstance(body, h11.Data)
    assert bytes(body.data) == b"4hi"


@pytest.mark.parametrize(
    "request_", [HttpRequest("GET", "/", ()), HttpRequest("GET", "/ x", GET.headers)]
)
def test_a_request_that_cannot_be_written(request_: HttpRequest) -> None:
    client = HttpClient(max_body=50)
    with pytest.raises(LocalProtocolError):
        client.send(request_)
    client.send(GET)


PIECES = st.sampled_from(
    [
        *(b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 101 X\r\n", b"HTTP/1.0 400 No\r\n", b"\r\n", b"\n"),
        *(b"Content-Length: 3\r\n", b"Transfer-Encoding: chunked\r\n", b"Connection: close\r\n"),
        *(b"abc", b"3\r\nabc\r\n0\r\n\r\n", b" ", b":", b"\0"),
    ]
)


@given(st.lists(PIECES, max_size=8).map(b"".join) | st.binary(max_size=60))
def test_every_split_gives_the_same(data: bytes) -> None:
    three_ways(data)
