"""`sansocket emit`: send one event, and print what the server acknowledges it with.

It runs on asyncio, which needs no extra.
"""

from __future__ import annotations

import argparse
import asyncio
from typing import Any, Final

from sansocket.asyncio_backend import Client, ClientSocket

from . import target
from .connect import read_file
from .json_lines import dump
from .line_grammar import LineError, parse_word
from .outcome import Failure, Outcome, failure_of, tell
from .target import Target

NAME: Final = "emit"
HELP: Final = "send one event, and print the values of its acknowledgement as JSON, one a line"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments of the command."""
    target.add_arguments(parser)
    parser.add_argument("event", metavar="EVENT", help="its name")
    parser.add_argument(
        "args",
        nargs="*",
        metavar="ARGUMENT",
        help="JSON; or a word, which is sent as a string; b64:… for bytes, @FILE for a file's",
    )
    parser.add_argument(
        "--timeout",
        type=target.seconds,
        default=10.0,
        metavar="SECONDS",
        help="how long the connection, and then the acknowledgement, may take (default: 10)",
    )
    parser.add_argument(
        "--no-ack",
        dest="ack",
        action="store_false",
        help="ask for no acknowledgement, and end when the event has been sent",
    )


def run(arguments: argparse.Namespace) -> int:
    """Send it; returns the exit code, as `outcome.py` has it."""
    try:
        chosen = target.target(arguments, timeout=arguments.timeout)
        if len(chosen.namespaces) > 1:
            raise target.wrong("--namespace: an event goes to one")
        chosen.options["reconnection"] = False
        args = tuple(argument(word) for word in arguments.args)
        timeout: float | None = arguments.timeout if arguments.ack else None
        values = asyncio.run(emit(chosen, arguments.event, args, timeout))
    except Failure as failure:
        return tell(failure)
    except KeyboardInterrupt:
        return Outcome.INTERRUPTED
    for value in values:
        print(dump(value))
    return Outcome.DONE


def argument(word: str) -> Any:
    """Read an argument of the event; raises Failure."""
    try:
        return parse_word(word, read_file)
    except LineError as error:
        raise target.wrong(str(error)) from error


async def emit(
    chosen: Target, event: str, args: tuple[Any, ...], timeout: float | None
) -> tuple[Any, ...]:
    """Connect, send the event, and return the values of its acknowledgement, if any is awaited.

    Raises Failure. Cancellation ends the connection.
    """
    try:
        async with Client(chosen.url, **chosen.options) as client:
            socket = await client.connect(chosen.namespaces[0], auth=chosen.auth)
            if timeout is not None:
                return await acknowledged(socket, event, args, timeout)
            socket.emit(event, *args)
            await socket.drain()
            return ()
    except Exception as error:
        failure = failure_of(error, chosen.url)
        if failure.outcome is Outcome.TIMEOUT:
            failure = Failure(Outcome.TIMEOUT, f"no acknowledgement came within {timeout} s")
        raise failure from error


async def acknowledged(
    socket: ClientSocket, event: str, args: tuple[Any, ...], timeout: float
) -> tuple[Any, ...]:
    """The values of the acknowledgement, exactly: `call` makes one of one, and None of none."""
    answer: asyncio.Future[tuple[Any, ...]] = asyncio.get_running_loop().create_future()

    def answered(error: Exception | None, *values: Any) -> None:
        if answer.done():
            return
        if error is None:
            answer.set_result(values)
        else:
            answer.set_exception(error)

    socket.timeout(timeout).emit(event, *args, ack=answered)
    return await answer
