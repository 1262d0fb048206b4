"""The arguments that say which server a client is to reach, and how.

This module does not connect: it reads arguments, and the files that they name.
"""

from __future__ import annotations

import argparse
import ssl
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, cast

from sansocket.sansio.config import Transport
from sansocket.sansio.engineio.client.tunnel import parse_proxy
from sansocket.sansio.engineio.client.url import parse_url
from sansocket.sansio.socketio.client.config import ClientConfig, ClientOptions
from sansocket.sansio.socketio.client.scope import ConnectOptions
from sansocket.sansio.socketio.packet import namespace_fault
from sansocket.sansio.socketio.parsers import PARSERS

from .bench import positive_float
from .json_lines import from_json
from .line_grammar import LineError, decode, shortened
from .outcome import Failure, Outcome

TRANSPORTS: Final[tuple[Transport, ...]] = ("polling", "websocket")


@dataclass(frozen=True, slots=True)
class Target:
    """A server, and how it is reached."""

    url: str
    namespaces: tuple[str, ...]
    """The first is the one that events are sent to."""
    auth: dict[str, Any] | None
    options: ConnectOptions


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument(
        "url",
        metavar="URL",
        help="of the server; its path names a namespace, its query goes with every request",
    )
    parser.add_argument(
        "--namespace",
        action="append",
        metavar="NAME",
        help="join this namespace, whatever the path of the URL says",
    )
    parser.add_argument(
        "--auth", metavar="JSON|@FILE", help="a JSON object for the server's middleware"
    )
    parser.add_argument(
        "--transport",
        choices=TRANSPORTS,
        help="use this one alone (default: polling, and the upgrade to websocket)",
    )
    parser.add_argument(
        "--header",
        action="append",
        default=[],
        metavar="'NAME: VALUE'",
        help="add a header to every request: may be repeated",
    )
    parser.add_argument(
        "--path", default="/socket.io/", help="of the engine, on its server (default: %(default)s)"
    )
    parser.add_argument(
        "--parser",
        choices=sorted(PARSERS),
        default="json",
        help="the wire format that the server speaks (default: %(default)s)",
    )
    parser.add_argument(
        "--proxy",
        metavar="URL",
        help="connect through this one: http://user:password@host:port, or socks5, socks5h, socks4,"
        " socks4a (default: straight, whatever the environment says)",
    )
    parser.add_argument("--ca", metavar="FILE", help="trust these certificates, in PEM")
    parser.add_argument(
        "--insecure", action="store_true", help="trust every certificate: for tests alone"
    )


def target(arguments: argparse.Namespace, *, timeout: float | None) -> Target:
    """What the arguments say; `timeout` (seconds) is for the connection.

    Raises Failure for what makes no sense, and for a file that cannot be read.
    """
    options: ClientOptions = {
        "path": arguments.path,
        "extra_headers": [header(text) for text in arguments.header],
    }
    if arguments.transport is not None:
        options["transports"] = (arguments.transport,)
    if timeout is not None:
        options["timeout"] = timeout
    try:
        path = parse_url(arguments.url).path
        ClientConfig(**options)
    except (ValueError, TypeError) as error:
        raise wrong(str(error)) from error
    namespaces = arguments.namespace or [path]
    for name in namespaces:
        if (fault := namespace_fault(name)) is not None:
            raise wrong(f"namespace: {fault}, got {shortened(name)}")
    return Target(
        arguments.url,
        tuple(dict.fromkeys(namespaces)),
        auth(arguments.auth),
        {
            **options,
            "parser": arguments.parser,
            "proxy": proxy(arguments.proxy),
            "ssl_context": ssl_context(arguments.ca, arguments.insecure),
        },
    )


def auth(text: str | None) -> dict[str, Any] | None:
    """Read what the server's middleware is told."""
    if text is None:
        return None
    if text.startswith("@"):
        try:
            text = Path(text[1:]).read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise wrong(f"--auth: cannot read {shortened(text[1:])}: {reason}") from error
    text = text.strip()
    try:
        value, end = decode(text, 0)
        if not isinstance(value, dict) or end < len(text):
            raise LineError(f"expected one JSON object, got {shortened(text)}")
        return cast("dict[str, Any]", from_json(value))
    except LineError as error:
        raise wrong(f"--auth: {error}") from error


def header(text: str) -> tuple[str, str]:
    """Read one header."""
    name, colon, value = text.partition(":")
    if not colon:
        raise wrong(f"--header: expected 'Name: value', got {shortened(text)}")
    return name.strip(), value.strip()


def proxy(text: str | None) -> str | None:
    """Check through which proxy to go."""
    if text is None:
        return None
    try:
        found = parse_proxy(text)
    except ValueError as error:
        raise wrong(f"--{error}") from error
    if not found.speaks_http and find_spec("python_socks") is None:
        raise wrong("--proxy: SOCKS needs one more library: pip install 'sansocket[socks]'")
    return text


def ssl_context(authorities: str | None, insecure: bool) -> ssl.SSLContext | None:
    """Whom to trust; None is as the machine does."""
    if authorities is None and not insecure:
        return None
    try:
        context = ssl.create_default_context(cafile=authorities)
    except (OSError, ssl.SSLError) as error:
        reason = error.strerror or error
        raise wrong(f"--ca: cannot read {shortened(authorities or '')}: {reason}") from error
    if insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def seconds(text: str) -> float:
    """Read a time."""
    return positive_float(text)


def wrong(message: str) -> Failure:
    """The failure for arguments that make no sense."""
    return Failure(Outcome.WRONG_ARGUMENTS, message)
