"""An Engine.IO server as an application sees it: sockets that carry text and bytes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, TypeVar, Unpack

import msgspec

from ..config import EngineConfig, EngineOptions
from ..errors import LocalProtocolError, Reason
from ..failures import Failures, OnError
from ..handlers import KnownHandlers, awaits
from ..mailbox import TASK, Mailbox
from ..observable import Observable
from ..runtime import Runtime
from .encoded import encode_message
from .handshake_details import HandshakeDetails, read_details
from .packet import SEPARATOR
from .server import Engine
from .session import Session
from .session_view import SessionView
from .static import StaticFile

EVENTS: Final = {"connection": (1,), "message": (2,), "close": (2,)}
"""The events of an Engine.IO server, and how many arguments their handlers take."""


class Happened(msgspec.Struct, frozen=True):
    """One of `EVENTS`, on one socket."""

    socket: EngineSocket
    name: str
    args: tuple[Any, ...] = ()


class EngineSocket(SessionView):
    """One client's session, as the application has it.

    Its events are `SESSION_EVENTS`, for plain functions that are called at once; what they
    raise is logged.
    """

    __slots__ = ("_app", "_handshake", "data", "mailbox")

    def __init__(self, app: EngineApp, session: Session) -> None:
        super().__init__(session)
        self.data: dict[str, Any] = {}
        """The application's own."""
        self.mailbox: Mailbox[Happened] = Mailbox(app, app.runtime, session.peer.home)
        self._app = app
        self._handshake: HandshakeDetails | None = None

    @property
    def id(self) -> str:
        """The session's id: a secret that lets its holder take the session over (rule 97)."""
        return self._session.id

    @property
    def handshake(self) -> HandshakeDetails:
        """What is known of its handshake: headers, query, address, secure, time."""
        if self._handshake is None:
            self._handshake = read_details(self._session.request, self._session.peer)
        return self._handshake

    def send(self, data: str | bytes | bytearray | memoryview, *, compress: bool = True) -> None:
        """Send a message; no effect once the session is over.

        With `compress` False it is not compressed even where the transport could do so. Raises
        LocalProtocolError for text with U+001E in it, which polling cannot carry, or with a
        lone surrogate, and TypeError for what is neither text nor bytes.
        """
        if isinstance(data, str):
            if SEPARATOR in data:
                raise LocalProtocolError("text with U+001E in it cannot travel by polling")
            self._session.send(encode_message([data], compress=compress))
        else:
            # Through a view, because bytes(3) are three zeros and no error.
            self._session.send(encode_message([bytes(memoryview(data))], compress=compress))

    # As the receiver of a session

    def short_message(self, text: bytes) -> bool:
        """There is no shorter way than `message`."""
        return False

    def message(self, data: str | bytes, now: float) -> None:
        """A message has come."""
        self._session.hold(1, len(data))
        self._app.tell(Happened(self, "message", (data,)))

    def closed(self, reason: Reason) -> None:
        """The session is over."""
        self._app.forget(self)
        self._app.tell(Happened(self, "close", (str(reason),)))
        self._app.engine.timers.soon()

    def handled(self, event: Happened) -> None:
        """The handlers of one event are done."""
        if event.name == "message":
            self._session.release(1, len(event.args[0]))


Hook = TypeVar("Hook", bound=OnError[EngineSocket])


class EngineApp(Observable):
    """An Engine.IO server without Socket.IO.

    The options are the fields of `EngineConfig`. Raises ValueError or TypeError for
    those that make no sense.

    Its events are `connection` (the socket), `message` (the socket and the data) and `close` (the
    socket and the reason), for plain or coroutine functions.
    """

    def __init__(
        self,
        runtime: Runtime,
        *,
        entropy: Callable[[int], bytes],
        **options: Unpack[EngineOptions],
    ) -> None:
        self.runtime = runtime
        self.config: EngineConfig = EngineConfig(**options)
        self.engine: Engine = Engine(self.config, self, runtime=runtime, entropy=entropy)
        self._handlers = KnownHandlers(EVENTS)
        self._failures: Failures[EngineSocket] = Failures(runtime)
        self._events: deque[Happened] = deque()
        self._sockets: dict[str, EngineSocket] = {}

    def _registered(self) -> KnownHandlers:
        return self._handlers

    @property
    def sockets(self) -> Mapping[str, EngineSocket]:
        """The open sockets, by their ids."""
        return MappingProxyType(self._sockets)

    @property
    def static(self) -> dict[str, StaticFile]:
        """Files that are served beside Engine.IO, by path: a fixed table (security rule 33)."""
        return self.engine.static

    def on_error(self, hook: Hook) -> Hook:
        """Register the function that gets every exception of a handler.

        It is called with the exception, the socket, the name of the event and its
        arguments; without one they go to the log of the name "sansocket".
        """
        self._failures.hook = hook
        return hook

    # For the backend

    def deliver(self) -> None:
        """Hand the events that have come to their handlers, each socket's in their order."""
        while self._events:
            event = self._events.popleft()
            event.socket.mailbox.put(event)

    # For the engine and the sockets

    def session_opened(self, session: Session, now: float) -> EngineSocket:
        """A client has shaken hands."""
        socket = EngineSocket(self, session)
        self._sockets[session.id] = socket
        self.tell(Happened(socket, "connection"))
        return socket

    def forget(self, socket: EngineSocket) -> None:
        """A session is over."""
        del self._sockets[socket.id]

    def tell(self, event: Happened) -> None:
        """Queue an event for the driver."""
        self._events.append(event)

    def waits(self, event: Happened) -> bool:
        """Whether any handler of the event is a coroutine function."""
        return self._handlers.wait(event.name)

    async def handle(self, event: Happened) -> None:
        """Call the handlers; raises no Exception, and awaits only what waits in them."""
        for handler in self._handlers.get(event.name):
            if handler.once and not self._handlers.take(event.name, handler):
                continue
            try:
                waiting = handler.function(event.socket, *event.args)
                if waiting is not None and awaits(waiting):
                    if not event.socket.mailbox.busy:
                        await TASK
                    await waiting
            except Exception as error:
                self._failures.report(error, event.socket, event.name, event.args)

    def concurrency(self, event: Happened) -> int:
        """Events of one socket are handled one at a time."""
        return 1

    def last(self, event: Happened) -> bool:
        """Whether it tells of the end of its session."""
        return event.name == "close"

    def done(self, event: Happened) -> None:
        """The handlers of an event have ended: its client may go on."""
        event.socket.handled(event)
