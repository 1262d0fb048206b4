"""What happens to a client itself, and the functions that listen to it.

This module does not know why anything happens.
"""

from __future__ import annotations

from typing import Final

from ...handlers import KnownHandlers, awaits
from ...mailbox import TASK, Mailbox
from ...runtime import Runtime
from .events import Happened

NOTICES: Final[dict[str, tuple[int, ...]]] = {
    "open": (0,),
    "close": (1, 2),
    "error": (1,),
    "ping": (0,),
    "packet": (1,),
    "reconnect": (1,),
    "reconnect_attempt": (1,),
    "reconnect_error": (1,),
    "reconnect_failed": (0,),
}
"""The events of a client, and how many arguments their listeners may take."""


class Notices:
    """The listeners of one client, called one after the other, each in its turn.

    They are plain or coroutine functions; what they raise goes to the log.
    """

    __slots__ = ("_runtime", "handlers", "mailbox")

    def __init__(self, runtime: Runtime, home: object) -> None:
        self.handlers: KnownHandlers = KnownHandlers(NOTICES)
        self._runtime = runtime
        self.mailbox: Mailbox[Happened] = Mailbox(self, runtime, home)

    def listens(self, event: str) -> bool:
        """Whether anybody does."""
        return bool(self.handlers.get(event))

    # For the mailbox

    def waits(self, event: Happened) -> bool:
        """Whether any listener is a coroutine function."""
        return self.handlers.wait(event.name)

    def concurrency(self, event: Happened) -> int:
        """One at a time."""
        return 1

    async def handle(self, event: Happened) -> None:
        """Call the listeners; raises no Exception, and awaits only what waits in them."""
        for handler in self.handlers.get(event.name):
            if handler.once and not self.handlers.take(event.name, handler):
                continue
            args = event.args if handler.takes(len(event.args)) else event.args[:1]
            try:
                waiting = handler.function(*args)
                if awaits(waiting):
                    if not self.mailbox.busy:
                        await TASK
                    await waiting
            except Exception as error:
                self._runtime.log(f"a listener of the client for {event.name!r} failed", error)

    def done(self, event: Happened) -> None:
        """Nothing was held for it."""

    def last(self, event: Happened) -> bool:
        """Whether it tells of the end of a connection."""
        return event.name == "close"
