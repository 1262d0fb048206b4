"""The requests of a client: paths, queries and headers, and what an answer says that refuses one.

This module knows no connection and no session, only its id.
"""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Final
from urllib.parse import urlencode

import orjson

from ...client_config import EngineClientConfig, pairs
from ...config import Transport
from ...errors import TransportError
from .cookies import CookieJar
from .http import Answer, HttpRequest
from .url import ServerAddress
from .websocket import OFFER

RESERVED: Final = ("EIO", "transport", "sid")
MAX_SHOWN: Final = 200
"""Characters of an answer that are shown in an error."""

Headers = tuple[tuple[str, str], ...]


class Requests:
    """Writes the requests to one server; keeps the cookies that it sets."""

    __slots__ = ("_config", "_cookies", "_entropy", "_headers", "_path", "_query", "_secure")

    def __init__(
        self,
        address: ServerAddress,
        config: EngineClientConfig,
        cookies: CookieJar,
        entropy: Callable[[int], bytes],
    ) -> None:
        self._config = config
        self._cookies = cookies
        self._entropy = entropy
        self._secure = address.target.secure
        self._path = config.engine_path
        fields = {**dict(address.query), **dict(pairs("query", config.query))}
        self._query = {name: text for name, text in fields.items() if name not in RESERVED}
        headers = pairs("extra_headers", config.extra_headers)
        names = {name.lower() for name, _ in headers}
        if "host" not in names:
            headers = (("Host", address.target.authority), *headers)
        if address.username is not None and "authorization" not in names:
            secret = f"{address.username}:{address.password}".encode()
            basic = binascii.b2a_base64(secret, newline=False).decode("ascii")
            headers = (*headers, ("Authorization", f"Basic {basic}"))
        self._headers = headers

    def get(self, session_id: str, now: float) -> HttpRequest:
        """Ask for packets, or without an id for a session."""
        headers = (*self._common(now), ("Accept", "*/*"))
        return HttpRequest("GET", self._target("polling", session_id), headers)

    def post(self, session_id: str, body: bytes, now: float) -> HttpRequest:
        """Send packets."""
        headers = (*self._common(now), ("Accept", "*/*"))
        headers = (*headers, ("Content-Type", "text/plain;charset=UTF-8"))
        return HttpRequest("POST", self._target("polling", session_id), headers, body)

    def websocket(self, session_id: str, key: str, now: float) -> HttpRequest:
        """Ask for a WebSocket, with a session's id for that session (RFC 6455, section 4.1)."""
        headers: Headers = (
            *self._common(now),
            ("Upgrade", "websocket"),
            ("Connection", "Upgrade"),
            ("Sec-WebSocket-Key", key),
            ("Sec-WebSocket-Version", "13"),
        )
        if self._config.protocols:
            headers = (*headers, ("Sec-WebSocket-Protocol", ", ".join(self._config.protocols)))
        if self._config.deflate is not None:
            headers = (*headers, ("Sec-WebSocket-Extensions", OFFER))
        return HttpRequest("GET", self._target("websocket", session_id), headers)

    def keep(self, answer: Answer, now: float) -> None:
        """Keep the cookies that an answer sets."""
        if self._config.with_credentials:
            self._cookies.store(answer.headers, path=self._path, secure=self._secure, now=now)

    def _common(self, now: float) -> Headers:
        """The headers of every request; a cookie of the application's joins those of the jar."""
        cookies = ""
        if self._config.with_credentials:
            cookies = self._cookies.header(path=self._path, secure=self._secure, now=now)
        if not cookies:
            return self._headers
        others = tuple(pair for pair in self._headers if pair[0].lower() != "cookie")
        own = [text for name, text in self._headers if name.lower() == "cookie"]
        return (*others, ("Cookie", "; ".join([*own, cookies])))

    def _target(self, transport: Transport, session_id: str) -> str:
        config = self._config
        query = {**self._query, "EIO": "4", "transport": transport}
        stamped = config.timestamp_requests
        if stamped or (stamped is None and transport == "polling"):
            query[config.timestamp_param] = urlsafe_b64encode(self._entropy(6)).decode("ascii")
        if config.force_base64 and not session_id:
            query["b64"] = "1"
        if session_id:
            query["sid"] = session_id
        return f"{self._path}?{urlencode(query, errors='replace')}"


def refused(message: str, answer: Answer) -> TransportError:
    """The error for an answer that is none of what was asked for.

    An Engine.IO server says why in its body: `{"code":…,"message":…}` (rule 2).
    """
    text = answer.body.decode(errors="replace")
    if 300 <= answer.status < 400:
        said = f"a redirect to {answer.header(b'location')!r:.200}, which is not followed"
    else:
        said = why(answer.body) or (f"{text[:MAX_SHOWN]!r}" if text else "no text")
    return TransportError(
        message,
        f"the server answered with status {answer.status}: {said}",
        status=answer.status,
        context=text,
    )


def why(body: bytes) -> str:
    """What an Engine.IO server says in its refusal; empty for what is not one's."""
    try:
        fields: object = orjson.loads(body)
    except (ValueError, RecursionError):
        return ""
    match fields:
        case {"message": str(message), "code": int() | str() as code}:
            return f"{message[:MAX_SHOWN]!r} (code {code!s:.20})"
        case _:
            return ""
