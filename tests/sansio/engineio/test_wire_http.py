"""HTTP on one connection: what is served, in which order, and what is refused."""

from __future__ import annotations

import pytest
from support.engineio import (
    BAD_REQUEST,
    POLLING,
    WEBSOCKET,
    Serve,
    only_socket,
    post_bytes,
    record,
    taken,
    text,
)
from support.transcript import request_bytes, websocket_request_bytes

from sansocket.sansio.engineio.static import StaticFile

SID = "AAAAAAAAAAAAAAAAAAAB"
"""The id of the first session of a server in these tests."""

HANDSHAKE = request_bytes("GET", query=POLLING)
GET = request_bytes("GET", query=f"{POLLING}&sid={SID}")


@pytest.mark.parametrize("configured", ["/socket.io/", "/socket.io"])
@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/socket.io/", 200),
        ("/socket.io", 200),
        ("/socket.io//", 404),
        ("/socket.io/anything", 404),
        ("/socket.iox", 404),
        ("/socket.io/../socket.io/", 404),
        ("/%73ocket.io/", 404),
        ("/", 404),
        ("//socket.io/", 404),
    ],
)
def test_path(serve: Serve, configured: str, path: str, status: int) -> None:
    """Protocol rule 8, in a stricter reading: the path alone, not whatever begins with it."""
    app, driver = serve(path=configured)
    pipe = driver.connect()
    for _ in range(2):
        assert pipe.request("GET", query=POLLING, path=path).status == status
    assert len(app.engine.sessions) == (2 if status == 200 else 0)


def test_root_as_path(serve: Serve) -> None:
    """An empty path is no path: the root is served under its one name."""
    app, _ = serve(path="/")
    assert app.engine.serves("/")
    assert not app.engine.serves("")


def test_websocket_elsewhere(serve: Serve) -> None:
    """A request for another path is not found, whatever it wants to become (security rule T12)."""
    _, driver = serve()
    pipe = driver.connect()
    pipe.send(websocket_request_bytes(path="/chat"))
    answer = pipe.answer()
    assert answer is not None
    assert (answer.status, answer.body) == (404, "Not Found")
    assert pipe.request("GET", query=POLLING).status == 200


def test_static_files(serve: Serve) -> None:
    """Security rule 33: a table of whole paths beside the engine, and nothing else."""
    app, driver = serve()
    app.static["/page.js"] = StaticFile(b"script", "text/javascript")
    pipe = driver.connect()
    for _ in range(2):
        answer = pipe.request("GET", path="/page.js")
        assert (answer.status, answer.body) == (200, "script")
        assert answer.headers["content-type"] == "text/javascript"
    assert pipe.request("HEAD", path="/page.js").body == ""
    assert pipe.request("POST", path="/page.js", body="x").status == 405
    for path in ("/page.js/", "/./page.js", "/page%2ejs", "/PAGE.js"):
        assert pipe.request("GET", path=path).status == 404


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"hello\r\n\r\n", 400),
        (b"\x16\x03\x01\x00\xa5", 400),
        (GET.replace(b"Host: server.example\r\n", b""), 400),
        (post_bytes(SID, "4a").replace(b": 2", b": +2"), 400),
        (post_bytes(SID, "4a").replace(b": 2", b": 2\r\nContent-Length: 2"), 400),
        (post_bytes(SID, "4a").replace(b": 2", b": 2\r\nTransfer-Encoding: chunked"), 400),
        (b"GET /" + b"x" * 9000, 414),
        (b"GET / HTTP/1.1\r\nA: " + b"x" * 9000, 431),
        (b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 3000, 431),
        (GET.replace(b"HTTP/1.1", b"HTTP/3.0"), 505),
    ],
)
def test_what_is_no_http(serve: Serve, data: bytes, status: int) -> None:
    """Security rules 9, T30 and 34: refused with fixed text; what follows is no request."""
    app, driver = serve()
    pipe = driver.connect()
    pipe.send(data + HANDSHAKE)
    answer = taken(pipe)
    assert (answer.status, answer.headers["connection"]) == (status, "close")
    assert answer.body == (BAD_REQUEST if status == 400 else "")
    assert pipe.wire.closing
    pipe.send(HANDSHAKE)
    assert pipe.answer() is None
    assert not app.engine.sessions


# One request after the other


def test_pipelined_requests(serve: Serve) -> None:
    """Answered in order, whatever each of them is."""
    app, driver = serve()
    pipe = driver.connect()
    pipe.send(HANDSHAKE + request_bytes("GET", path="/other") + post_bytes(SID, "4a") + HANDSHAKE)
    assert [taken(pipe).status for _ in range(4)] == [200, 404, 200, 200]
    assert pipe.answer() is None
    assert len(app.engine.sessions) == 2


def test_pipelined_behind_a_poll(serve: Serve) -> None:
    """RFC 9112, section 9.3.2: what follows waits for the poll's answer, and then is served."""
    app, driver = serve()
    events = record(app)
    sid = driver.poll_handshake()
    pipe = driver.get(sid)
    pipe.send(post_bytes(sid, "4a") + GET + post_bytes(sid, "4b") + b"hello\r\n\r\n")
    assert (pipe.answer(), events) == (None, [("connection",)])
    for number in (1, 2):
        only_socket(app).send(str(number))
        driver.settle()
        assert (taken(pipe).body, taken(pipe).body) == (f"4{number}", "ok")
    assert taken(pipe).status == 400
    assert pipe.wire.closing
    assert events == [("connection",), ("message", "a"), ("message", "b")]


def test_upgrade_behind_a_poll(serve: Serve) -> None:
    """Frames that were sent along with it are not lost."""
    app, driver = serve()
    sid = driver.poll_handshake()
    pipe = driver.get(sid)
    pipe.send(websocket_request_bytes(query=f"{WEBSOCKET}&sid={sid}"))
    pipe.send(text("2probe") + text("5"))
    only_socket(app).send("hello")
    driver.settle()
    assert taken(pipe).body == "4hello"
    assert pipe.take().startswith(b"HTTP/1.1 101 ")
    assert only_socket(app).transport == "websocket"


def test_too_much_behind_a_poll(serve: Serve) -> None:
    """Protocol rule 98: it is not kept, and who sends so much has broken its poll."""
    app, driver = serve()
    events = record(app)
    pipe = driver.get(driver.poll_handshake())
    pipe.send(b"\r\n" * 32_768)
    assert pipe.answer() is None
    pipe.send(b"\r")
    assert taken(pipe).status == 400
    assert pipe.wire.closing
    assert events == [("connection",), ("close", "transport error")]


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
def test_connection_that_closes_after_its_answer(serve: Serve, version: bytes) -> None:
    """RFC 9112, section 9.6: as the client asks, also after a poll that was parked."""
    app, driver = serve()
    sid = driver.poll_handshake()
    pipe = driver.connect()
    get = GET.replace(b"1.1\r\n", version + b"\r\nConnection: close\r\n")
    pipe.send(get + HANDSHAKE)
    assert not pipe.wire.closing
    only_socket(app).send("hello")
    assert taken(pipe).headers["connection"] == "close"
    assert pipe.wire.closing
    assert pipe.answer() is None
    assert list(app.engine.sessions) == [sid]


def test_continue(serve: Serve) -> None:
    """RFC 9110, section 10.1.1."""
    _, driver = serve()
    request = post_bytes(driver.poll_handshake(), "4hello")
    request = request.replace(b"Content-Length", b"Expect: 100-continue\r\nContent-Length")
    pipe = driver.connect()
    pipe.send(request[:-6])
    assert pipe.take() == b"HTTP/1.1 100 Continue\r\n\r\n"
    pipe.send(request[-6:])
    assert taken(pipe).body == "ok"


FRIEND = "http://friend.example"

REFUSED_BODIES = {
    "declared": (413, f"Content-Length: 11\r\nOrigin: {FRIEND}\r\n\r\n"),
    "chunked": (413, f"Origin: {FRIEND}\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n"),
    "malformed": (400, f"Origin: {FRIEND}\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n"),
}


@pytest.mark.parametrize("kind", REFUSED_BODIES)
def test_page_may_read_why_its_body_is_refused(serve: Serve, kind: str) -> None:
    """Security rule T31: a refusal is as readable as any answer, on the engine's path."""
    status, rest = REFUSED_BODIES[kind]
    _, driver = serve(max_payload=10, cors_allowed_origins=(FRIEND,))
    sid = driver.poll_handshake()
    for path, allowed in (("/socket.io/", FRIEND), ("/elsewhere", None)):
        target = f"{path}?{POLLING}&sid={sid}"
        pipe = driver.connect()
        pipe.send(f"POST {target} HTTP/1.1\r\nHost: server.example\r\n{rest}".encode())
        answer = taken(pipe)
        assert answer.status == status
        assert answer.headers.get("access-control-allow-origin") == allowed
