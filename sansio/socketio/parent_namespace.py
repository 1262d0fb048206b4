"""Namespaces that are made when a client asks for them.

A parent decides by a pattern or a function; its children begin with its handlers and its
middleware, and what it emits reaches all of them.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ..errors import AckTimeout
from ..runtime import Runtime
from .adapter import Adapter, Selection
from .namespace import Namespace
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

    __slots__ = ("_children", "_decide")

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
            self._decide: Decide = lambda name, auth: pattern.fullmatch(name) is not None
            title = pattern.pattern
        else:
            self._decide = rule
            title = getattr(rule, "__name__", repr(rule))
        super().__init__(server, f"({title})", runtime, dispatch)
        self.adapter = ParentAdapter(self)

    @property
    def children(self) -> Mapping[str, Namespace]:
        """The namespaces that there are now, by their names."""
        return MappingProxyType(self._children)

    @property
    def waits(self) -> bool:
        """Whether the function that decides is a coroutine function."""
        return inspect.iscoroutinefunction(self._decide)

    async def accepts(self, name: str, auth: dict[str, Any]) -> bool:
        """Whether there shall be a namespace of this name; raises what the function raises."""
        answer = self._decide(name, auth)
        return bool(await answer if inspect.isawaitable(answer) else answer)

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

    def collect(
        self,
        selection: Selection,
        event: str,
        args: tuple[Any, ...],
        done: Callable[[list[Any] | Exception], None],
    ) -> Callable[[], None]:
        """Send an event in every child, and collect the answers of all."""
        children = list(self._parent.children.values())
        answers: list[Any] = []
        left = len(children)
        late = False

        def child_done(result: list[Any] | Exception) -> None:
            nonlocal left, late
            left -= 1
            if isinstance(result, AckTimeout):
                late = True
                answers.extend(result.responses)
            elif not isinstance(result, Exception):
                answers.extend(result)
            if left == 0:
                done(AckTimeout(answers) if late else answers)

        forgets = [child.adapter.collect(selection, event, args, child_done) for child in children]
        if not children:
            done(answers)

        def forget() -> None:
            for each in forgets:
                each()

        return forget
