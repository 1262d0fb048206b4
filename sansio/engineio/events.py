"""The events that an engine tells its observers, with how many arguments each has.

Told of one session, they are its own; told of the whole engine, the session comes first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Protocol

from ..observers import Observers
from .encoded import Encoded

SESSION_EVENTS: Final = {
    "packet": 1,  # a Packet has come
    "packet_create": 1,  # a Packet is queued
    "flush": 1,  # a list of Packets has left the queue for the connection
    "drain": 0,  # and with that the queue is empty
    "heartbeat": 0,  # a ping was answered in time
    "upgrading": 1,  # a transport (its name) has probed
    "upgrade": 1,  # a transport has taken over
    "close": 1,  # the session is over, for this reason
}

ENGINE_EVENTS: Final = {
    "connection": 1,  # a Session has been opened
    "connection_error": 1,  # a request was refused: a ConnectionFailure
    "initial_headers": 2,  # a list of headers to change, of the answer to this Request
    "headers": 2,  # the same for every request that is served
    **{event: count + 1 for event, count in SESSION_EVENTS.items()},
}


def tell_created(observers: Observers, session: object, encoded: Encoded) -> None:
    """A message is about to be queued; its packets are made only for somebody to see."""
    if observers.listens("packet_create"):
        for packet in encoded.packets:
            observers.tell("packet_create", session, packet)


def tell_flushed(
    observers: Observers, session: object, taken: Iterable[Encoded], drained: bool
) -> None:
    """These have left the queue; `drained` tells whether nothing was left in it."""
    if observers.listens("flush"):
        packets = [packet for encoded in taken for packet in encoded.packets]
        observers.tell("flush", session, packets)
    if drained:
        observers.tell("drain", session)


class Observed(Protocol):
    """A session of a server."""

    observers: Observers


def tell_all_created(sessions: Sequence[Observed], encoded: Encoded) -> None:
    """A message has been queued for these, who are observed: told in portions, in their order."""

    def tell(portion: Sequence[Observed]) -> None:
        for session in portion:
            tell_created(session.observers, session, encoded)

    sessions[0].observers.in_turn(tell, sessions)


Flushed = tuple[Observed, list[Encoded], bool]
"""Whose messages have left the queue, which, and whether nothing was left in it."""


def tell_later_flushed(session: Observed, taken: list[Encoded], drained: bool) -> None:
    """These are leaving the queue: told in portions too, once the carrier has taken them."""
    observers = session.observers
    if observers.listens("flush") or observers.listens("drain"):
        observers.later(tell_all_flushed, (session, taken, drained))


def tell_all_flushed(flushed: Sequence[Flushed]) -> None:
    """All these have left their queues."""
    for session, taken, drained in flushed:
        tell_flushed(session.observers, session, taken, drained)
