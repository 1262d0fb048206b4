"""What is left of a coroutine whose first step was taken by hand.

Most coroutines never wait: with `send` they end at once, and cost little more than a call. This
module does not know who takes the step, nor the event loop.
"""

from __future__ import annotations

from collections.abc import Coroutine, Generator
from typing import Any


class Rest:
    """A coroutine that was begun by `send`, and has yielded `trap` to its loop.

    To be awaited once, in the task in which the step was taken. Python lets no coroutine be
    awaited that is in the midst of an await.
    """

    __slots__ = ("_coroutine", "_trap")

    def __init__(self, coroutine: Coroutine[Any, Any, Any], trap: Any) -> None:
        self._coroutine = coroutine
        self._trap = trap

    def __await__(self) -> Generator[Any, Any, Any]:
        """Pass on what the loop and the coroutine tell each other, to its end."""
        coroutine, trap = self._coroutine, self._trap
        while True:
            error: BaseException | None = None
            answer: Any = None
            try:
                answer = yield trap
            except GeneratorExit:
                coroutine.close()
                raise
            except BaseException as thrown:
                error = thrown
            try:
                trap = coroutine.send(answer) if error is None else coroutine.throw(error)
            except StopIteration as end:
                return end.value
