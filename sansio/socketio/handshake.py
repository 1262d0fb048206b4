"""What is known of a client when it connects to a namespace."""

from __future__ import annotations

from typing import Any

from ..engineio.handshake_details import HandshakeDetails, read_headers
from ..engineio.session import Session


class Handshake(HandshakeDetails, frozen=True):
    """The request that opened the session, and what the client gave as `auth`."""

    auth: dict[str, Any]


def read_handshake(session: Session, auth: dict[str, Any] | None) -> Handshake:
    """The handshake of a client that connects on this session."""
    request, peer = session.request, session.peer
    return Handshake(
        read_headers(request), request.query, peer.address, peer.secure, peer.since, auth or {}
    )
