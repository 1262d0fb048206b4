"""Servers on asyncio that several tests use."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Unpack

from sansocket.asyncio_backend import Server, Socket
from sansocket.sansio.config import ServerOptions
from support.loops import until
from support.network_client import HOST
from support.servers import echoing


def listens(port: int) -> bool:
    """Whether somebody listens to a port."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()]
    return any(line[1].endswith(f":{port:04X}") and line[3] == "0A" for line in lines)


def echo_server(**options: Unpack[ServerOptions]) -> Server:
    """A server that sends every `echo` back, and floods those who ask for it."""
    return echoing(Server(**options))


@asynccontextmanager
async def serving(io: Server) -> AsyncGenerator[tuple[int, asyncio.Task[None]]]:
    """A port and the task that serves it; the task is cancelled in the end, if it still runs."""
    with socket.socket() as reserved:
        # As long as nobody listens to a port, two sockets that allow it can be bound to it.
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        reserved.bind((HOST, 0))
        port: int = reserved.getsockname()[1]
        task = asyncio.create_task(io.serve(HOST, port))
        await until(lambda: listens(port))
        try:
            yield port, task
        finally:
            task.cancel()
            await asyncio.wait([task])
            if not task.cancelled():
                task.result()


def server_with_work() -> tuple[Server, asyncio.Event, asyncio.Event, list[str]]:
    """A server whose handler of `work` begins, and goes on when it may; what has happened."""
    io = Server()
    begun, go_on = asyncio.Event(), asyncio.Event()
    happened: list[str] = []

    @io.on("work")
    async def work(socket: Socket) -> None:
        begun.set()
        try:
            await go_on.wait()
        except asyncio.CancelledError:
            happened.append("cancelled")
            raise
        happened.append("worked")

    @io.on("disconnect")
    async def gone(socket: Socket, reason: str) -> None:
        happened.append(reason)

    return io, begun, go_on, happened
