"""One direction of a connection: bytes arrive later than they were sent, in their order.

This module does not know what they are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from .faults import Faults
from .process import World

CAPACITY: Final = 65_536
"""How many bytes a connection takes in one direction before the sender has to wait."""


class Receiving(Protocol):
    """The side that the bytes arrive at, and, as that of another pipe, the one they come from."""

    @property
    def over(self) -> bool:
        """Whether it has closed."""
        ...

    @property
    def paused(self) -> bool:
        """Whether it does not read now."""
        ...

    @property
    def resumes_at(self) -> float:
        """Until when its process stands still."""
        ...

    def receive(self, data: bytes) -> None:
        """Bytes have arrived."""

    def end(self) -> None:
        """Nothing more comes."""

    def lose(self, why: str) -> None:
        """The connection is gone."""

    def wake(self) -> None:
        """There is room for more."""


class Pipe:
    """One direction of a connection."""

    def __init__(self, world: World, faults: Callable[[], Faults], latency: float) -> None:
        self.target: Receiving | None = None
        self.source: Receiving | None = None
        self._world = world
        self._faults = faults
        self._latency = latency
        self._buffer = bytearray()
        self._finished = False
        self._silent = False
        self._rests_until = 0.0
        self._coming = False
        self._held = False

    def __len__(self) -> int:
        return len(self._buffer)

    @property
    def room(self) -> bool:
        """Whether it takes more."""
        return len(self._buffer) < CAPACITY

    def write(self, data: bytes) -> None:
        """Send bytes on their way."""
        self._buffer += data
        self._schedule()

    def finish(self) -> None:
        """Nothing more comes after what was written."""
        if not self._finished:
            self._finished = True
            self._schedule()

    def silence(self) -> None:
        """Nothing arrives any more, and nobody is told."""
        self._silent = True

    def drop(self) -> None:
        """Lose what is on its way."""
        self._buffer.clear()
        self._silent = True

    def rest(self, seconds: float) -> None:
        """Let nothing arrive for so long."""
        self._rests_until = max(self._rests_until, self._world.clock.now + seconds)

    def go_on(self) -> None:
        """The other side reads again."""
        if self._held:
            self._held = False
            self._schedule()

    def _schedule(self) -> None:
        if not self._coming and not self._silent:
            self._coming = True
            delay = self._latency * (1 + self._faults().jitter * self._world.random.random())
            self._world.clock.after(delay, self._arrive)

    def _arrive(self) -> None:
        self._coming = False
        target, source, clock = self.target, self.source, self._world.clock
        if self._silent or target is None or source is None:
            return
        if target.over:
            # The other side has closed: it answers what still comes with a reset.
            if self._buffer and not source.over:
                source.lose("reset")
            return
        until = max(self._rests_until, target.resumes_at)
        if until > clock.now:
            self._coming = True
            clock.at(until, self._arrive)
            return
        if target.paused:
            self._held = True
            return
        if self._buffer:
            data = self._taken()
            target.receive(data)
            source.wake()
        if self._buffer:
            self._schedule()
        elif self._finished:
            target.end()

    def _taken(self) -> bytes:
        size, random = len(self._buffer), self._world.random
        if size > 1 and random.random() < self._faults().split:
            size = random.randrange(1, size)
            self._world.note(f"{self.target} gets {size} bytes of {len(self._buffer)}")
        else:
            self._world.note(f"{self.target} gets {size} bytes")
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        return data
