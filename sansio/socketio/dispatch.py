"""From an event to the handlers, and from what they return to the acknowledgement.

The one boundary between the protocol and what the application wrote: a handler
that fails is reported, and takes down neither its connection nor the server.
"""

from __future__ import annotations

from typing import Any, Final

from ..errors import ConnectionRefused, EventRefused, LocalProtocolError
from ..failures import Failures, WrongArguments
from ..handlers import Handler
from ..runtime import Runtime
from .acks import Ack, Values
from .events import ConnectRequested, Disconnected, Event, EventReceived
from .listeners import Registry
from .socket import Socket, State

INTERNAL_ERROR: Final = "Internal server error"
"""All that a client is told of an exception in a handler or a middleware."""


class Dispatch:
    """Calls the handlers and the middleware of all namespaces."""

    __slots__ = ("failures",)

    def __init__(self, runtime: Runtime) -> None:
        self.failures: Failures[Socket] = Failures(runtime)

    # For the mailbox

    def waits(self, event: Event) -> bool:
        """Whether any function that the event concerns is a coroutine function."""
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
        most = namespace.concurrency
        for registry in registries_of(event.socket):
            for handler in registry.events.get(event.name):
                most = max(most, handler.concurrency)
        return most

    async def handle(self, event: Event) -> None:
        """Call the handlers; raises no Exception, and awaits only what waits in them."""
        if isinstance(event, EventReceived):
            await self._received(event)
        elif isinstance(event, ConnectRequested):
            await self._connect(event)
        else:
            await self._disconnected(event)

    def done(self, event: Event) -> None:
        """The handlers of an event have ended: its client may go on."""
        event.socket.held(False)

    # Events

    async def _received(self, event: EventReceived) -> None:
        socket, name = event.socket, event.name
        answer = Answer(event)
        if socket.listens and not await self._let_through(event, answer):
            return
        for registry, before in callers(socket):
            for handler in registry.any:
                await self._call(handler, (*before, name, *event.args), socket, name)
        for registry, before in callers(socket):
            for handler in registry.events.get(name):
                if handler.once and not registry.events.take(name, handler):
                    continue
                try:
                    value = handler.function(*arguments(handler, before, event, answer))
                    if handler.is_async:
                        value = await value
                except Exception as error:
                    answer.ack({"message": INTERNAL_ERROR})
                    self.failures.report(error, socket, name, event.args)
                else:
                    answer.returned(handler, value)
        try:
            answer.finish()
        except Exception as error:
            answer.ack({"message": INTERNAL_ERROR})
            self.failures.report(error, socket, name, event.args)

    async def _let_through(self, event: EventReceived, answer: Answer) -> bool:
        """Ask the socket's middleware; the client that waits is told of a refusal."""
        for middleware in event.socket.registry.middleware:
            try:
                waiting = middleware.function(event.name, event.args)
                if middleware.is_async:
                    await waiting
            except EventRefused as refusal:
                self._refuse_event(event, answer, told(refusal.message, refusal.data))
                return False
            except Exception as error:
                answer.ack({"message": INTERNAL_ERROR})
                self.failures.report(error, event.socket, event.name, event.args)
                return False
        return True

    def _refuse_event(self, event: EventReceived, answer: Answer, reason: object) -> None:
        try:
            answer.ack(reason)
        except LocalProtocolError as error:
            answer.ack({"message": INTERNAL_ERROR})
            self.failures.report(error, event.socket, event.name, event.args)

    # Connecting and disconnecting

    async def _connect(self, event: ConnectRequested) -> None:
        """Ask the middleware; the client may go before, and during any of its awaits (rule 64)."""
        socket = event.socket
        try:
            for middleware in socket.namespace.registry.middleware:
                if socket.state is not State.CONNECTING:
                    return
                waiting = middleware.function(socket, event.auth)
                if middleware.is_async:
                    await waiting
        except ConnectionRefused as refusal:
            self._refuse(socket, refusal.message, refusal.data)
        except Exception as error:
            self._refuse(socket, INTERNAL_ERROR)
            self.failures.report(error, socket, "connect", (event.auth,))
        else:
            if socket.state is State.CONNECTING:
                socket.accept()
                await self._lifecycle(socket, "connect")

    def _refuse(self, socket: Socket, message: str, data: object = None) -> None:
        if socket.state is State.CONNECTING:
            try:
                socket.refuse(message, data)
            except LocalProtocolError as error:
                self.failures.report(error, socket, "connect", ())

    async def _disconnected(self, event: Disconnected) -> None:
        await self._lifecycle(event.socket, "disconnecting", event.reason)
        await self._lifecycle(event.socket, "disconnect", event.reason)

    async def _lifecycle(self, socket: Socket, name: str, *args: Any) -> None:
        for registry, before in callers(socket):
            for handler in registry.events.get(name):
                if not handler.once or registry.events.take(name, handler):
                    await self._call(handler, (*before, *args), socket, name)

    async def _call(self, handler: Handler, args: Values, socket: Socket, name: str) -> None:
        """Call a handler whose answer nobody waits for."""
        try:
            if not handler.takes(len(args)):
                raise WrongArguments(f"{name!a} came with other arguments than its handler takes")
            waiting = handler.function(*args)
            if handler.is_async:
                await waiting
        except Exception as error:
            self.failures.report(error, socket, name, args)


class Answer:
    """The acknowledgement of one event, whoever gives it."""

    __slots__ = ("_event", "_values", "ack")

    def __init__(self, event: EventReceived) -> None:
        self._event = event
        self._values: Values | None = None
        self.ack = Ack(None if event.ack is None else self._reply)

    def _reply(self, values: Values) -> None:
        assert self._event.ack is not None
        self._event.socket.reply(self._event.ack, values)

    def returned(self, handler: Handler, value: Any) -> None:
        """A handler without an Ack has returned; the first value that is not None counts."""
        if handler.special_at is None and not self._values:
            if value is None:
                self._values = ()
            else:
                self._values = value if isinstance(value, tuple) else (value,)

    def finish(self) -> None:
        """All handlers are done; raises LocalProtocolError for what cannot be encoded."""
        if self._values is not None:
            self.ack(*self._values)


def registries_of(socket: Socket) -> list[Registry]:
    """Where handlers for a socket's events may be."""
    if socket.listens:
        return [socket.namespace.registry, socket.registry]
    return [socket.namespace.registry]


def callers(socket: Socket) -> list[tuple[Registry, Values]]:
    """The same, each with what its handlers get before the arguments of the event."""
    if socket.listens:
        return [(socket.namespace.registry, (socket,)), (socket.registry, ())]
    return [(socket.namespace.registry, (socket,))]


def arguments(handler: Handler, before: Values, event: EventReceived, answer: Answer) -> Values:
    """What a handler is called with; raises WrongArguments when it takes less or more."""
    args: Values = (*before, *event.args)
    if handler.special_at is not None:
        place = handler.special_at
        if place > len(args):  # the Ack would stand where an argument is missing
            raise WrongArguments(f"{event.name!a} came with {len(event.args)} arguments")
        args = (*args[:place], answer.ack, *args[place:])
    if not handler.takes(len(args)):
        raise WrongArguments(f"{event.name!a} came with {len(event.args)} arguments")
    return args


def told(message: str, data: object) -> dict[str, object]:
    """How a refusal looks to the client."""
    return {"message": message} if data is None else {"message": message, "data": data}
