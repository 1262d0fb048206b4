"""The tasks that read and write, by the steps they take: trio_backend/home.py."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import ExitStack, asynccontextmanager

import pytest
import trio
from support.transcript import masked_text, websocket_request_bytes
from support.trio_client import HOST, until
from support.trio_server import echo_server
from trio.testing import wait_all_tasks_blocked

from sansocket.trio_backend.home import Home, open_home
from sansocket.trio_backend.reading import AVAILABLE, Reading

pytestmark = pytest.mark.skipif(not AVAILABLE, reason="one task reads from all by epoll alone")

FEW = 4
"""How many connections are read from, or written to, at a stretch in some tests."""

Step = tuple[str, int]
"""A task, and the number of its step."""


class Steps(trio.abc.Instrument):
    """Counts the steps that tasks take, between two checkpoints each."""

    def __init__(self) -> None:
        self.taken: list[str] = []

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        """Note it."""
        self.taken.append(task.name.rpartition(".")[2])

    @property
    def now(self) -> Step:
        """The one that is being taken."""
        return self.taken[-1], len(self.taken)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let other tasks have their turn after FEW connections."""
    monkeypatch.setattr("sansocket.trio_backend.reading.AT_ONCE", FEW)
    monkeypatch.setattr("sansocket.sansio.flushes.AT_ONCE", FEW)


@asynccontextmanager
async def counting() -> AsyncGenerator[Steps]:
    """Count from when all tasks wait."""
    await wait_all_tasks_blocked()
    steps = Steps()
    trio.lowlevel.add_instrument(steps)
    try:
        yield steps
    finally:
        trio.lowlevel.remove_instrument(steps)


class Ears:
    """Connections of a home, and the steps in which they were read from and written to."""

    def __init__(self, home: Home, steps: Steps) -> None:
        assert home.reading is not None
        self._reading: Reading = home.reading
        self._steps = steps
        self.read: Counter[Step] = Counter()
        self.written: Counter[Step] = Counter()

    def flush(self) -> None:
        """Note it."""
        self.written[self._steps.now] += 1

    def add(self, end: socket.socket, then: Callable[[], None]) -> None:
        """Read from `end`, which has something, and do `then`."""

        def read() -> None:
            end.recv(1)
            self.read[self._steps.now] += 1
            then()

        self._reading.add(end.fileno(), read)


@asynccontextmanager
async def ears(ready: int, woken: int = 1) -> AsyncGenerator[Ears]:
    """So many connections of which each has something, and wakes so many when it is read from."""
    with ExitStack() as ends:
        async with open_home(trio.sleep_forever) as home, counting() as steps:
            found = Ears(home, steps)

            def then() -> None:
                for _ in range(woken):
                    home.wake(found)

            for _ in range(ready):
                ours, theirs = (ends.enter_context(end) for end in socket.socketpair())
                theirs.send(b"x")
                found.add(ours, then)
            yield found


async def test_an_echo_takes_one_step() -> None:
    """The task that reads has handled and answered it, and no other is woken for it."""
    io = echo_server()
    async with io.listening(HOST, 0) as bound:
        with socket.create_connection((HOST, bound.port)) as client:
            client.setblocking(False)
            client.send(websocket_request_bytes(query="EIO=4&transport=websocket"))
            await trio.lowlevel.wait_readable(client)
            client.send(masked_text("40"))
            seen = b""
            while b'40{"sid":' not in seen:
                await trio.lowlevel.wait_readable(client)
                seen += client.recv(4096)
            async with counting() as steps:
                client.send(masked_text('42["echo",1]'))
                await trio.lowlevel.wait_readable(client)
                assert client.recv(4096).endswith(b'42["echo",1]')
                others = [name for name in steps.taken if name.startswith("keep_")]
                assert others == ["keep_reading"]


async def test_all_that_is_ready_is_read_and_then_written_to_in_one_step() -> None:
    """Reading, handling and writing are phases, whoever is ready."""
    async with ears(ready=10) as found:
        await until(lambda: found.written.total() == 10)
        [(step, count)] = found.read.items()
        assert step[0] == "keep_reading"
        assert count == 10
        assert found.written == {step: 10}


@pytest.mark.usefixtures("few")
async def test_others_have_their_turn_when_many_are_ready() -> None:
    """What is done in one step is bounded, however many wait."""
    async with ears(ready=5 * FEW) as found:
        await until(lambda: found.written.total() == 5 * FEW)
        assert set(found.read.values()) == set(found.written.values()) == {FEW}
        assert set(found.read) == set(found.written)


@pytest.mark.usefixtures("few")
async def test_a_broadcast_is_written_in_many_steps() -> None:
    """The reading writes the first of it, and the task that writes the rest."""
    async with ears(ready=1, woken=3 * FEW + 1) as found:
        await until(lambda: found.written.total() == 3 * FEW + 1)
        [reading] = found.read
        (first, *others) = found.written
        assert first == reading
        assert {name for name, _ in others} == {"keep_writing"}
        assert list(found.written.values()) == [FEW, FEW, FEW, 1]


async def test_what_something_else_wakes_is_written() -> None:
    """A timer, a task of the application: nobody reads then."""
    async with open_home(trio.sleep_forever) as home, counting() as steps:
        found = Ears(home, steps)
        home.wake(found)
        assert not found.written
        await until(lambda: found.written.total())
        [(name, _)] = found.written
        assert name == "keep_writing"


async def test_both_go_on_after_each_other() -> None:
    """Woken while it reads, and then from elsewhere, and then again."""
    async with open_home(trio.sleep_forever) as home, counting() as steps:
        found = Ears(home, steps)
        ours, theirs = socket.socketpair()
        with ours, theirs:
            found.add(ours, lambda: home.wake(found))
            for _ in range(3):
                theirs.send(b"x")
                await until(lambda: found.written.total() % 2)
                home.wake(found)
                await until(lambda: found.written.total() % 2 == 0)
            names = [name for name, _ in found.written]
            assert names == ["keep_reading", "keep_writing"] * 3
