"""The codec alone, in rounds: ours beside npm's parser and python-socketio's.

The work is done by the programs in codecs/; in each round every one of them runs once.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .contestants import Unavailable, end_of, interpreter, start
from .machine import Meter
from .report import Result, Subject, summarise
from .samples import Sample

CODECS: Final = Path(__file__).parent / "codecs"
NPM_PARSER: Final = "socket.io-parser"
PYTHON_SOCKETIO: Final = "python-socketio"
OURS: Final = "sansocket"
NAME: Final = "codec"
COLUMNS: Final = {OURS: "codec"}
TASKS: Final = ("encode", "decode")
TITLE: Final = '2["echo",{"a":1,"b":"hello","c":[1,2,3]}]'


@dataclass(frozen=True)
class Codec:
    """An implementation, and the program in codecs/ that times it."""

    name: str
    program: str
    arguments: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()

    def run(self, seconds: float, cores: Collection[int]) -> dict[str, Sample]:
        """Run its program for about so many seconds; return the samples by task.

        Raises Unavailable when it fails.
        """
        command = [*interpreter(CODECS / self.program, self.needs), *self.arguments]
        if self.program.endswith(".py"):
            command += ["--inherit-environ", "PYTHONPATH", "--quiet", "--processes", "1"]
            command += ["--warmups", "1", "--values", "5", "--min-time", f"{seconds / 20:.3f}"]
        with tempfile.TemporaryFile("w+") as complaints:
            meter = Meter()
            process = start(command, cores, complaints)
            output = process.communicate()[0].strip()
            if process.returncode or not output:
                raise Unavailable(f"failed: {end_of(complaints)}")
        foreign = meter.read().foreign
        found: dict[str, float] = json.loads(output.splitlines()[-1])
        return {task: Sample(found[task] * 1e6, foreign) for task in TASKS}


IMPLEMENTATIONS: Final = (
    Codec(NPM_PARSER, "in_node.mjs"),
    Codec(OURS, "in_python.py", ("ours",), ("pyperf",)),
    Codec(PYTHON_SOCKETIO, "in_python.py", (PYTHON_SOCKETIO,), ("pyperf", "socketio")),
)


def measure(rounds: int, seconds: float, cores: Collection[int]) -> Sequence[Result]:
    """Run all rounds; for each task a result against npm's parser and one against Python's."""
    failures: dict[str, str] = {}
    samples: list[dict[str, dict[str, Sample]]] = []
    for _ in range(rounds):
        samples.append({})
        for codec in IMPLEMENTATIONS:
            if codec.name not in failures:
                try:
                    samples[-1][codec.name] = codec.run(seconds, cores)
                except (Unavailable, OSError) as error:
                    failures[codec.name] = str(error)
    return [
        summarise(
            Subject(
                f"{NAME}-{task}{suffix}", f"{task} {TITLE}", "CPU µs a packet", reference, COLUMNS
            ),
            [{name: found[task] for name, found in one.items()} for one in samples],
            failures,
        )
        for task in TASKS
        for suffix, reference in (("", NPM_PARSER), ("-python", PYTHON_SOCKETIO))
    ]
