"""The handshake of a WebSocket that opens a session, as nearly all clients send it.

It is read in one piece and answered, without the steps of `http.py`, `handshake.py` and
`websocket.py`, which judge whatever is not taken here: nothing is refused. This module knows no
connection, no configuration and no session.
"""

from __future__ import annotations

import re
from typing import Final

from ..request import Request
from .cors import own
from .http_heads import HOST, MAX_QUERY_FIELDS, NAMES, UNUSUAL, read_query
from .websocket import KEY, accept_token

LONGEST: Final = 8192
"""Bytes of a head, of which no line is too long for HTTP then."""
MOST_HEADERS: Final = 100

VISIBLE: Final = bytes(range(0x20, 0x7F))
NAME: Final = re.compile(rb"[-!#$%&'*+.^_`|~0-9A-Za-z]++")
CONNECTION: Final = (b"Upgrade", b"upgrade", b"keep-alive, Upgrade")
USUAL: Final = b"EIO=4&transport=websocket"
ACCEPTED: Final = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: %b\r\n\r\n"
)


def read_plain_handshake(data: bytes) -> tuple[Request, bytes] | None:
    """The request and the whole answer that accepts it; None to go the long way.

    What is taken is one head and nothing more, and a request that may be accepted but for its
    path: also its origin, where it has one, is the server's own.
    """
    # A connection takes 19 us less so than by the long way (CPython 3.11).
    # test_plain_handshake.py holds the two equal.
    if len(data) > LONGEST or not data.endswith(b"\r\n\r\n"):
        return None
    first, *lines = data[:-4].split(b"\r\n")
    # Nothing but what is visible, blanks, and the ends of these lines; no value ends with a blank.
    if data.translate(None, VISIBLE) != b"\r\n" * (len(lines) + 2) or b" \r" in data:
        return None
    method, _, first = first.partition(b" ")
    target, _, version = first.partition(b" ")
    path, _, fields = target.partition(b"?")
    if method != b"GET" or version != b"HTTP/1.1" or path[:1] != b"/":
        return None
    headers: dict[bytes, bytes] = {}
    for line in lines:
        name, colon, value = line.partition(b": ")
        known = NAMES.get(name)
        if known is None:
            if not NAME.fullmatch(name):
                return None
            known = name.lower()
        if not colon:
            return None
        headers[known] = value
    # Several of one name, and more that `http_heads.py` looks at.
    if len(headers) != len(lines) or len(lines) > MOST_HEADERS or b":  " in data:
        return None
    if not UNUSUAL.isdisjoint(headers):
        return None
    key, host = headers.get(b"sec-websocket-key"), headers.get(b"host")
    if (
        key is None
        or host is None
        or headers.get(b"upgrade") != b"websocket"
        or headers.get(b"connection") not in CONNECTION
        or headers.get(b"sec-websocket-version") != b"13"
        or not KEY.fullmatch(key)
        or not HOST.fullmatch(host.decode("ascii"))
    ):
        return None
    origin = headers.get(b"origin")
    if origin is not None and not own(origin, host):
        return None
    if fields == USUAL:
        query = {"EIO": "4", "transport": "websocket"}
    elif fields.count(b"&") >= MAX_QUERY_FIELDS:
        return None
    else:
        query = read_query(fields.decode("ascii"))
        if query.get("EIO") != "4" or query.get("transport") != "websocket" or "sid" in query:
            return None
    request = Request("GET", path.decode("ascii"), query, tuple(headers.items()))
    return request, ACCEPTED % accept_token(key)
