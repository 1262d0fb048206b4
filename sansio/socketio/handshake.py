"""What is known of a client when it connects to a namespace."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from ..engineio.session import Session


class Handshake(msgspec.Struct, frozen=True):
    """The request that opened the session, and what the client gave as `auth`."""

    headers: Mapping[str, str]
    """By lower-cased name; several of one name are joined by a comma."""
    query: Mapping[str, str]
    address: str
    """Where the connection came from; no header has a say in it."""
    secure: bool
    time: float
    """When the connection was made, in seconds since 1970."""
    auth: dict[str, Any]


def read_handshake(session: Session, auth: dict[str, Any] | None) -> Handshake:
    """The handshake of a client that connects on this session."""
    headers: dict[str, str] = {}
    for name_bytes, value_bytes in session.request.headers:
        name, value = name_bytes.decode("latin-1"), value_bytes.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    peer = session.peer
    return Handshake(
        headers, session.request.query, peer.address, peer.secure, peer.since, auth or {}
    )
