"""A Socket.IO server as an application sees it: the main namespace, and all others.

A backend adds what a loop is needed for: sockets, a clock and tasks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeVar, Unpack, overload

from ..config import ServerConfig, ServerOptions
from ..engineio.server import Engine
from ..engineio.static import StaticFile
from ..failures import OnError
from ..handlers import awaits
from ..mailbox import TASK, finish, run_by_hand
from ..runtime import Runtime
from .adapter import Adapter
from .dispatch import Dispatch
from .events import EventReceived, NamespaceRequested
from .namespace import Namespace
from .namespace_class import NamespaceClass
from .parent_namespace import Decide, ParentNamespace
from .parser import Parser
from .parsers import chosen_parser
from .server import Server
from .socket import Socket

NewNamespace = TypeVar("NewNamespace", bound=Callable[[Namespace], object])
Hook = TypeVar("Hook", bound=OnError[Socket])


class App(Namespace):
    """The main namespace `/` of a server, and the way to the others.

    `parser` is "json", "msgpack" or an object of your own, `adapter` makes the adapter of
    each namespace; the other options are the fields of `ServerConfig`. Raises ValueError
    or TypeError for options that make no sense.
    """

    __slots__ = ("_new_namespace", "core")

    def __init__(
        self,
        runtime: Runtime,
        *,
        entropy: Callable[[int], bytes],
        parser: str | Parser = "json",
        adapter: Callable[[Namespace], Adapter] = Adapter,
        **options: Unpack[ServerOptions],
    ) -> None:
        config = ServerConfig(**options)
        self.core: Server = Server(
            config, chosen_parser(parser), runtime=runtime, entropy=entropy, adapter=adapter
        )
        self._new_namespace: list[Callable[[Namespace], object]] = []
        super().__init__(self.core, "/", runtime, Dispatch(runtime))
        self.core.namespaces["/"] = self
        self.core.at_once = self._dispatch.at_once

    @property
    def config(self) -> ServerConfig:
        """The options, as they were given and checked."""
        return self.core.config

    @property
    def static(self) -> dict[str, StaticFile]:
        """Files that are served beside Socket.IO, by path: a fixed table (security rule 33)."""
        return self.core.engine.static

    @overload
    def of(self, name: str) -> Namespace: ...
    @overload
    def of(self, name: re.Pattern[str] | Decide) -> ParentNamespace: ...
    def of(self, name: str | re.Pattern[str] | Decide) -> Namespace:
        """The namespace of that name, made when there is none; `of("/")` is the server itself.

        With a pattern (which has to match the whole name), or a function of a name and `auth`
        that says whether there shall be such a namespace, it is the parent of all that are
        made so when clients ask for them. Those that there are come first, then the parents
        in the order in which they were made (rule 66). Raises ValueError for what is no name
        of a namespace, and TypeError for what is none of the three.
        """
        if isinstance(name, str):
            return self._of_name(name)
        if not isinstance(name, re.Pattern) and not callable(name):
            raise TypeError(f"expected a name, a pattern or a function, got {name!r}")
        parent = ParentNamespace(self.core, name, self.runtime, self._dispatch)
        self.core.parents.append(parent)
        return parent

    def _of_name(self, name: str) -> Namespace:
        if not name.startswith("/") or "," in name:
            raise ValueError(f'a namespace begins with "/" and has no comma, got {name!r}')
        namespace = self.core.namespaces.get(name)
        if namespace is None:
            namespace = Namespace(self.core, name, self.runtime, self._dispatch)
            self.core.namespaces[name] = namespace
        return namespace

    @property
    def namespaces(self) -> Mapping[str, Namespace]:
        """All namespaces that there are now, by their names; those made for clients among them."""
        return MappingProxyType(self.core.namespaces)

    def delete_namespace(self, name: str) -> None:
        """Disconnect the sockets of a namespace, and forget it with what is registered on it.

        Who asks for it afterwards, or is not accepted yet, is refused with "Invalid namespace",
        unless `of` or a parent makes a new one of that name. No effect where there is none; raises
        ValueError for the main namespace.
        """
        if name == "/":
            raise ValueError("the main namespace cannot be deleted")
        namespace = self.core.namespaces.get(name)
        if namespace is not None:
            self.core.forget(namespace)
            namespace.local.disconnect_sockets()

    def register(self, instance: NamespaceClass) -> Namespace:
        """Make the methods of an instance the handlers of its namespace.

        Raises ValueError or TypeError for methods that can be no handlers.
        """
        namespace = self.of(instance.name)
        for event, method in instance.handlers().items():
            namespace.on(event, method)
        instance.namespace = namespace
        return namespace

    def on_new_namespace(self, hook: NewNamespace) -> NewNamespace:
        """Register a plain function that is called with every namespace that a client's asking
        has made."""
        self._new_namespace.append(hook)
        return hook

    def on_error(self, hook: Hook) -> Hook:
        """Register the function that gets every exception of a handler or middleware.

        It is called with the exception, the socket, the name of the event and its
        arguments; without one they go to the log of the name "sansocket". Raises TypeError for
        a coroutine function, and for one that takes other arguments.
        """
        self._dispatch.failures.hook = hook
        return hook

    # For the backend

    @property
    def engine(self) -> Engine:
        """What carries the connections, and knows the deadlines."""
        return self.core.engine

    def deliver(self) -> None:
        """Hand the events that have come to their handlers, each socket's in their order.

        What comes while a handler is called is handed over after that, also where the handler
        has this called again.
        """
        core = self.core
        if core.delivering:
            return
        core.delivering = True
        events, dispatch = core.events, self._dispatch
        try:
            while events:
                event = events.popleft()
                if isinstance(event, EventReceived):
                    socket, size = event.socket, event.size
                    if dispatch.at_once(socket, event.name, event.args, event.ack, size):
                        socket.connection.handled(size)
                        continue
                    if event.socket.deaf:
                        dispatch.done(event)
                        continue
                elif isinstance(event, NamespaceRequested):
                    self._look_for(event)
                    continue
                elif dispatch.passed_over(event):
                    continue
                event.socket.mailbox.put(event)
        finally:
            core.delivering = False

    def _look_for(self, event: NamespaceRequested) -> None:
        home = event.connection.session.peer.home
        if any(parent.waits for parent in self.core.parents):
            self.runtime.spawn(lambda: self._ask(event, by_hand=False), home)
        elif (rest := run_by_hand(self._ask(event, by_hand=True))) is not None:
            self.runtime.spawn(lambda: finish(rest), home)

    async def _ask(self, event: NamespaceRequested, *, by_hand: bool) -> None:
        """Ask the parents in their order; the client may go meanwhile."""
        connection, name = event.connection, event.name
        for parent in self.core.parents:
            try:
                accepted = parent.decide(name, event.auth)
                if awaits(accepted):
                    if by_hand:
                        await TASK
                        by_hand = False
                    accepted = await accepted
            except Exception as error:
                self.runtime.log(f"the function of a parent namespace failed for {name!a}", error)
                break
            if not connection.asks(name):
                return
            if accepted:
                is_new = name not in self.core.namespaces
                namespace = self.core.child(name, parent)
                if namespace is None:
                    break
                if is_new:
                    self._tell_new(namespace)
                connection.enter(name, namespace)
                return
        if connection.asks(name):
            connection.deny(name)

    def _tell_new(self, namespace: Namespace) -> None:
        for hook in self._new_namespace:
            try:
                hook(namespace)
            except Exception as error:
                self.runtime.log(f"on_new_namespace failed for {namespace!r}", error)
