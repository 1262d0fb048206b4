"""What the core asks of an event loop, in a few functions.

Handlers, middleware and the few methods that wait are coroutines which await only
what the application wrote and `Runtime.wait`; so they stand here once, and run
under any loop, or under none in a test.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from .engineio.client.wire import ClientWire
    from .workers import Workers

T = TypeVar("T")

Callback = Callable[[], None]
TaskFunction = Callable[[], Coroutine[Any, Any, None]]
Begin = Callable[[], Coroutine[Any, Any, None] | None]
"""A function that is called in a task; what is left to do, if anything, is awaited there."""
Resolve = Callable[[T | Exception], None]
Start = Callable[[Resolve[T]], Callback]
Log = Callable[[str, Exception | None], None]


class Call(Protocol):
    """A function without arguments, where it is an attribute and no method."""

    def __call__(self) -> object:
        """Call it."""


class Runtime(Protocol):
    """A backend, as the core sees it."""

    def rearm(self) -> None:
        """`next_deadline` has moved earlier; may not call back into the core."""

    def spawn(self, function: Begin, home: object) -> None:
        """Run `function` in a task; `home` is that of the session it runs for."""

    def workers(self, home: object) -> Workers | None:
        """Those who may be lent to begin a handler at once, where the loop allows that."""
        ...

    def spawn_cancellable(self, function: TaskFunction, home: object, done: Callback) -> Callback:
        """The same; what is returned cancels the task.

        `done` is called when it has ended, also when it was cancelled before it began.
        """
        ...

    def log(self, message: str, error: Exception | None) -> None:
        """Write to the log "sansocket": with an error as ERROR and its traceback, else as INFO."""

    async def wait(self, start: Start[T], timeout: float | None) -> T:
        """Call `start` with a function that ends the wait: with a value, or an exception to raise.

        `start` returns what is called when nobody waits any more, whatever the
        cause: the answer, the timeout (seconds), or cancellation.
        """
        ...


class ClientRuntime(Runtime, Protocol):
    """A backend, as a client sees it."""

    def dial(self, wire: ClientWire) -> None:
        """Connect to `wire.target` and carry its bytes; may not call back into the core yet."""


async def run(function: Begin) -> None:
    """Do what `Runtime.spawn` promises, as a coroutine."""
    rest = function()
    if rest is not None:
        await rest
