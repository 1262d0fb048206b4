"""`python -m benchmarks.recovery`: kill servers under load, and print how their clients recover.

Our clients on each loop, with each server in turn. Fails where an event was lost, came out of
its order, or was not acknowledged once.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, Final

import trio
import uvloop

from sansocket import asyncio_backend, trio_backend
from sansocket.sansio.socketio.client.scope import ScopedClient

from ..contestants import Unavailable
from .crowd import Crowd, Load
from .mortal import SERVERS, Mortal
from .report import lines

Main = Callable[[], Coroutine[Any, Any, None]]


def on_asyncio(main: Main) -> None:
    """Run on asyncio's own loop."""
    asyncio.run(main())


def on_uvloop(main: Main) -> None:
    """Run on uvloop."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


LOOPS: Final[dict[str, tuple[Callable[[Main], None], type[ScopedClient]]]] = {
    "trio": (trio.run, trio_backend.Client),
    "asyncio": (on_asyncio, asyncio_backend.Client),
    "uvloop": (on_uvloop, asyncio_backend.Client),
}


def recover(loop: str, name: str, load: Load) -> list[str]:
    """Run once, print the figures, and return what is wrong."""
    run, client = LOOPS[loop]
    crowd = Crowd()
    with (
        tempfile.TemporaryDirectory() as folder,
        Mortal(name, Path(folder, "journal")) as server,
    ):
        run(lambda: crowd.run(client, server, load))
        received = server.received()
    print(*lines(f"{loop} with {name}", crowd), sep="\n", flush=True)
    return crowd.faults(received)


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the arguments, and run; the exit code is 1 when anything is wrong.

    Wrong arguments end the process with 2, as argparse does.
    """
    parser = argparse.ArgumentParser("python -m benchmarks.recovery", description=__doc__)
    parser.add_argument("--loop", action="append", choices=LOOPS, help="of the clients")
    parser.add_argument("--server", action="append", choices=SERVERS, help="may be repeated too")
    parser.add_argument("--clients", type=int, default=Load.clients)
    parser.add_argument("--events", type=int, default=Load.events, help="a client and outage")
    parser.add_argument("--outages", type=int, default=Load.outages)
    given = parser.parse_args(arguments)
    try:
        load = Load(given.clients, given.events, given.outages)
    except ValueError as error:
        parser.error(f"argument --{error}")
    faults: list[str] = []
    for name in given.server or SERVERS:
        for loop in given.loop or LOOPS:
            try:
                faults += recover(loop, name, load)
            except Unavailable as reason:
                faults.append(f"{loop} with {name}: {reason}")
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
