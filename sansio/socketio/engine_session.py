"""The Engine.IO session below a Socket.IO client, as an application may see it.

It shows what is no secret, and what can do no harm to the protocol above: messages are
neither sent nor received here, and the session's id stays where it is (rule 97).
"""

from __future__ import annotations

from typing import Final, TypeVar

from ..config import Transport
from ..engineio.session import Session
from ..errors import Reason
from ..handlers import Function
from ..request import Request

F = TypeVar("F", bound=Function)


class EngineSession:
    """One client's session, which all of its namespaces share: `socket.conn`."""

    __slots__ = ("_session",)

    protocol: Final = 4
    """The revision of Engine.IO that it speaks."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def __repr__(self) -> str:
        state = "open" if self.connected else "closed"
        return f"<EngineSession {self.transport} {state}>"

    @property
    def transport(self) -> Transport:
        """What carries it now, or carried it last: "polling" or "websocket"."""
        return self._session.transport

    @property
    def request(self) -> Request:
        """The request of its handshake, without a body."""
        return self._session.request

    @property
    def connected(self) -> bool:
        """Whether it is not over."""
        return not self._session.over

    @property
    def backlog(self) -> int:
        """The bytes that wait for the client: see `max_backlog`."""
        return self._session.backlog

    def on(self, event: str, function: F) -> F:
        """Be told, at once, of what happens to it: the events of the engine, without the session.

        They are `packet`, `packet_create`, `flush`, `drain`, `heartbeat`, `upgrading`,
        `upgrade` and `close`. `function` is a plain function; what it raises is logged. Raises
        ValueError for an event that there is not, and TypeError for what cannot be called so.
        """
        return self._session.on(event, function)

    def off(self, event: str, function: Function) -> None:
        """Be told no more; raises ValueError for an event that there is not."""
        self._session.off(event, function)

    def close(self) -> None:
        """End it, after what was sent, and with it every namespace; no effect once it is over.

        No namespace is told before: that is `socket.disconnect(close=True)`.
        """
        self._session.close(Reason.FORCED_CLOSE)
