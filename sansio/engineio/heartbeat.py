"""The heartbeat of a server's session: a ping, its pong, and the end where none comes.

This module does not know what carries the pings, nor what else a session does.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Final

from ..config import EngineConfig
from ..errors import Reason
from ..observers import Observers
from ..timers import Timers
from .encoded import PING, Encoded
from .flow import Flow

LATE: Final = 0.05
"""By how many seconds a driver may be late without moving a ping's deadline."""


class Heartbeat(Flow[EngineConfig], ABC):
    """A session as far as its heartbeat goes.

    A ping goes out every `ping_interval` and is to be answered within `ping_timeout` (rule 22).
    """

    # A part of the session and no object beside it, for the memory of idle connections.
    __slots__ = ("_awaiting_pong", "_reprieved", "_timer", "_timers")

    observers: Observers

    def __init__(self, config: EngineConfig, timers: Timers, now: float) -> None:
        super().__init__(config)
        self._timers = timers
        self._awaiting_pong = False
        self._reprieved = False
        """Whether its peer is read from however much waits for it: its pong may be there."""
        self._timer = timers.at(now + config.ping_interval, self._beat)
        """Of the next ping, or of its pong; when there are no more pings, of the session's end."""

    @property
    @abstractmethod
    def congested(self) -> bool:
        """Whether its peer is not read from."""

    @abstractmethod
    def send(self, encoded: Encoded) -> None:
        """Queue a packet."""

    @abstractmethod
    def abort(self, reason: Reason) -> None:
        """End it at once."""

    def _beat(self, now: float) -> None:
        """A ping is due, or its pong is overdue."""
        if not self._awaiting_pong:
            self._awaiting_pong = True
            # From when it was due: a driver that is a little late does not move the deadline,
            # one that was blocked gives the peer its time.
            sent = max(self._timer.deadline, now - LATE)
            self._timer = self._timers.at(sent + self._config.ping_timeout, self._beat)
            self.send(PING)
        elif self.congested:
            # The pong may be waiting, because we do not read: not its fault where handlers lag, and
            # a peer that reads too little is read from once more. It wants pings in its turn.
            self._reprieved |= not self.lagging
            self._timer = self._timers.at(now + self._config.ping_timeout, self._beat)
            self.send(PING)
            self.relieve()
        else:
            self.abort(Reason.PING_TIMEOUT)

    def _pong(self, now: float) -> None:
        """Only the answer to a ping counts; others are dropped (security rule 11)."""
        if self._awaiting_pong:
            self._awaiting_pong = self._reprieved = False
            self._timer.move(now + self._config.ping_interval)
            self.observers.tell("heartbeat", self)
