"""Time our codec, or python-socketio's, with pyperf.

The last line that it prints is JSON: the seconds of CPU for one packet, by what is done with it.
"""

from __future__ import annotations

import argparse
import importlib
import json
from collections.abc import Callable
from time import process_time
from typing import Any, Final

from sansocket.sansio.socketio import JsonParser, Packet, Type

DATA: Final[list[Any]] = ["echo", {"a": 1, "b": "hello", "c": [1, 2, 3]}]
EVENT: Final = Type.EVENT
TEXT: Final = '2["echo",{"a":1,"b":"hello","c":[1,2,3]}]'

Tasks = dict[str, Callable[[], object]]


def ours() -> Tasks:
    """From arguments to a frame, and from a frame to a packet."""
    parser = JsonParser()
    feed = parser.decoder().feed
    assert parser.encode(Packet(Type.EVENT, data=DATA)) == [TEXT]
    return {
        # To look the member up takes 0.07 us each time; what is compared with has a literal there.
        "encode": lambda: parser.encode(Packet(EVENT, data=DATA)),
        "decode": lambda: feed(TEXT),
    }


def python_socketio() -> Tasks:
    """The same there."""
    # It belongs to the dependency group `bench`, so it has no types where it is not installed.
    packet: Any = importlib.import_module("socketio.packet").Packet
    assert packet(2, data=DATA).encode() == TEXT
    return {
        "encode": lambda: packet(2, data=DATA).encode(),
        "decode": lambda: packet(encoded_packet=TEXT),
    }


def cpu_time(loops: int, task: Callable[[], object]) -> float:
    """Return the seconds of CPU that so many calls take; others on the core do not count."""
    begin = process_time()
    for _ in range(loops):
        task()
    return process_time() - begin


def add_arguments(command: list[str], arguments: argparse.Namespace) -> None:
    """Tell a process that pyperf starts which codec is meant."""
    command.append(arguments.codec)


def main() -> None:
    """Read the arguments, those of pyperf besides, and measure."""
    pyperf: Any = importlib.import_module("pyperf")
    runner = pyperf.Runner(add_cmdline_args=add_arguments)
    runner.argparser.add_argument("codec", choices=["ours", "python-socketio"])
    arguments = runner.parse_args()
    tasks = (ours if arguments.codec == "ours" else python_socketio)()
    benchmarks = {n: runner.bench_time_func(n, cpu_time, task) for n, task in tasks.items()}
    if not arguments.worker:
        print(json.dumps({name: benchmark.median() for name, benchmark in benchmarks.items()}))


if __name__ == "__main__":
    main()
