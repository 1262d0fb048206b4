"""For how long a broadcast to many holds the event loop: a task that only yields keeps the time.

`python -m benchmarks.stretch LOOP [COUNT]`; it is CPU time, so others on the machine count less.
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
from collections.abc import Awaitable, Callable
from functools import partial
from multiprocessing.synchronize import Event

import trio
import uvloop

from sansocket import asyncio_backend, trio_backend
from sansocket.sansio.socketio.app import App

HOST = "127.0.0.1"
ROUNDS = 5
WATCHED = 0.5
"""For how many seconds after each broadcast the loop is watched."""
HANDSHAKE = (
    b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: localhost\r\n"
    b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: YWFhYWFhYWFhYWFhYWFhYQ==\r\n\r\n"
)
CONNECT = b"\x81\x82\0\0\0\x0040"


def allow_files(count: int) -> None:
    """Let this process have so many connections, and a few files more."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(count + 100, most), most))


def listen(port: int, count: int, ready: Event) -> None:
    """Connect so many clients, and read what they get, until the process is ended."""
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
            clients[descriptor].recv(65_536)


async def watch(io: App, port: int, count: int, sleep: Callable[[float], Awaitable[None]]) -> None:
    """Broadcast, and print the longest stretch of each time in milliseconds."""
    ready = multiprocessing.Event()
    crowd = multiprocessing.Process(target=listen, args=(port, count, ready), daemon=True)
    crowd.start()
    while not ready.is_set():
        await sleep(0.05)
    gc.collect()
    gc.freeze()
    for _ in range(ROUNDS):
        end = time.monotonic() + WATCHED
        worst, last = 0.0, time.thread_time()
        io.emit("broadcast", "x" * 32)
        while time.monotonic() < end:
            await sleep(0)
            now = time.thread_time()
            worst, last = max(worst, now - last), now
        print(f"{1000 * worst:.1f}", flush=True)
    crowd.kill()


async def on_trio(count: int) -> None:
    """With the Trio server."""
    io = trio_backend.Server(ping_interval=1000.0)
    async with io.listening(HOST, 0) as bound:
        await watch(io, bound.port, count, trio.sleep)


async def on_asyncio(count: int) -> None:
    """With the asyncio server."""
    io = asyncio_backend.Server(ping_interval=1000.0)
    async with io.listening(HOST, 0) as bound:
        await watch(io, bound.port, count, partial(asyncio.sleep))


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("loop", choices=["trio", "asyncio", "uvloop"])
    parser.add_argument("count", nargs="?", type=int, default=10_000)
    arguments = parser.parse_args()
    allow_files(arguments.count)
    if arguments.loop == "trio":
        trio.run(on_trio, arguments.count)
    else:
        factory = uvloop.new_event_loop if arguments.loop == "uvloop" else None
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(on_asyncio(arguments.count))


if __name__ == "__main__":
    main()
