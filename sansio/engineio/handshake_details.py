"""What is known of a client from the request that opened its session."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from ..request import Request
from .peer import Peer


class HandshakeDetails(msgspec.Struct, frozen=True):
    """The request that opened the session, and the connection that it came over."""

    headers: Mapping[str, str]
    """By lower-cased name; several of one name are joined by a comma."""
    query: Mapping[str, str]
    address: str
    """Where the connection came from; no header has a say in it."""
    secure: bool
    """Whether the connection was encrypted."""
    time: float
    """When the connection was made, in seconds since 1970."""


def read_headers(request: Request) -> dict[str, str]:
    """The headers by their names: of several with one name the values, joined by a comma."""
    headers: dict[str, str] = {}
    for name_bytes, value_bytes in request.headers:
        name, value = name_bytes.decode("latin-1"), value_bytes.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def read_details(request: Request, peer: Peer) -> HandshakeDetails:
    """The details of the session that this request over this connection has opened."""
    return HandshakeDetails(
        read_headers(request), request.query, peer.address, peer.secure, peer.since
    )
