"""The process that starts the workers, replaces those that die, and ends them all.

It serves nothing itself and has no event loop: it holds the port, and waits for signals and for
the sockets on which the workers report.
"""

from __future__ import annotations

import logging
import math
import os
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType
from typing import Any, Final

from sansocket.sansio.backend import GRACE
from sansocket.sansio.bound import Bound

from .running import server_context
from .slots import Slots
from .task import Task, decode_report, write_task

logger: logging.Logger = logging.getLogger("sansocket")

MARGIN: Final = 5.0
"""Seconds that a worker has beyond its grace, before it is killed."""

SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)

LARGEST_REPORT: Final = 65_536

Address = tuple[Any, ...]

NEEDED: Final = (
    (socket, "SO_REUSEPORT"),
    (socket, "SOCK_SEQPACKET"),
    (selectors, "EpollSelector"),
)

BOOT: Final = """
import json, sys
sys.path[:] = json.loads(sys.argv[1])["path"]
from sansocket.workers.worker import main
sys.exit(main())
"""
"""The program of a worker: modules are to be found where the supervisor finds them."""


class WorkerFailed(Exception):
    """The first workers could not begin; the text is the reason that one of them gave."""


@dataclass
class Worker:
    """A process that serves."""

    name: str
    process: subprocess.Popen[bytes]
    leash: socket.socket
    ready: bool = False
    failure: str | None = None


def serve_workers(
    application: str,
    host: str = "127.0.0.1",
    port: int = 3000,
    *,
    workers: int,
    certificate: str | None = None,
    key: str | None = None,
    grace: float = GRACE,
    uvloop: bool = False,
    ready: Callable[[Bound], None] | None = None,
) -> None:
    """Serve an application in `workers` processes on one port, until SIGTERM or SIGINT.

    `application` names the server as `module:attribute`: a `Server` or an `EngineServer` of
    either backend, or a function without arguments that makes one; each worker imports it. `host`
    and `port` are as for `serve`, and `ready` is called with the Bound once all workers listen.
    `certificate` and `key` are files for TLS, `uvloop` has servers of asyncio run on that. At the
    end the workers have `grace` seconds to let handlers finish, as `aclose` does; a second
    signal ends them at once.

    A worker that dies is replaced: the others go on, its clients connect again. Raises
    ValueError for less than one worker, CertificateError for files of no use, OSError when it
    cannot listen or where the system does not share ports between processes, and WorkerFailed
    when the first workers cannot begin. Call it in the main thread: it handles signals.
    """
    if workers < 1:
        raise ValueError(f"workers: expected a positive number, got {workers!r}")
    if not all(hasattr(module, name) for module, name in NEEDED):
        raise OSError("this system does not share a port between processes")
    if certificate is not None:
        server_context(certificate, key)
    with ExitStack() as stack:
        bound = stack.enter_context(hold_port(host or None, port))
        folder = tempfile.mkdtemp(prefix="sansocket-")
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        task = Task(
            application=application,
            host=host or None,
            port=bound.port,
            certificate=certificate,
            key=key,
            grace=grace,
            uvloop=uvloop,
            path=sys.path,
            folder=folder,
            name="",
            leash=-1,
        )
        signals = stack.enter_context(caught_signals())
        supervisor = Supervisor(task, workers, signals)
        stack.callback(supervisor.close)
        supervisor.run(lambda: ready(bound) if ready else None)


class Supervisor:
    """The workers of one server; `run` returns when they have ended, and `close` ends them now."""

    def __init__(self, task: Task, count: int, signals: socket.socket) -> None:
        self._task = task
        self._slots = Slots(count, time.monotonic())
        self._count = count
        self._workers: dict[str, Worker] = {}
        self._signals = signals
        self._selector = selectors.DefaultSelector()
        self._selector.register(signals, selectors.EVENT_READ)
        self._told = False
        """Whether all workers have been ready at once, and that was told."""
        self._ending = False
        self._kill_at = math.inf

    def run(self, ready: Callable[[], None]) -> None:
        """Keep the workers at work; raises WorkerFailed when the first cannot begin."""
        while not (self._ending and not self._workers):
            now = time.monotonic()
            if now >= self._kill_at:
                self._kill_at = math.inf
                self._kill()
            if not self._ending:
                for number in self._slots.start(now):
                    self._start(str(number))
            self._wait(now)
            self._bury()
            if not self._told and sum(w.ready for w in self._workers.values()) == self._count:
                self._told = True
                ready()

    def close(self) -> None:
        """Kill what still runs."""
        self._kill()
        for worker in list(self._workers.values()):
            worker.process.wait()
            self._forget(worker)
        self._selector.close()

    def _start(self, name: str) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            task = replace(self._task, name=name, leash=theirs.fileno())
            process = subprocess.Popen(
                [sys.executable, "-c", BOOT, write_task(task)], pass_fds=[theirs.fileno()]
            )
        worker = Worker(name, process, ours)
        self._workers[name] = worker
        self._selector.register(ours, selectors.EVENT_READ, worker)

    def _wait(self, now: float) -> None:
        """Wait for a signal, a report or a deadline."""
        starts = None if self._ending else self._slots.next_deadline()
        deadline = min(self._kill_at, math.inf if starts is None else starts)
        timeout = None if deadline == math.inf else max(deadline - now, 0.0)
        for key, _ in self._selector.select(timeout):
            if key.fileobj is self._signals:
                for number in self._signals.recv(256):
                    if number in (signal.SIGTERM, signal.SIGINT):
                        self._end()
            else:
                self._listen(key.data)

    def _listen(self, worker: Worker) -> None:
        try:
            data = worker.leash.recv(LARGEST_REPORT)
        except OSError:
            data = b""
        if data:
            report = decode_report(data)
            worker.failure = report.failure
            worker.ready = report.failure is None
        else:
            # It is about to end, or has: SIGCHLD tells.
            self._selector.unregister(worker.leash)

    def _bury(self) -> None:
        """Look which workers have ended."""
        for worker in list(self._workers.values()):
            code = worker.process.poll()
            if code is None:
                continue
            if worker.leash in self._selector.get_map():
                self._listen(worker)
            self._forget(worker)
            if self._ending:
                continue
            why = worker.failure or f"exit code {code}"
            if not self._told:
                raise WorkerFailed(why)
            pause = self._slots.ended(int(worker.name), time.monotonic())
            logger.error(
                "worker %s (process %d) has ended: %s; another starts in %.1f s",
                worker.name,
                worker.process.pid,
                why,
                pause,
            )

    def _forget(self, worker: Worker) -> None:
        with suppress(KeyError):
            self._selector.unregister(worker.leash)
        worker.leash.close()
        del self._workers[worker.name]
        with suppress(OSError):
            os.unlink(Path(self._task.folder, worker.name))

    def _end(self) -> None:
        """End the workers in good order, or at once when told again."""
        if self._ending:
            self._kill()
        else:
            self._ending = True
            self._kill_at = time.monotonic() + self._task.grace + MARGIN
            for worker in self._workers.values():
                worker.process.terminate()

    def _kill(self) -> None:
        for worker in self._workers.values():
            worker.process.kill()


@contextmanager
def hold_port(host: str | None, port: int) -> Generator[Bound]:
    """Bind all addresses of the host, without listening, so that the port stays ours.

    Raises OSError for one that is taken, also by another server that shares it.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    names: list[tuple[str, int]] = []
    with ExitStack() as stack:
        for family, kind, protocol, _, address in found:
            if port == 0 and names:
                address = (address[0], names[0][1], *address[2:])
            # Sharing would let us in beside another server: so it is tried without first.
            with bind(family, kind, protocol, address, shared=False) as sock:
                address = sock.getsockname()
            sock = stack.enter_context(bind(family, kind, protocol, address, shared=True))
            name = sock.getsockname()
            names.append((name[0], name[1]))
        yield Bound(tuple(names))


def bind(family: int, kind: int, protocol: int, address: Address, *, shared: bool) -> socket.socket:
    """A socket that is bound, and does not listen; raises OSError."""
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind(address)
    except OSError:
        sock.close()
        raise
    return sock


@contextmanager
def caught_signals() -> Generator[socket.socket]:
    """A socket that brings a byte with the number of each signal that has come."""

    def ignore(number: int, frame: FrameType | None) -> None:
        """What counts is the byte."""

    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.setblocking(False)
        handlers = {number: signal.signal(number, ignore) for number in SIGNALS}
        wakeup = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
        try:
            yield ours
        finally:
            signal.set_wakeup_fd(wakeup)
            for number, handler in handlers.items():
                signal.signal(number, handler)
