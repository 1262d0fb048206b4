"""A server for `sansocket serve` on each backend: what its clients see of the workers."""

from __future__ import annotations

import os

from sansocket import asyncio_backend, trio_backend


def on_trio() -> trio_backend.Server:
    """A server on Trio."""
    io = trio_backend.Server()
    add_handlers(io)
    return io


def on_asyncio() -> asyncio_backend.Server:
    """The same on asyncio."""
    io = asyncio_backend.Server()
    add_handlers(io)
    return io


def add_handlers(io: trio_backend.Server | asyncio_backend.Server) -> None:
    """Tell every client whose it is, and give back what it sends."""

    @io.on("connect")
    def connected(socket: trio_backend.Socket) -> None:
        socket.emit("process", os.getpid())

    @io.on("echo")
    def echo(socket: trio_backend.Socket, value: object) -> object:
        return (value,)


def fails() -> object:
    """An application that cannot begin."""
    raise RuntimeError("no luck today")


trio_server = on_trio()
asyncio_server = on_asyncio()
nothing = object()
