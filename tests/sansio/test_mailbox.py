"""Handlers of one socket run one at a time, in the order of their events."""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.first_step import begun
from support.runtime import Gate, LoopFree, Pause

from sansocket.sansio.mailbox import TASK, Mailbox, finish, run_by_hand, run_to_end


@dataclass
class Event:
    """One event: `pauses` says how often its handler waits, None that it is a plain function."""

    name: str
    pauses: int | None = None
    gate: Gate = field(default_factory=Gate)
    limit: int = 1
    cut: bool = False
    """Whether it is ended by what is no Exception."""


class Recorder:
    """A dispatcher that notes when each handler begins and ends."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.done_with: list[str] = []

    def waits(self, event: Event) -> bool:
        """Whether its handler is a coroutine function."""
        return event.pauses is not None

    def concurrency(self, event: Event) -> int:
        """With how many it shares the socket, itself among them."""
        return event.limit

    def done(self, event: Event) -> None:
        """Its handlers have ended."""
        self.done_with.append(event.name)

    def last(self, event: Event) -> bool:
        """Whether it tells of the end."""
        return event.name == "end"

    def handle(self, event: Event) -> Coroutine[Any, Any, None] | None:
        """Be the handler."""
        return self.call(event)

    async def call(self, event: Event) -> None:
        """Be the handler."""
        self.notes.append(f"{event.name} begins")
        for _ in range(event.pauses or 0):
            await event.gate.wait()
            await Pause()
        if event.cut:
            raise Cut
        self.notes.append(f"{event.name} ends")


class Eager(Recorder):
    """One that takes the first step of a handler itself, where it is in a task."""

    def handle(self, event: Event) -> Coroutine[Any, Any, None] | None:
        """Be the handler, up to where it waits."""
        coroutine = self.call(event)
        return coroutine if event.pauses is None else begun(coroutine)


class Cut(BaseException):
    """What ends a handler, and its task, and is no Exception."""


def mailbox() -> tuple[Mailbox[Event], Recorder, LoopFree]:
    recorder, runtime = Recorder(), LoopFree()
    return Mailbox(recorder, runtime, "home"), recorder, runtime


def test_plain_function_runs_at_once() -> None:
    """No task lives where nothing waits."""
    box, recorder, runtime = mailbox()
    box.put(Event("a"))
    assert recorder.notes == ["a begins", "a ends"]
    assert runtime.tasks == []


def test_coroutine_function_runs_as_a_task_of_its_home() -> None:
    box, recorder, runtime = mailbox()
    box.put(Event("a", pauses=0))
    assert recorder.notes == []
    assert runtime.homes == ["home"]
    runtime.run()
    assert recorder.notes == ["a begins", "a ends"]


def test_one_task_for_all_that_wait_and_none_for_ever() -> None:
    box, recorder, runtime = mailbox()
    first = Event("a", pauses=1)
    for event in (first, Event("b", pauses=0), Event("c")):
        box.put(event)
    runtime.run()
    assert recorder.notes == ["a begins"]
    assert len(runtime.tasks) == 1
    first.gate.open()
    runtime.run()
    runtime.run()
    assert recorder.notes == [f"{name} {what}" for name in "abc" for what in ("begins", "ends")]
    assert runtime.tasks == []
    box.put(Event("d"))
    assert recorder.notes[-1] == "d ends"
    assert runtime.tasks == []


def test_mailboxes_do_not_wait_for_each_other() -> None:
    """Security rule 15: a handler that hangs keeps nobody else's events back."""
    recorder, runtime = Recorder(), LoopFree()
    stuck, other = Mailbox(recorder, runtime, None), Mailbox(recorder, runtime, None)
    stuck.put(Event("stuck", pauses=1))
    other.put(Event("other", pauses=0))
    runtime.run()
    assert recorder.notes == ["stuck begins", "other begins", "other ends"]


@given(st.lists(st.none() | st.integers(0, 2) | st.just("run")))
def test_order(steps: list[int | str | None]) -> None:
    """Protocol rule 71: whatever waits for how long, and whenever the loop gets to run."""
    box, recorder, runtime = mailbox()
    names: list[str] = []
    for step in steps:
        if isinstance(step, str):
            runtime.run()
            continue
        event = Event(str(len(names)), pauses=step)
        event.gate.open()
        names.append(event.name)
        box.put(event)
    for _ in range(1 + 2 * len(steps)):
        runtime.run()
    assert recorder.notes == [f"{name} {what}" for name in names for what in ("begins", "ends")]
    assert runtime.tasks == []


planned = st.builds(
    Event,
    st.sampled_from(["a", "b", "end"]),
    st.integers(0, 2),
    limit=st.integers(1, 3),
    cut=st.booleans(),
)


def told(recorder: Recorder, steps: list[Event | str], *, cancellable: bool) -> list[object]:
    """What becomes of these events, step by step."""
    runtime = LoopFree()
    box = Mailbox(recorder, runtime, None, cancellable=cancellable)
    seen: list[object] = []
    for step in [*steps, *["run"] * 3 * len(steps)]:
        if isinstance(step, Event):
            step.gate.open()
            box.put(step)
        else:
            for task in list(runtime.tasks):
                try:
                    task.send(None)
                except StopIteration:
                    runtime.tasks.remove(task)
                except Cut:
                    runtime.tasks.remove(task)
                    seen.append("cut")
        seen += [len(runtime.tasks), box.busy, tuple(recorder.notes), tuple(recorder.done_with)]
    return seen


@given(st.lists(planned | st.just("run") | st.just(Event("plain"))), st.booleans())
def test_the_first_step_of_a_handler_may_be_taken_before(
    steps: list[Event | str], cancellable: bool
) -> None:
    """Nobody can tell, also where it is the last: order, overlap, and ends of every kind."""
    eager = told(Eager(), steps, cancellable=cancellable)
    assert eager == told(Recorder(), steps, cancellable=cancellable)


def test_run_to_end() -> None:
    """What never waits needs no loop; what waits all the same is an error of ours, and ends."""
    done: list[str] = []

    async def plain() -> None:
        done.append("plain")

    async def waiting() -> None:
        try:
            await Pause()
        finally:
            done.append("ended")

    run_to_end(plain())
    with pytest.raises(AssertionError, match="waited"):
        run_to_end(waiting())
    assert done == ["plain", "ended"]


def test_run_by_hand_up_to_what_needs_a_task() -> None:
    """The rest is the same coroutine: nothing runs twice."""
    notes: list[str] = []

    async def waiting() -> None:
        notes.append("begins")
        await TASK
        await Pause()
        notes.append("ends")

    rest = run_by_hand(waiting())
    assert rest is not None
    assert notes == ["begins"]
    task = finish(rest)
    task.send(None)
    with pytest.raises(StopIteration):
        task.send(None)
    assert notes == ["begins", "ends"]
