"""What the core asks of an event loop, and that the tests' own runtime keeps it.

The backends' runtimes have the same to keep; their own tests drive them.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine

import pytest
from support.fake_engine import Dialer
from support.runtime import Gate, LoopFree, Task, counting_entropy

from sansocket.sansio.client_config import EngineClientConfig
from sansocket.sansio.engineio.client.url import Target
from sansocket.sansio.engineio.client.wire import ClientWire
from sansocket.sansio.runtime import ClientRuntime, Resolve, Runtime
from sansocket.sansio.timers import Timers


class Wait:
    """A wait under way, and whether somebody still wants its end."""

    def __init__(self) -> None:
        self.loop = LoopFree()
        self.wanted = True
        runtime: Runtime = self.loop  # a type checker sees that it is one
        self.task: Task[str] = Task(self.loop, runtime.wait(self._start, None))

    def _start(self, resolve: Resolve[str]) -> Callable[[], None]:
        self.resolve = resolve
        return self._forget

    def _forget(self) -> None:
        self.wanted = False


def test_wait_for_a_value() -> None:
    """It waits for as long as it takes, and has the value then."""
    wait = Wait()
    wait.loop.run()
    assert wait.wanted
    assert not wait.task.done
    wait.resolve("value")
    wait.loop.run()
    assert wait.task.result == "value"
    assert not wait.wanted


def test_wait_for_an_error() -> None:
    wait = Wait()
    wait.resolve(OSError("gone"))
    wait.loop.run()
    with pytest.raises(OSError, match="gone"):
        assert wait.task.result
    assert not wait.wanted


def test_cancelled_wait() -> None:
    """Protocol rule 78: what nobody waits for is forgotten at once."""
    wait = Wait()
    wait.task.cancel()
    assert not wait.wanted


@pytest.mark.parametrize("steps", ["", "begin", "begin, cancel", "cancel", "begin, end", "end"])
def test_cancellable_task(steps: str) -> None:
    """Told of its end once: also where it never began, or was cancelled twice."""
    runtime, gate, ends = LoopFree(), Gate(), [0]

    def done() -> None:
        ends[0] += 1

    cancel = runtime.spawn_cancellable(gate.wait, "home", done)
    if "begin" in steps:
        runtime.run()
    if "end" in steps:
        gate.open()
        runtime.run()
    assert ends == ["end" in steps]
    if "cancel" in steps:
        cancel()
    cancel()
    runtime.run()
    assert ends == [1]
    assert runtime.tasks == []


def test_the_runtime_of_a_client() -> None:
    """It is one of a server, and dials."""
    dialer = Dialer()
    runtime: ClientRuntime = dialer  # a type checker sees that it is one
    target = Target("server.example", 80, secure=False)
    timers = Timers(runtime.rearm)
    wire = ClientWire(target, EngineClientConfig(), timers, counting_entropy())
    runtime.dial(wire)
    assert dialer.dialled == [wire]


@pytest.mark.parametrize("waits", [False, True])
def test_a_function_may_leave_nothing_to_do(waits: bool) -> None:
    """What it returns, if anything, is awaited in its task."""
    loop, done = LoopFree(), list[str]()

    async def rest() -> None:
        done.append("rest")

    def begin() -> Coroutine[None, None, None] | None:
        done.append("begun")
        return rest() if waits else None

    loop.spawn(begin, None)
    assert done == []
    loop.run()
    assert done == ["begun", "rest"][: 1 + waits]
