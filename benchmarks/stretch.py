"""For how long what concerns many holds the event loop: a task that only yields keeps the time.

`python -m benchmarks.stretch LOOP [--count COUNT] [--case CASE ...]`; it is CPU time, so others on
the machine count less.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import multiprocessing
import resource
import select
import socket
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from functools import partial
from multiprocessing.synchronize import Event
from typing import Any

import trio
import uvloop

from sansocket import asyncio_backend, trio_backend
from sansocket.sansio.errors import AckTimeout
from sansocket.sansio.socketio.app import App

HOST = "127.0.0.1"
ROUNDS = 5
WATCHED = 1.0
"""For how many seconds after each broadcast the loop is watched."""
SETTLED = 0.2
"""For how many seconds it is left alone before."""
TEXT = "x" * 32
HANDSHAKE = (
    b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: localhost\r\n"
    b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: YWFhYWFhYWFhYWFhYWFhYQ==\r\n\r\n"
)
CONNECT = b"\x81\x82\0\0\0\x0040"
ASKED = b'["answer"'

Sleep = Callable[[float], Awaitable[None]]
Begin = Callable[[Coroutine[Any, Any, object]], Callable[[], object]]
"""Runs a coroutine in a task, and returns what cancels it."""


def allow_files(count: int) -> None:
    """Let this process have so many connections, and a few files more."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(count + 100, most), most))


def listen(port: int, count: int, ready: Event) -> None:
    """Connect so many clients; read what they get, and answer `answer`, until the process ends."""
    allow_files(count)
    clients: dict[int, socket.socket] = {}
    poll = select.epoll()
    for _ in range(count):
        client = socket.create_connection((HOST, port))
        client.sendall(HANDSHAKE)
        client.recv(4096)
        client.sendall(CONNECT)
        client.recv(4096)
        clients[client.fileno()] = client
        poll.register(client, select.EPOLLIN)
    ready.set()
    while True:
        for descriptor, _ in poll.poll():
            client = clients[descriptor]
            data = client.recv(65_536)
            if not data:
                poll.unregister(descriptor)
            asked = data.find(ASKED)
            if asked >= 0:
                number = data[data.rindex(b"42", 0, asked) + 2 : asked]
                answer = b"43" + number + b"[]"
                client.sendall(bytes((0x81, 0x80 + len(answer))) + bytes(4) + answer)


class Cases:
    """What is done to all clients: prepared, done after a `yield`, and cleaned up after another."""

    def __init__(self, io: App, begin: Begin) -> None:
        self._io = io
        self._begin = begin

    def plain(self) -> Iterator[None]:
        """A broadcast of 32 bytes."""
        yield
        self._io.emit("broadcast", TEXT)
        yield

    def excepted(self) -> Iterator[None]:
        """To all but a half of them."""
        sockets = list(self._io.sockets.values())
        for each in sockets[::2]:
            each.join("half")
        for each in sockets[1::2]:
            each.leave("half")
        yield
        self._io.except_("half").emit("broadcast", TEXT)
        yield

    def volatile(self) -> Iterator[None]:
        """A volatile one."""
        yield
        self._io.volatile.emit("broadcast", TEXT)
        yield

    def outgoing(self) -> Iterator[None]:
        """A listener of the namespace is told of what goes out."""

        def told(socket: object, event: str, *args: object) -> None:
            """Does nothing."""

        self._io.on_any_outgoing(told)
        yield
        self._io.emit("broadcast", TEXT)
        yield
        self._io.off_any_outgoing(told)

    def outgoing_own(self) -> Iterator[None]:
        """A listener of each socket is."""

        def told(event: str, *args: object) -> None:
            """Does nothing."""

        for each in self._io.sockets.values():
            each.on_any_outgoing(told)
        yield
        self._io.emit("broadcast", TEXT)
        yield
        for each in self._io.sockets.values():
            each.off_any_outgoing(told)

    def observer(self) -> Iterator[None]:
        """Observers of the engine are told of packets that are made, and that leave the queue."""

        def told(session: object, packet: object) -> None:
            """Does nothing."""

        self._io.engine.on("packet_create", told)
        self._io.engine.on("flush", told)
        yield
        self._io.emit("broadcast", TEXT)
        yield
        self._io.engine.off("packet_create", told)
        self._io.engine.off("flush", told)

    def ack(self) -> Iterator[None]:
        """With an acknowledgement from each, which comes."""
        answers: list[object] = []
        yield
        self._io.timeout(10.0).emit("answer", TEXT, ack=lambda error, came: answers.extend(came))
        while len(answers) < len(self._io.sockets):
            yield

    def emit_with_ack(self) -> Iterator[None]:
        """The same, awaited."""
        answers: list[object] = []

        async def ask() -> None:
            answers.extend(await self._io.timeout(10.0).emit_with_ack("answer", TEXT))

        yield
        self._begin(ask())
        while len(answers) < len(self._io.sockets):
            yield

    def timeout(self) -> Iterator[None]:
        """Nobody answers in time."""
        errors: list[object] = []
        yield
        self._io.timeout(0.3).emit("silent", TEXT, ack=lambda error, came: errors.append(error))
        yield
        [error] = errors
        assert isinstance(error, AckTimeout), error

    def cancelled(self) -> Iterator[None]:
        """Nobody answers, and who waits is cancelled."""
        cancel = self._begin(self._io.emit_with_ack("silent", TEXT))
        yield
        cancel()
        yield

    def join(self) -> Iterator[None]:
        """All enter two rooms."""
        yield
        self._io.sockets_join("first", "second")
        yield

    def leave(self) -> Iterator[None]:
        """All leave two rooms."""
        for each in self._io.sockets.values():
            each.join("first")
            each.join("second")
        yield
        self._io.sockets_leave("first", "second")
        yield

    def disconnect(self) -> Iterator[None]:
        """All are disconnected from the namespace; only once."""
        yield
        self._io.disconnect_sockets()
        yield

    def close(self) -> Iterator[None]:
        """All are disconnected with their connections; only once."""
        yield
        self._io.disconnect_sockets(close=True)
        yield


ONCE = ("disconnect", "close")
CASES = tuple(
    name for name, value in vars(Cases).items() if callable(value) and not name.startswith("_")
)


class Watch:
    """Keeps the longest stretch for which nobody but one had his turn, in CPU seconds."""

    def __init__(self, sleep: Sleep) -> None:
        self._sleep = sleep
        self.worst = 0.0

    async def turns(self, seconds: float, last: float) -> None:
        """Yield until that time is over; the first turn began at `last`."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            await self._sleep(0)
            now = time.thread_time()
            self.worst, last = max(self.worst, now - last), now


async def watch(
    io: App, port: int, count: int, names: list[str], sleep: Sleep, begin: Begin
) -> None:
    """Do each case a few times, and print the longest stretch of each time in milliseconds."""
    onces: list[str | None] = [name for name in names if name in ONCE]
    for once in onces or [None]:
        ready = multiprocessing.Event()
        crowd = multiprocessing.Process(target=listen, args=(port, count, ready), daemon=True)
        crowd.start()
        while not ready.is_set():
            await sleep(0.05)
        await sleep(1)
        gc.collect()
        gc.freeze()
        repeated = [name for name in names if name not in ONCE]
        names = [name for name in names if name in ONCE]
        for name in [*repeated, *([once] if once else [])]:
            found: list[str] = []
            for _ in range(1 if name in ONCE else ROUNDS):
                watched = Watch(sleep)
                case: Iterator[None] = getattr(Cases(io, begin), name)()
                next(case)
                await sleep(SETTLED)
                began = time.thread_time()
                next(case)
                await watched.turns(WATCHED, began)
                while next(case, case) is None:
                    await watched.turns(WATCHED, time.thread_time())
                await sleep(SETTLED)
                found.append(f"{1000 * watched.worst:.1f}")
            print(f"{name:15}", *found, flush=True)
        crowd.kill()
        crowd.join()
        await sleep(1)


async def on_trio(count: int, names: list[str]) -> None:
    """With the Trio server."""
    io = trio_backend.Server(ping_interval=1000.0)
    async with io.listening(HOST, 0) as bound, trio.open_nursery() as nursery:

        def begin(coroutine: Coroutine[Any, Any, object]) -> Callable[[], object]:
            scope = trio.CancelScope()

            async def run() -> None:
                with scope:
                    await coroutine

            nursery.start_soon(run)
            return scope.cancel

        await watch(io, bound.port, count, names, trio.sleep, begin)


async def on_asyncio(count: int, names: list[str]) -> None:
    """With the asyncio server."""
    io = asyncio_backend.Server(ping_interval=1000.0)
    async with io.listening(HOST, 0) as bound:

        def begin(coroutine: Coroutine[Any, Any, object]) -> Callable[[], object]:
            return asyncio.create_task(coroutine).cancel

        await watch(io, bound.port, count, names, partial(asyncio.sleep), begin)


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("loop", choices=["trio", "asyncio", "uvloop"])
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--case", action="append", choices=CASES, help="all of them, unless told")
    arguments = parser.parse_args()
    allow_files(arguments.count)
    names = arguments.case or list(CASES)
    if arguments.loop == "trio":
        trio.run(on_trio, arguments.count, names)
    else:
        factory = uvloop.new_event_loop if arguments.loop == "uvloop" else None
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(on_asyncio(arguments.count, names))


if __name__ == "__main__":
    main()
