"""The three loops that a client runs on, and what a test needs of them, the same for all.

The tests of this folder are coroutine functions that await our own client, and `Noted`: so
they stand here once, and know no loop.
"""

from __future__ import annotations

import asyncio
import gc
import inspect
import socket
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Final, TypeVar

import pytest
import trio
import uvloop
from support.loops import run_on

from sansocket import asyncio_backend, trio_backend
from sansocket.sansio.runtime import Resolve, Runtime
from sansocket.sansio.socketio.client.scope import Connecting, ScopedClient

T = TypeVar("T")

Main = Coroutine[Any, Any, None]

PATIENCE: Final = 60.0
"""Seconds until what does not come is an error."""


class Resolver(trio.abc.HostnameResolver):
    """Knows every name."""

    def __init__(self, addresses: Sequence[str]) -> None:
        self._addresses = addresses

    async def getaddrinfo(self, host: Any, port: Any, *args: Any, **options: Any) -> Any:
        """The addresses, as the system tells them; uvloop asks for those of an address too."""
        addresses = [host] if host in self._addresses else self._addresses
        family, kind = socket.AF_INET, socket.SOCK_STREAM
        return [(family, kind, 0, "", (address, port)) for address in addresses]

    async def getnameinfo(self, sockaddr: Any, flags: int) -> Any:
        """Nobody asks."""
        raise NotImplementedError


class Loop(ABC):
    """One of them: `connect` and `client` are those of its backend."""

    connect: Callable[..., Connecting]
    client: Callable[..., ScopedClient]

    @abstractmethod
    def run(self, main: Callable[[], Main]) -> None:
        """Run to the end; fails where a task is left behind, which Trio does not allow anyway."""

    @abstractmethod
    async def turn(self) -> None:
        """Let every other task take a step."""

    @abstractmethod
    def resolve(self, *addresses: str) -> None:
        """Let every name have these addresses, in this order; to be called where the loop runs."""

    @abstractmethod
    def hurry(self) -> None:
        """Run without debug mode from now on: for a test whose load would take too long."""

    @abstractmethod
    async def cancelled_when(
        self, function: Callable[[], Awaitable[None]], ready: Callable[[], Awaitable[None]]
    ) -> None:
        """Run a function, and cancel it when the other has returned."""


class TrioLoop(Loop):
    """Trio."""

    connect = trio_backend.connect
    client = trio_backend.Client

    def run(self, main: Callable[[], Main]) -> None:
        async def patient() -> None:
            with trio.fail_after(PATIENCE):
                await main()

        trio.run(patient)

    async def turn(self) -> None:
        await trio.lowlevel.checkpoint()

    def resolve(self, *addresses: str) -> None:
        trio.socket.set_custom_hostname_resolver(Resolver(addresses))

    def hurry(self) -> None:
        pass

    async def cancelled_when(
        self, function: Callable[[], Awaitable[None]], ready: Callable[[], Awaitable[None]]
    ) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(function)
            await ready()
            nursery.cancel_scope.cancel()


class AsyncioLoop(Loop):
    """asyncio's own loop, or uvloop."""

    connect = asyncio_backend.connect
    client = asyncio_backend.Client

    def __init__(self, factory: Callable[[], asyncio.AbstractEventLoop]) -> None:
        self._factory = factory

    def run(self, main: Callable[[], Main]) -> None:
        run_on(self._factory, main())

    async def turn(self) -> None:
        await asyncio.sleep(0)

    def resolve(self, *addresses: str) -> None:
        loop: Any = asyncio.get_running_loop()
        loop.getaddrinfo = Resolver(addresses).getaddrinfo

    def hurry(self) -> None:
        asyncio.get_running_loop().set_debug(False)

    async def cancelled_when(
        self, function: Callable[[], Awaitable[None]], ready: Callable[[], Awaitable[None]]
    ) -> None:
        async def run() -> None:
            await function()

        task = asyncio.create_task(run())
        await ready()
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()


LOOPS: Final = [
    pytest.param(TrioLoop(), id="trio"),
    pytest.param(AsyncioLoop(asyncio.new_event_loop), id="asyncio"),
    pytest.param(AsyncioLoop(uvloop.new_event_loop), id="uvloop"),
]


def on_every_loop(test: Callable[..., Main]) -> Callable[..., None]:
    """Make a test of a coroutine function, whose parameter `loop` is each of them in turn."""

    def run(*args: Any, loop: Loop, **kwargs: Any) -> None:
        gc.collect()
        loop.run(lambda: test(*args, loop=loop, **kwargs))
        gc.collect()  # what was never awaited or closed complains as it goes

    # What pytest asks of a function. Not `functools.wraps`: pytest would look behind it.
    run.__dict__.update(vars(test), __signature__=inspect.signature(test))
    run.__name__, run.__doc__, run.__module__ = test.__name__, test.__doc__, test.__module__
    marked: Callable[..., None] = pytest.mark.parametrize("loop", LOOPS)(run)
    return marked


class Noted:
    """What listeners were told, and a way to wait for it."""

    def __init__(self, runtime: Runtime) -> None:
        self.seen: list[Any] = []
        self._runtime = runtime
        self._lookers: list[Callable[[], None]] = []

    def note(self, *values: Any) -> None:
        """Note one value, or several together."""
        self.seen.append(values[0] if len(values) == 1 else values)
        for look in list(self._lookers):
            look()

    def named(self, name: str) -> Callable[..., None]:
        """A listener that notes a name before what it is told."""

        def listener(*values: Any) -> None:
            self.note(name, *values)

        return listener

    async def until(self, condition: Callable[[list[Any]], object]) -> None:
        """Wait until the condition holds for what was noted."""

        def start(resolve: Resolve[None]) -> Callable[[], None]:
            def look() -> None:
                if condition(self.seen):
                    resolve(None)

            self._lookers.append(look)
            look()
            return lambda: self._lookers.remove(look)

        await self._runtime.wait(start, PATIENCE)

    async def count(self, number: int) -> list[Any]:
        """What was noted, when it is so many."""
        await self.until(lambda seen: len(seen) >= number)
        return self.seen
