"""The other end of a connection, as the driver knows it."""

from __future__ import annotations

import msgspec


class Peer(msgspec.Struct, frozen=True):
    """What the driver knows of the other end of a connection."""

    address: str = ""
    """The address that the connection came from; no header has a say in it."""
    secure: bool = False
    """Whether the connection is encrypted."""
    since: float = 0.0
    """When the connection was made, in seconds since 1970."""
    home: object = None
    """Whatever the driver wants to find again with the session."""
