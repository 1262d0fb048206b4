"""The WebSocket transport of a client: it opens a session, or probes and takes one over.

This module does not know frames: the wire has them.
"""

from __future__ import annotations

import binascii
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from ...errors import Reason, RemoteProtocolError, TransportError
from ..encoded import Encoded, encode_control
from ..packet import Packet, Type
from ..websocket_transport import PULL
from .http import Answer
from .requests import MAX_SHOWN, refused
from .websocket import Agreed
from .wire import ClientWire

if TYPE_CHECKING:
    from .client import EngineClient

PING_PROBE: Final = encode_control(Packet(Type.PING, "probe"))
UPGRADE: Final = encode_control(Packet(Type.UPGRADE))
PROBE_ANSWER: Final = "3probe"
NORMAL_CLOSURE: Final = 1000
MESSAGE: Final = "websocket error"


class ClientWebSocketTransport:
    """One WebSocket, from its request on; with `probing` it has a session to take over."""

    __slots__ = ("_out", "_requests", "_session", "_wire", "close_code", "probing", "protocol")

    def __init__(self, session: EngineClient, *, probing: bool, now: float) -> None:
        self._session: EngineClient | None = session
        self._out: list[Encoded] = []
        self.probing: bool = probing
        """Whether polling still carries the session."""
        self.protocol: str | None = None
        """The subprotocol that the server has chosen."""
        self.close_code: int | None = None
        """Set when the WebSocket is to be closed, after what `outgoing` still has."""
        key = binascii.b2a_base64(session.entropy(16), newline=False).decode("ascii")
        self._wire: ClientWire = session.new_wire("websocket")
        self._requests = session.requests("websocket")
        self._wire.upgrade(self._requests.websocket(session.id, key, now), key, self)

    # For the session

    def ready(self) -> None:
        """The session's outbox has something."""
        self._wire.notify()

    def upgrade(self) -> None:
        """Take the session over, with all that waits in its outbox (rule 34)."""
        self.probing = False
        self._out.append(UPGRADE)
        self._wire.notify()

    def finish(self, close_code: int = NORMAL_CLOSURE) -> None:
        """The session goes on without it, or has ended: nothing more is received."""
        self._session = None
        if self.close_code is None:
            self.close_code = close_code
        if self._wire.switched:
            self._wire.notify()
        else:
            self._wire.close()

    def abort(self) -> None:
        """Close it at once: the server does not answer."""
        self._session = None
        self._wire.abort()

    # As the user of its wire

    def switched(self, agreed: Agreed, now: float) -> None:
        """The server has agreed."""
        self.protocol = agreed.protocol
        session = self._session
        if session is not None:
            session.websocket_worked = not self.probing
            if self.probing:
                self._out.append(PING_PROBE)
                self._wire.notify()

    def answered(self, answer: Answer, now: float) -> None:
        """The server has refused."""
        if self._session is not None:
            self._requests.keep(answer, now)
        self._failed(refused(MESSAGE, answer))

    def broken(self, error: Exception) -> None:
        """There is no connection, or the server has broken HTTP or WebSocket."""
        code = error.close_code if isinstance(error, RemoteProtocolError) else NORMAL_CLOSURE
        self.close_code = self.close_code or code
        failure = TransportError(MESSAGE, str(error) or repr(error), context=error)
        failure.__cause__ = error
        self._failed(failure)

    def disconnected(self) -> None:
        """The server has closed the WebSocket, or the connection is gone."""
        self.close_code = self.close_code or NORMAL_CLOSURE
        failure = TransportError(MESSAGE, "the server has closed the connection")
        self._failed(failure, Reason.TRANSPORT_CLOSE)

    def _failed(self, error: TransportError, reason: Reason = Reason.TRANSPORT_ERROR) -> None:
        session = self._session
        if session is not None and self.probing:
            session.withdraw(error)
        elif session is not None:
            session.transport_failed(reason, error)

    def receive(self, data: str | bytes, now: float) -> None:
        """A message has come."""
        session = self._session
        if session is None:
            return
        try:
            if not self.probing:
                session.receive(data, now)
            elif data == PROBE_ANSWER and session.probing:
                session.websocket_worked = True
                session.pause(now)
            else:  # rule 38
                wrong = f"expected an answer to the probe, got {data[:MAX_SHOWN]!a}"
                session.withdraw(TransportError("probe error", wrong))
        except RemoteProtocolError as error:
            session.fail(error)

    def outgoing(self) -> list[Encoded]:
        """What the server is to be sent next, about `PULL` bytes at once."""
        out, self._out = self._out, []
        session = self._session
        if session is not None and not self.probing and session.is_open:
            out += session.pull(PULL)
        return out

    @property
    def drained(self) -> bool:
        """Whether `outgoing` has nothing more."""
        return not self._out

    @property
    def congested(self) -> bool:
        """Whether the server should not be read from."""
        return self._session is not None and not self.probing and self._session.overrun

    def when_relieved(self, callback: Callable[[], None]) -> None:
        """Call back when `congested` may have changed; the session is there while it is true."""
        if self._session is not None:
            self._session.when_relieved(callback)
