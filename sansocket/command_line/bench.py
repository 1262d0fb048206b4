"""`sansocket bench`: the benchmark of the repository's folder benchmarks/.

It is not in the distribution, so the command works in a checkout alone, and imports it only when it
runs.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Final

NAME: Final = "bench"
HELP: Final = "measure what a message costs, against npm's socket.io (in a checkout of the source)"

CHECKOUT: Final = Path(__file__).parents[2]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments of the command."""
    parser.add_argument(
        "--case",
        action="append",
        metavar="NAME",
        help="only this case, or these: may be repeated; `broadcast` is each of its sizes",
    )
    parser.add_argument(
        "--server", action="append", metavar="NAME", help="only this server: may be repeated"
    )
    parser.add_argument("--list", action="store_true", help="print the cases and the servers")
    parser.add_argument("--quick", action="store_true", help="fewer cases, shorter rounds")
    parser.add_argument("--rounds", type=positive_int, help="how often each is measured")
    parser.add_argument("--seconds", type=positive_float, help="CPU time that each is measured for")
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("build/bench"),
        metavar="FOLDER",
        help="for results.json and results.svg (default: %(default)s)",
    )
    parser.add_argument("--check", action="store_true", help="fail when a target is missed")


def positive_int(text: str) -> int:
    """Read how often."""
    if not (text.isascii() and text.isdigit() and int(text)):
        raise argparse.ArgumentTypeError("a number from 1 on is expected")
    return int(text)


def positive_float(text: str) -> float:
    """Read how long."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.0 < seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"expected seconds, more than 0, got {text!r}")
    return seconds


def run(arguments: argparse.Namespace) -> int:
    """Measure; return 0, 1 when a target that is checked was missed, 2 for a wrong name."""
    if not (CHECKOUT / "benchmarks" / "program.py").is_file():
        print("sansocket: bench needs a checkout of the source, with benchmarks/", file=sys.stderr)
        return 1
    if str(CHECKOUT) not in sys.path:
        sys.path.append(str(CHECKOUT))
    from benchmarks import program

    if arguments.list:
        print(program.listing())
        return 0
    rounds, seconds = program.QUICK if arguments.quick else program.THOROUGH
    options = program.Options(
        cases=arguments.case or (),
        servers=arguments.server or (),
        rounds=arguments.rounds or rounds,
        seconds=arguments.seconds or seconds,
        output=arguments.output,
        quick=arguments.quick,
        check=arguments.check,
    )
    try:
        return program.run(options)
    except program.WrongArguments as error:
        print(f"sansocket: {error}", file=sys.stderr)
        return 2
