"""Connections from a client to its server on asyncio: straight or through a proxy.

What it does not know: what is said on them.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Final

# Its types say of an address that it is a tuple, and not of what.
from aiohappyeyeballs import start_connection  # pyright: ignore[reportUnknownVariableType]

from sansocket.sansio.backend import Proxy, Target

NEXT_ADDRESS: Final = 0.25
"""Seconds after which another address is tried beside the one before (RFC 8305, section 8)."""

Socks = Callable[[Target], Awaitable[socket.socket]]


async def open_connection(
    protocol: Callable[[], asyncio.BaseProtocol],
    target: Target,
    via: Proxy | None,
    socks: Socks | None,
) -> None:
    """Connect, and have a protocol carry the connection; to a proxy of HTTP it is one to that.

    Raises OSError, or what python-socks raises, when it cannot. Cancelled, it closes what it has
    opened.
    """
    if socks is not None:
        connected = await socks(target)
    elif via is not None:
        connected = await first_to_answer(via.host, via.port)
    else:
        connected = await first_to_answer(target.host, target.port)
    await asyncio.get_running_loop().create_connection(protocol, sock=connected)


async def first_to_answer(host: str, port: int) -> socket.socket:
    """Connect to one of the addresses of a host: whichever answers first (RFC 8305).

    Not by `create_connection`, which can do that on asyncio's own loop alone. Raises OSError when
    none answers. Cancelled, it closes what it has opened.
    """
    try:
        # What is an address needs no thread that looks it up.
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except socket.gaierror:
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return await start_connection(found, happy_eyeballs_delay=NEXT_ADDRESS)


def through_socks(via: Proxy | None) -> Socks | None:
    """What connects through a proxy of SOCKS; raises ImportError without python-socks."""
    if via is None or via.speaks_http:
        return None
    from python_socks import ProxyType
    from python_socks.async_ import asyncio as loop_of

    def connect(target: Target) -> Awaitable[socket.socket]:
        # Made where the loop runs.
        proxy = loop_of.Proxy(
            proxy_type=ProxyType[via.protocol],
            host=via.host,
            port=via.port,
            username=via.username,
            password=via.password,
            rdns=via.resolves_names,
        )
        return proxy.connect(target.host, target.port)

    return connect
