"""Events that a client's socket cannot send yet, in their order.

This module does not know what they wait for.
"""

from __future__ import annotations

import msgspec

from ...engineio.encoded import Encoded
from ...errors import LocalProtocolError
from ..acks import Pending, Values


class Outgoing(msgspec.Struct, eq=False):
    """An event on its way out, encoded when it was emitted."""

    event: str
    args: Values
    encoded: Encoded
    number: int | None
    """Of the acknowledgement that it asks for."""
    pending: Pending | None = None
    seconds: float | None = None
    """How long its acknowledgement may take, counted from each time that it is sent."""
    tries: int = 0
    """How often it has been sent."""


class SendBuffer:
    """A bounded queue, of which single events can be taken back (rule 87).

    Bounded: the caller who adds one more than `most`, or more than `most_bytes`, gets a
    LocalProtocolError, and nothing is changed (rule 98).
    """

    __slots__ = ("_events", "_most", "_most_bytes", "_plain", "size")

    def __init__(self, most: int, most_bytes: int) -> None:
        self._most = most
        self._most_bytes = most_bytes
        # By their numbers; below zero stand those that ask for no acknowledgement.
        self._events: dict[int, Outgoing] = {}
        self._plain = 0
        self.size: int = 0
        """The bytes that wait."""

    def __len__(self) -> int:
        return len(self._events)

    def __contains__(self, number: object) -> bool:
        """Whether the event with this number waits."""
        return number in self._events

    def get(self, number: int) -> Outgoing | None:
        """The event with this number, if it waits."""
        return self._events.get(number)

    @property
    def first(self) -> Outgoing | None:
        """The one whose turn is next."""
        return next(iter(self._events.values()), None)

    def add(self, outgoing: Outgoing) -> None:
        """Let an event wait; raises LocalProtocolError at the bound."""
        if len(self._events) >= self._most:
            raise LocalProtocolError(f"{self._most} events wait to be sent already")
        if self.size + outgoing.encoded.size > self._most_bytes:
            raise LocalProtocolError(f"more than {self._most_bytes} bytes would wait to be sent")
        self._plain -= 1
        key = self._plain if outgoing.number is None else outgoing.number
        self._events[key] = outgoing
        self.size += outgoing.encoded.size

    def remove(self, number: int) -> bool:
        """Take an event back; whether it was there."""
        outgoing = self._events.pop(number, None)
        if outgoing is None:
            return False
        self.size -= outgoing.encoded.size
        return True

    def pop(self) -> Outgoing | None:
        """Take the first event, if there is one."""
        for key, outgoing in self._events.items():
            self.remove(key)
            return outgoing
        return None
