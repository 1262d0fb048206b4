"""From an event to the handlers, and from what they return to the acknowledgement.

The one boundary between the protocol and what the application wrote: a handler
that fails is reported, and takes down neither its connection nor the server.
"""

from __future__ import annotations

from typing import Any, Final

from ..errors import ConnectionRefused, LocalProtocolError
from ..failures import Failures, WrongArguments
from ..handlers import Handler
from ..runtime import Runtime
from .acks import Ack, Values
from .events import ConnectRequested, Disconnected, Event, EventReceived
from .socket import Socket, State

INTERNAL_ERROR: Final = "Internal server error"
"""All that a client is told of an exception in a handler or a middleware."""


class Dispatch:
    """Calls the handlers and the middleware of all namespaces."""

    __slots__ = ("failures",)

    def __init__(self, runtime: Runtime) -> None:
        self.failures: Failures[Socket] = Failures(runtime)

    def waits(self, event: Event) -> bool:
        """Whether any function that the event concerns is a coroutine function."""
        namespace = event.socket.namespace
        if isinstance(event, EventReceived):
            return namespace.handlers.wait(event.name)
        if isinstance(event, ConnectRequested):
            return namespace.middleware_waits or namespace.handlers.wait("connect")
        return namespace.handlers.wait("disconnecting", "disconnect")

    async def handle(self, event: Event) -> None:
        """Call the handlers; raises no Exception, and awaits only what waits in them."""
        if isinstance(event, EventReceived):
            await self._received(event)
        elif isinstance(event, ConnectRequested):
            await self._connect(event)
        else:
            await self._disconnected(event)

    # Events

    async def _received(self, event: EventReceived) -> None:
        answer = Answer(event)
        for handler in event.socket.namespace.handlers.get(event.name):
            try:
                value = handler.function(*self._arguments(handler, event, answer))
                if handler.is_async:
                    value = await value
            except Exception as error:
                self._failed(error, event, answer)
            else:
                answer.returned(handler, value)
        answer.finish()

    def _arguments(self, handler: Handler, event: EventReceived, answer: Answer) -> Values:
        args: Values = (event.socket, *event.args)
        if handler.special_at is not None:
            place = handler.special_at
            args = (*args[:place], answer.ack, *args[place:])
        if not handler.takes(len(args)):
            raise WrongArguments(f"{event.name!a} came with {len(event.args)} arguments")
        return args

    def _failed(self, error: Exception, event: EventReceived, answer: Answer) -> None:
        """An exception in a handler: the client that waits is told, without details."""
        answer.ack({"message": INTERNAL_ERROR})
        self.failures.report(error, event.socket, event.name, event.args)

    # Connecting and disconnecting

    async def _connect(self, event: ConnectRequested) -> None:
        """Ask the middleware; the client may go before, and during any of its awaits (rule 64)."""
        socket = event.socket
        try:
            for middleware in socket.namespace.middleware:
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
        for handler in socket.namespace.handlers.get(name):
            try:
                waiting = handler.function(socket, *args)
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
        """All handlers are done: acknowledge, and let the client go on."""
        if self._values is not None:
            self.ack(*self._values)
        self._event.socket.held(False)
