"""The one boundary between the protocol and what an application wrote, on either side.

Here handlers are called, what they return becomes the acknowledgement, and what they
raise is reported: it takes down neither a connection nor a server nor a client. This
module does not know whose sockets they are, nor what else happens to them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, Generic, TypeVar

from ..errors import EventRefused, LocalProtocolError
from ..failures import Failures, WrongArguments
from ..handlers import Handler, awaits
from ..mailbox import into_task
from ..runtime import Runtime
from .acks import Ack, Values
from .listeners import Registry

S = TypeVar("S")

INTERNAL_ERROR: Final = "Internal server error"
"""All that a peer is told of an exception in a handler or a middleware."""

Caller = tuple[Registry, Values]
"""Where handlers may be, and what they get before the arguments of an event."""


class Boundary(Generic[S]):
    """Calls the handlers of sockets of the class `S`."""

    __slots__ = ("failures",)

    def __init__(self, runtime: Runtime) -> None:
        self.failures: Failures[S] = Failures(runtime)

    async def handle_event(
        self, callers: Sequence[Caller], socket: S, name: str, args: Values, answer: Answer
    ) -> None:
        """Call the handlers of an event, those for any event first; raises no Exception."""
        for registry, before in callers:
            for handler in registry.any:
                await self.call(handler, (*before, name, *args), socket, name)
        for registry, before in callers:
            for handler in registry.events.get(name):
                try:
                    given = arguments(handler, before, name, args, answer)
                    if handler.once and not registry.events.take(name, handler):
                        continue
                    value = handler.function(*given)
                    if value is not None and awaits(value):
                        value = await (value if handler.is_async else self.outcome(value, socket))
                except Exception as error:
                    self.failed(error, socket, name, args, answer)
                else:
                    answer.returned(handler, value)
        self.finish(socket, name, args, answer)

    def finish(self, socket: S, name: str, args: Values, answer: Answer) -> None:
        """The handlers of an event have returned: send their answer; raises no Exception."""
        try:
            answer.finish()
        except Exception as error:
            self.failed(error, socket, name, args, answer)

    def failed(self, error: Exception, socket: S, name: str, args: Values, answer: Answer) -> None:
        """A handler has raised: tell the peer, where it waits, and report it."""
        if isinstance(error, EventRefused):
            self.refuse(error, socket, name, args, answer)
        else:
            answer.ack({"message": INTERNAL_ERROR})
            self.failures.report(error, socket, name, args)

    async def lifecycle(self, callers: Sequence[Caller], socket: S, name: str, *args: Any) -> None:
        """Call the handlers of what happens to a socket itself; raises no Exception."""
        for registry, before in callers:
            for handler in registry.events.get(name):
                if not handler.once or registry.events.take(name, handler):
                    await self.call(handler, (*before, *args), socket, name)

    async def call(self, handler: Handler, args: Values, socket: S, name: str) -> None:
        """Call a handler whose answer nobody waits for; raises no Exception."""
        try:
            if not handler.takes(len(args)):
                raise WrongArguments(f"{name!a} came with other arguments than its handler takes")
            waiting = handler.function(*args)
            if waiting is not None and awaits(waiting):
                await self.outcome(waiting, socket)
        except Exception as error:
            self.failures.report(error, socket, name, args)

    def refuse(
        self, refusal: EventRefused, socket: S, name: str, args: Values, answer: Answer
    ) -> None:
        """Tell the peer, where it waits, why its event is refused; raises no Exception."""
        try:
            answer.ack(told(refusal.message, refusal.data))
        except LocalProtocolError as error:
            answer.ack({"message": INTERNAL_ERROR})
            self.failures.report(error, socket, name, args)

    async def outcome(self, made: Awaitable[Any], socket: S) -> Any:
        """What comes of something that a function has made to be awaited; in a task."""
        if self.by_hand(socket):
            await into_task(made)
        return await made

    def by_hand(self, socket: S) -> bool:
        """Whether what is called now for this socket is called without a task."""
        return False


class Answer:
    """The acknowledgement of one event, whoever gives it.

    `reply` sends it; None where the peer has not asked for one.
    """

    __slots__ = ("_values", "ack")

    def __init__(self, reply: Callable[[Values], None] | None) -> None:
        self._values: Values | None = None
        self.ack: Ack = Ack(reply)

    def returned(self, handler: Handler, value: Any) -> None:
        """A handler without an Ack has returned; the first value that is not None counts."""
        if handler.special_at is None and not self._values:
            self._values = values_of(value)

    def finish(self) -> None:
        """All handlers are done; raises LocalProtocolError for what cannot be encoded."""
        if self._values is not None:
            self.ack(*self._values)


def values_of(value: Any) -> Values:
    """What is acknowledged where a handler has returned this."""
    if value is None:
        return ()
    several: Any = value  # narrowed, it would be a tuple of what nobody knows
    return several if isinstance(value, tuple) else (value,)


def arguments(handler: Handler, before: Values, name: str, args: Values, answer: Answer) -> Values:
    """What a handler is called with; raises WrongArguments when it takes less or more."""
    given: Values = (*before, *args)
    if handler.special_at is not None:
        place = handler.special_at
        if place > len(given):  # the Ack would stand where an argument is missing
            raise WrongArguments(f"{name!a} came with {len(args)} arguments")
        given = (*given[:place], answer.ack, *given[place:])
    if not handler.takes(len(given)):
        raise WrongArguments(f"{name!a} came with {len(args)} arguments")
    return given


def told(message: str, data: object) -> dict[str, object]:
    """How a refusal looks to the peer."""
    return {"message": message} if data is None else {"message": message, "data": data}
