"""The head of a request: what h11 makes of it, and of the heads that most clients send, made here.

This module knows no connection: a head comes whole, in lines of which each ends with CR and LF and
has neither of them, nor NUL, within. h11 holds the grammar; where it is lenient and a proxy in
front may not be, a head is refused here (security rule T30).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import parse_qsl

import h11
import msgspec

from ..errors import RemoteProtocolError
from ..request import Request

MAX_QUERY_FIELDS: Final = 128

# Possessive repeats never go back: what is scanned is scanned once (security rule 15).
CONTENT_LENGTH: Final = re.compile(rb"[ \t]*+[0-9]{1,19}[ \t]*+")
HOST: Final = re.compile(r"(?:\[[-0-9A-Za-z:.%_~]++\]|[-0-9A-Za-z._~!$&'()*+,;=%]*+)(?::[0-9]*+)?")
TARGET: Final = re.compile(r"(?:(?i:https?)://([^/?#]++)|(?=[/*]))(/[^?]*+|\*)?+(?:\?(.*+))?+")

FIELD: Final = rb"[-!#$%&'*+.^_`|~0-9A-Za-z]++:[ \t]*+[!-~]++(?:[ \t]++[!-~]++)*+\r\n"
PLAIN: Final = re.compile(
    rb"GET (/[!->@-~]*+)(?:\?([!-~]*+))?+ HTTP/1\.1\r\n((?:%b)++)\r\n" % FIELD
)
PLAIN_FIELD: Final = re.compile(rb"([^:]++):[ \t]*+([^\r]++)\r\n")
UNUSUAL: Final = frozenset({b"content-length", b"transfer-encoding", b"expect"})
"""Names of headers that say more of a request than what is asked for."""

NAMES: Final = {
    name.title(): name
    for name in (
        *(b"accept", b"accept-encoding", b"accept-language", b"cache-control", b"connection"),
        *(b"cookie", b"host", b"origin", b"pragma", b"referer", b"sec-websocket-extensions"),
        *(b"upgrade", b"user-agent"),
    )
} | {
    b"Sec-WebSocket-Key": b"sec-websocket-key",
    b"Sec-WebSocket-Version": b"sec-websocket-version",
    b"Sec-WebSocket-Extensions": b"sec-websocket-extensions",
}
"""As they are sent mostly, and in lower case: one object for all the requests that are kept."""


class Head(msgspec.Struct, frozen=True):
    """A head that has been read."""

    request: Request
    """Without its body."""
    length: int = 0
    """What Content-Length says, in bytes; 0 without it."""
    chunked: bool = False
    """Whether the body says itself where it ends."""
    keeps_alive: bool = True
    """Whether another request may follow."""
    awaits_continue: bool = False
    """Whether the body comes when it has been asked for."""


def read_head(head: bytes, max_headers: int) -> Head:
    """Read a whole head; raises RemoteProtocolError for a malformed one and its framing."""
    return read_plain_head(head, max_headers) or read_any_head(head, max_headers)


def read_plain_head(head: bytes, max_headers: int) -> Head | None:
    """The short way for a GET without a body in visible ASCII, as clients send it; else None."""
    # 8 us where h11 takes 41 for the same head (CPython 3.11). What is unusual in any respect is
    # left to h11; test_http_heads.py holds the two ways equal.
    plain = PLAIN.fullmatch(head)
    if plain is None:
        return None
    path, fields, lines = plain.groups(b"")
    headers = tuple(
        [(NAMES.get(name) or name.lower(), value) for name, value in PLAIN_FIELD.findall(lines)]
    )
    by_name = dict(headers)
    host = by_name.get(b"host")
    if host is None or len(by_name) != len(headers) or not UNUSUAL.isdisjoint(by_name):
        return None
    if len(headers) > max_headers or not HOST.fullmatch(host.decode("ascii")):
        return None
    if b"close" in by_name.get(b"connection", b"").lower():
        return None
    if fields.count(b"&") >= MAX_QUERY_FIELDS:
        return None
    return Head(Request("GET", path.decode("ascii"), read_query(fields.decode("ascii")), headers))


def read_any_head(head: bytes, max_headers: int) -> Head:
    """The same for every head, by h11; raises as `read_head` does."""
    lines = head[:-4].split(b"\r\n")[1:]
    if len(lines) > max_headers:
        raise RemoteProtocolError("too many headers", status=431)
    if any(line[0] in b" \t" for line in lines):
        raise RemoteProtocolError("folded header")
    connection = h11.Connection(h11.SERVER)
    try:
        connection.receive_data(head)
        event = connection.next_event()
    except h11.RemoteProtocolError as error:
        raise RemoteProtocolError(str(error)[:200], status=error.error_status_hint) from error
    assert isinstance(event, h11.Request)  # of a whole head h11 makes one, or raises
    if event.http_version not in (b"1.0", b"1.1"):
        raise RemoteProtocolError("neither HTTP/1.0 nor HTTP/1.1", status=505)
    if event.method == b"CONNECT":
        raise RemoteProtocolError("not a proxy", status=501)
    # In the raw lines, because h11 makes one of several equal lengths.
    lengths = [line[15:] for line in lines if line[:15].lower() == b"content-length:"]
    chunked = any(name == b"transfer-encoding" for name, _ in event.headers)
    if len(lengths) + chunked > 1 or (chunked and event.http_version == b"1.0"):
        raise RemoteProtocolError("ambiguous length of the body")
    if not all(map(CONTENT_LENGTH.fullmatch, lengths)):
        raise RemoteProtocolError("malformed Content-Length")
    return Head(
        read_request(event),
        int(lengths[0]) if lengths else 0,
        chunked,
        event.http_version == b"1.1" and not says_close(event.headers),
        connection.they_are_waiting_for_100_continue,
    )


def says_close(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether a Connection header has the token "close" (names in lower case)."""
    return any(
        token.strip().lower() == b"close"
        for name, value in headers
        if name == b"connection"
        for token in value.split(b",")
    )


def read_request(event: h11.Request) -> Request:
    """The request without its body, after a look at its Host and its target.

    Origin, absolute and asterisk form are taken (RFC 9112, section 3.2).
    """
    headers = tuple(event.headers)
    if event.http_version == b"1.0":
        # "MUST ignore the Upgrade header field" there (RFC 9110, section 7.8)
        headers = tuple(pair for pair in headers if pair[0] != b"upgrade")
    host = b"".join(value for name, value in headers if name == b"host").decode("latin-1")
    target = TARGET.fullmatch(event.target.decode())
    if target is None or not HOST.fullmatch(host):
        raise RemoteProtocolError("malformed target or Host")
    authority, path, fields = target.groups("")
    if host and authority and host.lower() != authority.lower():
        raise RemoteProtocolError("Host is not that of the target")
    if fields.count("&") >= MAX_QUERY_FIELDS:
        raise RemoteProtocolError("too many query fields")
    return Request(event.method.decode(), path or "/", read_query(fields), headers)


def read_query(fields: str) -> dict[str, str]:
    """The fields of a query; of a repeated name the first value."""
    if "%" in fields or "+" in fields:
        return dict(reversed(parse_qsl(fields, keep_blank_values=True, errors="replace")))
    # Nothing is encoded in what most clients send: 1 us instead of 6.
    query: dict[str, str] = {}
    for field in fields.split("&"):
        if field:
            name, _, value = field.partition("=")
            query.setdefault(KNOWN.get(name, name), KNOWN.get(value, value))
    return query


KNOWN: Final = {word: word for word in ("EIO", "transport", "sid", "4", "websocket", "polling")}
"""One object for all the requests that are kept."""
