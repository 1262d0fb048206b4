"""What an engine tells of requests: sessions opened, requests refused, headers to change."""

from __future__ import annotations

import pytest
from support.engineio import POLLING, Serve, post_bytes, taken
from support.transcript import Driver, Pipe, WebSocketPipe, websocket_request_bytes

from sansocket.sansio.engineio.app import EngineApp
from sansocket.sansio.engineio.handshake import ConnectionFailure
from sansocket.sansio.engineio.http import Request
from sansocket.sansio.engineio.session import Session
from sansocket.sansio.errors import RequestRejected

NEW_WEBSOCKET = "EIO=4&transport=websocket"
Headers = list[tuple[str, str]]


def websocket(driver: Driver, query: str) -> Pipe:
    """Ask for a WebSocket."""
    pipe = driver.connect()
    pipe.send(websocket_request_bytes(query=query))
    return pipe


# connection


def test_connection(serve: Serve) -> None:
    """Feature row 30: a session can be sent to, and listened to, from its first moment on."""
    app, driver = serve()
    transports: list[str] = []
    packets: list[object] = []

    @app.engine.on("connection")
    def connected(session: Session) -> None:
        transports.append(session.transport)
        session.on("packet", packets.append)
        app.sockets[session.id].send("welcome")

    sid = driver.poll_handshake()
    assert taken(driver.get(sid)).body == "4welcome"
    client = driver.websocket()
    assert client.take()[1:] == ["4welcome"]
    client.send("4x")
    assert transports == ["polling", "websocket"]
    assert len(packets) == 1


@pytest.mark.parametrize("transport", ["polling", "websocket"])
def test_closed_at_once(serve: Serve, transport: str) -> None:
    """In good order: the client gets its handshake, and is told of the end."""
    app, driver = serve()
    app.engine.on("connection", lambda session: app.sockets[session.id].close())
    if transport == "polling":
        assert taken(driver.get(driver.poll_handshake())).body == "1"
    else:
        client = driver.websocket()
        assert len(client.take()) == 1
        assert client.close_code == 1000
    assert not app.engine.sessions


# connection_error


def failures(app: EngineApp) -> list[ConnectionFailure]:
    """What is told of refused requests."""
    told: list[ConnectionFailure] = []
    app.engine.on("connection_error", told.append)
    return told


@pytest.mark.parametrize(
    ("method", "query", "headers", "code", "context"),
    [
        ("GET", "transport=pigeon", {}, 0, {"transport": "pigeon"}),
        ("GET", "", {}, 0, {"transport": None}),
        ("POST", f"{POLLING}&sid=none", {}, 1, {"sid": "none"}),
        ("PUT", POLLING, {}, 2, {"method": "PUT"}),
        ("GET", NEW_WEBSOCKET, {}, 3, {"name": "TRANSPORT_HANDSHAKE_ERROR"}),
        ("GET", "EIO=3&transport=polling", {}, 5, {"protocol": "3"}),
        (
            "GET",
            POLLING,
            {"Origin": "http://a\x01b"},
            3,
            {"name": "INVALID_ORIGIN", "origin": "http://a\x01b"},
        ),
        (
            "GET",
            POLLING,
            {"Origin": "http://a.example"},
            4,
            {"name": "ORIGIN_NOT_ALLOWED", "origin": "http://a.example"},
        ),
    ],
)
def test_connection_error(
    serve: Serve,
    method: str,
    query: str,
    headers: dict[str, str],
    code: int,
    context: dict[str, object],
) -> None:
    """Feature row 31, in the reference's terms; with the body of a POST or without, once."""
    app, driver = serve()
    told = failures(app)
    body = "4secret" if method == "POST" else ""
    answer = driver.connect().request(method, query=query, body=body, **headers)
    (failure,) = told
    assert (failure.code, failure.context) == (code, context)
    assert answer.json == {"code": code, "message": failure.message}
    assert (failure.request.method, failure.request.body) == (method, b"")


@pytest.mark.parametrize(
    ("query", "code", "context"),
    [
        ("EIO=3&transport=websocket", 5, {"protocol": "3"}),
        (f"{NEW_WEBSOCKET}&sid=none", 1, {"sid": "none"}),
        (POLLING, 3, {"name": "TRANSPORT_HANDSHAKE_ERROR"}),
    ],
)
def test_of_websockets(serve: Serve, query: str, code: int, context: dict[str, object]) -> None:
    app, driver = serve()
    told = failures(app)
    websocket(driver, query)
    assert [(failure.code, failure.context) for failure in told] == [(code, context)]


def test_of_a_session(serve: Serve) -> None:
    """A request that its session cannot take, by its transport."""
    app, driver = serve()
    told = failures(app)
    sid = driver.poll_handshake()
    driver.websocket(sid).send("2probe", "5")
    assert driver.get(sid).output.startswith(b"HTTP/1.1 400")
    assert told[0].context == {
        "name": "TRANSPORT_MISMATCH",
        "transport": "polling",
        "previous_transport": "websocket",
    }


def test_of_what_the_application_refuses(serve: Serve) -> None:
    """With its own exception, where there was one."""
    failure = RuntimeError("broken")

    def allow(request: Request) -> str:
        if "broken" in request.query:
            raise failure
        return "no"

    def generate(request: Request) -> str:
        raise failure

    app, driver = serve(allow_request=allow, generate_id=generate)
    told = failures(app)

    @app.engine.use
    def middleware(request: Request, headers: Headers) -> None:
        if "reject" in request.query:
            raise RequestRejected(429, "later")

    driver.connect().request("GET", query=POLLING)
    driver.connect().request("GET", query=f"{POLLING}&broken")
    driver.connect().request("GET", query=f"{POLLING}&reject")
    assert [(each.code, each.message, each.context) for each in told] == [
        (4, "no", {"message": "no"}),
        (3, "Bad request", {"name": "ALLOW_REQUEST_FAILURE", "error": failure}),
        (3, "later", {"name": "MIDDLEWARE_FAILURE"}),
    ]
    driver.runtime.logged.clear()
    app, driver = serve(generate_id=generate)
    told = failures(app)
    driver.connect().request("GET", query=POLLING)
    websocket(driver, NEW_WEBSOCKET)
    context = {"name": "ID_GENERATION_ERROR", "error": failure}
    assert [(each.code, each.context) for each in told] == [(3, context)] * 2
    driver.runtime.logged.clear()


def test_what_is_no_connection_error(serve: Serve) -> None:
    """A payload that cannot be read ends a session, which is told of its end."""
    app, driver = serve()
    told = failures(app)
    assert driver.post(driver.poll_handshake(), "nonsense").status == 400
    driver.connect().send(b"nonsense\r\n\r\n")
    assert told == []


# headers


def test_headers(serve: Serve) -> None:
    """Feature row 32: of what is served; the handshake's first, then those of every answer."""
    app, driver = serve(cookie=True, cors_allowed_origins="*")
    told: list[str] = []

    @app.engine.on("initial_headers")
    def initial(headers: Headers, request: Request) -> None:
        told.append(f"initial {request.method} {request.query['transport']}")
        headers.append(("X-Initial", "1"))

    @app.engine.on("headers")
    def every(headers: Headers, request: Request) -> None:
        told.append(f"{request.method} {request.query['transport']}")
        assert request.body == b""
        headers.append(("X-Every", "1"))

    answer = driver.connect().request("GET", query=POLLING)
    assert {"x-initial", "x-every", "set-cookie", "content-type"} <= answer.headers.keys()
    (sid,) = app.sockets
    answer = driver.post(sid, "4x")
    assert "x-every" in answer.headers
    assert "x-initial" not in answer.headers
    poll = driver.get(sid)
    app.sockets[sid].send("x")
    driver.settle()
    assert "x-every" in taken(poll).headers
    for query, initial_too in ((f"{NEW_WEBSOCKET}&sid={sid}", False), (NEW_WEBSOCKET, True)):
        output = bytes(websocket(driver, query).output)
        assert output.startswith(b"HTTP/1.1 101 ")
        assert b"\r\nX-Every: 1\r\n" in output
        assert (b"\r\nX-Initial: 1\r\n" in output) is initial_too
    assert told == [
        "initial GET polling",
        "GET polling",
        "POST polling",
        "GET polling",
        "GET websocket",
        "initial GET websocket",
        "GET websocket",
    ]
    driver.connect().request("GET", query="transport=pigeon")
    driver.connect().request("OPTIONS", query=POLLING, Origin="http://a.example")
    assert len(told) == 7


def test_headers_can_be_taken_away(serve: Serve) -> None:
    """Those of the middleware are among them, and those of CORS."""
    app, driver = serve(cors_allowed_origins="*")
    app.engine.use(lambda request, headers: headers.append(("X-Powered-By", "sansocket")))
    app.engine.on("headers", lambda headers, request: headers.clear())
    answer = driver.connect().request("GET", query=POLLING)
    assert (answer.status, list(answer.headers)) == (200, ["content-length"])
    assert b"X-Powered-By" not in websocket(driver, NEW_WEBSOCKET).output


@pytest.mark.parametrize("header", [("X-Bad", "a\r\nb: c"), ("Content-Length", "1"), None])
def test_headers_that_cannot_be_sent(serve: Serve, header: object) -> None:
    """Security rule T30: the answer is as it was before, and the log has the reason."""
    app, driver = serve()

    def spoil(headers: list[object], request: Request) -> None:
        headers.insert(0, header)

    app.engine.on("headers", spoil)
    answer = driver.connect().request("GET", query=POLLING)
    assert (answer.status, answer.headers["cache-control"]) == (200, "no-store")
    assert "x-bad" not in answer.headers
    assert WebSocketPipe(websocket(driver, NEW_WEBSOCKET)).take()
    assert len(driver.runtime.logged) == 2
    driver.runtime.logged.clear()


def test_a_failure_leaves_what_was_done(serve: Serve) -> None:
    app, driver = serve()

    def fail(headers: Headers, request: Request) -> None:
        headers.append(("X-Half", "done"))
        raise RuntimeError("broken")

    app.engine.on("headers", fail)
    sid = driver.poll_handshake()
    pipe = driver.connect()
    pipe.send(post_bytes(sid, "4x"))
    answer = taken(pipe)
    assert (answer.body, answer.headers["x-half"]) == ("ok", "done")
    assert len(driver.runtime.logged) == 2
    driver.runtime.logged.clear()
