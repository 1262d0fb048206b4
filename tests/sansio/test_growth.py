"""How cost grows: with recipients, memberships, connections and bytes, never faster than they.

Calls and bytes are counted. Only what copies inside one call is judged by CPU time: by the ratio
of four times as much to once, where linear is 4 and quadratic 16.
"""

from __future__ import annotations

import struct
import time
import tracemalloc
from collections.abc import Callable
from functools import partial

import pytest
from support.calls import calls
from support.engineio import post_bytes
from support.socketio import Member
from support.transcript import Driver, Pipe, engineio, socketio

from sansocket.sansio.engineio.app import EngineApp, EngineSocket
from sansocket.sansio.portions import AT_ONCE
from sansocket.sansio.socketio.rooms import Rooms

KIB = 1024


@pytest.fixture(scope="module")
def million() -> Rooms[int]:
    """A million memberships in one room; some of its members are in another as well."""
    rooms: Rooms[int] = Rooms()
    for who in range(1_000_000):
        rooms.join(who, "all")
    return rooms


def a_few() -> Rooms[int]:
    """Ten memberships."""
    rooms: Rooms[int] = Rooms()
    for who in range(10):
        rooms.join(who, "all")
    return rooms


def come_and_go(rooms: Rooms[int]) -> None:
    """One more who joins, is looked at, leaves and is forgotten."""
    rooms.join(-1, "all")
    rooms.join(-1, "own")
    assert rooms.of(-1) == {"all", "own"}
    assert rooms.count(-1) == 2
    rooms.leave(-1, "all")
    rooms.forget(-1)


def test_rooms_cost_the_same_at_a_million_memberships(million: Rooms[int]) -> None:
    """Rule 77: as many calls as among ten, and no copy of who is in the room."""
    few = a_few()
    come_and_go(few)
    come_and_go(million)
    assert calls(lambda: come_and_go(million)) == calls(lambda: come_and_go(few))
    tracemalloc.start()
    try:
        come_and_go(million)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 10_000


def crowd(count: int) -> Callable[[], None]:
    """A broadcast to so many, to its end."""
    app, driver = socketio()
    for _ in range(count):
        Member(driver, app)

    def broadcast() -> None:
        app.emit("news", "x" * 32)
        driver.settle()

    broadcast()
    return broadcast


def test_a_broadcast_costs_the_same_for_each_recipient() -> None:
    """So many calls for each, however many they are."""
    one, two, three = (calls(crowd(count)) for count in (100, 200, 300))
    assert three - two == two - one


def test_a_broadcast_in_portions_costs_little_more() -> None:
    """Beyond what is told at once: a deadline a portion, and a call for each recipient."""
    one, two, many = (calls(crowd(count)) for count in (100, 200, 2 * AT_ONCE))
    each = (two - one) / 100
    assert many < one + (each + 2) * (2 * AT_ONCE - 100) + 200


def test_idle_connections_cost_nothing_between_pings() -> None:
    """As many calls for a thousand as for ten: one deadline is looked at, the soonest."""

    def idle(count: int) -> int:
        app, driver = socketio(ping_interval=25.0)
        for _ in range(count):
            Member(driver, app)
        driver.advance(1.0)

        def wait() -> None:
            for _ in range(20):
                driver.core.engine.handle_timeout(driver.now)
                assert driver.core.engine.next_deadline() is not None
                driver.now += 1.0

        return calls(wait)

    assert idle(1000) == idle(10)


def seconds(work: Callable[[], None]) -> float:
    """CPU seconds of this thread."""
    before = time.thread_time()
    work()
    return time.thread_time() - before


def ratio(make: Callable[[int], Callable[[], None]], size: int) -> float:
    """What four times the bytes cost, to once: the least of five each, taken by turns."""
    small: list[float] = []
    large: list[float] = []
    for _ in range(5):
        small.append(seconds(make(size)))
        large.append(seconds(make(4 * size)))
    return min(large) / min(small)


def feed(pipe: Pipe, data: bytes, step: int) -> None:
    """Let the wire have so many bytes at a time."""
    take, now = pipe.wire.receive_data, pipe.driver.now
    for start in range(0, len(data), step):
        take(data[start : start + step], now)


def listener(got: list[int]) -> tuple[EngineApp, Driver]:
    """A server that notes the lengths of the messages that come."""
    app, driver = engineio(max_payload=2**23)

    @app.on("message")
    def note(socket: EngineSocket, data: str | bytes) -> None:
        got.append(len(data))

    return app, driver


Way = Callable[[int], "tuple[Pipe, bytes, Callable[[], None]]"]
"""A connection, a message of so many bytes for it, and what looks whether it has come."""


def by_websocket(size: int) -> tuple[Pipe, bytes, Callable[[], None]]:
    """One binary message."""
    got: list[int] = []
    _, driver = listener(got)
    mask = bytes([1, 2, 3, 4])
    long = size >= 2**16
    head = struct.pack("!BBQ", 0x82, 0xFF, size) if long else struct.pack("!BBH", 0x82, 0xFE, size)
    data = head + mask + bytes(size)
    return driver.websocket().pipe, data, partial(arrived, driver, got, size)


def by_polling(size: int) -> tuple[Pipe, bytes, Callable[[], None]]:
    """One POST."""
    got: list[int] = []
    _, driver = listener(got)
    data = post_bytes(driver.poll_handshake(), "4" + "x" * size)
    return driver.connect(), data, partial(arrived, driver, got, size)


def arrived(driver: Driver, got: list[int], size: int) -> None:
    """One message of so many bytes has come."""
    driver.settle()
    assert got == [size]


def outwards(transport: str) -> Callable[[int], Callable[[], None]]:
    """So many bytes sent, in messages of 1 KiB, to a peer that does not read until the end."""

    def make(size: int) -> Callable[[], None]:
        app, driver = engineio()
        polling = transport == "polling"
        sid = driver.poll_handshake() if polling else ""
        pipe = driver.connect() if polling else driver.websocket().pipe
        pipe.writable = polling
        [socket] = app.sockets.values()
        message = b"x" * KIB

        def work() -> None:
            for _ in range(size // KIB):
                socket.send(message)
            if polling:
                driver.get(sid, pipe)
            pipe.pull()
            assert len(pipe.take()) > size

        return work

    return make


@pytest.mark.parametrize("way", [by_websocket, by_polling])
def test_bytes_that_come_cost_linearly(way: Way) -> None:
    """From 256 KiB to 1 MiB, 16 KiB at a time, as they come from a network."""

    def make(size: int) -> Callable[[], None]:
        pipe, data, arrived = way(size)

        def work() -> None:
            feed(pipe, data, 16 * KIB)
            arrived()

        return work

    assert ratio(make, 256 * KIB) < 9


def behind(way: Way, size: int) -> tuple[int, float]:
    """What 500 bytes cost that come one by one behind so many: calls, and CPU seconds."""
    pipe, data, _ = way(size + 10_000)
    pipe.wire.receive_data(data[:size], 0.0)
    tail = data[size : size + 500]
    spent = min(seconds(partial(feed, pipe, tail[start::5], 1)) for start in range(5))
    return calls(partial(feed, pipe, data[size + 500 : size + 1000], 1)), spent


@pytest.mark.parametrize("way", [by_websocket, by_polling])
def test_a_byte_costs_the_same_however_many_came_before(way: Way) -> None:
    """Behind 4 KiB and behind 2 MiB: what waits is not copied for every byte.

    It would cost a hundred times as much.
    """
    few, short = behind(way, 4 * KIB)
    many, long = behind(way, 2 * KIB * KIB)
    assert many == few
    assert long < 8 * short


@pytest.mark.parametrize("way", [by_websocket, by_polling])
def test_a_message_may_come_in_writes_of_one_byte(way: Way) -> None:
    """It is the same message, and each further KiB takes as many calls as the one before."""

    def cost(size: int) -> int:
        pipe, data, arrived = way(size)
        count = calls(partial(feed, pipe, data, 1))
        arrived()
        return count

    one, two, three = cost(1 * KIB), cost(2 * KIB), cost(3 * KIB)
    assert abs((three - two) - (two - one)) < 100


@pytest.mark.parametrize("transport", ["websocket", "polling"])
def test_bytes_that_go_cost_linearly(transport: str) -> None:
    """From 256 KiB to 1 MiB, in a thousand messages."""
    assert ratio(outwards(transport), 256 * KIB) < 9
