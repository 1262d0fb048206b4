"""Clients with `retries` that number their events, through the deaths of their server.

It runs on every loop: what is awaited is our own client, and its `Runtime.wait`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from sansocket.sansio.runtime import Resolve
from sansocket.sansio.socketio.client.scope import ScopedClient
from sansocket.sansio.socketio.client.socket import ClientSocket

from .mortal import Mortal, Outage

PATIENCE: Final = 60.0  # seconds until what does not come is an error

WAYS: Final[tuple[dict[str, Any], ...]] = (
    {"transports": ("websocket",)},
    {"transports": ("polling",)},
    {},  # polling that is upgraded
)
"""The transports, which the clients take in turn."""

OPTIONS: Final[dict[str, Any]] = {
    "retries": 20,
    "ack_timeout": 3.0,
    "reconnection_delay": 0.05,
    "reconnection_delay_max": 0.5,
}


@dataclass(frozen=True)
class Load:
    """How much there is to get over."""

    clients: int = 200
    events: int = 10
    """Of each client, for each outage: half before it, half in the midst of it."""
    outages: int = 2

    def __post_init__(self) -> None:
        """Raises ValueError for what could not show anything."""
        for name, least in (("clients", 1), ("events", 2), ("outages", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"{name}: expected {least} or more, got {getattr(self, name)}")


@dataclass(frozen=True)
class Recovery:
    """What one outage was like; all times are seconds since the server was killed."""

    under_way: int
    """Events that had been emitted and were not acknowledged then."""
    away: float
    """Until it listened again."""
    connected: Sequence[float]
    """Until each client was connected again."""
    acknowledged: Sequence[float]
    """Until all that each had emitted was acknowledged."""


class Member:
    """One client, and what it has been told."""

    def __init__(self, name: str, socket: ClientSocket, changed: Callable[[str], None]) -> None:
        self.name = name
        self.socket = socket
        self.emitted = 0
        self.acknowledged: list[int] = []
        """The numbers of its events, as their acknowledgements came."""
        self.again = 0
        """How many of them the server had received before."""
        self.left = 0
        """How many it emits when the connection is lost."""
        self.changed_at = {"connect": 0.0, "acknowledge": 0.0}
        """When it was connected last, and when an event was acknowledged."""
        self._changed = changed
        socket.on("connect", partial(self._note, "connect"))
        socket.on("disconnect", self._lost)
        socket.connect()

    def emit(self, count: int) -> None:
        """Emit the next events."""
        for number in range(self.emitted, self.emitted + count):
            ack = partial(self._acknowledged, number)
            self.socket.emit("number", self.name, number, ack=ack)
        self.emitted += count

    def _lost(self, reason: str) -> None:
        self.emit(self.left)
        self.left = 0

    def _acknowledged(self, number: int, first: bool) -> None:
        self.acknowledged.append(number)
        self.again += not first
        self._note("acknowledge")

    def _note(self, what: str) -> None:
        self.changed_at[what] = time.monotonic()
        self._changed(what)


class Crowd:
    """The clients of a server, together."""

    def __init__(self) -> None:
        self.members: list[Member] = []
        self.recoveries: list[Recovery] = []
        self._owed = 0
        """Acknowledgements of what has been emitted, or will be when the connection is lost."""
        self._look: Callable[[], None] = lambda: None

    @property
    def again(self) -> int:
        """How many events the server had received before, when it acknowledged them."""
        return sum(member.again for member in self.members)

    async def run(self, client: Callable[..., ScopedClient], server: Mortal, load: Load) -> None:
        """Connect, get over the outages, and leave; raises the loop's own timeout error."""
        async with AsyncExitStack() as stack:
            for number in range(load.clients):
                options = OPTIONS | WAYS[number % len(WAYS)]
                entered = await stack.enter_async_context(client(server.url, **options))
                self.members.append(Member(f"client-{number}", entered.socket(), self._changed))
            await self._until(self._all_connected)
            for _ in range(load.outages):
                self.recoveries.append(await self._get_over(server, load))

    async def _get_over(self, server: Mortal, load: Load) -> Recovery:
        """Have the server killed when a third of what was emitted before is acknowledged."""
        early = load.events // 2
        late = load.events - early
        self._owed = load.clients * load.events
        for member in self.members:
            member.emit(early)
            member.left = late
        await self._until(lambda: self._owed <= load.clients * (late + early * 2 // 3))
        under_way = self._owed - load.clients * late
        outage = Outage(server)
        await self._until(lambda: not self._owed and self._all_connected())
        outage.wait()
        return Recovery(
            under_way,
            outage.seconds,
            [member.changed_at["connect"] - outage.began for member in self.members],
            [member.changed_at["acknowledge"] - outage.began for member in self.members],
        )

    def _changed(self, what: str) -> None:
        self._owed -= what == "acknowledge"
        self._look()

    def _all_connected(self) -> bool:
        return all(member.socket.connected for member in self.members)

    async def _until(self, condition: Callable[[], bool]) -> None:
        def start(resolve: Resolve[None]) -> Callable[[], None]:
            def look() -> None:
                if condition():
                    resolve(None)

            def forget() -> None:
                self._look = lambda: None

            self._look = look
            look()
            return forget

        await self.members[0].socket.client.runtime.wait(start, PATIENCE)

    def faults(self, received: dict[str, list[int]]) -> list[str]:
        """What is wrong, where the server has received this: in its order, the first time each."""
        found: list[str] = []
        for member in self.members:
            expected = [*range(member.emitted)]
            for what, numbers in (
                ("received as", received.get(member.name, [])),
                ("acknowledged as", member.acknowledged),
            ):
                if numbers != expected:
                    found.append(f"{member.name}: 0 to {member.emitted - 1} were {what} {numbers}")
        return found
