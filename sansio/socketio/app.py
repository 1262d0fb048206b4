"""A Socket.IO server as an application sees it: the main namespace, and all others.

A backend adds what a loop is needed for: sockets, a clock and tasks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar, Unpack

from ..config import ServerConfig, ServerOptions
from ..engineio.server import Engine
from ..engineio.static import StaticFile
from ..failures import OnError
from ..runtime import Runtime
from .dispatch import Dispatch
from .msgpack import MsgpackParser
from .namespace import Namespace
from .parser import JsonParser, Parser
from .server import Server
from .socket import Socket

Hook = TypeVar("Hook", bound=OnError[Socket])

PARSERS: Final[dict[str, Callable[[], Parser]]] = {"json": JsonParser, "msgpack": MsgpackParser}


class App(Namespace):
    """The main namespace `/` of a server, and the way to the others.

    `parser` is "json", "msgpack" or an object of your own; the other options are the
    fields of `ServerConfig`. Raises ValueError or TypeError for options that make no
    sense.
    """

    __slots__ = ("core",)

    def __init__(
        self,
        runtime: Runtime,
        *,
        entropy: Callable[[int], bytes],
        parser: str | Parser = "json",
        **options: Unpack[ServerOptions],
    ) -> None:
        if isinstance(parser, str):
            if parser not in PARSERS:
                raise ValueError(f"parser: expected one of {sorted(PARSERS)}, got {parser!r}")
            parser = PARSERS[parser]()
        config = ServerConfig(**options)
        self.core = Server(config, parser, rearm=runtime.rearm, entropy=entropy)
        super().__init__(self.core, "/", runtime, Dispatch(runtime))
        self.core.namespaces["/"] = self

    @property
    def config(self) -> ServerConfig:
        """The options, as they were given and checked."""
        return self.core.config

    @property
    def static(self) -> dict[str, StaticFile]:
        """Files that are served beside Socket.IO, by path: a fixed table (security rule 33)."""
        return self.core.engine.static

    def of(self, name: str) -> Namespace:
        """The namespace of that name, made when there is none; `of("/")` is the server itself.

        Raises ValueError for what is no name of a namespace.
        """
        if not name.startswith("/") or "," in name:
            raise ValueError(f'a namespace begins with "/" and has no comma, got {name!r}')
        namespace = self.core.namespaces.get(name)
        if namespace is None:
            namespace = Namespace(self.core, name, self.runtime, self._dispatch)
            self.core.namespaces[name] = namespace
        return namespace

    def on_error(self, hook: Hook) -> Hook:
        """Register the function that gets every exception of a handler or middleware.

        It is called with the exception, the socket, the name of the event and its
        arguments; without one they go to the log of the name "sansocket".
        """
        self._dispatch.failures.hook = hook
        return hook

    # For the backend

    @property
    def engine(self) -> Engine:
        """What carries the connections, and knows the deadlines."""
        return self.core.engine

    def deliver(self) -> None:
        """Hand the events that have come to their handlers, each socket's in their order."""
        while (event := self.core.next_event()) is not None:
            event.socket.mailbox.put(event)
