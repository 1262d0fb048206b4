"""What a client asks of its application before every attempt, where that has given functions.

This module does not know when an attempt is made, for how long it may take, nor what becomes
of it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from ...handlers import Function, Handler, awaits
from ...mailbox import finish, into_task, run_by_hand
from ...runtime import Callback, Runtime


class Questions:
    """Functions without arguments, plain or coroutine functions, and who takes what they say."""

    __slots__ = ("functions",)

    def __init__(self) -> None:
        self.functions: list[tuple[str, Function, Callable[[Any], None]]] = []

    def __bool__(self) -> bool:
        """Whether there is anything to ask."""
        return bool(self.functions)

    def add(self, name: str, function: Function, take: Callable[[Any], None]) -> None:
        """Ask a function for the option `name`; `take` raises for an answer that makes no sense.

        Raises TypeError for what cannot be called without arguments.
        """
        if not Handler(function).takes(0):
            raise TypeError(f"{name}: expected a function without arguments, got {function!r}")
        self.functions.append((name, function, take))


class Asking:
    """The questions of one attempt.

    `told` is called once with this and what went wrong, if anything, after the answers have been
    taken, and never once it has been cancelled.
    """

    __slots__ = ("_answers", "_cancel", "_cancelled", "_questions", "_runtime", "_told", "name")

    def __init__(
        self,
        questions: Questions,
        runtime: Runtime,
        told: Callable[[Asking, Exception | None], None],
    ) -> None:
        self.name: str = ""
        """The option whose function is asked, or was asked last."""
        self._answers: list[Any] = []
        self._questions = questions
        self._runtime = runtime
        self._told = told
        self._cancelled = False
        self._cancel: Callback | None = None

    def begin(self, home: object) -> None:
        """Ask one after the other; what has to be awaited is so in a task of `home`."""
        rest = run_by_hand(self._run())
        if rest is not None:
            self._cancel = self._runtime.spawn_cancellable(
                partial(finish, rest), home, lambda: None
            )
            if self._cancelled:
                self._cancel()

    def cancel(self) -> None:
        """Nobody waits for the answers any more: cancel the function that is asked; idempotent."""
        self._cancelled = True
        if self._cancel is not None:
            self._cancel()

    async def _run(self) -> None:
        failure: Exception | None = None
        try:
            await self._ask()
            if not self._cancelled:
                for (_, _, take), answer in zip(
                    self._questions.functions, self._answers, strict=True
                ):
                    take(answer)
        except Exception as error:
            failure = error
        self._cancel = None
        if not self._cancelled:
            self._told(self, failure)
        elif failure is not None:
            self._runtime.log(f"{self.name}: the function failed when it was cancelled", failure)

    async def _ask(self) -> None:
        by_hand = True
        for name, function, _ in self._questions.functions:
            if self._cancelled:
                return
            self.name = name
            answer = function()
            if awaits(answer):
                if by_hand:
                    by_hand = False
                    await into_task(answer)
                answer = await answer
            self._answers.append(answer)
