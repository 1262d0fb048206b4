"""What a connection keeps, and what a message takes: objects and bytes are counted, not time.

Every budget is what was counted on CPython 3.11, and a fifth. Whoever goes beyond one has made
every idle connection, or every message, dearer: `tracemalloc` says where.
"""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable
from itertools import count
from typing import Final

from support.engineio import masked
from support.runtime import LoopFree
from support.transcript import masked_text, websocket_request_bytes

from sansocket.sansio.backend import Wire
from sansocket.sansio.socketio.app import App
from sansocket.sansio.socketio.socket import Socket

UPGRADE: Final = websocket_request_bytes(query="EIO=4&transport=websocket")
CONNECT: Final = masked_text("40")
ECHO: Final = masked_text('42["echo","%s"]' % ("x" * 32))

MANY: Final = 500

IDLE_BYTES: Final = 4_700
IDLE_BLOCKS: Final = 64
IDLE_TRACKED: Final = 30
"""Objects that the collector looks at."""
ECHO_BYTES: Final = 7_500
"""At the worst moment, of what one echo takes and gives back: 4,700, and what measures the
coverage takes besides."""


def server() -> App:
    """A server that sends every `echo` back."""
    numbers = count()
    app = App(LoopFree(), entropy=lambda size: next(numbers).to_bytes(size, "big"))

    @app.on("echo")
    def echo(socket: Socket, value: str) -> None:
        socket.emit("echo", value)

    return app


def take(app: App, wire: Wire, data: bytes) -> bytes:
    """One reading, and what is written after it."""
    wire.receive_data(data, 0.0)
    app.deliver()
    return b"".join(wire.data_to_send())


def join(app: App) -> Wire:
    """A client that has joined the main namespace."""
    first = app.engine.open(nothing, 0.0)
    take(app, first, UPGRADE)
    wire = first.successor
    assert wire is not None
    assert take(app, wire, CONNECT)[2:].startswith(b'40{"sid":')
    return wire


def nothing() -> None:
    """Nobody has to be woken."""


def grown(work: Callable[[], object]) -> tuple[float, float, float]:
    """The bytes, the blocks and the tracked objects that each time of `MANY` leaves behind."""
    gc.collect()
    tracked = len(gc.get_objects())
    tracemalloc.start()
    try:
        before = tracemalloc.take_snapshot()
        for _ in range(MANY):
            work()
        gc.collect()
        now = len(gc.get_objects())
        after = tracemalloc.take_snapshot()
    finally:
        tracemalloc.stop()
    own = [tracemalloc.Filter(False, tracemalloc.__file__)]
    statistics = after.filter_traces(own).compare_to(before.filter_traces(own), "filename")
    size = sum(each.size_diff for each in statistics)
    blocks = sum(each.count_diff for each in statistics)
    return size / MANY, blocks / MANY, (now - tracked) / MANY


def test_an_idle_connection() -> None:
    """What it keeps in the core, from its timers to its rooms."""
    app = server()
    wires = [join(app) for _ in range(MANY)]
    size, blocks, tracked = grown(lambda: wires.append(join(app)))
    assert size < IDLE_BYTES
    assert blocks < IDLE_BLOCKS
    assert tracked < IDLE_TRACKED


def test_an_echo() -> None:
    """It leaves nothing behind, and has few objects at a time."""
    app = server()
    wire = join(app)
    for _ in range(MANY):  # until what measures the coverage has seen all there is
        take(app, wire, ECHO)
    size, blocks, tracked = grown(lambda: take(app, wire, ECHO))
    # One object that stayed each time would be one block, and 16 bytes at least.
    assert (size < 15, blocks < 0.5, tracked < 0.5) == (True, True, True)
    tracemalloc.start()
    try:
        take(app, wire, ECHO)
        now, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        take(app, wire, ECHO)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak - now < ECHO_BYTES


def test_nothing_is_left_to_the_collector() -> None:
    """A connection that is over refers to itself nowhere: its memory is free at once."""
    app = server()
    gc.collect()
    gc.disable()
    try:
        for goodbye in (masked(0x88, b"\x03\xe8"), b""):
            wire = join(app)
            take(app, wire, goodbye)
            wire.lost()
            app.deliver()
            del wire
            assert gc.collect() == 0
    finally:
        gc.enable()


def test_connections_come_and_go() -> None:
    """Security rule T13: one that has come and gone leaves nothing."""
    app = server()

    def visit() -> None:
        wire = join(app)
        wire.lost()
        app.deliver()

    for _ in range(MANY):
        visit()
    size, blocks, tracked = grown(visit)
    assert (size < 10, blocks < 0.5, tracked < 0.5) == (True, True, True)
