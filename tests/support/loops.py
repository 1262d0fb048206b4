"""Tests on asyncio's own loop and on uvloop: coroutine functions made plain ones.

A test that runs here runs in debug mode. It fails when it leaves a task behind, or when the
loop had to handle an exception that nobody else did.
"""

from __future__ import annotations

import asyncio
import gc
import inspect
from collections.abc import Callable, Coroutine
from typing import Any, Final

import pytest
import uvloop

Main = Coroutine[Any, Any, None]
LoopFactory = Callable[[], asyncio.AbstractEventLoop]

LOOPS: Final = [
    pytest.param(asyncio.new_event_loop, id="asyncio"),
    pytest.param(uvloop.new_event_loop, id="uvloop"),
]

PATIENCE: Final = 60
"""Seconds: a machine with other work is slow."""


def on_both_loops(test: Callable[..., Main]) -> Callable[..., None]:
    """Make a test of a coroutine function, with the loop as one more parameter."""

    def run(*args: Any, loop_factory: LoopFactory, **kwargs: Any) -> None:
        run_on(loop_factory, test(*args, **kwargs))

    # What pytest asks of a function. Not `functools.wraps`: pytest would look behind it.
    signature = inspect.signature(test)
    loop = inspect.Parameter("loop_factory", inspect.Parameter.KEYWORD_ONLY)
    parameters = [*signature.parameters.values(), loop]
    run.__dict__.update(vars(test), __signature__=signature.replace(parameters=parameters))
    run.__name__, run.__doc__, run.__module__ = test.__name__, test.__doc__, test.__module__
    marked: Callable[..., None] = pytest.mark.parametrize("loop_factory", LOOPS)(run)
    return marked


def run_on(loop_factory: LoopFactory, main: Main) -> None:
    """Run to the end, on a loop of its own."""
    handled: list[dict[str, Any]] = []

    async def watched() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: handled.append(context))
        loop.slow_callback_duration = PATIENCE  # a stalled machine is no complaint
        # With its first listener uvloop opens a descriptor that it keeps in reserve.
        listener = await loop.create_server(asyncio.Protocol, "127.0.0.1", 0)
        listener.close()
        async with asyncio.timeout(PATIENCE):
            await main
        await turns(5)  # in which a worker ends that has no connections any more
        assert asyncio.all_tasks() == {asyncio.current_task()}

    gc.freeze()  # so that there is little to collect
    try:
        with asyncio.Runner(debug=True, loop_factory=loop_factory) as runner:
            runner.run(watched())
            gc.collect()  # what was never awaited or retrieved complains as it goes
    finally:
        gc.unfreeze()
    assert handled == []


async def turns(count: int = 50) -> None:
    """Let the loop turn so many times: on a loopback all that can happen has happened then."""
    for _ in range(count):
        await asyncio.sleep(0)


async def until(condition: Callable[[], object]) -> None:
    """Wait until the condition holds; whoever runs the test has the patience."""
    while not condition():
        await asyncio.sleep(0.001)
