"""Which requests are let in, and the packet that opens a session.

The order of the checks, the codes and the bodies are those of the reference
(rules 1 and 2); a WebSocket that is refused is refused before the upgrade (rule 4).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from functools import lru_cache

import msgspec
import orjson

from ..config import Cookie, EngineConfig
from ..errors import Reason, RemoteProtocolError
from ..request import Request
from . import cors
from .encoded import Encoded
from .http import Response
from .session import Session


class Code(IntEnum):
    """Why a request was refused: `code` in the body of the answer."""

    UNKNOWN_TRANSPORT = 0
    UNKNOWN_SESSION = 1
    BAD_HANDSHAKE_METHOD = 2
    BAD_REQUEST = 3
    FORBIDDEN = 4
    UNSUPPORTED_PROTOCOL_VERSION = 5


MESSAGES = {
    Code.UNKNOWN_TRANSPORT: "Transport unknown",
    Code.UNKNOWN_SESSION: "Session ID unknown",
    Code.BAD_HANDSHAKE_METHOD: "Bad handshake method",
    Code.BAD_REQUEST: "Bad request",
    Code.FORBIDDEN: "Forbidden",
    Code.UNSUPPORTED_PROTOCOL_VERSION: "Unsupported protocol version",
}


class RequestRefused(RemoteProtocolError):
    """A request that gets an HTTP error with a code in its body.

    `message` stands for the fixed text of the code. `context` is for the application only,
    in the reference's terms: what it was that was wrong.
    """

    def __init__(
        self, code: Code, message: str | None = None, /, *, status: int = 0, **context: object
    ) -> None:
        super().__init__(
            message or MESSAGES[code],
            status=status or (403 if code is Code.FORBIDDEN else 400),
            reason=Reason.TRANSPORT_ERROR,
        )
        self.code = code
        self.message: str = message or MESSAGES[code]
        self.context = context


class ConnectionFailure(msgspec.Struct, frozen=True):
    """What an observer of `connection_error` is told: a request that was refused, and why."""

    request: Request
    code: int
    message: str
    context: Mapping[str, object]


def verify(
    request: Request, config: EngineConfig, sessions: Mapping[str, Session]
) -> Session | None:
    """The session that the request belongs to, or None for one that opens a session.

    Raises RequestRefused for everything else. The version comes last (rule 1).
    """
    session = verify_request(request, config, sessions)
    version = request.query.get("EIO")
    if session is None and version != "4":
        raise RequestRefused(Code.UNSUPPORTED_PROTOCOL_VERSION, protocol=version)
    return session


def verify_request(
    request: Request, config: EngineConfig, sessions: Mapping[str, Session]
) -> Session | None:
    """All of `verify` that comes before the application is asked about a new client."""
    transport = request.query.get("transport")
    if transport not in config.transports:
        raise RequestRefused(Code.UNKNOWN_TRANSPORT, transport=transport)
    origin = request.header(b"origin")
    if origin is not None and not cors.well_formed(request):
        raise RequestRefused(Code.BAD_REQUEST, name="INVALID_ORIGIN", origin=origin)
    matches = request.upgrade is (transport == "websocket")
    session_id = request.query.get("sid")
    if session_id is not None:
        return verify_session(request, config, sessions.get(session_id), matches)
    if request.method != "GET":
        raise RequestRefused(Code.BAD_HANDSHAKE_METHOD, method=request.method)
    if not matches:
        raise RequestRefused(Code.BAD_REQUEST, name="TRANSPORT_HANDSHAKE_ERROR")
    if origin is not None:
        verify_origin(request, config)
    return None


def verify_session(
    request: Request, config: EngineConfig, session: Session | None, matches: bool
) -> Session:
    """The rest of `verify`, for a request with a session's id.

    `matches` tells whether the request is of the kind that its transport needs.
    """
    if session is None:
        raise RequestRefused(Code.UNKNOWN_SESSION, sid=request.query["sid"])
    if request.upgrade:
        served = request.method == "GET" and config.allow_upgrades
    else:
        served = session.transport == "polling" and request.method in ("GET", "POST")
    if not matches or not served:
        raise RequestRefused(
            Code.BAD_REQUEST,
            name="TRANSPORT_MISMATCH",
            transport=request.query.get("transport"),
            previous_transport=session.transport,
        )
    verify_origin(request, config)
    return session


def verify_origin(request: Request, config: EngineConfig) -> None:
    """Raise RequestRefused for a page that may not connect (security rule T31)."""
    if not cors.allowed(request, config):
        origin = request.header(b"origin")
        raise RequestRefused(Code.FORBIDDEN, name="ORIGIN_NOT_ALLOWED", origin=origin)


def refusal(error: RemoteProtocolError, headers: cors.Headers = ()) -> Response:
    """The answer to a request that broke the protocol: fixed text, or the application's own.

    No text of the peer comes back (security rule 34). A body over the limit gets a 413
    without a body of its own (rule 19).
    """
    if error.status == 426:
        headers = (*headers, ("Sec-WebSocket-Version", "13"))
    code, message = Code.BAD_REQUEST, MESSAGES[Code.BAD_REQUEST]
    if isinstance(error, RequestRefused):
        # No UTF-8 can carry a lone surrogate.
        code, message = error.code, error.message.encode(errors="replace").decode()
    elif error.status != 400:
        return Response(error.status, headers)
    body = orjson.dumps({"code": int(code), "message": message})
    return Response(error.status, (*headers, ("Content-Type", "application/json")), body)


def open_packet(session: Session, config: EngineConfig) -> Encoded:
    """The first packet of a session: exactly the five keys of rule 17, in milliseconds."""
    upgrades = (
        session.transport == "polling"
        and config.allow_upgrades
        and "websocket" in config.transports
    )
    before, after = around_id(
        upgrades, config.ping_interval, config.ping_timeout, config.max_payload
    )
    # Whoever made the id, it has nothing that JSON would escape.
    text = before + session.id.encode("ascii") + after
    return Encoded(text, (), len(text))


@lru_cache(maxsize=16)
def around_id(
    upgrades: bool, ping_interval: float, ping_timeout: float, max_payload: int
) -> tuple[bytes, bytes]:
    """What stands before and after the id in an open packet: the same for all of a server."""
    before = b'0{"sid":"'
    handshake = {
        "sid": "",
        "upgrades": ["websocket"] if upgrades else [],
        "pingInterval": round(ping_interval * 1000),
        "pingTimeout": round(ping_timeout * 1000),
        "maxPayload": max_payload,
    }
    return before, orjson.dumps(handshake).removeprefix(before[1:])


def set_cookie(cookie: Cookie, session: Session) -> tuple[str, str]:
    """The header that sets the session's cookie."""
    value = f"{cookie.name}={session.id}; Path={cookie.path}"
    if cookie.http_only:
        value += "; HttpOnly"
    value += f"; SameSite={cookie.same_site.capitalize()}"
    if cookie.secure:
        value += "; Secure"
    return ("Set-Cookie", value)
