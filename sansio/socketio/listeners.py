"""Registering handlers: the same methods on a namespace and on a socket.

This module does not know how a handler is called; `dispatch.py` does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Concatenate, Final, Literal, TypeVar, overload

from ..handlers import Function, Handler, Handlers
from .acks import Ack
from .packet import RESERVED

if TYPE_CHECKING:
    from .socket import Socket

F = TypeVar("F", bound=Function)

OfMiddleware = TypeVar("OfMiddleware", bound=Callable[["Socket", dict[str, Any]], object])
OfEventMiddleware = TypeVar("OfEventMiddleware", bound=Callable[[str, tuple[Any, ...]], object])
OfConnect = TypeVar("OfConnect", bound=Callable[["Socket"], object])
OfDisconnect = TypeVar("OfDisconnect", bound=Callable[["Socket", str], object])
OfEvent = TypeVar("OfEvent", bound=Callable[Concatenate["Socket", ...], object])

Lifecycle = Mapping[str, tuple[int, ...]]

LIFECYCLE: Final[Lifecycle] = {"disconnecting": (1,), "disconnect": (1,)}
"""Names that no client can send (rule 92), and how many arguments these events may have."""


class Registry:
    """What is registered on one namespace, or on one socket."""

    __slots__ = ("any", "any_outgoing", "events", "middleware")

    def __init__(self) -> None:
        self.events: Handlers = Handlers(special=Ack)
        self.any: tuple[Handler, ...] = ()
        self.any_outgoing: tuple[Handler, ...] = ()
        self.middleware: tuple[Handler, ...] = ()

    def copy(self) -> Registry:
        """The same, apart from this one from now on."""
        copy = Registry()
        copy.events = self.events.copy()
        copy.any, copy.any_outgoing = self.any, self.any_outgoing
        copy.middleware = self.middleware
        return copy

    def waits(self, name: str) -> bool:
        """Whether anything that an event of this name concerns is a coroutine function."""
        return self.events.wait(name) or any(handler.is_async for handler in self.any)

    @property
    def middleware_waits(self) -> bool:
        """Whether any middleware is a coroutine function."""
        return any(handler.is_async for handler in self.middleware)


class Listeners:
    """The methods that register and forget handlers.

    On a namespace a handler gets the socket first, and then what it would get on a
    socket: the arguments of the event. Those for any event get its name before those.
    """

    __slots__ = ()

    _before = 0
    """How many arguments come before those of the event."""
    _lifecycle: ClassVar[Lifecycle] = {}
    """The reserved names that happen here, and how many arguments these events may have."""

    @property
    def registry(self) -> Registry:
        """Where it is kept."""
        raise NotImplementedError

    def off(self, event: str | None = None, handler: Function | None = None) -> None:
        """Forget a handler, all of an event, or all there are; no effect where there is none."""
        self.registry.events.remove(event, handler)

    def event_names(self) -> list[str]:
        """The events that have a handler."""
        return self.registry.events.names()

    def listeners(self, event: str) -> list[Function]:
        """The handlers of an event, in the order in which they are called."""
        return [handler.function for handler in self.registry.events.get(event)]

    def on_any(self, handler: F) -> F:
        """Register a handler for every event that comes, before those of the event itself.

        It acknowledges nothing: an event with no handler of its own stays without an answer.
        """
        self.registry.any = (*self.registry.any, Handler(handler))
        return handler

    def prepend_any(self, handler: F) -> F:
        """The same, before all that are registered so far."""
        self.registry.any = (Handler(handler), *self.registry.any)
        return handler

    def off_any(self, handler: Function | None = None) -> None:
        """Forget a handler of `on_any`, or all of them."""
        self.registry.any = without(self.registry.any, handler)

    def listeners_any(self) -> list[Function]:
        """The handlers of `on_any`, in the order in which they are called."""
        return [handler.function for handler in self.registry.any]

    def on_any_outgoing(self, handler: F) -> F:
        """Register a plain function for every event that goes out, for each of its recipients.

        Acknowledgements are no events. Raises TypeError for a coroutine function: sending
        does not wait.
        """
        self.registry.any_outgoing = (*self.registry.any_outgoing, plain(handler))
        return handler

    def prepend_any_outgoing(self, handler: F) -> F:
        """The same, before all that are registered so far."""
        self.registry.any_outgoing = (plain(handler), *self.registry.any_outgoing)
        return handler

    def off_any_outgoing(self, handler: Function | None = None) -> None:
        """Forget a handler of `on_any_outgoing`, or all of them."""
        self.registry.any_outgoing = without(self.registry.any_outgoing, handler)

    def listeners_any_outgoing(self) -> list[Function]:
        """The handlers of `on_any_outgoing`, in the order in which they are called."""
        return [handler.function for handler in self.registry.any_outgoing]

    def _use(self, function: F) -> F:
        middleware = Handler(function)
        if not middleware.takes(2):
            raise TypeError(f"{function!r}: a middleware takes two arguments")
        self.registry.middleware = (*self.registry.middleware, middleware)
        return function

    def _register(
        self, event: str, handler: Function | None, *, once: bool, concurrency: int
    ) -> Any:
        """What `on` and `once` do; what they return is said there."""
        if event == "connection":
            raise ValueError("the event of a new socket is called 'connect', not 'connection'")
        if event in RESERVED and event not in self._lifecycle:
            raise ValueError(f"{event!r} is a reserved name, and never happens here")

        def register(function: Function) -> Function:
            counts = self._lifecycle.get(event)
            if counts is not None:
                taken = Handler(function).takes
                if not any(taken(self._before + count) for count in counts):
                    raise TypeError(f"{event}: {function!r} takes other arguments")
            self.registry.events.add(event, function, once=once, concurrency=concurrency)
            return function

        return register if handler is None else register(handler)


class NamespaceListeners(Listeners):
    """Handlers on a namespace: each gets the socket first."""

    __slots__ = ()

    _before = 1
    _lifecycle: ClassVar[Lifecycle] = {"connect": (0,), **LIFECYCLE}

    @overload
    def on(
        self, event: Literal["connect"], *, concurrency: int = 1
    ) -> Callable[[OfConnect], OfConnect]: ...
    @overload
    def on(
        self, event: Literal["disconnecting", "disconnect"], *, concurrency: int = 1
    ) -> Callable[[OfDisconnect], OfDisconnect]: ...
    @overload
    def on(self, event: str, *, concurrency: int = 1) -> Callable[[OfEvent], OfEvent]: ...
    @overload
    def on(
        self, event: Literal["connect"], handler: OfConnect, *, concurrency: int = 1
    ) -> OfConnect: ...
    @overload
    def on(
        self,
        event: Literal["disconnecting", "disconnect"],
        handler: OfDisconnect,
        *,
        concurrency: int = 1,
    ) -> OfDisconnect: ...
    @overload
    def on(self, event: str, handler: OfEvent, *, concurrency: int = 1) -> OfEvent: ...
    def on(self, event: str, handler: Function | None = None, *, concurrency: int = 1) -> Any:
        """Register a handler, as a decorator or with the handler as second argument.

        It gets the socket and the arguments of the event. What it returns acknowledges the
        event, where the client asks: a tuple for several values, None for none. `connect` has
        no arguments, `disconnecting` and `disconnect` have the reason. Events of one socket
        are handled one at a time; with `concurrency` so many of them may be in this handler
        at once.

        Raises ValueError for an event that cannot happen, and TypeError for what cannot be
        called so. `connection` is refused too: in JavaScript that is the name of what is
        `connect` here. A client may send an event of that name; `on_any` gets it.
        """
        return self._register(event, handler, once=False, concurrency=concurrency)

    @overload
    def once(self, event: str) -> Callable[[OfEvent], OfEvent]: ...
    @overload
    def once(self, event: str, handler: OfEvent) -> OfEvent: ...
    def once(self, event: str, handler: Function | None = None) -> Any:
        """Register a handler for the next such event only, of any socket; otherwise like `on`."""
        return self._register(event, handler, once=True, concurrency=1)


class SocketListeners(Listeners):
    """Handlers on a socket: each gets the arguments alone."""

    __slots__ = ()

    _lifecycle: ClassVar[Lifecycle] = LIFECYCLE

    @overload
    def on(self, event: str, *, concurrency: int = 1) -> Callable[[F], F]: ...
    @overload
    def on(self, event: str, handler: F, *, concurrency: int = 1) -> F: ...
    def on(self, event: str, handler: Function | None = None, *, concurrency: int = 1) -> Any:
        """Register a handler, as a decorator or with the handler as second argument.

        It gets the arguments of the event; otherwise like `Namespace.on`, after whose
        handlers it is called.
        """
        return self._register(event, handler, once=False, concurrency=concurrency)

    @overload
    def once(self, event: str) -> Callable[[F], F]: ...
    @overload
    def once(self, event: str, handler: F) -> F: ...
    def once(self, event: str, handler: Function | None = None) -> Any:
        """Register a handler for the next such event only; otherwise like `on`."""
        return self._register(event, handler, once=True, concurrency=1)


def plain(function: Function) -> Handler:
    """A handler that does not wait; raises TypeError for one that does."""
    handler = Handler(function)
    if handler.is_async:
        raise TypeError(f"{function!r}: expected a plain function, got a coroutine function")
    return handler


def without(handlers: tuple[Handler, ...], function: Function | None) -> tuple[Handler, ...]:
    """The handlers but those for this function, or but all of them."""
    return tuple(handler for handler in handlers if not handler.wraps(function))
