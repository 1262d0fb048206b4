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

SERVERS: Final = ("npm", "python-socketio", "trio", "asyncio")


class ServerProgram(Program):
    """One server, which prints its port."""

    def __init__(
        self, name: str, command: Sequence[str], complaints: Path, interval: float, timeout: float
    ) -> None:
        self.name = name
        self._fixed = command
        self._times = [str(interval), str(timeout)]
        super().__init__(self._on(0), complaints)
        self.port = int(self.line())

    def _on(self, port: int) -> list[str]:
        return [*self._fixed, str(port), *self._times]

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    def restart(self) -> None:
        """Start it again, on the same port."""
        self._command = self._on(self.port)
        super().restart()
        assert int(self.line()) == self.port

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
