"""One worker: a process that the supervisor has started.

It runs what `BOOT` of the supervisor imports. It is given a socket to the supervisor, on which
it says what has become of it; when that one closes, the supervisor is gone, and the worker ends
in good order.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path

from sansocket.sansio.bound import Bound

from .application import ApplicationError, load
from .exchange import Exchange
from .running import CertificateError, Running, server_context
from .task import Report, Task, encode_report, read_task


def main() -> int:
    """Do what the task on the command line says; returns the exit code."""
    # Ctrl-C reaches every process of the terminal; the supervisor decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    task = read_task(sys.argv[1])
    with socket.socket(fileno=task.leash) as leash:
        os.set_inheritable(task.leash, False)
        try:
            work(task, leash)
        except (ApplicationError, CertificateError) as error:
            tell(leash, Report(failure=str(error)))
            return 1
        except Exception as error:
            logging.getLogger("sansocket").exception("worker failed")
            tell(leash, Report(failure=f"{type(error).__name__}: {error}"))
            return 1
    return 0


def work(task: Task, leash: socket.socket) -> None:
    """Serve until told to end."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    server = load(task.application)
    context = None if task.certificate is None else server_context(task.certificate, task.key)
    exchange = Exchange(Path(task.folder), task.name)
    try:
        server.engine.neighbours = exchange

        def ready(bound: Bound) -> None:
            tell(leash, Report())

        running = Running(
            host=task.host,
            port=task.port,
            signals=[signal.SIGTERM],
            ready=ready,
            ssl_context=context,
            grace=task.grace,
            leash=leash,
            uvloop=task.uvloop,
        )
        running.run(server)
    finally:
        exchange.close()
        if select.select([leash], [], [], 0)[0]:
            # The supervisor is gone, and cannot clean up: the last of us does.
            with suppress(OSError):
                os.rmdir(task.folder)


def tell(leash: socket.socket, report: Report) -> None:
    """Tell the supervisor, if it is still there."""
    with suppress(OSError):
        leash.sendall(encode_report(report))
