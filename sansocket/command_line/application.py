"""`sansocket serve module:attribute`: an application's own server, in one process or in several."""

from __future__ import annotations

import argparse
import os
import signal
import sys

from sansocket.sansio.bound import Bound
from sansocket.workers import (
    ApplicationError,
    CertificateError,
    WorkerFailed,
    serve_workers,
)
from sansocket.workers.application import load
from sansocket.workers.running import Running, server_context

OPTIONS = ("workers", "certificate", "key", "uvloop")
"""Arguments that only a server of one's own has."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments that are for applications."""
    parser.add_argument(
        "application",
        nargs="?",
        type=name,
        metavar="MODULE:ATTRIBUTE",
        help="the server of an application, or a function that makes it (default: a chat, with a"
        " page to open in two browser tabs)",
    )
    parser.add_argument(
        "--workers",
        type=count,
        metavar="N",
        help="serve the application in so many processes (default: 1)",
    )
    parser.add_argument("--certificate", metavar="FILE", help="for TLS: the certificate, in PEM")
    parser.add_argument(
        "--key", metavar="FILE", help="for TLS: its key (default: in the file of the certificate)"
    )
    parser.add_argument(
        "--uvloop", action="store_true", default=None, help="run a server of asyncio on uvloop"
    )


def name(text: str) -> str:
    """Read the name of an application."""
    module, separator, attribute = text.partition(":")
    if not (module and separator and attribute):
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form module:attribute")
    return text


def count(text: str) -> int:
    """Read the number of workers."""
    if not (text.isascii() and text.isdigit() and 1 <= len(text) <= 4 and int(text)):
        raise argparse.ArgumentTypeError("a number of workers is from 1 to 9999")
    return int(text)


def misplaced(arguments: argparse.Namespace) -> str | None:
    """What is wrong with a combination of arguments, or None."""
    if arguments.application is None:
        for option in OPTIONS:
            if getattr(arguments, option) is not None:
                return f"--{option} needs an application: module:attribute"
    elif arguments.client is not None:
        return "--client is for the chat, not for an application"
    elif arguments.key is not None and arguments.certificate is None:
        return "--key needs --certificate"
    return None


def run(arguments: argparse.Namespace) -> str | None:
    """Serve until Ctrl-C; returns why that was not possible, or None."""
    # As `python -m` does, and the installed program does not.
    if "" not in sys.path and os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    workers: int = arguments.workers or 1

    def ready(bound: Bound) -> None:
        scheme = "http" if arguments.certificate is None else "https"
        host = f"[{bound.host}]" if ":" in bound.host else bound.host
        by = "" if workers == 1 else f" with {workers} workers"
        line = f"Serving {arguments.application} on {scheme}://{host}:{bound.port}/{by}."
        print(line, "Ctrl-C stops it.", flush=True)

    try:
        if workers == 1:
            server = load(arguments.application)
            context = None
            if arguments.certificate is not None:
                context = server_context(arguments.certificate, arguments.key)
            running = Running(
                host=arguments.host or None,
                port=arguments.port,
                signals=[signal.SIGINT, signal.SIGTERM],
                ready=ready,
                ssl_context=context,
                uvloop=bool(arguments.uvloop),
            )
            running.run(server)
        else:
            serve_workers(
                arguments.application,
                arguments.host,
                arguments.port,
                workers=workers,
                certificate=arguments.certificate,
                key=arguments.key,
                uvloop=bool(arguments.uvloop),
                ready=ready,
            )
    except (ApplicationError, CertificateError, WorkerFailed) as error:
        return str(error)
    except OSError as error:
        address = f"{arguments.host}, port {arguments.port}"
        return f"cannot listen on {address}: {error.strerror or error}"
    return None
