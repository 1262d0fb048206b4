"""Our server in several workers on one port, with handlers that are plain functions."""

from __future__ import annotations

import argparse
import os

from benchmarks.servers.ours import HOST, add_plain_handlers
from sansocket import asyncio_backend, trio_backend
from sansocket.sansio.bound import Bound
from sansocket.workers import serve_workers

INTERVAL = "BENCHMARK_PING_INTERVAL"
"""The variable by which a worker is told: it gets no arguments of ours."""


def on_trio() -> trio_backend.Server:
    """The server of a worker."""
    io = trio_backend.Server(ping_interval=float(os.environ[INTERVAL]))
    add_plain_handlers(io)
    return io


def on_asyncio() -> asyncio_backend.Server:
    """The same on asyncio."""
    io = asyncio_backend.Server(ping_interval=float(os.environ[INTERVAL]))
    add_plain_handlers(io)
    return io


def ready(bound: Bound) -> None:
    """Say where the workers listen."""
    print("READY", bound.port, flush=True)


def main() -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--loop", choices=["trio", "asyncio", "uvloop"], default="trio")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--ping-interval", default="25", help="seconds")
    arguments = parser.parse_args()
    os.environ[INTERVAL] = arguments.ping_interval
    serve_workers(
        "benchmarks.servers.workers:on_trio"
        if arguments.loop == "trio"
        else "benchmarks.servers.workers:on_asyncio",
        HOST,
        0,
        workers=arguments.workers,
        uvloop=arguments.loop == "uvloop",
        ready=ready,
    )


if __name__ == "__main__":
    main()
