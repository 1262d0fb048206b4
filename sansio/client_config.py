"""The options of a client's connection: frozen, and checked when they are made.

Times are in seconds and sizes in bytes, everywhere but on the wire. What belongs to Socket.IO
(the deadline of an attempt, reconnection) is not here.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Final, TypedDict, cast

from .config import PATH, TRANSPORTS, PerMessageDeflate, Transport, check

Pairs = Mapping[str, str] | Iterable[tuple[str, str]]
"""Names and values: a mapping, or pairs of them."""

AskPairs = Callable[[], Pairs | Awaitable[Pairs]]
"""A plain or a coroutine function that says them."""

TOKEN: Final = re.compile(r"[-!#$%&'*+.^_`|~0-9A-Za-z]+")
FIELD_VALUE: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
PARAMETER: Final = re.compile(r"[-._~0-9A-Za-z]+")

OURS: Final = frozenset(
    {"connection", "content-length", "content-type", "transfer-encoding", "te", "trailer"}
    | {"upgrade", "expect", "keep-alive", "accept-encoding", "sec-websocket-key"}
    | {"sec-websocket-version", "sec-websocket-extensions", "sec-websocket-protocol"}
)
"""Headers that say how a request is framed, or what becomes of its connection."""


class TransportOptions(TypedDict, total=False):
    """The options that may be others for one transport than for the rest."""

    query: Pairs
    extra_headers: Pairs
    timestamp_requests: bool | None
    timestamp_param: str
    request_timeout: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineClientConfig:
    """The options of an Engine.IO client.

    Raises ValueError or TypeError at once for a value that makes no sense.
    """

    path: str = "/socket.io/"
    """Of the engine, on its server; for one of Engine.IO alone it is mostly "/engine.io/"."""
    add_trailing_slash: bool = True
    """Whether the path ends with a slash whatever `path` says, or with none."""
    transports: tuple[Transport, ...] = TRANSPORTS
    """The first opens the session; the second takes over, or takes its turn."""
    upgrade: bool = True
    """Whether a session that was opened by polling tries to go on over WebSocket."""
    remember_upgrade: bool = False
    """Whether a session begins with WebSocket when the one before could use it."""
    try_all_transports: bool = False
    """Whether the next transport is tried when the first cannot open a session."""
    query: Pairs = ()
    """Added to the query of every request."""
    extra_headers: Pairs | AskPairs = ()
    """Added to every request. A function is asked by a client of Socket.IO, before every attempt;
    to that client's engine it is none of the options."""
    transport_options: Mapping[Transport, TransportOptions] = field(
        default_factory=dict[Transport, TransportOptions]
    )
    """For the requests of one transport: these options instead of those for all."""
    timestamp_requests: bool | None = None
    """Whether a request has a query parameter of its own, so that nothing on the way answers it
    from a cache: None is for polling alone."""
    timestamp_param: str = "t"
    force_base64: bool = False
    """Whether binary messages travel as base64 over WebSocket too."""
    with_credentials: bool = True
    """Whether cookies are kept, and sent back: a load balancer may route by them."""
    protocols: tuple[str, ...] = ()
    """The WebSocket subprotocols that are offered to the server."""
    per_message_deflate: bool | PerMessageDeflate = False
    """Whether compressed messages are offered to the server (RFC 7692)."""
    request_timeout: float | None = None
    """How long one HTTP request may take, from its connection to the end of its answer. A poll
    takes up to the server's ping interval when there is nothing to say; None is no limit but
    that of the heartbeat."""
    upgrade_timeout: float = 10.0
    """How long a WebSocket may take to take over, from its connection on."""
    close_timeout: float = 10.0
    """How long a session that is closed in good order may take to send what waits, and then
    a connection for the server to close it too; also how long a session over polling that the
    client has ended at once (a parse error, a full buffer) may take to tell the server."""
    max_payload: int = 100_000_000
    """The largest message, and the largest HTTP answer, that is received; more than that
    breaks the connection."""
    max_backlog: int = 16_000_000
    """Bytes that may wait to be sent; with more the session is closed, "send buffer full"."""
    max_backlog_messages: int = 100_000
    """Messages that may wait to be sent; with more it is closed as well."""
    pause_backlog: int = 4_000_000
    """Bytes waiting from which on the session calls itself congested."""
    max_inbound: int = 1_000
    """Messages waiting for their handlers at which reading from the server stops.

    It is read on from while a ping is due, which has to be answered, and while it owes an
    acknowledgement that a handler may be waiting for: see `max_surplus`."""
    max_inbound_bytes: int = 16_000_000
    """Bytes of such messages at which it stops as well."""
    max_surplus: int = 20_000
    """Messages beyond `max_inbound` that may wait then. With more a ping is not looked for any
    further; where an acknowledgement is owed, the connection is broken, "receive buffer full"."""
    max_surplus_bytes: int = 16_000_000
    """Bytes beyond `max_inbound_bytes` that may wait then."""

    def __post_init__(self) -> None:
        for option in fields(EngineClientConfig):
            value: object = getattr(self, option.name)
            if option.name == "request_timeout":
                check_optional(option.name, 1.0, value)
            elif option.name == "timestamp_requests":
                check_optional(option.name, True, value)
            elif option.name != "transport_options" and not callable(value):
                check(option.name, option.default, value)
        if PATH.fullmatch(self.path) is None:
            raise ValueError(f"path: expected a URL path, got {self.path!r}")
        unknown = [name for name in self.transports if name not in TRANSPORTS]
        if unknown or not self.transports or len(set(self.transports)) < len(self.transports):
            raise ValueError(f"transports: expected some of {TRANSPORTS}, got {self.transports!r}")
        if PARAMETER.fullmatch(self.timestamp_param) is None:
            raise ValueError(
                f"timestamp_param: expected letters, digits and -._~, got {self.timestamp_param!r}"
            )
        # The way of a frozen dataclass to set its own fields.
        object.__setattr__(self, "transports", tuple(self.transports))
        object.__setattr__(self, "protocols", checked_protocols(self.protocols))
        object.__setattr__(self, "query", pairs("query", self.query))
        if not callable(self.extra_headers):
            object.__setattr__(self, "extra_headers", checked_headers(self.extra_headers))
        object.__setattr__(self, "transport_options", by_transport(self.transport_options))
        for name in self.transport_options:
            self.for_transport(name)  # it checks them

    @property
    def engine_path(self) -> str:
        """The path that is asked for."""
        return self.path.removesuffix("/") + "/" if self.add_trailing_slash else self.path

    def for_transport(self, transport: Transport) -> EngineClientConfig:
        """The options as they are for one transport."""
        own = self.transport_options.get(transport)
        return replace(self, transport_options={}, **own) if own else self

    @property
    def deflate(self) -> PerMessageDeflate | None:
        """What `per_message_deflate` stands for."""
        chosen = self.per_message_deflate
        return PerMessageDeflate() if chosen is True else chosen or None


def check_optional(name: str, like: object, value: object) -> None:
    """Raise as `check` does for a value that is neither None nor like the one given."""
    if value is not None:
        check(name, like, value)


def pairs(name: str, value: object) -> tuple[tuple[str, str], ...]:
    """Names and values, each a str that UTF-8 can carry."""
    wrong = TypeError(f"{name}: expected a mapping, or pairs of str, got {value!r}")
    if not isinstance(value, Iterable):
        raise wrong
    items = cast("Iterable[object]", value.items() if isinstance(value, Mapping) else value)
    found: list[tuple[str, str]] = []
    for item in items:
        match item:
            case (str(key), str(text)):
                found.append((key, text))
            case _:
                raise wrong
        try:
            (key + text).encode()
        except UnicodeEncodeError as error:
            raise ValueError(f"{name}: expected text without lone surrogates") from error
    return tuple(found)


def by_transport(value: object) -> dict[Transport, TransportOptions]:
    """The options of some transports, which may change afterwards; their values are not checked."""
    wrong = TypeError(f"transport_options: expected options of some of {TRANSPORTS}, got {value!r}")
    if not isinstance(value, Mapping):
        raise wrong
    found: dict[object, dict[object, object]] = {}
    for name, own in cast("Mapping[object, object]", value).items():
        if name not in TRANSPORTS or not isinstance(own, Mapping):
            raise wrong
        found[name] = dict(cast("Mapping[object, object]", own))
        if not found[name].keys() <= TransportOptions.__annotations__.keys():
            names = sorted(TransportOptions.__annotations__)
            raise TypeError(f"transport_options: expected some of {names}, got {own!r}")
    return cast("dict[Transport, TransportOptions]", found)


def checked_headers(value: object) -> tuple[tuple[str, str], ...]:
    """Headers that may be added to a request."""
    headers = pairs("extra_headers", value)
    for header, text in headers:
        if TOKEN.fullmatch(header) is None or FIELD_VALUE.fullmatch(text) is None:
            raise ValueError(f"extra_headers: expected an HTTP header, got {header!r}: {text!r}")
        if header.lower() in OURS:
            raise ValueError(f"extra_headers: {header} is not the application's to say")
    return tuple((header, text.strip(" \t")) for header, text in headers)


def checked_protocols(value: tuple[str, ...]) -> tuple[str, ...]:
    """Subprotocols that may be offered, each once (RFC 6455, section 4.1)."""
    protocols = tuple(value)
    for protocol in protocols:
        if not isinstance(protocol, str) or TOKEN.fullmatch(protocol) is None:
            raise ValueError(f"protocols: expected tokens of HTTP, got {protocol!r}")
    if isinstance(value, str) or len(set(protocols)) < len(protocols):
        raise ValueError(f"protocols: expected a tuple of different names, got {value!r}")
    return protocols


class EngineClientOptions(TypedDict, total=False):
    """The fields of `EngineClientConfig` as keyword arguments."""

    path: str
    add_trailing_slash: bool
    transports: tuple[Transport, ...]
    upgrade: bool
    remember_upgrade: bool
    try_all_transports: bool
    query: Pairs
    extra_headers: Pairs | AskPairs
    transport_options: Mapping[Transport, TransportOptions]
    timestamp_requests: bool | None
    timestamp_param: str
    force_base64: bool
    with_credentials: bool
    protocols: tuple[str, ...]
    per_message_deflate: bool | PerMessageDeflate
    request_timeout: float | None
    upgrade_timeout: float
    close_timeout: float
    max_payload: int
    max_backlog: int
    max_backlog_messages: int
    pause_backlog: int
    max_inbound: int
    max_inbound_bytes: int
    max_surplus: int
    max_surplus_bytes: int
