"""The flow of one session, of either side: what waits for handlers, and who waits for room.

This module knows no transport, no state, and nothing of what waits to be sent.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar


class InboundBounds(Protocol):
    """The options of either side, as far as they say how much may wait for handlers."""

    @property
    def max_inbound(self) -> int: ...

    @property
    def max_inbound_bytes(self) -> int: ...


C = TypeVar("C", bound=InboundBounds)


class Flow(Generic[C]):
    """Counts what its peer has sent and no handler has taken, and calls back when there is less.

    What is built on it calls `relieve` when it has less to send as well, and when all is over.
    """

    __slots__ = ("_config", "inbound", "inbound_bytes", "relieved")

    def __init__(self, config: C) -> None:
        self._config: C = config
        self.inbound: int = 0
        """How many messages wait for their handlers."""
        self.inbound_bytes: int = 0
        """And how many bytes those are."""
        self.relieved: dict[Callable[[], None], None] = {}
        """Who waits. Empty nearly always: all that is looked at on a hot path."""

    @property
    def lagging(self) -> bool:
        """Whether too much of its peer waits for the handlers."""
        config = self._config
        return self.inbound >= config.max_inbound or self.inbound_bytes >= config.max_inbound_bytes

    def hold(self, count: int = 1, size: int = 0) -> None:
        """So many messages of its peer, of so many bytes, wait for their handlers."""
        self.inbound += count
        self.inbound_bytes += size

    def release(self, count: int = 1, size: int = 0) -> None:
        """So many that were held have been handled, or are to be held no longer."""
        self.inbound -= count
        self.inbound_bytes -= size
        if self.relieved:
            self.relieve()

    def when_relieved(self, callback: Callable[[], None]) -> None:
        """Call back once, when less is to be sent, a message is handled, or all is over.

        The caller looks for itself for which. One callback waits once, and until `revoke`.
        """
        self.relieved[callback] = None

    def revoke(self, callback: Callable[[], None]) -> None:
        """Call back no more; no effect on one that does not wait."""
        self.relieved.pop(callback, None)

    def relieve(self) -> None:
        """Call back those who wait."""
        for callback in list(self.relieved):
            # One before it may have revoked it.
            if self.relieved.pop(callback, callback) is None:
                callback()
