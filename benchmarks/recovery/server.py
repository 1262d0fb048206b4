"""Our server, which writes down every event, and some time later acknowledges it; it may be killed.

`python server.py trio|asyncio|uvloop PORT JOURNAL`. server.mjs is the same with npm's socket.io.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import trio
import uvloop

from sansocket import asyncio_backend, trio_backend
from sansocket.sansio.socketio.app import App
from sansocket.sansio.socketio.socket import Socket

HOST: Final = "127.0.0.1"
COMMIT: Final = 0.02
"""Seconds from the event in the journal to its acknowledgement, as with a database: whenever the
server is killed, it has events that its clients have to send again."""


class Journal:
    """What was received, once each, in a file that outlives the process (rule 88).

    A line is one write: the kernel has it, whole, or has nothing of it.
    """

    def __init__(self, path: Path) -> None:
        path.touch()
        self._lines = set(path.read_text().splitlines())
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND)

    def receive(self, client: str, number: int) -> bool:
        """Write an event down; returns whether it had not been received before."""
        line = f"{client} {number}"
        if line in self._lines:
            return False
        os.write(self._file, f"{line}\n".encode())
        self._lines.add(line)
        return True


def offer(io: App, journal: Path, sleep: Callable[[float], Awaitable[None]]) -> None:
    """Receive numbered events."""
    received = Journal(journal)

    @io.on("number")
    async def receive(socket: Socket, client: str, number: int) -> bool:
        first = received.receive(client, number)
        await sleep(COMMIT)
        return first


async def serve_trio(io: trio_backend.Server, port: int) -> None:
    """Serve until the program is ended."""
    async with io.listening(HOST, port) as bound:
        print("READY", bound.port, flush=True)
        await trio.sleep_forever()


async def serve_asyncio(io: asyncio_backend.Server, port: int) -> None:
    """Serve until the program is ended."""
    async with io.listening(HOST, port) as bound:
        print("READY", bound.port, flush=True)
        await asyncio.Event().wait()


def main(loop: str, port: str, journal: str) -> None:
    """Serve on a loop."""
    if loop == "trio":
        on_trio = trio_backend.Server()
        offer(on_trio, Path(journal), trio.sleep)
        trio.run(serve_trio, on_trio, int(port))
    else:
        on_asyncio = asyncio_backend.Server()
        offer(on_asyncio, Path(journal), asyncio.sleep)
        factory = uvloop.new_event_loop if loop == "uvloop" else None
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(serve_asyncio(on_asyncio, int(port)))


if __name__ == "__main__":
    main(*sys.argv[1:])
