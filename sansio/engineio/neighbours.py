"""The other workers of a server that runs in several processes, and whose session is whose.

A session's id ends with the name of the worker that holds it; so whoever reads a request with
that id knows to whom its connection has to go. How it gets there this module does not know.

Rule 1. A name is never given twice, so an id of a worker that is gone belongs to nobody.
Rule 2. The name is no secret and adds none: the id before it has its 120 random bits all the
same (security rule 32), and only its owner looks it up.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, Protocol

import msgspec

from ..errors import RemoteProtocolError
from ..request import Request
from .peer import Peer

SEPARATOR: Final = "."
NAME: Final = re.compile(r"[0-9]{1,9}")


class Arrival(msgspec.Struct, frozen=True):
    """A connection that another worker has handed over."""

    connection: int
    """Its file descriptor, which is the receiver's to close."""
    message: bytes
    """What `decode_handover` reads."""


class Neighbours(Protocol):
    """The other workers, as a server and its backend see them; no function waits."""

    @property
    def name(self) -> str:
        """Of this worker: ASCII digits, nine at most."""
        ...

    def choose(self) -> str:
        """The name of the worker that is to have a new session, which may be this one.

        Of what one worker asks for, each has the same share.
        """
        ...

    def hand_over(self, to: str, connection: int, message: bytes) -> bool:
        """Give a copy of a file descriptor to another worker, with what `encode_handover` made.

        Returns False where that one takes no more for now, and raises OSError where there is
        no such worker.
        """
        ...

    def fileno(self) -> int:
        """What to wait for: it can be read from when `receive` has something; -1 once closed."""
        ...

    def receive(self) -> Sequence[Arrival]:
        """What has come from the others."""
        ...

    def close(self) -> None:
        """Take nothing more: to the others there is no such worker any more; idempotent."""


def owned(session_id: str, worker: str) -> str:
    """The id of a session of this worker."""
    return f"{session_id}{SEPARATOR}{worker}"


def owner(request: Request) -> str | None:
    """The worker whose session the request is for; None where it names none."""
    _, separator, name = request.query.get("sid", "").rpartition(SEPARATOR)
    return name if separator and NAME.fullmatch(name) else None


class Handover(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What goes with a connection to another worker."""

    address: str
    secure: bool
    since: float
    data: bytes
    """What was read and is still to be served: it begins with a request."""


def encode_handover(peer: Peer, data: bytes) -> bytes:
    """The message that goes with a connection."""
    return msgspec.msgpack.encode(Handover(peer.address, peer.secure, peer.since, data))


def decode_handover(message: bytes, home: object) -> tuple[Peer, bytes]:
    """The other end of a connection that has been handed over, and the bytes that come first.

    `home` is that of the new `Peer`. Raises RemoteProtocolError for what no worker has sent
    (security rule T35).
    """
    try:
        found = msgspec.msgpack.decode(message, type=Handover)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RemoteProtocolError(f"no handover: {error}") from error
    return Peer(found.address, found.secure, found.since, home), found.data
