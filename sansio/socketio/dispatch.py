"""From an event to the handlers and the middleware of a server.

How they are called, and where their exceptions end, is `boundary.py`'s matter.
"""

from __future__ import annotations

from collections.abc import Awaitable, Coroutine
from functools import partial
from types import CoroutineType
from typing import Any

from ..errors import ConnectionRefused, EventRefused, LocalProtocolError
from ..first_step import Rest
from ..handlers import Handler, awaits
from ..mailbox import TASK
from .boundary import INTERNAL_ERROR, Answer, Boundary, Caller, values_of
from .events import ConnectRequested, Disconnected, Event, EventReceived
from .listeners import Registry
from .namespace import INVALID_NAMESPACE
from .socket import Socket
from .states import State


class Dispatch(Boundary[Socket]):
    """Calls the handlers and the middleware of all namespaces."""

    __slots__ = ()

    def at_once(
        self, socket: Socket, name: str, args: tuple[Any, ...], ack: int | None, size: int
    ) -> bool:
        """Handle an event that is for one handler alone, and before which there is none; or say no.

        The same as `handle` by way of the mailbox does with it. The event is not counted among
        those that wait, unless something is left to do.
        """
        # An echo takes 1.4 us of all between the frames so, and 4.3 us by way of a coroutine
        # (CPython 3.11). test_dispatch_at_once.py holds the two ways equal.
        registry = socket.namespace.own
        handler = registry.events.only.get(name)
        if handler is None or registry.any or socket.own is not None:
            return False
        mailbox = socket.mailbox
        if mailbox.work is not None or socket.deaf:
            return False
        if not handler.least <= len(args) + 1 <= handler.most:
            return False
        if handler.is_async:
            event = EventReceived(socket, name, args, ack, size)
            workers = mailbox.workers
            if workers is None or not workers.lend(self._begin, self._occupy, event, handler):
                socket.connection.wait(size)
                limit = max(socket.namespace.concurrency, handler.concurrency)
                mailbox.begin(event, limit, partial(self._begin, event, handler))
            return True
        try:
            value = handler.function(socket, *args)
        except Exception as error:
            self._failed(EventReceived(socket, name, args, ack, size), error)
            return True
        if value is not None and awaits(value):
            event = EventReceived(socket, name, args, ack, size)
            socket.connection.wait(size)
            mailbox.go_on(event, self._awaited(event, value))
        elif ack is not None:
            self._acknowledge(EventReceived(socket, name, args, ack, size), ack, value)
        return True

    def passed_over(self, event: ConnectRequested | Disconnected) -> bool:
        """Let a socket in or go where there is no function that is told of it; or say no.

        The same as `handle` by way of the mailbox does with it.
        """
        # A connection takes 8 us less so (CPython 3.11). test_dispatch_at_once.py holds the two
        # ways equal.
        socket = event.socket
        registry = socket.namespace.registry
        if socket.own is not None or socket.mailbox.work is not None:
            return False
        if isinstance(event, ConnectRequested):
            if registry.middleware or registry.events.get("connect") or socket.namespace.deleted:
                return False
            if socket.state is State.CONNECTING:
                socket.accept()
        elif registry.events.get("disconnecting") or registry.events.get("disconnect"):
            return False
        socket.connection.handled()
        return True

    def _occupy(
        self, event: EventReceived, rest: Coroutine[Any, Any, None]
    ) -> Coroutine[Any, Any, None]:
        """It was begun at once, and waits: what its task has to do."""
        event.socket.connection.wait(event.size)
        return event.socket.mailbox.occupy(event, rest)

    async def _awaited(self, event: EventReceived, made: Awaitable[Any]) -> None:
        """A plain function has made something to be awaited."""
        await TASK
        await self._finish(event, made)

    def _begin(self, event: EventReceived, handler: Handler) -> Coroutine[Any, Any, None] | None:
        """The same by its coroutine function, in a task; what is left to do, if it waits.

        The same as `_finish` does with what the function has made.
        """
        # Most never wait: with coroutines around it an echo takes 0.6 us more (CPython 3.11).
        # test_dispatch_at_once.py holds the two equal.
        try:
            made = handler.function(event.socket, *event.args)
        except Exception as error:
            self._failed(event, error)
            return None
        value = made
        if made.__class__ is CoroutineType:
            try:
                trap = made.send(None)
            except StopIteration as end:
                value = end.value
            except Exception as error:
                self._failed(event, error)
                return None
            else:
                return self._finish(event, Rest(made, trap))
        elif awaits(made):
            return self._finish(event, made)
        if event.ack is not None:
            self._acknowledge(event, event.ack, value)
        return None

    async def _finish(self, event: EventReceived, made: Awaitable[Any]) -> None:
        """Await what the one handler of an event has made, and answer."""
        try:
            value = await made
        except Exception as error:
            self._failed(event, error)
        else:
            if event.ack is not None:
                self._acknowledge(event, event.ack, value)

    def _failed(self, event: EventReceived, error: Exception) -> None:
        """The one handler of an event has raised."""
        self.failed(error, event.socket, event.name, event.args, self._answer(event))

    def _acknowledge(self, event: EventReceived, number: int, value: Any) -> None:
        """The one handler of an event has returned: the same as by an Answer, without one."""
        try:
            event.socket.reply(number, values_of(value))
        except Exception as error:
            self._failed(event, error)

    def _answer(self, event: EventReceived) -> Answer:
        number = event.ack
        return Answer(None if number is None else partial(event.socket.reply, number))

    # For the mailbox

    def waits(self, event: Event) -> bool:
        """Whether any function that the event concerns is a coroutine function."""
        if isinstance(event, EventReceived) and (handler := alone(event)) is not None:
            return handler.is_async
        socket = event.socket
        registries = registries_of(socket)
        if isinstance(event, EventReceived):
            if socket.listens and socket.registry.middleware_waits:
                return True
            return any(registry.waits(event.name) for registry in registries)
        if isinstance(event, ConnectRequested):
            registry = socket.namespace.registry
            return registry.middleware_waits or registry.events.wait("connect")
        return any(registry.events.wait("disconnecting", "disconnect") for registry in registries)

    def concurrency(self, event: Event) -> int:
        """How many events of its socket may be in their handlers together with this one."""
        if not isinstance(event, EventReceived):
            return 1
        namespace = event.socket.namespace
        if (only := alone(event)) is not None:
            return max(namespace.concurrency, only.concurrency)
        most = namespace.concurrency
        for registry in registries_of(event.socket):
            for handler in registry.events.get(event.name):
                most = max(most, handler.concurrency)
        return most

    def handle(self, event: Event) -> Coroutine[Any, Any, None] | None:
        """Call the handlers; what is left to do raises no Exception, and awaits only theirs."""
        if isinstance(event, EventReceived):
            handler = alone(event)
            if handler is not None and handler.is_async:
                return self._begin(event, handler)
            return self._received(event)
        if isinstance(event, ConnectRequested):
            return self._connect(event)
        return self._disconnected(event)

    def done(self, event: Event) -> None:
        """The handlers of an event have ended: its client may go on."""
        size = event.size if isinstance(event, EventReceived) else 0
        event.socket.connection.handled(size)

    def last(self, event: Event) -> bool:
        """Whether it is the one that tells of the end of its socket."""
        return isinstance(event, Disconnected)

    def by_hand(self, socket: Socket) -> bool:
        """Whether what is called now for this socket is called without a task."""
        return not socket.mailbox.busy

    # Events

    async def _received(self, event: EventReceived) -> None:
        socket = event.socket
        answer = self._answer(event)
        if not socket.listens or await self._let_through(event, answer):
            await self.handle_event(callers(socket), socket, event.name, event.args, answer)

    async def _let_through(self, event: EventReceived, answer: Answer) -> bool:
        """Ask the socket's middleware; the client that waits is told of a refusal."""
        for middleware in event.socket.registry.middleware:
            try:
                waiting = middleware.function(event.name, event.args)
                if waiting is not None and awaits(waiting):
                    await self.outcome(waiting, event.socket)
            except EventRefused as refusal:
                self.refuse(refusal, event.socket, event.name, event.args, answer)
                return False
            except Exception as error:
                answer.ack({"message": INTERNAL_ERROR})
                self.failures.report(error, event.socket, event.name, event.args)
                return False
        return True

    # Connecting and disconnecting

    async def _connect(self, event: ConnectRequested) -> None:
        """Ask the middleware; the client may go before, and during any of its awaits (rule 64)."""
        socket = event.socket
        try:
            for middleware in socket.namespace.registry.middleware:
                if socket.state is not State.CONNECTING:
                    return
                waiting = middleware.function(socket, event.auth)
                if waiting is not None and awaits(waiting):
                    await self.outcome(waiting, socket)
        except ConnectionRefused as refusal:
            self._refuse(socket, refusal.message, refusal.data)
        except Exception as error:
            self._refuse(socket, INTERNAL_ERROR)
            self.failures.report(error, socket, "connect", (event.auth,))
        else:
            if socket.namespace.deleted:
                self._refuse(socket, INVALID_NAMESPACE)
            elif socket.state is State.CONNECTING:
                socket.accept()
                await self.lifecycle(callers(socket), socket, "connect")

    def _refuse(self, socket: Socket, message: str, data: object = None) -> None:
        if socket.state is State.CONNECTING:
            try:
                socket.refuse(message, data)
            except LocalProtocolError as error:
                self.failures.report(error, socket, "connect", ())

    async def _disconnected(self, event: Disconnected) -> None:
        socket = event.socket
        await self.lifecycle(callers(socket), socket, "disconnecting", event.reason)
        await self.lifecycle(callers(socket), socket, "disconnect", event.reason)


def alone(event: EventReceived) -> Handler | None:
    """The handler of an event, where to call it with its arguments is all there is to do."""
    socket = event.socket
    registry = socket.namespace.own
    handler = registry.events.only.get(event.name)
    if handler is None or registry.any or socket.own is not None:
        return None
    return handler if handler.least <= len(event.args) + 1 <= handler.most else None


def registries_of(socket: Socket) -> list[Registry]:
    """Where handlers for a socket's events may be."""
    if socket.listens:
        return [socket.namespace.registry, socket.registry]
    return [socket.namespace.registry]


def callers(socket: Socket) -> list[Caller]:
    """The same, each with what its handlers get before the arguments of the event."""
    if socket.listens:
        return [(socket.namespace.registry, (socket,)), (socket.registry, ())]
    return [(socket.namespace.registry, (socket,))]
