"""A server that is killed and started anew on its port, and what it wrote down meanwhile.

This module knows nothing of clients.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ..contestants import PATIENCE, Unavailable, end_of, interpreter, start

HERE: Final = Path(__file__).parent
SERVERS: Final = {
    "socket.io": ("server.mjs",),
    "trio": ("server.py", "trio"),
    "asyncio": ("server.py", "asyncio"),
    "uvloop": ("server.py", "uvloop"),
}
"""The program of each, and what it is told first."""


def hold() -> socket.socket:
    """A port that is nobody else's until what is returned is closed, while servers come and go.

    It does not listen: without a server, connections are refused.
    """
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", 0))
    return held


class Mortal:
    """One of the servers, for as long as a block runs.

    The port stays its own while it is dead: were it free, the system might give it to a client
    that just connects. Raises Unavailable when the server cannot be started.
    """

    def __init__(self, name: str, journal: Path) -> None:
        program, *arguments = SERVERS[name]
        self._held = hold()
        self.port: int = self._held.getsockname()[1]
        self._command: Sequence[str] = [
            *interpreter(HERE / program, ("trio", "uvloop")),
            *(*arguments, str(self.port), str(journal)),
        ]
        self._complaints = journal.with_suffix(".stderr")
        self._journal = journal

    def __enter__(self) -> Mortal:
        self._start()
        return self

    def __exit__(self, *_: object) -> None:
        self._kill()
        self._held.close()

    @property
    def url(self) -> str:
        """Where it is, or will be again."""
        return f"http://127.0.0.1:{self.port}"

    def received(self) -> dict[str, list[int]]:
        """What every client's events were, in the order in which they came first."""
        found: dict[str, list[int]] = {}
        for line in self._journal.read_text().splitlines():
            client, number = line.split()
            found.setdefault(client, []).append(int(number))
        return found

    def restart(self) -> None:
        """Kill it, as nobody can prevent, and start it anew."""
        self._kill()
        self._start()

    def _start(self) -> None:
        with self._complaints.open("w") as stderr:
            self._process = start(self._command, os.sched_getaffinity(0), stderr)
        assert self._process.stdout is not None
        impatience = threading.Timer(PATIENCE, self._process.kill)
        impatience.start()
        try:
            words = self._process.stdout.readline().split()
        finally:
            impatience.cancel()
        if words != ["READY", str(self.port)]:
            with self._complaints.open() as complaints:
                raise Unavailable(f"did not start: {end_of(complaints)}")

    def _kill(self) -> None:
        self._process.kill()
        self._process.communicate()


class Outage:
    """A death of a server, and its return, in a thread of its own: clients go on meanwhile."""

    def __init__(self, server: Mortal) -> None:
        self._server = server
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._run)
        self.began = time.monotonic()
        self.seconds = 0.0
        """How long nobody listened."""
        self._thread.start()

    def _run(self) -> None:
        try:
            self._server.restart()
        except Exception as failure:
            self._failure = failure
        self.seconds = time.monotonic() - self.began

    def wait(self) -> None:
        """Wait until the server is there again; raises why it is not."""
        self._thread.join()
        if self._failure is not None:
            raise self._failure
