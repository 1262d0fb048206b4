"""Middleware of the engine: before everything, for every request, whatever its transport."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support.engineio import BAD_REQUEST, POLLING, Serve, post_bytes, record, taken
from support.runtime import Gate
from support.transcript import WebSocketPipe, request_bytes, websocket_request_bytes

from sansocket.sansio.engineio.http import Request
from sansocket.sansio.engineio.static import StaticFile
from sansocket.sansio.errors import Reason, RequestRejected

Headers = list[tuple[str, str]]

NEW_WEBSOCKET = "EIO=4&transport=websocket"


def marks(request: Request, headers: Headers) -> None:
    """A middleware that adds a header."""
    headers.append(("X-Mark", "here"))


def test_every_request_of_the_engine(serve: Serve) -> None:
    """And only those: before rule 1's first check, and not for what stands beside."""
    app, driver = serve()
    app.static["/file"] = StaticFile(b"file", "text/plain")
    asked: list[tuple[str, str]] = []

    @app.engine.use
    def note(request: Request, headers: Headers) -> None:
        asked.append((request.method, request.query.get("transport", "")))

    sid = driver.poll_handshake()
    driver.post(sid, "4hello")
    driver.get(sid)
    assert driver.websocket(sid).status == 101
    driver.connect().request("OPTIONS", query=POLLING)
    driver.connect().request("PUT", query="transport=pigeon", body="x")
    assert asked == [
        ("GET", "polling"),
        ("POST", "polling"),
        ("GET", "polling"),
        ("GET", "websocket"),
        ("OPTIONS", "polling"),
        ("PUT", "pigeon"),
    ]
    for path in ("/file", "/other"):
        driver.connect().send(request_bytes("GET", path=path))
    assert len(asked) == 6


def test_in_order_of_registration(serve: Serve) -> None:
    """They share the headers, and none is asked after one that refuses."""
    app, driver = serve(allow_request=lambda request: asked.append("allow_request"))
    asked: list[str] = []

    @app.engine.use
    def first(request: Request, headers: Headers) -> None:
        asked.append("first")
        headers.append(("X-First", "1"))

    @app.engine.use
    async def second(request: Request, headers: Headers) -> None:
        asked.append("second")
        assert headers == [("X-First", "1")]
        if "stop" in request.query:
            raise RequestRejected

    app.engine.use(lambda request, headers: asked.append("third"))
    assert driver.connect().request("GET", query=POLLING).status == 200
    assert asked == ["first", "second", "third", "allow_request"]
    asked.clear()
    assert driver.connect().request("GET", query=f"{POLLING}&stop").status == 403
    assert asked == ["first", "second"]


def test_headers_are_on_every_answer(serve: Serve) -> None:
    """Those of a handshake, a poll, a POST, a preflight, a refusal and a WebSocket."""
    app, driver = serve(cors_allowed_origins="*")
    app.engine.use(marks)

    def marked(method: str, query: str, code: int, body: str = "", **headers: str) -> None:
        answer = driver.connect().request(method, query=query, body=body, **headers)
        assert (answer.status, answer.headers.get("x-mark")) == (code, "here")

    sid = driver.poll_handshake()
    marked("GET", POLLING, 200)
    marked("POST", f"{POLLING}&sid={sid}", 200, "4hello")
    marked("POST", f"{POLLING}&sid={sid}", 400, "nonsense")
    marked("GET", f"{POLLING}&sid=unknown", 400)
    marked("POST", f"{POLLING}&sid=unknown", 400, "4hello")
    marked("OPTIONS", POLLING, 204, Origin="http://a.example")
    marked("GET", "transport=websocket&EIO=4", 400)
    sid = driver.poll_handshake()
    poll = driver.get(sid)
    app.sockets[sid].send("x")
    driver.settle()
    assert taken(poll).headers["x-mark"] == "here"
    for query, code in ((NEW_WEBSOCKET, 101), (NEW_WEBSOCKET.replace("4", "3"), 400)):
        pipe = driver.connect()
        pipe.send(websocket_request_bytes(query=query))
        assert bytes(pipe.output).startswith(b"HTTP/1.1 %d " % code)
        assert b"\r\nX-Mark: here\r\n" in bytes(pipe.output)


@pytest.mark.parametrize(
    ("rejected", "code", "body"),
    [
        (RequestRejected(), 403, '{"code":4,"message":"Forbidden"}'),
        (RequestRejected(429, "later"), 429, '{"code":3,"message":"later"}'),
        (RequestRejected(503, "é"), 503, '{"code":3,"message":"é"}'),
        (RequestRejected(403, "\ud800"), 403, '{"code":4,"message":"?"}'),
    ],
)
@pytest.mark.parametrize("waits", [False, True])
def test_rejected(
    serve: Serve, rejected: RequestRejected, code: int, body: str, waits: bool
) -> None:
    """With the status and the message of the middleware, and the headers that it added."""
    app, driver = serve()

    def plain(request: Request, headers: Headers) -> None:
        headers.append(("Retry-After", "5"))
        raise rejected

    async def coroutine(request: Request, headers: Headers) -> None:
        plain(request, headers)

    app.engine.use(coroutine if waits else plain)
    for method in ("GET", "POST", "OPTIONS"):
        pipe = driver.connect()
        answer = pipe.request(method, query=POLLING)
        assert (answer.status, answer.body, answer.headers["retry-after"]) == (code, body, "5")
        assert not pipe.wire.closing
    pipe = driver.connect()
    pipe.send(websocket_request_bytes(query=NEW_WEBSOCKET))
    answer = taken(pipe)
    assert (answer.status, answer.body, answer.headers["retry-after"]) == (code, body, "5")
    assert pipe.wire.closing
    assert not app.engine.sessions
    assert not driver.runtime.logged


@pytest.mark.parametrize("status", [0, 101, 200, 302, 399, 600])
def test_a_rejection_is_an_error(status: int) -> None:
    with pytest.raises(ValueError, match="status"):
        RequestRejected(status)


@pytest.mark.parametrize("waits", [False, True])
def test_failure(serve: Serve, waits: bool) -> None:
    """Rule 2 and security rule 34: code 3; what was raised, and what it has added, stay here."""
    app, driver = serve()
    failure = RuntimeError("the secret")

    def plain(request: Request, headers: Headers) -> None:
        headers.append(("X-Half", "done"))
        raise failure

    async def coroutine(request: Request, headers: Headers) -> None:
        plain(request, headers)

    app.engine.use(coroutine if waits else plain)
    answer = driver.connect().request("GET", query=POLLING)
    assert (answer.status, answer.body) == (400, BAD_REQUEST)
    assert "x-half" not in answer.headers
    assert [error for _, error in driver.runtime.logged] == [failure]
    driver.runtime.logged.clear()


@pytest.mark.parametrize(
    "header",
    [
        ("X-Bad", "line\r\nSet-Cookie: evil=1"),
        ("X-Bad", "line\n"),
        ("X-Bad", "\0"),
        ("X Bad", "value"),
        ("", "value"),
        ("X-Bad", "€"),
        ("X-é", "value"),
        ("X-Bad", None),
        (b"X-Bad", b"value"),
        "X-Bad: value",
        ("content-length", "5"),
        ("Transfer-Encoding", "chunked"),
        ("Content-Encoding", "br"),
        ("Connection", "close"),
        ("Upgrade", "h2c"),
        ("Sec-WebSocket-Protocol", "other"),
    ],
    ids=repr,
)
def test_headers_that_cannot_be_sent(serve: Serve, header: object) -> None:
    """Security rule T30: nobody splits an answer, or frames it otherwise."""
    app, driver = serve()

    @app.engine.use
    def adds(request: Request, headers: list[object]) -> None:
        headers.append(header)

        if "reject" in request.query:
            raise RequestRejected

    for query in (POLLING, f"{POLLING}&reject"):
        answer = driver.connect().request("GET", query=query)
        assert (answer.status, answer.body) == (400, BAD_REQUEST)
        assert len(driver.runtime.logged) == 1
        driver.runtime.logged.clear()


def test_headers_are_taken_once(serve: Serve) -> None:
    """What is added after the middleware has returned is in no answer."""
    app, driver = serve()
    lists: list[Headers] = []
    app.engine.use(lambda request, headers: lists.append(headers))
    sid = driver.poll_handshake()
    poll = driver.get(sid)
    for headers in lists:
        headers.append(("X-Late", "\0"))
    app.sockets[sid].send("x")
    driver.settle()
    assert "x-late" not in taken(poll).headers


def test_a_body_is_not_for_its_eyes(serve: Serve) -> None:
    """And a POST that it refuses does no harm to its session."""
    app, driver = serve()
    events = record(app)
    sid = driver.poll_handshake()
    bodies: list[bytes] = []

    @app.engine.use
    def note(request: Request, headers: Headers) -> None:
        bodies.append(request.body)
        if len(bodies) == 1:
            raise RequestRejected(429)

    assert driver.post(sid, "4lost").status == 429
    assert driver.post(sid, "4kept").body == "ok"
    assert bodies == [b"", b""]
    assert events == [("connection",), ("message", "kept")]


def test_a_coroutine_holds_up_its_request_alone(serve: Serve) -> None:
    """A POST, a poll and a WebSocket wait, and then are served as ever."""
    app, driver = serve()
    events = record(app)
    sid = driver.poll_handshake()
    gate = Gate()

    @app.engine.use
    async def wait(request: Request, headers: Headers) -> None:
        await gate.wait()

    post, upgrade = driver.connect(), driver.connect()
    post.send(post_bytes(sid, "4hello"))
    poll = driver.get(sid)
    upgrade.send(websocket_request_bytes(query=f"{NEW_WEBSOCKET}&sid={sid}"))
    driver.advance(1.0)
    assert not post.output + poll.output + upgrade.output
    gate.open()
    driver.settle()
    assert taken(post).body == "ok"
    assert poll.output == b""
    websocket = WebSocketPipe(upgrade)
    websocket.send("2probe")
    assert websocket.take() == ["3probe"]
    assert taken(poll).body == "6"
    assert events == [("connection",), ("message", "hello")]


def test_a_session_that_ends_meanwhile(serve: Serve) -> None:
    """What is checked is how things stand when the middleware is done."""
    app, driver = serve()
    sid = driver.poll_handshake()
    gate = Gate()

    @app.engine.use
    async def wait(request: Request, headers: Headers) -> None:
        await gate.wait()

    poll = driver.get(sid)
    app.engine.sessions[sid].abort(Reason.FORCED_CLOSE)
    gate.open()
    driver.settle()
    assert taken(poll).json["code"] == 1


def test_deadline(serve: Serve) -> None:
    """Security rule T12: for all of them together."""
    app, driver = serve()
    gate = Gate()
    cancelled: list[str] = []

    @app.engine.use
    async def wait(request: Request, headers: Headers) -> None:
        headers.append(("X-Mark", "here"))
        try:
            await gate.wait()
        except GeneratorExit:
            cancelled.append("cancelled")
            raise

    sid_less = driver.connect()
    sid_less.send(request_bytes("OPTIONS", query=POLLING))
    driver.advance(2.0)
    answer = taken(sid_less)
    assert answer.status == 503
    assert "x-mark" not in answer.headers
    assert cancelled == ["cancelled"]


def test_cancelled_and_deaf_to_it(serve: Serve) -> None:
    """A middleware that goes on nevertheless is the last that is called."""
    app, driver = serve()
    asked: list[str] = []

    @app.engine.use
    async def deaf(request: Request, headers: Headers) -> None:
        try:
            await Gate().wait()
        except GeneratorExit:
            asked.append("cancelled")

    app.engine.use(lambda request, headers: asked.append("asked"))
    pipe = driver.connect()
    pipe.send(request_bytes("GET", query=POLLING))
    driver.advance(2.0)
    assert taken(pipe).status == 503
    assert asked == ["cancelled"]


async def no_arguments() -> None:
    """What nobody can call with a request."""


@pytest.mark.parametrize("function", [no_arguments, lambda request: None])
def test_what_cannot_be_called(serve: Serve, function: Callable[..., object]) -> None:
    app, _ = serve()
    with pytest.raises(TypeError, match="use"):
        app.engine.use(function)
