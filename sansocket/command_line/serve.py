"""`sansocket serve`: an application's server, or the chat of chat.py and its page, on Trio.

Being the program, it configures logging, which the library never does. Trio is an extra of the
distribution, so it is imported only when the command runs.
"""

from __future__ import annotations

import argparse
import importlib.resources
import logging
import signal
import sys
from pathlib import Path, PurePosixPath
from typing import Final

from sansocket.sansio.bound import Bound
from sansocket.sansio.engineio.static import StaticFile

from . import application
from .browser_client import ClientNotFound, find, served_files

NAME: Final = "serve"
HELP: Final = "serve an application, or a chat with a page to open in two browser tabs"

# By the ending of the path in the URL.
CONTENT_TYPES: Final = {
    "": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".map": "application/json; charset=utf-8",
}
PAGE: Final = {"/": "chat.html", "/chat.css": "chat.css", "/chat.js": "chat.js"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments of the command."""
    application.add_arguments(parser)
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on (default: %(default)s)"
    )
    parser.add_argument(
        "--port", type=port, default=3000, help="0 takes a free one (default: %(default)s)"
    )
    parser.add_argument(
        "--client",
        type=client,
        metavar="PATH",
        help="the browser client to serve: a file, or a folder of the npm package"
        " socket.io-client (default: the one that npm installed here, else the public CDN)",
    )


def port(text: str) -> int:
    """Read the number of a TCP port."""
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= 65_535):
        raise argparse.ArgumentTypeError("a port is a number from 0 to 65535")
    return int(text)


def client(text: str) -> dict[str, Path]:
    """Find the files of the browser client that somebody named."""
    try:
        return served_files(Path(text))
    except ClientNotFound as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def run(arguments: argparse.Namespace) -> int:
    """Serve until Ctrl-C; return 0 then, and 1 when it could not begin."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    if (wrong := application.misplaced(arguments)) is not None:
        return fail(wrong)
    if arguments.application is not None:
        failure = application.run(arguments)
        return 0 if failure is None else fail(failure)
    try:
        import trio

        from sansocket.trio_backend import Server

        from .chat import add_chat
    except ModuleNotFoundError as error:
        if error.name not in ("trio", "trio_websocket"):
            raise
        return fail(f"serve needs {error.name}: pip install 'sansocket[trio]'")

    io = Server()
    io.static.update(static_files(arguments.client))
    add_chat(io)

    async def serve() -> int:
        async with trio.open_nursery() as nursery:
            try:
                bound: Bound = await nursery.start(io.serve, arguments.host, arguments.port)
            except OSError as error:
                address = f"{arguments.host}, port {arguments.port}"
                return fail(f"cannot listen on {address}: {error.strerror or error}")
            with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
                page = url(arguments.host, bound.port)
                print(f"Open {page} in two browser tabs and chat. Ctrl-C stops it.", flush=True)
                await anext(signals)
            await io.aclose()
        return 0

    return trio.run(serve)


def static_files(client: dict[str, Path] | None) -> dict[str, StaticFile]:
    """Return what the server answers besides Socket.IO: the page and the browser client.

    `client` are the files that somebody named; without them, those found near the working
    directory are served. Where there are none, the page takes the client from the public CDN.
    """
    if client is None:
        package = find(Path.cwd())
        client = served_files(package) if package else {}
    page = importlib.resources.files("sansocket.command_line") / "chat"
    files = {path: page / name for path, name in PAGE.items()}
    files |= {f"/socket.io/{name}": path for name, path in client.items()}
    return {
        path: StaticFile(file.read_bytes(), CONTENT_TYPES[PurePosixPath(path).suffix])
        for path, file in files.items()
    }


def url(host: str, port: int) -> str:
    """Return the address of the page, as a browser on this machine takes it."""
    everywhere = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}
    host = everywhere.get(host, host)
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def fail(text: str) -> int:
    """Say on stderr, in one line, why the command cannot go on; return its exit code."""
    print(f"sansocket: {text}", file=sys.stderr)
    return 1
