"""What one socket of a client sends, and the acknowledgements that it is owed.

It knows what waits for the connection, what is under way and what is sent again. It does not
know why there is no connection, nor when there will be one.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import TYPE_CHECKING, Final

from ...engineio.encoded import encode_message
from ...errors import AckTimeout, Disconnected, LocalProtocolError, NotSent
from ...timers import Action, Timer
from ..acks import Acks, Pending, Values
from ..packet import Packet, Type
from .retries import Retries
from .send_buffer import Outgoing, SendBuffer

if TYPE_CHECKING:
    from .client import Client
    from .link import Link

SEPARATOR: Final = b"\x1e"
"""What no text may have in it, whatever carries it now; JSON never has."""

DRAINED: Final = 65_536
"""The backlog, in bytes, under which a server counts as having caught up."""


class Outbound:
    """The events of one namespace, on their way to the server.

    `told` is called with each event that goes out, when it does.
    """

    __slots__ = (
        "_acks",
        "_awaited",
        "_buffer",
        "_client",
        "_link",
        "_namespace",
        "_numbers",
        "_owed",
        "_owes",
        "_relieved",
        "_retries",
        "_told",
    )

    def __init__(self, client: Client, namespace: str, told: Callable[[str, Values], None]) -> None:
        config = client.config
        most, most_bytes = config.max_send_buffer, config.max_send_buffer_bytes
        self._client = client
        self._namespace = namespace
        self._told = told
        self._link: Link | None = None
        self._numbers = 0
        self._acks = Acks(config.max_pending_acks, self)
        self._owed = False
        """Whether acknowledgements are awaited, as `Acks` says."""
        self._owes = False
        """Whether the link has been told that the server owes some."""
        self._awaited: set[int] = set()
        """Numbers of acknowledgements that a task waits for."""
        self._buffer = SendBuffer(most, most_bytes)
        self._retries = Retries(self, config.retries, SendBuffer(most, most_bytes))
        self._relieved: list[Callable[[], None]] = []

    @property
    def connected(self) -> bool:
        """Whether an event can be sent now."""
        return self._link is not None

    @property
    def waiting(self) -> int:
        """How many events wait: for the connection, or to be acknowledged where they are
        sent again."""
        return len(self._buffer) + len(self._retries)

    @property
    def awaited(self) -> int:
        """How many acknowledgements are awaited, but for those of events that are sent again."""
        return len(self._acks)

    @property
    def drained(self) -> bool:
        """Whether the server has caught up."""
        return self._link is not None and not self.waiting and self._link.engine.backlog < DRAINED

    def emit(
        self,
        event: str,
        args: Values,
        pending: Pending | None = None,
        *,
        volatile: bool = False,
        timeout: float | None = None,
        compress: bool = True,
    ) -> int | None:
        """Send an event, now or when there is a connection.

        Returns the number of its acknowledgement, where one is awaited. Raises
        LocalProtocolError for what cannot be sent, or kept until it can; nothing is changed
        then.
        """
        config = self._client.config
        again = config.retries > 0 and not volatile
        seconds = config.ack_timeout if timeout is None else timeout
        number = self._numbers if again or pending is not None else None
        packet = Packet(Type.EVENT, self._namespace, [event, *args], number)
        encoded = encode_message(self._client.parser.encode(packet))
        encoded.compress = compress
        if encoded.text is not None and SEPARATOR in encoded.text:
            raise LocalProtocolError("text with U+001E in it cannot travel by polling")
        outgoing = Outgoing(event, args, encoded, number, pending, seconds)
        if again:
            self._retries.add(outgoing)
            self._settle_debt()
        elif volatile and self._link is None:
            if pending is not None:
                pending.failed(NotSent())
            return None
        else:
            self._send_or_keep(outgoing, volatile)
        if number is not None:
            self._numbers += 1
        return number if pending is not None else None

    def _send_or_keep(self, outgoing: Outgoing, volatile: bool) -> None:
        link, number, pending = self._link, outgoing.number, outgoing.pending
        if link is None:
            self._buffer.add(outgoing)
        if pending is not None and number is not None:
            try:
                self._acks.expect(number, pending)
            except LocalProtocolError:
                self._buffer.remove(number)
                raise
            if outgoing.seconds is not None and outgoing.seconds < inf:
                pending.timer = self.after(outgoing.seconds, lambda now: self._expire(number))
        if link is not None:
            if link.engine.writable or not volatile:
                self.transmit(outgoing)
            elif number is not None:
                self._acks.fail(number, NotSent())

    def _expire(self, number: int) -> None:
        """Rule 87: an event that waited for the connection in vain is not sent any more."""
        self._buffer.remove(number)
        self._acks.fail(number, AckTimeout([]))

    def transmit(self, outgoing: Outgoing) -> None:
        """Hand an event to the session."""
        assert self._link is not None
        # Before anyone is told: who is told may disconnect.
        self._link.engine.send(outgoing.encoded)
        self._told(outgoing.event, outgoing.args)

    def after(self, seconds: float, action: Action) -> Timer:
        """A deadline for an acknowledgement."""
        return self._client.timers.after(seconds, action)

    def acknowledged(self, number: int, values: Values) -> None:
        """The server has acknowledged; unknown and repeated numbers are ignored (rule 47)."""
        if not self._retries.acknowledged(number, values):
            self._acks.answer(number, values)

    def await_answer(self, number: int) -> None:
        """A task waits for this acknowledgement: it fails when the socket becomes inactive."""
        self._awaited.add(number)

    def unexpect(self, number: int) -> None:
        """Nobody waits for it any more: its event is not sent if it has not been."""
        self._awaited.discard(number)
        self._acks.drop(number)
        if self._buffer.remove(number) or self._retries.forget(number):
            self.relieved()

    def when_relieved(self, callback: Callable[[], None]) -> None:
        """Call back once, when there is less to send, or the connection has come or gone."""
        self._relieved.append(callback)
        if self._link is not None:
            self._link.engine.when_relieved(self.relieved)

    # What happens to the connection

    def open(self, link: Link) -> None:
        """The server has let the socket in: what has waited goes out, in its order."""
        self._link = link
        self._settle_debt()
        while self.connected and (outgoing := self._buffer.pop()) is not None:
            self.transmit(outgoing)
        self._retries.drain()
        self.relieved()

    def lost(self, reason: str) -> None:
        """The socket is not connected any more: what was sent is not acknowledged any more."""
        link, self._link = self._link, None
        if self._owes and link is not None:
            self._owes = False
            link.owe(False)
        self._acks.fail_all(Disconnected(reason), but=self._buffer)
        self._retries.lost(reason)
        self.relieved()

    def give_up(self, reason: str) -> None:
        """Nothing is done for the connection any more: no task waits for it in vain."""
        for number in list(self._awaited):
            pending = self._acks.drop(number) or self._retries.pending(number)
            self.unexpect(number)
            if pending is not None:
                pending.failed(Disconnected(reason))
        self.relieved()

    def relieved(self) -> None:
        """There is less to send, or the connection has come or gone."""
        self._settle_debt()
        relieved, self._relieved = self._relieved, []
        for callback in relieved:
            callback()

    # Acknowledgements that are owed

    def owe(self, owes: bool) -> None:
        """As the debtor of its acknowledgements: there are some now, or none any more."""
        self._owed = owes
        self._settle_debt()

    def _settle_debt(self) -> None:
        """While the server owes an acknowledgement it is read from, whatever waits."""
        link = self._link
        owes = link is not None and (self._owed or len(self._retries) > 0)
        if link is not None and owes is not self._owes:
            self._owes = owes
            link.owe(owes)
