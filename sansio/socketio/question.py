"""A broadcast with acknowledgements: who is asked, who has answered, and who is still to.

Every socket keeps the books of what it owes (`acks.py`). A question to ten thousand is entered
there in portions, and struck out so; who looks at the books of one has that done for it first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol

from ..errors import LocalProtocolError, NotSent
from .acks import Collection, Pending
from .packet import EVENT

if TYPE_CHECKING:
    from .adapter import Selection
    from .namespace import Namespace
    from .socket import Socket

ANSWERED: Final = 4
"""As how many deliveries one counts that brings an answer, which is read in the turns after it."""

Done = Callable[[list[Any] | Exception], None]
"""Told, once, the answers of a broadcast, or an AckTimeout."""


class Question(Protocol):
    """A broadcast with acknowledgements: they are expected, and it is not sent yet."""

    def send(self) -> None:
        """Send it."""

    def forget(self) -> None:
        """Nobody wants the answers any more (rule 78)."""


class Unsettled:
    """The questions of one namespace that are not in all books yet, or not out of all."""

    __slots__ = ("_questions",)

    def __init__(self) -> None:
        self._questions: dict[LocalQuestion, None] = {}

    def __len__(self) -> int:
        return len(self._questions)

    def add(self, question: LocalQuestion) -> None:
        """The books of some sockets differ from what holds for it."""
        self._questions[question] = None

    def remove(self, question: LocalQuestion) -> None:
        """They differ no more."""
        self._questions.pop(question, None)

    def settle(self, socket: Socket) -> None:
        """Put the books of one socket in order, for they are about to be looked at."""
        for question in list(self._questions):
            question.settle(socket)

    def check(self, sockets: Sequence[Socket], limit: int) -> None:
        """Raise LocalProtocolError where one of these owes so many acknowledgements already."""
        for socket in sockets:
            # What is not in its books is at most this; only near the limit it is looked for.
            if len(socket.acks) + len(self._questions) >= limit:
                self.settle(socket)
                if len(socket.acks) >= limit:
                    raise LocalProtocolError(f"{limit} acknowledgements are pending already")


class LocalQuestion(Question):
    """Such a broadcast to sockets of one namespace on this server.

    All acknowledgements share one number, so the packet is one (rule 46). Raises
    LocalProtocolError where a recipient owes too many already; then nothing is expected.
    """

    def __init__(
        self,
        namespace: Namespace,
        sockets: list[Socket],
        selection: Selection,
        event: str,
        args: tuple[Any, ...],
        done: Done,
    ) -> None:
        self._namespace = namespace
        self._sockets = sockets
        self._selection = selection
        self._event = event
        self._args = args
        self._number = namespace.next_ack()
        self._encoded = namespace.encode(EVENT, (event, *args), self._number)
        self._encoded.compress = selection.compress
        namespace.unsettled.check(sockets, namespace.max_pending_acks)
        self._collection = Collection(len(sockets), done)
        self._pending = Pending(self._collection.answered, self._collection.failed)
        self._differ = set(sockets)
        """In whose books it is not yet; once it is over, in whose it may be still."""
        self._over = False
        """Whether it is to be struck out."""
        namespace.unsettled.add(self)

    def send(self) -> None:
        """Send it; whom a volatile one does not reach is not waited for."""
        seconds = self._selection.seconds
        if seconds is not None:
            self._collection.timer = self._namespace.after(seconds, self._expire)
        reached = self._namespace.send_to_all(
            self._sockets,
            self._encoded,
            self._event,
            self._args,
            volatile=self._selection.volatile,
            weight=ANSWERED,
        )
        if len(reached) < len(self._sockets):
            self._excuse(set(self._sockets).difference(reached))
        self._settle_all()
        self._collection.settle()

    def forget(self) -> None:
        """Nobody wants the answers any more."""
        if not self._collection.over:
            self._collection.cancel()
            self._strike_out()

    def settle(self, socket: Socket) -> None:
        """Enter it in the books of one socket, or strike it out, if that is still to be done."""
        if socket in self._differ:
            self._differ.remove(socket)
            if self._over:
                socket.acks.forget(self._number)
            else:
                socket.expect(self._number, self._pending)

    def _excuse(self, sockets: set[Socket]) -> None:
        """These have not been asked."""
        for socket in sockets:
            if socket in self._differ:
                self._differ.remove(socket)
                self._pending.failed(NotSent())
            else:
                socket.acks.fail(self._number, NotSent())

    def _expire(self, now: float) -> None:
        self._strike_out()
        self._collection.expire()

    def _strike_out(self) -> None:
        self._over = True
        self._differ = set(self._sockets)
        self._namespace.unsettled.add(self)
        self._settle_all()

    def _settle_all(self) -> None:
        self._namespace.portions.do(self._settle, self._sockets)

    def _settle(self, sockets: Sequence[Socket]) -> None:
        for socket in sockets:
            self.settle(socket)
        if not self._differ:
            self._namespace.unsettled.remove(self)
