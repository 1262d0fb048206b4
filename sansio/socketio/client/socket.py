"""One namespace of a server, as an application that is its client has it.

Nothing in it waits, but for what says `async`. This module does not know how a message
travels, nor how a socket is connected: it asks its membership.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

from ...errors import Disconnected
from ...handlers import Function, Handler
from ...mailbox import Mailbox
from ...runtime import Resolve
from ..acks import Pending, Values, one_or_several
from ..listeners import Lifecycle, Registry, SocketListeners
from ..packet import Packet, Type
from . import events as events
from .dispatch import answer_of
from .emission import ClientEmission
from .membership import Membership

if TYPE_CHECKING:
    from .app import ClientApp

F = TypeVar("F", bound=Function)


class ClientSocket(SocketListeners):
    """A namespace of a server, as a client has it.

    What is emitted while it is not connected waits for the connection, in a bounded buffer.
    An event that comes is given to the listeners of its name; one without a listener to
    whoever iterates over the socket. Whatever came before the first listener, or the
    iteration, waits for it.
    """

    __slots__ = ("_client", "_early", "_registry", "mailbox", "membership", "namespace")

    _lifecycle: ClassVar[Lifecycle] = {"connect": (0,), "disconnect": (1, 2), "connect_error": (1,)}

    def __init__(self, client: ClientApp, namespace: str, auth: Any = None) -> None:
        self.namespace: str = namespace
        self.mailbox: Mailbox[events.SocketEvent] = client.mailbox()
        self.membership: Membership = Membership(client, self, auth)
        self._client = client
        self._registry = Registry()
        self._early = True

    def __repr__(self) -> str:
        return f"<ClientSocket {self.id} {self.namespace} {self.membership.state.name.lower()}>"

    # For the application

    @property
    def connected(self) -> bool:
        """Whether the server has let it in, and it has not been disconnected since."""
        return self.membership.connected

    @property
    def active(self) -> bool:
        """Whether it is connected, or will be when the connection is there (again)."""
        return self.membership.active

    @property
    def id(self) -> str | None:
        """Its id, known to the server and to other clients; None while not connected."""
        return self.membership.id

    @property
    def recovered(self) -> bool:
        """Whether the connection goes on with the session of the one before (rule 79)."""
        return self.membership.recovered

    @property
    def reason(self) -> str | None:
        """Why it was disconnected last; None when it has not been."""
        return self.membership.reason

    @property
    def auth(self) -> Any:
        """What the server is told at every CONNECT, or the function that is asked then.

        Set for the next connection; raises TypeError when it is set to what cannot be.
        """
        auth = self.membership.auth
        return auth.function if isinstance(auth, Handler) else auth

    @auth.setter
    def auth(self, auth: Any) -> None:
        self.membership.auth = auth

    @property
    def client(self) -> ClientApp:
        """The client that it is one of the sockets of."""
        return self._client

    @property
    def registry(self) -> Registry:
        """Its listeners."""
        return self._registry

    def on_any(self, handler: F) -> F:
        """Register a listener for every event that comes; see `SocketListeners.on_any`."""
        self._attend()
        return super().on_any(handler)

    def _register(
        self, event: str, handler: Function | None, *, once: bool, concurrency: int
    ) -> Any:
        if event not in self._lifecycle:
            self._attend()
        return super()._register(event, handler, once=once, concurrency=concurrency)

    def connect(self) -> None:
        """Have it connected, now or as soon as there is a connection; no effect when active.

        After "io server disconnect", a refusal, or when the client has given up, nothing else
        connects it again (rule 85). Raises LocalProtocolError when another socket of this
        namespace is active, and when the client has been closed.
        """
        if not self.active:
            self._client.start(self.membership)

    def disconnect(self) -> None:
        """Leave the namespace; no effect when not active.

        The other sockets of the client stay; with the last one the connection goes (rule 90).
        Events that have come, and whose listeners have not been called, are dropped.
        """
        self.membership.disconnect()

    def emit(self, event: str, *args: Any, ack: Callable[..., None] | None = None) -> None:
        """Send an event, now or when connected; `ack` is called with the acknowledgement.

        What `ack` raises is reported as from a listener. Raises LocalProtocolError for a
        reserved event name, arguments that no packet can carry, too many pending
        acknowledgements, and a full buffer.
        """
        if ack is None:
            self.emit_packet(event, args)
        else:
            callback = ack
            pending = Pending(
                lambda values: self.call_back(event, callback, *values), lambda error: None
            )
            self.emit_packet(event, args, pending)

    def send(self, *args: Any) -> None:
        """Send the event `message`; raises what `emit` raises."""
        self.emit("message", *args)

    @property
    def volatile(self) -> ClientEmission:
        """An emission that is dropped when it cannot go out now (rule 72)."""
        return ClientEmission(self, volatile=True)

    def timeout(self, seconds: float) -> ClientEmission:
        """An emission whose acknowledgement must come within `seconds`."""
        return ClientEmission(self, seconds=seconds)

    def compress(self, compress: bool) -> ClientEmission:
        """An emission that, with False, is not compressed even where the transport could."""
        return ClientEmission(self, compress=compress)

    # What waits

    async def until_connected(self, *, retry: bool = False) -> None:
        """Wait until it is connected.

        Raises what a `connect_error` listener would get: ConnectionRefused when the server
        turns it away, and unless `retry`, the first error of the connection (TransportError,
        or RemoteProtocolError); Disconnected when it is not active, or stops being so.
        Cancellation has no effect beyond the waiting.
        """

        def start(resolve: Resolve[None]) -> Callable[[], None]:
            return self.membership.wait(resolve, retry)

        await self._client.runtime.wait(start, None)

    async def call(self, event: str, *args: Any, timeout: float | None = None) -> Any:
        """Send an event, now or when connected, and wait for its acknowledgement.

        Returns the value, a tuple of several, or None for none. Raises Disconnected when the
        socket is not active, or is disconnected meanwhile; the loop's own timeout error
        (TimeoutError on asyncio, trio.TooSlowError on Trio) after `timeout` seconds; AckTimeout
        after the client's `ack_timeout`; and what `emit` raises. Cancelled, or after the
        timeout, an event that still waits is not sent (rule 87).
        """
        return await self.answer(event, args, timeout)

    async def answer(
        self,
        event: str,
        args: Values,
        timeout: float | None,
        *,
        volatile: bool = False,
        compress: bool = True,
    ) -> Any:
        """Send an event and wait for its acknowledgement: see `call`."""

        def start(resolve: Resolve[Any]) -> Callable[[], None]:
            if not self.active:
                resolve(Disconnected("the socket is not active"))
                return lambda: None
            pending = Pending(lambda values: resolve(one_or_several(values)), resolve)
            # The loop's own timeout is the deadline; a try of several has one of its own.
            seconds = inf if timeout is not None and not self._client.config.retries else None
            number = self.emit_packet(
                event, args, pending, volatile=volatile, timeout=seconds, compress=compress
            )
            if number is None:
                return lambda: None
            self.membership.outbound.await_answer(number)
            return lambda: self.membership.outbound.unexpect(number)

        return await self._client.runtime.wait(start, timeout)

    async def drain(self) -> None:
        """Wait until what was emitted is on its way: nothing waits for the connection, nor to
        be sent again, and under 64 KiB wait for the network.

        Raises Disconnected when the socket is not active, or is disconnected meanwhile.
        Cancellation has no effect beyond the waiting.
        """
        membership = self.membership
        stay = membership.stay

        def start(resolve: Resolve[None]) -> Callable[[], None]:
            waiting = True

            def look() -> None:
                if not waiting:
                    return
                if not membership.active or (stay is not None and membership.stay is not stay):
                    resolve(Disconnected("the socket is disconnected"))
                elif membership.outbound.drained:
                    resolve(None)
                else:
                    membership.outbound.when_relieved(look)

            def forget() -> None:
                nonlocal waiting
                waiting = False

            look()
            return forget

        await self._client.runtime.wait(start, None)

    async def until_disconnected(self) -> None:
        """Wait until it is disconnected for good: nothing connects it again by itself.

        Its `disconnect` listeners have been called then, and `reason` says why. Returns at once
        when it is not active. Cancellation has no effect beyond the waiting.
        """
        await self._client.runtime.wait(self.membership.inbox.when_closed, None)

    async def receive(self, *, timeout: float | None = None) -> events.Event:
        """Wait for the next event that has no listener, as one step of an iteration.

        Raises Disconnected where an iteration would end, and after `timeout` seconds the loop's
        own timeout error (TimeoutError on asyncio, trio.TooSlowError on Trio). Cancelled, or
        after the timeout, it loses no event.
        """
        event = await aiter(self)._next(timeout)
        if event is None:
            raise Disconnected(self.reason or "the socket is not active")
        return event

    def __aiter__(self) -> Self:
        """Iterate over the events that have no listener, in their order.

        While an iteration lags, the server is not read from. It goes on when the connection is
        lost and comes back, and ends when the socket is not active any more, after the events
        that have come before; `reason` says why.
        """
        self.membership.inbox.iterating = True
        self._early = False
        self.deliver_early()
        return self

    async def __anext__(self) -> events.Event:
        """Wait for the next event. Cancelled, it loses none."""
        event = await self._next(None)
        if event is None:
            raise StopAsyncIteration
        return event

    async def _next(self, timeout: float | None) -> events.Event | None:
        inbox = self.membership.inbox
        while True:
            await self._client.runtime.wait(inbox.look, timeout)
            event = inbox.take()
            if event is not None:
                return events.Event(event.name, event.args, answer_of(event).ack)
            if not inbox.is_open:
                return None

    # For its emissions and its listeners

    def emit_packet(
        self,
        event: str,
        args: Values,
        pending: Pending | None = None,
        *,
        volatile: bool = False,
        timeout: float | None = None,
        compress: bool = True,
    ) -> int | None:
        """Send an event, now or when connected; raises what `emit` raises.

        Returns the number of the acknowledgement that is awaited. Once the client has been
        closed it has no effect.
        """
        if self._client.is_shut:
            if pending is not None:
                pending.failed(Disconnected("the client is closed"))
            return None
        return self.membership.outbound.emit(
            event, args, pending, volatile=volatile, timeout=timeout, compress=compress
        )

    def call_back(self, event: str, callback: Callable[..., None], *args: Any) -> None:
        """Call what the application gave for an acknowledgement; raises no Exception."""
        try:
            callback(*args)
        except Exception as error:
            self._client.failures.report(error, self, event, args)

    def reply(self, stay: events.Stay, number: int, values: Values) -> None:
        """Acknowledge an event; no effect when the stay that it came in is over."""
        if self.membership.stay is stay:
            self._client.send(Packet(Type.ACK, self.namespace, list(values), number))

    def notify_outgoing(self, event: str, args: Values) -> None:
        """Tell the listeners for events that go out of one."""
        for handler in self._registry.any_outgoing:
            try:
                handler.function(event, *args)
            except Exception as error:
                self._client.failures.report(error, self, event, args)

    def _attend(self) -> None:
        """The first listener comes: what has come before waits for those beside it too."""
        if self._early:
            self._early = False
            self._client.attend(self)

    # For the client

    def deliver(self, event: events.SocketEvent) -> None:
        """Hand an event to its listeners, or keep it until there is the first."""
        if self._early and isinstance(event, events.EventReceived):
            self.membership.inbox.put(event)
            event.stay.intake.handled(event.size)
        else:
            self.mailbox.put(event)

    def deliver_early(self) -> None:
        """Hand what was kept for the first listener to the listeners that there are now."""
        for _ in range(len(self.membership.inbox)):
            event = self.membership.inbox.take()
            if event is not None:
                event.stay.intake.wait(event.size)
                self.mailbox.put(event)
