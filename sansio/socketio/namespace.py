"""A namespace: its sockets, its rooms, its handlers and its middleware."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from ..engineio.encoded import Encoded, encode_message
from ..errors import LocalProtocolError
from ..failures import Failures, WrongArguments
from ..handlers import Function, signature
from ..mailbox import Mailbox
from ..portions import Portions
from ..runtime import Runtime
from ..timers import Action, Timer
from .adapter import Adapter, Selection
from .broadcast import Broadcast
from .events import Event
from .listeners import NamespaceListeners, OfMiddleware, Registry
from .packet import CONNECT, Packet, Type
from .parser import JsonParser, Parser
from .question import Unsettled
from .socket import Socket
from .states import CONNECTED, State

INVALID_NAMESPACE: Final = "Invalid namespace"
"""What a client is told that asks for one that there is not (rule 66)."""

PlainEncoder = Callable[[Type, tuple[Any, ...], int | None], Encoded | None]

if TYPE_CHECKING:
    from ..engineio.session import Session
    from .dispatch import Dispatch
    from .parent_namespace import ParentNamespace
    from .server import Server


class Namespace(NamespaceListeners, Broadcast):
    """The sockets that have joined one name; as a broadcast, it reaches them all.

    What it emits is lost on those who connect later.
    """

    __slots__ = (
        "_ack_numbers",
        "_concurrency",
        "_dispatch",
        "_population",
        "_server",
        "_server_side",
        "_sockets",
        "_welcome",
        "adapter",
        "deleted",
        "name",
        "own",
        "parent",
        "plain",
        "runtime",
        "unsettled",
    )

    def __init__(
        self,
        server: Server,
        name: str,
        runtime: Runtime,
        dispatch: Dispatch,
        registry: Registry | None = None,
        parent: ParentNamespace | None = None,
    ) -> None:
        super().__init__(self, Selection())
        self.name: str = name
        self.runtime: Runtime = runtime
        self._concurrency = 1
        self._dispatch = dispatch
        self.own: Registry = Registry() if registry is None else registry
        """What has been registered here."""
        self._server = server
        self.plain: PlainEncoder | None = plain_encoder(server.parser) if name == "/" else None
        """A short way to the packet of an event or its acknowledgement, where there is one."""
        self._welcome: tuple[bytes, bytes] | None = None
        self._server_side = Registry()
        self._sockets: dict[str, Socket] = {}
        self._ack_numbers = 0
        self.unsettled: Unsettled = Unsettled()
        """The questions to many that its sockets do not all have in their books."""
        self._population = 0
        self.parent: ParentNamespace | None = parent
        """That by which it was made, when a client asked for it."""
        self.deleted: bool = False
        """Whether the server has forgotten it: nobody enters any more."""
        self.adapter: Adapter = server.adapter(self)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name} with {len(self._sockets)} sockets>"

    # For the application

    @property
    def registry(self) -> Registry:
        """The handlers and the middleware of this namespace."""
        return self.own

    @property
    def sockets(self) -> Mapping[str, Socket]:
        """The connected sockets, by their ids; it changes as they come and go."""
        return MappingProxyType(self._sockets)

    @property
    def concurrency(self) -> int:
        """How many events of one socket may be in their handlers at once; 1 unless set.

        Raises ValueError when it is set to less.
        """
        return self._concurrency

    @concurrency.setter
    def concurrency(self, most: int) -> None:
        if most < 1:
            raise ValueError(f"concurrency: expected 1 or more, got {most!r}")
        self._concurrency = most

    def use(self, function: OfMiddleware) -> OfMiddleware:
        """Register a middleware: called with the socket and `auth` before it is connected.

        In the order of registration; one that raises ConnectionRefused turns the client
        away. Raises TypeError for what cannot be called so.
        """
        return self._use(function)

    def server_side_emit(self, event: str, *args: Any) -> None:
        """Tell the other servers of a cluster; see `on_server_side`."""
        self.adapter.server_side_emit(event, args)

    async def server_side_emit_with_ack(
        self, event: str, *args: Any, timeout: float | None = None
    ) -> list[Any]:
        """Tell the other servers and wait for their answers, `timeout` seconds at most.

        Raises AckTimeout, whose `responses` are the answers that came. Cancelled, it waits no
        more. With one server there is nobody to wait for.
        """
        return await self.adapter.server_side_emit_with_ack(event, args, timeout)

    def on_server_side(self, event: str, handler: Function) -> None:
        """Register a handler for what another server says by `server_side_emit`.

        It gets the arguments, and what it returns is the answer. These events are apart
        from those of clients, which cannot send them.
        """
        self._server_side.events.add(event, handler)

    # For its sockets and its adapter

    @property
    def portions(self) -> Portions:
        """What is done for many, in its turns."""
        return self._server.engine.portions

    @property
    def max_pending_acks(self) -> int:
        """How many acknowledgements a socket may owe."""
        return self._server.config.max_pending_acks

    @property
    def failures(self) -> Failures[Socket]:
        """Where exceptions of handlers are reported."""
        return self._dispatch.failures

    @property
    def ack_timeout(self) -> float | None:
        """For how many seconds an acknowledgement is waited for where nothing else is said."""
        return self._server.config.ack_timeout

    def enter(self, socket: Socket) -> None:
        """It is connected: in the namespace, and in a room of its own."""
        self._sockets[socket.id] = socket
        self.adapter.enter(socket, socket.id)

    def forget(self, socket: Socket) -> None:
        """It is gone; no effect on one that never entered."""
        if self._sockets.pop(socket.id, None) is not None:
            self.adapter.forget(socket)

    def arrive(self) -> None:
        """A client is about to connect."""
        self._population += 1

    def depart(self) -> None:
        """It has been refused, or is gone; a child that is empty then may be forgotten."""
        self._population -= 1
        if self.parent is not None and self._population == 0:
            self._server.emptied(self)

    def join(self, socket: Socket, room: str) -> None:
        """Put a socket into a room: see `Socket.join`."""
        if not isinstance(room, str):
            raise TypeError(f"expected the name of a room, got {room!r}")
        if socket.state is State.CONNECTING:
            raise LocalProtocolError("a socket joins rooms once it is accepted")
        if socket.connected:
            if room in self._sockets and room != socket.id:
                raise LocalProtocolError("the room of another socket cannot be joined")
            most = self._server.config.max_rooms
            if self.adapter.count_of(socket) >= most and room not in self.adapter.rooms_of(socket):
                raise LocalProtocolError(f"a socket may be in {most} rooms")
            self.adapter.enter(socket, room)

    def join_all(self, sockets: Sequence[Socket], rooms: frozenset[str]) -> None:
        """Put sockets that are connected into rooms; raises what `join` raises, or does it all."""
        for room in rooms:
            owner = self._sockets.get(room)
            if owner is not None and any(socket is not owner for socket in sockets):
                raise LocalProtocolError("the room of another socket cannot be joined")
        most = self._server.config.max_rooms
        if self.adapter.most_rooms(sockets) + len(rooms) > most and any(
            len(self.adapter.rooms_of(socket) | rooms) > most for socket in sockets
        ):
            raise LocalProtocolError(f"a socket may be in {most} rooms")
        self.adapter.enter_all(sockets, rooms)

    def next_ack(self) -> int:
        """A number for an acknowledgement: one counter for all, from zero (rule 46)."""
        number = self._ack_numbers
        self._ack_numbers += 1
        return number

    def encode(self, kind: Type, data: tuple[Any, ...], number: int | None = None) -> Encoded:
        """An EVENT or ACK for this namespace; raises LocalProtocolError for one that cannot be."""
        if self.plain is not None:
            encoded = self.plain(kind, data, number)
            if encoded is not None:
                return encoded
        packet = Packet(kind, self.name, list(data), number)
        return encode_message(self._server.parser.encode(packet))

    def send_to_all(
        self,
        sockets: Sequence[Socket],
        encoded: Encoded,
        event: str,
        args: tuple[Any, ...],
        *,
        volatile: bool,
        weight: int = 1,
    ) -> Sequence[Socket]:
        """Queue an event for many of its sockets at once; it is sent in portions: see `Fanout`.

        A volatile one for those who can take it now (rule 72). Returns for whom it was queued.
        """
        fanout = self._server.engine.fanout
        if volatile:
            reached: list[Socket] = []
            fanout.send(writable(sockets, reached), encoded, weight)
            sockets = reached
        else:
            fanout.send([socket.session for socket in sockets], encoded, weight)
        listening = sockets
        if not self.own.any_outgoing:
            listening = [
                socket for socket in sockets if socket.own is not None and socket.own.any_outgoing
            ]
        if listening:
            self.tell_outgoing(listening, event, args)
        return sockets

    def tell_outgoing(self, sockets: Sequence[Socket], event: str, args: tuple[Any, ...]) -> None:
        """Tell those who are told of every event that goes out to these; raises no Exception.

        Where they are many, or others wait to be told, it is done in portions. So whoever listens
        hears of the events of one socket in the order in which they were queued for it; not of
        those to a socket that is gone by then.
        """
        self.portions.do(partial(self._tell_outgoing, event, args), sockets)

    def _tell_outgoing(self, event: str, args: tuple[Any, ...], sockets: Sequence[Socket]) -> None:
        for socket in sockets:
            if socket.state is not CONNECTED:
                continue
            own = () if socket.own is None else socket.own.any_outgoing
            for handlers, before in ((self.own.any_outgoing, (socket,)), (own, ())):
                for handler in handlers:
                    try:
                        handler.function(*before, event, *args)
                    except Exception as error:
                        self.failures.report(error, socket, event, args)

    def call_back(
        self, socket: Socket | None, event: str, callback: Callable[..., None], *args: Any
    ) -> None:
        """Call what the application gave for an acknowledgement; raises no Exception.

        What it raises is reported as from a handler of the socket, and where there is
        none, because it was a broadcast, goes to the log (security rules T1 and 34).
        """
        try:
            callback(*args)
        except Exception as error:
            if socket is None:
                self.runtime.log(f"callback failed for event {event!a} to {self!r}", error)
                return
            failure = error
            if not fits(callback, args):
                failure = WrongArguments(f"{event!a} was acknowledged with other values than asked")
            self.failures.report(failure, socket, event, args)

    def encode_welcome(self, socket_id: str) -> Encoded:
        """The packet that tells a client that it has joined, and the id of its socket (rule 58)."""
        # What stands around the id is the same for all: 0.2 us so, 1.0 by way of a Packet
        # (CPython 3.11).
        if self._welcome is not None:
            before, after = self._welcome
            text = before + socket_id.encode("ascii") + after
            return Encoded(text, (), len(text))
        parser = self._server.parser
        encoded = encode_message(parser.encode(Packet(CONNECT, self.name, {"sid": socket_id})))
        if type(parser) is JsonParser and encoded.text is not None:
            self._welcome = encoded.text[: -len(socket_id) - 2], encoded.text[-2:]
        return encoded

    def mailbox(self, home: object) -> Mailbox[Event]:
        """The mailbox of a new socket."""
        if self._server.config.on_disconnect == "cancel":
            return Mailbox(self._dispatch, self.runtime, home, cancellable=True)
        workers = self.runtime.workers(home)
        return Mailbox(self._dispatch, self.runtime, home, workers=workers)

    def after(self, seconds: float, action: Action) -> Timer:
        """A deadline for an acknowledgement."""
        return self._server.engine.timers.after(seconds, action)


def writable(sockets: Sequence[Socket], reached: list[Socket]) -> Iterator[Session]:
    """The sessions of those who can take now what is sent; adds them to `reached`."""
    # What `Session.writable` says, as a session is about to be looked at anyway: a second look
    # at ten thousand finds nothing in the caches, and takes 0.4 us for each (CPython 3.11).
    for socket in sockets:
        session = socket.session
        if not session.outbox and session.carrier is not None:
            reached.append(socket)
            yield session


def plain_encoder(parser: Parser) -> PlainEncoder | None:
    """The short way of the default parser; one that was made from it may differ in `encode`."""
    return parser.encode_plain if type(parser) is JsonParser else None


def fits(function: Function, args: tuple[Any, ...]) -> bool:
    """Whether the function takes these arguments."""
    try:
        signature(function).bind(*args)
    except TypeError:
        return False
    return True
