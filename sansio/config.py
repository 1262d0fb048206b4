"""The options of a server: frozen, and checked when they are made.

Times are in seconds and sizes in bytes, everywhere but on the wire. The options
as keyword arguments (`ServerOptions`) stand beside the objects that they make, so
that both backends take the same ones.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, fields
from types import NoneType
from typing import Final, Literal, TypedDict

from .request import Request

Transport = Literal["polling", "websocket"]
TRANSPORTS: Final = ("polling", "websocket")
ON_DISCONNECT: Final = ("finish", "cancel")
SAME_SITE: Final = ("lax", "strict", "none")

Origins = Literal["*"] | Collection[str] | Callable[[str], bool]
Verdict = bool | str | None
"""Of a client that shakes hands: True or None lets it in, False or a message does not."""
AllowRequest = Callable[[Request], Verdict | Awaitable[Verdict]]
GenerateId = Callable[[Request], str]

PATH: Final = re.compile(r'/[!"$->@-~]*')  # ASCII that can be seen, but # and ?
ORIGIN: Final = re.compile(r"null|[a-z][a-z0-9+.-]*://[^\sA-Z/?#@,*]+")  # as a browser writes it
COOKIE_NAME: Final = re.compile(r"[-_0-9A-Za-z]*[0-9A-Za-z][-_0-9A-Za-z]*")
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
        if COOKIE_NAME.fullmatch(self.name) is None:
            raise ValueError(f"cookie name: expected letters, digits, - and _, got {self.name!r}")
        if PATH.fullmatch(self.path) is None or ";" in self.path:
            raise ValueError(f"cookie path: expected a path, got {self.path!r}")
        if self.same_site not in SAME_SITE:
            raise ValueError(
                f"cookie same_site: expected one of {SAME_SITE}, got {self.same_site!r}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class PerMessageDeflate:
    """How messages are compressed for the WebSockets that agree to it (RFC 7692).

    No side carries its window over from one message to the next: so a broadcast is
    compressed once for all, and an idle connection keeps no zlib state. Raises ValueError or
    TypeError at once for a value that makes no sense.
    """

    threshold: int = 1_024
    """The smallest message, in bytes, that is worth it; smaller ones stay as they are."""
    level: int = 6
    """Of zlib: 1 is quick, 9 is small."""

    def __post_init__(self) -> None:
        for field in fields(self):
            check(f"per_message_deflate {field.name}", field.default, getattr(self, field.name))
        if self.level > 9:
            raise ValueError(
                f"per_message_deflate level: expected a number up to 9, got {self.level!r}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineConfig:
    """The options of an Engine.IO server.

    Raises ValueError or TypeError at once for a value that makes no sense.
    """

    path: str = "/engine.io/"
    """The one path that is served, with or without its last slash."""
    transports: tuple[Transport, ...] = TRANSPORTS
    allow_upgrades: bool = True
    ping_interval: float = 25.0
    ping_timeout: float = 20.0
    upgrade_timeout: float = 10.0
    """How long a WebSocket may take from its handshake to the end of its probe."""
    max_payload: int = 1_000_000
    """The largest message, on either transport, and the largest POST body (security rule T4)."""
    max_packets: int = 10_000
    """How many packets one POST may bring; more are refused with a 400 (security rule 29)."""
    cors_allowed_origins: Origins = ()
    """Foreign origins that may connect: none, all ("*"), these, or those for which a plain
    function returns True (security rule T31); it is asked several times for one request."""
    cors_credentials: bool = False
    cookie: Cookie | str | bool | None = None
    """A cookie with the session's id; its name alone, or True for the one called "io"."""
    allow_request: AllowRequest | None = None
    """A plain or a coroutine function that is asked about every client that shakes hands.

    False refuses it, and a str refuses it with that message (403, code 4); True and None do
    not. An exception is logged, and refuses it as well (400, code 3)."""
    admission_timeout: float = 2.0
    """How long `allow_request` and the engine's middleware may take for one request, in all;
    then they are cancelled, and it gets a 503 (security rule T12)."""
    generate_id: GenerateId | None = None
    """A plain function that makes the ids of sessions: at most 128 letters, digits and -._~,
    none twice, and nobody may guess one (rule 97). Whoever gets none is refused with code 3."""
    initial_packet: str | bytes | None = None
    """The first message to every client, together with its handshake."""
    http_compression: bool = True
    """Whether answers to polls are compressed, for clients that accept gzip or deflate.

    What a stranger writes and a secret, compressed together, let whoever sees the lengths of
    the encrypted answers guess the secret (BREACH): where both can be, say False."""
    http_compression_threshold: int = 1_024
    """The smallest answer, in bytes, that is compressed."""
    per_message_deflate: bool | PerMessageDeflate = False
    """Whether messages over WebSocket are compressed, for clients that offer it.

    Off, for the reason above, and because a client makes us inflate up to a thousand times
    what it sends; each message is bounded by `max_payload` all the same (security rule 8)."""
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
    """Bytes waiting for one client at which reading from it stops (security rule T6).

    Its pong may then be waiting too: before it is given up it is read from for one more
    `ping_timeout`, whatever its backlog (security rule 25 allows one extension).
    """
    max_backlog: int = 16_000_000
    """Bytes that may wait for one client; with more it is closed, with "send buffer full"."""
    max_backlog_messages: int = 100_000
    """Messages that may wait for one client; with more it is closed, with "send buffer full"."""
    max_inbound: int = 1_000
    """Messages of one client waiting for their handlers at which reading from it stops.

    A Socket.IO server reads on while the client owes an acknowledgement: see `max_surplus`."""
    max_inbound_bytes: int = 4_000_000
    """Bytes of such messages at which it stops as well."""

    def __post_init__(self) -> None:
        for field in fields(self):
            check(field.name, field.default, getattr(self, field.name))
        if PATH.fullmatch(self.path) is None:
            raise ValueError(f"path: expected a URL path, got {self.path!r}")
        unknown = [name for name in self.transports if name not in TRANSPORTS]
        if unknown or not self.transports:
            raise ValueError(f"transports: expected some of {TRANSPORTS}, got {self.transports!r}")
        check_origins(self.cors_allowed_origins)
        if self.cors_allowed_origins == "*" and self.cors_credentials:
            raise ValueError("cors_credentials: not for every origin; name those that may")
        if isinstance(self.cookie, str) and COOKIE_NAME.fullmatch(self.cookie) is None:
            raise ValueError(f"cookie: expected letters, digits, - and _, got {self.cookie!r}")
        if isinstance(self.initial_packet, str) and not travels(self.initial_packet):
            raise ValueError(
                "initial_packet: expected text without U+001E and lone surrogates,"
                f" got {self.initial_packet!r}"
            )

    @property
    def session_cookie(self) -> Cookie | None:
        """What `cookie` stands for."""
        if isinstance(self.cookie, str):
            return Cookie(name=self.cookie)
        return Cookie() if self.cookie is True else self.cookie or None

    @property
    def deflate(self) -> PerMessageDeflate | None:
        """What `per_message_deflate` stands for."""
        chosen = self.per_message_deflate
        return PerMessageDeflate() if chosen is True else chosen or None


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
    ack_timeout: float | None = None
    """How long `call` and `emit_with_ack` wait where nothing else is said; None is for ever."""
    max_pending_acks: int = 10_000
    """Acknowledgements that one socket may owe; more raise LocalProtocolError."""
    max_surplus: int = 20_000
    """Messages of one client beyond `max_inbound` that may wait while it owes an acknowledgement.

    It is read from then, for what a handler waits for may stand behind them; with more it is
    closed, with "receive buffer full"."""
    max_surplus_bytes: int = 16_000_000
    """Bytes of them beyond `max_inbound_bytes`; with more it is closed as well."""
    max_child_namespaces: int = 10_000
    """Namespaces made because clients asked for them; more are refused (rule 66)."""
    cleanup_empty_child_namespaces: bool = True
    """Whether such a namespace is forgotten when its last socket has left (security rule 27)."""
    on_disconnect: Literal["finish", "cancel"] = "finish"
    """Whether the handlers that run for a socket finish when it disconnects, or are cancelled.

    Cancelled, events that came before and wait for their handlers are not handled any more."""

    def __post_init__(self) -> None:
        EngineConfig.__post_init__(self)
        if self.on_disconnect not in ON_DISCONNECT:
            raise ValueError(
                f"on_disconnect: expected one of {ON_DISCONNECT}, got {self.on_disconnect!r}"
            )


Kind = tuple[tuple[type, ...], str]
"""The types that an option takes, and how they are called."""

KINDS: Final[dict[type, Kind]] = {
    bool: ((bool,), "True or False"),
    int: ((int,), "a whole number"),
    float: ((int, float), "a number"),
    str: ((str,), "a str"),
    tuple: ((Collection,), "a tuple"),
    NoneType: ((NoneType,), "a function or None"),
}
"""By the type of an option's default."""

FUNCTIONS: Final = ("allow_request", "cors_allowed_origins", "generate_id")
"""Options that may be functions."""
MIXED: Final[dict[str, Kind]] = {
    "ack_timeout": ((int, float, NoneType), "a number or None"),
    "cookie": ((Cookie, str, bool, NoneType), "a Cookie, its name, True or None"),
    "initial_packet": ((str, bytes, NoneType), "text, bytes or None"),
    "per_message_deflate": ((bool, PerMessageDeflate), "True, False or a PerMessageDeflate"),
}
"""By the name of an option that takes more than the type of its default."""


def check(name: str, default: object, value: object) -> None:
    """Raise TypeError for a value unlike its default, ValueError for a number that is no use."""
    if name in FUNCTIONS and callable(value):
        return
    accepted, called = MIXED[name] if name in MIXED else KINDS[type(default)]
    if not isinstance(value, accepted) or (isinstance(value, bool) and bool not in accepted):
        raise TypeError(f"{name}: expected {called}, got {value!r}")
    # A NaN is neither above nor below anything.
    if isinstance(value, int | float) and bool not in accepted and not 0 < value < TOO_MUCH:
        raise ValueError(f"{name}: expected a positive number, got {value!r}")


def check_origins(origins: Origins) -> None:
    """Raise ValueError for what is neither "*" nor a function, nor origins that can be."""
    if isinstance(origins, str) and origins != "*":
        raise ValueError(f'cors_allowed_origins: expected "*" or a tuple, got {origins!r}')
    if callable(origins) or origins == "*":
        return
    for origin in origins:
        if not is_origin(origin):
            raise ValueError(
                "cors_allowed_origins: expected an origin such as"
                f" 'https://example.com', got {origin!r}"
            )


def travels(text: str) -> bool:
    """Whether every transport can carry this text."""
    try:
        return b"\x1e" not in text.encode()
    except UnicodeEncodeError:
        return False


def is_origin(value: object) -> bool:
    """Whether a browser could send this as the origin of a page."""
    return isinstance(value, str) and ORIGIN.fullmatch(value) is not None


class EngineOptions(TypedDict, total=False):
    """The fields of `EngineConfig` as keyword arguments."""

    path: str
    transports: tuple[Transport, ...]
    allow_upgrades: bool
    ping_interval: float
    ping_timeout: float
    upgrade_timeout: float
    max_payload: int
    max_packets: int
    cors_allowed_origins: Origins
    cors_credentials: bool
    cookie: Cookie | str | bool | None
    allow_request: AllowRequest | None
    admission_timeout: float
    generate_id: GenerateId | None
    initial_packet: str | bytes | None
    http_compression: bool
    http_compression_threshold: int
    per_message_deflate: bool | PerMessageDeflate
    head_timeout: float
    body_timeout: float
    keep_alive_timeout: float
    close_timeout: float
    linger_timeout: float
    pause_backlog: int
    max_backlog: int
    max_backlog_messages: int
    max_inbound: int
    max_inbound_bytes: int


class ServerOptions(EngineOptions, total=False):
    """The fields of `ServerConfig` as keyword arguments."""

    connect_timeout: float
    max_attachments: int
    max_attachment_bytes: int
    attachment_timeout: float
    max_namespaces: int
    max_rooms: int
    ack_timeout: float | None
    max_pending_acks: int
    max_surplus: int
    max_surplus_bytes: int
    max_child_namespaces: int
    cleanup_empty_child_namespaces: bool
    on_disconnect: Literal["finish", "cancel"]
