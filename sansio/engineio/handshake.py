"""Which requests are let in, and the packet that opens a session.

The order of the checks, the codes and the bodies are those of the reference
(rules 1 and 2); a WebSocket that is refused is refused before the upgrade (rule 4).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum

import orjson

from ..config import Cookie, EngineConfig
from ..errors import Reason, RemoteProtocolError
from . import cors
from .encoded import Encoded
from .http import Request, Response
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
    """A request that gets an HTTP error with a code in its body."""

    def __init__(self, code: Code) -> None:
        super().__init__(
            MESSAGES[code],
            status=403 if code is Code.FORBIDDEN else 400,
            reason=Reason.TRANSPORT_ERROR,
        )
        self.code = code


def verify(
    request: Request, config: EngineConfig, sessions: Mapping[str, Session]
) -> Session | None:
    """The session that the request belongs to, or None for one that opens a session.

    Raises RequestRefused for everything else.
    """
    transport = request.query.get("transport")
    if transport not in config.transports:
        raise RequestRefused(Code.UNKNOWN_TRANSPORT)
    if not cors.well_formed(request):
        raise RequestRefused(Code.BAD_REQUEST)
    matches = request.upgrade is (transport == "websocket")
    session_id = request.query.get("sid")
    if session_id is not None:
        return verify_session(request, config, sessions.get(session_id), matches)
    if request.method != "GET":
        raise RequestRefused(Code.BAD_HANDSHAKE_METHOD)
    if not matches:
        raise RequestRefused(Code.BAD_REQUEST)
    if not cors.allowed(request, config):
        raise RequestRefused(Code.FORBIDDEN)
    if request.query.get("EIO") != "4":
        raise RequestRefused(Code.UNSUPPORTED_PROTOCOL_VERSION)
    return None


def verify_session(
    request: Request, config: EngineConfig, session: Session | None, matches: bool
) -> Session:
    """The rest of `verify`, for a request with a session's id.

    `matches` tells whether the request is of the kind that its transport needs.
    """
    if session is None:
        raise RequestRefused(Code.UNKNOWN_SESSION)
    if not matches:
        raise RequestRefused(Code.BAD_REQUEST)
    if request.upgrade:
        if request.method != "GET" or not config.allow_upgrades:
            raise RequestRefused(Code.BAD_REQUEST)
    elif session.transport != "polling" or request.method not in ("GET", "POST"):
        raise RequestRefused(Code.BAD_REQUEST)
    if not cors.allowed(request, config):
        raise RequestRefused(Code.FORBIDDEN)
    return session


def refusal(error: RemoteProtocolError, headers: cors.Headers = ()) -> Response:
    """The answer to a request that broke the protocol: fixed text only (security rule 34).

    A body over the limit gets a 413 without a body of its own (rule 19).
    """
    if error.status == 426:
        headers = (*headers, ("Sec-WebSocket-Version", "13"))
    if error.status not in (400, 403):
        return Response(error.status, headers)
    code = error.code if isinstance(error, RequestRefused) else Code.BAD_REQUEST
    body = orjson.dumps({"code": int(code), "message": MESSAGES[code]})
    return Response(error.status, (*headers, ("Content-Type", "application/json")), body)


def open_packet(session: Session, config: EngineConfig) -> Encoded:
    """The first packet of a session: exactly the five keys of rule 17, in milliseconds."""
    upgrades = (
        ["websocket"]
        if session.transport == "polling"
        and config.allow_upgrades
        and "websocket" in config.transports
        else []
    )
    handshake = {
        "sid": session.id,
        "upgrades": upgrades,
        "pingInterval": round(config.ping_interval * 1000),
        "pingTimeout": round(config.ping_timeout * 1000),
        "maxPayload": config.max_payload,
    }
    return Encoded(b"0" + orjson.dumps(handshake))


def set_cookie(cookie: Cookie, session: Session) -> tuple[str, str]:
    """The header that sets the session's cookie."""
    value = f"{cookie.name}={session.id}; Path={cookie.path}"
    if cookie.http_only:
        value += "; HttpOnly"
    value += f"; SameSite={cookie.same_site.capitalize()}"
    if cookie.secure:
        value += "; Secure"
    return ("Set-Cookie", value)
