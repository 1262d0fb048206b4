"""Where one socket of a client stands with its server: asked for, let in, gone, and why.

It outlives connections: a socket is connected again and again. This module does not know how
a message travels, nor when the connection is tried again: it asks its client.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ...errors import Disconnected, LocalProtocolError, Reason, RemoteProtocolError, TransportError
from ...handlers import Handler
from ...runtime import Resolve
from ...timers import Timer
from ...transitions import next_state
from ..acks import Values
from . import events as events
from .inbox import Inbox
from .link import Auth, Link, checked_auth
from .outbound import Outbound
from .states import SOCKET_TRANSITIONS, SocketInput, SocketState

if TYPE_CHECKING:
    from .client import Client
    from .socket import ClientSocket


class Membership:
    """A socket of a client, as its client and the link have it."""

    __slots__ = (
        "_auth",
        "_client",
        "_joining",
        "_offset",
        "_pid",
        "_received",
        "_received_bytes",
        "_timer",
        "attempt",
        "id",
        "inbox",
        "namespace",
        "outbound",
        "reason",
        "recovered",
        "socket",
        "state",
        "stay",
    )

    def __init__(self, client: Client, socket: ClientSocket, auth: Any) -> None:
        self.socket: ClientSocket = socket
        self.namespace: str = socket.namespace
        self.auth = auth
        self.id: str | None = None
        self.recovered: bool = False
        self.reason: str | None = None
        self.state: SocketState = SocketState.INACTIVE
        self.stay: events.Stay | None = None
        """The one that it is in, while it is connected."""
        self.attempt: object = None
        """Which CONNECT it waits for: a new one each time."""
        self.outbound: Outbound = Outbound(client, self.namespace, socket.notify_outgoing)
        self.inbox: Inbox = Inbox(
            client.config.max_receive_buffer,
            client.config.max_receive_buffer_bytes,
            client.runtime.log,
        )
        self._client = client
        self._received: list[tuple[str, Values, int | None, int]] = []
        self._received_bytes = 0
        self._timer: Timer | None = None
        self._joining: dict[object, tuple[Resolve[None], bool]] = {}
        self._pid: str | None = None
        self._offset: str | None = None

    def step(self, what: SocketInput) -> None:
        """Change the state by the table, the one assignment to it; raises LocalProtocolError."""
        self.state = next_state(SOCKET_TRANSITIONS, self.state, what, LocalProtocolError)

    @property
    def connected(self) -> bool:
        """Whether the server has let it in, and it has not been disconnected since."""
        return self.state is SocketState.CONNECTED

    @property
    def active(self) -> bool:
        """Whether anything is done for its connection."""
        return self.state is not SocketState.INACTIVE

    @property
    def auth(self) -> Auth:
        """What the server is told at every CONNECT, or the function that is asked then."""
        return self._auth

    @auth.setter
    def auth(self, auth: Any) -> None:
        self._auth: Auth = Handler(auth) if callable(auth) else checked_auth(auth)
        if isinstance(self._auth, Handler) and not self._auth.takes(0):
            raise TypeError(f"auth: expected a function without arguments, got {auth!r}")

    def wait(self, resolve: Resolve[None], retry: bool) -> Callable[[], None]:
        """Call `resolve` once it is connected, or with why not; what is returned forgets it."""
        key = object()
        if self.connected:
            resolve(None)
        elif not self.active:
            resolve(Disconnected("the socket is not active"))
        else:
            self._joining[key] = (resolve, retry)

        def forget() -> None:
            self._joining.pop(key, None)

        return forget

    def disconnect(self) -> None:
        """The application leaves; no effect when not active."""
        if self.stay is not None:
            self.stay.left = True
            if self._client.link is not None:
                self._client.link.leave(self.namespace)
        if self.active:
            self.leave(str(Reason.IO_CLIENT_DISCONNECT))

    def begin(self) -> None:
        """It is to be connected."""
        self.step(SocketInput.CONNECT)
        self.inbox.is_open = True

    def asking(self) -> None:
        """The server is about to be asked."""
        self.step(SocketInput.ASK)
        self.attempt = object()
        self._timer = self._client.timers.after(self._client.config.timeout, self._late)

    @property
    def recovery(self) -> dict[str, Any]:
        """What asks the server to go on with the session before (rule 79)."""
        if self._pid is None:
            return {}
        return {"pid": self._pid} | ({} if self._offset is None else {"offset": self._offset})

    def received(self, name: str, args: Values, ack: int | None, size: int) -> None:
        """An event of so many bytes has come; before the answer to CONNECT it waits for that.

        Raises RemoteProtocolError at the bounds.
        """
        if self.stay is not None:
            self._tell_received(self.stay, name, args, ack, size)
            return
        config = self._client.config
        self._received_bytes += size
        if self._received and (
            len(self._received) >= config.max_receive_buffer
            or self._received_bytes > config.max_receive_buffer_bytes
        ):
            raise RemoteProtocolError("too many events before the answer to CONNECT")
        self._received.append((name, args, ack, size))

    def acknowledged(self, number: int, values: Values) -> None:
        """The server has acknowledged an event; one that it has not got it cannot."""
        if self.connected:
            self.outbound.acknowledged(number, values)

    def accepted(self, link: Link, sid: str, pid: str | None) -> None:
        """The server has let it in."""
        self.step(SocketInput.ACCEPT)
        received = self._received
        self._settle()
        self.id = sid
        self.recovered = pid is not None and pid == self._pid
        if not self.recovered:
            self._offset = None
        self._pid = pid
        stay = self.stay = events.Stay(link)
        self._client.tell(events.Connected(self.socket))
        for event in received:
            self._tell_received(stay, *event)
        self.outbound.open(link)
        self._joined(None, final=True)

    def refused(self, error: Exception) -> None:
        """It is not let in: nothing is done about it any more (rule 84)."""
        self._pid = None
        self._client.stop(self)
        self.failed(error, final=True)

    def failed(self, error: Exception, *, final: bool) -> None:
        """An attempt has failed, or the connection was lost before it was let in."""
        if final:
            self.step(SocketInput.LEAVE)
        elif self.state is SocketState.CONNECTING:
            self.step(SocketInput.LOSE)
        self._settle()
        self._client.tell(events.ConnectFailed(self.socket, error, final))
        self._joined(error, final=final)
        if final:
            self.outbound.give_up(str(error))

    def lost(self, reason: str, details: Exception | None, *, final: bool) -> None:
        """The connection is gone."""
        self.step(SocketInput.LEAVE if final else SocketInput.LOSE)
        self._depart(reason, details, final)

    def leave(self, reason: str) -> None:
        """One side has left the namespace."""
        was_connected = self.connected
        self.step(SocketInput.LEAVE)
        self._pid = None
        self._client.stop(self)
        self._settle()
        if was_connected:
            self._depart(reason, None, final=True)
        else:
            self.reason = reason
            self.inbox.close()
            self.outbound.give_up(reason)
        self._joined(Disconnected(reason), final=True)

    def _depart(self, reason: str, details: Exception | None, final: bool) -> None:
        self.stay = None
        self.id = None
        self.reason = reason
        self.outbound.lost(reason)
        if final:
            self.outbound.give_up(reason)
        self._client.tell(events.Disconnected(self.socket, reason, details, final))

    def _tell_received(
        self, stay: events.Stay, name: str, args: Values, ack: int | None, size: int
    ) -> None:
        if self._pid is not None and args and isinstance(args[-1], str):
            self._offset = args[-1]
        stay.intake.wait(size)
        self._client.tell_received(events.EventReceived(self.socket, name, args, ack, stay, size))

    def _settle(self) -> None:
        """The server is not asked any more, or has answered."""
        self.attempt = None
        self._received = []
        self._received_bytes = 0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _late(self, now: float) -> None:
        """The server has not answered the CONNECT; it still may."""
        seconds = self._client.config.timeout
        error = TransportError("timeout", f"no answer to the CONNECT in {seconds} seconds")
        self._client.tell(events.ConnectFailed(self.socket, error, final=False))
        self._joined(error, final=False)

    def _joined(self, error: Exception | None, *, final: bool) -> None:
        """Tell those who wait for the connection."""
        for key, (resolve, retry) in list(self._joining.items()):
            if final or not retry:
                del self._joining[key]
                resolve(error)
