"""Listening on Trio, alone or together with other workers."""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Sequence
from contextlib import suppress

import trio

from sansocket.sansio.backend import Bound

Listener = trio.SocketListener | trio.SSLListener[trio.SocketStream]


async def open_listeners(
    host: str | None, port: int, ssl_context: ssl.SSLContext | None, *, shared: bool
) -> Sequence[Listener]:
    """Listen, for encrypted connections where there is a context; raises OSError.

    `shared` with other processes, among which the kernel spreads what comes.
    """
    listeners: list[trio.SocketListener]
    if shared:
        listeners = await open_shared_listeners(host, port)
    else:
        listeners = await trio.open_tcp_listeners(port, host=host)
    if ssl_context is None:
        return listeners
    return [
        trio.SSLListener(listener, ssl_context, https_compatible=True) for listener in listeners
    ]


async def open_shared_listeners(host: str | None, port: int) -> list[trio.SocketListener]:
    """What Trio cannot do: set an option between the making of a socket and its binding."""
    found = await trio.socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    listeners: list[trio.SocketListener] = []
    try:
        for family, kind, protocol, _, address in found:
            sock = trio.socket.socket(family, kind, protocol)
            try:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
                if family == socket.AF_INET6:
                    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                await sock.bind(address)
                sock.listen(socket.SOMAXCONN)
            except BaseException:
                sock.close()
                raise
            listeners.append(trio.SocketListener(sock))
    except BaseException:
        for listener in listeners:
            with suppress(trio.Cancelled):
                await listener.aclose()
        raise
    return listeners


def bound_of(listeners: Sequence[Listener]) -> Bound:
    """Where the listeners listen; the path of a Unix socket stands for its host."""
    addresses: list[tuple[str, int]] = []
    for listener in listeners:
        plain = listener.transport_listener if isinstance(listener, trio.SSLListener) else listener
        assert isinstance(plain, trio.SocketListener)
        name: tuple[str, int] | str | bytes = plain.socket.getsockname()
        addresses.append((name[0], name[1]) if isinstance(name, tuple) else (os.fsdecode(name), 0))
    return Bound(tuple(addresses))
