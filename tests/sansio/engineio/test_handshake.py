"""Which requests are let in, what the others are answered, and how a session opens."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.sessions import Bench

from sansocket.sansio.config import Cookie, EngineConfig
from sansocket.sansio.engineio.handshake import (
    Code,
    RequestRefused,
    open_packet,
    refusal,
    set_cookie,
    verify,
)
from sansocket.sansio.engineio.http import Request
from sansocket.sansio.engineio.session import Session
from sansocket.sansio.engineio.states import State
from sansocket.sansio.errors import Reason, RemoteProtocolError

SESSIONS: dict[str, Session] = {
    "polled": Bench().session,
    "upgraded": Bench(State.WEBSOCKET).session,
}
OWN, STRANGER, EVIL = "https://server.example", "https://stranger.example", "https://a\x01b"

BODIES = {
    Code.UNKNOWN_TRANSPORT: b'{"code":0,"message":"Transport unknown"}',
    Code.UNKNOWN_SESSION: b'{"code":1,"message":"Session ID unknown"}',
    Code.BAD_HANDSHAKE_METHOD: b'{"code":2,"message":"Bad handshake method"}',
    Code.BAD_REQUEST: b'{"code":3,"message":"Bad request"}',
    Code.FORBIDDEN: b'{"code":4,"message":"Forbidden"}',
    Code.UNSUPPORTED_PROTOCOL_VERSION: b'{"code":5,"message":"Unsupported protocol version"}',
}


def request(
    method: str = "GET", upgrade: bool = False, origin: str | None = None, **query: str | None
) -> Request:
    """A request as the HTTP layer hands it out; what is None is left out of the query."""
    headers = [(b"host", b"server.example")]
    if upgrade:
        headers.append((b"upgrade", b"websocket"))
    if origin is not None:
        headers.append((b"origin", origin.encode()))
    given = {name: value for name, value in query.items() if value is not None}
    return Request(method, "/engine.io/", given, tuple(headers))


def verdict(asked: Request, config: EngineConfig) -> Code | Session | None:
    """The code of the refusal, or what `verify` returns."""
    try:
        return verify(asked, config, SESSIONS)
    except RequestRefused as refused:
        return refused.code


def code(*, options: dict[str, Any] | None = None, **asked: Any) -> Code | Session | None:
    """The verdict on a good handshake by polling, changed in this way."""
    changed: dict[str, Any] = {"transport": "polling", "EIO": "4"} | asked
    return verdict(request(**changed), EngineConfig(**(options or {})))


def test_let_in() -> None:
    assert code() is None
    assert code(transport="websocket", upgrade=True) is None
    for method in ("GET", "POST"):
        assert code(sid="polled", method=method) is SESSIONS["polled"]
    assert code(sid="polled", transport="websocket", upgrade=True) is SESSIONS["polled"]
    # whether there is a WebSocket already is the session's to know (protocol rule 35)
    assert code(sid="upgraded", transport="websocket", upgrade=True) is SESSIONS["upgraded"]
    assert code(sid="polled", EIO=None) is SESSIONS["polled"]


@pytest.mark.parametrize(
    "transport", [None, "", "webtransport", "POLLING", "polling ", "jsonp", "__proto__"]
)
def test_unknown_transport(transport: str | None) -> None:
    """Protocol rule 2, code 0; a missing one is no polling."""
    assert code(transport=transport) is Code.UNKNOWN_TRANSPORT
    assert code(transport=transport, sid="polled") is Code.UNKNOWN_TRANSPORT


def test_transport_that_is_not_enabled() -> None:
    """Protocol rule 2, code 0."""
    only_polling, only_websocket = {"transports": ("polling",)}, {"transports": ["websocket"]}
    assert code(options=only_polling) is None
    assert code(options=only_websocket) is Code.UNKNOWN_TRANSPORT
    asked: dict[str, Any] = {"transport": "websocket", "upgrade": True}
    assert code(options=only_websocket, **asked) is None
    assert code(options=only_polling, **asked) is Code.UNKNOWN_TRANSPORT
    assert code(options=only_polling, sid="polled", **asked) is Code.UNKNOWN_TRANSPORT


@pytest.mark.parametrize(
    "sid", ["", "nobody", "__proto__", "__class__", "POLLED", "polled ", "polled\x00", "0"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_unknown_session(sid: str, method: str) -> None:
    """Protocol rules 2 and 40, security rule 32: by exact look-up, code 1."""
    assert code(sid=sid, method=method) is Code.UNKNOWN_SESSION
    websocket = code(sid=sid, method=method, transport="websocket", upgrade=True)
    assert websocket is Code.UNKNOWN_SESSION


@pytest.mark.parametrize("method", ["POST", "PUT", "OPTIONS", "HEAD", "DELETE", "get", "TRACE"])
def test_handshake_method(method: str) -> None:
    """Protocol rule 2, code 2."""
    assert code(method=method) is Code.BAD_HANDSHAKE_METHOD
    websocket = code(method=method, transport="websocket", upgrade=True)
    assert websocket is Code.BAD_HANDSHAKE_METHOD


@pytest.mark.parametrize(
    "asked",
    [
        {"transport": "websocket"},
        {"transport": "websocket", "sid": "polled"},
        {"transport": "websocket", "sid": "upgraded"},
        {"upgrade": True},
        {"upgrade": True, "sid": "polled"},
        {"sid": "upgraded"},
        {"sid": "upgraded", "method": "POST"},
        {"sid": "polled", "method": "PUT"},
        {"sid": "polled", "method": "OPTIONS"},
        {"sid": "polled", "method": "HEAD"},
        {"sid": "polled", "method": "POST", "transport": "websocket", "upgrade": True},
        {"origin": EVIL},
        {"origin": EVIL, "sid": "polled"},
    ],
    ids=repr,
)
def test_bad_request(asked: dict[str, Any]) -> None:
    """Protocol rules 2, 4, 6 and 35, code 3: the kind of request does not go with the rest."""
    assert code(**asked) is Code.BAD_REQUEST


def test_no_upgrades() -> None:
    """An upgrade that was not offered is not taken; a new WebSocket is no upgrade."""
    options = {"allow_upgrades": False}
    asked: dict[str, Any] = {"transport": "websocket", "upgrade": True, "options": options}
    assert code(sid="polled", **asked) is Code.BAD_REQUEST
    assert code(**asked) is None


@pytest.mark.parametrize("eio", [None, "", "3", "5", "abc", "04", "4.0", " 4", "٤", "44"])
def test_version(eio: str | None) -> None:
    """Protocol rules 2 and 4, code 5: before a WebSocket, not on it."""
    assert code(EIO=eio) is Code.UNSUPPORTED_PROTOCOL_VERSION
    websocket = code(EIO=eio, transport="websocket", upgrade=True)
    assert websocket is Code.UNSUPPORTED_PROTOCOL_VERSION


@pytest.mark.parametrize(
    ("transport", "sid", "method"),
    [
        ("polling", None, "GET"),
        ("polling", "polled", "GET"),
        ("polling", "polled", "POST"),
        ("websocket", None, "GET"),
        ("websocket", "polled", "GET"),
    ],
)
def test_origin(transport: str, sid: str | None, method: str) -> None:
    """Security rule T31, code 4: on both transports, and on every request of a session."""
    asked: dict[str, Any] = {
        "transport": transport,
        "upgrade": transport == "websocket",
        "sid": sid,
        "method": method,
    }
    let_in = SESSIONS.get(sid or "")
    assert code(origin=STRANGER, **asked) is Code.FORBIDDEN
    assert code(origin=OWN, **asked) is let_in
    listed = {"cors_allowed_origins": (STRANGER,)}
    assert code(origin=STRANGER, options=listed, **asked) is let_in


@given(
    transport=st.sampled_from([None, "polling", "websocket", "webtransport"]),
    origin=st.sampled_from([None, OWN, STRANGER, EVIL]),
    sid=st.sampled_from([None, "polled", "upgraded", "nobody"]),
    method=st.sampled_from(["GET", "POST", "PUT"]),
    upgrade=st.booleans(),
    eio=st.sampled_from(["4", "3", None]),
    allow_upgrades=st.booleans(),
)
def test_order_of_checks(
    transport: str | None,
    origin: str | None,
    sid: str | None,
    method: str,
    upgrade: bool,
    eio: str | None,
    allow_upgrades: bool,
) -> None:
    """Protocol rule 1: of several faults the first is answered; with none, it is let in."""
    opens, known = sid is None, sid in SESSIONS
    faults = [
        (transport not in ("polling", "websocket"), Code.UNKNOWN_TRANSPORT),
        (origin == EVIL, Code.BAD_REQUEST),
        (not opens and not known, Code.UNKNOWN_SESSION),
        (opens and method != "GET", Code.BAD_HANDSHAKE_METHOD),
        (upgrade != (transport == "websocket"), Code.BAD_REQUEST),
        (known and upgrade and (method != "GET" or not allow_upgrades), Code.BAD_REQUEST),
        (known and not upgrade and sid == "upgraded", Code.BAD_REQUEST),
        (known and method == "PUT", Code.BAD_REQUEST),
        (origin == STRANGER, Code.FORBIDDEN),
        (opens and eio != "4", Code.UNSUPPORTED_PROTOCOL_VERSION),
    ]
    first = next((code for fault, code in faults if fault), None)
    asked = request(method, upgrade, origin, transport=transport, sid=sid, EIO=eio)
    found = verdict(asked, EngineConfig(allow_upgrades=allow_upgrades))
    assert found is (SESSIONS.get(sid or "") if first is None else first)


@given(
    st.text(),
    st.dictionaries(st.sampled_from(["transport", "sid", "EIO", "j"]), st.text()),
    st.binary(),
    st.booleans(),
)
def test_anything(method: str, query: dict[str, str], origin: bytes, upgrade: bool) -> None:
    """Protocol rule 95: let in, or refused with a code; no other error, whatever was asked."""
    headers = ((b"origin", origin), (b"upgrade", b"websocket" if upgrade else b"h2c"))
    found = verdict(Request(method, "/", query, headers), EngineConfig())
    assert isinstance(found, Code | Session | None)


# What the others are answered


@pytest.mark.parametrize("code", Code)
def test_refusal(code: Code) -> None:
    """Protocol rule 2: the status, and JSON with a number; 403 for FORBIDDEN, 400 for the rest."""
    error = RequestRefused(code)
    answer = refusal(error, (("Vary", "Origin"),))
    assert answer.status == error.status == (403 if code is Code.FORBIDDEN else 400)
    assert answer.body == BODIES[code]
    assert dict(answer.headers) == {"Vary": "Origin", "Content-Type": "application/json"}
    assert error.reason is Reason.TRANSPORT_ERROR


def test_refusal_tells_no_secrets() -> None:
    """Security rule 34: fixed text only, whatever the error says."""
    answer = refusal(RemoteProtocolError("unknown packet type '<script>'"))
    assert (answer.status, answer.body) == (400, BODIES[Code.BAD_REQUEST])


@pytest.mark.parametrize("status", [404, 408, 411, 413, 431, 501])
def test_refusal_without_a_body(status: int) -> None:
    """Protocol rule 19: 413 is empty, and so are the others that have no code."""
    answer = refusal(RemoteProtocolError("x", status=status), (("Vary", "Origin"),))
    assert (answer.status, answer.body) == (status, b"")
    assert answer.headers == (("Vary", "Origin"),)


def test_refusal_of_a_websocket_version() -> None:
    """RFC 6455, section 4.4: the answer names the version that there is."""
    answer = refusal(RemoteProtocolError("x", status=426))
    assert (answer.status, answer.body) == (426, b"")
    assert answer.headers == (("Sec-WebSocket-Version", "13"),)


# How a session opens


@pytest.mark.parametrize(
    ("state", "options", "upgrades"),
    [
        (State.POLLING, {}, ["websocket"]),
        (State.WEBSOCKET, {}, []),
        (State.POLLING, {"allow_upgrades": False}, []),
        (State.POLLING, {"transports": ("polling",)}, []),
    ],
)
def test_open_packet(state: State, options: dict[str, Any], upgrades: list[str]) -> None:
    """Protocol rule 17, security rule 25: exactly these keys, in milliseconds and bytes."""
    bench = Bench(state, ping_interval=0.3, ping_timeout=20, max_payload=1234, **options)
    [message] = open_packet(bench.session, bench.config).messages
    assert isinstance(message, str)
    assert message[0] == "0"
    assert json.loads(message[1:]) == {
        "sid": bench.session.id,
        "upgrades": upgrades,
        "pingInterval": 300,
        "pingTimeout": 20_000,
        "maxPayload": 1234,
    }


@given(st.integers(1, 10**7))
def test_milliseconds(milliseconds: int) -> None:
    """Security rule 25: advertised exactly, whatever seconds as a float make of it."""
    bench = Bench(ping_interval=milliseconds / 1000, ping_timeout=milliseconds / 1000)
    [message] = open_packet(bench.session, bench.config).messages
    assert isinstance(message, str)
    handshake = json.loads(message[1:])
    assert (handshake["pingInterval"], handshake["pingTimeout"]) == (milliseconds, milliseconds)
    assert isinstance(handshake["pingInterval"], int)


@pytest.mark.parametrize(
    ("cookie", "value"),
    [
        (Cookie(), "io=secret; Path=/; HttpOnly; SameSite=Lax"),
        (
            Cookie(name="node", path="/a", http_only=False, same_site="strict"),
            "node=secret; Path=/a; SameSite=Strict",
        ),
        (
            Cookie(same_site="none", secure=True),
            "io=secret; Path=/; HttpOnly; SameSite=None; Secure",
        ),
    ],
)
def test_cookie(cookie: Cookie, value: str) -> None:
    assert set_cookie(cookie, Bench().session) == ("Set-Cookie", value)
