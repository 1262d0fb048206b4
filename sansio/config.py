"""The options of a server: frozen, and checked when they are made.

Times are in seconds and sizes in bytes, everywhere but on the wire. The options
as keyword arguments (`ServerOptions`) stand beside the objects that they make, so
that both backends take the same ones.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, fields
from typing import Final, Literal, TypedDict

Transport = Literal["polling", "websocket"]
TRANSPORTS: Final = ("polling", "websocket")
SAME_SITE: Final = ("lax", "strict", "none")

PATH: Final = re.compile(r'/[!"$->@-~]*')  # ASCII that can be seen, but # and ?
ORIGIN: Final = re.compile(r"null|[a-z][a-z0-9+.-]*://[^\sA-Z/?#@,*]+")  # as a browser writes it
TOO_MUCH: Final = 2**53  # from here on JavaScript has no exact numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Cookie:
    """A cookie with the session's id, for load balancers that route by it.

    Raises ValueError or TypeError at once for a value that makes no sense.
    """

    name: str = "io"
    path: str = "/"
    http_only: bool = True
    same_site: Literal["lax", "strict", "none"] = "lax"
    secure: bool = False

    def __post_init__(self) -> None:
        for field in fields(self):
            check(f"cookie {field.name}", field.default, getattr(self, field.name))
        if not self.name.isascii() or not self.name.replace("-", "").replace("_", "").isalnum():
            raise ValueError(f"cookie name: expected letters, digits, - and _, got {self.name!r}")
        if PATH.fullmatch(self.path) is None or ";" in self.path:
            raise ValueError(f"cookie path: expected a path, got {self.path!r}")
        if self.same_site not in SAME_SITE:
            raise ValueError(
                f"cookie same_site: expected one of {SAME_SITE}, got {self.same_site!r}"
            )


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
    """Bytes that may wait for one client; with more it is closed, with "send buffer full"."""
    max_backlog_messages: int = 100_000
    """Messages that may wait for one client; with more it is closed, with "send buffer full"."""
    max_inbound: int = 1_000
    """Messages of one client waiting for their handlers at which reading from it stops."""

    def __post_init__(self) -> None:
        for field in fields(self):
            check(field.name, field.default, getattr(self, field.name))
        if PATH.fullmatch(self.path) is None:
            raise ValueError(f"path: expected a URL path, got {self.path!r}")
        unknown = [name for name in self.transports if name not in TRANSPORTS]
        if isinstance(self.transports, str) or unknown or not self.transports:
            raise ValueError(f"transports: expected some of {TRANSPORTS}, got {self.transports!r}")
        origins = self.cors_allowed_origins
        if isinstance(origins, str) and origins != "*":
            raise ValueError(f'cors_allowed_origins: expected "*" or a tuple, got {origins!r}')
        for origin in () if origins == "*" else origins:
            if not is_origin(origin):
                raise ValueError(
                    "cors_allowed_origins: expected an origin such as"
                    f" 'https://example.com', got {origin!r}"
                )
        if origins == "*" and self.cors_credentials:
            raise ValueError("cors_credentials: not for every origin; name those that may")


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


KINDS: Final[dict[type, tuple[tuple[type, ...], str]]] = {
    bool: ((bool,), "True or False"),
    int: ((int,), "a whole number"),
    float: ((int, float), "a number"),
    str: ((str,), "a str"),
    tuple: ((Collection,), "a tuple"),
    type(None): ((type(None), Cookie), "a Cookie or None"),
}
"""By the type of an option's default: the types that it takes, and how they are called."""


def check(name: str, default: object, value: object) -> None:
    """Raise TypeError for a value unlike its default, ValueError for a number that is no use."""
    accepted, called = KINDS[type(default)]
    if not isinstance(value, accepted) or (isinstance(value, bool) and bool not in accepted):
        raise TypeError(f"{name}: expected {called}, got {value!r}")
    # A NaN is neither above nor below anything.
    if isinstance(value, int | float) and bool not in accepted and not 0 < value < TOO_MUCH:
        raise ValueError(f"{name}: expected a positive number, got {value!r}")


def is_origin(value: object) -> bool:
    """Whether a browser could send this as the origin of a page."""
    return isinstance(value, str) and ORIGIN.fullmatch(value) is not None


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
