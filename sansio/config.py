"""The options of a server: frozen, and checked when they are made.

Times are in seconds and sizes in bytes, everywhere but on the wire. The options
as keyword arguments (`ServerOptions`) stand beside the objects that they make, so
that both backends take the same ones.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields
from math import isfinite
from typing import Final, Literal, TypedDict

Transport = Literal["polling", "websocket"]
TRANSPORTS: Final = ("polling", "websocket")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cookie:
    """A cookie with the session's id, for load balancers that route by it."""

    name: str = "io"
    path: str = "/"
    http_only: bool = True
    same_site: Literal["lax", "strict", "none"] = "lax"
    secure: bool = False

    def __post_init__(self) -> None:
        if not self.name.isascii() or not self.name.replace("-", "").replace("_", "").isalnum():
            raise ValueError(f"cookie name: expected letters, digits, - and _, got {self.name!r}")
        if not self.path.startswith("/") or ";" in self.path or not self.path.isprintable():
            raise ValueError(f"cookie path: expected a path, got {self.path!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineConfig:
    """The options of an Engine.IO server.

    Raises ValueError or TypeError at once for a value that makes no sense.
    """

    path: str = "/engine.io/"
    """The one path that is served, with or without its last slash."""
    transports: Collection[Transport] = TRANSPORTS
    allow_upgrades: bool = True
    ping_interval: float = 25.0
    ping_timeout: float = 20.0
    upgrade_timeout: float = 10.0
    """How long a WebSocket may take from its handshake to the end of its probe."""
    max_payload: int = 1_000_000
    """The largest message, on either transport, and the largest POST body (security rule T4)."""
    max_packets: int = 10_000
    """How many packets one POST may bring; more are refused with a 400 (security rule 29)."""
    cors_allowed_origins: Literal["*"] | Collection[str] = ()
    """Foreign origins that may connect: none, all ("*"), or these (security rule T31)."""
    cors_credentials: bool = False
    cookie: Cookie | None = None
    head_timeout: float = 10.0
    """For a request's head, from the connection or its first byte (security rule 10)."""
    body_timeout: float = 30.0
    """Between two pieces of a request's body."""
    keep_alive_timeout: float = 75.0
    close_timeout: float = 10.0
    """How long a closed WebSocket waits for the peer's answer (security rule T6)."""
    linger_timeout: float = 30.0
    """How long a closed polling session waits for a GET to tell it so (rule 31)."""
    pause_backlog: int = 4_000_000
    """Bytes waiting for one client at which reading from it stops (security rule T6)."""
    max_backlog: int = 16_000_000
    """Bytes waiting for one client at which it is closed, with "send buffer full"."""
    max_backlog_messages: int = 100_000
    """Messages waiting for one client at which it is closed, with "send buffer full"."""
    max_inbound: int = 1_000
    """Messages of one client waiting for their handlers at which reading from it stops."""

    def __post_init__(self) -> None:
        path = self.path
        if not path.startswith("/") or not path.isascii() or "?" in path or " " in path:
            raise ValueError(f"path: expected a URL path, got {path!r}")
        unknown = [name for name in self.transports if name not in TRANSPORTS]
        if isinstance(self.transports, str) or unknown or not self.transports:
            raise ValueError(f"transports: expected some of {TRANSPORTS}, got {self.transports!r}")
        origins = self.cors_allowed_origins
        if isinstance(origins, str) and origins != "*":
            raise ValueError(f'cors_allowed_origins: expected "*" or a tuple, got {origins!r}')
        if origins == "*" and self.cors_credentials:
            raise ValueError("cors_credentials: not for every origin; name those that may")
        for field in fields(self):
            check_number(field.name, field.default, getattr(self, field.name))


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerConfig(EngineConfig):
    """The options of a Socket.IO server: those of Engine.IO, and its own."""

    path: str = "/socket.io/"
    connect_timeout: float = 45.0
    """How long a client may stay without a namespace (rule 65)."""
    max_attachments: int = 10
    """Binary attachments of one packet (rule 50)."""
    max_attachment_bytes: int = 10_000_000
    """All attachments of one packet together (security rule T5)."""
    attachment_timeout: float = 60.0
    """How long a packet may wait for its attachments (security rule T5)."""
    max_namespaces: int = 100
    """Namespaces that one client may be in; more are refused as invalid."""
    max_rooms: int = 10_000
    """Rooms that one socket may be in; more raise LocalProtocolError."""
    max_pending_acks: int = 10_000
    """Acknowledgements that one socket may owe; more raise LocalProtocolError."""


def check_number(name: str, default: object, value: object) -> None:
    """Raise TypeError or ValueError where a number is expected and none that can be used came."""
    if isinstance(default, bool) or not isinstance(default, int | float):
        return
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{name}: expected a number, got {value!r}")
    if not isfinite(value) or value <= 0:
        raise ValueError(f"{name}: expected a positive number, got {value!r}")


class EngineOptions(TypedDict, total=False):
    """The fields of `EngineConfig` as keyword arguments."""

    path: str
    transports: Collection[Transport]
    allow_upgrades: bool
    ping_interval: float
    ping_timeout: float
    upgrade_timeout: float
    max_payload: int
    max_packets: int
    cors_allowed_origins: Literal["*"] | Collection[str]
    cors_credentials: bool
    cookie: Cookie | None
    head_timeout: float
    body_timeout: float
    keep_alive_timeout: float
    close_timeout: float
    linger_timeout: float
    pause_backlog: int
    max_backlog: int
    max_backlog_messages: int
    max_inbound: int


class ServerOptions(EngineOptions, total=False):
    """The fields of `ServerConfig` as keyword arguments."""

    connect_timeout: float
    max_attachments: int
    max_attachment_bytes: int
    attachment_timeout: float
    max_namespaces: int
    max_rooms: int
    max_pending_acks: int
