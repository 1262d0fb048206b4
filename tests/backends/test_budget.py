"""What an idle connection keeps on each loop, with all that the backend has of it.

The budgets are what was counted on CPython 3.11, and a fifth, without what a loop keeps in C.
"""

from __future__ import annotations

import gc
import socket
import tracemalloc
from collections.abc import Callable
from typing import Final

from backends.hosts import Backend, Host
from support.transcript import masked_text, websocket_request_bytes

UPGRADE: Final = websocket_request_bytes(query="EIO=4&transport=websocket")
CONNECT: Final = masked_text("40")

Serve = Callable[..., Host]

MANY: Final = 100

BYTES: Final[dict[str, int]] = {"trio": 6_100, "asyncio": 7_700, "uvloop": 7_300}


def held() -> int:
    """The bytes that Python's code has allocated outside of the tests."""
    gc.collect()
    snapshot = tracemalloc.take_snapshot()
    ours = [
        each
        for each in snapshot.statistics("filename")
        if "/tests/" not in each.traceback[0].filename
        and each.traceback[0].filename != tracemalloc.__file__
    ]
    return sum(each.size for each in ours)


def visit(host: Host) -> socket.socket:
    """A client comes, and stays: bytes alone, for what it holds itself is not to be counted."""
    client = socket.create_connection(("127.0.0.1", host.port))
    client.sendall(UPGRADE)
    seen = b""
    while b'"maxPayload"' not in seen:
        seen += client.recv(4096)
    client.sendall(CONNECT)
    assert b'40{"sid":' in client.recv(4096)
    return client


def test_an_idle_connection(serve: Serve, backend: Backend) -> None:
    """It has joined the main namespace, and says nothing more."""
    host = serve()
    host.start()
    clients = [visit(host) for _ in range(MANY)]
    tracemalloc.start()
    try:
        size = host.run(held)
        clients += [visit(host) for _ in range(MANY)]
        size_after = host.run(held)
    finally:
        tracemalloc.stop()
        for client in clients:
            client.close()
    assert (size_after - size) / MANY < BYTES[backend]
