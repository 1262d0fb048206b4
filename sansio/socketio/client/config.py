"""The options of a Socket.IO client: frozen, and checked when they are made.

Times are in seconds and sizes in bytes, everywhere but on the wire.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TypedDict

from ...client_config import EngineClientConfig, EngineClientOptions
from ...config import check

OPTIONAL = ("reconnection_attempts", "ack_timeout")
"""Options that may be None, which is their default."""
ZERO = ("retries", "randomization_factor")
"""Numbers that may be zero."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientConfig(EngineClientConfig):
    """The options of a Socket.IO client: those of Engine.IO, and its own.

    Raises ValueError or TypeError at once for a value that makes no sense.
    """

    timeout: float = 20.0
    """How long an attempt to open a connection may take, and then the server's answer to the
    CONNECT of a namespace."""
    reconnection: bool = True
    """Whether a lost connection, and one that cannot be opened, is tried again."""
    reconnection_attempts: int | None = None
    """How often it is tried before the client gives up; None is without an end."""
    reconnection_delay: float = 1.0
    """How long the first attempt waits; each one after it waits twice as long (rule 83)."""
    reconnection_delay_max: float = 5.0
    """The longest that an attempt waits."""
    randomization_factor: float = 0.5
    """By how much of itself a delay may be longer or shorter, from 0 to 1."""
    retries: int = 0
    """How often an event that is not acknowledged within `ack_timeout` is sent again; with 1
    or more, one event is under way at a time, and all are asked to be acknowledged (rule 88)."""
    ack_timeout: float | None = None
    """How long an acknowledgement may take unless an emission says otherwise; None is for ever."""
    max_send_buffer: int = 1_000
    """Events of one socket that may wait for its connection, or for their turn with `retries`;
    the caller who emits one more gets a LocalProtocolError."""
    max_send_buffer_bytes: int = 16_000_000
    """Bytes that may wait so."""
    max_receive_buffer: int = 1_000
    """Events of one socket that are kept before the server has answered its CONNECT (a server
    that sends more breaks the protocol), and for an iteration that has not begun (then the
    oldest make room)."""
    max_receive_buffer_bytes: int = 16_000_000
    """Bytes of such events; one alone may have more."""
    max_pending_acks: int = 10_000
    """Acknowledgements that one socket may be owed; more raise LocalProtocolError."""
    max_attachments: int = 10
    """Binary attachments of one packet from the server (rule 50)."""
    max_attachment_bytes: int = 10_000_000
    """All attachments of one packet together (security rule T5)."""
    attachment_timeout: float = 60.0
    """How long a packet may wait for its attachments; then the connection is broken."""

    def __post_init__(self) -> None:
        EngineClientConfig.__post_init__(self)
        own = ClientConfig.__annotations__
        for field in fields(self):
            value: object = getattr(self, field.name)
            if field.name not in own or (field.name in OPTIONAL and value is None):
                continue
            if field.name in ZERO and value == 0 and not isinstance(value, bool):
                continue
            like: object = 1 if field.name == "reconnection_attempts" else field.default
            check(field.name, 1.0 if like is None else like, value)
        if self.randomization_factor > 1:
            raise ValueError(
                f"randomization_factor: expected 0 to 1, got {self.randomization_factor!r}"
            )
        if self.reconnection_delay_max < self.reconnection_delay:
            raise ValueError(
                "reconnection_delay_max: expected no less than reconnection_delay, got"
                f" {self.reconnection_delay_max!r} after {self.reconnection_delay!r}"
            )
        if self.retries and self.ack_timeout is None:
            raise ValueError("retries: expected an ack_timeout with them, or nothing is sent again")


class AttemptOptions(TypedDict, total=False):
    """The fields of `ClientConfig` that may be changed while a client runs."""

    timeout: float
    reconnection: bool
    reconnection_attempts: int | None
    reconnection_delay: float
    reconnection_delay_max: float
    randomization_factor: float


class ClientOptions(EngineClientOptions, AttemptOptions, total=False):
    """The fields of `ClientConfig` as keyword arguments."""

    retries: int
    ack_timeout: float | None
    max_send_buffer: int
    max_send_buffer_bytes: int
    max_receive_buffer: int
    max_receive_buffer_bytes: int
    max_pending_acks: int
    max_attachments: int
    max_attachment_bytes: int
    attachment_timeout: float
