"""Events that are sent again until the server acknowledges them, one at a time (rule 88).

This module does not know how an event travels: it asks its socket.
"""

from __future__ import annotations

from typing import Protocol

from ...errors import AckTimeout, Disconnected
from ...timers import Action, Timer
from ..acks import Pending, Values
from .send_buffer import Outgoing, SendBuffer


class Sender(Protocol):
    """A socket, as far as these events need it."""

    @property
    def connected(self) -> bool:
        """Whether an event can be sent now."""
        ...

    def transmit(self, outgoing: Outgoing) -> None:
        """Send an event."""

    def after(self, seconds: float, action: Action) -> Timer:
        """A deadline."""
        ...

    def relieved(self) -> None:
        """One event less waits."""


class Retries:
    """A queue of which the first event alone is under way.

    Each is sent up to `retries` + 1 times: again when its acknowledgement has not come in
    time, and when the connection was lost meanwhile. The server may get it more than once, and
    has to tell by itself; the order is kept. An acknowledgement counts for whichever try it
    comes, for all tries have one number.
    """

    __slots__ = ("_buffer", "_retries", "_sender", "_timer", "_under_way")

    def __init__(self, sender: Sender, retries: int, buffer: SendBuffer) -> None:
        self._sender = sender
        self._retries = retries
        self._buffer = buffer
        self._under_way = False
        self._timer: Timer | None = None

    def __len__(self) -> int:
        return len(self._buffer)

    def add(self, outgoing: Outgoing) -> None:
        """Put an event at the end; raises LocalProtocolError at the bound."""
        self._buffer.add(outgoing)
        self.drain()

    def drain(self) -> None:
        """Send the first event if it can be, and is not under way."""
        first = self._buffer.first
        if first is None or self._under_way or not self._sender.connected:
            return
        self._under_way = True
        first.tries += 1
        assert first.seconds is not None
        self._timer = self._sender.after(first.seconds, self._late)
        self._sender.transmit(first)

    def lost(self, reason: str) -> None:
        """The connection is lost, and with it what is under way; `drain` sends it again."""
        if self._under_way:
            self._over(Disconnected(reason))

    def acknowledged(self, number: int, values: Values) -> bool:
        """The server has acknowledged; whether it was the event under way."""
        first = self._buffer.first
        if first is None or first.number != number:
            return False
        self._stop()
        self._buffer.remove(number)
        if first.pending is not None:
            first.pending.answered(values)
        self.drain()
        self._sender.relieved()
        return True

    def pending(self, number: int) -> Pending | None:
        """Who waits for the acknowledgement of an event that is here."""
        outgoing = self._buffer.get(number)
        return None if outgoing is None else outgoing.pending

    def forget(self, number: int) -> bool:
        """Take an event back; whether it was there."""
        first = self._buffer.first
        if first is not None and first.number == number:
            self._stop()
        if not self._buffer.remove(number):
            return False
        self.drain()
        return True

    def _late(self, now: float) -> None:
        self._over(AckTimeout([]))
        self.drain()

    def _over(self, error: Exception) -> None:
        """A try is over without an acknowledgement; the last one ends the event."""
        self._stop()
        first = self._buffer.first
        assert first is not None
        assert first.number is not None
        if first.tries > self._retries:
            self._buffer.remove(first.number)
            if first.pending is not None:
                first.pending.failed(error)
            self._sender.relieved()

    def _stop(self) -> None:
        self._under_way = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
