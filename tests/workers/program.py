"""`sansocket serve` with workers as a child process, and what its tests talk to it with."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, Protocol

import pytest

HERE: Final = Path(__file__).parent
SERVERS: Final = HERE.parent / "servers"
NODE_MODULES: Final = HERE.parent / "interop" / "node_modules"
PATIENCE: Final = 120  # seconds: a machine with other work is slow
HEAD: Final = "Host: 127.0.0.1\r\nContent-Type: text/plain;charset=UTF-8\r\n"


@dataclass
class Served:
    """A running `sansocket serve`."""

    process: subprocess.Popen[str]
    line: str
    stderr: Path
    temporary: Path
    """Where it keeps what is only there while it runs."""

    @property
    def port(self) -> int:
        """Where it listens."""
        found = re.search(r":(\d+)/", self.line)
        assert found, f"no port in {self.line!r}; on stderr: {self.complaints()}"
        return int(found[1])

    def url(self) -> str:
        """Its address."""
        return f"{'https' if 'https' in self.line else 'http'}://127.0.0.1:{self.port}"

    def complaints(self) -> str:
        """What it wrote on stderr until now."""
        return self.stderr.read_text()

    def workers(self) -> set[int]:
        """The processes that it has started and that run."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return {int(child) for child in children.split()}

    def tell(self, number: signal.Signals) -> int:
        """Send a signal; returns the exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


def serve(folder: Path, *arguments: str) -> Served:
    """Start it on a free port, and wait for its line."""
    temporary = folder / "temporary"
    temporary.mkdir()
    command = [sys.executable, "-m", "sansocket", "serve", "--port", "0", *arguments]
    with (folder / "stderr").open("w") as stderr:
        process = subprocess.Popen(
            command,
            cwd=SERVERS,
            env={**os.environ, "TMPDIR": str(temporary)},
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
    assert process.stdout is not None
    return Served(process, process.stdout.readline(), folder / "stderr", temporary)


def end(served: Served) -> None:
    """End it, and find that nothing of it is left."""
    workers = served.workers() if served.process.poll() is None else set[int]()
    try:
        code = served.tell(signal.SIGTERM) if served.process.poll() is None else 0
    finally:
        discard(served)
    assert code == 0
    assert not [worker for worker in workers if alive(worker)]
    assert not list(served.temporary.iterdir())


def discard(served: Served) -> None:
    """Kill it, if it still runs."""
    served.process.kill()
    served.process.wait()
    if served.process.stdout is not None:
        served.process.stdout.close()


def alive(process: int) -> bool:
    """Whether a process runs."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def wait_until_gone(processes: set[int], *files: Path) -> None:
    """Wait until processes that are not our children have ended, and files are not there."""
    deadline = time.monotonic() + PATIENCE
    while any(map(alive, processes)) or any(file.exists() for file in files):
        assert time.monotonic() < deadline
        time.sleep(0.02)


class Addressed(Protocol):
    """What clients connect to."""

    def url(self) -> str: ...


class Clients:
    """npm's clients in a process of their own."""

    def __init__(self, served: Addressed, count: int, transports: str, mode: str) -> None:
        node = shutil.which("node")
        if node is None or not (NODE_MODULES / "socket.io-client").is_dir():
            pytest.fail("npm's packages are not installed: `make test` does it")
        command = [node, str(HERE / "clients.mjs"), served.url(), str(count), transports, mode]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def told(self) -> dict[str, Any]:
        """What they tell next."""
        told: dict[str, Any] = json.loads(self._file(self._process.stdout).readline())
        return told

    def ask(self, line: str) -> dict[str, Any]:
        """Write a line, and return what they tell then."""
        stdin = self._file(self._process.stdin)
        stdin.write(f"{line}\n")
        stdin.flush()
        return self.told()

    def finish(self) -> None:
        """Nothing more is asked."""
        self._file(self._process.stdin).close()

    def close(self) -> None:
        """End them."""
        self._process.kill()
        self._process.wait()
        for file in (self._process.stdin, self._process.stdout):
            self._file(file).close()

    def _file(self, file: IO[str] | None) -> IO[str]:
        assert file is not None
        return file


def clients_once(served: Served, count: int, transports: str) -> dict[str, Any]:
    """Let npm's clients come, send and go; returns what they tell."""
    with closing(Clients(served, count, transports, "once")) as clients:
        return clients.told()


class Http:
    """One connection, written and read by hand."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._file = self.socket.makefile("rb")

    def send(self, data: bytes) -> None:
        """Send bytes."""
        self.socket.sendall(data)

    def answer(self) -> tuple[int, str]:
        """The status and the body of the next answer."""
        status = int(self._file.readline().split()[1])
        length = 0
        while line := self._file.readline().strip():
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        return status, self._file.read(length).decode()

    def handshake(self, header: str = "") -> str:
        """Open a session; returns its id."""
        self.send(get(header=header))
        status, body = self.answer()
        assert status == 200
        sid: str = json.loads(body[1:])["sid"]
        return sid

    def close(self) -> None:
        """Close the connection."""
        self._file.close()
        self.socket.close()


def get(sid: str = "", header: str = "") -> bytes:
    """A poll, or without a session a handshake; with a header line more."""
    query = "EIO=4&transport=polling" + (f"&sid={sid}" if sid else "")
    return f"GET /socket.io/?{query} HTTP/1.1\r\n{HEAD}{header}\r\n".encode()


def post(sid: str, body: str) -> bytes:
    """A POST."""
    target = f"/socket.io/?EIO=4&transport=polling&sid={sid}"
    return f"POST {target} HTTP/1.1\r\n{HEAD}Content-Length: {len(body)}\r\n\r\n{body}".encode()


def worker_of(sid: str) -> str:
    """The worker whose session it is."""
    return sid.rpartition(".")[2]
