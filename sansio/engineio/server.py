"""Every session of one Engine.IO server, as one state machine.

A session spans connections (a parked GET, a POST, the WebSocket that probes), so
it is the engine that owns them all; a driver carries bytes and tells the time.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Final, Protocol, TypeVar

from ..config import EngineConfig
from ..errors import LocalProtocolError, Reason, RemoteProtocolError
from ..handlers import Function, check_plain
from ..observable import Observable
from ..observers import Observers
from ..portions import Portions
from ..request import Request
from ..runtime import Runtime
from ..timers import Timers
from . import cors
from .admission import Admission, bodiless
from .encoded import Encoded, encode_message
from .ends import Receiver
from .events import ENGINE_EVENTS
from .fanout import Fanout
from .handshake import Code, ConnectionFailure, RequestRefused, open_packet
from .http_answers import check_headers
from .neighbours import Neighbours, owned
from .peer import Peer
from .session import Session
from .states import State
from .static import StaticFile
from .websocket_transport import WebSocketTransport
from .wire import ServerWire

F = TypeVar("F", bound=Function)

SESSION_ID_BYTES: Final = 15
SESSION_ID: Final = re.compile(r"[-._~0-9A-Za-z]{1,128}")
FOR_URLS: Final = bytes.maketrans(b"+/", b"-_")
UNKNOWN: Final = Peer()


class Upper(Protocol):
    """What stands on the engine: a Socket.IO server, or an application of Engine.IO alone."""

    def session_opened(self, session: Session, now: float) -> Receiver:
        """A session has been opened; what is returned receives its messages."""
        ...


class Engine(Observable):
    """The sessions, the timers, and what else the connections of one server share.

    `entropy` gives that many random bytes, and is the only source of randomness. Raises
    TypeError for functions in the options that cannot be called as they have to be.

    Its events are `ENGINE_EVENTS`, for plain functions that are called at once; what they raise
    is logged.
    """

    def __init__(
        self,
        config: EngineConfig,
        upper: Upper,
        *,
        runtime: Runtime,
        entropy: Callable[[int], bytes],
    ) -> None:
        origins = cors.guarded(config.cors_allowed_origins, runtime.log)
        self.config: EngineConfig = replace(config, cors_allowed_origins=origins)
        self.timers: Timers = Timers(runtime.rearm)
        self.portions: Portions = Portions(self.timers)
        self.fanout: Fanout = Fanout(self.config, self.portions)
        self.entropy = entropy
        self.sessions: dict[str, Session] = {}
        self.admission: Admission = Admission(self.config, self.sessions, self.timers, runtime)
        self.observers: Observers = Observers(ENGINE_EVENTS, runtime.log, self.portions)
        self.static: dict[str, StaticFile] = {}
        """Files served beside the engine, by path: a fixed table (security rule 33)."""
        self.neighbours: Neighbours | None = None
        """The other workers, where there are any: told before the first connection comes."""
        self._upper = upper
        self._log = runtime.log
        self._plain = (
            config.allow_request is None
            and config.generate_id is None
            and config.deflate is None
            and "websocket" in config.transports
            and not callable(origins)
        )
        if config.generate_id is not None:
            check_plain("generate_id", config.generate_id, 1)
        first = config.initial_packet
        self._first = [] if first is None else [encode_message([first])]
        path = config.path.rstrip("/")
        self._paths = frozenset({path, path + "/"} - {""})

    def _registered(self) -> Observers:
        return self.observers

    # For the application

    @property
    def clients_count(self) -> int:
        """How many sessions there are, with those that wait to tell their client of the end."""
        return len(self.sessions)

    def use(self, function: F) -> F:
        """Register a middleware, a plain or a coroutine function.

        It is called for every request with the engine's path, before anything else, with the
        request (but not its body) and a list, to which it may add headers for the answer. One
        that raises RequestRejected has the request answered so; after any other exception
        it is refused as a bad request. Raises TypeError for what cannot be called so.
        """
        self.admission.use(function)
        return function

    # For the driver

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
        refused with the error's status, or closed where it has been accepted. Raises
        LocalProtocolError where a coroutine function has to be asked first: for that there
        is `WebSocketTransport.admit`.
        """
        transport = WebSocketTransport(self, ready, peer)
        if not transport.admit(request, now, lambda now: None):
            transport.lost()
            raise LocalProtocolError("the application has to be waited for")
        transport.open(request, transport.verify(request), now)
        return transport

    # For the connections and the transports

    @property
    def asks_nobody(self) -> bool:
        """Whether a plain handshake of a WebSocket is accepted, whatever else it says."""
        return self._plain and not (self.observers.functions or self.admission.has_middleware)

    def open_session(self, state: State, request: Request, peer: Peer, now: float) -> Session:
        """A client has shaken hands.

        Its id has 120 random bits (security rule 32), or is the application's. Raises
        RequestRefused where there is none to be had: the entropy repeats itself.
        """
        session = Session(
            self._session_id(request),
            state,
            bodiless(request),
            config=self.config,
            timers=self.timers,
            observers=self.observers,
            forget=self._forget,
            peer=peer,
            now=now,
        )
        self.sessions[session.id] = session
        session.receiver = self._upper.session_opened(session, now)
        return session

    def greeting(self, session: Session) -> list[Encoded]:
        """What every client gets first: the handshake, and the initial packet."""
        return [open_packet(session, self.config), *self._first]

    def refused(self, request: Request, error: RemoteProtocolError) -> None:
        """Tell of a request that has been refused."""
        if self.observers.functions and isinstance(error, RequestRefused):
            failure = ConnectionFailure(
                bodiless(request), int(error.code), error.message, error.context
            )
            self.observers.tell("connection_error", failure)

    def headers(self, request: Request, headers: cors.Headers, *, initial: bool) -> cors.Headers:
        """The headers of an answer, as the observers want them.

        Headers that cannot be sent are logged, and the answer goes out as it was before.
        """
        if not self.observers.functions:
            return headers
        changed = list(headers)
        if initial:
            self.observers.tell("initial_headers", changed, bodiless(request))
        self.observers.tell("headers", changed, bodiless(request))
        try:
            check_headers(changed)
        except LocalProtocolError as error:
            self._log("the headers of an answer stay as they were", error)
            return headers
        return tuple(changed)

    def new_id(self) -> str:
        """Twenty characters that nobody can guess, fit for a URL (rule 17)."""
        digits = binascii.b2a_base64(self.entropy(SESSION_ID_BYTES), newline=False)
        return digits.translate(FOR_URLS).decode("ascii")

    def _session_id(self, request: Request) -> str:
        generate_id = self.config.generate_id
        if generate_id is None:
            session_id = self._owned(self.new_id())
            if session_id in self.sessions:
                raise RequestRefused(Code.BAD_REQUEST, name="ID_GENERATION_ERROR")
            return session_id
        try:
            session_id = generate_id(bodiless(request))
            if SESSION_ID.fullmatch(session_id) is None:
                raise ValueError("expected 1 to 128 letters, digits and -._~")
            session_id = self._owned(session_id)
            if session_id in self.sessions:
                raise ValueError("a session has this id already")
        except Exception as error:
            self._log("generate_id: a client is refused", error)
            raise RequestRefused(
                Code.BAD_REQUEST, name="ID_GENERATION_ERROR", error=error
            ) from error
        return session_id

    def _owned(self, session_id: str) -> str:
        """The id as it is among workers, who tell by it whose the session is."""
        neighbours = self.neighbours
        return session_id if neighbours is None else owned(session_id, neighbours.name)

    def close(self, reason: Reason = Reason.SERVER_SHUTTING_DOWN) -> None:
        """End every session, in good order."""
        for session in list(self.sessions.values()):
            session.close(reason)

    def _forget(self, session: Session) -> None:
        del self.sessions[session.id]
