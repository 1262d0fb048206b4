"""`sansocket serve` as a child process, and the tools that its tests talk to it with."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

HERE: Final = Path(__file__).parent
NODE_MODULES: Final = HERE.parent / "interop" / "node_modules"
PATIENCE: Final = 120  # seconds: a machine with other work is slow


@dataclass
class Program:
    """A running `sansocket serve`: the line that it printed, and where it writes its errors."""

    process: subprocess.Popen[str]
    line: str
    stderr: Path

    @property
    def url(self) -> str:
        """The address of the page."""
        found = re.search(r"http://\S+/", self.line)
        assert found, f"no address in {self.line!r}; on stderr: {self.complaints()}"
        return found[0]

    def complaints(self) -> str:
        """Return what the program wrote on stderr until now."""
        return self.stderr.read_text()

    def interrupt(self) -> int:
        """Press Ctrl-C; return the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=PATIENCE)


def start(cwd: Path, *arguments: str) -> Program:
    """Start `sansocket serve` on a free port, and wait for its line."""
    command = [sys.executable, "-m", "sansocket", "serve", "--port", "0", *arguments]
    path = cwd / "stderr"
    with path.open("w") as stderr:
        process = subprocess.Popen(
            command, cwd=cwd, stdout=subprocess.PIPE, stderr=stderr, text=True
        )
    assert process.stdout is not None
    return Program(process, process.stdout.readline(), path)


def tool(*names: str) -> str:
    """Return the path of the first of these programs that is installed, or fail."""
    for name in names:
        if path := shutil.which(name):
            return path
    return pytest.fail(f"{' or '.join(names)} is not installed: `make test` sets it up")


def run_node(script: str, *arguments: str, stdin: str = "") -> str:
    """Run a script of this folder with the packages of tests/interop; return what it printed."""
    if not (NODE_MODULES / "playwright-core").is_dir():
        pytest.fail("the npm packages of tests/interop are not installed: `make test` does it")
    done = subprocess.run(
        [tool("node"), str(HERE / script), *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
