"""Virtual time: what is to happen, and when. Nothing here waits, or knows what it calls."""

from __future__ import annotations

import heapq
from collections.abc import Callable


class Appointment:
    """Something that happens once, unless it is cancelled before."""

    __slots__ = ("action",)

    def __init__(self, action: Callable[[], object]) -> None:
        self.action: Callable[[], object] | None = action

    def cancel(self) -> None:
        """Let it not happen; no effect once it has."""
        self.action = None


class Clock:
    """The time, in seconds, which passes only from one appointment to the next.

    Appointments for the same time happen in the order in which they were made.
    """

    def __init__(self) -> None:
        self.now: float = 0.0
        """The time; it never goes back."""
        self._appointments: list[tuple[float, int, Appointment]] = []
        self._made = 0

    def at(self, when: float, action: Callable[[], object]) -> Appointment:
        """Call `action` at `when` (seconds), or now where that is past."""
        appointment = Appointment(action)
        self._made += 1
        heapq.heappush(self._appointments, (max(when, self.now), self._made, appointment))
        return appointment

    def after(self, seconds: float, action: Callable[[], object]) -> Appointment:
        """Call `action` in so many seconds."""
        return self.at(self.now + seconds, action)

    def next(self) -> float | None:
        """When something happens next, or None."""
        while self._appointments and self._appointments[0][2].action is None:
            heapq.heappop(self._appointments)
        return self._appointments[0][0] if self._appointments else None

    def step(self) -> None:
        """Let time pass to the next appointment, and let that happen; there has to be one."""
        when = self.next()
        assert when is not None
        _, _, appointment = heapq.heappop(self._appointments)
        self.now = when
        action, appointment.action = appointment.action, None
        assert action is not None
        action()
