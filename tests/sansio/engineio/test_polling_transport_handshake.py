"""Which polling requests are let in, how a session opens, and what the rest is answered.

Origins on every transport are here too, for they are checked in one place.
"""

from __future__ import annotations

from typing import Any

import pytest
from support.engineio import POLLING, WEBSOCKET, Serve, record
from support.transcript import request_bytes

from sansocket.sansio.config import Cookie

MESSAGES = [
    "Transport unknown",
    "Session ID unknown",
    "Bad handshake method",
    "Bad request",
    "Forbidden",
    "Unsupported protocol version",
]

FRIEND = "https://friend.example"
STRANGER = "https://stranger.example"


@pytest.mark.parametrize(
    ("options", "keys"),
    [
        ({}, {}),
        ({"ping_interval": 0.3, "ping_timeout": 0.2}, {"pingInterval": 300, "pingTimeout": 200}),
        ({"ping_interval": 0.0015}, {"pingInterval": 2}),
        ({"max_payload": 100}, {"maxPayload": 100}),
        ({"allow_upgrades": False}, {"upgrades": []}),
        ({"transports": ("polling",)}, {"upgrades": []}),
        ({"transports": ["websocket", "polling"]}, {}),
    ],
)
def test_open_packet(serve: Serve, options: dict[str, Any], keys: dict[str, object]) -> None:
    """Protocol rules 17 and 26, security rule 25: these five keys, in milliseconds."""
    app, driver = serve(**options)
    answer = driver.connect().request("GET", query=POLLING)
    assert (answer.status, answer.body[0]) == (200, "0")
    handshake = driver.connect().request("GET", query=POLLING).body[1:]
    (_, sid) = app.engine.sessions
    assert len(sid) == 20
    assert f'"sid":"{sid}"' in handshake
    expected: dict[str, object] = {
        "sid": sid,
        "upgrades": ["websocket"],
        "pingInterval": 25000,
        "pingTimeout": 20000,
        "maxPayload": 1000000,
    }
    answer.body = handshake
    assert answer.json == expected | keys


def test_headers(serve: Serve) -> None:
    """Protocol rule 7, and security rule T31: nothing about origins unless configured."""
    _, driver = serve()
    text = {"content-type": "text/plain; charset=UTF-8", "cache-control": "no-store"}
    opened = driver.connect().request("GET", query=POLLING)
    assert opened.headers == text | {"content-length": str(len(opened.body))}
    sid = driver.poll_handshake()
    assert driver.post(sid, "4hello").headers == {
        "content-type": "text/html",
        "cache-control": "no-store",
        "content-length": "2",
    }
    poll = driver.get(sid)
    driver.advance(25)
    answer = poll.answer()
    assert answer is not None
    assert (answer.body, answer.headers) == ("2", text | {"content-length": "1"})


@pytest.mark.parametrize("sid", ["nobody", "", "__proto__", "__class__", "constructor", "%00"])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "OPTIONS"])
def test_unknown_session(serve: Serve, method: str, sid: str) -> None:
    """Protocol rules 2 and 40, security rule 32."""
    _, driver = serve()
    driver.poll_handshake()
    answer = driver.connect().request(method, query=f"{POLLING}&sid={sid}", body="4hello")
    assert (answer.status, answer.body) == (400, '{"code":1,"message":"Session ID unknown"}')


# What is wrong first comes first: rule 1. Each request is also wrong in what is checked later.
REFUSED = [
    ("GET", "", 0),
    ("GET", "EIO=4", 0),
    ("GET", "EIO=4&transport=", 0),
    ("GET", "EIO=4&transport=Polling", 0),
    ("GET", "EIO=4&transport=webtransport", 0),
    ("GET", "EIO=4&transport=__proto__", 0),
    ("PUT", "EIO=3&transport=carrier-pigeon&sid=nobody", 0),
    ("PUT", "EIO=3&transport=websocket&sid=nobody", 1),
    ("POST", "EIO=3&transport=websocket", 2),
    ("POST", POLLING, 2),
    ("PUT", POLLING, 2),
    ("DELETE", POLLING, 2),
    ("OPTIONS", POLLING, 2),
    ("GET", "EIO=3&transport=websocket", 3),
    ("GET", "transport=polling", 5),
    ("GET", "EIO=&transport=polling", 5),
    ("GET", "EIO=3&transport=polling", 5),
    ("GET", "EIO=5&transport=polling", 5),
    ("GET", "EIO=abc&transport=polling", 5),
    ("GET", "EIO=44&transport=polling", 5),
    ("GET", "EIO=%D9%A4&transport=polling", 5),
    ("GET", "EIO=3&EIO=4&transport=polling", 5),
]


@pytest.mark.parametrize(("method", "query", "code"), REFUSED)
def test_refused(serve: Serve, method: str, query: str, code: int) -> None:
    """Protocol rules 1, 2, 5 and 20, security rule 34: the status, and a body of fixed text."""
    app, driver = serve()
    events = record(app)
    pipe = driver.connect()
    for _ in range(2):
        answer = pipe.request(method, query=query)
        assert answer.status == 400
        assert answer.headers["content-type"] == "application/json"
        assert answer.body == f'{{"code":{code},"message":"{MESSAGES[code]}"}}'
    assert not app.engine.sessions
    assert not events


def test_head_has_no_body(serve: Serve) -> None:
    """Protocol rule 2: the status of the GET's refusal, and what follows is the next answer."""
    _, driver = serve()
    pipe = driver.connect()
    answer = pipe.request("HEAD", query=POLLING)
    assert (answer.status, answer.body) == (400, "")
    assert pipe.request("GET", query=POLLING).status == 200


def test_transport_that_is_not_enabled(serve: Serve) -> None:
    """Protocol rule 2: it is unknown, whatever else the request wants."""
    _, driver = serve(transports=("websocket",))
    assert driver.connect().request("GET", query=POLLING).json["code"] == 0
    _, driver = serve(transports=("polling",))
    sid = driver.poll_handshake()
    assert driver.websocket().status == driver.websocket(sid).status == 400
    assert driver.connect().request("GET", query=WEBSOCKET).json["code"] == 0


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_other_method_on_a_session(serve: Serve, method: str) -> None:
    """Protocol rule 6: refused (the reference answers 500), and the session lives on."""
    app, driver = serve()
    events = record(app)
    sid = driver.poll_handshake()
    answer = driver.connect().request(method, query=f"{POLLING}&sid={sid}")
    assert (answer.status, answer.body) == (
        400,
        "" if method == "HEAD" else '{"code":3,"message":"Bad request"}',
    )
    assert driver.post(sid, "4hello").body == "ok"
    assert events == [("connection",), ("message", "hello")]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_other_transport_on_a_session(serve: Serve, method: str) -> None:
    """Protocol rule 2: `transport=websocket` without an upgrade; the session lives on."""
    _, driver = serve()
    sid = driver.poll_handshake()
    answer = driver.connect().request(method, query=f"{WEBSOCKET}&sid={sid}", body="4hello")
    assert (answer.status, answer.json["code"]) == (400, 3)
    assert driver.post(sid, "4hello").body == "ok"


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_origin_with_control_characters(serve: Serve, method: str) -> None:
    """Protocol rules 1 and 2: it is checked after the transport and before the session's id."""
    _, driver = serve(cors_allowed_origins="*")
    origin = {"Origin": "https://a\x01b"}
    answer = driver.connect().request(method, query=f"{POLLING}&sid=nobody", **origin)
    assert (answer.status, answer.json["code"]) == (400, 3)
    answer = driver.connect().request(method, query="transport=none", **origin)
    assert (answer.status, answer.json["code"]) == (400, 0)


# Origins


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        (None, True),
        ("http://server.example", True),
        ("https://server.example", True),
        ("HTTPS://SERVER.EXAMPLE", True),
        ("http://server.example:8080", False),
        ("http://server.example.evil", False),
        ("http://evil-server.example", False),
        ("file://server.example", False),
        ("server.example", False),
        ("null", False),
        ("", False),
        (STRANGER, False),
    ],
)
@pytest.mark.parametrize("options", [{}, {"cors_allowed_origins": (FRIEND,)}])
def test_same_origin_by_default(
    serve: Serve, options: dict[str, Any], origin: str | None, allowed: bool
) -> None:
    """Security rule T31: on each transport, for a new session and for one that is there."""
    app, driver = serve(**options)
    headers = {} if origin is None else {"Origin": origin}
    sid = driver.poll_handshake()
    post = driver.connect().request("POST", query=f"{POLLING}&sid={sid}", body="4a", **headers)
    opened = driver.connect().request("GET", query=POLLING, **headers)
    websocket = driver.websocket(**headers)
    upgrade = driver.websocket(sid, **headers)
    statuses = (post.status, opened.status, websocket.status, upgrade.status)
    assert statuses == ((200, 200, 101, 101) if allowed else (403, 403, 403, 403))
    assert len(app.engine.sessions) == (3 if allowed else 1)
    assert "access-control-allow-origin" not in post.headers | opened.headers
    if not allowed:
        assert post.body == opened.body == '{"code":4,"message":"Forbidden"}'
        assert websocket.refusal == upgrade.refusal == post.body.encode()


def test_foreign_origin_does_not_end_the_session(serve: Serve) -> None:
    """Security rule T31: who may not connect may not disturb either."""
    app, driver = serve()
    events = record(app)
    sid = driver.poll_handshake()
    poll = driver.get(sid)
    for method in ("GET", "POST"):
        driver.connect().request(method, query=f"{POLLING}&sid={sid}", body="1", Origin=STRANGER)
    assert poll.answer() is None
    assert events == [("connection",)]


def about_origins(headers: dict[str, str]) -> tuple[str | None, ...]:
    """What an answer says to browsers: the allowed origin, credentials, and Vary."""
    names = ("access-control-allow-origin", "access-control-allow-credentials", "vary")
    return tuple(headers.get(name) for name in names)


LISTED = {"cors_allowed_origins": (FRIEND, "https://other.example")}


@pytest.mark.parametrize(
    ("options", "origin", "expected"),
    [
        ({"cors_allowed_origins": "*"}, STRANGER, ("*", None, None)),
        ({"cors_allowed_origins": "*"}, None, ("*", None, None)),
        (LISTED, FRIEND, (FRIEND, None, "Origin")),
        (LISTED, "http://server.example", (None, None, "Origin")),
        (LISTED, None, (None, None, "Origin")),
        (LISTED | {"cors_credentials": True}, FRIEND, (FRIEND, "true", "Origin")),
        (LISTED | {"cors_credentials": True}, None, (None, None, "Origin")),
    ],
)
def test_headers_for_browsers(
    serve: Serve, options: dict[str, Any], origin: str | None, expected: tuple[str | None, ...]
) -> None:
    """Security rule T31: the same on every answer, also on an error (a page has to see it)."""
    app, driver = serve(**options)
    headers = {} if origin is None else {"Origin": origin}
    opened = driver.connect().request("GET", query=POLLING, **headers)
    (sid,) = app.engine.sessions
    query = f"{POLLING}&sid={sid}"
    parked = driver.connect()
    parked.send(request_bytes("GET", query=query, **headers))
    post = driver.connect().request("POST", query=query, body="4hello", **headers)
    app.sockets[sid].send("hello")
    poll = parked.answer()
    unknown = driver.connect().request("POST", query=f"{POLLING}&sid=no", body="4", **headers)
    malformed = driver.connect().request("POST", query=query, body="nonsense", **headers)
    assert poll is not None
    answers = (opened, post, poll, unknown, malformed)
    assert [answer.status for answer in answers] == [200, 200, 200, 400, 400]
    assert [about_origins(answer.headers) for answer in answers] == [expected] * 5


def test_refused_origin_is_not_reflected(serve: Serve) -> None:
    """Security rule T31."""
    _, driver = serve(**LISTED, cors_credentials=True)
    answer = driver.connect().request("GET", query=POLLING, Origin=STRANGER)
    assert (answer.status, about_origins(answer.headers)) == (403, (None, None, "Origin"))
    answer = driver.connect().request("OPTIONS", query=POLLING, Origin=STRANGER)
    assert (answer.status, about_origins(answer.headers)) == (400, (None, None, "Origin"))


@pytest.mark.parametrize("session", [True, False])
def test_preflight(serve: Serve, session: bool) -> None:
    """Protocol rule 5: for those who may connect, before a session and in one."""
    app, driver = serve(**LISTED)
    query = f"{POLLING}&sid={driver.poll_handshake()}" if session else POLLING
    sessions = len(app.engine.sessions)
    answer = driver.connect().request("OPTIONS", query=query, Origin=FRIEND)
    assert (answer.status, answer.body) == (204, "")
    assert about_origins(answer.headers) == (FRIEND, None, "Origin")
    assert answer.headers["access-control-allow-methods"] == "GET, POST"
    assert answer.headers["access-control-allow-headers"] == "Content-Type"
    assert len(app.engine.sessions) == sessions


# Cookies


@pytest.mark.parametrize(
    ("cookie", "attributes"),
    [
        (None, None),
        (Cookie(), "Path=/; HttpOnly; SameSite=Lax"),
        (Cookie(path="/chat", same_site="strict"), "Path=/chat; HttpOnly; SameSite=Strict"),
        (Cookie(http_only=False), "Path=/; SameSite=Lax"),
        (Cookie(same_site="none", secure=True), "Path=/; HttpOnly; SameSite=None; Secure"),
    ],
)
def test_cookie(serve: Serve, cookie: Cookie | None, attributes: str | None) -> None:
    """Off unless asked for; with the handshake alone."""
    app, driver = serve(cookie=cookie)
    answer = driver.connect().request("GET", query=POLLING)
    (sid,) = app.engine.sessions
    expected = None if attributes is None else f"io={sid}; {attributes}"
    assert answer.headers.get("set-cookie") == expected
    assert "set-cookie" not in driver.post(sid, "4hello").headers


def test_name_of_the_cookie(serve: Serve) -> None:
    app, driver = serve(cookie=Cookie(name="route"))
    answer = driver.connect().request("GET", query=POLLING)
    (sid,) = app.engine.sessions
    assert answer.headers["set-cookie"].startswith(f"route={sid};")
