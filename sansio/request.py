"""An HTTP request, as the core takes it and an application gets to see it.

This module knows neither HTTP's grammar nor what the request is for.
"""

from __future__ import annotations

import msgspec


class Request(msgspec.Struct, frozen=True):
    """A whole request: what came, with only the framing taken off."""

    method: str
    path: str
    """As it was sent: without the query, percent-encoding left alone."""
    query: dict[str, str]
    """Decoded; of a repeated name the first value, and U+FFFD for what is not UTF-8."""
    headers: tuple[tuple[bytes, bytes], ...]
    """In the order they came, names in lower case."""
    body: bytes = b""

    def with_body(self, body: bytes) -> Request:
        """The same with this body."""
        return Request(self.method, self.path, self.query, self.headers, body)

    def header(self, name: bytes) -> str | None:
        """The values of a header (`name` in lower case), joined by ", "; None without one."""
        values = [value for key, value in self.headers if key == name]
        return b", ".join(values).decode("latin-1") if values else None

    @property
    def upgrade(self) -> bool:
        """Whether the Upgrade header names websocket, as one token of its list."""
        text = self.header(b"upgrade")
        if text is None:
            return False
        return text == "websocket" or "websocket" in [
            token.strip() for token in text.lower().split(",")
        ]
