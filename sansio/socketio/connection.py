"""One client's connection: the namespaces that share a session.

Here the packets of a client are judged against what it may send now; the first
that it may not ends the whole connection (rules 44 and 57).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..engineio.encoded import encode_message
from ..engineio.session import Session
from ..errors import LocalProtocolError, Reason, RemoteProtocolError
from .acks import Acks
from .engine_session import EngineSession
from .events import ConnectRequested, Disconnected, Event, EventReceived, NamespaceRequested
from .intake import Intake
from .json_decoder import JsonDecoder, read_short_event, read_short_question
from .namespace import INVALID_NAMESPACE, Namespace
from .packet import ACK, CONNECT, CONNECT_ERROR, DISCONNECT, EVENT, Packet
from .parser import Decoder
from .socket import Socket
from .states import CONNECTED, State

if TYPE_CHECKING:
    from .server import Server


class Connection(Intake[Session]):
    """The receiver of a session's messages."""

    __slots__ = ("_asked", "_conn", "_connect_timer", "_left", "_plain", "_server", "sockets")

    waiting: int
    waiting_bytes: int

    def __init__(self, server: Server, session: Session, decoder: Decoder, now: float) -> None:
        timers = server.engine.timers
        super().__init__(server.config, timers, decoder)
        self.session = session
        self._server = server
        self._plain = type(decoder) is JsonDecoder
        """Whether it is the default wire format; one that was made from it may differ."""
        self._conn: EngineSession | None = None
        self.sockets: dict[str, Socket] = {}
        self._asked: dict[str, dict[str, Any]] = {}
        """What the client gave as `auth` for namespaces that a parent is asked about."""
        self._left: set[str] | None = None
        """Namespaces that the server has disconnected: what the client sent before it knew
        is ignored. Bounded by `max_namespaces`."""
        self._connect_timer = timers.at(now + server.config.connect_timeout, self._connect_late)

    @property
    def conn(self) -> EngineSession:
        """The session, as the application may see it: one for all namespaces."""
        if self._conn is None:
            self._conn = EngineSession(self.session)
        return self._conn

    # As the receiver of a session

    def short_message(self, text: bytes) -> bool:
        """Take an event of the main namespace, where nothing stands against it; or say no.

        Where the application can handle it at once, it has done so when this returns.
        """
        # By far the commonest packet. The same as `message` does with it, in one piece: 0.6 us
        # instead of 1.7 (CPython 3.11). test_connection_short.py holds the two equal.
        if self._owing or self._attachment_timer is not None or not self._plain:
            return False
        socket = self.sockets.get("/")
        if socket is None or socket.state is not CONNECTED:
            return False
        number = None
        data = read_short_event(text)
        if data is None:
            question = read_short_question(text)
            if question is None:
                return False
            data, number = question
        name, args, size = data[0], tuple(data[1:]), len(text) - 1
        server = self._server
        if server.at_once is not None and not (server.events or server.delivering):
            server.delivering = True
            try:
                if server.at_once(socket, name, args, number, size):
                    return True
            finally:
                server.delivering = False
        self._tell(EventReceived(socket, name, args, number, size), size)
        return True

    def message(self, data: str | bytes, now: float) -> None:
        """Take one message; raises RemoteProtocolError for what the client may not send."""
        packet = self.feed(data, now)
        if packet is None:
            return
        kind = packet.type
        if kind is EVENT:
            self._event(packet)
        elif kind is ACK:
            socket = self._joined(packet)
            if socket is not None and packet.id is not None:
                socket.acknowledged(packet.id, tuple(packet.data))
        elif kind is CONNECT:
            self._connect(packet)
        elif kind is DISCONNECT:
            socket = self._joined(packet)
            if socket is not None:
                self._leave(socket, Reason.CLIENT_NAMESPACE_DISCONNECT)
        else:
            raise RemoteProtocolError("a client may not send CONNECT_ERROR")

    def closed(self, reason: Reason) -> None:
        """The session is over, and so is every socket on it."""
        self._connect_timer.cancel()
        self._asked.clear()
        self.shut()
        for socket in list(self.sockets.values()):
            self._leave(socket, reason)

    # Packets in

    def _event(self, packet: Packet) -> None:
        socket = self._joined(packet)
        if socket is None:
            return
        data = packet.data
        name = data[0] if isinstance(data[0], str) else str(data[0])
        self._tell(EventReceived(socket, name, tuple(data[1:]), packet.id, self.size), self.size)

    def _joined(self, packet: Packet) -> Socket | None:
        """The socket that the packet is for, or None where it came too late to matter.

        Raises RemoteProtocolError for a namespace that the client is not in (rule 57).
        """
        socket = self.sockets.get(packet.namespace)
        if socket is None:
            if self._left is None or packet.namespace not in self._left:
                raise RemoteProtocolError("a packet for a namespace that was not joined")
        elif socket.state is State.CONNECTING:
            raise RemoteProtocolError("a packet before the namespace was joined")
        return socket

    def _connect(self, packet: Packet) -> None:
        """The name is taken before anything is awaited: a second CONNECT is an error (rule 61)."""
        name = packet.namespace
        if name in self.sockets or name in self._asked:
            raise RemoteProtocolError("a second CONNECT to a namespace")
        auth: dict[str, Any] = packet.data or {}
        namespace = self._server.namespaces.get(name)
        if len(self.sockets) + len(self._asked) >= self._server.config.max_namespaces:
            self.deny(name)
        elif namespace is not None:
            self._enter(namespace, auth)
        elif self._server.parents:
            self._asked[name] = auth
            self._server.tell(NamespaceRequested(self, name, auth))
        else:
            self.deny(name)

    def _enter(self, namespace: Namespace, auth: dict[str, Any]) -> None:
        if self._left is not None:
            self._left.discard(namespace.name)
        socket = Socket(
            self._server.engine.new_id(),
            namespace,
            self,
            auth,
        )
        self.sockets[namespace.name] = socket
        namespace.arrive()
        self._tell(ConnectRequested(socket, auth))

    @property
    def may_attach(self) -> bool:
        """Once a namespace has been joined; those that the server has left count too."""
        return bool(self._left) or any(socket.connected for socket in self.sockets.values())

    def attachments_late(self, error: RemoteProtocolError) -> None:
        """They have not come within `attachment_timeout` (security rule T5)."""
        self.session.abort(error.reason)

    def _connect_late(self, now: float) -> None:
        """No namespace was joined in time, whatever was refused meanwhile (security rule T22)."""
        self.session.close(Reason.FORCED_CLOSE)

    # For the driver

    def asks(self, name: str) -> bool:
        """Whether the client still waits for a namespace that there was not."""
        return name in self._asked

    def enter(self, name: str, namespace: Namespace) -> None:
        """There is such a namespace now; no effect when the client has gone meanwhile."""
        auth = self._asked.pop(name, None)
        if auth is not None:
            self._enter(namespace, auth)
            self._server.engine.timers.soon()

    def deny(self, name: str) -> None:
        """There is no such namespace, and nothing is remembered of it (security rule 27)."""
        self._asked.pop(name, None)
        self.send(Packet(CONNECT_ERROR, name, {"message": INVALID_NAMESPACE}))

    # For the sockets

    def send(self, packet: Packet) -> None:
        """Queue a packet; raises LocalProtocolError for one that cannot be encoded."""
        self.session.send(encode_message(self._server.parser.encode(packet)))

    def accepted(self, socket: Socket) -> None:
        """Tell the client the public id of its socket (rule 58)."""
        self._connect_timer.cancel()
        self.session.send(socket.namespace.encode_welcome(socket.id))

    def refused(self, socket: Socket, message: str, data: object) -> None:
        """Tell the client why: an object with `message`, and `data` where there is some.

        Raises LocalProtocolError for what cannot be encoded; the client is refused without
        it, for it has to be answered (rule 62).
        """
        name = socket.namespace.name
        del self.sockets[name]
        socket.namespace.depart()
        error: dict[str, object] = {"message": message}
        if data is not None:
            error["data"] = data
        try:
            self.send(Packet(CONNECT_ERROR, name, error))
        except LocalProtocolError:
            self._refused_plainly(name, message)
            raise

    def _refused_plainly(self, name: str, message: str) -> None:
        try:
            self.send(Packet(CONNECT_ERROR, name, {"message": message}))
        except LocalProtocolError:
            self.send(Packet(CONNECT_ERROR, name, {"message": "not authorized"}))

    def disconnect(self, socket: Socket) -> None:
        """The server ends one namespace; the connection stays (rule 67)."""
        if self.sockets.get(socket.namespace.name) is socket:
            self.send(Packet(DISCONNECT, socket.namespace.name))
            left = self._left = self._left or set()
            if len(left) < self._server.config.max_namespaces:
                left.add(socket.namespace.name)
            socket.deafen()
            self._leave(socket, Reason.SERVER_NAMESPACE_DISCONNECT)

    def disconnect_all(self) -> None:
        """The server ends every namespace, and then the connection (rule 69)."""
        for socket in list(self.sockets.values()):
            self.disconnect(socket)
        self.session.close(Reason.FORCED_CLOSE)

    def _leave(self, socket: Socket, reason: Reason) -> None:
        """A socket is gone; no effect on one that has gone meanwhile.

        What its loss calls back, or the packet that told of it, may end others.
        """
        name = socket.namespace.name
        if self.sockets.get(name) is not socket:
            return
        del self.sockets[name]
        socket.namespace.depart()
        if self._server.config.on_disconnect == "cancel":
            # Deaf also for what came in the same piece, or it would pass what is dropped here.
            socket.deafen()
            socket.mailbox.cancel()
        if socket.close(reason):
            self._tell(Disconnected(socket, str(reason)))
            # Whoever else ends it may do so at any time; this is told by a driver, who delivers.
            if reason is not Reason.TRANSPORT_CLOSE:
                self._server.engine.timers.soon()

    def _tell(self, event: Event, size: int = 0) -> None:
        self.wait(size)
        self._server.tell(event)

    def acks(self) -> Acks:
        """For a socket that will be owed an acknowledgement for the first time."""
        return Acks(self._server.config.max_pending_acks, self)
