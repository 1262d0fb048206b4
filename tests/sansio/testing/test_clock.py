"""Virtual time: appointments, in their order."""

from __future__ import annotations

from functools import partial

from sansocket.sansio.testing.clock import Clock


def test_order() -> None:
    """By time, and those for one time in the order in which they were made."""
    clock, told = Clock(), list[tuple[float, str]]()

    def tell(name: str) -> None:
        told.append((clock.now, name))

    for when, name in ((2.0, "c"), (1.0, "a"), (1.0, "b")):
        clock.at(when, partial(tell, name))
    while clock.next() is not None:
        clock.step()
    assert told == [(1.0, "a"), (1.0, "b"), (2.0, "c")]


def test_past_is_now() -> None:
    """Time never goes back."""
    clock, told = Clock(), list[float]()
    clock.at(5.0, lambda: clock.at(1.0, lambda: told.append(clock.now)))
    clock.step()
    clock.step()
    assert told == [5.0]


def test_cancel() -> None:
    """What was cancelled does not happen, and time does not stop there; twice does no harm."""
    clock, told = Clock(), list[str]()
    appointment = clock.after(1.0, lambda: told.append("cancelled"))
    clock.after(2.0, lambda: told.append("kept"))
    appointment.cancel()
    assert clock.next() == 2.0
    clock.step()
    appointment.cancel()
    assert (told, clock.next()) == (["kept"], None)
