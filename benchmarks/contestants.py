"""Who is measured: how each server is started, pinned to its core, and stopped.

A server that cannot run here says why; this module knows nothing of what it is loaded with.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Collection, Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE, Popen
from typing import IO, Final

from .machine import process_tree

HERE: Final = Path(__file__).parent
SERVERS: Final = HERE / "servers"
NPM: Final = HERE.parent / "tests" / "interop"  # has the reference in its node_modules
PATIENCE: Final = 60.0  # seconds until a server that does not say READY is given up

REFERENCE: Final = "socket.io"


class Unavailable(Exception):
    """A server that cannot run here, or broke; the text says why."""


@dataclass(frozen=True)
class Contestant:
    """A server by its name, and the program that runs it."""

    name: str
    program: str
    """A file of servers/."""
    arguments: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    """The Python modules without which it does not run."""
    bare: bool = False
    """WebSocket alone: whatever is sent comes back, and there is no Socket.IO to connect to."""
    workers: int = 1
    """Processes; what is broadcast does not leave the one in which it began."""
    asked: bool = False
    """Whether it runs only when it is asked for by name."""
    target: str = ""
    """The column of the targets that it is held against: "uvloop", "trio" or none."""

    def command(self) -> list[str]:
        """How to run it; raises Unavailable where it cannot run."""
        return [*interpreter(SERVERS / self.program, self.needs), *self.arguments]


def interpreter(program: Path, needs: Sequence[str] = ()) -> list[str]:
    """How to run a program in Python or JavaScript; raises Unavailable where it cannot run."""
    if program.suffix == ".mjs":
        node = shutil.which("node")
        if node is None or not (NPM / "node_modules" / "socket.io").is_dir():
            raise Unavailable("needs node and its npm packages: `make bench` installs them")
        return [node, str(program), str(NPM)]
    missing = [name for name in needs if importlib.util.find_spec(name) is None]
    if missing:
        raise Unavailable(f"needs {', '.join(missing)}: `make bench` installs what is missing")
    return [sys.executable, str(program)]


def ours(name: str, loop: str, handlers: str, target: str = "") -> Contestant:
    """One of our own servers."""
    needs = ("trio", "uvloop")  # the program imports both
    return Contestant(
        name, "ours.py", ("--loop", loop, "--handlers", handlers), needs, target=target
    )


def workers(name: str, loop: str, count: int) -> Contestant:
    """One of our own servers in several processes: their time is counted together."""
    arguments = ("--loop", loop, "--workers", str(count))
    needs = ("trio", "uvloop")
    return Contestant(name, "workers.py", arguments, needs, workers=count, asked=True)


CONTESTANTS: Final = {
    contestant.name: contestant
    for contestant in (
        Contestant(REFERENCE, "socket_io.mjs"),
        ours("uvloop", "uvloop", "plain", target="uvloop"),
        ours("asyncio", "asyncio", "plain"),
        ours("trio", "trio", "plain", target="trio"),
        ours("uvloop-async", "uvloop", "async", target="uvloop"),
        ours("asyncio-async", "asyncio", "async"),
        ours("trio-async", "trio", "async", target="trio"),
        workers("uvloop-1-worker", "uvloop", 1),
        workers("uvloop-2-workers", "uvloop", 2),
        workers("trio-1-worker", "trio", 1),
        workers("trio-2-workers", "trio", 2),
        Contestant(
            "python-socketio", "python_socketio.py", needs=("socketio", "uvicorn", "uvloop")
        ),
        Contestant(
            "trio-websocket", "bare_trio_websocket.py", needs=("trio_websocket",), bare=True
        ),
        Contestant("websockets", "bare_websockets.py", needs=("websockets", "uvloop"), bare=True),
        Contestant("bare-sockets", "bare_sockets.py", bare=True, asked=True),
    )
}


def start(command: Sequence[str], cores: Collection[int], stderr: IO[str]) -> Popen[str]:
    """Start a program on these cores, with our packages on its path; its output is to be read."""
    path = [str(HERE.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {"NODE_ENV": "production", "PYTHONPATH": os.pathsep.join(path)}
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)  # a child inherits it
    try:
        return Popen(command, env=os.environ | environment, stdout=PIPE, stderr=stderr, text=True)
    finally:
        os.sched_setaffinity(0, before)


@dataclass(frozen=True)
class Running:
    """A server that listens."""

    contestant: Contestant
    pid: int
    port: int


@contextmanager
def running(
    contestant: Contestant, cores: Collection[int], ping_interval: float
) -> Generator[Running]:
    """Run a server on these cores for as long as the block runs; `ping_interval` in seconds.

    Raises Unavailable when it cannot be started, or when it ended while the block failed, with
    the end of what it wrote.
    """
    command = [*contestant.command(), "--ping-interval", str(ping_interval)]
    with tempfile.TemporaryFile("w+") as complaints:
        process = start(command, cores, complaints)
        try:
            assert process.stdout is not None
            impatience = threading.Timer(PATIENCE, process.kill)
            impatience.start()
            try:
                words = process.stdout.readline().split()
            finally:
                impatience.cancel()
            if words[:1] != ["READY"]:
                raise Unavailable(f"did not start: {end_of(complaints)}")
            try:
                yield Running(contestant, process.pid, int(words[1]))
            except Exception as error:
                if process.poll() is None:
                    raise
                raise Unavailable(f"ended under load: {end_of(complaints)}") from error
        finally:
            for pid in tree(process):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            process.communicate()


def tree(process: Popen[str]) -> list[int]:
    """Return a process and its workers; nothing when it has ended."""
    if process.poll() is not None:
        return []
    try:
        return process_tree(process.pid)
    except OSError:  # one of them ended in between
        return [process.pid]


def end_of(complaints: IO[str]) -> str:
    """Return the last that a program has written to its standard error."""
    complaints.seek(0)
    return complaints.read()[-1000:].strip() or "without a word"
