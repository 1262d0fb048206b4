"""Which origins may connect, and what a browser is told about it.

Security rule T31: deny by default, on both transports; never reflect an origin
together with credentials unless it is listed.
"""

from __future__ import annotations

import re
from typing import Final

from ..config import EngineConfig, Origins, is_origin
from ..handlers import check_plain
from ..runtime import Log
from .http import Request, Response

Headers = tuple[tuple[str, str], ...]

MAX_AGE: Final = "600"
"""For how many seconds a browser may remember the answer to a preflight request."""

CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def well_formed(request: Request) -> bool:
    """Whether the request's origin, if it has one, is free of control characters (rule 1)."""
    origin = request.header(b"origin")
    return origin is None or CONTROL.search(origin) is None


def allowed(request: Request, config: EngineConfig) -> bool:
    """Whether the request's origin may connect: none given, our own, or a listed one.

    Our own is the one whose host and port are those of the Host header. The scheme
    is left out, since a proxy may have taken the encryption off.
    """
    origin = request.header(b"origin")
    if origin is None or listed(origin, config):
        return True
    host = request.header(b"host")
    if not host:
        return False
    return own(origin.lower().encode("latin-1"), host.lower().encode("latin-1"))


def own(origin: bytes, host: bytes) -> bool:
    """Whether a page of this origin came from the host that it now talks to.

    There is a host. They are compared as they stand, which is all that a plain handshake needs:
    who takes upper and lower case for the same gives both in lower case.
    """
    return origin == b"http://" + host or origin == b"https://" + host


def listed(origin: str, config: EngineConfig) -> bool:
    """Whether the configuration names this origin, or every one, or its function says True.

    A function is asked about what a browser could send only: it may come back in a header.
    """
    origins = config.cors_allowed_origins
    if callable(origins):
        return is_origin(origin) and CONTROL.search(origin) is None and origins(origin) is True
    return origins == "*" or origin in origins


def guarded(origins: Origins, log: Log) -> Origins:
    """The same; but what a function raises is logged, and the origin is not allowed.

    Raises TypeError for a function that cannot be called with an origin, or would have to be
    awaited: what it returns would look like True.
    """
    if not callable(origins):
        return origins
    function = origins
    check_plain("cors_allowed_origins", function, 1)

    def asked(origin: str) -> bool:
        try:
            return function(origin)
        except Exception as error:
            log("cors_allowed_origins: an origin is not allowed", error)
            return False

    return asked


def headers(request: Request, config: EngineConfig) -> Headers:
    """The headers that let a page of an allowed foreign origin read the answer."""
    if not config.cors_allowed_origins:
        return ()
    if config.cors_allowed_origins == "*":
        return (("Access-Control-Allow-Origin", "*"),)
    origin = request.header(b"origin")
    if origin is None or not listed(origin, config):
        return (("Vary", "Origin"),)
    found: Headers = (("Access-Control-Allow-Origin", origin), ("Vary", "Origin"))
    if config.cors_credentials:
        found += (("Access-Control-Allow-Credentials", "true"),)
    return found


def preflight(request: Request, config: EngineConfig) -> Response | None:
    """The answer to an OPTIONS request of an allowed foreign origin, or None (rule 5)."""
    origin = request.header(b"origin")
    if origin is None or not listed(origin, config):
        return None
    return Response(
        204,
        (
            *headers(request, config),
            ("Access-Control-Allow-Methods", "GET, POST"),
            ("Access-Control-Allow-Headers", "Content-Type"),
            ("Access-Control-Max-Age", MAX_AGE),
        ),
    )
