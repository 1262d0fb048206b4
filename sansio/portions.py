"""What is done for each of many: a portion in every turn of the loop, in the order of asking.

Whatever concerns ten thousand at once would otherwise hold the event loop until it is done for the
last of them. This module does not know who they are, or what is done.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final, Generic, TypeVar

from .timers import Timers

T = TypeVar("T")

AT_ONCE: Final = 512
"""For how many something is done at a stretch: some 0.5 to 1 ms."""

MOST: Final = 1_000_000
"""How many may wait: whoever asks for more does the first of them on the spot."""


class Job(Generic[T]):
    """What is to be done, for whom, and for how many of them it has been done or begun."""

    __slots__ = ("begun", "items", "own", "weight", "work")

    def __init__(
        self,
        work: Callable[[Sequence[T]], object],
        items: Sequence[T],
        weight: int,
        own: list[T] | None = None,
    ) -> None:
        self.work: Callable[[Sequence[T]], object] = work
        self.items: Sequence[T] = items
        self.weight: int = weight
        self.own: list[T] | None = own
        """The items again, where more may be added to them."""
        self.begun: int = 0

    def take(self, count: int) -> Sequence[T]:
        """The next of them, so many at most."""
        portion = self.items[self.begun : self.begun + count]
        self.begun += len(portion)
        return portion


class Portions:
    """One queue for all who have much to do: what was asked for first is done first.

    In one turn of the loop something is done for `at_once` of them, whatever jobs they belong to.
    """

    __slots__ = ("_asked", "_at_work", "_count", "_jobs", "_timers", "at_once", "most")

    def __init__(self, timers: Timers) -> None:
        self.at_once: int = AT_ONCE
        self.most: int = MOST
        self._timers = timers
        self._jobs: deque[Job[Any]] = deque()
        self._count = 0
        self._asked = False
        """Whether there will be another turn."""
        self._at_work = False

    def __len__(self) -> int:
        """How many wait."""
        return self._count

    def do(
        self, work: Callable[[Sequence[T]], object], items: Sequence[T], weight: int = 1
    ) -> None:
        """Call `work` with all of these, a portion at a time, when all before them are done.

        That is at once where they are few and nothing waits. `work` raises nothing; what it asks
        for in its turn is done after it has returned. Where it does much for each, `weight` says
        as how many each counts. The sequence may not be changed any more.
        """
        at_once = not self._jobs and not self._at_work and len(items) * weight <= self.at_once
        self._add(Job(work, items, weight))
        if at_once:
            self._turn()
        self._wait()

    def later(self, work: Callable[[Sequence[T]], object], item: T, weight: int = 1) -> None:
        """The same for one, but not before this has returned."""
        last = self._jobs[-1] if self._jobs else None
        if last is not None and last.own is not None and last.work == work and not last.begun:
            # Ten thousand jobs would be so many objects more for the collector.
            last.own.append(item)
            self._count += 1
        else:
            own = [item]
            self._add(Job(work, own, weight, own))
        self._wait()

    def _add(self, job: Job[Any]) -> None:
        self._jobs.append(job)
        self._count += len(job.items)

    def _wait(self) -> None:
        if self._at_work:
            return
        while self._count > self.most:
            self._turn()
        if self._jobs and not self._asked:
            self._asked = True
            self._timers.after(0.0, self._go_on)

    def _go_on(self, now: float) -> None:
        self._asked = False
        try:
            self._turn()
        finally:
            self._wait()

    def _turn(self) -> None:
        jobs, room = self._jobs, self.at_once
        self._at_work = True
        try:
            while jobs and room > 0:
                job = jobs[0]
                portion = job.take(max(room // job.weight, 1))
                if job.begun == len(job.items):
                    jobs.popleft()
                self._count -= len(portion)
                room -= len(portion) * job.weight
                job.work(portion)
        finally:
            self._at_work = False
