"""What a server says when it opens a session, read strictly (rule 17)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, cast

import orjson

from ...errors import RemoteProtocolError

MAX_ID: Final = 1_000
MAX_MILLISECONDS: Final = 2**31 - 1  # about 25 days: what a timer of JavaScript can wait
MAX_PAYLOAD: Final = 2**53 - 1


@dataclass(frozen=True, slots=True)
class ServerHandshake:
    """The open packet."""

    id: str
    upgrades: tuple[str, ...]
    ping_interval: float
    """In seconds, as all times here."""
    ping_timeout: float
    max_payload: int | None
    """In bytes; servers before Engine.IO 6.2 do not tell."""


def read_handshake(data: str | bytes) -> ServerHandshake:
    """Read the data of an OPEN packet; raises RemoteProtocolError for what makes no sense."""
    try:
        found: object = orjson.loads(data)
    except (ValueError, RecursionError) as error:
        raise RemoteProtocolError("the handshake is not JSON") from error
    fields = cast("dict[str, object]", found) if isinstance(found, dict) else {}
    session_id, upgrades = fields.get("sid"), fields.get("upgrades")
    if not isinstance(session_id, str) or not isinstance(upgrades, list):
        raise RemoteProtocolError(f"expected a handshake with sid and upgrades, got {data[:200]!r}")
    if not 0 < len(session_id) <= MAX_ID:
        raise RemoteProtocolError(f"expected a sid of 1 to {MAX_ID} characters")
    names = cast("list[object]", upgrades)
    known = tuple(name for name in names if isinstance(name, str))
    return ServerHandshake(
        session_id,
        known,
        seconds("pingInterval", fields.get("pingInterval")),
        seconds("pingTimeout", fields.get("pingTimeout")),
        size(fields.get("maxPayload")),
    )


def seconds(name: str, value: object) -> float:
    """A time of the handshake, which is in milliseconds there."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise RemoteProtocolError(f"{name}: expected a number, got {value!r:.50}")
    if not 0 < value <= MAX_MILLISECONDS:
        raise RemoteProtocolError(f"{name}: expected up to {MAX_MILLISECONDS} ms, got {value!r}")
    return value / 1000


def size(value: object) -> int | None:
    """The `maxPayload` of the handshake."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= MAX_PAYLOAD:
        raise RemoteProtocolError(f"maxPayload: expected a number of bytes, got {value!r:.50}")
    return value
