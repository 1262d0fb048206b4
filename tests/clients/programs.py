"""The servers of the client tests, as programs on a port that they keep when they are restarted."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from interop.programs import HERE as INTEROP
from interop.programs import SERVERS as FOLDER
from interop.programs import Program, node

from benchmarks.recovery.mortal import hold

SERVERS: Final = ("npm", "python-socketio", "trio", "asyncio")


class ServerProgram(Program):
    """One server, which prints its port. That stays its own while it is down, until `close`."""

    def __init__(
        self, name: str, command: Sequence[str], complaints: Path, interval: float, timeout: float
    ) -> None:
        self.name = name
        self._held = hold()
        self.port: int = self._held.getsockname()[1]
        super().__init__([*command, str(self.port), str(interval), str(timeout)], complaints)
        self._begun()

    def _begun(self) -> None:
        assert int(self.line()) == self.port

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    def restart(self) -> None:
        """Start it again, on the same port."""
        super().restart()
        self._begun()

    def close(self) -> None:
        """End it for good."""
        self.stop()
        self._held.close()

    def freeze(self) -> None:
        """Let it do nothing any more, not even close a connection."""
        os.kill(self._process.pid, signal.SIGSTOP)


def program(
    name: str, complaints: Path, interval: float = 25.0, timeout: float = 20.0
) -> ServerProgram:
    """A server by its name, with the times of its heartbeat (seconds)."""
    if name == "npm":
        command = node(INTEROP / "server_for_clients.mjs")
    elif name == "python-socketio":
        command = [sys.executable, str(FOLDER / "python_socketio.py")]
    else:
        command = [sys.executable, str(FOLDER / "for_clients.py"), name]
    return ServerProgram(name, command, complaints, interval, timeout)
