"""A server or a client of a simulation, with its runtime: what a backend is elsewhere.

This module does not know what carries the bytes; it writes to connections that were woken.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Protocol, TypeVar

from ..engineio.client.wire import ClientWire
from ..runtime import Begin, Callback, Start, TaskFunction, run
from .clock import Appointment, Clock
from .tasks import Parking, Tasks
from .transcript import Transcript

if TYPE_CHECKING:
    from .end import End
    from .network import Network

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class World:
    """What all processes of a simulation share."""

    clock: Clock
    tasks: Tasks
    random: Random
    transcript: Transcript
    touched: dict[Process, None]
    """Those that have something to do now."""
    logged: list[tuple[str, str, Exception | None]]
    """What was logged: by which process, what, and with which exception."""

    def note(self, what: str) -> None:
        """Write a line into the transcript."""
        self.transcript.note(self.clock.now, what)


class Machine(Protocol):
    """A core, as it is driven."""

    def next_deadline(self) -> float | None:
        """When it wants to be told the time, in seconds; None for never."""
        ...

    def handle_timeout(self, now: float, /) -> None:
        """Do what is due."""
        ...

    def deliver(self) -> None:
        """Bring what has happened to the handlers."""
        ...


class Process:
    """One server or client, which may stand still, and may be killed."""

    def __init__(self, world: World, name: str, network: Network) -> None:
        self.name = name
        self.world = world
        self.network = network
        self.machine: Machine | None = None
        self.alive: bool = True
        self.resumes_at: float = 0.0
        """Until when it stands still."""
        self.ends: dict[End, None] = {}
        """Its ends of connections."""
        self._woken: dict[End, None] = {}
        self._timer: Appointment | None = None
        self._armed: float | None = None

    @property
    def frozen(self) -> bool:
        """Whether it stands still."""
        return self.resumes_at > self.world.clock.now

    def freeze(self, seconds: float) -> None:
        """Stand still: nothing is read, written, handled or noticed."""
        if self.alive:
            self.world.note(f"{self.name} stands still for {seconds:.1f} s")
            self.resumes_at = max(self.resumes_at, self.world.clock.now + seconds)
            self.world.clock.at(self.resumes_at, self.touch)

    def touch(self) -> None:
        """There is something to do for it, now."""
        if self.alive:
            self.world.touched[self] = None

    def wake(self, end: End) -> None:
        """A connection has something to send, or to look at."""
        self._woken[end] = None
        self.touch()

    def deliver(self) -> None:
        """Hand the events that have come to their handlers."""
        if self.machine is not None and self.alive:
            self.machine.deliver()
            self.touch()

    def settle(self) -> None:
        """Do what there is to do now; raises what the core raises, which is a fault of ours."""
        if self.frozen or not self.alive:
            return
        machine, clock = self.machine, self.world.clock
        if machine is not None:
            deadline = machine.next_deadline()
            if deadline is not None and deadline <= clock.now:
                machine.handle_timeout(clock.now)
            machine.deliver()
        # A broadcast wakes them in no order: a set has none that is the same in every run.
        for end in sorted(self._woken, key=lambda end: end.number):
            self._woken.pop(end, None)
            end.flush()
        if machine is not None:
            self._rearm(machine.next_deadline())

    def _rearm(self, deadline: float | None) -> None:
        if self._timer is not None and deadline == self._armed:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._armed = deadline
        if deadline is not None:
            self._timer = self.world.clock.at(deadline, self._due)

    def _due(self) -> None:
        self._timer = None
        self.touch()

    def kill(self) -> None:
        """It is gone, and has done nothing about it; its connections are the network's matter."""
        self.alive = False
        for task in self.world.tasks.of(self):
            task.kill()
        if self._timer is not None:
            self._timer.cancel()
        self.machine = None
        self._woken.clear()
        self.world.touched.pop(self, None)


class VirtualRuntime:
    """A backend, as the core sees it, in virtual time."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._world = process.world

    def rearm(self) -> None:
        """The process looks at its next deadline."""
        self._process.touch()

    def spawn(self, function: Begin, home: object) -> None:
        """Run a handler in a task of the process."""
        if self._process.alive:
            self._world.tasks.spawn(partial(run, function), self._process)

    def workers(self, home: object) -> None:
        """Nobody is lent."""

    def spawn_cancellable(self, function: TaskFunction, home: object, done: Callback) -> Callback:
        """The same; what is returned cancels it."""
        return self._world.tasks.spawn(function, self._process, done).cancel

    def log(self, message: str, error: Exception | None) -> None:
        """Keep what is logged, and note it."""
        self._world.logged.append((self._process.name, message, error))
        self._world.note(f"{self._process.name} logs {message}: {error!r}")

    def dial(self, wire: ClientWire) -> None:
        """Connect, through the network."""
        self._process.network.dial(self._process, wire)

    async def wait(self, start: Start[T], timeout: float | None) -> T:
        """Wait for what `start` promises; raises TimeoutError after `timeout` seconds."""
        results: list[T | Exception] = []
        parking = Parking()

        def resolve(result: T | Exception) -> None:
            if not results:
                results.append(result)
                parking.resume()

        forget = start(resolve)
        self._process.touch()
        timer = None
        if timeout is not None:
            timer = self._world.clock.after(timeout, lambda: resolve(TimeoutError(timeout)))
        try:
            await parking
        finally:
            if timer is not None:
                timer.cancel()
            forget()
            self._process.touch()
        [result] = results
        if isinstance(result, Exception):
            raise result
        return result
