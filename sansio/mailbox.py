"""The order of handlers: events of one socket are handled one at a time, as they came.

A task lives only while something waits: an event whose handlers are all plain
functions is handled at once when none is before it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Coroutine
from typing import Any, Generic, Protocol, TypeVar

from .runtime import Runtime

E = TypeVar("E")
E_contra = TypeVar("E_contra", contravariant=True)


class Dispatcher(Protocol[E_contra]):
    """Knows the handlers of an event."""

    def waits(self, event: E_contra) -> bool:
        """Whether any of its handlers is a coroutine function."""
        ...

    async def handle(self, event: E_contra) -> None:
        """Call its handlers; raises no Exception, and awaits only what waits in them."""


class Mailbox(Generic[E]):
    """The events of one socket that wait for their handlers.

    The bound on them is the session's `max_inbound`: its client is not read from
    while as many wait.
    """

    __slots__ = ("_dispatcher", "_home", "_runtime", "_waiting")

    def __init__(self, dispatcher: Dispatcher[E], runtime: Runtime, home: object) -> None:
        self._dispatcher = dispatcher
        self._runtime = runtime
        self._home = home
        self._waiting: deque[E] | None = None

    def put(self, event: E) -> None:
        """Handle the event now, or after those that came before it."""
        if self._waiting is not None:
            self._waiting.append(event)
        elif self._dispatcher.waits(event):
            self._waiting = deque((event,))
            self._runtime.spawn(self._work, self._home)
        else:
            run_to_end(self._dispatcher.handle(event))

    async def _work(self) -> None:
        while self._waiting:
            await self._dispatcher.handle(self._waiting.popleft())
        self._waiting = None


def run_to_end(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine that never waits: it needs no loop, and no task."""
    try:
        coroutine.send(None)
    except StopIteration:
        return
    coroutine.close()
    raise AssertionError("a plain function has waited")
