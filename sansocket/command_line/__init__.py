"""The command line: one module for each command.

A command's module has `NAME` and `HELP`, `add_arguments`, which describes its arguments to a
parser, and `run`, which does the work and returns the exit code. The library may not import this
package.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence

from . import bench, connect, emit, serve, simulate

COMMANDS = (serve, connect, emit, simulate, bench)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that the arguments name; without any given, those of the process.

    Returns the exit code; wrong arguments end the process with 2, as argparse does.
    """
    parser = argparse.ArgumentParser(
        prog="sansocket", description="Socket.IO for Trio and asyncio, on one sans-IO core."
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in COMMANDS:
        subparser = commands.add_parser(command.NAME, help=command.HELP, description=command.HELP)
        command.add_arguments(subparser)
        subparser.set_defaults(run=command.run)
    chosen = parser.parse_args(arguments)
    run: Callable[[argparse.Namespace], int] = chosen.run
    try:
        return run(chosen)
    except* KeyboardInterrupt:
        pass  # before the command was ready for it, or again while it was ending: no error
    return 0
