"""What a backend is written against: all that it takes from the core.

The other way round, what the core asks of a backend, is `Runtime`. Whatever calls into the core
delivers the events that have come of it; so do the functions here.
"""

from __future__ import annotations

from typing import Final, Protocol

from .bound import Bound
from .config import EngineOptions, ServerOptions
from .engineio.app import EngineApp
from .engineio.client.tunnel import Proxy, Tunnel
from .engineio.client.url import Target
from .engineio.client.wire import ClientWire
from .engineio.neighbours import Arrival, Neighbours, decode_handover
from .engineio.peer import Peer
from .engineio.server import Engine
from .engineio.websocket_transport import PULL
from .engineio.websocket_wire import WebSocketWire
from .engineio.wire import ServerWire
from .errors import Reason, TransportError
from .flushes import Flushable, Flushes
from .runtime import Begin, Call, Callback, ClientRuntime, Start, TaskFunction
from .socketio.app import App
from .socketio.client.app import ClientApp
from .socketio.client.scope import MakesRuntime, ScopedClient
from .socketio.parser import Parser
from .workers import Workers

__all__ = [
    "CHUNK",
    "GRACE",
    "PULL",
    "App",
    "Arrival",
    "Begin",
    "Bound",
    "Call",
    "Callback",
    "ClientApp",
    "ClientRuntime",
    "ClientWire",
    "Core",
    "Driven",
    "EngineApp",
    "EngineOptions",
    "Flushable",
    "Flushes",
    "MakesRuntime",
    "Neighbours",
    "Parser",
    "Peer",
    "Proxy",
    "ScopedClient",
    "ServerOptions",
    "ServerWire",
    "Start",
    "Target",
    "TaskFunction",
    "TransportError",
    "Tunnel",
    "Wire",
    "Workers",
    "abandon",
    "decode_handover",
    "fire",
    "lost",
    "next_deadline",
    "shut_down",
]

Wire = ServerWire | WebSocketWire | ClientWire
"""A connection as a backend drives it: what `Engine.open` gives, or its successor; or what a
client asks for by `dial`."""

CHUNK: Final = 65_536
"""How many bytes are read at once: it bounds what one reading can queue."""

GRACE: Final = 10.0
"""For how many seconds `aclose` waits for clients and handlers, unless told (security rule 36)."""


class Core(Protocol):
    """A server of the core: `App` or `EngineApp`."""

    @property
    def engine(self) -> Engine:
        """What carries the connections, and knows the deadlines."""
        ...

    def deliver(self) -> None:
        """Hand the events that have come to their handlers."""


Driven = Core | ClientApp
"""A server or a client of the core."""


def next_deadline(core: Driven) -> float | None:
    """When `fire` is due (seconds), or None."""
    return (core if isinstance(core, ClientApp) else core.engine).next_deadline()


def fire(core: Driven, now: float) -> None:
    """Do all that is due at `now` (seconds)."""
    (core if isinstance(core, ClientApp) else core.engine).handle_timeout(now)
    core.deliver()


def lost(core: Driven, wire: Wire) -> None:
    """A connection is gone; idempotent."""
    wire.lost()
    core.deliver()


def shut_down(core: Core) -> None:
    """Tell every client, in good order, that the server goes."""
    core.engine.close(Reason.SERVER_SHUTTING_DOWN)
    core.deliver()


def abandon(core: Core, home: object) -> None:
    """End the sessions that came through `home` at once: nothing can run there any more.

    They may be carried elsewhere by now; their clients are told there.
    """
    for session in list(core.engine.sessions.values()):
        if session.peer.home is home:
            session.abort(Reason.SERVER_SHUTTING_DOWN)
    core.deliver()
