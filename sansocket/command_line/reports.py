"""What a session of `sansocket connect` reports: what has come, and what has happened.

Who shows it to a person, or writes it for a script, knows these alone. `namespace` is where it
happened.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Connected:
    """The server has let us in."""

    namespace: str
    id: str
    transport: str
    recovered: bool


@dataclass(frozen=True, slots=True)
class EventCame:
    """An event; with a `number` where the server asks for an acknowledgement."""

    namespace: str
    event: str
    args: tuple[Any, ...]
    number: int | None


@dataclass(frozen=True, slots=True)
class Asked:
    """What is sent asks for an acknowledgement, which will be shown under this number."""

    namespace: str
    event: str
    number: int


@dataclass(frozen=True, slots=True)
class Kept:
    """An event of ours is sent when we are connected, for we are not."""

    namespace: str
    event: str


@dataclass(frozen=True, slots=True)
class AckCame:
    """The server has acknowledged an event of ours."""

    namespace: str
    event: str
    number: int
    args: tuple[Any, ...]
    seconds: float
    """How long it took."""


@dataclass(frozen=True, slots=True)
class AckFailed:
    """It will not."""

    namespace: str
    event: str
    number: int
    reason: str


@dataclass(frozen=True, slots=True)
class Disconnected:
    """We had been let in, and are not any more."""

    namespace: str
    reason: str
    details: str | None
    """What broke the connection, where something did."""
    again: bool
    """Whether it is tried again without being told."""


@dataclass(frozen=True, slots=True)
class ConnectFailed:
    """The server has refused us, or an attempt to reach it has failed."""

    namespace: str
    refused: bool
    message: str
    data: Any
    again: bool


@dataclass(frozen=True, slots=True)
class Retrying:
    """The next attempt is waited for."""

    attempt: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Reconnected:
    """The connection is there again."""

    attempt: int


@dataclass(frozen=True, slots=True)
class GaveUp:
    """There will be no other attempt."""


@dataclass(frozen=True, slots=True)
class Remark:
    """Something that was asked for: the answer of a command."""

    text: str


@dataclass(frozen=True, slots=True)
class Problem:
    """What was typed cannot be done."""

    text: str


Report = (
    Connected
    | EventCame
    | Asked
    | Kept
    | AckCame
    | AckFailed
    | Disconnected
    | ConnectFailed
    | Retrying
    | Reconnected
    | GaveUp
    | Remark
    | Problem
)


class Reporter(Protocol):
    """Whoever shows what a session reports."""

    def __call__(self, report: Report) -> None:
        """Show it."""
