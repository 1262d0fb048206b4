"""The order of handlers: events of one socket are handled one at a time, as they came.

A task lives only while something waits: an event whose handlers are all plain
functions is handled at once when none is before it. Where one of them turns out to have
made something to be awaited, a task goes on with it. Events of handlers that allow it
may overlap; what does not allow it waits for all that came before, and lets nothing pass.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Generator
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypeVar

import msgspec

from .runtime import Begin, Runtime, run

if TYPE_CHECKING:
    from .workers import Workers

E = TypeVar("E")
E_contra = TypeVar("E_contra", contravariant=True)


class Dispatcher(Protocol[E_contra]):
    """Knows the handlers of an event."""

    def waits(self, event: E_contra) -> bool:
        """Whether any of its handlers is a coroutine function."""
        ...

    def concurrency(self, event: E_contra) -> int:
        """Among how many it may be in its handlers at the same time; 1 for no others."""
        ...

    def handle(self, event: E_contra) -> Coroutine[Any, Any, None] | None:
        """Call its handlers, or return a coroutine that does, or what is left of it.

        Raises no Exception, nor does that, which awaits only what waits in them. Nothing may be
        called before that is awaited, unless it is called in a task. Before it awaits what the
        handlers of an event that does not wait have made, it awaits `TASK`, unless the mailbox
        is `busy`.
        """
        ...

    def done(self, event: E_contra) -> None:
        """Its handlers have ended, or will not be called because their socket is gone."""

    def last(self, event: E_contra) -> bool:
        """Whether it tells of an end: it is handled also when those before it are cancelled."""
        ...


class NeedsTask:
    """What a coroutine awaits that is run by hand, and needs a task to go on."""

    def __await__(self) -> Generator[NeedsTask]:
        yield self


TASK: Final = NeedsTask()


async def into_task(made: object) -> None:
    """Go on in a task, with what is to be awaited there.

    Cancelled before there is one, that is closed, and not left to the collector.
    """
    try:
        await TASK
    except BaseException:
        if isinstance(made, Coroutine):
            made.close()
        raise


class Begun(Awaitable[None]):
    """The rest of a coroutine that was run by hand, up to `TASK`.

    Python lets no coroutine be awaited that is in the midst of an await.
    """

    def __init__(self, coroutine: Coroutine[Any, Any, None]) -> None:
        self._coroutine = coroutine

    def __await__(self) -> Generator[Any, Any, None]:
        return self._coroutine.__await__()


class Work(msgspec.Struct, Generic[E], eq=False):
    """What there is of a mailbox while it is busy."""

    limits: list[int]
    """The concurrency of each event that is in its handlers now."""
    # Most events have none behind them, and a deque takes 0.1 us and 600 bytes.
    waiting: deque[E] | None = None
    cancels: set[Callable[[], None]] | None = None


class Mailbox(Generic[E]):
    """The events of one socket that wait for their handlers.

    The bound on them is the session's `max_inbound`: its client is not read from
    while as many wait. With `cancellable` the handlers can be cancelled.
    """

    __slots__ = ("_cancellable", "_dispatcher", "_home", "_runtime", "work", "workers")

    def __init__(
        self,
        dispatcher: Dispatcher[E],
        runtime: Runtime,
        home: object,
        *,
        cancellable: bool = False,
        workers: Workers | None = None,
    ) -> None:
        self._dispatcher = dispatcher
        self._runtime = runtime
        self._home = home
        self._cancellable = cancellable
        self.workers: Workers | None = workers
        """Those who may be lent to begin a handler at once."""
        self.work: Work[E] | None = None
        """What there is of it while a task is at work for it."""

    def put(self, event: E) -> None:
        """Handle the event now, or after those that came before it."""
        if self.work is not None:
            if self.work.waiting is None:
                self.work.waiting = deque()
            self.work.waiting.append(event)
            self._go_on(self.work)
        elif self._dispatcher.waits(event):
            dispatcher = self._dispatcher
            self.begin(event, dispatcher.concurrency(event), partial(dispatcher.handle, event))
        else:
            self.go_on(event, self._dispatcher.handle(event))

    def begin(self, event: E, limit: int, handle: Begin) -> None:
        """Handle an event by this function, in a task; nothing is before it."""
        work: Work[E] = Work([limit])
        self.work = work
        self._start(work, event, limit, handle)

    def occupy(self, event: E, rest: Coroutine[Any, Any, None]) -> Coroutine[Any, Any, None]:
        """An event has been begun in a task, with nothing before it: what the task has to do."""
        limit = self._dispatcher.concurrency(event)
        work: Work[E] = Work([limit])
        self.work = work
        return self._finish(work, event, limit, rest)

    def go_on(self, event: E, coroutine: Coroutine[Any, Any, None] | None) -> None:
        """Handle an event by this coroutine, at once, for nothing is before it."""
        rest = None if coroutine is None else run_by_hand(coroutine)
        if rest is None:
            self._dispatcher.done(event)
        else:
            self.begin(event, self._dispatcher.concurrency(event), partial(finish, rest))

    @property
    def busy(self) -> bool:
        """Whether what is handled now, if anything, is handled in a task."""
        return self.work is not None

    def drop(self) -> None:
        """Drop the events that wait."""
        work = self.work
        if work is not None and work.waiting:
            waiting, work.waiting = work.waiting, None
            for event in waiting:
                self._dispatcher.done(event)

    def cancel(self) -> None:
        """Cancel the handlers that run, and drop the events that wait."""
        self.drop()
        work = self.work
        if work is not None and work.cancels:
            for cancel in list(work.cancels):
                cancel()

    def _go_on(self, work: Work[E]) -> None:
        """Start what need not wait any longer; when nothing is left, the mailbox is idle."""
        while work.waiting and self._may_start(work, work.waiting[0]):
            event = work.waiting.popleft()
            handle = partial(self._dispatcher.handle, event)
            limit = self._dispatcher.concurrency(event)
            work.limits.append(limit)
            self._start(work, event, limit, handle)
        if not work.limits:
            self.work = None

    def _may_start(self, work: Work[E], event: E) -> bool:
        running = work.limits
        return not running or len(running) < min(self._dispatcher.concurrency(event), *running)

    def _start(self, work: Work[E], event: E, limit: int, handle: Begin) -> None:
        if not self._cancellable:
            self._runtime.spawn(partial(self._begin, work, event, limit, handle), self._home)
            return

        cancels = work.cancels = work.cancels or set()

        def done() -> None:
            cancels.discard(cancel)
            self._end(work, event, limit)

        cancel = self._runtime.spawn_cancellable(partial(run, handle), self._home, done)
        cancels.add(cancel)

    def _begin(
        self, work: Work[E], event: E, limit: int, handle: Begin
    ) -> Coroutine[Any, Any, None] | None:
        """Handle an event, in a task; what is left of it, if anything."""
        # An event whose handler does not wait, with none behind it, needs no coroutine of ours.
        try:
            rest = handle()
        except BaseException as error:
            self._failed(work, event, limit, error)
            raise
        if rest is not None:
            return self._finish(work, event, limit, rest)
        self._end(work, event, limit)
        return None

    async def _finish(
        self, work: Work[E], event: E, limit: int, rest: Coroutine[Any, Any, None]
    ) -> None:
        """Do the rest of it."""
        try:
            await rest
        except BaseException as error:
            self._failed(work, event, limit, error)
            raise
        self._end(work, event, limit)

    def _end(self, work: Work[E], event: E, limit: int) -> None:
        """It has been handled: others may begin, each in a task and a context of its own."""
        work.limits.remove(limit)
        self._dispatcher.done(event)
        if work.waiting or work.limits:
            self._go_on(work)
        else:
            self.work = None

    def _failed(self, work: Work[E], event: E, limit: int, error: BaseException) -> None:
        """A handler was ended by what is no Exception."""
        work.limits.remove(limit)
        self._dispatcher.done(event)
        if not isinstance(error, GeneratorExit):  # nothing can run any more, wherever it would
            self._cut_short(work)

    def _cut_short(self, work: Work[E]) -> None:
        """A handler was cancelled, with the server: of what waits only the end is still told."""
        waiting, work.waiting = work.waiting or deque(), deque()
        for event in waiting:
            if self._dispatcher.last(event):
                work.waiting.append(event)
            else:
                self._dispatcher.done(event)
        self._go_on(work)


def run_by_hand(coroutine: Coroutine[Any, Any, None]) -> Begun | None:
    """Run a coroutine that needs no loop; what is left of it where it needs a task all the same."""
    try:
        waited_for = coroutine.send(None)
    except StopIteration:
        return None
    if waited_for is TASK:
        return Begun(coroutine)
    coroutine.close()
    raise AssertionError("a plain function has waited")


def run_to_end(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine that never waits: it needs no loop, and no task."""
    rest = run_by_hand(coroutine)
    assert rest is None


async def finish(rest: Begun) -> None:
    """Run the rest in a task."""
    await rest
