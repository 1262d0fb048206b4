"""Connections from a client to its server on asyncio: straight or through a proxy.

What it does not know: what is said on them.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Final

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

    On asyncio's own loop to one of several addresses whichever answers first (RFC 8305); on
    uvloop one after the other. Raises OSError, or what python-socks raises, when it cannot.
    Cancelled, it closes what it has opened.
    """
    loop = asyncio.get_running_loop()
    if socks is not None:
        await loop.create_connection(protocol, sock=await socks(target))
        return
    host, port = (target.host, target.port) if via is None else (via.host, via.port)
    if isinstance(loop, asyncio.BaseEventLoop):
        await loop.create_connection(protocol, host, port, happy_eyeballs_delay=NEXT_ADDRESS)
    else:
        await loop.create_connection(protocol, host, port)


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
