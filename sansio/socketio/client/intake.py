"""What of one session waits for its listeners, and how far it is read on nevertheless.

This module does not know what waits: packets, events, whoever sent them.
"""

from __future__ import annotations

from typing import Protocol

from ...errors import Reason, RemoteProtocolError


class Holdable(Protocol):
    """A session that is not read from while too much is held."""

    def hold(self, count: int = 1) -> None:
        """So many messages wait for their handlers."""

    def release(self, count: int = 1) -> None:
        """So many messages that were held have been handled, or are to be held no longer."""


class Intake:
    """The messages of one session that wait; each holds it, so that none pile up (rule 98).

    While the peer owes an acknowledgement nothing is held: what a listener waits for may stand
    behind all this. Then `max_surplus` messages may wait beyond `max_inbound`, and
    `max_surplus_bytes`; a peer that sends more breaks the protocol.
    """

    __slots__ = (
        "_max_inbound",
        "_max_surplus",
        "_max_surplus_bytes",
        "_owing",
        "_session",
        "_surplus",
        "waiting",
    )

    def __init__(
        self, session: Holdable, *, max_inbound: int, max_surplus: int, max_surplus_bytes: int
    ) -> None:
        self.waiting: int = 0
        """How many messages wait for their listeners."""
        self._session = session
        self._max_inbound = max_inbound
        self._max_surplus = max_surplus
        self._max_surplus_bytes = max_surplus_bytes
        self._owing = 0
        self._surplus = 0

    def read(self, data: str | bytes) -> None:
        """A message has come; raises RemoteProtocolError at the bound."""
        if self.waiting <= self._max_inbound:
            self._surplus = 0
            return
        if isinstance(data, str):
            data = data.encode("utf-8", "surrogatepass")
        self._surplus += len(data)
        if (
            self._surplus > self._max_surplus_bytes
            or self.waiting - self._max_inbound > self._max_surplus
        ):
            raise RemoteProtocolError(
                "more events than may wait for their listeners",
                reason=Reason.RECEIVE_BUFFER_FULL,
                close_code=1008,
            )

    def wait(self) -> None:
        """A message waits for its listeners."""
        self.waiting += 1
        if not self._owing:
            self._session.hold()

    def handled(self) -> None:
        """One that waited has been handled."""
        self.waiting -= 1
        if not self._owing:
            self._session.release()

    def owe(self, owes: bool) -> None:
        """One more who owes acknowledgements, or one less."""
        self._owing += 1 if owes else -1
        if owes and self._owing == 1:
            self._session.release(self.waiting)
        elif not self._owing:
            self._session.hold(self.waiting)
