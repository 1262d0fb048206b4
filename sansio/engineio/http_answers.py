"""Answers of an HTTP server, and the bytes that their heads are.

This module knows no connection and no request. h11 would write the same bytes, in 31 us for an
answer to a poll instead of 4 (CPython 3.11); test_http_answers.py holds them equal.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from ..errors import LocalProtocolError

Headers = tuple[tuple[str, str], ...]

FRAMING: Final = re.compile("content-length|transfer-encoding", re.IGNORECASE)
OURS: Final = re.compile(
    f"{FRAMING.pattern}|content-encoding|connection|upgrade|sec-websocket-.*", re.IGNORECASE
)
NAME: Final = re.compile(r"[-!#$%&'*+.^_`|~0-9A-Za-z]++")
VALUE: Final = re.compile(r"(?:[^\0\s]++(?:[ \t]++[^\0\s]++)*+)?+", re.ASCII)
STATUS_LINES: Final = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in HTTPStatus
}


@dataclass(frozen=True, slots=True)
class Response:
    """A whole answer but for its framing; to HEAD the one to GET, of which the head is sent."""

    status: int
    headers: Headers = ()
    body: bytes = b""


def encode_head(status: int, headers: Sequence[tuple[str, str]]) -> bytes:
    """The head of an answer, in latin-1, as `Request.header` decodes.

    Raises LocalProtocolError for what is none: a malformed name or value, or status.
    """
    lines = [STATUS_LINES.get(status) or f"HTTP/1.1 {status} \r\n"]
    if not 100 <= status <= 999:
        raise LocalProtocolError(f"{status} is no status")
    for name, value in headers:
        if NAME.fullmatch(name) is None or VALUE.fullmatch(value) is None:
            raise LocalProtocolError(f"illegal header {name!r}: {value!r}")
        lines.append(f"{name}: {value}\r\n")
    lines.append("\r\n")
    try:
        return "".join(lines).encode("latin-1")
    except UnicodeEncodeError as error:
        raise LocalProtocolError(str(error)) from error


def encode_answer(response: Response, *, head_only: bool, close: bool) -> bytes:
    """A whole answer; with `close` it says that the connection will be closed.

    Raises LocalProtocolError, also for a status below 200 and for framing of its own.
    """
    status, headers, body = response.status, response.headers, response.body
    if status < 200 or any(FRAMING.fullmatch(name) for name, _ in headers):
        raise LocalProtocolError("not a whole answer, or with a framing of its own")
    # RFC 9110, section 8.6: never with 204; with 304 only what a 200 would have had.
    if status != 204 and (body or status != 304):
        headers = (*headers, ("Content-Length", str(len(body))))
    if close:
        headers = (*without_connection(headers), ("Connection", "close"))
    data = encode_head(status, headers)
    return data if head_only or status in (204, 304) else data + body


def without_connection(headers: Headers) -> Headers:
    """All but those that say how the connection goes on."""
    return tuple(pair for pair in headers if pair[0].lower() != "connection")


def says_close(headers: Headers) -> bool:
    """Whether an answer itself says that it is the last."""
    return any(
        token.strip().lower() == "close"
        for name, value in headers
        if name.lower() == "connection"
        for token in value.split(",")
    )


def check_headers(headers: Sequence[tuple[str, str]]) -> None:
    """Raise LocalProtocolError for headers that an application may not add to an answer.

    Those are the malformed ones, and those that say how the answer is framed.
    """
    try:
        for name, _ in headers:
            if OURS.fullmatch(name):
                raise LocalProtocolError(f"{name} is not the application's to say")
        encode_head(200, headers)
    except (LocalProtocolError, ValueError, TypeError, AttributeError) as error:
        raise LocalProtocolError(f"headers that cannot be sent: {error}") from error
