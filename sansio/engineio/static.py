"""A file that is served from memory: its validators, its compressed form, its answers.

This module knows no file system. A name is looked up in a table of the caller's,
exactly, and no path is ever joined (security rule 33); nor does it know what the
files are.
"""

from __future__ import annotations

import gzip
import re
from functools import cached_property
from hashlib import sha256
from typing import Final

from .compression import preferred
from .http import Request, Response

MIN_COMPRESSED: Final = 1_024
"""Bytes from which on a body is worth compressing."""

TEXT: Final = re.compile(
    r"text/.+|application/(?:javascript|json|xml|manifest\+json|.+\+(?:json|xml))|image/svg\+xml"
)
ENTITY_TAG: Final = re.compile(r'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")')


class StaticFile:
    """One file of the table.

    `cache_control`: the default lets everyone keep a copy, and has it revalidated
    with each use, as the reference does for its client bundle.
    """

    def __init__(
        self, body: bytes, content_type: str, *, cache_control: str = "public, max-age=0"
    ) -> None:
        self._body = body
        self._digest = sha256(body).hexdigest()[:32]
        self._compressible = len(body) >= MIN_COMPRESSED and is_text(content_type)
        self._headers: tuple[tuple[str, str], ...] = (
            ("Content-Type", content_type),
            ("X-Content-Type-Options", "nosniff"),
        )
        self._cache_control = ("Cache-Control", cache_control)

    @cached_property
    def compressed(self) -> bytes | None:
        """The body in gzip, the same in every process; None when that is no gain."""
        if not self._compressible:
            return None
        compressed = gzip.compress(self._body, mtime=0)
        return compressed if len(compressed) < len(self._body) else None

    def respond(self, request: Request) -> Response:
        """The answer to a request for this file: 200, 304, or 405 for other methods.

        The entity tags are strong, hence one for each encoding (RFC 9110, section 8.8.3.3).
        To HEAD it is the answer to GET; whoever sends it leaves the body out.
        """
        if request.method not in ("GET", "HEAD"):
            return Response(405, (("Allow", "GET, HEAD"),))
        body, tag, headers = self._body, f'"{self._digest}"', self._headers
        accepted = preferred(request.header(b"accept-encoding") or "", ("gzip",))
        if accepted is not None and self.compressed is not None:
            body, tag = self.compressed, f'"{self._digest}-gzip"'
            headers = (*headers, ("Content-Encoding", "gzip"))
        validators = (("ETag", tag), self._cache_control, ("Vary", "Accept-Encoding"))
        if matches(request.header(b"if-none-match") or "", tag):
            return Response(304, validators)
        return Response(200, (*headers, *validators), body)


def is_text(content_type: str) -> bool:
    """Whether a media type, parameters and all, is one of those that compress well."""
    return TEXT.fullmatch(content_type.partition(";")[0].strip().lower()) is not None


def matches(if_none_match: str, tag: str) -> bool:
    """Whether the client has this very form already: weak comparison (RFC 9110, 13.1.2)."""
    return if_none_match.strip() == "*" or tag in ENTITY_TAG.findall(if_none_match)
