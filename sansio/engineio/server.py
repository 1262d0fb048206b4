"""Every session of one Engine.IO server, as one state machine.

A session spans connections (a parked GET, a POST, the WebSocket that probes), so
it is the engine that owns them all; a driver carries bytes and tells the time.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Final, Protocol

from ..config import EngineConfig
from ..errors import Reason
from ..timers import Timers
from .handshake import Code, RequestRefused
from .http import Request
from .session import Peer, Receiver, Session
from .states import State
from .static import StaticFile
from .websocket_transport import WebSocketTransport
from .wire import ServerWire

SESSION_ID_BYTES: Final = 15
UNKNOWN: Final = Peer()


class Upper(Protocol):
    """What stands on the engine: a Socket.IO server, or an application of Engine.IO alone."""

    def session_opened(self, session: Session, now: float) -> Receiver:
        """A session has been opened; what is returned receives its messages."""
        ...


class Engine:
    """The sessions, the timers, and what else the connections of one server share.

    `rearm` is called when `next_deadline` has moved earlier; `entropy` gives that
    many random bytes, and is the only source of randomness.
    """

    def __init__(
        self,
        config: EngineConfig,
        upper: Upper,
        *,
        rearm: Callable[[], None],
        entropy: Callable[[int], bytes],
    ) -> None:
        self.config = config
        self.timers = Timers(rearm)
        self.entropy = entropy
        self.sessions: dict[str, Session] = {}
        self.static: dict[str, StaticFile] = {}
        """Files served beside the engine, by path: a fixed table (security rule 33)."""
        self._upper = upper
        path = config.path.rstrip("/")
        self._paths = frozenset({path, path + "/"} - {""})

    def serves(self, path: str) -> bool:
        """Whether a request with this path is for the engine.

        The path must be equal, but for its last slash; the reference takes
        whatever begins with it (rule 8).
        """
        return path in self._paths

    def next_deadline(self) -> float | None:
        """When `handle_timeout` is due (seconds), or None; changes nothing."""
        return self.timers.next_deadline()

    def handle_timeout(self, now: float) -> None:
        """Do all that is due at `now` (seconds); doing it again does nothing more."""
        self.timers.fire(now)

    def open(self, wake: Callable[[], None], now: float, peer: Peer = UNKNOWN) -> ServerWire:
        """A connection has come; `wake` is called when it has something to send."""
        return ServerWire(self, wake, now, peer)

    def open_websocket(
        self, request: Request, ready: Callable[[], None], now: float, peer: Peer
    ) -> WebSocketTransport:
        """A WebSocket has come that somebody else frames; `ready` as in the transport.

        Raises RemoteProtocolError for a request that may not have one; it has to be
        refused with the error's status, or closed where it has been accepted.
        """
        transport = WebSocketTransport(self, ready, peer)
        transport.open(request, transport.verify(request), now)
        return transport

    def open_session(self, state: State, request: Request, peer: Peer, now: float) -> Session:
        """A client has shaken hands.

        Its id has 120 random bits (security rule 32). Raises RequestRefused when the
        entropy repeats itself.
        """
        session_id = self.new_id()
        if session_id in self.sessions:
            raise RequestRefused(Code.BAD_REQUEST)
        session = Session(
            session_id,
            state,
            request,
            config=self.config,
            timers=self.timers,
            forget=self._forget,
            peer=peer,
            now=now,
        )
        self.sessions[session_id] = session
        session.receiver = self._upper.session_opened(session, now)
        return session

    def new_id(self) -> str:
        """Twenty characters that nobody can guess, fit for a URL (rule 17)."""
        return base64.urlsafe_b64encode(self.entropy(SESSION_ID_BYTES)).decode("ascii")

    def close(self, reason: Reason = Reason.SERVER_SHUTTING_DOWN) -> None:
        """End every session, in good order."""
        for session in list(self.sessions.values()):
            session.close(reason)

    def _forget(self, session: Session) -> None:
        del self.sessions[session.id]
