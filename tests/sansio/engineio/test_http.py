"""HTTP/1.1: what is read, what is refused and how it is answered.

Every input is read three ways: whole, cut anywhere and byte by byte, and with a
pipelined request behind it; what comes of it must not depend on that.
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sansocket.sansio.engineio.http import (
    MAX_PIPELINED,
    HttpConnection,
    Phase,
    Request,
    Response,
)
from sansocket.sansio.errors import LocalProtocolError, RemoteProtocolError

OK = Response(200, (), b"ok")
NEXT = b"GET /next HTTP/1.1\r\nHost: h\r\n\r\n"
GET = b"GET / HTTP/1.1\r\nHost: h\r\n"
POST = b"POST / HTTP/1.1\r\nHost: h\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
CLOSED = b"200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
UPGRADE = GET + b"Connection: Upgrade\r\nUpgrade: websocket\r\n"


def connection(data: bytes = b"", *, max_body: int = 10) -> HttpConnection:
    """A connection that has received these bytes, but was not asked yet."""
    http = HttpConnection(max_body=max_body)
    http.receive_data(data)
    return http


def waiting(data: bytes) -> HttpConnection:
    """A connection that has handed out the request which these bytes begin with."""
    http = connection(data)
    assert http.next_request() is not None
    return http


def outcome(pieces: Iterable[bytes], http: HttpConnection | None = None) -> list[Request | int]:
    """The requests that come of the pieces, each answered at once; last, how it was refused."""
    http = http or connection()
    found: list[Request | int] = []
    try:
        for piece in pieces:
            http.receive_data(piece)
            while (request := http.next_request()) is not None:
                found.append(request)
                http.respond(OK)
    except RemoteProtocolError as refused:
        closed = b"\r\nConnection: close\r\n" in http.refuse(Response(refused.status))
        found.append(refused.status if closed and len(str(refused)) < 256 else 0)
    return found


def read(data: bytes) -> list[Request | int]:
    """What comes of the bytes: the same, three ways."""
    found = outcome([data])
    for at in range(0, len(data), 1 + len(data) // 200):
        assert outcome([data[:at], data[at:]]) == found
    http = connection()
    assert outcome((data[at : at + 1] for at in range(len(data))), http) == found
    followed = [] if http.closing or http.phase is not Phase.IDLE else outcome([NEXT])
    assert outcome([data + NEXT]) == found + followed
    return found


def read_one(data: bytes) -> Request:
    """The one request that these bytes are."""
    (request,) = read(data)
    assert isinstance(request, Request)
    return request


def head_of(size: int) -> bytes:
    """A head of so many bytes, no line of it too long."""
    start = GET + (b"a: %b\r\n" % (b"x" * 8000)) * 2 + b"b: "
    return start + b"x" * (size - len(start) - 4) + b"\r\n\r\n"


def test_request() -> None:
    request = read_one(
        b"POST /socket.io/%2e?EIO=4&sid=a%20b&sid=c&t HTTP/1.1\r\nHost: h:3000\r\n"
        b"Accept: a\r\nACCEPT: \xe9\r\nContent-Length: 5\r\n\r\nhello"
    )
    assert (request.method, request.path) == ("POST", "/socket.io/%2e")
    assert request.query == {"EIO": "4", "sid": "a b", "t": ""}
    assert request.headers[1:3] == ((b"accept", b"a"), (b"accept", b"\xe9"))
    assert (request.header(b"accept"), request.header(b"cookie")) == ("a, é", None)
    assert request.body == b"hello"


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        (b"/a?x=%ff%C3%A9", "/a", {"x": "\ufffdé"}),
        (b"/a?x=1+2&&=3", "/a", {"x": "1 2", "": "3"}),
        (b"//a?b?c", "//a", {"b?c": ""}),
        (b"http://h/a", "/a", {}),
        (b"HTTPS://H?x=y", "/", {"x": "y"}),
        (b"*", "*", {}),
    ],
)
def test_targets(target: bytes, path: str, query: dict[str, str]) -> None:
    """Origin, absolute and asterisk form (RFC 9112, section 3.2)."""
    request = read_one(b"GET %b HTTP/1.1\r\nHost: h\r\n\r\n" % target)
    assert (request.path, request.query) == (path, query)


@pytest.mark.parametrize(
    "data",
    [
        b"\r\n\r\n" + NEXT,
        b"GET / HTTP/1.1\r\nHost:\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n",
        b"GET / HTTP/1.0\r\n\r\n",
        POST + b"Content-Length:\t05 \r\n\r\nhello",
        POST + b"Content-Length: 0000000000000000005\r\n\r\nhello",
        POST.replace(b"POST", b"PROPFIND") + b"Transfer-Encoding: ChunKed\r\n\r\n0\r\n\r\n",
        CHUNKED + b"5\r\nhello\r\n0\r\n\r\n",
        CHUNKED + b"5\r\nhello\r\n" * 2 + b"0\r\n\r\n",
        POST + b"Content-Length: 10\r\n\r\nhellohello",
        CHUNKED + b"1;a=b\r\nh\r\n0000000000000004;c\r\nello\r\n000;d\r\nA: b\r\nC:d\r\n\r\n",
        CHUNKED + b"0" * 15 + b"5;" + b"a" * 16383 + b"\r\nhello\r\n0\r\n\r\n",
        UPGRADE + b"Content-Length: 0\r\n\r\n",
        GET + b"a: b\r\n" * 127 + b"\r\n",
        GET + b"a: " + b"x" * 8189 + b"\r\n\r\n",
        b"GET /" + b"x" * 8178 + b" HTTP/1.1\r\nHost: h\r\n\r\n",
        head_of(16384),
        b"GET /?" + b"&" * 127 + b" HTTP/1.1\r\nHost: h\r\n\r\n",
    ],
)
def test_accepted(data: bytes) -> None:
    """At a bound (exactly so many pass: security rule T4), or unusual and harmless."""
    assert read_one(data).body in (b"", b"hello", b"hellohello")


REFUSED = {
    # security rules 3 and T30: framing
    "both lengths": (400, POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"),
    "a length twice": (400, POST + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"),
    "a length as a list": (400, POST + b"Content-Length: 5, 5\r\n\r\nhello"),
    "a signed length": (400, POST + b"Content-Length: +1\r\n\r\na"),
    "digits of another script": (400, POST + b"Content-Length: \xd9\xa5\r\n\r\nhello"),
    "no Host": (400, b"GET / HTTP/1.1\r\n\r\n"),
    "two Hosts": (400, GET + b"host: h\r\n\r\n"),
    "a Host that is none": (400, b"GET / HTTP/1.1\r\nHost: h/a b\r\n\r\n"),
    "a Host that is not the target's": (400, b"GET http://a/ HTTP/1.1\r\nHost: h\r\n\r\n"),
    "space before the colon": (400, GET + b"A : %b\r\n\r\n" % (b"b" * 999)),
    "a folded header": (400, GET + b"A: b\r\n c\r\n\r\n"),
    "NUL": (400, GET + b"A: b\0c\r\n\r\n"),
    "bare CR": (400, GET + b"A: b\rC: d\r\n\r\n"),
    "bare LF": (400, GET + b"A: b\nC: d\r\n\r\n"),
    "nothing but bare LF": (400, b"GET / HTTP/1.1\nHost: h\n\n"),
    "TLS": (400, b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03"),
    "an upgrade with a body": (400, UPGRADE + b"Content-Length: 1\r\n\r\na"),
    "a chunked upgrade": (400, UPGRADE + b"Transfer-Encoding: chunked\r\n\r\n"),
    "chunked HTTP/1.0": (400, b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"),
    "another coding": (501, POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n"),
    "chunked twice": (501, CHUNKED[:-2] + b"Transfer-Encoding: chunked\r\n\r\n"),
    "a chunk without a size": (400, CHUNKED + b"\r\n"),
    "a spaced chunk": (400, CHUNKED + b"5 \r\nhello\r\n0\r\n\r\n"),
    "a long chunk": (400, CHUNKED + b"5\r\nhelloxx0\r\n\r\n"),
    "LF in a chunk's line": (400, CHUNKED + b"5;a\nb\r\nhello\r\n0\r\n\r\n"),
    "CR in an extension": (400, CHUNKED + b"5;a\rb\r\nhello\r\n0\r\n\r\n"),
    "a trailer without a name": (400, CHUNKED + b"0\r\n: b\r\n\r\n"),
    "LF in a trailer": (400, CHUNKED + b"0\r\nA: b\nC: d\r\n\r\n"),
    "20 digits": (400, POST + b"Content-Length: 00000000000000000005\r\n\r\nhello"),
    "17 digits of a chunk": (400, CHUNKED + b"0" * 16 + b"5\r\nhello\r\n0\r\n\r\n"),
    "a target not in ASCII": (400, b"GET /\xc3\xa9 HTTP/1.1\r\nHost: h\r\n\r\n"),
    "a target that is no path": (400, b"GET ?a HTTP/1.1\r\nHost: h\r\n\r\n"),
    "128 ampersands": (400, b"GET /?" + b"&" * 128 + b" HTTP/1.1\r\nHost: h\r\n\r\n"),
    "CONNECT": (501, b"CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n"),
    "HTTP/2": (505, b"PRI * HTTP/2.0\r\n\r\n"),
    "HTTP/1.2": (505, b"HEAD / HTTP/1.2\r\n\r\n"),
    # security rule 9: the head
    "129 headers": (431, GET + b"a: b\r\n" * 128 + b"\r\n"),
    "a line too long": (431, GET + b"a: " + b"x" * 8190 + b"\r\n\r\n"),
    "a target too long": (414, b"GET /" + b"x" * 8179 + b" HTTP/1.1\r\nHost: h\r\n\r\n"),
    "a target too long without an end": (414, b"GET /" + b"x" * 8188),
    "a head too long": (431, head_of(16385)),
    "a head too long without an end": (431, GET + b"a: b\r\n" * 2727),
    # security rules T4 and 9: the body
    "a length over the limit": (413, POST + b"Content-Length: 11\r\n\r\n"),
    "a chunk over the limit": (413, CHUNKED + b"b\r\n"),
    "a chunk of 16 digits": (413, CHUNKED + b"ffffffffffffffff\r\n"),
    "chunks over the limit": (413, CHUNKED + b"5\r\nhello\r\n" * 2 + b"1\r\n"),
    "an endless extension": (431, CHUNKED + b"5;" + b"a" * 16401),
    "extensions": (431, CHUNKED + (b"1;" + b"a" * 4000 + b"\r\nh\r\n") * 5 + b"0\r\n\r\n"),
    "trailers": (431, CHUNKED + b"0\r\n" + b"A: bcdef\r\n" * 2049 + b"\r\n"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    """Security rules 3, T4, 9 and T30, and the connection closes: nothing follows."""
    status, data = REFUSED[name]
    assert read(data) == [status]


def test_refused_body_is_not_a_request() -> None:
    """Security rule T30: what follows the refusal is dropped, however long it is."""
    http = connection(POST + b"Content-Length: 99\r\n\r\n" + NEXT)
    with pytest.raises(RemoteProtocolError):
        http.next_request()
    tracemalloc.start()
    http.receive_data(NEXT * 10_000)
    assert tracemalloc.get_traced_memory()[0] < 10_000
    tracemalloc.stop()
    assert (http.next_request(), http.phase) == (None, Phase.CLOSING)


@pytest.mark.parametrize(
    "head", [CHUNKED + b"f4240\r\n", POST + b"Content-Length: 1000000\r\n\r\n"]
)
def test_cost_is_linear(head: bytes) -> None:
    """Security rule 15: a million writes of a byte; were each to copy all, this would not end."""
    http = connection(head, max_body=1_000_000)
    for _ in range(1_000_000):
        assert http.next_request() is None
        http.receive_data(b"x")
    http.receive_data(b"\r\n0\r\n\r\n" if b"chunked" in head else b"")
    request = http.next_request()
    assert request is not None
    assert len(request.body) == 1_000_000


@pytest.mark.parametrize(
    ("value", "upgrade"),
    [(b"WebSocket", True), (b"h2c,\twebsocket", True), (b"websockets", False), (b"h2c", False)],
)
def test_upgrade_is_a_token(value: bytes, upgrade: bool) -> None:
    """RFC 9110, section 7.8: of a list, in any case, and ignored in HTTP/1.0."""
    request = read_one(GET + b"Connection: Upgrade\r\nUpgrade: %b\r\n\r\n" % value)
    assert request.upgrade is upgrade
    assert not read_one(b"GET / HTTP/1.0\r\nUpgrade: %b\r\n\r\n" % value).upgrade


def test_switch() -> None:
    """Bytes behind the upgrade are not ours, whether with it or before its answer."""
    http = waiting(UPGRADE + b"\r\n\x81\x80")
    http.receive_data(b"\0\0")
    assert http.next_request() is None
    for mistake in (http.trailing_data, lambda: http.switch_protocols((("A", "b\r\nC: d"),))):
        with pytest.raises(LocalProtocolError):
            mistake()
    answer = http.switch_protocols((("Upgrade", "websocket"), ("Connection", "Upgrade")))
    assert answer.startswith(b"HTTP/1.1 101 Switching Protocols\r\n")
    assert (http.trailing_data(), http.trailing_data()) == (b"\x81\x80\0\0", b"")
    assert (http.phase, http.closing, http.next_request()) == (Phase.SWITCHED, False, None)
    with pytest.raises(LocalProtocolError):
        http.receive_data(b"\x81")
    assert http.refuse(OK) == b""


@pytest.mark.parametrize("framing", [b"Content-Length: 2", b"Transfer-Encoding: chunked"])
def test_continue(framing: bytes) -> None:
    """RFC 9110, section 10.1.1: once, for a body that is awaited, unless the answer overtakes."""
    http, late = (connection(POST + framing + b"\r\nExpect: 100-Continue\r\n\r\n") for _ in "ab")
    assert http.next_request() is late.next_request() is None
    assert http.data_to_send() + http.data_to_send() == [b"HTTP/1.1 100 Continue\r\n\r\n"]
    for each in (http, late):
        each.receive_data(b"ok" if b"Length" in framing else b"2\r\nok\r\n0\r\n\r\n")
        assert each.next_request() is not None
        assert each.respond(OK).startswith(b"HTTP/1.1 200 OK\r\n")
        assert each.data_to_send() == []


def test_no_continue() -> None:
    """Not for a body that has begun, is empty or is refused, and not in HTTP/1.0."""
    for body in (b"2\r\n\r\no", b"0\r\n\r\n", b"11\r\n\r\n"):
        http = connection()
        outcome([POST + b"Expect: 100-continue\r\nContent-Length: " + body], http)
        assert http.data_to_send() == []
    http = connection(b"PUT / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
    assert (http.next_request(), http.phase, http.data_to_send()) == (None, Phase.BODY, [])


def test_phases() -> None:
    """Security rule 10: each has its deadline."""
    http = connection()
    phases: list[Phase] = []
    for piece in (b"", b"\r\n", b"G", POST[1:] + b"Content-Length: 2\r\n\r\n", b"o", b"k", b"G"):
        http.receive_data(piece)
        http.next_request()
        phases.append(http.phase)
        assert (http.head is not None) is (http.phase is Phase.BODY)
    assert "".join(phase.name[0] for phase in phases) == "IIHBBAA"
    http.respond(OK)
    assert http.phase is Phase.HEAD


def test_pipelined_requests_wait_their_turn() -> None:
    """Rule 1 of the module, and a bound on what waits (security rule T4)."""
    http = waiting(NEXT + b"x" * MAX_PIPELINED)
    assert http.next_request() is None
    with pytest.raises(RemoteProtocolError):
        http.receive_data(b"x")
    assert http.refuse(Response(400)).startswith(b"HTTP/1.1 400 Bad Request\r\n")


@pytest.mark.parametrize(
    ("data", "response", "answer"),
    [
        (NEXT, OK, b"200 OK\r\nContent-Length: 2\r\n\r\nok"),
        (NEXT, Response(204, (), b"ok"), b"204 No Content\r\n\r\n"),
        (NEXT, Response(304), b"304 Not Modified\r\n\r\n"),
        (NEXT, Response(304, (), b"ok"), b"304 Not Modified\r\nContent-Length: 2\r\n\r\n"),
        (NEXT, Response(200, (("A", "é"),)), b"200 OK\r\nA: \xe9\r\nContent-Length: 0\r\n\r\n"),
        (b"HEAD" + NEXT[3:], OK, b"200 OK\r\nContent-Length: 2\r\n\r\n"),
        (GET + b"Connection: a, Close\r\n\r\n", OK, CLOSED),
        (b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", OK, CLOSED),
    ],
)
def test_answers(data: bytes, response: Response, answer: bytes) -> None:
    """Rule 5 of the module; RFC 9110, section 8.6; and who asks to close is obeyed."""
    http = waiting(data + NEXT)
    assert http.respond(response) == b"HTTP/1.1 " + answer
    assert http.closing is (answer is CLOSED)
    assert (http.next_request() is None) is http.closing


def test_mistakes_change_nothing() -> None:
    """LocalProtocolError: the caller's fault, and the request still waits."""
    http = waiting(NEXT)
    framing = (("content-length", "0"), ("Transfer-Encoding", "chunked"))
    headers = (*framing, ("A", "b\r\nC: d"), ("é", "b"), ("A", "€"))
    for mistake in (Response(100), Response(1000), *(Response(200, (pair,)) for pair in headers)):
        for answer in (http.respond, http.refuse):
            with pytest.raises(LocalProtocolError):
                answer(mistake)
    with pytest.raises(LocalProtocolError):
        http.switch_protocols(())
    assert http.respond(OK).endswith(b"\r\n\r\nok")
    with pytest.raises(LocalProtocolError):
        http.respond(OK)


def test_refuse() -> None:
    """Whenever an answer is possible, and once."""
    late = Response(408, (("Connection", "keep-alive"),), b"late")
    head = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 4\r\n\r\n"
    incomplete = b"HEAD / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n"
    for data, answer in ((b"", b""), (b"G", head + b"late"), (incomplete, head)):
        http = waiting(b"HEAD" + NEXT[3:] + data)
        http.respond(OK)
        assert http.next_request() is None
        assert (http.refuse(late), http.closing, http.refuse(late)) == (answer, True, b"")


TOKENS = st.from_regex(rb"[-!#$%&'*+.^_`|~0-9a-z]{1,9}", fullmatch=True)
VALUES = st.from_regex(rb"([!-~\x80-\xff]([ \t]*[!-~\x80-\xff])*)?", fullmatch=True)


@st.composite
def requests(draw: st.DrawFn) -> tuple[bytes, Request]:
    """A request as it is sent, and as it should come out."""
    method, path = draw(TOKENS), draw(st.from_regex(r"/[!->@-~]*", fullmatch=True))
    headers = [(b"x-" + name, draw(VALUES)) for name in draw(st.lists(TOKENS))] + [(b"host", b"h")]
    pieces = draw(st.lists(st.binary(min_size=1)))
    sent = body = b"".join(pieces)
    if draw(st.booleans()):
        headers.append((b"transfer-encoding", b"chunked"))
        chunks = [b"%X;a\r\n%b\r\n" % (len(piece), piece) for piece in pieces]
        sent = b"".join(chunks) + b"0\r\n\r\n"
    elif body:
        headers.append((b"content-length", b"%d" % len(body)))
    lines = b"".join(b"%b:  %b \r\n" % (name.title(), value) for name, value in headers)
    data = b"%b %b HTTP/1.1\r\n%b\r\n%b" % (method, path.encode(), lines, sent)
    return data, Request(method.decode(), path, {}, tuple(headers), body)


@given(st.lists(requests(), max_size=4), st.lists(st.integers(0, 999)))
def test_requests_come_out_as_sent(sent: list[tuple[bytes, Request]], cuts: list[int]) -> None:
    """One after the other, in order, however they were cut on their way."""
    data = b"".join(data for data, _ in sent)
    ends = sorted(min(cut, len(data)) for cut in cuts)
    pieces = [data[a:b] for a, b in zip([0, *ends], [*ends, len(data)], strict=True)]
    assert outcome(pieces, connection(max_body=10_000)) == [request for _, request in sent]


HARD = [data for _, data in REFUSED.values() if len(data) < 300]
EASY = [NEXT, GET, POST, CHUNKED, b"\r\n", b"0\r\n", b"5\r\nhello\r\n"]


@given(st.lists(st.binary() | st.sampled_from(HARD + EASY)), st.integers(2, 99))
def test_no_input_raises_anything_else(parts: list[bytes], size: int) -> None:
    """Arbitrary bytes become requests or a refusal (T1), the same wherever they are cut."""
    data = b"".join(parts)
    found = outcome([data])
    for step in (1, size):
        assert outcome(data[at : at + step] for at in range(0, len(data), step)) == found
