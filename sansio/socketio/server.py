"""Every client of one Socket.IO server, as one state machine.

A driver opens wires, feeds them bytes with the time, and takes events; it knows
neither packets nor sessions. The application's side is `App`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..config import ServerConfig
from ..engineio.server import UNKNOWN, Engine
from ..engineio.session import Peer, Session
from ..engineio.wire import ServerWire
from ..runtime import Runtime
from .adapter import Adapter
from .connection import Connection
from .events import Event, NamespaceRequested
from .parser import Parser
from .socket import Socket

if TYPE_CHECKING:
    from .namespace import Namespace
    from .parent_namespace import ParentNamespace


AtOnce = Callable[[Socket, str, tuple[Any, ...], int | None, int], bool]
"""Takes what an EventReceived has."""


class Server:
    """The engine, the namespaces, and the events that the driver has not taken yet.

    `runtime` is told when `next_deadline` has moved earlier, and runs what the application
    lets a handshake wait for; `entropy` gives that many random bytes. The same input gives
    the same output.
    """

    def __init__(
        self,
        config: ServerConfig,
        parser: Parser,
        *,
        runtime: Runtime,
        entropy: Callable[[int], bytes],
        adapter: Callable[[Namespace], Adapter] = Adapter,
    ) -> None:
        self.config = config
        self.parser = parser
        self.engine: Engine = Engine(config, self, runtime=runtime, entropy=entropy)
        self.adapter = adapter
        self.namespaces: dict[str, Namespace] = {}
        self.parents: list[ParentNamespace] = []
        """In the order in which they are asked (rule 66)."""
        self.at_once: AtOnce | None = None
        """Handles an event where it is read, or says no, where there is an application that can."""
        self.delivering: bool = False
        """Whether a handler may be at work: what comes meanwhile is for after it."""
        self.events: deque[Event | NamespaceRequested] = deque()

    def open(self, wake: Callable[[], None], now: float, peer: Peer = UNKNOWN) -> ServerWire:
        """A connection has come; `wake` is called when it has something to send."""
        return self.engine.open(wake, now, peer)

    def next_event(self) -> Event | NamespaceRequested | None:
        """The next event, in the order in which they happened, or None."""
        return self.events.popleft() if self.events else None

    def next_deadline(self) -> float | None:
        """When `handle_timeout` is due (seconds), or None; changes nothing."""
        return self.engine.next_deadline()

    def handle_timeout(self, now: float) -> None:
        """Do all that is due at `now` (seconds); doing it again does nothing more."""
        self.engine.handle_timeout(now)

    def session_opened(self, session: Session, now: float) -> Connection:
        """A client has shaken hands; it may ask for namespaces."""
        config = self.config
        decoder = self.parser.decoder(
            max_attachments=config.max_attachments,
            max_attachment_bytes=config.max_attachment_bytes,
        )
        return Connection(self, session, decoder, now)

    def child(self, name: str, parent: ParentNamespace) -> Namespace | None:
        """The namespace that a client asked for and `parent` accepts; None at the bound."""
        namespace = self.namespaces.get(name)
        if namespace is None:
            if sum(len(each.children) for each in self.parents) >= self.config.max_child_namespaces:
                return None
            namespace = parent.create(name)
            self.namespaces[name] = namespace
        return namespace

    def emptied(self, namespace: Namespace) -> None:
        """The last socket has left a child."""
        if self.config.cleanup_empty_child_namespaces:
            self.forget(namespace)

    def forget(self, namespace: Namespace) -> None:
        """There is no such namespace any more; no effect on one that was forgotten before."""
        name = namespace.name
        if self.namespaces.get(name) is namespace:
            del self.namespaces[name]
            namespace.deleted = True
            if namespace.parent is not None:
                namespace.parent.remove(name)

    def tell(self, event: Event | NamespaceRequested) -> None:
        """Queue an event for the driver."""
        self.events.append(event)
