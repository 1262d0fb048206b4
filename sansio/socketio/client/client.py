"""A client: its sockets, the connection that they share, and the attempts to have one.

What JavaScript calls a Manager. A driver tells it the time and delivers what has happened; it
knows neither packets nor sessions. The application's side is `ClientApp`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Unpack

from ...engineio.client.ends import EngineReceiver
from ...errors import LocalProtocolError, Reason, TransportError
from ...failures import Failures
from ...mailbox import Mailbox
from ...runtime import Runtime
from ...timers import Timer, Timers
from ...transitions import next_state
from ..packet import Packet
from ..parser import Parser
from .backoff import Backoff
from .config import AttemptOptions, ClientConfig
from .dispatch import ClientDispatch
from .events import EventReceived, Happened, SocketEvent
from .link import Engine, Link
from .membership import Membership
from .notices import Notices
from .questions import Asking, Questions
from .socket import ClientSocket
from .states import CLIENT_TRANSITIONS, ClientInput, ClientState, SocketState


class Client:
    """Every socket of one client, over one connection at a time.

    `dial` makes the session of an attempt, for its receiver; `runtime` is told when
    `next_deadline` has moved earlier; `entropy` gives that many random bytes. The same input
    gives the same output.
    """

    is_driven: bool = True
    """Whether anybody tells it the time: a backend does so from some moment on."""

    def __init__(
        self,
        config: ClientConfig,
        parser: Parser,
        *,
        runtime: Runtime,
        entropy: Callable[[int], bytes],
        dial: Callable[[EngineReceiver], Engine],
    ) -> None:
        self.config: ClientConfig = config
        self.parser = parser
        self.runtime = runtime
        self.dial = dial
        self.home: object = self
        """Where its handlers run: what a backend is given back with each of them."""
        self.timers: Timers = Timers(runtime.rearm)
        self.notices: Notices = Notices(runtime, self)
        self.state: ClientState = ClientState.CLOSED
        self.link: Link | None = None
        """The attempt that is under way, or the connection."""
        self.members: dict[str, Membership] = {}
        """The active sockets, by their namespaces."""
        self.questions: Questions = Questions()
        """What is asked before every attempt."""
        self.is_shut: bool = False
        """Whether the application has closed it for good."""
        self.links: set[Link] = set()
        """That one, and those whose servers have not been told of the end yet."""
        self._dispatch = ClientDispatch(runtime)
        self._backoff = Backoff(
            config.reconnection_delay,
            config.reconnection_delay_max,
            config.randomization_factor,
            entropy,
        )
        self._reconnecting = False
        """Whether the attempt is one that has waited."""
        self._asking: Asking | None = None
        """What the attempt waits for before it dials."""
        self._timer: Timer | None = None
        self._delay = 0.0
        self._events: deque[SocketEvent | Happened] = deque()
        self._attending: list[ClientSocket] = []
        self._ended: list[Callable[[], None]] = []

    def step(self, what: ClientInput) -> None:
        """Change the state by the table, the one assignment to it; raises LocalProtocolError."""
        self.state = next_state(CLIENT_TRANSITIONS, self.state, what, LocalProtocolError)

    @property
    def next_attempt(self) -> tuple[int, float] | None:
        """While it waits to try again: the number of that attempt, and for how long (seconds)
        it waits in all."""
        waits = self.state is ClientState.WAITING
        return (self._backoff.attempts, self._delay) if waits else None

    def set_options(self, **options: Unpack[AttemptOptions]) -> None:
        """Change how attempts are made: `timeout`, `reconnection` and what begins with it, and
        `randomization_factor`.

        It is for what is begun or waited for from now on: an attempt that has begun keeps its
        deadline, one that is waited for is made when it was to be. Raises what `ClientConfig`
        raises, and TypeError for other options; nothing is changed then.
        """
        if not options.keys() <= AttemptOptions.__annotations__.keys():
            names = sorted(AttemptOptions.__annotations__)
            raise TypeError(f"expected some of {names}, got {sorted(options)}")
        config = self.config = replace(self.config, **options)
        self._backoff.least = config.reconnection_delay
        self._backoff.most = config.reconnection_delay_max
        self._backoff.jitter = config.randomization_factor

    # For the driver

    def next_deadline(self) -> float | None:
        """When `handle_timeout` is due (seconds), or None; changes nothing."""
        return self.timers.next_deadline()

    def handle_timeout(self, now: float) -> None:
        """Do all that is due at `now` (seconds); doing it again does nothing more."""
        self.timers.fire(now)

    def deliver(self) -> None:
        """Hand what has happened to the listeners, that of each socket in its order."""
        while self._attending or self._events:
            if self._attending:
                self._attending.pop().deliver_early()
                continue
            event = self._events.popleft()
            if isinstance(event, Happened):
                self.notices.mailbox.put(event)
            else:
                event.socket.deliver(event)

    def shut_down(self) -> None:
        """Leave every namespace, and close the connection in good order; for good."""
        self.is_shut = True
        for member in list(self.members.values()):
            member.disconnect()

    def abandon(self) -> None:
        """End every connection at once: nothing can be read or written any more."""
        self.shut_down()
        for link in list(self.links):
            link.engine.abort(Reason.FORCED_CLOSE)
            link.engine.cut()

    def when_ended(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back once, when no connection is left; what is returned forgets it."""
        if not self.links:
            callback()
            return lambda: None
        self._ended.append(callback)

        def forget() -> None:
            if callback in self._ended:
                self._ended.remove(callback)

        return forget

    # For its sockets

    @property
    def failures(self) -> Failures[ClientSocket]:
        """Where exceptions of listeners are reported."""
        return self._dispatch.failures

    def mailbox(self) -> Mailbox[SocketEvent]:
        """The mailbox of a new socket."""
        return Mailbox(self._dispatch, self.runtime, self.home)

    def attend(self, socket: ClientSocket) -> None:
        """Its first listener has come: it gets what was kept once those beside it are there."""
        self._attending.append(socket)
        self.timers.soon()

    def start(self, member: Membership) -> None:
        """A socket wants to be connected.

        Raises LocalProtocolError when another one of the namespace is active, before anybody
        drives the client, and once it has been closed.
        """
        if self.is_shut:
            raise LocalProtocolError("the client is closed")
        if not self.is_driven:
            raise LocalProtocolError("the client does not run yet: enter it by `async with`")
        if member.namespace in self.members:
            raise LocalProtocolError(f"another socket of {member.namespace!r} is active")
        self.members[member.namespace] = member
        member.begin()
        if self.state is ClientState.CLOSED:
            self.step(ClientInput.START)
            self._timer = self.timers.after(0.0, self._attempt)
        elif self.state is ClientState.OPEN and self.link is not None:
            self.link.ask(member)

    def stop(self, member: Membership) -> None:
        """A socket is not active any more; with the last one the connection goes (rule 90)."""
        if self.members.get(member.namespace) is member:
            del self.members[member.namespace]
            if not self.members:
                self._close()

    def send(self, packet: Packet) -> None:
        """Queue a packet; raises LocalProtocolError for one that cannot be encoded."""
        if self.link is not None:
            self.link.send(packet)

    def tell(self, event: SocketEvent) -> None:
        """Queue what has happened to a socket, and have it delivered soon."""
        self._events.append(event)
        self.timers.soon()

    def tell_received(self, event: EventReceived) -> None:
        """Queue an event; whoever gave us the message delivers."""
        self._events.append(event)

    def note(self, name: str, *args: object) -> None:
        """Queue what has happened to the client itself, if anybody listens."""
        if self.notices.listens(name):
            self._events.append(Happened(name, args))
            self.timers.soon()

    # Attempts, and what comes of them

    def _attempt(self, now: float) -> None:
        self._timer = self.timers.at(now + self.config.timeout, self._late)
        if not self.questions:
            self._open(now)
            return
        self._asking = Asking(self.questions, self.runtime, self._asked)
        self._asking.begin(self.home)

    def _asked(self, asking: Asking, error: Exception | None) -> None:
        if error is None:
            self.timers.after(0.0, lambda now: self._answered(asking, now))
        else:
            failure = TransportError("options error", str(error) or repr(error), context=error)
            failure.__cause__ = error
            self._give_up(failure)

    def _answered(self, asking: Asking, now: float) -> None:
        if asking is self._asking:
            self._asking = None
            self._open(now)

    def _open(self, now: float) -> None:
        link = self.link = Link(self)
        self.links.add(link)
        link.engine.open(now)

    def _late(self, now: float) -> None:
        """The attempt takes too long: it is given up, and is one that has failed."""
        what = "no connection"
        if self._asking is not None:
            what = f"no answer from the function for {self._asking.name}"
        error = TransportError("timeout", f"{what} within {self.config.timeout} seconds")
        if self.link is None:
            self._give_up(error)
        else:
            self.link.engine.abort(Reason.TRANSPORT_ERROR, error)

    def _give_up(self, error: Exception) -> None:
        """An attempt fails before it has a session."""
        self._stop_asking()
        self._cancel_timer()
        self._failed(error)

    def _due(self, now: float) -> None:
        """The time of the next attempt has come."""
        self.step(ClientInput.DUE)
        self._reconnecting = True
        self.note("reconnect_attempt", self._backoff.attempts)
        self._attempt(now)

    def link_opened(self, link: Link) -> None:
        """There is a connection: every active socket asks to be let in (rule 86).

        The delays of the next loss begin anew (rule 84).
        """
        if link is not self.link:
            return
        self.step(ClientInput.OPENED)
        self._cancel_timer()
        self.note("open")
        if self._reconnecting:
            self.note("reconnect", self._backoff.attempts)
        self._reconnecting = False
        self._backoff.reset()
        for member in list(self.members.values()):
            # One whose `auth` fails leaves, and with the last one the connection goes.
            if link is self.link and member.state is SocketState.WAITING:
                link.ask(member)

    def link_closed(self, link: Link, reason: str, error: Exception | None) -> None:
        """A connection is gone, or an attempt has failed."""
        if link is self.link:
            self.link = None
            self._cancel_timer()
            if self.state is ClientState.OPEN:
                self._lost(reason, error)
            else:
                self._failed(
                    error or TransportError(reason, "the connection was lost before it was open")
                )
        link.engine.when_parted(lambda: self._gone(link))

    def _gone(self, link: Link) -> None:
        self.links.discard(link)
        if not self.links:
            ended, self._ended = self._ended, []
            for callback in ended:
                callback()

    def _lost(self, reason: str, error: Exception | None) -> None:
        self.note("close", reason, error)
        final = not self._try_again()
        unanswered = error or TransportError(
            reason, "the connection was lost before the CONNECT was answered"
        )
        for member in self._members(final):
            if member.connected:
                member.lost(reason, error, final=final)
            elif member.active:
                member.failed(unanswered, final=final)

    def _failed(self, error: Exception) -> None:
        self.note("error", error)
        if self._reconnecting:
            self.note("reconnect_error", error)
        final = not self._try_again()
        for member in self._members(final):
            if member.active:
                member.failed(error, final=final)

    def _try_again(self) -> bool:
        """Whether there will be another attempt: then it is waited for."""
        self._reconnecting = False
        config, backoff = self.config, self._backoff
        most = config.reconnection_attempts
        if config.reconnection and (most is None or backoff.attempts < most):
            self.step(ClientInput.RETRY)
            self._delay = backoff.next_delay()
            self._timer = self.timers.after(self._delay, self._due)
            return True
        self.step(ClientInput.STOP)
        if config.reconnection:
            self.note("reconnect_failed")
        backoff.reset()
        return False

    def _members(self, final: bool) -> list[Membership]:
        """The active sockets, who are none of the client's any more when it has given up.

        While one is told, what it calls back may disconnect another, or connect it again.
        """
        members = list(self.members.values())
        if final:
            self.members.clear()
        return members

    def _close(self) -> None:
        """Nobody wants the connection any more."""
        self._stop_asking()
        self._cancel_timer()
        was_open = self.state is ClientState.OPEN
        self.step(ClientInput.STOP)
        self._reconnecting = False
        self._backoff.reset()
        link, self.link = self.link, None
        if was_open:
            self.note("close", str(Reason.FORCED_CLOSE), None)
        if link is not None:
            link.engine.close()

    def _stop_asking(self) -> None:
        asking, self._asking = self._asking, None
        if asking is not None:
            asking.cancel()

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
