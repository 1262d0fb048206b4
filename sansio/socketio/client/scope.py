"""A client that lives in a block of `async with`: what a backend's client is made from.

This module does not know the loop: a backend says what runs for as long as the block does.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self, Unpack

from ...engineio.client.tunnel import Proxy, parse_proxy
from ...errors import LocalProtocolError
from ...runtime import ClientRuntime
from ..parser import Parser
from .app import AskUrl, ClientApp
from .config import ClientOptions
from .socket import ClientSocket

if TYPE_CHECKING:
    from ssl import SSLContext


class ConnectOptions(ClientOptions, total=False):
    """The options of a client in a backend."""

    parser: str | Parser
    proxy: str | None
    ssl_context: SSLContext | None


class ScopedRuntime(ClientRuntime, Protocol):
    """A backend, as the client of a block sees it."""

    def running(self) -> AbstractAsyncContextManager[None]:
        """Drive the client for as long as a block runs, and close it then."""
        ...


class MakesRuntime(Protocol):
    """The type of such runtimes."""

    def __call__(self, client: ScopedClient, /) -> ScopedRuntime:
        """One for a client."""
        ...


class ScopedClient(ClientApp):
    """A client of one server: `async with Client(url) as client`, then `client.connect`.

    `url` names the server: http, https, ws or wss; its path is the namespace that `connect`
    takes unless told. With https, `ssl_context` is used instead of `ssl.create_default_context()`.
    All connections go through `proxy` (a URL: http, socks4, socks4a, socks5, socks5h), or straight
    where it is None: the environment is not looked at. `parser` is "json", "msgpack" or an
    object of your own; the other options are the fields of `ClientConfig`, times in seconds and
    sizes in bytes. Raises ValueError or TypeError for options that make no sense, and
    ImportError for a proxy of SOCKS where there is no python-socks.

    None of its tasks outlives the block. Leaving it sends what was emitted, leaves every
    namespace, closes the connection, and lets listeners that still run finish; what has not
    ended after `GRACE` seconds is cut or cancelled. When the block is cancelled, or the leaving
    is, that is done at once. An exception of the block comes out as it is, in no group.
    """

    is_driven: bool = False
    runtime_type: ClassVar[MakesRuntime]
    """Of the backend."""
    _block: AbstractAsyncContextManager[None]

    def __init__(
        self,
        url: str | AskUrl,
        *,
        parser: str | Parser = "json",
        proxy: str | None = None,
        ssl_context: SSLContext | None = None,
        entropy: Callable[[int], bytes] = os.urandom,
        **options: Unpack[ClientOptions],
    ) -> None:
        self.proxy: Proxy | None = None if proxy is None else parse_proxy(proxy)
        self.ssl_context = ssl_context
        self._runtime = type(self).runtime_type(self)
        super().__init__(self._runtime, url, entropy=entropy, parser=parser, **options)

    @classmethod
    def connecting(
        cls,
        url: str | AskUrl,
        *,
        namespace: str | None = None,
        auth: Any = None,
        retry: bool = False,
        **options: Unpack[ConnectOptions],
    ) -> Connecting:
        """Connect to a namespace of a server: `async with connect(url) as socket`.

        `namespace` is that of the path of `url` unless given, mostly "/"; `auth` and `retry` are
        as in `Client.connect`, and the rest as in `Client`. Entering the block raises what these
        raise: ConnectionRefused when the server turns the socket away, TransportError when it
        cannot be reached, RemoteProtocolError when it breaks the protocol. Leaving it, and
        cancellation, are as with `Client`.
        """
        return Connecting(cls(url, **options), namespace, auth, retry)

    async def __aenter__(self) -> Self:
        """Begin to run, without connecting yet; raises LocalProtocolError the second time."""
        if self.is_driven or self.is_shut:
            raise LocalProtocolError("a client runs once: make another one")
        self.is_driven = True
        self._block = self._runtime.running()
        await self._block.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        """Close it: see the class."""
        return await self._block.__aexit__(kind, error, traceback)


class Connecting(AbstractAsyncContextManager[ClientSocket, bool | None]):
    """A client of its own for one socket: entering connects it, leaving ends the client."""

    def __init__(self, client: ScopedClient, namespace: str | None, auth: Any, retry: bool) -> None:
        self._client = client
        self._asked = namespace, auth, retry

    async def __aenter__(self) -> ClientSocket:
        """Connect; raises what `ClientApp.connect` raises, and then nothing runs any more.

        Nor does it when this is cancelled.
        """
        namespace, auth, retry = self._asked
        await self._client.__aenter__()
        try:
            return await self._client.connect(namespace, auth=auth, retry=retry)
        except BaseException as error:
            await self._client.__aexit__(type(error), error, error.__traceback__)
            raise

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        """End the client."""
        return await self._client.__aexit__(kind, error, traceback)
