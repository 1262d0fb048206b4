"""What was sent and what has arrived, and whether that may be: the rules of delivery.

Without `retries` an event arrives at most once, and those of one stay (from a CONNECT to its
end) arrive in their order and without a gap. With `retries` an event may arrive again, but it
arrives for the first time after all those before it (rule 88). An acknowledgement comes at most
once, and for what was asked (rule 47). This module knows neither sockets nor a network.
"""

from __future__ import annotations

from collections.abc import Callable


class Sequence:
    """Numbered events in one direction between one client and the server, in one namespace."""

    def __init__(self, name: str, fail: Callable[[str], None], *, again: bool) -> None:
        self.name = name
        self.again = again
        """Whether events may arrive again: with `retries`."""
        self.sent: int = 0
        """How many have been sent: the number of the next."""
        self.arrived: int = 0
        """How many different ones have arrived, as far as `again` is said."""
        self._fail = fail
        self._seen: set[int] = set()
        self._last: dict[str, int] = {}

    def next(self) -> int:
        """The number of the event that is about to be sent; see `count`."""
        return self.sent

    def count(self) -> None:
        """It has been sent."""
        self.sent += 1

    def arrive(self, number: int, stay: str) -> None:
        """An event has arrived, in the stay of that name."""
        if number >= self.sent:
            self._fail(f"{self.name}: {number} has arrived, which was never sent")
        is_new = number not in self._seen
        self._seen.add(number)
        if self.again:
            if is_new and number != self.arrived:
                self._fail(f"{self.name}: {number} has arrived before {self.arrived}")
        else:
            if not is_new:
                self._fail(f"{self.name}: {number} has arrived twice")
            last = self._last.get(stay)
            if last is not None and number != last + 1:
                self._fail(f"{self.name}: {number} has arrived after {last} in one stay")
            self._last[stay] = number
        self.arrived += is_new

    def complete(self, stay: str) -> bool:
        """Whether all have arrived; without `again`, the last one in this stay."""
        if self.again:
            return self.arrived == self.sent
        return self.sent == 0 or self._last.get(stay) == self.sent - 1


class Questions:
    """Events that were sent with the wish for an acknowledgement."""

    def __init__(self, fail: Callable[[str], None]) -> None:
        self._fail = fail
        self._open: dict[int, str] = {}
        self._asked = 0
        self.answered: int = 0
        """How many have been acknowledged."""

    @property
    def open(self) -> int:
        """How many have not been acknowledged."""
        return len(self._open)

    def ask(self, who: str) -> int:
        """A number that is asked about; `who` asks."""
        self._asked += 1
        self._open[self._asked] = who
        return self._asked

    def answer(self, number: int, *values: object) -> None:
        """The acknowledgement of a question: the number has to have come back."""
        who = self._open.pop(number, None)
        if who is None:
            self._fail(f"question {number} was answered twice")
        elif values != (number,):
            self._fail(f"{who}: question {number} was answered with {values!r}")
        self.answered += 1


class Increasing:
    """Numbers that may be left out, but never come again or in another order."""

    def __init__(self, name: str, fail: Callable[[str], None]) -> None:
        self._name = name
        self._fail = fail
        self._last = -1

    def arrive(self, number: int) -> None:
        """A number has come."""
        if number <= self._last:
            self._fail(f"{self._name}: {number} has arrived after {self._last}")
        self._last = number
