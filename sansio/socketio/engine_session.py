"""The Engine.IO session below a Socket.IO client, as an application may see it.

It shows what is no secret, and what can do no harm to the protocol above: messages are
neither sent nor received here, and the session's id stays where it is (rule 97).
"""

from __future__ import annotations

from typing import Final

from ..config import Transport
from ..engineio.session import Session
from ..errors import Reason
from ..observable import Observable
from ..observers import Observers
from ..request import Request


class EngineSession(Observable):
    """One client's session, which all of its namespaces share: `socket.conn`.

    Its events are those of the engine, without the session: `packet`, `packet_create`, `flush`,
    `drain`, `heartbeat`, `upgrading`, `upgrade` and `close`. They are for plain functions that
    are called at once; what they raise is logged.
    """

    __slots__ = ("_session",)

    protocol: Final = 4
    """The revision of Engine.IO that it speaks."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def __repr__(self) -> str:
        state = "open" if self.connected else "closed"
        return f"<EngineSession {self.transport} {state}>"

    def _registered(self) -> Observers:
        return self._session.own_observers

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

    def close(self) -> None:
        """End it, after what was sent, and with it every namespace; no effect once it is over.

        No namespace is told before: that is `socket.disconnect(close=True)`.
        """
        self._session.close(Reason.FORCED_CLOSE)
