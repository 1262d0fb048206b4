"""Namespaces that are made when a client asks for them.

A parent decides by a pattern or a function; its children begin with its handlers and its
middleware, and what it emits reaches all of them.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ..errors import AckTimeout, LocalProtocolError
from ..handlers import Handler
from ..runtime import Runtime
from .adapter import Adapter, Selection
from .namespace import Namespace
from .question import Done, Question
from .socket import Socket

if TYPE_CHECKING:
    from .dispatch import Dispatch
    from .server import Server

Decide = Callable[[str, dict[str, Any]], bool | Awaitable[bool]]


class ParentNamespace(Namespace):
    """What all namespaces of one pattern, or of one function, have in common.

    Handlers and middleware are copied into a child when it is made; what is registered on
    the parent later concerns the children made later. It has no sockets of its own.
    """

    __slots__ = ("_children", "decide", "waits")

    def __init__(
        self,
        server: Server,
        rule: re.Pattern[str] | Decide,
        runtime: Runtime,
        dispatch: Dispatch,
    ) -> None:
        self._children: dict[str, Namespace] = {}
        if isinstance(rule, re.Pattern):
            pattern = rule
            self.decide: Decide = lambda name, auth: pattern.fullmatch(name) is not None
            """Whether there shall be a namespace of this name: at once, or to be awaited."""
            self.waits: bool = False
            """Whether the function that decides is a coroutine function."""
            title = pattern.pattern
        else:
            handler = Handler(rule)
            if not handler.takes(2):
                raise TypeError(f"{rule!r}: expected a function of the name and auth")
            self.decide = rule
            self.waits = handler.is_async
            title = getattr(rule, "__name__", repr(rule))
        super().__init__(server, f"({title})", runtime, dispatch)
        self.adapter: Adapter = ParentAdapter(self)

    @property
    def children(self) -> Mapping[str, Namespace]:
        """The namespaces that there are now, by their names."""
        return MappingProxyType(self._children)

    def create(self, name: str) -> Namespace:
        """A child, with what is registered here so far."""
        child = Namespace(
            self._server, name, self.runtime, self._dispatch, self.registry.copy(), self
        )
        child.concurrency = self.concurrency
        self._children[name] = child
        return child

    def remove(self, name: str) -> None:
        """A child is empty, and is forgotten."""
        del self._children[name]


class ParentAdapter(Adapter):
    """Reaches the sockets of all children."""

    def __init__(self, namespace: ParentNamespace) -> None:
        super().__init__(namespace)
        self._parent = namespace

    def recipients(self, selection: Selection) -> list[Socket]:
        """The sockets of all children that are meant."""
        return [
            socket
            for child in self._parent.children.values()
            for socket in child.adapter.recipients(selection)
        ]

    def emit(self, selection: Selection, event: str, args: tuple[Any, ...]) -> None:
        """Send an event in every child: encoded once in each, for its name is in the packet."""
        for child in list(self._parent.children.values()):
            child.adapter.emit(selection, event, args)

    def sockets_join(self, selection: Selection, rooms: frozenset[str]) -> None:
        """Make those of every child enter rooms."""
        for child in list(self._parent.children.values()):
            child.adapter.sockets_join(selection, rooms)

    def sockets_leave(self, selection: Selection, rooms: frozenset[str]) -> None:
        """Make those of every child leave rooms."""
        for child in list(self._parent.children.values()):
            child.adapter.sockets_leave(selection, rooms)

    def ask(self, selection: Selection, event: str, args: tuple[Any, ...], done: Done) -> Question:
        """Prepare the same in every child; the answers of all are collected."""
        return Questions(list(self._parent.children.values()), selection, event, args, done)


class Questions(Question):
    """One question in several namespaces, with a number of its own in each."""

    def __init__(
        self,
        namespaces: list[Namespace],
        selection: Selection,
        event: str,
        args: tuple[Any, ...],
        done: Done,
    ) -> None:
        self._done = done
        self._answers: list[Any] = []
        self._late = False
        self._left = len(namespaces)
        self._parts: list[Question] = []
        try:
            for namespace in namespaces:
                part = namespace.adapter.ask(selection, event, args, self._part_done)
                self._parts.append(part)
        except LocalProtocolError:
            self.forget()
            raise

    def send(self) -> None:
        """Send it in all of them."""
        for part in self._parts:
            part.send()
        if not self._parts:
            self._done(self._answers)

    def forget(self) -> None:
        """Forget it in all of them."""
        for part in self._parts:
            part.forget()

    def _part_done(self, result: list[Any] | Exception) -> None:
        self._left -= 1
        if isinstance(result, AckTimeout):
            self._late = True
            self._answers.extend(result.responses)
        elif not isinstance(result, Exception):
            self._answers.extend(result)
        if self._left == 0:
            self._done(AckTimeout(self._answers) if self._late else self._answers)
