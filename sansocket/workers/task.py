"""What the supervisor tells a worker that it starts, and what that one reports."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True, kw_only=True)
class Task:
    """What one worker is to do."""

    application: str
    """The name of its server: `module:attribute`."""
    host: str | None
    port: int
    """Never 0: it is the same for all."""
    certificate: str | None
    key: str | None
    grace: float
    uvloop: bool
    path: list[str]
    """Where modules are found: `sys.path`."""
    folder: str
    """Where the sockets between the workers are."""
    name: str
    """Of this worker, for the others."""
    leash: int
    """The descriptor of the socket to the supervisor."""


@dataclass(frozen=True)
class Report:
    """What has become of a worker: it serves, or why it does not."""

    failure: str | None = None


def write_task(task: Task) -> str:
    """The task as an argument of the command line."""
    return json.dumps(asdict(task))


def read_task(text: str) -> Task:
    """The task again."""
    return Task(**json.loads(text))


def encode_report(report: Report) -> bytes:
    """The report as one packet."""
    return json.dumps(asdict(report)).encode()


def decode_report(data: bytes) -> Report:
    """The report again."""
    return Report(**json.loads(data))
