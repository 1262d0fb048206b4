"""The programs that the interop tests start: servers, and npm's client under node.

This module does not know what the scenarios are.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
SERVERS: Final = HERE.parent / "servers"
PATIENCE: Final = 60.0  # seconds until a program that prints nothing is given up


def node(script: Path) -> list[str]:
    """The command that runs a script under node; raises RuntimeError where it cannot run."""
    program = shutil.which("node")
    if program is None:
        raise RuntimeError("node is not installed: `make test` sets it up")
    if not (HERE / "node_modules" / "socket.io-client").is_dir():
        raise RuntimeError(f"no npm packages in {HERE}: `make test` sets them up")
    return [program, str(script)]


class Program:
    """A child process that answers in lines, and writes what goes wrong into a file."""

    def __init__(self, command: Sequence[str], complaints: Path) -> None:
        self._command = command
        self._complaints = complaints
        self._process = self._start()

    def _start(self) -> subprocess.Popen[str]:
        with self._complaints.open("w") as stderr:
            return subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                encoding="utf-8",
            )

    @property
    def runs(self) -> bool:
        """Whether it has not ended by itself."""
        return self._process.poll() is None

    def complaints(self) -> str:
        """What it wrote to its standard error."""
        return self._complaints.read_text()

    def last_words(self) -> str:
        """The end of it, for a message."""
        return self.complaints()[-3000:]

    def tell(self, line: str) -> None:
        """Write a line to it."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def line(self) -> str:
        """The next line from it; fails when it ends, or prints nothing for too long."""
        assert self._process.stdout is not None
        impatience = threading.Timer(PATIENCE, self._process.kill)
        impatience.start()
        try:
            line = self._process.stdout.readline()
        finally:
            impatience.cancel()
        assert line, f"{self._command} ended: {self.last_words()}"
        return line

    def ended(self) -> int:
        """Wait for its end, and return its status."""
        return self._process.wait(PATIENCE)

    def restart(self) -> None:
        """Start it again, whether it still runs or not."""
        self.stop()
        self._process = self._start()

    def stop(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()


class Server(Program):
    """A server program, which prints its ports: one for each way in which it is set up."""

    def __init__(self, command: Sequence[str], complaints: Path) -> None:
        super().__init__(command, complaints)
        self.ports: dict[str, int] = json.loads(self.line())

    def restart(self) -> None:
        """Start it again, on other ports."""
        super().restart()
        self.ports = json.loads(self.line())


class Client(Program):
    """`client.mjs`, which runs one scenario after another."""

    def run(self, server: Server, scenario: str, transports: str, setup: str) -> list[object]:
        """What the scenario saw; fails when it could not be played to its end."""
        url = f"http://127.0.0.1:{server.ports[setup]}"
        self.tell(
            json.dumps({"scenario": scenario, "transports": transports, "setup": setup, "url": url})
        )
        seen: list[object] = []
        while "done" not in (line := json.loads(self.line())):
            assert "failed" not in line, (
                f"{line['failed']}\nseen until then: {seen}\nthe server: {server.last_words()}"
            )
            seen.append(line["seen"])
        assert server.runs, server.last_words()
        return seen
