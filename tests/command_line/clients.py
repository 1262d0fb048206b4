"""`sansocket connect` and `emit` as child processes, and the servers that they talk to."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from command_line.program import PATIENCE

TESTS = Path(__file__).parents[1]


class EchoServer:
    """`echo_server.py`, which can be stopped and started again on its port.

    `name` is that of one of its servers, and `certificate` the file of one for TLS.
    """

    def __init__(self, name: str = "io", certificate: Path | None = None) -> None:
        self.port = 0
        self._scheme = "http" if certificate is None else "https"
        self._arguments = [f"command_line.echo_server:{name}"]
        if certificate is not None:
            self._arguments += ["--certificate", str(certificate)]
        self._process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = [sys.executable, "-m", "sansocket", "serve", *self._arguments]
        self._process = subprocess.Popen(
            [*command, "--port", str(self.port)], cwd=TESTS, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        found = re.search(r":(\d+)/", self._process.stdout.readline())
        assert found is not None
        self.port = int(found[1])

    def freeze(self) -> None:
        """Let it do nothing any more, not even close a connection."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


def environment(**changes: str) -> dict[str, str]:
    """That of the tests, without what would change how things look."""
    kept = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    return {**kept, "PYTHONIOENCODING": "utf-8", **changes}


def run(
    *arguments: str, stdin: str | None = "", check: int = 0
) -> subprocess.CompletedProcess[str]:
    """Run `sansocket` to its end; its exit code has to be `check`."""
    done = subprocess.run(
        [sys.executable, "-m", "sansocket", *arguments],
        input=stdin,
        capture_output=True,
        encoding="utf-8",
        env=environment(),
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == check, (done.returncode, done.stdout, done.stderr)
    return done


def objects(output: str) -> list[dict[str, Any]]:
    """The lines of `--json`, without what differs from run to run."""
    found = [json.loads(line) for line in output.splitlines()]
    for line in found:
        assert line.pop("time").endswith("Z")
        line.pop("id", None)
        line.pop("seconds", None)
    return found
