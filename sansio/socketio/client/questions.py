"""What a client asks of its application before every attempt, where that has given functions.

This module does not know when an attempt is made, nor what becomes of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...handlers import Function, Handler, awaits
from ...mailbox import TASK


class Questions:
    """Functions without arguments, plain or coroutine functions, and who takes what they say."""

    __slots__ = ("_questions",)

    def __init__(self) -> None:
        self._questions: list[tuple[Function, Callable[[Any], None]]] = []

    def __bool__(self) -> bool:
        """Whether there is anything to ask."""
        return bool(self._questions)

    def add(self, name: str, function: Function, take: Callable[[Any], None]) -> None:
        """Ask a function for the option `name`; `take` raises for an answer that makes no sense.

        Raises TypeError for what cannot be called without arguments.
        """
        if not Handler(function).takes(0):
            raise TypeError(f"{name}: expected a function without arguments, got {function!r}")
        self._questions.append((function, take))

    async def ask(self) -> list[Any]:
        """The answers; raises what a function raises.

        It can be run by hand up to the first answer that has to be awaited.
        """
        answers: list[Any] = []
        by_hand = True
        for function, _ in self._questions:
            answer = function()
            if awaits(answer):
                if by_hand:
                    by_hand = False
                    await TASK
                answer = await answer
            answers.append(answer)
        return answers

    def take(self, answers: list[Any]) -> None:
        """Hand the answers on; raises ValueError or TypeError for one that makes no sense."""
        for (_, take), answer in zip(self._questions, answers, strict=True):
            take(answer)
