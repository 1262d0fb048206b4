"""One attempt of a client to reach its server, and the connection that comes of it.

Here the packets of the server are judged against what it may send now; the first that it may
not ends the connection with "parse error". This module does not know what is tried next.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, cast

from ...config import Transport
from ...engineio.encoded import Encoded, encode_message
from ...errors import ConnectionRefused, Reason, RemoteProtocolError
from ...handlers import Handler, awaits
from ...mailbox import TASK, finish, run_by_hand
from ..intake import Holdable, Intake
from ..packet import ACK, CONNECT, CONNECT_ERROR, DISCONNECT, EVENT, Packet
from .states import SocketState

if TYPE_CHECKING:
    from .client import Client
    from .membership import Membership


Auth = dict[str, Any] | Handler | None


class Engine(Holdable, Protocol):
    """The session under a link, as `EngineClient` is one."""

    @property
    def id(self) -> str:
        """Its secret id."""
        ...

    @property
    def transport(self) -> Transport:
        """What carries it now."""
        ...

    @property
    def writable(self) -> bool:
        """Whether what is sent now goes out now."""
        ...

    @property
    def backlog(self) -> int:
        """The bytes that wait to be sent."""
        ...

    def open(self, now: float) -> None:
        """Begin the attempt."""

    def send(self, encoded: Encoded) -> None:
        """Queue a message."""

    def close(self) -> None:
        """End it in good order."""

    def abort(self, reason: Reason, error: Exception | None = None) -> None:
        """End it at once."""

    def when_parted(self, callback: Callable[[], None]) -> None:
        """Call back once, when a session that is over has told the server so."""

    def cut(self) -> None:
        """Tell it no more."""

    def when_relieved(self, callback: Callable[[], None]) -> None:
        """Call back once, when some of the backlog has gone, or all is over."""


class Link(Intake[Engine]):
    """The receiver of a session's messages."""

    __slots__ = (
        "_answers_late",
        "_asked",
        "_client",
        "_left",
        "_unanswered",
    )

    def __init__(self, client: Client) -> None:
        config = client.config
        decoder = client.parser.decoder(
            max_attachments=config.max_attachments,
            max_attachment_bytes=config.max_attachment_bytes,
        )
        super().__init__(config, client.timers, decoder)
        self._client = client
        self._asked: set[str] = set()
        """Namespaces that the server was asked for: what it sends for others is an error."""
        self._unanswered: set[str] = set()
        """Those whose CONNECT it has not answered."""
        self._left: set[str] = set()
        """Namespaces that a DISCONNECT was sent for: what comes before the server's own, or
        before it answers another CONNECT, was sent to the stay that is over."""
        self._answers_late = False
        """Whether the server sends events to a socket before it answers its CONNECT."""
        self.session: Engine = client.dial(self)

    @property
    def engine(self) -> Engine:
        """The session, as what the client has of its engine."""
        return self.session

    # As the receiver of a session

    def opened(self, now: float) -> None:
        """The server has shaken hands."""
        self._client.link_opened(self)

    def message(self, data: str | bytes, now: float) -> None:
        """Take one message; raises RemoteProtocolError for what the server may not send."""
        packet = self.feed(data, now)
        if packet is None or self._client.link is not self:
            return
        self._client.note("packet", packet)
        name, kind = packet.namespace, packet.type
        if name not in self._asked:
            raise RemoteProtocolError(f"a packet for the namespace {name!a}, not asked for")
        member = self._client.members.get(name)
        if kind is CONNECT:
            self._accepted(packet, member)
        elif member is None:
            # What the server sent before it knew that the namespace was left.
            if kind is CONNECT_ERROR or (kind is DISCONNECT and not self._crossed(name)):
                self._answered(name)
        elif kind is EVENT:
            if member.connected or self._is_early(name):
                args = tuple(packet.data[1:])
                member.received(event_name(packet), args, packet.id, self.size)
        elif kind is ACK:
            if packet.id is not None:
                member.acknowledged(packet.id, tuple(packet.data))
        elif kind is CONNECT_ERROR:
            self._refused(member, refusal(packet.data))
        elif kind is DISCONNECT:
            self._disconnected(member)

    def pinged(self) -> None:
        """The server has sent a ping."""
        if self._client.link is self:
            self._client.note("ping")

    def closed(self, reason: Reason, error: Exception | None) -> None:
        """The session is over, or has never been."""
        self.shut()
        self._client.link_closed(self, str(reason), error)

    # As an intake

    @property
    def may_attach(self) -> bool:
        """Once a namespace was asked for."""
        return bool(self._asked)

    def attachments_late(self, error: RemoteProtocolError) -> None:
        """They have not come within `attachment_timeout`."""
        self.session.abort(error.reason, error)

    # Packets in

    def _accepted(self, packet: Packet, member: Membership | None) -> None:
        """The server has let a socket in; one that is not wanted any more leaves at once."""
        name = packet.namespace
        data: dict[str, Any] = packet.data or {}
        sid, pid = data.get("sid"), data.get("pid")
        if not isinstance(sid, str) or not (pid is None or isinstance(pid, str)):
            raise RemoteProtocolError(
                "expected the id of the socket in the answer to CONNECT: a server of Socket.IO"
                f" before version 3 gives none; got {str(data)[:100]!a}"
            )
        if member is not None and member.state is SocketState.CONNECTED:
            raise RemoteProtocolError("a second answer to a CONNECT")
        wanted = member is not None and name in self._unanswered
        self._answered(name)
        if member is not None and wanted:
            member.accepted(self, sid, pid)
        else:
            self.leave(name)

    def _answered(self, name: str) -> None:
        self._unanswered.discard(name)
        self._left.discard(name)

    def _crossed(self, name: str) -> bool:
        """Whether a DISCONNECT has crossed ours on the way: then it answers no CONNECT.

        Nothing else comes of that stay after it.
        """
        crossed = name in self._left
        self._left.discard(name)
        return crossed

    def _is_early(self, name: str) -> bool:
        """Whether an event that comes before the answer to a CONNECT is for the socket that asks.

        Of a namespace that was left and is asked for again it is the rest of the stay before;
        but not where the server has been seen to answer late, as python-socketio does.
        """
        if name not in self._unanswered:
            return False
        if name not in self._left:
            self._answers_late = True
        return self._answers_late

    def _refused(self, member: Membership, error: ConnectionRefused) -> None:
        if member.state is not SocketState.CONNECTING or member.namespace not in self._unanswered:
            raise RemoteProtocolError("a refusal where nothing was asked")
        self._answered(member.namespace)
        member.refused(error)

    def _disconnected(self, member: Membership) -> None:
        if member.connected:
            member.leave(str(Reason.IO_SERVER_DISCONNECT))
        elif not self._crossed(member.namespace) and member.namespace in self._unanswered:
            # A server that lets nobody in may do it without a word.
            self._answered(member.namespace)
            member.refused(ConnectionRefused(str(Reason.IO_SERVER_DISCONNECT)))

    # For the client and its sockets

    def ask(self, member: Membership) -> None:
        """Ask the server to let a socket in, with what `auth` says now (rule 86)."""
        member.asking()
        if member.namespace in self._unanswered:
            return  # the socket left and came back meanwhile: the answer to come is for it
        client, auth, attempt = self._client, member.auth, member.attempt
        rest = run_by_hand(self._connect(member, auth, attempt))
        if rest is not None:
            client.runtime.spawn(lambda: finish(rest), client.home)

    async def _connect(self, member: Membership, auth: Auth, attempt: object) -> None:
        """The socket may leave meanwhile, and come back; the connection may be lost."""
        try:
            data: Any = auth
            if isinstance(auth, Handler):
                data = auth.function()
                if awaits(data):
                    await TASK
                    data = await data
            if member.attempt is attempt:
                self._send_connect(member, checked_auth(data))
        except Exception as error:
            self._client.failures.report(error, member.socket, "auth", ())
            if member.attempt is attempt:
                member.refused(error)

    def _send_connect(self, member: Membership, auth: dict[str, Any] | None) -> None:
        """Raises LocalProtocolError for an `auth` that no packet can carry."""
        data = {**member.recovery, **(auth or {})} if member.recovery else auth
        self.send(Packet(CONNECT, member.namespace, data))
        self._asked.add(member.namespace)
        self._unanswered.add(member.namespace)

    def leave(self, namespace: str) -> None:
        """A socket that the server has let in leaves."""
        self._left.add(namespace)
        self.send(Packet(DISCONNECT, namespace))

    def send(self, packet: Packet) -> None:
        """Queue a packet; raises LocalProtocolError for one that cannot be encoded."""
        self.engine.send(encode_message(self._client.parser.encode(packet)))


def checked_auth(value: object) -> dict[str, Any] | None:
    """What a CONNECT may carry; raises TypeError for anything else."""
    if value is not None and not isinstance(value, dict):
        raise TypeError(f"auth: expected a dict or None, got {value!r}")
    return cast("dict[str, Any] | None", value)


def event_name(packet: Packet) -> str:
    """A number as the name of an event is taken for its text."""
    name = packet.data[0]
    return name if isinstance(name, str) else str(name)


def refusal(data: Any) -> ConnectionRefused:
    """What a CONNECT_ERROR says: an object with `message` and perhaps `data`, or a text.

    An object of another form is not understood, and handed on whole.
    """
    if isinstance(data, str):
        return ConnectionRefused(data)
    message = data.get("message")
    if not isinstance(message, str):
        return ConnectionRefused("the server has refused the connection", data)
    return ConnectionRefused(message, data.get("data"))
