"""A Socket.IO client as an application sees it: one connection, and sockets for its namespaces.

A backend adds what a loop is needed for: connections, a clock and tasks.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, Final, TypeVar, Unpack

from ...client_config import checked_headers
from ...engineio.client.ends import EngineReceiver
from ...engineio.client.engine import ClientEngine
from ...engineio.client.requests import Headers
from ...engineio.client.url import parse_url
from ...failures import OnError
from ...handlers import KnownHandlers
from ...observable import Observable
from ...runtime import ClientRuntime, Resolve
from ..packet import namespace_fault
from ..parser import Parser
from ..parsers import chosen_parser
from .client import Client
from .config import ClientConfig, ClientOptions
from .link import Engine
from .namespace_class import ClientNamespaceClass
from .socket import ClientSocket

Hook = TypeVar("Hook", bound=OnError[ClientSocket])

AskUrl = Callable[[], str | Awaitable[str]]
"""A plain or a coroutine function that says where the server is."""

GRACE: Final = 10.0
"""For how many seconds `aclose` waits for what was emitted to go out, unless told."""


class ClientApp(Observable, Client):
    """One server, as its client: `connect` gives a socket in a namespace of it.

    `url` names the server; its path names the namespace that `connect` takes unless told, and
    its query goes with every request. `parser` is "json", "msgpack" or an object of your own;
    the other options are the fields of `ClientConfig`, times in seconds and sizes in bytes.
    Raises ValueError or TypeError for options that make no sense.

    `url` and `extra_headers` may be functions without arguments, plain or coroutine functions,
    that are asked before every attempt. What they raise, and what makes no sense, fails the
    attempt with a TransportError; so does one that has not answered at the end of the attempt's
    `timeout`, and it is cancelled then. The path of such a URL is no namespace.

    Its events are what happens to it as a whole, for plain or coroutine functions: `open`, `close`
    (reason, and what broke the connection), `error` (of an attempt), `ping` and `packet` (of the
    server); `reconnect_attempt` and `reconnect` (the number of the attempt), `reconnect_error`
    (the error), `reconnect_failed`.
    """

    def __init__(
        self,
        runtime: ClientRuntime,
        url: str | AskUrl,
        *,
        entropy: Callable[[int], bytes],
        parser: str | Parser = "json",
        **options: Unpack[ClientOptions],
    ) -> None:
        address = None if callable(url) else parse_url(url)
        super().__init__(
            ClientConfig(**options),
            chosen_parser(parser),
            runtime=runtime,
            entropy=entropy,
            dial=self._new_session,
        )
        self.engine: ClientEngine = ClientEngine(
            address,
            timers=self.timers,
            dial=runtime.dial,
            entropy=entropy,
            log=runtime.log,
        )
        """What carries it: the session of now, and the events of all."""
        self._namespace = "/" if address is None else address.path
        self._headers: Headers = ()
        if callable(url):
            self.questions.add("url", url, self._take_url)
        if callable(self.config.extra_headers):
            self.questions.add("extra_headers", self.config.extra_headers, self._take_headers)

    def __repr__(self) -> str:
        address = self.engine.address
        server = "nowhere yet" if address is None else address.target.authority
        return f"<{type(self).__name__} {server} {self.state.name.lower()}>"

    def _registered(self) -> KnownHandlers:
        return self.notices.handlers

    def _new_session(self, receiver: EngineReceiver) -> Engine:
        config = self.config
        if callable(config.extra_headers):
            config = replace(config, extra_headers=self._headers)
        return self.engine.new_session(config, receiver)

    def _take_url(self, url: Any) -> None:
        self.engine.move(parse_url(url))

    def _take_headers(self, headers: Any) -> None:
        self._headers = checked_headers(headers)

    # For the application

    @property
    def sockets(self) -> Mapping[str, ClientSocket]:
        """The active sockets, by their namespaces, as they are now."""
        return {name: member.socket for name, member in self.members.items()}

    def socket(self, namespace: str | None = None, *, auth: Any = None) -> ClientSocket:
        """A new socket for a namespace, not connected yet: for listeners that shall miss nothing.

        `auth` is a dict, or a plain or coroutine function without arguments that returns one
        and is called at every connection (rule 86). Raises ValueError for what is no name of a
        namespace, TypeError for an `auth` that cannot be.
        """
        name = self._namespace if namespace is None else namespace
        fault = namespace_fault(name)
        if "\x1e" in name:
            fault = "U+001E cannot travel by polling"
        if fault is not None:
            raise ValueError(f"namespace: {fault}, got {name!r}")
        return ClientSocket(self, name, auth)

    def register(self, instance: ClientNamespaceClass, *, auth: Any = None) -> ClientSocket:
        """A new socket, not connected yet, whose listeners are the methods of an instance.

        `auth` is as for `socket`. Raises ValueError or TypeError for methods that can be no
        listeners, and what `socket` raises.
        """
        socket = self.socket(instance.name, auth=auth)
        for event, method in instance.handlers().items():
            socket.on(event, method)
        instance.socket = socket
        return socket

    async def connect(
        self, namespace: str | None = None, *, auth: Any = None, retry: bool = False
    ) -> ClientSocket:
        """Connect to a namespace, and wait until the server has let the socket in.

        Raises ConnectionRefused when the server turns it away, with its `message` and `data`;
        TransportError or RemoteProtocolError when the first attempt fails, unless `retry`,
        with which they go on as they do when a connection is lost; LocalProtocolError when a
        socket of the namespace is active already; and what `socket` raises. When it raises, or
        is cancelled, the socket is disconnected.
        """
        socket = self.socket(namespace, auth=auth)
        socket.connect()
        try:
            await socket.until_connected(retry=retry)
        except BaseException:
            socket.disconnect()
            raise
        return socket

    def on_error(self, hook: Hook) -> Hook:
        """Register the function that gets every exception of a listener of a socket.

        It is called with the exception, the socket, the name of the event and its
        arguments; without one they go to the log of the name "sansocket".
        """
        self.failures.hook = hook
        return hook

    async def aclose(self, grace: float = GRACE) -> None:
        """Leave every namespace and close the connection in good order.

        What was emitted goes out first, for at most `grace` seconds; then, and when this is
        cancelled, the connections are cut. Afterwards nothing can be connected any more.
        """
        self.shut_down()
        self.deliver()
        timer = self.timers.after(grace, lambda now: self.abandon())

        def start(resolve: Resolve[None]) -> Callable[[], None]:
            return self.when_ended(lambda: resolve(None))

        try:
            await self.runtime.wait(start, None)
        finally:
            timer.cancel()
            self.abandon()
