"""What is left of a coroutine after its first step is the same as the whole."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from support.first_step import begun


class Trap:
    """What a loop gets to see of a coroutine."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __await__(self) -> Generator[int, Any, Any]:
        return (yield self.number)


async def whole(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """The plain way."""
    return await coroutine


async def handler(seen: list[object], traps: int, catches: bool) -> object:
    """Wait so often, and note what comes of it."""
    try:
        for number in range(traps):
            try:
                seen.append(await Trap(number))
            except ValueError as error:
                seen.append(repr(error))
                if not catches:
                    raise
        return traps
    finally:
        seen.append("ended")


def transcript(
    way: Callable[[Coroutine[Any, Any, Any]], Coroutine[Any, Any, Any] | None],
    traps: int,
    catches: bool,
    answers: list[int | str | None],
) -> list[object]:
    """What the loop and the coroutine tell each other."""
    seen: list[object] = []
    task = way(handler(seen, traps, catches))
    if task is None:
        return seen
    try:
        seen.append(("trap", task.send(None)))
        for answer in answers:
            if answer == "close":
                task.close()
                return seen
            if answer == "raise":
                seen.append(("trap", task.throw(ValueError(len(seen)))))
            else:
                seen.append(("trap", task.send(answer)))
        task.close()
    except StopIteration as end:
        seen.append(("returned", end.value))
    except ValueError as error:
        seen.append(("raised", repr(error)))
    return seen


@given(
    st.integers(1, 4),
    st.booleans(),
    st.lists(st.none() | st.integers() | st.sampled_from(["raise", "close"]), max_size=5),
)
def test_the_rest_is_the_whole(traps: int, catches: bool, answers: list[int | str | None]) -> None:
    """Values, exceptions and the end go through, whatever the loop says."""
    assert transcript(begun, traps, catches, answers) == transcript(whole, traps, catches, answers)


def test_nothing_may_be_left() -> None:
    assert transcript(begun, 0, False, []) == ["ended"]
