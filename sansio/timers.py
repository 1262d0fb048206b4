"""Every deadline of a server or a client, in one heap.

This module knows no clock: time comes in with `fire`, and the next deadline goes
out with `next_deadline`. The driver needs one timer of its own, whatever the
number of connections.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count
from math import inf

Action = Callable[[float], None]


class Timer:
    """One deadline, made by `Timers.at` or `Timers.after`.

    Moving it later costs an assignment: its entry stays in the heap and is put
    back when it comes up early. A heartbeat is moved on every pong, so a heap
    that took a new entry each time would grow with the traffic.
    """

    __slots__ = ("_timers", "action", "deadline", "entry", "queued")

    def __init__(self, timers: Timers, deadline: float, action: Action) -> None:
        self.deadline: float = deadline
        self.action: Action | None = action
        self._timers = timers
        self.queued: float = inf
        """Where its entry stands in the heap: at its deadline, or before it."""
        self.entry: int = -1
        """The number of that entry; any other that it has in the heap is void."""

    def cancel(self) -> None:
        """Forget it; no effect on one that has fired or was cancelled before."""
        if self.action is not None:
            self.action = None
            self._timers.discard()

    def move(self, deadline: float) -> None:
        """Fire at `deadline` (seconds) instead; no effect on one that is over."""
        self.deadline = deadline
        if deadline < self.queued and self.action is not None:
            self._timers.push(self)


class Timers:
    """The deadlines, soonest first.

    `rearm` is called whenever the next deadline has moved earlier, so that the
    driver can set its timer again; it must not call back.
    """

    def __init__(self, rearm: Callable[[], None]) -> None:
        self._rearm = rearm
        self._now = -inf
        self._heap: list[tuple[float, int, Timer]] = []
        self._fresh: list[tuple[float, Timer]] = []
        self._order = count()
        self._live = 0
        self._soon = False
        self.due: float = inf
        """When `catch_up` has something to do: one comparison, for who looks often (seconds)."""

    def __len__(self) -> int:
        return self._live

    def at(self, deadline: float, action: Action) -> Timer:
        """Call `action` with the time, once `deadline` (seconds) has come."""
        timer = Timer(self, deadline, action)
        self._live += 1
        self.push(timer)
        return timer

    def after(self, seconds: float, action: Action) -> Timer:
        """Call `action` that many seconds after the time that is told next.

        For callers who have no `now`: the driver is asked to tell it at once.
        """
        timer = Timer(self, inf, action)
        self._live += 1
        self._fresh.append((seconds, timer))
        self.soon()
        return timer

    def soon(self) -> None:
        """Ask the driver to call `fire` without waiting for a deadline."""
        if not self._soon:
            self._soon = True
            self._rearm()

    def next_deadline(self) -> float | None:
        """When `fire` is due (seconds), or None; changes nothing."""
        if self._soon:
            return self._now
        return self._heap[0][0] if self._heap else None

    def catch_up(self, now: float) -> None:
        """Fire if something is overdue."""
        if self.due < now:
            self.fire(now)

    def fire(self, now: float) -> None:
        """Do all that is due at `now` (seconds); doing it again does nothing more."""
        self._now = max(self._now, now)
        self._soon = False
        fresh, self._fresh = self._fresh, []
        for seconds, timer in fresh:
            if timer.deadline == inf:  # it has not been moved since
                timer.move(self._now + seconds)
        while self._heap and self._heap[0][0] <= self._now:
            when, entry, timer = heapq.heappop(self._heap)
            action = timer.action
            if action is None or entry != timer.entry:
                continue
            if timer.deadline > when:
                self.push(timer)
                continue
            timer.action = None
            self._live -= 1
            action(self._now)
        self._drop_dead()

    def push(self, timer: Timer) -> None:
        """Enter `timer` at its deadline; an entry that it has later on is void."""
        deadline = timer.queued = timer.deadline
        heap = self._heap
        earlier = not heap or deadline < heap[0][0]
        number = timer.entry = next(self._order)
        heapq.heappush(heap, (deadline, number, timer))
        if len(heap) > 2 * self._live + 64:
            heap = self._sweep()
        self.due = heap[0][0]
        if earlier and not self._soon:
            self._rearm()

    def discard(self) -> None:
        """A timer was cancelled: clear what is dead when it stands in the way."""
        self._live -= 1
        heap = self._heap
        if heap and heap[0][2].action is None:
            self._drop_dead()
        if len(heap) > 2 * self._live + 64:
            self._sweep()

    def _sweep(self) -> list[tuple[float, int, Timer]]:
        """Clear all that is dead, which is more than what is alive; returns the heap."""
        self._heap = [entry for entry in self._heap if not dead(entry)]
        heapq.heapify(self._heap)
        return self._heap

    def _drop_dead(self) -> None:
        while self._heap and dead(self._heap[0]):
            heapq.heappop(self._heap)
        self.due = self._heap[0][0] if self._heap else inf


def dead(entry: tuple[float, int, Timer]) -> bool:
    """Whether a heap entry belongs to a timer that is over or stands elsewhere."""
    _, number, timer = entry
    return timer.action is None or number != timer.entry
