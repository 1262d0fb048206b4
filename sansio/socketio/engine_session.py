"""The Engine.IO session below a Socket.IO client, as an application may see it.

It shows what is no secret, and what can do no harm to the protocol above: messages are
neither sent nor received here, and the session's id stays where it is (rule 97).
"""

from __future__ import annotations

from ..engineio.session_view import SessionView


class EngineSession(SessionView):
    """One client's session, which all of its namespaces share: `socket.conn`.

    Its events are those of the engine, without the session: `packet`, `packet_create`, `flush`,
    `drain`, `heartbeat`, `upgrading`, `upgrade` and `close`. They are for plain functions that
    are called at once; what they raise is logged.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        state = "open" if self.connected else "closed"
        return f"<EngineSession {self.transport} {state}>"

    @property
    def backlog(self) -> int:
        """The bytes that wait for the client: see `max_backlog`."""
        return self._session.backlog

    def close(self) -> None:
        """End it, after what was sent, and with it every namespace; no effect once it is over.

        No namespace is told before: that is `socket.disconnect(close=True)`.
        """
        super().close()
