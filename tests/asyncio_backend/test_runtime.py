"""What the core asks of asyncio: tasks, one timer, and waiting (asyncio_backend/runtime.py)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from support.asyncio_client import HOST, websocket
from support.loops import on_both_loops, turns, until
from support.servers import complaints

from sansocket.asyncio_backend import AckTimeout, Disconnected, Server, Socket
from sansocket.asyncio_backend.home import Home
from sansocket.asyncio_backend.runtime import AsyncioRuntime
from sansocket.sansio.runtime import Resolve


class Promise:
    """What somebody waits for: its end comes from the test."""

    def __init__(self) -> None:
        self.resolve: Resolve[str]
        self.forgotten = 0

    def start(self, resolve: Resolve[str]) -> Callable[[], None]:
        """Begin to wait."""
        self.resolve = resolve
        return self.forget

    def forget(self) -> None:
        """Nobody waits any more."""
        self.forgotten += 1


class TestWait:
    """`Runtime.wait`: the end comes once, and is forgotten however it comes."""

    @on_both_loops
    async def test_a_value(self) -> None:
        promise = Promise()
        waiter = asyncio.create_task(AsyncioRuntime().wait(promise.start, None))
        await turns(1)
        promise.resolve("first")
        promise.resolve("second")
        promise.resolve(Disconnected("third"))
        assert await waiter == "first"
        assert promise.forgotten == 1

    @on_both_loops
    async def test_at_once(self) -> None:
        forgotten: list[str] = []

        def start(resolve: Resolve[str]) -> Callable[[], None]:
            resolve("at once")
            return lambda: forgotten.append("forgotten")

        assert await AsyncioRuntime().wait(start, 5) == "at once"
        assert forgotten == ["forgotten"]

    @on_both_loops
    async def test_an_exception(self) -> None:
        def start(resolve: Resolve[str]) -> Callable[[], None]:
            resolve(Disconnected("gone"))
            return lambda: None

        with pytest.raises(Disconnected, match="gone"):
            await AsyncioRuntime().wait(start, None)

    @on_both_loops
    async def test_too_late(self) -> None:
        """The time-out is Python's own (api.md); who comes later finds nobody."""
        promise = Promise()
        with pytest.raises(TimeoutError):
            await AsyncioRuntime().wait(promise.start, 0.001)
        assert promise.forgotten == 1
        promise.resolve(Disconnected("late"))

    @on_both_loops
    async def test_cancelled(self) -> None:
        promise = Promise()
        waiter = asyncio.create_task(AsyncioRuntime().wait(promise.start, 5))
        await turns(1)
        waiter.cancel()
        await asyncio.wait([waiter])
        assert waiter.cancelled()
        assert promise.forgotten == 1
        promise.resolve(Disconnected("late"))

    @on_both_loops
    async def test_cancelled_in_the_moment_of_its_end(self) -> None:
        """An exception that nobody gets any more is no warning."""
        promise = Promise()
        waiter = asyncio.create_task(AsyncioRuntime().wait(promise.start, None))
        await turns(1)
        promise.resolve(Disconnected("gone"))
        waiter.cancel()
        await asyncio.wait([waiter])
        assert waiter.cancelled()
        assert promise.forgotten == 1


class TestTimer:
    """One timer for all deadlines, told of the time (docs/driving-the-core.md)."""

    @on_both_loops
    async def test_deadlines_come_in_their_order(self) -> None:
        """Also one that is set later and comes earlier, and one that has passed already."""
        io = Server()
        loop = asyncio.get_running_loop()
        start, order, times = loop.time(), list[str](), list[float]()

        def at(deadline: float, name: str) -> None:
            def action(now: float) -> None:
                order.append(name)
                times.append(now - deadline)

            io.engine.timers.at(deadline, action)

        at(start + 0.03, "third")
        await turns(3)
        at(start + 0.02, "second")
        at(start - 1, "first")
        await until(lambda: len(order) == 3)
        assert order == ["first", "second", "third"]
        assert min(times) >= 0

    @on_both_loops
    async def test_what_is_given_up(self) -> None:
        """The timer stays as it was set, and looks again."""
        io = Server()
        timers, told = io.engine.timers, list[str]()
        start = asyncio.get_running_loop().time()
        first = timers.at(start + 0.01, lambda now: told.append("given up"))
        timers.at(start + 0.03, lambda now: told.append("told"))
        await turns(3)
        first.cancel()
        timers.soon()
        await until(lambda: told)
        assert told == ["told"]

    @on_both_loops
    async def test_what_has_no_time_is_told_it_at_once(self) -> None:
        """`Timers.after` counts from the time that is told next."""
        io = Server()
        told: list[float] = []
        io.engine.timers.after(0.0, told.append)
        await until(lambda: told)

    @on_both_loops
    async def test_events_of_a_timer_reach_their_handlers(self) -> None:
        """Whoever tells the time delivers what has come of it."""
        io = Server(connect_timeout=0.02)
        async with io.listening(HOST, 0) as bound, websocket(bound.port) as client:
            assert await client.close_code() == 1000


class TestSpawnCancellable:
    """A task that can be cancelled alone, and says when it has ended."""

    @on_both_loops
    @pytest.mark.parametrize("when", ["before it begins", "while it waits", "after its end"])
    async def test_cancel(self, when: str) -> None:
        order: list[str] = []
        home = Home()

        async def work() -> None:
            order.append("begun")
            if when != "after its end":
                await asyncio.Event().wait()
            order.append("worked")

        cancel = AsyncioRuntime().spawn_cancellable(work, home, lambda: order.append("done"))
        if when != "before it begins":
            await turns(5)
        cancel()
        await home.empty()
        assert order[-1] == "done"
        assert order.count("done") == 1
        assert ("worked" in order) is (when == "after its end")


class TestCall:
    """`socket.call` on asyncio (api.md)."""

    @on_both_loops
    @pytest.mark.parametrize(
        ("answer", "value"), [("[]", None), ("[1]", 1), ('[1,"two"]', (1, "two"))]
    )
    async def test_an_answer(self, answer: str, value: object) -> None:
        """None for none, the value for one, a tuple for several."""
        io = Server()
        async with io.listening(HOST, 0) as bound, websocket(bound.port) as client:
            socket = io.sockets[await client.join()]
            calling = asyncio.create_task(socket.call("who", timeout=60))
            assert await client.receive() == '420["who"]'
            await client.send(f"430{answer}")
            assert await calling == value

    @on_both_loops
    async def test_too_late(self) -> None:
        """TimeoutError; an answer that comes later is nobody's (rule 47)."""
        io = Server()
        async with io.listening(HOST, 0) as bound, websocket(bound.port) as client:
            socket = io.sockets[await client.join()]
            with pytest.raises(TimeoutError):
                await socket.call("who", timeout=0.01)
            await client.send('430["late"]')
            await client.receive()
            socket.emit("still here")
            assert await client.event() == ["still here"]

    @on_both_loops
    async def test_a_broadcast_is_too_late(self) -> None:
        """AckTimeout, a TimeoutError as well, has the answers that came (api.md)."""
        io = Server()
        async with (
            io.listening(HOST, 0) as bound,
            websocket(bound.port) as one,
            websocket(bound.port) as two,
        ):
            await one.join()
            await two.join()
            calling = asyncio.create_task(io.timeout(0.05).emit_with_ack("who"))
            assert await one.receive() == await two.receive() == '420["who"]'
            await one.send('430["me"]')
            with pytest.raises(AckTimeout) as late:
                await calling
            assert late.value.responses == ["me"]

    @on_both_loops
    async def test_disconnected(self) -> None:
        """Disconnected: when the client goes, and when it has gone before."""
        io = Server()
        async with io.listening(HOST, 0) as bound:
            async with websocket(bound.port) as client:
                socket = io.sockets[await client.join()]
                calling = asyncio.create_task(socket.call("who", timeout=60))
                await client.receive()
                await client.send("41")
                with pytest.raises(Disconnected):
                    await calling
            with pytest.raises(Disconnected):
                await socket.call("who", timeout=60)
            with pytest.raises(Disconnected):
                await socket.drain()

    @on_both_loops
    async def test_cancelled(self) -> None:
        """The acknowledgement is forgotten: its place is free again (rule 78)."""
        io = Server(max_pending_acks=1)
        async with io.listening(HOST, 0) as bound, websocket(bound.port) as client:
            socket = io.sockets[await client.join()]
            for number in range(3):
                calling = asyncio.create_task(socket.call("who"))
                assert await client.receive() == f'42{number}["who"]'
                calling.cancel()
                await asyncio.wait([calling])
                assert calling.cancelled()

    @on_both_loops
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


@on_both_loops
async def test_handlers_of_one_client_come_in_order() -> None:
    """Events of one client one after another, those of different clients at the same time."""
    io = Server()
    order: list[tuple[str, int]] = []
    go_on = asyncio.Event()

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
        await turns()
        assert sorted(order) == [("one", 0), ("two", 0)]
        go_on.set()
        await until(lambda: len(order) == 6)
    assert [number for name, number in order if name == "one"] == [0, 1, 2]
    assert [number for name, number in order if name == "two"] == [0, 1, 2]


def test_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """With an error as ERROR and its traceback, else as INFO, under the name "sansocket"."""
    caplog.set_level("INFO")
    AsyncioRuntime().log("known", None)
    AsyncioRuntime().log("failed", ZeroDivisionError())
    assert [(record.name, record.levelname) for record in caplog.records] == [
        ("sansocket", "INFO"),
        ("sansocket", "ERROR"),
    ]
    assert complaints(caplog) == ["known", "failed: ZeroDivisionError()"]
