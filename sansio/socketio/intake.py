"""What comes in on one session, of either side: bounded while it waits, and whole in its time.

This module does not know namespaces: which packet is allowed now is judged by who takes it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Generic, Protocol, TypeVar

from ..errors import Reason, RemoteProtocolError
from ..timers import Timer, Timers
from .packet import Packet
from .parser import Decoder


class Holdable(Protocol):
    """A session that is not read from while too much is held."""

    def hold(self, count: int = 1, size: int = 0) -> None:
        """So many messages, of so many bytes, wait for their handlers."""

    def release(self, count: int = 1, size: int = 0) -> None:
        """So many that were held have been handled, or are to be held no longer."""


class Bounds(Protocol):
    """The options of either side, as far as they say how much may come."""

    @property
    def max_inbound(self) -> int: ...

    @property
    def max_inbound_bytes(self) -> int: ...

    @property
    def max_surplus(self) -> int: ...

    @property
    def max_surplus_bytes(self) -> int: ...

    @property
    def attachment_timeout(self) -> float: ...


S = TypeVar("S", bound=Holdable)


class Intake(ABC, Generic[S]):
    """Takes the messages of one session; each packet that waits holds it (rule 98).

    So no peer can pile up more than `max_inbound` packets or `max_inbound_bytes` and what was
    read together with the last. While the peer owes an acknowledgement nothing is held, for
    what a handler waits for may stand behind all this: then `max_surplus` packets and
    `max_surplus_bytes` may wait besides, and a peer that sends more breaks the protocol.
    """

    __slots__ = (
        "_attachment_timer",
        "_bounds",
        "_decoder",
        "_owing",
        "_timers",
        "session",
        "size",
        "waiting",
        "waiting_bytes",
    )

    session: S

    def __init__(self, bounds: Bounds, timers: Timers, decoder: Decoder) -> None:
        self.waiting: int = 0
        """How many packets wait for their handlers."""
        self.waiting_bytes: int = 0
        """And how many bytes of messages those were."""
        self.size: int = 0
        """Of the packet that has come last: the bytes of its messages."""
        self._bounds = bounds
        self._timers = timers
        self._decoder = decoder
        self._owing = 0
        """How many sockets owe an acknowledgement."""
        self._attachment_timer: Timer | None = None

    @property
    @abstractmethod
    def may_attach(self) -> bool:
        """Whether any packet of the peer may have attachments now."""

    @abstractmethod
    def attachments_late(self, error: RemoteProtocolError) -> None:
        """End the session: the rest of a packet has not come in time."""

    def feed(self, data: str | bytes, now: float) -> Packet | None:
        """Take one message; the packet that it completes, if any, has `size` bytes.

        Raises RemoteProtocolError for what is no part of a packet, for attachments when none
        may come, and at the second bound.
        """
        size = len(data) if data.isascii() else size_of(data)
        if self._owing and self._full:
            raise RemoteProtocolError(
                "more events than may wait for their handlers",
                reason=Reason.RECEIVE_BUFFER_FULL,
                close_code=1008,
            )
        packet = self._decoder.feed(data)
        if packet is not None and self._attachment_timer is None:
            self.size = size
        else:
            self._attach(size, packet is not None, now)
        return packet

    @property
    def _full(self) -> bool:
        bounds = self._bounds
        return (
            self.waiting > bounds.max_inbound + bounds.max_surplus
            or self.waiting_bytes > bounds.max_inbound_bytes + bounds.max_surplus_bytes
        )

    def _attach(self, size: int, complete: bool, now: float) -> None:
        """A header has come, or one of its attachments: all must, in time (security rule T5)."""
        if self._attachment_timer is None:
            if not self.may_attach:
                raise RemoteProtocolError("attachments before a namespace was joined")
            self.size = 0
            self._attachment_timer = self._timers.at(
                now + self._bounds.attachment_timeout, self._late
            )
        self.size += size
        if complete:
            self._attachment_timer.cancel()
            self._attachment_timer = None

    def _late(self, now: float) -> None:
        seconds = self._bounds.attachment_timeout
        self.attachments_late(
            RemoteProtocolError(f"attachments of a packet have not come in {seconds} seconds")
        )

    def shut(self) -> None:
        """Nothing comes any more; what came of a packet is freed, whoever keeps a socket."""
        if self._attachment_timer is not None:
            self._attachment_timer.cancel()
        del self._decoder

    # What waits

    def wait(self, size: int = 0) -> None:
        """A packet of so many bytes waits for its handlers."""
        self.waiting += 1
        self.waiting_bytes += size
        if not self._owing:
            self.session.hold(1, size)

    def handled(self, size: int = 0) -> None:
        """One that waited has been handled."""
        self.waiting -= 1
        self.waiting_bytes -= size
        if not self._owing:
            self.session.release(1, size)

    def owe(self, owes: bool) -> None:
        """One more socket that owes acknowledgements, or one less.

        Nothing is held while one does: so the peer is read from, and the heartbeat judges it.
        """
        self._owing += 1 if owes else -1
        if owes and self._owing == 1:
            self.session.release(self.waiting, self.waiting_bytes)
        elif not self._owing:
            self.session.hold(self.waiting, self.waiting_bytes)


def size_of(data: str | bytes) -> int:
    """The bytes of a message; to encode what is not ASCII is the way to know."""
    return len(data if isinstance(data, bytes) else data.encode("utf-8", "surrogatepass"))
