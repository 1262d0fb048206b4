"""One client in one namespace. Nothing in it waits, but for what says `async`.

This module does not know how a message travels: it asks its connection.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from ..config import Transport
from ..engineio.encoded import Encoded
from ..errors import AckTimeout, Disconnected, LocalProtocolError, NotSent, Reason
from ..runtime import Resolve
from ..transitions import next_state
from .acks import Acks, Pending, Values, one_or_several
from .adapter import Selection
from .broadcast import Broadcast
from .emission import Emission
from .engine_session import EngineSession
from .handshake import Handshake, read_handshake
from .listeners import OfEventMiddleware, Registry, SocketListeners
from .packet import ACK, EVENT
from .states import CONNECTED, TRANSITIONS, Input, State

if TYPE_CHECKING:
    from ..engineio.session import Session
    from ..mailbox import Mailbox
    from .connection import Connection
    from .events import Event
    from .namespace import Namespace


NONE: Final = Acks(0)
"""What a socket is owed until it is owed something, which few ever are."""

DRAINED: Final = 65_536
"""The backlog, in bytes, under which a peer counts as having caught up."""


class Socket(SocketListeners):
    """A client, in one namespace.

    Once it is disconnected, `emit` and `disconnect` have no effect: a client may go
    at any time, and what is sent to it is delivered at most once.
    """

    __slots__ = (
        "_auth",
        "_handshake",
        "_last_rooms",
        "acks",
        "connection",
        "data",
        "deaf",
        "id",
        "mailbox",
        "namespace",
        "own",
        "recovered",
        "session",
        "state",
    )

    def __init__(
        self,
        socket_id: str,
        namespace: Namespace,
        connection: Connection,
        auth: dict[str, Any],
    ) -> None:
        self.id: str = socket_id
        """Public, unlike the id of the session that carries it (rule 97)."""
        self.namespace: Namespace = namespace
        self._auth = auth
        self._handshake: Handshake | None = None
        self.data: dict[str, Any] = {}
        """The application's own."""
        self.deaf: bool = False
        """Whether the server has disconnected it: what its client sent is not handled any more."""
        self.recovered: bool = False
        self.state: State = State.CONNECTING
        self.mailbox: Mailbox[Event] = namespace.mailbox(connection.session.peer.home)
        self.connection: Connection = connection
        """What it shares with the client's sockets in other namespaces."""
        self.session: Session = connection.session
        self.acks: Acks = NONE
        """What it is owed, but for what is `unsettled` in its namespace."""
        self._last_rooms: frozenset[str] = frozenset()
        self.own: Registry | None = None
        """The handlers of this socket alone, where there have been any."""

    def __repr__(self) -> str:
        return f"<Socket {self.id} {self.namespace.name} {self.state.name.lower()}>"

    @property
    def handshake(self) -> Handshake:
        """The request that opened its session, and what the client gave as `auth`."""
        if self._handshake is None:
            self._handshake = read_handshake(self.session, self._auth)
        return self._handshake

    def step(self, what: Input) -> None:
        """Change the state by the table, the one assignment to it; raises LocalProtocolError."""
        self.state = next_state(TRANSITIONS, self.state, what, LocalProtocolError)

    @property
    def connected(self) -> bool:
        """Whether it has been accepted, and has not been disconnected since."""
        return self.state is State.CONNECTED

    @property
    def transport(self) -> Transport:
        """What carries it now: "polling" or "websocket"."""
        return self.session.transport

    @property
    def conn(self) -> EngineSession:
        """The Engine.IO session that carries it, and the client's other namespaces."""
        return self.connection.conn

    @property
    def rooms(self) -> frozenset[str]:
        """Its rooms, its own among them; in a disconnect handler, those that it was in."""
        if self.state is State.DISCONNECTED:
            return self._last_rooms
        return self.namespace.adapter.rooms_of(self)

    @property
    def listens(self) -> bool:
        """Whether anything is registered on this socket itself."""
        return self.own is not None

    @property
    def registry(self) -> Registry:
        """The handlers of this socket alone."""
        if self.own is None:
            self.own = Registry()
        return self.own

    def use(self, middleware: OfEventMiddleware) -> OfEventMiddleware:
        """Register a middleware for the events of this socket.

        It is called with the name of each event and a tuple of its arguments, before any
        handler; one that raises EventRefused keeps the event from them, and the client that
        waits is told why. Raises TypeError for what cannot be called so.
        """
        return self._use(middleware)

    # What only queues

    def emit(self, event: str, *args: Any, ack: Callable[..., None] | None = None) -> None:
        """Send an event; `ack` is called with what the client acknowledges, if it does.

        What `ack` raises is reported as from a handler. Raises LocalProtocolError for a
        reserved event name, arguments that no packet can carry, a socket that has not
        been accepted yet, or too many pending acknowledgements.
        """
        if ack is None:
            # The commonest emission; it is `emit_packet` without what that is told.
            namespace = self.namespace
            if self.state is CONNECTED and not (self.own or namespace.own.any_outgoing):
                self.session.send(namespace.encode(EVENT, (event, *args)))
            else:
                self.emit_packet(event, args)
        else:
            callback = ack
            call_back = self.namespace.call_back
            pending = Pending(
                lambda values: call_back(self, event, callback, *values), lambda error: None
            )
            self.emit_packet(event, args, pending)

    def send(self, *args: Any) -> None:
        """Send the event `message`; raises what `emit` raises."""
        self.emit("message", *args)

    def join(self, room: str) -> None:
        """Enter a room; no effect once disconnected.

        Raises LocalProtocolError before the socket is accepted, at the bound on rooms,
        and for the room of another socket (security rule 26).
        """
        self.namespace.join(self, room)

    def leave(self, room: str) -> None:
        """Leave a room; no effect for one that it is not in."""
        self.namespace.adapter.leave(self, room)

    def leave_all(self) -> None:
        """Leave every room but its own."""
        for room in self.rooms - {self.id}:
            self.leave(room)

    def disconnect(self, close: bool = False) -> None:
        """Disconnect from this namespace, or with `close` the whole connection (rule 69)."""
        if close:
            self.connection.disconnect_all()
        else:
            self.connection.disconnect(self)

    # Operators: each makes a new one, nothing is remembered here (rule 74)

    @property
    def broadcast(self) -> Broadcast:
        """Everyone in the namespace but this socket."""
        return Broadcast(self.namespace, Selection(but=frozenset({self.id})))

    def to(self, *rooms: str) -> Broadcast:
        """Everyone in any of the rooms, each once, but this socket."""
        return self.broadcast.to(*rooms)

    in_ = to

    def except_(self, *rooms: str) -> Broadcast:
        """Everyone in the namespace but those in the rooms, and this socket."""
        return self.broadcast.except_(*rooms)

    @property
    def local(self) -> Broadcast:
        """Everyone on this server but this socket."""
        return self.broadcast.local

    @property
    def volatile(self) -> Emission:
        """An emission that is dropped when the client cannot take it now (rule 72)."""
        return Emission(self, volatile=True)

    def timeout(self, seconds: float) -> Emission:
        """An emission whose acknowledgement must come within `seconds`."""
        return Emission(self, seconds=seconds)

    def compress(self, compress: bool) -> Emission:
        """An emission that, with False, is not compressed even where the transport could."""
        return Emission(self, compress=compress)

    # What waits

    async def call(self, event: str, *args: Any, timeout: float | None = None) -> Any:
        """Send an event and wait for what the client acknowledges.

        Returns the value, a tuple of several, or None for none. Raises Disconnected when
        the socket is or gets disconnected, the loop's own timeout error after `timeout`
        seconds (TimeoutError on asyncio; on Trio trio.TooSlowError, which is no
        TimeoutError; None is the server's `ack_timeout`), and what `emit` raises.
        Cancelled, it forgets the acknowledgement; the event stays sent.
        """
        return await self.answer(event, args, timeout)

    async def answer(
        self,
        event: str,
        args: tuple[Any, ...],
        timeout: float | None,
        *,
        volatile: bool = False,
        compress: bool = True,
    ) -> Any:
        """Send an event and wait for its acknowledgement: see `call`."""

        def start(resolve: Resolve[Any]) -> Callable[[], None]:
            if self.state is State.DISCONNECTED:
                resolve(Disconnected("the socket is disconnected"))
                return lambda: None
            pending = Pending(lambda values: resolve(one_or_several(values)), resolve)
            number = self.emit_packet(event, args, pending, volatile=volatile, compress=compress)
            return lambda: None if number is None else self.acks.forget(number)

        if timeout is None:
            timeout = self.namespace.ack_timeout
        return await self.namespace.runtime.wait(start, timeout)

    async def drain(self) -> None:
        """Wait until the client has caught up: under 64 KiB are waiting for it.

        Raises Disconnected when the socket is or gets disconnected. Cancellation has no
        effect beyond the waiting.
        """
        session = self.session

        def start(resolve: Resolve[None]) -> Callable[[], None]:
            def look() -> None:
                # An outbox that was emptied because the session is over was not sent.
                if self.state is State.DISCONNECTED or session.over:
                    resolve(Disconnected("the socket is disconnected"))
                elif session.backlog < DRAINED:
                    resolve(None)
                else:
                    session.when_relieved(look)

            look()
            return lambda: session.revoke(look)

        await self.namespace.runtime.wait(start, None)

    # For the namespace and its operators

    def deliver(self, encoded: Encoded, volatile: bool, event: str, args: tuple[Any, ...]) -> bool:
        """Queue an event that was encoded, perhaps for many; a volatile one if it goes out now.

        Whether it was queued.
        """
        session = self.session
        if volatile and not session.writable:
            return False
        session.send(encoded)
        if self.own is not None or self.namespace.own.any_outgoing:
            self.namespace.tell_outgoing([self], event, args)
        return True

    def expect(self, number: int, pending: Pending) -> None:
        """Wait for an acknowledgement; raises LocalProtocolError at the bound."""
        if self.acks is NONE:
            self.acks = self.connection.acks()
        self.acks.expect(number, pending)

    def acknowledged(self, number: int, values: Values) -> None:
        """The client has acknowledged (rule 47)."""
        if self.namespace.unsettled:
            self.namespace.unsettled.settle(self)
        self.acks.answer(number, values)

    def reply(self, number: int, values: Values) -> None:
        """Acknowledge an event of the client's; no effect once disconnected."""
        if self.state is CONNECTED:
            self.session.send(self.namespace.encode(ACK, values, number))

    def accept(self) -> None:
        """Let it in: into its own room, and only then the client is told (rule 64)."""
        self.step(Input.ACCEPT)
        self.namespace.enter(self)
        self.connection.accepted(self)

    def refuse(self, message: str, data: object = None) -> None:
        """Turn it away, and tell the client why (rule 60)."""
        self.step(Input.REFUSE)
        self.connection.refused(self, message, data)

    def close(self, reason: Reason) -> bool:
        """It is gone; whether that is news to the application."""
        if self.state is State.DISCONNECTED:
            return False
        told = self.state is State.CONNECTED
        self._last_rooms = self.namespace.adapter.rooms_of(self)
        self.step(Input.LEAVE)
        self.namespace.forget(self)
        self.namespace.unsettled.settle(self)
        if self.acks is not NONE:
            self.acks.fail_all(Disconnected(reason))
        return told

    def deafen(self) -> None:
        """What its client has sent, and is not in its handlers yet, is dropped (rule 71)."""
        self.deaf = True
        self.mailbox.drop()

    def handled(self, size: int = 0) -> None:
        """One of its events, which had so many bytes, has been handled, or will not be."""
        self.connection.handled(size)

    def emit_packet(
        self,
        event: str,
        args: tuple[Any, ...],
        pending: Pending | None = None,
        *,
        volatile: bool = False,
        timeout: float | None = None,
        compress: bool = True,
    ) -> int | None:
        """Send an event; returns the number of the acknowledgement that is awaited.

        Raises what `emit` raises; when the socket is disconnected, `pending` fails.
        """
        if self.state is State.CONNECTING:
            raise LocalProtocolError(f"{event!r} to a socket that is not accepted yet")
        namespace = self.namespace
        number = None if pending is None else namespace.next_ack()
        encoded = namespace.encode(EVENT, (event, *args), number)
        encoded.compress = compress
        if self.state is State.DISCONNECTED:
            if pending is not None:
                pending.failed(Disconnected("the socket is disconnected"))
            return None
        if pending is not None and number is not None:
            namespace.unsettled.settle(self)
            self.expect(number, pending)
            if timeout is not None:
                pending.timer = namespace.after(
                    timeout, lambda now: self.acks.fail(number, AckTimeout([]))
                )
        if not self.deliver(encoded, volatile, event, args) and number is not None:
            self.acks.fail(number, NotSent())
        return number
