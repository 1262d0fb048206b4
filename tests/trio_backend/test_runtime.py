"""What the core asks of Trio: tasks, one timer, and waiting (trio_backend/runtime.py)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import trio
from support.trio_client import HOST, until, websocket
from support.trio_server import complaints
from trio.testing import MockClock, wait_all_tasks_blocked

from sansocket.sansio.runtime import Resolve, Start
from sansocket.sansio.socketio.app import App
from sansocket.sansio.timers import Timer
from sansocket.trio_backend import Disconnected, Server, Socket
from sansocket.trio_backend.home import Home
from sansocket.trio_backend.runtime import TrioRuntime, keep_time


class Promise:
    """What somebody waits for: its end comes from the test."""

    def __init__(self) -> None:
        self.resolve: Resolve[str]
        self.forgotten = 0

    @property
    def start(self) -> Start[str]:
        """As the core gives it to the runtime."""

        def start(resolve: Resolve[str]) -> Callable[[], None]:
            self.resolve = resolve
            return self.forget

        return start

    def forget(self) -> None:
        """Nobody waits any more."""
        self.forgotten += 1


class TestWait:
    """`Runtime.wait`: however it ends, what was started is forgotten, once."""

    async def test_a_value(self) -> None:
        promise = Promise()
        results: list[str] = []

        async def wait() -> None:
            results.append(await TrioRuntime().wait(promise.start, None))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait)
            await wait_all_tasks_blocked()
            assert promise.forgotten == 0
            promise.resolve("first")
            promise.resolve("second")
            promise.resolve(ZeroDivisionError())
        assert results == ["first"]
        assert promise.forgotten == 1

    async def test_a_value_at_once(self) -> None:
        """It is a checkpoint all the same, as every async function of Trio's is."""
        forgotten: list[str] = []

        def start(resolve: Resolve[str]) -> Callable[[], None]:
            resolve("at once")
            return lambda: forgotten.append("forgotten")

        with trio.testing.assert_checkpoints():
            assert await TrioRuntime().wait(start, 5) == "at once"
        assert forgotten == ["forgotten"]

    async def test_an_exception(self) -> None:
        def start(resolve: Resolve[str]) -> Callable[[], None]:
            resolve(Disconnected("gone"))
            return lambda: None

        with pytest.raises(Disconnected, match="gone"):
            await TrioRuntime().wait(start, None)

    async def test_too_slow(self, autojump_clock: MockClock) -> None:
        """The time-out is Trio's own (api.md), and in seconds."""
        promise = Promise()
        with pytest.raises(trio.TooSlowError):
            await TrioRuntime().wait(promise.start, 5)
        assert trio.current_time() == 5
        assert promise.forgotten == 1

    async def test_cancelled(self) -> None:
        promise = Promise()
        with trio.CancelScope() as scope:
            scope.cancel()
            await TrioRuntime().wait(promise.start, 5)
        assert scope.cancelled_caught
        assert promise.forgotten == 1


class TestSpawnCancellable:
    """A task that can be cancelled alone, and says when it has ended."""

    @pytest.mark.parametrize("when", ["before it begins", "while it waits", "after its end"])
    async def test_cancel(self, when: str) -> None:
        order: list[str] = []

        async def work() -> None:
            order.append("begun")
            await (trio.lowlevel.checkpoint() if when == "after its end" else trio.sleep_forever())
            order.append("worked")

        async with trio.open_nursery() as nursery:
            cancel = TrioRuntime().spawn_cancellable(
                work, Home(nursery), lambda: order.append("done")
            )
            if when != "before it begins":
                await wait_all_tasks_blocked()
            cancel()
        assert order[-1] == "done"
        assert order.count("done") == 1
        assert ("worked" in order) is (when == "after its end")


class TestCall:
    """`socket.call` on Trio (api.md)."""

    @pytest.mark.parametrize(
        ("answer", "value"), [("[]", None), ("[1]", 1), ('[1,"two"]', (1, "two"))]
    )
    async def test_an_answer(self, answer: str, value: object) -> None:
        """None for none, the value for one, a tuple for several."""
        io = Server()
        async with io.listening(HOST, 0) as bound, websocket(bound.port) as client:
            socket = io.sockets[await client.join()]
            results: list[object] = []

            async def call() -> None:
                results.append(await socket.call("who", timeout=60))

            async with trio.open_nursery() as nursery:
                nursery.start_soon(call)
                assert await client.receive() == '420["who"]'
                await client.send(f"430{answer}")
            assert results == [value]

    async def test_too_slow(self) -> None:
        """trio.TooSlowError; an answer that comes later is nobody's (rule 47)."""
        io = Server()
        async with io.listening(HOST, 0) as bound, websocket(bound.port) as client:
            socket = io.sockets[await client.join()]
            with pytest.raises(trio.TooSlowError):
                await socket.call("who", timeout=0.01)
            await client.send('430["late"]')
            await client.receive()
            socket.emit("still here")
            assert await client.event() == ["still here"]

    async def test_disconnected(self) -> None:
        """Disconnected: when the client goes, and when it has gone before."""
        io = Server()
        async with io.listening(HOST, 0) as bound:
            async with websocket(bound.port) as client:
                socket = io.sockets[await client.join()]

                async def call() -> None:
                    with pytest.raises(Disconnected):
                        await socket.call("who", timeout=60)

                async with trio.open_nursery() as nursery:
                    nursery.start_soon(call)
                    await client.receive()
                    await client.send("41")
            await call()
            with pytest.raises(Disconnected):
                await socket.drain()

    async def test_cancelled(self) -> None:
        """The acknowledgement is forgotten: its place is free again (rule 78)."""
        io = Server(max_pending_acks=1)
        async with io.listening(HOST, 0) as bound, websocket(bound.port) as client:
            socket = io.sockets[await client.join()]
            for number in range(3):
                with trio.CancelScope() as scope:
                    scope.cancel()
                    await socket.call("who")
                assert await client.receive() == f'42{number}["who"]'

    async def test_it_does_not_hold_up_the_reader(self) -> None:
        """A handler that awaits `call` is answered by the client whose event it handles."""
        io = Server()

        @io.on("ask")
        async def ask(socket: Socket) -> str:
            return f"you are {await socket.call('who')}"

        async with io.listening(HOST, 0) as bound, websocket(bound.port) as client:
            await client.join()
            await client.emit("ask", ack=7)
            assert await client.receive() == '420["who"]'
            await client.send('430["me"]')
            assert await client.receive() == '437["you are me"]'


async def test_handlers_run_in_the_nursery_of_serve() -> None:
    """Events of one client in order, those of different clients at the same time."""
    io = Server()
    order: list[tuple[str, int]] = []
    go_on = trio.Event()

    @io.on("work")
    async def work(socket: Socket, name: str, number: int) -> None:
        order.append((name, number))
        await go_on.wait()

    async with (
        io.listening(HOST, 0) as bound,
        websocket(bound.port) as one,
        websocket(bound.port) as two,
    ):
        await one.join()
        await two.join()
        for number in range(3):
            await one.emit("work", "one", number)
            await two.emit("work", "two", number)
        await wait_all_tasks_blocked()
        assert sorted(order) == [("one", 0), ("two", 0)]
        go_on.set()
        await until(lambda: len(order) == 6)
    assert [number for name, number in order if name == "one"] == [0, 1, 2]
    assert [number for name, number in order if name == "two"] == [0, 1, 2]


async def test_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """With an error as ERROR and its traceback, else as INFO, under the name "sansocket"."""
    caplog.set_level("INFO")
    TrioRuntime().log("known", None)
    TrioRuntime().log("failed", ZeroDivisionError())
    assert [(record.name, record.levelname) for record in caplog.records] == [
        ("sansocket", "INFO"),
        ("sansocket", "ERROR"),
    ]
    assert complaints(caplog) == ["known", "failed: ZeroDivisionError()"]


class TestKeepTime:
    """One timer for all deadlines, told of the time (docs/driving-the-core.md)."""

    async def test_deadlines_come_in_their_order(self, autojump_clock: MockClock) -> None:
        """One that is set later and comes earlier, one that is given up, and one that is over."""
        runtime = TrioRuntime()
        io = App(runtime, entropy=bytes)
        timers = io.engine.timers
        told: list[tuple[float, str]] = []

        def at(deadline: float, name: str) -> Timer:
            return timers.at(deadline, lambda now: told.append((now, name)))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(keep_time, io, runtime, trio.Lock())
            at(3.0, "third")
            await wait_all_tasks_blocked()
            at(1.0, "first")
            given_up = at(2.0, "given up")
            timers.after(0.0, lambda now: told.append((now, "at once")))
            await trio.sleep(1.5)
            given_up.cancel()
            timers.soon()
            await trio.sleep(5)
            at(5.0, "late")
            await wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
        assert told == [(0.0, "at once"), (1.0, "first"), (3.0, "third"), (6.5, "late")]
