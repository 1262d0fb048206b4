"""Events for `async for event in socket`: those that no listener is registered for.

This module does not know what becomes of an event, but that the server is not read from
while too many wait for an iteration (rule 98).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from ...runtime import Log, Resolve
from .events import EventReceived


class Inbox:
    """The events of one socket that wait to be iterated over.

    Before an iteration has begun the last `most` are kept, for one that may begin; the oldest
    make room, which is said once, in the log. Once it has begun none is lost: each holds its
    session, and at `max_inbound` the server is not read from.
    """

    __slots__ = ("_closed", "_events", "_log", "_looking", "_most", "_said", "is_open", "iterating")

    def __init__(self, most: int, log: Log) -> None:
        self._most = most
        self._log = log
        self._events: deque[tuple[EventReceived, bool]] = deque()
        self._looking: list[Callable[[], None]] = []
        self._closed: list[Callable[[], None]] = []
        self._said = False
        self.iterating: bool = False
        """Whether an iteration has begun."""
        self.is_open: bool = False
        """Whether more may come."""

    def __len__(self) -> int:
        return len(self._events)

    def put(self, event: EventReceived) -> None:
        """Keep an event."""
        if self.iterating:
            event.stay.intake.wait(event.size)
        elif len(self._events) >= self._most:
            self._events.popleft()
            if not self._said:
                self._said = True
                self._log(f"nobody listens to {event.name!a} of {event.socket!r}: forgotten", None)
        self._events.append((event, self.iterating))
        self._wake()

    def take(self) -> EventReceived | None:
        """The next event, or None."""
        if not self._events:
            return None
        event, held = self._events.popleft()
        if held:
            event.stay.intake.handled(event.size)
        return event

    def close(self) -> None:
        """Nothing more comes: what has come is still there."""
        self.is_open = False
        self._wake()
        closed, self._closed = self._closed, []
        for callback in closed:
            callback()

    def look(self, resolve: Resolve[None]) -> Callable[[], None]:
        """Call `resolve` once there is an event, or will be none; what is returned forgets it.

        Nothing is taken here: whoever is cancelled before it can take an event loses none.
        """
        if self._events or not self.is_open:
            resolve(None)
            return lambda: None

        def ready() -> None:
            resolve(None)

        self._looking.append(ready)

        def forget() -> None:
            if ready in self._looking:
                self._looking.remove(ready)

        return forget

    def when_closed(self, resolve: Resolve[None]) -> Callable[[], None]:
        """Call `resolve` once nothing more comes; what is returned forgets it."""
        if not self.is_open:
            resolve(None)
            return lambda: None

        def closed() -> None:
            resolve(None)

        self._closed.append(closed)

        def forget() -> None:
            if closed in self._closed:
                self._closed.remove(closed)

        return forget

    def _wake(self) -> None:
        looking, self._looking = self._looking, []
        for ready in looking:
            ready()
