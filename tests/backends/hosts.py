"""A server in a thread of its own, on any backend: what the tests see is its port.

A test talks to it over TCP, by blocking calls, and so is the same for every loop.
"""

from __future__ import annotations

import asyncio
import ssl
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Final, Literal, TypeVar

import trio
import uvloop
from interop.peers import Address, Polling, WebSocket

from sansocket import asyncio_backend, trio_backend
from sansocket.sansio.engineio.server import Engine
from sansocket.sansio.runtime import Resolve
from sansocket.sansio.socketio.app import App

T = TypeVar("T")

Backend = Literal["trio", "asyncio", "uvloop"]
BACKENDS: Final[tuple[Backend, ...]] = ("trio", "asyncio", "uvloop")

PATIENCE: Final = 60.0
"""Seconds until what does not come is an error."""


class Host(ABC):
    """One server, which serves from `start` to `stop`."""

    io: App

    def __init__(self) -> None:
        self.ssl_context: ssl.SSLContext | None = None
        """For encrypted connections; to be set before `start`."""
        self._listens = threading.Event()
        self._thread = threading.Thread(target=self._main, daemon=True)
        self._failure: BaseException | None = None
        self._clients: list[WebSocket | Polling] = []
        self.port = 0

    @property
    def engine(self) -> Engine:
        """The server's engine, with its tables."""
        return self.io.engine

    @property
    def address(self) -> Address:
        """Where it listens."""
        return Address(self.port, self.io.config.path)

    def start(self) -> None:
        """Listen; what is registered on `io` before is there for the first client."""
        self._thread.start()
        assert self._listens.wait(PATIENCE), self._failure
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """End it and its clients."""
        for client in self._clients:
            client.close()
        if self._thread.is_alive():
            self.run(self._end)
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()
        if self._failure is not None:
            raise self._failure

    def see(self, look: Callable[[], T], expected: T) -> None:
        """Wait until `look`, called in the server's thread, returns what is expected."""
        deadline = time.monotonic() + PATIENCE
        while (seen := self.run(look)) != expected:
            assert time.monotonic() < deadline, f"expected {expected!r}, got {seen!r}"

    # Clients

    def websocket(self, sid: str = "") -> WebSocket:
        """A WebSocket: with an open session, or for the one to be upgraded."""
        target = self.address.target(transport="websocket", sid=sid)
        websocket = WebSocket(self.address, target)
        self._clients.append(websocket)
        assert websocket.accepted
        if not sid:
            assert str(websocket.receive()).startswith("0")
        return websocket

    def polling(self) -> Polling:
        """A session by polling."""
        polling = Polling(self.address)
        self._clients.append(polling)
        return polling

    # What the backends differ in

    @abstractmethod
    def run(self, function: Callable[[], T]) -> T:
        """Call a function in the server's thread, and return what it returns."""

    @abstractmethod
    def _serve(self) -> None:
        """Serve until `_end` is called."""

    @abstractmethod
    def _end(self) -> None:
        """Called in the server's thread: serve no more."""

    def _main(self) -> None:
        try:
            self._serve()
        except BaseException as failure:
            self._failure = failure
        finally:
            self._listens.set()


class TrioHost(Host):
    """On Trio."""

    def __init__(self, **options: Any) -> None:
        super().__init__()
        self.server = trio_backend.Server(**options)
        self.io = self.server
        self._scope = trio.CancelScope()
        self._token: trio.lowlevel.TrioToken

    def run(self, function: Callable[[], T]) -> T:
        return trio.from_thread.run_sync(function, trio_token=self._token)

    def _serve(self) -> None:
        trio.run(self._listen)

    async def _listen(self) -> None:
        self._token = trio.lowlevel.current_trio_token()
        with self._scope:
            async with self.server.listening("127.0.0.1", 0, ssl_context=self.ssl_context) as bound:
                self.port = bound.port
                self._listens.set()
                await trio.sleep_forever()

    def _end(self) -> None:
        self._scope.cancel()


class AsyncioHost(Host):
    """On asyncio's own loop, or on uvloop."""

    def __init__(self, factory: Callable[[], asyncio.AbstractEventLoop], **options: Any) -> None:
        super().__init__()
        self.server = asyncio_backend.Server(**options)
        self.io = self.server
        self._factory = factory
        self._ended: asyncio.Event
        self._loop: asyncio.AbstractEventLoop

    def run(self, function: Callable[[], T]) -> T:
        async def call() -> T:
            return function()

        return asyncio.run_coroutine_threadsafe(call(), self._loop).result(PATIENCE)

    def _serve(self) -> None:
        with asyncio.Runner(loop_factory=self._factory) as runner:
            runner.run(self._listen())

    async def _listen(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._ended = asyncio.Event()
        async with self.server.listening("127.0.0.1", 0, ssl_context=self.ssl_context) as bound:
            self.port = bound.port
            self._listens.set()
            await self._ended.wait()

    def _end(self) -> None:
        self._ended.set()


def host_on(backend: Backend, **options: Any) -> Host:
    """A server of this backend, with these options."""
    if backend == "trio":
        return TrioHost(**options)
    factory = asyncio.new_event_loop if backend == "asyncio" else uvloop.new_event_loop
    return AsyncioHost(factory, **options)


class Gate:
    """What a handler waits for, on any loop, until the test opens it."""

    def __init__(self, io: App) -> None:
        self._io = io
        self._resolves: list[Resolve[None]] = []
        self._open = False

    async def wait(self) -> None:
        """Wait until it is open."""

        def start(resolve: Resolve[None]) -> Callable[[], None]:
            if self._open:
                resolve(None)
            else:
                self._resolves.append(resolve)
            return lambda: None

        await self._io.runtime.wait(start, None)

    def open(self) -> None:
        """Let everybody through; to be called in the server's thread."""
        self._open = True
        for resolve in self._resolves:
            resolve(None)
        self._resolves.clear()
