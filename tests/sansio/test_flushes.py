"""Who is written to, and in which portions."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from sansocket.sansio.flushes import AT_ONCE, Flushes


class Writer:
    """A connection that keeps count, and may have something done when it is flushed."""

    def __init__(self, then: Callable[[], None] | None = None) -> None:
        self.flushed = 0
        self._then = then

    def flush(self) -> None:
        self.flushed += 1
        if self._then is not None:
            self._then()


class Backend:
    """Calls `flush` when it is asked to, for as long as that wants to be called."""

    def __init__(self) -> None:
        self.begun = 0
        self.flushes = Flushes(self._begin)

    def _begin(self) -> None:
        self.begun += 1

    def run(self) -> int:
        """Until nothing is left; how many times that took."""
        turns = 1
        while self.flushes.flush():
            turns += 1
        return turns


@given(st.integers(0, 3 * AT_ONCE))
def test_portions(count: int) -> None:
    """Each is written to once, and never more than so many at a stretch."""
    backend = Backend()
    writers = [Writer() for _ in range(count)]
    for writer in writers:
        backend.flushes.wake(writer)
    assert backend.begun == min(count, 1)
    if count > AT_ONCE:
        assert backend.flushes.flush()
        assert sum(writer.flushed for writer in writers) == AT_ONCE
    backend.run()
    assert [writer.flushed for writer in writers] == [1] * count


def test_woken_while_others_are_written_to() -> None:
    """It comes in the next portion, for which the backend calls without being asked again."""
    backend = Backend()
    late = Writer()
    backend.flushes.wake(Writer(lambda: backend.flushes.wake(late)))
    assert backend.run() == 2
    assert late.flushed == 1
    assert backend.begun == 1
    backend.flushes.wake(late)
    assert backend.begun == 2
