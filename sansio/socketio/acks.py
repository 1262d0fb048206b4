"""Acknowledgements: those that one socket is owed, and the one that a handler owes.

This module does not know how an acknowledgement travels.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import Any, Protocol

from ..errors import AckTimeout, LocalProtocolError
from ..timers import Timer

Values = tuple[Any, ...]
Answered = Callable[[Values], None]
Failed = Callable[[Exception], None]


class Pending:
    """One acknowledgement that may come: exactly one of its two functions is called."""

    __slots__ = ("answered", "failed", "timer")

    def __init__(self, answered: Answered, failed: Failed) -> None:
        self.answered: Answered = answered
        self.failed: Failed = failed
        self.timer: Timer | None = None


class Debtor(Protocol):
    """Whoever owes acknowledgements."""

    def owe(self, owes: bool) -> None:
        """There are some now, or there are none any more."""


class Acks:
    """The acknowledgements that a socket is owed, by their numbers.

    Bounded: the caller who wants one more than `limit` gets a LocalProtocolError. `debtor`,
    where there is one, is told when it begins to owe, and when it owes nothing more.
    """

    __slots__ = ("_debtor", "_limit", "_pending")

    def __init__(self, limit: int, debtor: Debtor | None = None) -> None:
        self._limit = limit
        self._debtor = debtor
        self._pending: dict[int, Pending] = {}

    def __len__(self) -> int:
        return len(self._pending)

    def expect(self, number: int, pending: Pending) -> None:
        """Wait for this number; raises LocalProtocolError at the bound."""
        if len(self._pending) >= self._limit:
            raise LocalProtocolError(f"{self._limit} acknowledgements are pending already")
        if not self._pending and self._debtor is not None:
            self._debtor.owe(True)
        self._pending[number] = pending

    def answer(self, number: int, values: Values) -> None:
        """The peer has acknowledged; unknown and repeated numbers are ignored (rule 47)."""
        pending = self.drop(number)
        if pending is not None:
            pending.answered(values)

    def fail(self, number: int, error: Exception) -> None:
        """It will not come; no effect when it came before."""
        pending = self.drop(number)
        if pending is not None:
            pending.failed(error)

    def forget(self, number: int) -> None:
        """Nobody waits for it any more, if anyone did (rule 78)."""
        self.drop(number)

    def drop(self, number: int) -> Pending | None:
        """What waited for it, and does so no more."""
        pending = self._pending.pop(number, None)
        if pending is not None:
            if pending.timer is not None:
                pending.timer.cancel()
            if not self._pending and self._debtor is not None:
                self._debtor.owe(False)
        return pending

    def fail_all(self, error: Exception, but: Container[int] = ()) -> None:
        """None will come, but for these numbers: the socket is gone."""
        for number in list(self._pending):
            if number not in but:
                self.fail(number, error)


class Collection:
    """The acknowledgements of one broadcast, which share one number (rule 46).

    `done` is called once: with the answers, in the order in which they came, when
    every recipient has answered or gone; or with an AckTimeout that has those so far.
    """

    __slots__ = ("_answers", "_awaited", "_done", "timer")

    def __init__(self, awaited: int, done: Callable[[list[Any] | Exception], None]) -> None:
        self._awaited = awaited
        self._answers: list[Any] = []
        self._done: Callable[[list[Any] | Exception], None] | None = done
        self.timer: Timer | None = None

    @property
    def over(self) -> bool:
        """Whether `done` has been called, or nobody wants the answers any more."""
        return self._done is None

    def answered(self, values: Values) -> None:
        """One recipient has answered."""
        self._answers.append(one_or_several(values))
        self._count_down()

    def failed(self, error: Exception) -> None:
        """One recipient has gone."""
        self._count_down()

    def expire(self) -> None:
        """The time is over."""
        self._finish(AckTimeout(self._answers.copy()))

    def cancel(self) -> None:
        """Nobody wants the answers any more."""
        self._done = None
        if self.timer is not None:
            self.timer.cancel()

    def settle(self) -> None:
        """Finish at once when nobody is awaited."""
        if self._awaited == 0:
            self._finish(self._answers)

    def _count_down(self) -> None:
        self._awaited -= 1
        self.settle()

    def _finish(self, result: list[Any] | Exception) -> None:
        done = self._done
        self.cancel()
        if done is not None:
            done(result)


class Ack:
    """The acknowledgement that a handler owes: called when, and if, the handler likes.

    A handler that has a parameter annotated so gets one. A second call has no
    effect (rule 47), nor has any when the client did not ask (`wanted`).
    """

    __slots__ = ("_reply",)

    def __init__(self, reply: Callable[[Values], None] | None) -> None:
        self._reply = reply

    @property
    def wanted(self) -> bool:
        """Whether the client waits, and has not been answered."""
        return self._reply is not None

    def __call__(self, *values: Any) -> None:
        """Acknowledge with these values.

        Raises LocalProtocolError for values that no packet can carry; then the client still
        waits.
        """
        if self._reply is not None:
            self._reply(values)
            self._reply = None


def one_or_several(values: Values) -> Any:
    """What was acknowledged: the value, a tuple of several, None for none."""
    if len(values) == 1:
        return values[0]
    return values or None
