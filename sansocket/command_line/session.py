"""A session of `sansocket connect`: the sockets of one client, and what is told of them.

Everything that happens is reported in the order in which it has happened, and every event that asks
for an acknowledgement gets a number, under which it can be answered. This module does not know who
shows a report, nor where lines come from.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any, Final

from sansocket.asyncio_backend import (
    Ack,
    Client,
    ClientSocket,
    ConnectionRefused,
    Disconnected,
    TransportError,
)
from sansocket.sansio.errors import AckTimeout, LocalProtocolError, Reason

from . import reports
from .completion import Completion
from .line_grammar import Emission
from .outcome import cause_of
from .reports import Reporter
from .values import escaped

MOST_UNANSWERED: Final = 1_000
"""Events that can still be answered; the oldest one makes room, and that is said."""


class Member:
    """One socket of the session, and whoever reads its events."""

    def __init__(self, socket: ClientSocket) -> None:
        self.socket = socket
        self.reading: asyncio.Task[None] | None = None
        self._came = 0
        self._read = asyncio.Condition()
        self._shown = 0

    def came(self) -> None:
        """An event has come; it will be read."""
        self._came += 1

    async def shown(self) -> None:
        """An event has been reported."""
        async with self._read:
            self._shown += 1
            self._read.notify_all()

    async def caught_up(self) -> None:
        """Wait until every event that has come has been reported, so that none is told late."""
        async with self._read:
            await self._read.wait_for(lambda: self._shown >= self._came)


class Session:
    """The namespaces that are joined, and the one that a line is for.

    `acks_within` (seconds) is how long an acknowledgement may take, None for ever. `quiet` says
    that what fails at the start is not reported, for `start` raises it.
    """

    def __init__(
        self,
        client: Client,
        report: Reporter,
        tasks: asyncio.TaskGroup,
        completion: Completion,
        *,
        auth: dict[str, Any] | None = None,
        acks_within: float | None = None,
        quiet: bool = True,
    ) -> None:
        self.client = client
        self.report = report
        self.namespace: str = "/"
        """The current one."""
        self.members: dict[str, Member] = {}
        self.events: int = 0
        """How many have come."""
        self.changed: asyncio.Event = asyncio.Event()
        """Set whenever something has been reported; for whoever waits for something."""
        self.pending: set[int] = set()
        """The numbers of the acknowledgements that are awaited."""
        self.failed_ack: Exception | None = None
        """Why the first acknowledgement that has not come has not."""
        self.unanswered: dict[int, tuple[str, Ack]] = {}
        self._tasks = tasks
        self._completion = completion
        self._auth = auth
        self._acks_within = acks_within
        self._quiet = quiet
        self._starting = False
        self.asked: int = 0
        """How many acknowledgements have been asked for."""
        self.problems: int = 0
        """How many lines could not be followed."""
        self._owed = 0

        @client.on("reconnect")
        def reconnected(attempt: int) -> None:
            self._tell(reports.Reconnected(attempt))

        @client.on("reconnect_failed")
        def gave_up() -> None:
            self._tell(reports.GaveUp())

    @property
    def active(self) -> bool:
        """Whether anything can still come: a namespace is joined, or will be."""
        return any(member.socket.active for member in self.members.values())

    @property
    def reason(self) -> str:
        """Why nothing can come any more."""
        reasons = [member.socket.reason for member in self.members.values()]
        return next((reason for reason in reasons if reason), "no namespace is joined")

    @property
    def connected(self) -> bool:
        """Whether the server has let us into the current namespace."""
        member = self.members.get(self.namespace)
        return member is not None and member.socket.connected

    @property
    def thrown_out(self) -> bool:
        """Whether nothing can come any more, and that was not our own wish."""
        return not self.active and self.reason != Reason.IO_CLIENT_DISCONNECT

    async def start(self, namespaces: tuple[str, ...], *, retry: bool, wait: bool) -> None:
        """Join the first namespaces, and, if `wait`, wait until that is done.

        Raises what `ClientSocket.until_connected` raises. Cancellation leaves the attempt to
        whoever closes the client.
        """
        self._starting = self._quiet and wait and not retry
        self.namespace = namespaces[0]
        for namespace in namespaces:
            self.join(namespace)
        if wait:
            for namespace in namespaces:
                await self.members[namespace].socket.until_connected(retry=retry)
            self._starting = False

    def join(self, namespace: str) -> None:
        """Join a namespace, now or when there is a connection; no effect where it is joined.

        Raises ValueError for what is no name of one.
        """
        member = self.members.get(namespace)
        if member is None:
            socket = self.client.socket(namespace, auth=self._auth)
            member = self.members[namespace] = Member(socket)
            self._listen(member)
        member.socket.connect()
        if member.reading is None or member.reading.done():
            member.reading = self._tasks.create_task(self._read(member))

    def emit(self, emission: Emission, namespace: str | None = None) -> None:
        """Send an event, now or when connected; that it waits for that is reported.

        Raises LocalProtocolError for one that cannot be sent, and for a namespace that is not
        joined.
        """
        name = self.namespace if namespace is None else namespace
        member = self.members.get(name)
        if member is None or not member.socket.active:
            raise LocalProtocolError(f"{name} is not joined: /connect or /namespace does that")
        socket, event = member.socket, emission.event
        if not emission.wants_ack:
            socket.emit(event, *emission.args)
        else:
            number = self.asked + 1
            seconds = float("inf") if self._acks_within is None else self._acks_within
            answered = self._answered(name, event, number)
            self.pending.add(number)
            try:
                socket.timeout(seconds).emit(event, *emission.args, ack=answered)
            except LocalProtocolError:
                self.pending.discard(number)
                raise
            self.asked = number
            self._tell(reports.Asked(name, event, number))
        if not socket.connected:
            self._tell(reports.Kept(name, event))
        self._completion.saw(event)

    def leave_current(self, namespace: str) -> None:
        """Lines are for another namespace from now on, when this one has been left for good."""
        joined = [name for name, member in self.members.items() if member.socket.active]
        if self.namespace == namespace and joined and namespace not in joined:
            self.namespace = joined[-1]
            self._tell(reports.Remark(f"what you type goes to {escaped(self.namespace)} now"))

    async def drain(self) -> None:
        """Wait until what was sent is on its way; it is no error when it never will be."""
        for member in list(self.members.values()):
            if member.socket.active:
                with contextlib.suppress(Disconnected):
                    await member.socket.drain()

    def answer(self, number: int, args: tuple[Any, ...]) -> None:
        """Acknowledge an event that has come.

        Raises LocalProtocolError where there is none of this number that waits for it, and for
        values that no packet can carry.
        """
        try:
            _, ack = self.unanswered[number]
        except KeyError:
            raise LocalProtocolError(f"no event waits for ack {number}") from None
        ack(*args)
        del self.unanswered[number]

    async def until(self, ready: Callable[[], bool]) -> None:
        """Wait until this holds; it is looked at whenever something has been reported."""
        while not ready():
            self.changed.clear()
            await self.changed.wait()

    def problem(self, text: str) -> None:
        """A line cannot be followed."""
        self.problems += 1
        self._tell(reports.Problem(escaped(text)))

    # What happens

    def _tell(self, report: reports.Report) -> None:
        self.report(report)
        self.changed.set()

    def _answered(self, namespace: str, event: str, number: int) -> Callable[..., None]:
        """The function that is called with an acknowledgement, or with why there is none."""
        began = asyncio.get_running_loop().time()

        def answered(error: Exception | None, *values: Any) -> None:
            self.pending.discard(number)
            if error is None:
                took = asyncio.get_running_loop().time() - began
                self._tell(reports.AckCame(namespace, event, number, values, took))
                return
            self.failed_ack = self.failed_ack or error
            within = f"none within {self._acks_within} s"
            reason = within if isinstance(error, AckTimeout) else str(error)
            self._tell(reports.AckFailed(namespace, event, number, reason))

        return answered

    def _listen(self, member: Member) -> None:
        """Register who hears of what happens to a socket."""
        socket, namespace = member.socket, member.socket.namespace

        @socket.on("connect")
        def connected() -> None:
            transport = self.client.engine.transport or "?"
            told = reports.Connected(namespace, socket.id or "?", transport, socket.recovered)
            self._completion.namespaces.add(namespace)
            self._tell(told)

        @socket.on("disconnect")
        async def disconnected(reason: str, details: Exception | None) -> None:
            await member.caught_up()
            lost = [number for number, (name, _) in self.unanswered.items() if name == namespace]
            for number in lost:
                del self.unanswered[number]
            why = None if details is None else str(details)
            self._tell(reports.Disconnected(namespace, reason, why, socket.active))
            self._tell_of_next_attempt(namespace)
            self.leave_current(namespace)

        @socket.on("connect_error")
        def connect_error(error: Exception) -> None:
            if self._starting:
                self.changed.set()
                return
            refused = isinstance(error, ConnectionRefused)
            data = error.data if isinstance(error, ConnectionRefused) else None
            message = str(error)
            if isinstance(error, TransportError):
                message = cause_of(error)
            self._tell(
                reports.ConnectFailed(namespace, refused, message, data, again=socket.active)
            )
            self._tell_of_next_attempt(namespace)
            self.leave_current(namespace)

        @socket.on_any
        def came(event: str, *args: Any) -> None:
            member.came()

    def _tell_of_next_attempt(self, namespace: str) -> None:
        """Once for all namespaces: of the first one that waits for it."""
        waiting = [name for name, member in self.members.items() if member.socket.active]
        following = self.client.next_attempt
        if following is not None and namespace == waiting[0]:
            attempt, seconds = following
            self._tell(reports.Retrying(attempt, seconds))

    async def _read(self, member: Member) -> None:
        """Report the events of a socket, as long as it is active."""
        async for event in member.socket:
            number = self._number(member.socket.namespace, event.ack) if event.ack.wanted else None
            self.events += 1
            self._completion.saw(event.name)
            namespace = member.socket.namespace
            self._tell(reports.EventCame(namespace, event.name, event.args, number))
            await member.shown()

    def _number(self, namespace: str, ack: Ack) -> int:
        """Give an event the number that it can be answered by."""
        self._owed += 1
        self.unanswered[self._owed] = namespace, ack
        if len(self.unanswered) > MOST_UNANSWERED:
            oldest = next(iter(self.unanswered))
            del self.unanswered[oldest]
            self._tell(reports.Remark(f"too many events wait for an ack: {oldest} is forgotten"))
        return self._owed
