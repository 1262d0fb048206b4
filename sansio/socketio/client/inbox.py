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

    Before an iteration has begun the last `most` are kept, up to `most_bytes` of them, for one
    that may begin; the oldest make room, which is said once, in the log. The newest is kept
    however large it is. Once it has begun none is lost: each holds its session, and at
    `max_inbound` or `max_inbound_bytes` the server is not read from.
    """

    __slots__ = (
        "_closed",
        "_events",
        "_log",
        "_looking",
        "_most",
        "_most_bytes",
        "_said",
        "is_open",
        "iterating",
        "size",
    )

    def __init__(self, most: int, most_bytes: int, log: Log) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._log = log
        self.size: int = 0
        """The bytes that the events in it came in."""
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
        else:
            self._make_room(event)
        self._events.append((event, self.iterating))
        self.size += event.size
        self._wake()

    def _make_room(self, event: EventReceived) -> None:
        events = self._events
        while events and (len(events) >= self._most or self.size + event.size > self._most_bytes):
            oldest, _ = events.popleft()
            self.size -= oldest.size
            if not self._said:
                self._said = True
                self._log(f"nobody listens to {event.name!a} of {event.socket!r}: forgotten", None)

    def take(self) -> EventReceived | None:
        """The next event, or None."""
        if not self._events:
            return None
        event, held = self._events.popleft()
        self.size -= event.size
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
