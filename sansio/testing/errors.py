"""What a simulation raises when it finds something wrong."""

from __future__ import annotations


class SimulationError(AssertionError):
    """Something that may not be was seen in a simulation.

    `seed` is that of the simulation, `lines` are the last of its transcript, and `command`,
    where there is one, runs it again.
    """

    def __init__(
        self, message: str, *, seed: int, lines: list[str], command: str | None = None
    ) -> None:
        self.message = message
        self.seed = seed
        self.lines = lines
        self.command = command
        parts = ["\n".join(lines), f"seed {seed}: {message}"]
        if command is not None:
            parts.append(f"again: {command}")
        super().__init__("\n" + "\n".join(parts))

    def __reduce__(self) -> tuple[object, ...]:
        return rebuilt, (self.message, self.seed, self.lines, self.command)


def rebuilt(message: str, seed: int, lines: list[str], command: str | None) -> SimulationError:
    """The error as another process raised it."""
    return SimulationError(message, seed=seed, lines=lines, command=command)


class Cancelled(BaseException):
    """Raised where a task waits that is cancelled, as event loops do."""
