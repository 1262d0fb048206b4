"""Which worker is to be started when: one for each slot, and the dead replaced, not too fast.

What a worker is, this module does not know, and it reads no clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

FIRST_PAUSE: Final = 0.1
"""Seconds until a worker is replaced that was at work for a while."""
LONGEST_PAUSE: Final = 30.0
SETTLED: Final = 10.0
"""Seconds after which a worker counts as one that works."""


@dataclass
class Slot:
    """The place of one worker, and of those that replace it."""

    number: int | None = None
    """The one that is there."""
    due: float = 0.0
    """When the next one is to be started, if none is there."""
    started: float = 0.0
    pause: float = FIRST_PAUSE


class Slots:
    """So many workers; each has a number that no other ever has."""

    def __init__(self, count: int, now: float) -> None:
        self._slots = [Slot(due=now) for _ in range(count)]
        self._last = 0

    def start(self, now: float) -> list[int]:
        """The numbers of the workers that are to be started now."""
        started: list[int] = []
        for slot in self._slots:
            if slot.number is None and slot.due <= now:
                self._last += 1
                slot.number, slot.started = self._last, now
                started.append(self._last)
        return started

    def ended(self, number: int, now: float) -> float:
        """A worker is gone; returns the seconds until it is replaced.

        They double with each one that did not last, up to a bound.
        """
        (slot,) = [slot for slot in self._slots if slot.number == number]
        if now - slot.started >= SETTLED:
            slot.pause = FIRST_PAUSE
        pause = slot.pause
        slot.number, slot.due = None, now + pause
        slot.pause = min(2 * pause, LONGEST_PAUSE)
        return pause

    def next_deadline(self) -> float | None:
        """When `start` has something; None while all are there."""
        return min((slot.due for slot in self._slots if slot.number is None), default=None)
