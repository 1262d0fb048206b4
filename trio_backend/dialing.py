"""Connections from a client to its server on Trio: straight or through a proxy.

What it does not know: what is said on them.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import trio

from sansocket.sansio.backend import CHUNK, Proxy, ScopedClient, Target, Tunnel

from .connection import Stream

if TYPE_CHECKING:
    from python_socks.async_.trio import Proxy as SocksProxy


async def open_stream(client: ScopedClient, socks: SocksProxy | None, target: Target) -> Stream:
    """Connect; to one of several addresses whichever answers first (RFC 8305).

    Raises OSError, trio.BrokenResourceError (because of an OSError, of which ssl.SSLError is one),
    TransportError, or what python-socks raises, when it cannot. Cancelled, it closes what it has
    opened.
    """
    if socks is not None:
        stream = trio.SocketStream(await socks.connect(target.host, target.port))
    elif client.proxy is not None:
        stream = await open_tunnel(client.proxy, target)
    else:
        stream = await trio.open_tcp_stream(target.host, target.port)
    if not target.secure:
        return stream
    try:
        context = client.ssl_context = client.ssl_context or ssl.create_default_context()
        name = target.server_name
        secure = trio.SSLStream(stream, context, server_hostname=name, https_compatible=True)
        await secure.do_handshake()
    except BaseException:
        await trio.aclose_forcefully(stream)
        raise
    return secure


async def open_tunnel(proxy: Proxy, target: Target) -> trio.SocketStream:
    """Connect to a proxy of HTTP, and through it; raises and is cancelled like `open_stream`."""
    stream = await trio.open_tcp_stream(proxy.host, proxy.port)
    try:
        tunnel = Tunnel(proxy, target)
        await stream.send_all(tunnel.request)
        while not tunnel.receive_data(await stream.receive_some(CHUNK)):
            pass
    except BaseException:
        await trio.aclose_forcefully(stream)
        raise
    return stream


def socks_proxy(proxy: Proxy | None) -> SocksProxy | None:
    """What connects through a proxy of SOCKS; raises ImportError without python-socks."""
    if proxy is None or proxy.speaks_http:
        return None
    from python_socks import ProxyType
    from python_socks.async_.trio import Proxy as Socks

    address = (proxy.host, proxy.port, proxy.username, proxy.password)
    return Socks(ProxyType[proxy.protocol], *address, rdns=proxy.resolves_names)
